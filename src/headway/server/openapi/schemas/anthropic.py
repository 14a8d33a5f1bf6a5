"""Anthropic's routes. The bytes of a provider that speaks this format are passed through, so these
are the fields that clients may rely on, not all that may be there."""

from __future__ import annotations

from typing import Any, Literal

from headway.server.openapi.schemas.base import OpenShape, Shape
from headway.server.openapi.schemas.metrics import Metrics
from headway.server.openapi.schemas.routing import RoutedRequest


class AnthropicMessage(OpenShape):
    role: str
    """`user`, `assistant`, or `system` in the middle of a conversation."""
    content: str | list[dict[str, Any]]
    """A text, or blocks (`text`, `image`, `document`, `tool_use`, `tool_result`, ...)."""


class AnthropicRequest(RoutedRequest):
    """Anthropic's request for a message. A provider of the same format gets the fields as they are;
    for any other they are converted, and `x-headway-transformations` says what has no
    equivalent."""

    model: str
    """`provider/model`: the configured name of a provider, and its model."""
    messages: list[AnthropicMessage]
    max_tokens: int | None = None
    """Tokens: the maximum length of the answer. Anthropic requires it, most providers do not."""
    system: str | list[dict[str, Any]] | None = None
    stream: bool | None = False
    """Answer as server-sent events."""
    temperature: float | None = None
    stop_sequences: list[str] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    """`{"type": "enabled", "budget_tokens": 2048}`, `adaptive` or `disabled`."""
    output_config: dict[str, Any] | None = None
    """`effort`, and `format` with a JSON schema."""
    metadata: dict[str, Any] | None = None
    strict: bool | None = False
    """Reject the request if a transformation would be needed for the provider."""


class AnthropicUsage(OpenShape):
    input_tokens: int
    """Tokens in, without those that a cache had or got."""
    output_tokens: int
    """Tokens out, thinking included."""
    cache_read_input_tokens: int | None = None
    """Tokens that came from a cache."""
    cache_creation_input_tokens: int | None = None
    """Tokens that were written to a cache."""


class AnthropicReply(OpenShape):
    """Anthropic's message."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: list[dict[str, Any]]
    """Blocks: `thinking`, `redacted_thinking`, `text`, `tool_use`, ... A `signature` may hold what
    another vendor needs back on the next turn: return it as it is."""
    stop_reason: str | None
    """`end_turn`, `max_tokens`, `stop_sequence`, `tool_use`, `refusal`, ..."""
    stop_sequence: str | None = None
    usage: AnthropicUsage


class AnthropicEvent(OpenShape):
    """One event of a stream: `message_start`, `content_block_start`, `content_block_delta`,
    `content_block_stop`, `ping`, `message_delta` or `message_stop`."""

    type: str
    index: int | None = None
    """The position of the block in `content`."""
    metrics: Metrics | None = None
    """In a `ping` before the end, if the request's header `x-headway-metrics` asks for it."""


class AnthropicError(Shape):
    type: str
    """One of Anthropic's types."""
    message: str
    """For people: names the field and what to do."""


class AnthropicErrorReply(Shape):
    """Every error on Anthropic's routes. In a stream that has begun it is the event `error`."""

    type: Literal["error"]
    error: AnthropicError
    request_id: str
    """The id of the request; quote it when you ask for help."""


class AnthropicTokenCount(Shape):
    input_tokens: int
    """Tokens of the system prompt, the messages and the tools."""
