"""Generated requests are encoded completely for Google's generateContent: what is sent is read by
the API's reference (ai.google.dev/api), without the code under test.

Equal here, because the wire format cannot express the difference: the roles developer and system,
and where their messages stand; a text and a list of texts in a tool's result; the name and
``strict`` of a response format.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from headway.providers.gemini import provider as gemini
from headway.providers.tool_rules import NAME_PREFIX, original_name
from headway.providers.vertex import gemini as vertex
from headway.types import Target, Transformation
from support.conversation_strategies import (
    audio_parts,
    base64s,
    chat,
    choices_of,
    conversations,
    file_parts,
    image_parts,
    json_schemas,
    marked,
    maybe,
    sent,
    text_parts,
    texts,
    tools,
)

Json = Any
FORMAT = "google-gemini-v1"
UNCHECKED = "skip_thought_signature_validator"
STUDIO = Target(provider="gemini", base_url="https://g.test/v1beta")
VERTEX = Target(provider="vertex", base_url="https://v.test", options={"project": "p"})
BETA = Target(
    provider="vertex",
    base_url="https://v.test",
    options={"project": "p", "api_version": "v1beta1"},
)
PROVIDERS = {
    "studio": (gemini.PROVIDER, STUDIO),
    "v1": (vertex.PROVIDER, VERTEX),
    "beta": (vertex.PROVIDER, BETA),
}
PLACES = st.sampled_from(list(PROVIDERS))
MODELS = st.sampled_from(["gemini-2.5-flash", "gemini-3-pro-preview", "gemini-2.0-flash"])


def has_ids(target: Target) -> bool:
    """The v1 of Vertex AI has no ``id`` in FunctionCall."""
    return target is not VERTEX


def has_reason(transformations: tuple[Transformation, ...], text: str) -> bool:
    return any(text in transformation.reason for transformation in transformations)


# --- Messages: what was meant ---------------------------------------------------------------------

SERVER_PARTS = st.sampled_from(
    [
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "id": "x"}},
    ]
)
USER_PARTS = marked(text_parts | image_parts | file_parts | audio_parts)


@st.composite
def thoughts(draw: DrawFn, call_ids: list[str]) -> list[Json]:
    """As Gemini's answers leave them: thoughts, parts of its own, signatures of calls and text."""
    own = {"format": FORMAT}
    signed = st.builds(
        lambda text, signature: {"type": "reasoning.text", "text": text, "signature": signature},
        st.text(max_size=9),
        base64s,
    )
    kept = st.builds(
        lambda part, data: {"type": "reasoning.encrypted", "data": data, "part": part},
        SERVER_PARTS,
        base64s | st.just(""),
    )
    found = draw(st.lists(signed | kept, max_size=2))
    for call_id in call_ids:
        if (signature := draw(maybe(base64s))) is not None:
            found.append({"type": "reasoning.encrypted", "data": signature, "id": call_id})
    found += [
        {
            "type": "reasoning.encrypted",
            "data": signature,
            **({"part": {"text": ""}} if alone else {}),
        }
        for signature, alone in draw(st.lists(st.tuples(base64s, st.booleans()), max_size=2))
    ]
    theirs = [{"type": "reasoning.text", "text": "hm", "signature": "s", "format": "of-another"}]
    return [{**detail, **own} for detail in found] + draw(st.sampled_from([[], theirs]))


TALKS = conversations(thoughts, USER_PARTS, text_parts | image_parts | file_parts)


def meant(part: Json) -> Json:
    """A part, told apart by what is in it."""
    kind = part["type"]
    if kind == "text":
        return ("text", part["text"])
    if kind == "input_audio":
        audio = part["input_audio"]
        return ("data", f"audio/{audio['format']}", audio["data"])
    url = part["image_url"]["url"] if kind == "image_url" else part["file"]["file_data"]
    if not url.startswith("data:"):
        return ("url", url)
    media_type, _, data = url.removeprefix("data:").partition(";base64,")
    return ("data", media_type, data)


def parts_of(message: Json) -> list[Json]:
    content = message["content"]
    if isinstance(content, list):
        return [meant(part) for part in content]
    return [("text", content)] if content else []


def value_of(text: str) -> Json:
    """A result that is JSON is that value."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict | list) else text


def meant_result(message: Json) -> Json:
    found = parts_of(message)
    text = "".join(part[1] for part in found if part[0] == "text")
    media = [part for part in found if part[0] != "text"]
    return {"value": value_of(text), "fails": message.get("is_error", False), "media": media}


def meant_answer(message: Json) -> Json:
    own = [d for d in message.get("reasoning_details", ()) if d["format"] == FORMAT]
    signatures = {d["id"]: d["data"] for d in own if "id" in d}
    kept = [d for d in own if d.get("part", {"text": ""}) != {"text": ""}]
    loose = [d for d in own if "id" not in d and d["type"] != "reasoning.text" and d not in kept]
    return {
        "text": message["content"] or "",
        "thoughts": [(d["text"], d["signature"]) for d in own if d["type"] == "reasoning.text"],
        "kept": [(d["part"], d["data"] or None) for d in kept],
        "signatures": sorted(d["data"] for d in loose),
        "calls": [
            {
                "id": call["id"],
                "name": call["function"]["name"],
                "arguments": json.loads(call["function"]["arguments"]),
                "signature": signatures.get(call["id"]),
            }
            for call in message.get("tool_calls", ())
        ],
    }


def meant_by(messages: list[Json]) -> tuple[list[Json], list[Json]]:
    """What all systems said, and the rest, with the results of a message's calls together."""
    system = [p for m in messages if m["role"] in ("system", "developer") for p in parts_of(m)]
    rest: list[Json] = []
    for message in messages:
        if message["role"] == "user":
            rest.append(("user", parts_of(message)))
        elif message["role"] == "assistant":
            rest.append(("assistant", meant_answer(message)))
        elif message["role"] == "tool":
            if rest[-1][0] != "results":
                rest.append(("results", {}))
            rest[-1][1][message["tool_call_id"]] = meant_result(message)
    return system, rest


# --- Messages: what the wire says -----------------------------------------------------------------


def read_part(part: Json) -> Json:
    if "text" in part:
        return ("text", part["text"])
    if "inlineData" in part:
        return ("data", part["inlineData"]["mimeType"], part["inlineData"]["data"])
    return ("url", part["fileData"]["fileUri"])


def read_answer(parts: list[Json]) -> Json:
    found: Json = {"text": "", "thoughts": [], "kept": [], "signatures": [], "calls": []}
    for part in parts:
        rest = {k: v for k, v in part.items() if k != "thoughtSignature"}
        signature = part.get("thoughtSignature")
        if part.get("thought"):
            found["thoughts"].append((part["text"], signature))
        elif "text" in part:
            found["text"] += part["text"]
            found["signatures"] += [signature] if signature else []
        elif "functionCall" in part:
            call = part["functionCall"]
            found["calls"].append(
                {
                    "id": call.get("id"),
                    "name": original_name(call["name"]),
                    "arguments": call["args"],
                    "signature": signature,
                }
            )
        else:
            found["kept"].append((rest, signature))
    found["signatures"].sort()
    return found


def read_response(response: Json) -> Json:
    """By FunctionResponse.response: ``output``, ``error``, or the whole of it."""
    given = response["response"]
    fails = "error" in given
    value = given["error"] if fails else given.get("output", given)
    media = [read_part(part) for part in response.get("parts", ())]
    return {"value": value, "fails": fails, "media": media}


def read_results(parts: list[Json], calls: list[Json]) -> Json:
    """A response belongs to the call with its id, or, without ids, to the one in its place."""
    found = {}
    for part, call in zip(parts, calls, strict=True):
        response = part["functionResponse"]
        if response.get("id") is None:
            assert call["id"] is None
            assert original_name(response["name"]) == call["name"]
        found[response.get("id") or f"place {len(found)}"] = read_response(response)
    return found


def read_messages(body: Json) -> tuple[list[Json], list[Json]]:
    system = [read_part(part) for part in body.get("systemInstruction", {}).get("parts", ())]
    rest: list[Json] = []
    for content in body["contents"]:
        parts = content["parts"]
        if content["role"] == "model":
            rest.append(("assistant", read_answer(parts)))
        elif "functionResponse" in parts[0]:
            rest.append(("results", read_results(parts, rest[-1][1]["calls"])))
        else:
            rest.append(("user", [read_part(part) for part in parts]))
    return system, rest


# --- Messages: what the wire can carry of what was meant ------------------------------------------


def without_ids(rest: list[Json]) -> None:
    """Calls and their results, by their places alone."""
    for position, (role, found) in enumerate(rest):
        if role == "results":
            order = [call["id"] for call in rest[position - 1][1]["calls"]]
            rest[position] = (role, {f"place {i}": found[c] for i, c in enumerate(order)})
    for role, found in rest:
        for call in found["calls"] if role == "assistant" else ():
            call["id"] = None


def with_media_behind(rest: list[Json], stays: str | None) -> list[Json]:
    """Media that cannot stand in a result, behind all results, in their order."""
    moved: list[Json] = []
    for role, found in rest:
        moved.append((role, found))
        if role != "results":
            continue
        behind = [part for result in found.values() for part in result["media"] if part[0] != stays]
        for result in found.values():
            result["media"] = [part for part in result["media"] if part[0] == stays]
        if behind:
            moved.append(("user", behind))
    return moved


@given(place=PLACES, model=MODELS, messages=TALKS, stream=st.booleans())
def test_a_conversation_is_encoded_completely(
    place: str, model: str, messages: list[Json], stream: bool
) -> None:
    provider, target = PROVIDERS[place]
    body, transformations = sent(provider, chat(model, messages, stream), target)
    system, rest = meant_by(messages)
    if has_reason(transformations, "media of tool results after them"):
        rest = with_media_behind(rest, "data" if model.startswith("gemini-3") else None)
    if not has_ids(target):
        without_ids(rest)
    found = read_messages(body)
    if has_reason(transformations, "check of thought signatures"):
        for role, answer in found[1]:
            for call in answer["calls"][:1] if role == "assistant" else ():
                call["signature"] = None if call["signature"] == UNCHECKED else call["signature"]
    assert found == (system, rest)
    marks = "cache_control" in json.dumps(messages)
    assert marks == has_reason(transformations, "which caches implicitly")
    assert "cache_control" not in json.dumps(body)


# --- Parameters -----------------------------------------------------------------------------------

PLAIN = {
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "candidateCount": "n",
    "seed": "seed",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "responseLogprobs": "logprobs",
    "logprobs": "top_logprobs",
    "maxOutputTokens": "max_tokens",
    "stopSequences": "stop",
}
EFFORTS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
"""ai.google.dev/gemini-api/docs/openai, "Thinking"."""
rates = st.floats(0, 1, allow_subnormal=False)
counts = st.integers(1, 10**6)
efforts = st.sampled_from(list(EFFORTS))


@st.composite
def parameters(draw: DrawFn) -> dict[str, Json]:
    equipment = draw(st.lists(marked(tools), max_size=3))
    plain = st.fixed_dictionaries(
        {},
        optional={
            "temperature": rates,
            "top_p": rates,
            "top_k": counts,
            "n": counts,
            "seed": st.integers(-(2**31), 2**31 - 1),
            "presence_penalty": rates,
            "frequency_penalty": rates,
            "top_logprobs": st.integers(0, 20),
            "logprobs": st.booleans(),
            "max_tokens": counts,
            "max_completion_tokens": counts,
            "stop": texts | st.lists(texts, min_size=1, max_size=3),
            "response_format": json_schemas,
            "tool_choice": choices_of(equipment),
            "parallel_tool_calls": st.booleans(),
            "service_tier": st.sampled_from(["auto", "default", "flex", "priority", "scale"]),
            "user": texts,
            "safetySettings": st.just([{"category": "C", "threshold": "BLOCK_NONE"}]),
        },
    )
    thinking = st.one_of(
        st.just({}),
        st.builds(lambda effort: {"reasoning_effort": effort}, efforts),
        st.builds(lambda effort: {"reasoning": {"effort": effort}}, efforts),
        st.builds(lambda most: {"reasoning": {"max_tokens": most}}, st.integers(1, 50000)),
        st.builds(
            lambda most: {"thinking": {"type": "enabled", "budget_tokens": most}},
            st.integers(1, 50000),
        ),
    )
    return {**draw(plain), **draw(thinking), **({"tools": equipment} if equipment else {})}


def chosen(choice: Json) -> Json:
    """A mode, and the tools that may be called where not all may."""
    if isinstance(choice, str):
        return choice, None
    allowed = choice.get("allowed_tools", {"mode": "required", "tools": [choice]})
    return allowed["mode"], [tool["function"]["name"] for tool in allowed["tools"]]


def meant_parameters(given: dict[str, Json]) -> dict[str, Json]:
    """Without values that say what happens anyway, and each in one form."""
    found = dict(given)
    for name, usual in {
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "logprobs": False,
        "parallel_tool_calls": True,
        "service_tier": "auto",
    }.items():
        if found.get(name) == usual:
            del found[name]
    if "max_completion_tokens" in found:
        found["max_tokens"] = found.pop("max_completion_tokens")
    if isinstance(found.get("stop"), str):
        found["stop"] = [found["stop"]]
    if "tool_choice" in found:
        found["tool_choice"] = chosen(found["tool_choice"])
    if "tools" in found:
        found["tools"] = [
            {k: v for k, v in tool["function"].items() if k != "strict"} for tool in found["tools"]
        ]
    if "response_format" in found:
        inner = found["response_format"]["json_schema"]
        description = {"description": inner["description"]} if "description" in inner else {}
        found["response_format"] = {**description, **inner["schema"]}
    thinking = [found.pop(n) for n in ("reasoning_effort", "reasoning", "thinking") if n in found]
    for value in thinking:
        amounts = [value] if isinstance(value, str) else value.values()
        (found["thinking"],) = [amount for amount in amounts if amount != "enabled"]
    return found


def without(schema: Json, keyword: str) -> Json:
    if isinstance(schema, list):
        return [without(each, keyword) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        k: {name: without(each, keyword) for name, each in v.items()}
        if k == "properties"
        else without(v, keyword)
        for k, v in schema.items()
        if k != keyword
    }


def read_choice(calling: Json) -> Json:
    """FunctionCallingConfig.mode: VALIDATED is AUTO with names to choose from."""
    modes = {"AUTO": "auto", "VALIDATED": "auto", "ANY": "required", "NONE": "none"}
    return modes[calling["mode"]], calling.get("allowedFunctionNames")


def read_parameters(body: Json) -> dict[str, Json]:
    config = dict(body.get("generationConfig", {}))
    found = {name: config.pop(wire) for wire, name in PLAIN.items() if wire in config}
    if "responseMimeType" in config:
        assert config.pop("responseMimeType") == "application/json"
        (field,) = {"responseJsonSchema", "responseSchema"} & set(config)
        found["response_format"] = config.pop(field)
    if "thinkingConfig" in config:
        thinking = config.pop("thinkingConfig")
        found["thinking"] = thinking.get("thinkingLevel", thinking.get("thinkingBudget"))
    assert config == {}
    for tool in body.get("tools", ()):
        found["tools"] = [
            {"parameters" if k == "parametersJsonSchema" else k: v for k, v in spec.items()}
            for spec in tool["functionDeclarations"]
        ]
    if "toolConfig" in body:
        found["tool_choice"] = read_choice(body["toolConfig"]["functionCallingConfig"])
    if "serviceTier" in body:
        tier = body["serviceTier"]
        found["service_tier"] = "default" if tier == "standard" else tier
    known = {"contents", "generationConfig", "tools", "toolConfig", "serviceTier"}
    return {**found, **{name: value for name, value in body.items() if name not in known}}


@given(place=PLACES, model=MODELS, asked=parameters())
def test_a_parameter_is_encoded_or_its_transformation_listed(
    place: str, model: str, asked: dict[str, Json]
) -> None:
    provider, target = PROVIDERS[place]
    body, transformations = sent(
        provider, chat(model, [{"role": "user", "content": "Hi"}], **asked), target
    )
    wanted = meant_parameters(asked)
    found = read_parameters(json.loads(json.dumps(body).replace(NAME_PREFIX, "")))
    partly = ("tools", "response_format", "max_tokens", "cache_control")
    whole = [c for c in transformations if re.split(r"[.\[]", c.parameter)[0] not in partly]
    for transformation in whole:
        name = (
            "thinking"
            if transformation.parameter.startswith("reasoning")
            else transformation.parameter
        )
        assert (transformation.action == "dropped") == (name not in found)
        wanted.pop(name)
        found.pop(name, None)
    for name in ("tools", "response_format"):
        if has_reason(
            tuple(c for c in transformations if c.parameter.startswith(name)),
            "additionalProperties",
        ):
            wanted[name] = without(wanted[name], "additionalProperties")
    if any(str(each).endswith("because there are tools") for each in transformations):
        del wanted["response_format"], found["systemInstruction"]  # it is in the prompt
    if model.startswith("gemini-2.0") and wanted.get("thinking") == "none":
        del wanted["thinking"]  # it never does
    if wanted.get("thinking") in EFFORTS and not model.startswith("gemini-3"):
        wanted["thinking"] = EFFORTS[wanted["thinking"]]
    assert found == wanted
    strict = [tool for tool in asked.get("tools", ()) if tool["function"].get("strict")]
    assert bool(strict) == ("tools[].function.strict" in {c.parameter for c in transformations})


@given(
    place=PLACES,
    model=st.text(min_size=1).filter(lambda name: "/" not in name),
    stream=st.booleans(),
)
def test_the_path_has_the_model_and_the_method(place: str, model: str, stream: bool) -> None:
    provider, target = PROVIDERS[place]
    request = chat(model, [{"role": "user", "content": "Hi"}], stream)
    path, _, query = provider.encode_request(request, target).url.path.partition("?")
    name, _, method = path.rpartition(":")
    assert unquote(name.rpartition("/")[2]) == model
    assert (method, query) == (
        ("streamGenerateContent", "alt=sse") if stream else ("generateContent", "")
    )
