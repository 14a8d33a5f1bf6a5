"""OpenAI's legacy completions. The bytes of a provider that has them are passed through, so these
are the fields that clients may rely on, not all that may be there."""

from __future__ import annotations

from typing import Any, Literal

from headway.server.openapi.schemas.base import OpenShape
from headway.server.openapi.schemas.chat import Usage
from headway.server.openapi.schemas.metrics import Metrics
from headway.server.openapi.schemas.routing import RoutedRequest


class CompletionRequest(RoutedRequest):
    """OpenAI's completion request. Fields not named here go to the provider as they are."""

    model: str
    """`provider/model`: the configured name of a provider, and its model."""
    prompt: str | list[str] | list[int] | list[list[int]]
    """A text, or a list of texts, of tokens, or of lists of tokens: each gets `n` choices."""
    suffix: str | None = None
    """The text after the completion."""
    echo: bool | None = False
    """Repeat the prompt before the completion."""
    n: int | None = 1
    best_of: int | None = None
    logprobs: int | None = None
    """The number of the most likely tokens to show at each place."""
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    stream: bool | None = False
    """Answer as server-sent events."""
    stream_options: dict[str, Any] | None = None
    """`{"include_usage": true}` asks for usage in the last event, `{"include_metrics": true}` for
    metrics in another one after it."""
    strict: bool | None = False
    """Reject the request if a transformation would be needed for the provider."""


class CompletionLogprobs(OpenShape):
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None
    text_offset: list[int] | None = None
    """The place of each token, in characters from the beginning of the prompt."""


class CompletionChoice(OpenShape):
    text: str
    index: int
    logprobs: CompletionLogprobs | None = None
    finish_reason: Literal["stop", "length", "content_filter"]


class CompletionPiece(OpenShape):
    text: str
    index: int
    logprobs: CompletionLogprobs | None = None
    finish_reason: Literal["stop", "length", "content_filter"] | None = None


class CompletionReply(OpenShape):
    """OpenAI's completion."""

    id: str
    object: Literal["text_completion"]
    created: int
    """Unix time in whole seconds."""
    model: str
    choices: list[CompletionChoice]
    usage: Usage | None = None


class CompletionChunk(OpenShape):
    """One event of a stream."""

    id: str
    object: Literal["text_completion"]
    created: int
    """Unix time in whole seconds."""
    model: str
    choices: list[CompletionPiece]
    """Empty in the events that carry `usage` or `metrics`."""
    usage: Usage | None = None
    """In an event of its own before the end, if `stream_options` asks for it."""
    metrics: Metrics | None = None
    """In an event of its own before the end, if `stream_options` or the request's header
    `x-headway-metrics` asks for it."""
