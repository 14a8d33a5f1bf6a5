"""The finish reason of every wire format: one of OpenAI's words, also where the provider gives
none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from headway.providers.registry import entries
from support.event_stream_messages import encode_message
from support.for_each import for_each
from support.pipeline_fakes import JSON, SSE, Pipe

ARGUMENTS = '{"a": 1}'
CALL = {"id": "t", "type": "function", "function": {"name": "f", "arguments": ARGUMENTS}}
AWS = [(b"content-type", b"application/vnd.amazon.eventstream")]
NDJSON = [(b"content-type", b"application/x-ndjson")]


def sse(*objects: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in objects)


def aws(*pairs: tuple[str, Any]) -> bytes:
    return b"".join(
        encode_message({":event-type": name, ":message-type": "event"}, json.dumps(value).encode())
        for name, value in pairs
    )


def openai_stream(has_call: bool, reason: str | None) -> bytes:
    delta: Any = {"tool_calls": [{"index": 0, **CALL}]} if has_call else {"content": "a"}
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    return sse({"choices": choices}) + b"data: [DONE]\n\n"


def openai_whole(has_call: bool, reason: str | None) -> Any:
    message = {"content": None, "tool_calls": [CALL]} if has_call else {"content": "a"}
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}


def anthropic_stream(has_call: bool, reason: str | None) -> bytes:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    text = {"type": "text", "text": "a"}
    return sse(
        {"type": "message_start", "message": {"id": "m", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": block if has_call else text},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason}},
        {"type": "message_stop"},
    )


def anthropic_whole(has_call: bool, reason: str | None) -> Any:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    content = [block if has_call else {"type": "text", "text": "a"}]
    return {"type": "message", "id": "m", "content": content, "stop_reason": reason}


def bedrock_stream(has_call: bool, reason: str | None) -> bytes:
    call = {"toolUse": {"toolUseId": "t", "name": "f", "type": "tool_use"}}
    begun = [("contentBlockStart", {"contentBlockIndex": 0, "start": call})] if has_call else []
    delta = {"toolUse": {"input": ARGUMENTS}} if has_call else {"text": "a"}
    return aws(
        ("messageStart", {"role": "assistant"}),
        *begun,
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {} if reason is None else {"stopReason": reason}),
        ("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2}}),
    )


def bedrock_whole(has_call: bool, reason: str | None) -> Any:
    call = {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}, "type": "tool_use"}}
    content = [call if has_call else {"text": "a"}]
    return {"output": {"message": {"content": content}}, "stopReason": reason}


def gemini_whole(has_call: bool, reason: str | None) -> Any:
    part = {"functionCall": {"name": "f", "args": {"a": 1}}} if has_call else {"text": "a"}
    return {"candidates": [{"content": {"parts": [part]}, "finishReason": reason}]}


def gemini_stream(has_call: bool, reason: str | None) -> bytes:
    return sse(gemini_whole(has_call, reason)) + b"data: [DONE]\n\n"


def cohere_whole(has_call: bool, reason: str | None) -> Any:
    message = {"tool_calls": [CALL]} if has_call else {"content": [{"type": "text", "text": "a"}]}
    return {"id": "m", "message": message, "finish_reason": reason}


def cohere_stream(has_call: bool, reason: str | None) -> bytes:
    delta: Any = {"tool_calls": CALL} if has_call else {"content": {"text": "a"}}
    kind = "tool-call-start" if has_call else "content-delta"
    return sse(
        {"type": "message-start", "id": "m", "delta": {"message": {"role": "assistant"}}},
        {"type": kind, "index": 0, "delta": {"message": delta}},
        {"type": "message-end", "delta": {"finish_reason": reason}},
    )


def ollama_whole(has_call: bool, reason: str | None) -> Any:
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    message = {"content": "", "tool_calls": [call]} if has_call else {"content": "a"}
    return {"model": "m", "message": message, "done": True, "done_reason": reason}


def ollama_stream(has_call: bool, reason: str | None) -> bytes:
    return json.dumps(ollama_whole(has_call, reason)).encode() + b"\n"


WIRES: dict[str, tuple[Any, Any, Sequence[tuple[bytes, bytes]]]] = {
    "openai": (openai_stream, openai_whole, SSE),
    "vllm": (openai_stream, openai_whole, SSE),
    "mistral": (openai_stream, openai_whole, SSE),
    "cloudflare": (openai_stream, openai_whole, SSE),
    "azure_openai": (openai_stream, openai_whole, SSE),
    "anthropic": (anthropic_stream, anthropic_whole, SSE),
    "bedrock": (bedrock_stream, bedrock_whole, AWS),
    "gemini": (gemini_stream, gemini_whole, SSE),
    "cohere": (cohere_stream, cohere_whole, SSE),
    "ollama": (ollama_stream, ollama_whole, NDJSON),
}
EACH_WIRE = for_each("name", WIRES)


def answered(name: str, has_call: bool, reason: str | None, is_stream: bool) -> Pipe:
    """The engine's reply to a response that is a stream, or one body."""
    stream, whole, headers = WIRES[name]
    options = {"region": "us-east-1"} if name == "bedrock" else {}
    pipe = Pipe(provider=entries()[name].provider, options=options)
    pipe.ask()
    if is_stream:
        pipe.upstream.respond(headers)
        pipe.upstream.chunk(stream(has_call, reason))
        if not pipe.sink.is_over:
            pipe.upstream.end()
    else:
        pipe.upstream.respond(JSON)
        pipe.upstream.chunk(json.dumps(whole(has_call, reason)).encode())
        pipe.upstream.end()
    return pipe


@EACH_WIRE
@for_each("is_stream", [True, False])
@for_each("given", [None, ""])
@for_each(("has_call", "expected"), [(False, "stop"), (True, "tool_calls")])
def test_a_missing_finish_reason_is_inferred_and_told(
    name: str, is_stream: bool, given: str | None, has_call: bool, expected: str
) -> None:
    pipe = answered(name, has_call, given, is_stream)
    assert pipe.sink.status == 200, pipe.sink.body
    (choice,) = pipe.sink.json["choices"]
    (record,) = pipe.records
    assert (choice["finish_reason"], record.finish_reason) == (expected, expected)
    told = f"emulated finish_reason: {expected}, because the provider gave none"
    assert record.transformations == (told,)
    assert [each["parameter"] for each in pipe.sink.json["transformations"]] == ["finish_reason"]


@EACH_WIRE
@for_each("is_stream", [True, False])
@for_each(
    "given",
    ["stop", "STOP", "length", "MAX_TOKENS", "max_tokens", "SAFETY", "tool_use", "COMPLETE", "new"],
)
def test_a_finish_reason_is_one_of_five_words(name: str, is_stream: bool, given: str) -> None:
    (choice,) = answered(name, True, given, is_stream).sink.json["choices"]
    assert choice["finish_reason"] in ("stop", "length", "tool_calls", "content_filter")


@EACH_WIRE
@for_each("is_stream", [True, False])
@for_each("given", ["COMPLETE", "end_turn", "STOP", "new"])
def test_a_response_that_ends_with_calls_ends_for_them(
    name: str, is_stream: bool, given: str
) -> None:
    (choice,) = answered(name, True, given, is_stream).sink.json["choices"]
    assert choice["finish_reason"] == "tool_calls"
