"""One longer response in each wire format, whole and streamed, with reasoning, text in pieces and
tool calls, written from each provider's documentation."""

from __future__ import annotations

import json
from typing import Any

from support.canned_responses import BEDROCK, CLAUDE, JSON, SSE, Played, Wire, _bedrock, _named

SPENT = {
    "input_tokens": 3,
    "cache_read_input_tokens": 10,
    "cache_creation_input_tokens": 5,
    "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 4},
    "output_tokens": 9,
}
CLAUDES: list[tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]] = [
    (
        {"type": "thinking", "thinking": "", "signature": ""},
        [
            {"type": "thinking_delta", "thinking": "Let us"},
            {"type": "signature_delta", "signature": "S"},
        ],
        {"thinking": "Let us", "signature": "S"},
    ),
    (
        {"type": "text", "text": ""},
        [{"type": "text_delta", "text": "I "}, {"type": "text_delta", "text": "look."}],
        {"text": "I look."},
    ),
    (
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {}},
        [
            {"type": "input_json_delta", "partial_json": '{"city":'},
            {"type": "input_json_delta", "partial_json": ' "Bonn"}'},
        ],
        {"input": {"city": "Bonn"}},
    ),
    ({"type": "tool_use", "id": "t2", "name": "now", "input": {}}, [], {}),
]
"""Each as it begins, as it goes on, and what that makes of it."""


def claude_events(index: int) -> list[dict[str, Any]]:
    begun, deltas, _ = CLAUDES[index]
    grown = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    begins = {"type": "content_block_start", "index": index, "content_block": begun}
    return [begins, *grown, {"type": "content_block_stop", "index": index}]


MESSAGE = {
    **CLAUDE,
    "content": [{**begun, **grown} for begun, _, grown in CLAUDES],
    "stop_reason": "tool_use",
    "usage": SPENT,
}
MESSAGE_EVENTS = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    *[event for index in range(len(CLAUDES)) for event in claude_events(index)],
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use"},
        "usage": {"output_tokens": 9},
    },
    {"type": "message_stop"},
]
ANTHROPIC_CALLING = Wire(
    Played(JSON, json.dumps(MESSAGE).encode()),
    Played(
        SSE,
        _named(*MESSAGE_EVENTS),
    ),
)

COUNT = {
    "inputTokens": 3,
    "outputTokens": 9,
    "totalTokens": 27,
    "cacheReadInputTokens": 10,
    "cacheWriteInputTokens": 5,
}
USE = {"toolUseId": "t1", "name": "weather"}
CONVERSED_EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("messageStart", {"role": "assistant"}),
    *[
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": piece}})
        for piece in ({"text": "Let us"}, {"signature": "S"})
    ],
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "I "}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "look."}}),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": USE}}),
    *[
        ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": piece}}})
        for piece in ('{"city":', '"Bonn"}')
    ],
    ("contentBlockStop", {"contentBlockIndex": 2}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": COUNT, "metrics": {"latencyMs": 1}}),
]
CONTENT = [
    {"reasoningContent": {"reasoningText": {"text": "Let us", "signature": "S"}}},
    {"text": "I look."},
    {"toolUse": {**USE, "input": {"city": "Bonn"}}},
]
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": CONTENT}},
    "stopReason": "tool_use",
    "usage": COUNT,
}
STREAM = b"".join(_bedrock(kind, payload) for kind, payload in CONVERSED_EVENTS)
BEDROCK_CALLING = Wire(
    Played(JSON, json.dumps(CONVERSED).encode()), BEDROCK[1]._replace(body=STREAM)
)

FOUND = {"promptTokenCount": 13, "cachedContentTokenCount": 10}
COUNTED = {"candidatesTokenCount": 6, "thoughtsTokenCount": 3, "totalTokenCount": 22}
PARTS: list[dict[str, Any]] = [
    {"text": "Let us", "thought": True},
    {"text": "I "},
    {"text": "look."},
    {
        "functionCall": {"id": "t1", "name": "weather", "args": {"city": "Bonn"}},
        "thoughtSignature": "c2ln",
    },
]


def generated(*parts: Any, **counts: int) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    return {
        "candidates": [candidate],
        "usageMetadata": {**FOUND, **counts},
        "modelVersion": "gemini",
        "responseId": "r1",
    }


def stopped(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "candidates": [{**answer["candidates"][0], "finishReason": "STOP"}]}


CHUNKS = [
    *(generated(part) for part in PARTS[:-1]),
    stopped(generated(PARTS[-1], **COUNTED)),
]
GEMINI_CALLING = Wire(
    Played(JSON, json.dumps(stopped(generated(*PARTS, **COUNTED))).encode()),
    Played(SSE, b"".join(b"data: " + json.dumps(one).encode() + b"\r\n\r\n" for one in CHUNKS)),
)
