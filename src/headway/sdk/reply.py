"""The gateway's replies as values, with the fields of the engine route's contract.

Rules of this file: None means unknown, never zero; fields that a newer gateway adds are ignored,
but are part of ``raw``.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field
from msgspec.structs import asdict

from headway.sdk.errors import ApiError

T = TypeVar("T")


class Metrics(Struct, frozen=True, kw_only=True):
    """The measurements of one call. Times are in seconds, ``cost_usd`` in US dollars."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cost_usd: float | None = None
    cost_source: str | None = None
    """``provider`` where the provider reported the cost."""
    cost_computed_usd: float | None = None
    """The gateway's own computation, where the provider reported the cost."""
    cost_unknown_reason: str | None = None
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
    """``reported`` by the provider, or ``counted`` or ``estimated`` by the gateway."""
    price: Any = None
    model: str | None = None
    """The model that was asked for."""
    deployment: str | None = None
    """The provider's name of the model that answered."""

    def __repr__(self) -> str:
        return _show(
            self, {name: value for name, value in asdict(self).items() if value is not None}
        )


class Transformation(Struct, frozen=True):
    """What the gateway changed so that the provider, or the client, accepts a message."""

    action: str
    """``dropped``, ``renamed``, ``clamped`` or ``emulated``."""
    parameter: str
    reason: str


class ChatReply(Struct, frozen=True, kw_only=True):
    """A complete reply of ``POST /api/engine/chat/{provider}``."""

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
    deployment: str | None = None
    transformations: list[Transformation] = []
    # No gateway sends a field of this name: `parse_reply` and `parse_chunk` set it.
    raw: bytes = field(default=b"", name="(raw)")
    """The JSON as received, with all its fields."""

    def __repr__(self) -> str:
        return _show_output(self, self.chat_output, self.metrics)


class ChatChunk(Struct, frozen=True, kw_only=True):
    """One object of a streamed reply. Only the last one has ``chat_output`` and ``metrics``, only
    the first one ``chat_input``, ``context`` and ``parameters``; they are None in the others.
    ``deployment`` and ``transformations`` come with the last one."""

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
    deployment: str | None = None
    transformations: list[Transformation] | None = None
    raw: bytes = field(default=b"", name="(raw)")
    """The JSON of this object as received."""

    def __repr__(self) -> str:
        return _show_output(self, self.chat_output or self.text, self.metrics)

    @property
    def text(self) -> str:
        """The text that this object adds to the output; may be empty."""
        return self.chat_output_stream or ""

    @property
    def is_last(self) -> bool:
        return self.metrics is not None


class ProviderModels(Struct, frozen=True, omit_defaults=True):
    """The models of one configured provider; ``name`` is its display name.

    ``details`` has the ModelDetails of each model. ``source`` says where the names are from:
    ``configuration``, ``bundled`` or ``provider``. ``error`` is set if the provider's own list was
    asked for and could not be fetched.
    """

    name: str
    models: list[str]
    details: dict[str, ModelDetails] = {}
    source: str | None = None
    error: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"ProviderModels(name={self.name!r}, models=<{len(self.models)} names>)"


class ProviderDetails(Struct, frozen=True):
    """A provider; ``name`` is its display name, ``kind`` what the configuration calls its API."""

    name: str
    kind: str
    has_key: bool | None = None
    """Whether the gateway has a key or credentials for it. None: it needs none, or this cannot be
    seen without a request."""
    key_variable: str | None = None
    """The environment variable of the gateway that holds the key by convention."""
    is_configured: bool | None = None


class Prices(Struct, frozen=True, omit_defaults=True):
    """US dollars per million tokens; None is unknown."""

    input: float | None = None
    output: float | None = None
    cached: float | None = None
    cache_write: float | None = None


class ModelDetails(Struct, frozen=True, omit_defaults=True):
    """A model, as the gateway's price data or the provider's own list describes it."""

    context_window: int | None = None
    """Tokens."""
    prices: Prices | None = None
    """The prices that costs are computed with."""
    listed_prices: Prices | None = None
    """The prices in the provider's own list, if that was asked for."""
    deprecated: bool | None = None


class Health(Struct, frozen=True):
    status: str
    message: str | None = None


def parse(body: bytes, type_: type[T]) -> T:
    """Decode JSON as ``type_``. Raises ApiError (``protocol_error``) if it does not match."""
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(
            f"the response is not that of a Headway gateway: {error}", type="protocol_error"
        ) from error


def parse_reply(body: bytes) -> ChatReply:
    return msgspec.structs.replace(parse(body, ChatReply), raw=body)


def parse_chunk(line: bytes) -> ChatChunk:
    return msgspec.structs.replace(parse(line, ChatChunk), raw=line)


MAX_REPR_CHARACTERS = 60
"""Of the output, in a repr."""


def _show_output(reply: ChatReply | ChatChunk, output: str | None, metrics: Metrics | None) -> str:
    text = output or ""
    if len(text) > MAX_REPR_CHARACTERS:
        text = text[:MAX_REPR_CHARACTERS] + "..."
    fields: dict[str, Any] = {"model": f"{reply.provider}/{reply.model}", "output": text}
    if metrics is not None:
        names = ("input_tokens", "output_tokens", "cost_usd", "latency_s")
        fields |= {name: getattr(metrics, name) for name in names}
    return _show(reply, fields)


def _show(value: Struct, fields: dict[str, Any]) -> str:
    """A repr with these fields, which are not all of them."""
    return f"{type(value).__name__}({', '.join(f'{k}={v!r}' for k, v in fields.items())})"
