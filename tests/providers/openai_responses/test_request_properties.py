"""Any request is sent whole to the Responses API, or its transformations say what is not. The sent
body is read after the API's reference (platform.openai.com/docs/api-reference/responses) and not by
the code under test.

The wire format does not carry these, so the comparison ignores them: that a system message was the
first, which becomes ``instructions``; empty texts; the id of a call as an item.
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


def has_reason(transformations: tuple[Transformation, ...], words: str) -> bool:
    return any(words in each.reason for each in transformations)


# --- Messages: the expected content ---------------------------------------------------------------

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
def reasoning_details(draw: DrawFn, call_ids: list[str]) -> list[Json]:
    """Reasoning details as responses give them, each with the position of its item."""
    found: list[Json] = []
    for index in draw(st.lists(st.integers(0, 1 + len(call_ids)), max_size=2, unique=True)):
        same = {"format": FORMAT, "index": index, "id": f"rs_{index}_{draw(ids)}"}
        summaries = draw(st.lists(texts, max_size=2))
        found += [{"type": "reasoning.summary", "summary": s, **same} for s in summaries]
        plain = draw(st.lists(texts, max_size=2))
        found += [{"type": "reasoning.text", "text": t, **same} for t in plain]
        if (data := draw(maybe(base64s))) is not None:
            found.append({"type": "reasoning.encrypted", "data": data, **same})
    foreign = [{"type": "reasoning.text", "text": "hm", "signature": "s", "format": "other-format"}]
    return found + draw(st.sampled_from([[], foreign]))


CONVERSATIONS = conversations(reasoning_details, USER_PARTS, text_parts | IMAGE_PARTS | FILE_PARTS)


def expected_part(part: Json) -> Json:
    """A comparable value for a content part."""
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
        return [expected_part(part) for part in content]
    return [("text", content)] if content else []


def expected_assistant(message: Json) -> Json:
    items: dict[Any, Json] = {}
    for detail in message.get("reasoning_details", ()):
        if detail["format"] == FORMAT:
            empty: Json = {"summary": [], "text": [], "encrypted": None}
            reasoning = items.setdefault(detail["id"], empty)
            kind = detail["type"].removeprefix("reasoning.")
            if kind == "encrypted":
                reasoning[kind] = detail["data"]
            else:
                reasoning[kind].append(detail[kind])
    return {
        "text": message["content"] or "",
        "reasoning_details": {k: v for k, v in items.items() if v["text"] or v["encrypted"]},
        "calls": [
            (c["id"], c["function"]["name"], c["function"]["arguments"])
            for c in message.get("tool_calls", ())
        ],
    }


def expected_messages(messages: list[Json]) -> list[Json]:
    found: list[Json] = []
    for message in messages:
        if message["role"] == "assistant":
            found.append(("assistant", expected_assistant(message)))
        elif message["role"] == "tool":
            found.append((message["tool_call_id"], parts_of(message["content"])))
        else:
            found.append((message["role"], parts_of(message["content"])))
    return found


# --- Messages: the sent content -------------------------------------------------------------------


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


def read_reasoning(item: Json) -> Json:
    return {
        "summary": [part["text"] for part in item["summary"]],
        "text": [part["text"] for part in item.get("content", ())],
        "encrypted": item.get("encrypted_content"),
    }


def read_messages(body: Json) -> list[Json]:
    """Consecutive items of an assistant are one message."""
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
                found.append(("assistant", {"text": "", "reasoning_details": {}, "calls": []}))
            read_assistant_item(item, found[-1][1])
    return found


def read_assistant_item(item: Json, answer: Json) -> None:
    if item["type"] == "reasoning":
        answer["reasoning_details"][item["id"]] = read_reasoning(item)
    elif item["type"] == "function_call":
        answer["calls"].append((item["call_id"], item["name"], item["arguments"]))
    else:
        content = item["content"]
        texts_ = [content] if isinstance(content, str) else [part["text"] for part in content]
        answer["text"] += "".join(texts_)


@given(model=MODELS, messages=CONVERSATIONS)
def test_the_input_items_have_the_content_of_any_conversation(
    model: str, messages: list[Json]
) -> None:
    body, transformations = sent(PROVIDER, chat(model, messages), TARGET)
    assert read_messages(body) == expected_messages(messages)
    assert has_reason(transformations, "caches automatically") == (
        "cache_control" in json.dumps(messages)
    )
    assert "cache_control" not in json.dumps(body)
    has_error = any("is_error" in m for m in messages)
    assert ("messages[].is_error" in {each.parameter for each in transformations}) == has_error


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
    """A function, or the choice of one, with its fields at the top level."""
    return {"type": "function", **tool["function"]}


def chosen(choice: Json) -> Json:
    if isinstance(choice, str):
        return choice
    if choice["type"] == "function":
        return flat(choice)
    allowed = choice["allowed_tools"]
    return {"type": "allowed_tools", **allowed, "tools": [flat(t) for t in allowed["tools"]]}


def expected_parameters(given: dict[str, Json]) -> dict[str, Json]:
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
def test_each_parameter_is_sent_or_reported_as_dropped(model: str, asked: dict[str, Json]) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    body, transformations = sent(PROVIDER, chat(model, messages, **asked), TARGET)
    assert body["model"] == model
    wanted = {"store": False, **expected_parameters(asked)}
    dropped = {each.parameter for each in transformations if each.action == "dropped"}
    dropped -= {"tools[].cache_control"}
    if model == "gpt-4o" and wanted.get("reasoning_effort") == "none":
        del wanted["reasoning_effort"]  # gpt-4o never reasons
    if "reasoning" in wanted and "reasoning" not in dropped:
        (effort,) = [each for each in transformations if each.action == "emulated"]
        del wanted["reasoning"]
        wanted["reasoning_effort"] = effort.reason.rpartition(" ")[2]
    assert dropped <= set(wanted)
    found = read_parameters(body)
    assert found == {name: value for name, value in wanted.items() if name not in dropped}
    renamed = {each.parameter for each in transformations if each.action == "renamed"}
    assert bool(renamed) == ("max_tokens" in wanted)
    bound = asked.get("max_completion_tokens", asked.get("max_tokens", 16))
    assert has_reason(transformations, "(minimum)") == (bound < 16)
