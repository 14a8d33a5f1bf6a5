"""Responses of providers around a given ``usage``, in each wire format, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from headway.types import Headers
from support.event_stream_messages import encode_message

Fields = dict[str, Any]
JSON: Headers = [(b"content-type", b"application/json")]
SSE: Headers = [(b"content-type", b"text/event-stream")]
NDJSON: Headers = [(b"content-type", b"application/x-ndjson")]
EVENT_STREAM: Headers = [(b"content-type", b"application/vnd.amazon.eventstream")]
DONE = b"data: [DONE]\n\n"
SAID = "Hello there"
"""The text of every response."""


def encode_events(events: list[Fields]) -> bytes:
    """Server-sent events, with their ``type`` as a name where they have one."""
    return b"".join(
        (b"event: %b\n" % event["type"].encode() if "type" in event else b"")
        + b"data: "
        + json.dumps(event).encode()
        + b"\n\n"
        for event in events
    )


def chat(model: str, usage: Fields, more: Fields) -> tuple[bytes, bytes]:
    """The usage comes last, in a chunk without choices."""
    head = {"id": "1", "object": "chat.completion", "created": 7, "model": model, **more}
    choice = {"index": 0, "finish_reason": "stop"}
    message = {"role": "assistant", "content": SAID}
    whole = {**head, "choices": [{**choice, "message": message}], "usage": usage}
    events = [
        {**head, "choices": [{"index": 0, "delta": message, "finish_reason": None}]},
        {**head, "choices": [{**choice, "delta": {}}]},
        {**head, "choices": [], "usage": usage},
    ]
    return json.dumps(whole).encode(), encode_events(events) + DONE


def messages(model: str, usage: Fields, more: Fields) -> tuple[bytes, bytes]:
    """The counts of the input come first; those of the output are cumulative."""
    head = {"id": "1", "type": "message", "role": "assistant", "model": model, **more}
    text = {"type": "text", "text": SAID}
    whole = {**head, "content": [text], "stop_reason": "end_turn", "usage": usage}
    first = {**usage, "output_tokens": 1}
    first.pop("output_tokens_details", None)
    events: list[Fields] = [
        {"type": "message_start", "message": {**head, "content": [], "usage": first}},
        {"type": "content_block_start", "index": 0, "content_block": {**text, "text": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": SAID},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    ]
    return json.dumps(whole).encode(), encode_events(events)


def gemini(model: str, usage: Fields, more: Fields) -> tuple[bytes, bytes]:
    """Every chunk repeats the counts so far."""
    part = {"content": {"role": "model", "parts": [{"text": SAID}]}, "index": 0}
    whole = {"candidates": [{**part, "finishReason": "STOP"}], "modelVersion": model}
    first = {**usage, "candidatesTokenCount": 1} if "candidatesTokenCount" in usage else usage
    events = [
        {"candidates": [part], "modelVersion": model, "usageMetadata": first},
        {**whole, "candidates": [{**part, "finishReason": "STOP"}], "usageMetadata": usage, **more},
    ]
    events[1]["candidates"][0]["content"] = {"role": "model", "parts": [{"text": "."}]}
    return json.dumps({**whole, "usageMetadata": usage, **more}).encode(), encode_events(events)


def responses(model: str, usage: Fields, more: Fields) -> tuple[bytes, bytes]:
    head = {"id": "resp_1", "object": "response", "created_at": 7, "model": model}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    part = {"type": "output_text", "text": SAID, "annotations": []}
    calls = more.pop("output", [])
    output = [*calls, {**item, "content": [part]}]
    whole = {**head, "status": "completed", "output": output, "usage": usage, **more}
    at = {"item_id": "msg_1", "output_index": len(calls)}
    events: list[Fields] = [
        {"type": "response.created", "response": {**head, "status": "in_progress", "output": []}},
        *(
            {"type": f"response.output_item.{step}", "output_index": index, "item": call}
            for index, call in enumerate(calls)
            for step in ("added", "done")
        ),
        {"type": "response.output_item.added", **at, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **at, "content_index": 0, "part": part},
        {"type": "response.output_text.delta", **at, "content_index": 0, "delta": SAID},
        {"type": "response.output_item.done", **at, "item": {**item, "content": [part]}},
        {"type": "response.completed", "response": whole},
    ]
    return json.dumps(whole).encode(), encode_events(events)


def converse(model: str, usage: Fields, more: Fields) -> tuple[bytes, bytes]:
    message = {"role": "assistant", "content": [{"text": SAID}]}
    whole = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage, **more}
    streamed = [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": SAID}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": usage, **more}),
    ]
    headers = {":content-type": "application/json", ":message-type": "event"}
    pieces = [
        encode_message({**headers, ":event-type": kind}, json.dumps(payload).encode())
        for kind, payload in streamed
    ]
    return json.dumps(whole).encode(), b"".join(pieces)


def cohere(model: str, usage: Fields, more: Fields) -> tuple[bytes, bytes]:
    text = {"type": "text", "text": SAID}
    end = {"finish_reason": "COMPLETE", "usage": usage}
    whole = {"id": "1", "message": {"role": "assistant", "content": [text]}, **end}
    events: list[Fields] = [
        {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant"}}},
        {
            "type": "content-start",
            "index": 0,
            "delta": {"message": {"content": {"type": "text", "text": ""}}},
        },
        {
            "type": "content-delta",
            "index": 0,
            "delta": {"message": {"content": {"text": SAID}}},
        },
        {"type": "content-end", "index": 0},
        {"type": "message-end", "delta": end},
    ]
    return json.dumps({**whole, **more}).encode(), encode_events(events)


def ollama(model: str, usage: Fields, more: Fields) -> tuple[bytes, bytes]:
    head = {"model": model, "created_at": "2026-01-01T00:00:00Z"}
    message = {"role": "assistant", "content": SAID}
    end = {"done": True, "done_reason": "stop", **usage, **more}
    first = {**head, "message": message, "done": False}
    last = {**head, "message": {**message, "content": ""}, **end}
    whole = json.dumps({**head, "message": message, **end}).encode()
    return whole, b"".join(json.dumps(line).encode() + b"\n" for line in (first, last))


Builder = Callable[[str, Fields, Fields], tuple[bytes, bytes]]
BUILDERS: dict[str, tuple[Builder, Headers]] = {
    "anthropic_messages": (messages, SSE),
    "bedrock_converse": (converse, EVENT_STREAM),
    "cohere_v2": (cohere, SSE),
    "gemini": (gemini, SSE),
    "ollama_chat": (ollama, NDJSON),
    "openai_responses": (responses, SSE),
}
"""Wire format -> what builds its responses, and the headers of its streams. All others are like
OpenAI's chat completions."""


def build(wire: str, model: str, usage: Fields, more: Fields) -> tuple[bytes, bytes, Headers]:
    """The whole response, the streamed one, and the headers of the latter."""
    builder, headers = BUILDERS.get(wire, (chat, SSE))
    whole, streamed = builder(model, usage, dict(more))
    return whole, streamed, headers
