"""Recorded responses and requests of the Claude API and of Vertex AI."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Raw

from headway import errors
from headway.events import Event, Finished, Started, UsageReported
from headway.providers.anthropic import provider as anthropic
from headway.providers.vertex import anthropic as vertex_anthropic
from headway.types import ChatRequest, Target
from support.recording_decoder import fold, read
from support.recordings import Recording, chosen, each

PROVIDERS = {
    "anthropic": anthropic.PROVIDER,
    "vertex_anthropic": vertex_anthropic.PROVIDER,
}
APIS = ("messages", "rawPredict", "streamRawPredict")


def is_ours(recording: Recording) -> bool:
    return recording.provider in PROVIDERS and recording.api in APIS


ANSWERS = chosen(lambda r: is_ours(r) and r.status == 200 and "-error-" not in r.name)
FAILURES = chosen(lambda r: is_ours(r) and r.status == 200 and "-error-" in r.name)
REFUSALS = chosen(lambda r: is_ours(r) and r.status != 200)
STREAMS = [recording for recording in ANSWERS if recording.stream]
REQUESTS = chosen(lambda r: is_ours(r) and r.request is not None)


def events(recording: Recording, *pieces: bytes) -> list[Event]:
    return read(PROVIDERS[recording.provider], recording, *pieces)


# --- Reference decoder: lines, JSON, concatenation ------------------------------------------------


def objects(recording: Recording) -> Iterator[Any]:
    for line in re.split(r"\r\n|\n|\r", recording.body.decode()):
        if line.startswith("data:"):
            yield json.loads(line[5:])


def message(recording: Recording) -> Any:
    """The whole message; that of a stream is assembled from its events."""
    if not recording.stream:
        return json.loads(recording.body)
    whole: Any = {}
    for event in objects(recording):
        kind = event["type"]
        if kind == "message_start":
            whole = event["message"]
        elif kind == "content_block_start":
            whole["content"].append({**event["content_block"], "json": ""})
        elif kind == "content_block_delta":
            grow(whole["content"][event["index"]], event["delta"])
        elif kind == "message_delta":
            whole.update(event["delta"])
            whole["usage"].update(event["usage"])
    for block in whole["content"]:
        if fragments := block.pop("json"):
            block["input"] = json.loads(fragments)
    return whole


def grow(block: Any, delta: Any) -> None:
    kind = delta["type"]
    if kind == "input_json_delta":
        block["json"] += delta["partial_json"]
    elif kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
    else:
        name = kind.removesuffix("_delta")
        block[name] = block.get(name, "") + delta[name]


def of_type(recording: Recording, *types: str) -> list[Any]:
    return [block for block in message(recording)["content"] if block["type"] in types]


KNOWN = ("text", "thinking", "redacted_thinking", "tool_use")
REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length",
           "tool_use": "tool_calls"}  # fmt: skip


@each(ANSWERS)
def test_a_recorded_response_is_finished_and_its_text_is_complete(recording: Recording) -> None:
    answer, whole = fold(events(recording)), message(recording)
    assert answer.failed is None
    assert answer.is_finished
    assert answer.done
    assert answer.started is not None
    assert (answer.started.id, answer.started.model) == (whole["id"], whole["model"])
    assert answer.output() == "".join(b["text"] for b in of_type(recording, "text")) or (
        whole["stop_reason"] == "tool_use"
    )
    assert answer.finish_reason == REASONS[whole["stop_reason"]]


@each(ANSWERS)
def test_the_tool_calls_of_a_recorded_response_are_decoded(recording: Recording) -> None:
    tools = fold(events(recording)).choices[0].tools
    made = [(tool.id, tool.name, json.loads("".join(tool.arguments))) for tool in tools.values()]
    assert made == [(b["id"], b["name"], b["input"]) for b in of_type(recording, "tool_use")]
    assert list(tools) == list(range(len(made)))


@each(ANSWERS)
def test_recorded_thinking_is_decoded_with_its_signature(recording: Recording) -> None:
    choice = fold(events(recording)).choices[0]
    thoughts = of_type(recording, "thinking", "redacted_thinking")
    assert "".join(choice.reasoning) == "".join(b.get("thinking", "") for b in thoughts)
    kept = [
        (d.get("text"), d.get("signature"), d.get("data"))
        for d in choice.extra.get("reasoning_details", ())
    ]
    assert kept == [(b.get("thinking"), b.get("signature"), b.get("data")) for b in thoughts]


@each(ANSWERS)
def test_all_content_of_a_recorded_response_is_decoded(recording: Recording) -> None:
    """Blocks of server tools are complete, and citations have the span of their text."""
    answer = fold(events(recording))
    extra, text = answer.choices[0].extra, "".join(answer.choices[0].text)
    blocks = message(recording)["content"]
    expected = [{**b, "index": i} for i, b in enumerate(blocks) if b["type"] not in KNOWN]
    assert extra.get("content_blocks", []) == expected
    cited = [(c, b["text"]) for b in blocks for c in b.get("citations") or ()]
    spans = [text[c["start_index"] : c["end_index"]] for c in extra.get("citations", ())]
    assert spans == [said for _, said in cited]
    links = [note["url_citation"]["url"] for note in extra.get("annotations", ())]
    assert links == [c["url"] for c, _ in cited if "url" in c]


@each(ANSWERS)
def test_input_tokens_of_a_recorded_response_include_cached_tokens(recording: Recording) -> None:
    counted = message(recording)["usage"]
    seen = fold(events(recording)).usage
    assert seen is not None
    read = counted.get("cache_read_input_tokens")
    written = counted.get("cache_creation_input_tokens")
    prompt = counted["input_tokens"] + (read or 0) + (written or 0)
    usage = seen.usage
    assert (usage.input_tokens, usage.output_tokens) == (prompt, counted["output_tokens"])
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (read, written)
    breakdown = counted.get("cache_creation") or {}
    assert usage.cache_write_1h_tokens == breakdown.get("ephemeral_1h_input_tokens")
    thought = counted.get("output_tokens_details") or {}
    assert usage.reasoning_tokens == thought.get("thinking_tokens")
    assert seen.openai_usage["prompt_tokens"] == prompt
    assert seen.openai_usage["total_tokens"] == prompt + counted["output_tokens"]


@each(STREAMS)
def test_chunk_sizes_do_not_change_the_events_of_a_recorded_stream(recording: Recording) -> None:
    whole = events(recording)
    assert events(recording, *recording.cut()) == whole
    assert events(recording, *recording.chunks) == whole


@each(STREAMS)
def test_a_recorded_stream_and_its_whole_message_give_the_same_response(
    recording: Recording,
) -> None:
    provider = PROVIDERS[recording.provider]
    streamed = fold(events(recording))
    whole = fold(provider.decode_response(json.dumps(message(recording)).encode()))
    one, other = streamed.choices[0].message(), whole.choices[0].message()
    for calls in (one["tool_calls"], other["tool_calls"]):
        for call in calls or ():  # a model writes its JSON with blanks
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    assert one == other
    assert streamed.usage == whole.usage
    assert streamed.started == whole.started
    assert streamed.finish_reason == whole.finish_reason


@each(ANSWERS)
def test_a_recorded_response_starts_first_and_reports_usage_before_its_end(
    recording: Recording,
) -> None:
    found = events(recording)
    assert type(found[0]) is Started
    assert [type(event) for event in found[-3:-1]] == [Finished, UsageReported]


# --- Errors ---------------------------------------------------------------------------------------

CLASSES = {
    400: errors.UpstreamRejected,
    401: errors.UpstreamAuth,
    404: errors.UpstreamNotFound,
    429: errors.UpstreamRateLimited,
    529: errors.UpstreamOverloaded,
}


@each(REFUSALS)
def test_a_recorded_error_response_keeps_the_providers_message(recording: Recording) -> None:
    provider = PROVIDERS[recording.provider]
    error = provider.decode_error(recording.status, recording.headers, recording.body)
    assert type(error) is CLASSES[recording.status]
    headers = dict(recording.headers)
    if recording.body:
        said = json.loads(recording.body)
        assert (error.message, error.code) == (said["error"]["message"], said["error"]["type"])
        request_id = headers.get(b"request-id", said.get("request_id", "").encode())
        assert (error.request_id or "") == request_id.decode()
    assert error.retryable is (recording.status in (429, 529))
    wait = headers.get(b"retry-after")
    assert error.retry_after_s == (None if wait is None else float(wait))


@each(FAILURES)
def test_a_recorded_error_in_a_stream_is_decoded(recording: Recording) -> None:
    answer = fold(events(recording))
    assert isinstance(answer.failed, errors.UpstreamOverloaded)
    assert answer.failed.message == "Overloaded"
    assert answer.failed.request_id is not None
    assert not answer.is_finished


# --- Requests -------------------------------------------------------------------------------------

WAIVED = {
    "anthropic/messages-sync-error-400-invalid-request-error-tools-claude": (
        "its input_schema is true, which no function of OpenAI's format can have"
    ),
}
ENCODED = [recording for recording in REQUESTS if recording.name not in WAIVED]
FOUND = [recording for recording in REQUESTS if recording.name in WAIVED]


def canonical(recording: Recording) -> ChatRequest:
    """The recorded request in OpenAI's format."""
    body = dict(recording.request)
    messages = [turn for wire in body.pop("messages") for turn in turns(wire)]
    if "system" in body:
        messages.insert(0, {"role": "system", "content": body.pop("system")})
    for name in ("anthropic_version", "stream"):
        body.pop(name, None)
    parameters: dict[str, Any] = {"model": body.pop("model", recording.model)}
    for name, value in body.items():
        parameters.update(TRANSLATED.get(name, lambda v, n=name: {n: v})(value))
    return ChatRequest(
        model=parameters.pop("model"),
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        stream=recording.stream,
    )


def turns(wire: Any) -> Iterator[Any]:
    """One message of Anthropic's as messages of OpenAI's."""
    blocks = wire["content"]
    if isinstance(blocks, str):
        yield wire
        return
    for block in blocks:
        if block["type"] == "tool_result":
            yield {
                "role": "tool",
                "tool_call_id": block["tool_use_id"],
                "content": block["content"],
            }
    said = [part(block) for block in blocks if block["type"] in SAID]
    if said or wire["role"] == "assistant":
        yield {"role": wire["role"], "content": said, **other_fields(blocks)}


SAID = ("text", "image", "document", "container_upload")


def part(block: Any) -> Any:
    if block["type"] != "document":
        return block
    rest = {k: v for k, v in block.items() if k not in ("type", "source", "title")}
    source = block["source"]
    assert source["type"] == "text"
    data = "data:text/plain;base64," + b64encode(source["data"].encode()).decode()
    return {"type": "file", "file": {"filename": block["title"], "file_data": data}, **rest}


def other_fields(blocks: Any) -> dict[str, Any]:
    """The fields of an assistant's message other than its content."""
    fields: dict[str, Any] = {}
    for index, block in enumerate(blocks):
        if block["type"] == "tool_use":
            function = {"name": block["name"], "arguments": json.dumps(block["input"])}
            call = {"id": block["id"], "type": "function", "function": function}
            fields.setdefault("tool_calls", []).append(call)
        elif block["type"] == "thinking":
            detail = {
                "type": "reasoning.text",
                "text": block["thinking"],
                "signature": block["signature"],
                "format": "anthropic-claude-v1",
                "index": index,
            }
            fields.setdefault("reasoning_details", []).append(detail)
        elif block["type"] not in SAID:
            fields.setdefault("content_blocks", []).append({**block, "index": index})
    return fields


def tool(wire: Any) -> Any:
    if "input_schema" not in wire:
        return wire
    function = {
        OPENAIS.get(k, k): v for k, v in wire.items() if k in ("name", "description", *OPENAIS)
    }
    known = {"name", "description", "input_schema", "strict", "type"}
    rest = {k: v for k, v in wire.items() if k not in known}
    return {"type": "function", "function": function, **rest}


OPENAIS = {"input_schema": "parameters", "strict": "strict"}


def choice(wire: Any) -> dict[str, Any]:
    kinds: dict[str, Any] = {"auto": "auto", "none": "none", "any": "required"}
    chosen_one = kinds.get(wire["type"]) or {
        "type": "function",
        "function": {"name": wire.get("name")},
    }
    parallel = wire.get("disable_parallel_tool_use")
    given = {"tool_choice": chosen_one}
    return given if parallel is None else {**given, "parallel_tool_calls": not parallel}


def output_config(wire: Any) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if "format" in wire:
        json_schema = {"name": "answer", "schema": wire["format"]["schema"]}
        given["response_format"] = {"type": "json_schema", "json_schema": json_schema}
    if "effort" in wire:
        given["reasoning_effort"] = wire["effort"]
    return given


def thinking(wire: Any) -> dict[str, Any]:
    """Adaptive thinking is requested by its effort."""
    if wire["type"] == "adaptive":
        return {}
    return {"reasoning": {"max_tokens": wire["budget_tokens"]}}


TRANSLATED = {
    "tools": lambda wire: {"tools": [tool(one) for one in wire]},
    "tool_choice": choice,
    "output_config": output_config,
    "thinking": thinking,
    "stop_sequences": lambda wire: {"stop": wire},
}


def plain(body: Any) -> Any:
    """In one of the equivalent forms: a text as a block of text, and no ``stream`` for false."""
    body = {k: v for k, v in body.items() if (k, v) != ("stream", False)}
    body["messages"] = [{**turn, "content": blocks(turn["content"])} for turn in body["messages"]]
    if "system" in body:
        body["system"] = blocks(body["system"])
    return body


def blocks(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


@each(ENCODED)
def test_a_recorded_request_is_reproduced(recording: Recording) -> None:
    provider = PROVIDERS[recording.provider]
    request, transformations = provider.adapt(canonical(recording))
    assert {change.parameter for change in transformations} <= {"stop"}
    target = Target(
        provider=recording.provider,
        base_url=provider.base_url or "",
        api_key="sk-planted",
        options={"project": "PROJECT", "region": "us-east5"},
    )
    http = provider.encode_request(request, target)
    assert plain(json.loads(http.body)) == plain(recording.request)


@each(FOUND)
def test_waived_recordings_exist_and_cannot_be_expressed(recording: Recording) -> None:
    with pytest.raises(errors.RequestError):
        PROVIDERS[recording.provider].adapt(canonical(recording))
