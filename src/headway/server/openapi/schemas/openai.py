"""OpenAI's routes. The bytes of a provider that speaks this format are passed through, so these are
the fields that clients may rely on, not all that may be there."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from headway.server.openapi.schemas.base import ErrorDetail, OpenShape, Shape
from headway.server.openapi.schemas.chat import ChunkChoice, Message, ToolCall, Usage
from headway.server.openapi.schemas.metrics import Metrics
from headway.server.openapi.schemas.models import ModelPrices
from headway.server.openapi.schemas.routing import RoutedRequest


class OpenAIRequest(RoutedRequest):
    """OpenAI's chat completion request. Fields not named here go to the provider as they are. The
    provider checks the ranges of parameters; `GET /api/engine/parameters` lists them."""

    model: str
    """`provider/model`: the configured name of a provider, and its model."""
    messages: list[Message]
    stream: bool | None = False
    """Answer as server-sent events."""
    stream_options: dict[str, Any] | None = None
    """`{"include_usage": true}` asks for usage in the last event, `{"include_metrics": true}` for
    metrics in another one after it."""
    temperature: float | None = None
    max_tokens: int | None = None
    """Tokens: the maximum length of the answer. Older name of `max_completion_tokens`."""
    max_completion_tokens: int | None = None
    """Tokens: the maximum length of the answer, reasoning included."""
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    strict: bool | None = False
    """Reject the request if a transformation would be needed for the provider."""


class OpenAIMessage(OpenShape):
    role: Literal["assistant"]
    content: str | None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None


class OpenAIChoice(OpenShape):
    index: int
    message: OpenAIMessage
    logprobs: dict[str, Any] | None = None
    finish_reason: str | None


class OpenAIReply(OpenShape):
    """OpenAI's chat completion."""

    id: str
    object: Literal["chat.completion"]
    created: int
    """Unix time in whole seconds."""
    model: str
    choices: list[OpenAIChoice]
    usage: Usage | None = None


class OpenAIChunk(OpenShape):
    """OpenAI's chat completion chunk: one event of a stream."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    """Unix time in whole seconds."""
    model: str
    choices: list[ChunkChoice]
    """Empty in the events that carry `usage` or `metrics`."""
    usage: Usage | None = None
    """In an event of its own before the end, if `stream_options` asks for it."""
    metrics: Metrics | None = None
    """In an event of its own before the end, if `stream_options` or the request's header
    `x-headway-metrics` asks for it."""


class OpenAIModel(OpenShape):
    id: str
    """`provider/model`, as requests name it."""
    object: Literal["model"]
    created: int
    """Unix time in whole seconds; 0 if unknown."""
    owned_by: str
    """The configured name of the provider."""
    context_window: int | None
    """Tokens."""
    input_modalities: list[str] = Field(default=[])
    """As in [ModelDetails](#modeldetails), like the following fields."""
    output_modalities: list[str] = Field(default=[])
    prices: ModelPrices | None
    listed_prices: ModelPrices | None = None
    refuses: list[str]
    deprecated: bool | None


class OpenAIModels(Shape):
    object: Literal["list"]
    data: list[OpenAIModel]
    errors: dict[str, ErrorDetail] | None = None
    """With `live`: why a provider's own list could not be fetched, by the provider's name."""


# --- Embeddings ---------------------------------------------------------------------------------


class OpenAIEmbeddingsRequest(OpenShape):
    """OpenAI's embeddings request. Fields not named here go to the provider as they are."""

    model: str
    """`provider/model`: the configured name of a provider, and its model."""
    input: str | list[str] | list[int] | list[list[int]]
    """A text, or a list of texts, of tokens, or of lists of tokens. Few providers take tokens."""
    dimensions: int | None = Field(None, ge=1)
    """The length of the vectors, for models that can shorten them."""
    encoding_format: Literal["float", "base64"] | None = "float"
    """`base64`: each vector is the base64 of its numbers as little-endian float32."""
    user: str | None = None


class OpenAIEmbedding(Shape):
    object: Literal["embedding"]
    index: int
    """The position of its text in `input`."""
    embedding: list[float] | str
    """The vector; a string if the request asked for `base64`."""


class EmbeddingsUsage(Shape):
    prompt_tokens: int | None
    """Tokens in; null if unknown."""
    total_tokens: int | None


class OpenAIEmbeddings(Shape):
    object: Literal["list"]
    data: list[OpenAIEmbedding]
    model: str
    """The model; the provider's more exact name if it gave one."""
    usage: EmbeddingsUsage


class StoredCompletion(OpenAIReply):
    metadata: dict[str, Any] | None
    """As the client gave them."""


class StoredCompletions(Shape):
    """A page of completions."""

    object: Literal["list"]
    data: list[StoredCompletion]
    first_id: str | None
    last_id: str | None
    """The `after` of the next page."""
    has_more: bool


class CompletionUpdate(Shape):
    metadata: dict[str, str] | None
    """At most 16 names of up to 64 characters, each with a value of up to 512."""


class DeletedCompletion(Shape):
    object: Literal["chat.completion.deleted"]
    id: str
    deleted: bool


class CompletionMessages(Shape):
    """A page of messages."""

    object: Literal["list"]
    data: list[dict[str, Any]]
    """As the client sent them, each with an `id`."""
    first_id: str | None
    last_id: str | None
    """The `after` of the next page."""
    has_more: bool
