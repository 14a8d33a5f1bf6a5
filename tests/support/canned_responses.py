"""One short response, ``Hello there``, in each wire format, whole and streamed, written from each
provider's documentation; 11 tokens in, 7 out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from support.event_stream_messages import encode_message
from support.openai_completions import DONE, finish, join_chunks, role, text, usage
from support.openai_upstream import sse_event

SSE = "text/event-stream"
JSON = "application/json"


class Played(NamedTuple):
    content_type: str
    body: bytes


class Wire(NamedTuple):
    whole: Played
    streamed: Played


def _json(value: Any) -> Played:
    return Played(JSON, json.dumps(value).encode())


def _named(*events: Mapping[str, Any]) -> bytes:
    """Server-sent events named by their type."""
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )


CHUNKS = (role(), text("Hello"), text(" there"), finish(), usage())
OPENAI = Wire(
    _json(join_chunks(CHUNKS)), Played(SSE, b"".join(sse_event(one) for one in CHUNKS) + DONE)
)

SAID = {"type": "text", "text": "Hello there"}
CLAUDE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude"}
ANTHROPIC = Wire(
    _json(
        {
            **CLAUDE,
            "content": [SAID],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 11, "output_tokens": 7},
        }
    ),
    Played(
        SSE,
        _named(
            {
                "type": "message_start",
                "message": {
                    **CLAUDE,
                    "content": [],
                    "usage": {"input_tokens": 11, "output_tokens": 1},
                },
            },
            {"type": "content_block_start", "index": 0, "content_block": {**SAID, "text": ""}},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": "Hello there"},
            },
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 7},
            },
            {"type": "message_stop"},
        ),
    ),
)

GENERATED = {
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": "Hello there"}]},
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18},
    "modelVersion": "gemini",
}
GEMINI = Wire(
    _json(GENERATED), Played(SSE, b"data: " + json.dumps(GENERATED).encode() + b"\r\n\r\n")
)


def _bedrock(kind: str, payload: Mapping[str, Any]) -> bytes:
    headers = {":event-type": kind, ":content-type": JSON, ":message-type": "event"}
    return encode_message(headers, json.dumps(payload).encode())


COUNT = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}
BEDROCK = Wire(
    _json(
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "Hello there"}]}},
            "stopReason": "end_turn",
            "usage": COUNT,
        }
    ),
    Played(
        "application/vnd.amazon.eventstream",
        _bedrock("messageStart", {"role": "assistant"})
        + _bedrock("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hello there"}})
        + _bedrock("contentBlockStop", {"contentBlockIndex": 0})
        + _bedrock("messageStop", {"stopReason": "end_turn"})
        + _bedrock("metadata", {"usage": COUNT}),
    ),
)

BILLED = {"billed_units": {"input_tokens": 11, "output_tokens": 7}}
COUNTED = {**BILLED, "tokens": {"input_tokens": 11, "output_tokens": 7}}
COHERE = Wire(
    _json(
        {
            "id": "1",
            "message": {"role": "assistant", "content": [SAID]},
            "finish_reason": "COMPLETE",
            "usage": COUNTED,
        }
    ),
    Played(
        SSE,
        _named(
            {
                "type": "message-start",
                "id": "1",
                "delta": {"message": {"role": "assistant", "content": []}},
            },
            {
                "type": "content-start",
                "index": 0,
                "delta": {"message": {"content": {"type": "text", "text": ""}}},
            },
            {
                "type": "content-delta",
                "index": 0,
                "delta": {"message": {"content": {"text": "Hello there"}}},
            },
            {"type": "content-end", "index": 0},
            {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": COUNTED}},
        )
        + DONE,
    ),
)

PART = {"type": "output_text", "text": "Hello there", "annotations": []}
ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1718622757, "model": "gpt"}
COMPLETED = {
    **RESPONSE,
    "status": "completed",
    "output": [{**ITEM, "content": [PART]}],
    "usage": {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18},
}
RESPONSES = Wire(
    _json(COMPLETED),
    Played(
        SSE,
        _named(
            {
                "type": "response.created",
                "response": {**RESPONSE, "status": "in_progress", "output": []},
            },
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": {**ITEM, "content": []},
            },
            {
                "type": "response.content_part.added",
                "item_id": "msg_1",
                "output_index": 0,
                "content_index": 0,
                "part": {**PART, "text": ""},
            },
            {
                "type": "response.output_text.delta",
                "item_id": "msg_1",
                "output_index": 0,
                "content_index": 0,
                "delta": "Hello there",
            },
            {
                "type": "response.output_item.done",
                "output_index": 0,
                "item": {**ITEM, "content": [PART]},
            },
            {"type": "response.completed", "response": COMPLETED},
        ),
    ),
)

LINE = {"model": "llama", "created_at": "2026-01-01T00:00:00Z"}
END = {"done": True, "done_reason": "stop", "prompt_eval_count": 11, "eval_count": 7}
OLLAMA = Wire(
    _json({**LINE, "message": {"role": "assistant", "content": "Hello there"}, **END}),
    Played(
        "application/x-ndjson",
        b"".join(
            json.dumps(line).encode() + b"\n"
            for line in (
                {
                    **LINE,
                    "message": {"role": "assistant", "content": "Hello there"},
                    "done": False,
                },
                {**LINE, "message": {"role": "assistant", "content": ""}, **END},
            )
        ),
    ),
)

WIRES = {
    "anthropic_messages": ANTHROPIC,
    "bedrock_converse": BEDROCK,
    "cohere_v2": COHERE,
    "gemini": GEMINI,
    "mistral_chat": OPENAI,
    "ollama": OLLAMA,
    "ollama_chat": OLLAMA,
    "openai_responses": RESPONSES,
}


def wire_of(name: str) -> Wire:
    """By the name of the wire; those named after OpenAI's are like it here."""
    return OPENAI if name.startswith("openai_chat") else WIRES[name]
