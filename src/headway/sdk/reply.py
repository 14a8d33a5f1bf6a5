"""What the gateway answers with, as values. The fields are those of the engine route's contract.

Rules of this file: None means unknown, never zero; fields that a newer gateway adds are ignored
here and kept in ``raw``.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from headway.sdk.errors import ApiError

T = TypeVar("T")


class Metrics(Struct, frozen=True, kw_only=True):
    """What was measured of one answer. Times are seconds, ``cost_usd`` is dollars."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cost_usd: float | None = None
    latency_s: float | None = None
    time_to_first_token_s: float | None = None
    inter_token_latency_s: float | None = None
    tokens_per_second: float | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    inter_token_latency_p50_s: float | None = None
    inter_token_latency_p95_s: float | None = None
    inter_token_latency_max_s: float | None = None
    time_to_first_byte_s: float | None = None
    gateway_overhead_s: float | None = None
    attempts: int | None = None
    tokens_source: str | None = None
    """``reported`` by the provider, or ``counted`` by the gateway."""
    price: Any = None


class ChatReply(Struct, frozen=True, kw_only=True):
    """One whole answer of ``POST /api/engine/chat/{provider}``."""

    id: str
    provider: str
    model: str
    choices: list[dict[str, Any]]
    created: int
    timestamp: float
    metrics: Metrics
    chat_output: str | None = None
    chat_input: Any = None
    context: list[dict[str, Any]] = []
    parameters: dict[str, Any] = {}
    usage: dict[str, Any] | None = None
    session_id: str | None = None
    system_fingerprint: str | None = None
    object: str = "chat.completion"
    # A name on the wire that no gateway sends, so that only the parser fills it.
    raw: bytes = field(default=b"", name="(raw)")
    """The JSON as it was answered, every field of it."""


class ChatChunk(Struct, frozen=True, kw_only=True):
    """One object of a streamed answer. ``chat_output`` and ``metrics`` are None until the last;
    ``chat_input``, ``context`` and ``parameters`` come with the first."""

    id: str
    provider: str
    model: str
    choices: list[dict[str, Any]] = []
    created: int | None = None
    timestamp: float | None = None
    chat_output_stream: str | None = None
    chat_output: str | None = None
    metrics: Metrics | None = None
    usage: dict[str, Any] | None = None
    chat_input: Any = None
    context: list[dict[str, Any]] | None = None
    parameters: dict[str, Any] | None = None
    session_id: str | None = None
    raw: bytes = field(default=b"", name="(raw)")
    """The JSON of this object as it was answered."""

    @property
    def text(self) -> str:
        """What this piece adds to the answer; empty if nothing."""
        return self.chat_output_stream or ""

    @property
    def is_last(self) -> bool:
        return self.metrics is not None


class ProviderModels(Struct, frozen=True):
    """The models of one configured provider; ``name`` is its display name."""

    name: str
    models: list[str]


class Health(Struct, frozen=True):
    status: str
    message: str | None = None


def parse(body: bytes, kind: type[T]) -> T:
    """``body`` as a value of ``kind``. Raises ApiError (``protocol_error``) if it is not one."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(
            f"the answer is not what a Headway gateway answers: {error}", type="protocol_error"
        ) from error


def parse_reply(body: bytes) -> ChatReply:
    return msgspec.structs.replace(parse(body, ChatReply), raw=body)


def parse_chunk(line: bytes) -> ChatChunk:
    return msgspec.structs.replace(parse(line, ChatChunk), raw=line)
