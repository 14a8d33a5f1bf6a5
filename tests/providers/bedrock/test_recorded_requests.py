"""Recorded requests to Amazon Bedrock are reproduced."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from msgspec import Raw

from headway.providers.bedrock import mantle as bedrock_mantle
from headway.providers.bedrock.embeddings import decode_embeddings
from headway.providers.bedrock.provider import PROVIDER
from headway.providers.bedrock.request import encode_embeddings, encode_request
from headway.providers.wire_formats import BEDROCK
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, EmbeddingsRequest, Target
from support.bedrock_recordings import EMBEDDINGS, WAIVED, is_chat
from support.recordings import Recording, chosen, each, require_recordings

BASE_URL = BEDROCK.base_url or ""

REQUESTS = chosen(lambda r: is_chat(r) and r.request is not None)
VECTORS = chosen(lambda r: any(sign in r.name for sign in EMBEDDINGS))
MANTLE = chosen(lambda r: r.provider == "bedrock_mantle" and r.api == "chat")
TARGET = Target(provider="bedrock", base_url=BASE_URL, options={"region": "us-east-1"})


def canonical(recording: Recording) -> ChatRequest:
    """The recorded request in OpenAI's format."""
    body = dict(recording.request)
    read = conversed if recording.api.startswith("converse") else invoked
    messages, parameters = read(body)
    return ChatRequest(
        model=recording.model,
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        stream=recording.stream,
    )


def conversed(body: Any) -> tuple[list[Any], dict[str, Any]]:
    messages = [turn for wire in body.pop("messages") for turn in turns(wire)]
    if body.get("system"):
        messages.insert(0, {"role": "system", "content": parts(body["system"])})
    body.pop("system", None)
    config = body.pop("inferenceConfig", {})
    parameters = {NAMES[name]: value for name, value in config.items() if value != []}
    more = body.pop("additionalModelRequestFields", {})
    if "inferenceConfig" in more:
        parameters["top_k"] = more["inferenceConfig"]["topK"]
    if thinking := more.get("thinking") or more.get("reasoning_config"):
        parameters["thinking"] = thinking
    offered = body.pop("toolConfig", {})
    if "tools" in offered:
        parameters["tools"] = [function(tool) for tool in offered["tools"]]
    if "toolChoice" in offered:
        parameters["tool_choice"] = {"any": "required"}.get(*[*offered["toolChoice"]] * 2)
    if "outputConfig" in body:
        schema = body.pop("outputConfig")["textFormat"]["structure"]["jsonSchema"]
        described = {**schema, "schema": json.loads(schema["schema"])}
        parameters["response_format"] = {"type": "json_schema", "json_schema": described}
    return messages, {**parameters, **body}


NAMES = {
    "maxTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "stopSequences": "stop",
}


def function(tool: Any) -> Any:
    if "toolSpec" not in tool:
        return tool
    spec = tool["toolSpec"]
    schema = spec["inputSchema"]["json"]
    described = {k: v for k, v in spec.items() if k != "inputSchema"}
    return {"type": "function", "function": {**described, "parameters": schema}}


def turns(wire: Any) -> Iterator[Any]:
    """One message of Bedrock's as messages of OpenAI's."""
    for block in wire["content"]:
        if "toolResult" in block:
            result = block["toolResult"]
            answer = {"role": "tool", "tool_call_id": result["toolUseId"]}
            yield {**answer, "content": parts(result["content"])}
    calls = [
        {
            "id": block["toolUse"]["toolUseId"],
            "type": "function",
            "function": {
                "name": block["toolUse"]["name"],
                "arguments": json.dumps(block["toolUse"]["input"]),
            },
        }
        for block in wire["content"]
        if "toolUse" in block
    ]
    rest = [b for b in wire["content"] if "toolUse" not in b and "toolResult" not in b]
    if rest or calls:
        turn = {"role": wire["role"], "content": parts(rest)}
        yield {**turn, "tool_calls": calls} if calls else turn


def parts(blocks: list[Any]) -> list[Any]:
    found: list[Any] = []
    for block in blocks:
        if "cachePoint" in block:
            found[-1]["cache_control"] = {"type": "ephemeral"}
        else:
            found.append(part(block))
    return found


def part(block: Any) -> Any:
    if "text" in block:
        return {"type": "text", "text": block["text"]}
    if "image" in block:
        source, kind = block["image"]["source"], block["image"]["format"]
        data = f"data:image/{kind};base64,{source.get('bytes')}"
        url = source["s3Location"]["uri"] if "s3Location" in source else data
        return {"type": "image_url", "image_url": {"url": url}}
    if "document" in block:
        document = block["document"]
        text = document["source"]["text"].encode()
        data = f"data:text/plain;base64,{b64encode(text).decode()}"
        file = {"filename": f"{document['name']}.txt", "file_data": data}
        return {"type": "file", "file": file, "citations": document["citations"]}
    if "searchResult" in block:
        return {"type": "search_result", **block["searchResult"]}
    return block


def invoked(body: Any) -> tuple[list[Any], dict[str, Any]]:
    messages = [turn for wire in body.pop("messages") for turn in anthropic_turns(wire)]
    if "system" in body:
        messages.insert(0, {"role": "system", "content": body.pop("system")})
    body.pop("anthropic_version")
    parameters: dict[str, Any] = dict(body)
    if "tools" in body:
        parameters["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool["name"],
                    "description": tool["description"],
                    "parameters": tool["input_schema"],
                },
            }
            for tool in body["tools"]
        ]
    if "tool_choice" in body:
        choice = body["tool_choice"]
        named = {"type": "function", "function": {"name": choice.get("name")}}
        parameters["tool_choice"] = "auto" if choice["type"] == "auto" else named
    return messages, parameters


def anthropic_turns(wire: Any) -> Iterator[Any]:
    if isinstance(wire["content"], str):
        yield wire
        return
    calls = []
    rest = []
    for block in wire["content"]:
        if block["type"] == "tool_result":
            answer = {"role": "tool", "tool_call_id": block["tool_use_id"]}
            yield {**answer, "content": block["content"]}
        elif block["type"] == "tool_use":
            made = {"name": block["name"], "arguments": json.dumps(block["input"])}
            calls.append({"id": block["id"], "type": "function", "function": made})
        else:
            rest.append(block)
    if rest or calls:
        turn = {"role": wire["role"], "content": rest}
        yield {**turn, "tool_calls": calls} if calls else turn


def plain(body: Any) -> Any:
    """In one of the equivalent forms: no empty fields, no status of success, ``thinking`` as its
    name, parsed JSON, and adjacent messages of one role merged."""
    merged: list[Any] = []
    for turn in body["messages"]:
        blocks = turn["content"]
        if isinstance(blocks, str):
            blocks = [{"type": "text", "text": blocks}]
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1]["content"] += map(plain_block, blocks)
        else:
            merged.append({"role": turn["role"], "content": [plain_block(b) for b in blocks]})
    body = {**body, "messages": merged}
    if isinstance(body.get("system"), str):
        body["system"] = [{"type": "text", "text": body["system"]}]
    if "inferenceConfig" in body:
        config = body["inferenceConfig"]
        body["inferenceConfig"] = {k: v for k, v in config.items() if v != []}
    if "outputConfig" in body:
        schema = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
        schema["schema"] = json.loads(schema["schema"])
    more = body.get("additionalModelRequestFields", {})
    if "reasoning_config" in more:
        more["thinking"] = more.pop("reasoning_config")
    return {name: value for name, value in body.items() if value not in ([], {})}


def plain_block(block: Any) -> Any:
    if block.get("type") == "tool_result" and isinstance(block.get("content"), str):
        return {**block, "content": [{"type": "text", "text": block["content"]}]}
    if "toolResult" in block:
        result = {k: v for k, v in block["toolResult"].items() if (k, v) != ("status", "success")}
        return {"toolResult": result}
    return block


@each(REQUESTS)
def test_a_recorded_request_is_reproduced(recording: Recording) -> None:
    request, changes = PROVIDER.adapt(canonical(recording))
    assert {change.parameter for change in changes} <= {"stop"}
    api = recording.api.partition("-")[0]
    target = Target(
        provider="bedrock", base_url=BASE_URL, options={"region": "us-east-1", "api": api}
    )
    http = encode_request(request, target)
    assert http.url.path.endswith("/" + recording.api)
    assert plain(json.loads(http.body)) == plain(recording.request)


def test_waived_recordings_exist() -> None:
    require_recordings()
    found = {recording.name for recording in chosen(lambda r: r.provider == "bedrock")}
    assert set(WAIVED) <= found


# --- Embeddings and the OpenAI-compatible endpoint ------------------------------------------------


@each(VECTORS)
def test_recorded_embeddings_are_requested_and_decoded(recording: Recording) -> None:
    body = dict(recording.request)
    given = body.pop("inputText", None) or body.pop("texts")
    dimensions = body.pop("dimensions", None) or body.pop("output_dimension")
    parameters = {**body, "dimensions": dimensions, "encoding_format": "float"}
    request = EmbeddingsRequest(
        model=recording.model,
        input=Raw(json.dumps(given).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
    )
    http = encode_embeddings(request, TARGET)
    assert json.loads(http.body) == recording.request
    answer = json.loads(recording.body)
    found = decode_embeddings(recording.body)
    expected = [answer["embedding"]] if "embedding" in answer else answer["embeddings"]["float"]
    assert found.vectors == expected
    assert found.usage.input_tokens == answer.get("inputTextTokenCount")


@each(MANTLE)
def test_bedrock_mantle_has_openais_wire_format(recording: Recording) -> None:
    provider = bedrock_mantle.PROVIDER
    answer = ResponseAccumulator()
    answer.add(provider.decode_response(recording.body))
    message = json.loads(recording.body)["choices"][0]["message"]
    assert answer.output() == message["content"]
    assert "".join(answer.choices[0].reasoning) == message["reasoning"]
    body = dict(recording.request)
    request = ChatRequest(
        model=body.pop("model"), messages=Raw(json.dumps(body.pop("messages")).encode())
    )
    target = Target(
        provider="bedrock_mantle",
        base_url=provider.base_url or "",
        api_key="k",
        options={"region": "us-east-1"},
    )
    http = provider.encode_request(provider.adapt(request)[0], target)
    assert (http.url.host, http.url.path) == (
        "bedrock-mantle.us-east-1.api.aws",
        "/v1/chat/completions",
    )
    expected = {k: v for k, v in recording.request.items() if k != "stream"}
    assert json.loads(http.body) == expected
