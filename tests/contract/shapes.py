"""The published shapes, as tables, and the assertions that several tests share."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from support.gateway_process import PLANTED
from support.raw_client import Reply, Stream

REPLY_KEYS = [
    "id",
    "choices",
    "created",
    "model",
    "object",
    "system_fingerprint",
    "usage",
    "session_id",
    "chat_input",
    "chat_output",
    "context",
    "provider",
    "timestamp",
    "parameters",
    "metrics",
]
CHOICE_KEYS = ["finish_reason", "index", "logprobs", "message"]
MESSAGE_KEYS = ["content", "role", "function_call", "tool_calls"]
FIRST_METRICS = [
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cost_usd",
    "latency_s",
    "time_to_first_token_s",
    "inter_token_latency_s",
    "tokens_per_second",
]
MORE_METRICS = [
    "reasoning_tokens",
    "cached_tokens",
    "inter_token_latency_p50_s",
    "inter_token_latency_p95_s",
    "inter_token_latency_max_s",
    "time_to_first_byte_s",
    "gateway_overhead_s",
    "attempts",
    "tokens_source",
    "price",
    "cost_source",
    "cost_computed_usd",
    "cost_unknown_reason",
    "model",
    "deployment",
]
ERROR_KEYS = ["type", "message", "provider", "param", "code", "request_id", "retry_after_s"]
STREAM_KEYS = [
    "session_id",
    "provider",
    "timestamp",
    "chat_output_stream",
    "chat_output",
    "metrics",
]
ONCE_KEYS = ["chat_input", "context", "parameters"]
DEFAULTS = {
    "temperature": 1,
    "max_tokens": 2048,
    "top_p": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
}


class Piece(NamedTuple):
    """One object of a stream, and when it arrived."""

    at: float
    object: dict[str, Any]


def in_order(keys: Iterable[str], wanted: list[str]) -> list[str]:
    """The wanted ones among these keys, in the order in which they stand."""
    return [key for key in keys if key in wanted]


def ok(reply: Reply) -> dict[str, Any]:
    """The object of a good reply."""
    assert reply.status == 200, reply
    assert reply.headers["content-type"].startswith("application/json")
    value = reply.json
    assert isinstance(value, dict)
    return value


def is_uuid(value: object) -> bool:
    return isinstance(value, str) and str(uuid.UUID(value)) == value


def error_of(reply: Reply, *statuses: int) -> dict[str, Any]:
    """The error of a reply with one of these statuses, once its shape is checked."""
    assert reply.status in statuses, reply
    assert reply.headers["content-type"].startswith("application/json")
    return checked_error(reply.json)


def checked_error(body: Any) -> dict[str, Any]:
    """``{"error": {...}}`` with exactly the seven fields, no trace, no key; returns the inside."""
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert list(error) == ERROR_KEYS
    assert isinstance(error["type"], str)
    assert isinstance(error["message"], str)
    assert error["type"]
    assert error["message"]
    text = json.dumps(body)
    assert "Traceback" not in text
    assert 'File \\"' not in text
    assert not [key for key in PLANTED if key in text]
    return error


def ndjson_pieces(stream: Stream) -> list[Piece]:
    """The objects of a newline-delimited stream, each of which must be one line and one chunk."""
    pieces = []
    for chunk in stream.chunks():
        assert chunk.data.endswith(b"\n")
        assert chunk.data.count(b"\n") == 1
        pieces.append(Piece(chunk.at, json.loads(chunk.data)))
    return pieces


def sse_pieces(stream: Stream) -> list[Piece]:
    """The objects of a stream of server-sent events, which must be closed by the end mark or by an
    error object."""
    events = []
    for chunk in stream.chunks():
        assert chunk.data.endswith(b"\n\n")
        events += [(chunk.at, event) for event in chunk.data.split(b"\n\n")[:-1]]
    assert all(event.startswith(b"data: ") for _, event in events)
    payloads = [(at, event.removeprefix(b"data: ")) for at, event in events]
    pieces = [Piece(at, json.loads(data)) for at, data in payloads if data != b"[DONE]"]
    if "error" not in pieces[-1].object:
        assert payloads[-1][1] == b"[DONE]"
    assert [data for _, data in payloads].count(b"[DONE]") <= 1
    return pieces


FRAMINGS = {
    "application/x-ndjson": ndjson_pieces,
    "text/event-stream": sse_pieces,
}
"""What a client accepts, and how to read what it then gets."""
