"""What a conversation says arrives at the Responses API, and what it answers arrives here, whatever
it is: read and written by its reference (platform.openai.com/docs/api-reference/responses), and not
by our own code.

What the wire cannot carry, and so is equal here: that a system message stood first, which is
``instructions`` then; empty texts; a call's id as an item, beside the one that it is known by.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from headway.providers.openai_responses.provider import PROVIDER
from headway.types import Target, Transformation
from support.conversation_strategies import (
    addresses,
    audio_parts,
    base64s,
    chat,
    choices_of,
    conversations,
    data_urls,
    ids,
    image_parts,
    json_schemas,
    marked,
    maybe,
    names,
    sent,
    text_parts,
    texts,
    tools,
)

Json = Any
FORMAT = "openai-responses-v1"
TARGET = Target(provider="responses", base_url="https://r.test/v1")
MODELS = st.sampled_from(["gpt-4o", "gpt-5", "gpt-5.1", "o3"])


def said(changes: tuple[Transformation, ...], words: str) -> bool:
    return any(words in change.reason for change in changes)


# --- Messages: what was meant ---------------------------------------------------------------------

FILE_PARTS = st.one_of(
    st.builds(
        lambda url, name: {"type": "file", "file": {"filename": name, "file_data": url}},
        data_urls("application/pdf", "text/plain"),
        names,
    ),
    st.builds(lambda url: {"type": "file", "file": {"file_data": url}}, addresses),
    st.builds(lambda file_id: {"type": "file", "file": {"file_id": file_id}}, names),
)
IMAGE_PARTS = st.builds(
    lambda part, detail: {
        **part,
        "image_url": {**part["image_url"], **({"detail": detail} if detail else {})},
    },
    image_parts,
    maybe(st.sampled_from(["low", "high", "auto"])),
)
USER_PARTS = marked(text_parts | IMAGE_PARTS | FILE_PARTS | audio_parts)


@st.composite
def thoughts(draw: DrawFn, call_ids: list[str]) -> list[Json]:
    """As answers leave them: the parts of each thought, with its place, before what it led to."""
    found: list[Json] = []
    for index in draw(st.lists(st.integers(0, 1 + len(call_ids)), max_size=2, unique=True)):
        same = {"format": FORMAT, "index": index, "id": f"rs_{index}_{draw(ids)}"}
        summaries = draw(st.lists(texts, max_size=2))
        found += [{"type": "reasoning.summary", "summary": s, **same} for s in summaries]
        plain = draw(st.lists(texts, max_size=2))
        found += [{"type": "reasoning.text", "text": t, **same} for t in plain]
        if (data := draw(maybe(base64s))) is not None:
            found.append({"type": "reasoning.encrypted", "data": data, **same})
    theirs = [{"type": "reasoning.text", "text": "hm", "signature": "s", "format": "of-another"}]
    return found + draw(st.sampled_from([[], theirs]))


TALKS = conversations(thoughts, USER_PARTS, text_parts | IMAGE_PARTS | FILE_PARTS)


def meant(part: Json) -> Json:
    """A part, told apart by what is in it."""
    kind = part["type"]
    if kind == "text":
        return ("text", part["text"])
    if kind == "image_url":
        return ("image", part["image_url"]["url"], part["image_url"].get("detail"))
    if kind == "input_audio":
        return ("audio", part["input_audio"])
    file = part["file"]
    url = file.get("file_data")
    is_there = url is not None and url.startswith("https:")
    return ("file", file.get("filename"), file.get("file_id"), None if is_there else url,
            url if is_there else None)  # fmt: skip


def parts_of(content: Json) -> list[Json]:
    if isinstance(content, list):
        return [meant(part) for part in content]
    return [("text", content)] if content else []


def meant_answer(message: Json) -> Json:
    own: dict[Any, Json] = {}
    for detail in message.get("reasoning_details", ()):
        if detail["format"] == FORMAT:
            empty: Json = {"summary": [], "text": [], "encrypted": None}
            thought = own.setdefault(detail["id"], empty)
            kind = detail["type"].removeprefix("reasoning.")
            if kind == "encrypted":
                thought[kind] = detail["data"]
            else:
                thought[kind].append(detail[kind])
    return {
        "text": message["content"] or "",
        "thoughts": {k: v for k, v in own.items() if v["text"] or v["encrypted"]},
        "calls": [
            (c["id"], c["function"]["name"], c["function"]["arguments"])
            for c in message.get("tool_calls", ())
        ],
    }


def meant_by(messages: list[Json]) -> list[Json]:
    found: list[Json] = []
    for message in messages:
        if message["role"] == "assistant":
            found.append(("assistant", meant_answer(message)))
        elif message["role"] == "tool":
            found.append((message["tool_call_id"], parts_of(message["content"])))
        else:
            found.append((message["role"], parts_of(message["content"])))
    return found


# --- Messages: what the wire says -----------------------------------------------------------------


def read_part(part: Json) -> Json:
    kind = part["type"]
    if kind == "input_text":
        return ("text", part["text"])
    if kind == "input_image":
        return ("image", part["image_url"], part.get("detail"))
    if kind == "input_audio":
        assert set(part) == {"type", "input_audio"}
        return ("audio", part["input_audio"])
    assert kind == "input_file"
    return ("file", *(part.get(n) for n in ("filename", "file_id", "file_data", "file_url")))


def read_parts(content: Json) -> list[Json]:
    if isinstance(content, list):
        return [read_part(part) for part in content]
    return [("text", content)] if content else []


def read_thought(item: Json) -> Json:
    return {
        "summary": [part["text"] for part in item["summary"]],
        "text": [part["text"] for part in item.get("content", ())],
        "encrypted": item.get("encrypted_content"),
    }


def read_messages(body: Json) -> list[Json]:
    """Items of one answer stand together: whatever else comes ends it."""
    found: list[Json] = []
    if "instructions" in body:
        found.append(("system", parts_of(body["instructions"])))
    for item in body["input"]:
        kind, role = item["type"], item.get("role")
        if kind == "function_call_output":
            found.append((item["call_id"], read_parts(item["output"])))
        elif kind == "message" and role != "assistant":
            found.append((role, read_parts(item["content"])))
        else:
            if found[-1][0] != "assistant":
                found.append(("assistant", {"text": "", "thoughts": {}, "calls": []}))
            read_answered(item, found[-1][1])
    return found


def read_answered(item: Json, answer: Json) -> None:
    if item["type"] == "reasoning":
        answer["thoughts"][item["id"]] = read_thought(item)
    elif item["type"] == "function_call":
        answer["calls"].append((item["call_id"], item["name"], item["arguments"]))
    else:
        content = item["content"]
        texts_ = [content] if isinstance(content, str) else [part["text"] for part in content]
        answer["text"] += "".join(texts_)


@given(model=MODELS, messages=TALKS)
def test_a_conversation_arrives(model: str, messages: list[Json]) -> None:
    body, changes = sent(PROVIDER, chat(model, messages), TARGET)
    assert read_messages(body) == meant_by(messages)
    assert said(changes, "caches automatically") == ("cache_control" in json.dumps(messages))
    assert "cache_control" not in json.dumps(body)
    has_error = any("is_error" in m for m in messages)
    assert ("messages[].is_error" in {each.parameter for each in changes}) == has_error


# --- Parameters -----------------------------------------------------------------------------------

rates = st.floats(0, 1, allow_subnormal=False)
counts = st.integers(1, 10**6)
efforts = st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh"])
PLAIN = ("temperature", "top_p", "top_logprobs", "parallel_tool_calls", "service_tier", "user",
         "store", "metadata", "prompt_cache_key", "safety_identifier", "tools", "tool_choice",
         "new_thing")  # fmt: skip


@st.composite
def parameters(draw: DrawFn) -> dict[str, Json]:
    equipment = draw(st.lists(marked(tools), max_size=3))
    plain = st.fixed_dictionaries(
        {},
        optional={
            "temperature": rates,
            "top_p": rates,
            "top_k": counts,
            "n": st.integers(1, 3),
            "seed": counts,
            "stop": texts | st.lists(texts, max_size=2),
            "presence_penalty": rates,
            "frequency_penalty": rates,
            "logit_bias": st.dictionaries(names, st.integers(-9, 9), max_size=1),
            "logprobs": st.booleans(),
            "top_logprobs": st.integers(0, 20),
            "max_tokens": counts,
            "max_completion_tokens": counts,
            "response_format": json_schemas | st.sampled_from([{"type": "json_object"}]),
            "verbosity": st.sampled_from(["low", "medium", "high"]),
            "tool_choice": choices_of(equipment),
            "parallel_tool_calls": st.booleans(),
            "service_tier": st.sampled_from(["auto", "default", "flex", "priority"]),
            "user": texts,
            "store": st.booleans(),
            "metadata": st.dictionaries(names, texts, max_size=1),
            "prompt_cache_key": texts,
            "safety_identifier": texts,
            "new_thing": st.integers(),
        },
    )
    thinking = st.one_of(
        st.just({}),
        st.builds(lambda effort: {"reasoning_effort": effort}, efforts),
        st.builds(lambda most: {"reasoning": {"max_tokens": most}}, counts),
    )
    return {**draw(plain), **draw(thinking), **({"tools": equipment} if equipment else {})}


NOTHING = {
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logit_bias": {},
    "n": 1,
    "stop": [],
    "logprobs": False,
}


def flat(tool: Json) -> Json:
    """A function or a choice of one: a level less. A function says whether it is strict."""
    return {"type": "function", **tool["function"]}


def chosen(choice: Json) -> Json:
    if isinstance(choice, str):
        return choice
    if choice["type"] == "function":
        return flat(choice)
    allowed = choice["allowed_tools"]
    return {"type": "allowed_tools", **allowed, "tools": [flat(t) for t in allowed["tools"]]}


def meant_parameters(given: dict[str, Json]) -> dict[str, Json]:
    found = {name: value for name, value in given.items() if NOTHING.get(name, ...) != value}
    if "tools" in found:
        found["tools"] = [{"strict": False, **flat(tool)} for tool in found["tools"]]
    if "tool_choice" in found:
        found["tool_choice"] = chosen(found["tool_choice"])
    if "max_completion_tokens" in found:
        found["max_tokens"] = found.pop("max_completion_tokens")
    if "max_tokens" in found:
        found["max_tokens"] = max(16, found["max_tokens"])
    if "response_format" in found:
        wanted = found["response_format"]
        found["response_format"] = {"type": wanted["type"], **wanted.get("json_schema", {})}
    return found


def read_parameters(body: Json) -> dict[str, Json]:
    rest = {name: body.pop(name) for name in list(body) if name in PLAIN}
    if "max_output_tokens" in body:
        rest["max_tokens"] = body.pop("max_output_tokens")
    text = body.pop("text", {})
    if "format" in text:
        rest["response_format"] = text["format"]
    if "verbosity" in text:
        rest["verbosity"] = text["verbosity"]
    if "reasoning" in body:
        rest["reasoning_effort"] = body.pop("reasoning")["effort"]
    if "message.output_text.logprobs" in body.pop("include", ()):
        rest["logprobs"] = True
    assert set(body) == {"model", "input"}
    return rest


@given(model=MODELS, asked=parameters())
def test_a_parameter_arrives_or_is_told_of(model: str, asked: dict[str, Json]) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    body, changes = sent(PROVIDER, chat(model, messages, **asked), TARGET)
    assert body["model"] == model
    wanted = {"store": False, **meant_parameters(asked)}
    dropped = {change.parameter for change in changes if change.action == "dropped"}
    dropped -= {"tools[].cache_control"}
    if model == "gpt-4o" and wanted.get("reasoning_effort") == "none":
        del wanted["reasoning_effort"]  # it never does
    if "reasoning" in wanted and "reasoning" not in dropped:
        (change,) = [change for change in changes if change.action == "emulated"]
        del wanted["reasoning"]
        wanted["reasoning_effort"] = change.reason.rpartition(" ")[2]
    assert dropped <= set(wanted)
    found = read_parameters(body)
    assert found == {name: value for name, value in wanted.items() if name not in dropped}
    renamed = {change.parameter for change in changes if change.action == "renamed"}
    assert bool(renamed) == ("max_tokens" in wanted)
    bound = asked.get("max_completion_tokens", asked.get("max_tokens", 16))
    assert said(changes, "(minimum)") == (bound < 16)
