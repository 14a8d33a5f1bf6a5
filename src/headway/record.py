"""The record of one attempt: its request, its outcome, its times and its cost. It contains no
prompt, no output and no key.

Rules: None is unknown, never 0; fields are only added, and ``v`` changes when the meaning of a
field does. docs/ledger.md is generated from this struct.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

VERSION = 1

Outcome = Literal["ok", "error", "cancelled", "refused"]
"""Answered completely; failed; the client left; refused before any provider was asked."""

TokensSource = Literal["reported", "counted", "estimated"]


class Record(Struct, kw_only=True, gc=False):
    """One attempt, or one request that was refused before any. Seconds, tokens, bytes, dollars.
    ``pipeline/accounting.py`` fills it in, group by group, and writes it."""

    id: str
    """UUID of this record. Storing a record twice has no effect."""
    request_id: str
    """Of the caller's request; its attempts share it."""
    timestamp: float
    """Unix seconds when the attempt was over."""
    started: float
    """Unix seconds when the caller's request was read whole."""
    route: str
    """The path that was called, as the API declares it."""
    dialect: str
    """The wire format of the caller, such as `engine` or `openai_chat`."""
    outcome: Outcome
    """`ok`, `error`, `cancelled` (the client left) or `refused` (no provider was asked)."""
    v: int = VERSION
    """Version of this shape."""

    attempt: int = 1
    """Which attempt of the request this was, from 1; 0 if it was refused before any."""
    attempts: int = 1
    """Attempts of the request so far, this one included."""
    provider: str | None = None
    """The configured name."""
    kind: str | None = None
    """The kind of that provider."""
    model: str | None = None
    """The requested model."""
    deployment: str | None = None
    """The provider's exact name of the model that answered."""
    stream: bool | None = None
    """Whether the caller asked for a stream."""
    session_id: str | None = None
    """As the caller sent it."""
    key_id: str | None = None
    """Id of the gateway key: the first eight hex digits of its SHA-256, or `anonymous`."""

    status: int | None = None
    """HTTP status of the answer to the caller. A stream that failed later keeps its 200."""
    error_type: str | None = None
    """The stable type, as in the reply's `error.type`."""
    error_code: str | None = None
    """The provider's code, or ours, such as `idle_timeout`."""
    error_message: str | None = None
    """As sent to the caller."""
    finish_reason: str | None = None
    """Of the first choice."""
    upstream_status: int | None = None
    """HTTP status of the provider's answer."""
    upstream_request_id: str | None = None
    """The provider's id of the request, for its support."""
    transformations: tuple[str, ...] = ()
    """How the request was transformed so that the provider accepts it, one line each."""

    input_tokens: int | None = None
    """Cache reads and writes included."""
    output_tokens: int | None = None
    """Reasoning included."""
    cache_read_tokens: int | None = None
    """The part of `input_tokens` read from a cache."""
    cache_write_tokens: int | None = None
    """The part of `input_tokens` written to a cache, whatever its time to live."""
    cache_write_1h_tokens: int | None = None
    """The part of `cache_write_tokens` written for one hour."""
    reasoning_tokens: int | None = None
    """The part of `output_tokens` that was reasoning."""
    input_audio_tokens: int | None = None
    """The part of `input_tokens` that was audio."""
    output_audio_tokens: int | None = None
    """The part of `output_tokens` that was audio."""
    tokens_source: TokensSource | None = None
    """`reported` by the provider, `counted` by us, or `estimated` from what arrived."""
    cost_usd: str | None = None
    """Exact decimal number of US dollars."""
    price_source: str | None = None
    """Where the price comes from: the price data with its version, or `configured`."""
    price_date: str | None = None
    """ISO date of the price."""

    latency_s: float | None = None
    """From `started` to the last byte of the provider's answer."""
    time_to_first_byte_s: float | None = None
    """From `started` to the head of the provider's answer."""
    time_to_first_token_s: float | None = None
    """From `started` to the first content."""
    time_to_sent_s: float | None = None
    """From `started` to the last byte of our request to the provider."""
    inter_token_latency_s: float | None = None
    """Mean gap between consecutive content events."""
    inter_token_latency_p50_s: float | None = None
    """Median gap."""
    inter_token_latency_p95_s: float | None = None
    """95th percentile of the gaps."""
    inter_token_latency_max_s: float | None = None
    """Longest gap."""
    tokens_per_second: float | None = None
    """`output_tokens / latency_s`."""
    gateway_overhead_s: float | None = None
    """Time spent in the gateway, not by the provider."""
    content_events: int | None = None
    """Pieces of content that arrived."""

    request_bytes: int | None = None
    """Body read from the caller."""
    response_bytes: int | None = None
    """Body written to the caller."""
    upstream_request_bytes: int | None = None
    """Body sent to the provider."""
    upstream_response_bytes: int | None = None
    """Body received from the provider."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


def encode(record: Record) -> bytes:
    """One line of JSON, newline included. JSON escapes line breaks, so a line is a record."""
    return _encode(record) + b"\n"


def decode(line: bytes) -> Record:
    """The record of one line. Fields of later versions are ignored. Raises msgspec.DecodeError for
    a torn line."""
    return _decode(line)
