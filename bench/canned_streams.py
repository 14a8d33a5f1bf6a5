"""Streamed responses in the wire formats of other vendors, for ``bench.profile``: event by event,
each as it was recorded of the vendor, with other texts."""

from __future__ import annotations

from collections.abc import Sequence

from bench import canned
from bench.canned import dump

MODELS = {
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
    "responses": "gpt-4o-mini",
}
PADDING = "aB3dE5gH7jK9mN1p"
PADDED = 12
"""Anthropic pads its events with a varying number of blanks."""


def openai(tokens: Sequence[str]) -> list[bytes]:
    """Padded, as OpenAI sends its events unless ``stream_options.include_obfuscation`` is false."""
    events = canned.events(list(tokens))
    paddings = (PADDING[: len(PADDING) - at % len(PADDING)] for at in range(len(events)))
    end = b"}\n\n"
    return [
        event.removesuffix(end) + b',"obfuscation":"%b"' % padding.encode() + end
        if event.endswith(end)
        else event
        for event, padding in zip(events, paddings, strict=True)
    ]


def anthropic(tokens: Sequence[str]) -> list[bytes]:
    usage = {"input_tokens": 18, "cache_read_input_tokens": 0, "output_tokens": 1}
    message = {
        "id": "msg_01N1s2vim6CWk85jtJPHcuea",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    deltas = [{"type": "text_delta", "text": token} for token in tokens]
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    rows = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {**usage, "output_tokens": 26}},
        {"type": "message_stop"},
    ]
    return [_named(row["type"], _pad(dump(row), at % PADDED)) for at, row in enumerate(rows)]


def _pad(data: bytes, blanks: int) -> bytes:
    return data[:-1] + b" " * blanks + data[-1:]


def _named(name: object, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (str(name).encode(), data)


def gemini(tokens: Sequence[str]) -> list[bytes]:
    """Every event has the usage so far."""
    rows = []
    for count, token in enumerate(tokens, 1):
        candidate = {"content": {"parts": [{"text": token}], "role": "model"}, "index": 0}
        if count == len(tokens):
            candidate["finishReason"] = "STOP"
        details = [{"modality": "TEXT", "tokenCount": 12}]
        usage = {
            "promptTokenCount": 12,
            "candidatesTokenCount": count,
            "totalTokenCount": 12 + count,
            "promptTokensDetails": details,
        }
        rows.append(
            {
                "candidates": [candidate],
                "usageMetadata": usage,
                "modelVersion": MODELS["gemini"],
                "responseId": "6hkqaYC5BbGEz7IPwb3ggA8",
            }
        )
    return [b"data: " + dump(row) + b"\r\n\r\n" for row in rows]


def responses(tokens: Sequence[str]) -> list[bytes]:
    item = {"id": "msg_6837cff183448198a6b50603bc5bf592", "type": "message", "role": "assistant"}
    head = {
        "id": "resp_6837cff103f88198b48d6039e3f856cd",
        "object": "response",
        "created_at": 1748488177,
        "model": "gpt-4o-mini-2024-07-18",
        "output": [],
        "service_tier": "default",
        "usage": None,
    }
    usage = {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 26,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 38,
    }
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    text = "".join(tokens)
    part = {"type": "output_text", "annotations": [], "text": text}
    whole = {**item, "status": "completed", "content": [part]}
    rows = [
        ("created", {"response": {**head, "status": "in_progress"}}),
        ("in_progress", {"response": {**head, "status": "in_progress"}}),
        (
            "output_item.added",
            {"output_index": 0, "item": {**item, "status": "in_progress", "content": []}},
        ),
        ("content_part.added", {**place, "part": {**part, "text": ""}}),
        *(("output_text.delta", {**place, "delta": token}) for token in tokens),
        ("output_text.done", {**place, "text": text}),
        ("content_part.done", {**place, "part": part}),
        ("output_item.done", {"output_index": 0, "item": whole}),
        (
            "completed",
            {"response": {**head, "status": "completed", "output": [whole], "usage": usage}},
        ),
    ]
    return [
        _named(
            f"response.{kind}",
            dump({"type": f"response.{kind}", "sequence_number": number, **fields}),
        )
        for number, (kind, fields) in enumerate(rows)
    ]
