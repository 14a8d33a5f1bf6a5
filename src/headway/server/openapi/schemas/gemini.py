"""Google's routes. The bytes of a provider that speaks this format are passed through, so these are
the fields that clients may rely on, not all that may be there."""

# ruff: noqa: N815 - the names are those on the wire

# ruff: noqa: N815 - the names are those on the wire

from __future__ import annotations

from typing import Any

from pydantic import Field

from headway.server.openapi.schemas.base import OpenShape, Shape
from headway.server.openapi.schemas.metrics import Metrics


class GeminiContent(OpenShape):
    role: str | None = None
    """`user` or `model`."""
    parts: list[dict[str, Any]]
    """`text`, `inlineData`, `fileData`, `functionCall`, `functionResponse`, ..."""


class GeminiRequest(OpenShape):
    """Google's request. A provider of the same format gets the fields as they are; for any other
    they are converted, and `x-headway-transformations` says what has no equivalent. Names may be in
    snake case."""

    contents: list[GeminiContent] = Field(min_length=1)
    systemInstruction: GeminiContent | None = None
    tools: list[dict[str, Any]] | None = None
    toolConfig: dict[str, Any] | None = None
    generationConfig: dict[str, Any] | None = None
    safetySettings: list[dict[str, Any]] | None = None
    """Only Google has them."""


class GeminiCandidate(OpenShape):
    content: GeminiContent | None = None
    index: int | None = None
    finishReason: str | None = None
    """`STOP`, `MAX_TOKENS`, `SAFETY`, ..."""


class GeminiUsage(OpenShape):
    promptTokenCount: int | None = None
    """Tokens in, those of a cache included."""
    candidatesTokenCount: int | None = None
    """Tokens out, without thoughts."""
    thoughtsTokenCount: int | None = None
    totalTokenCount: int | None = None


class GeminiReply(OpenShape):
    """Google's response: the whole, or one element of a stream."""

    candidates: list[GeminiCandidate]
    usageMetadata: GeminiUsage | None = None
    modelVersion: str | None = None
    responseId: str | None = None
    metrics: Metrics | None = None
    """In a stream's last element, if the request's header `x-headway-metrics` asks for it."""


class GeminiStatus(Shape):
    code: int
    """The HTTP status."""
    message: str
    """For people: names the field and what to do."""
    status: str
    """Google's name of the status, such as `INVALID_ARGUMENT`."""
    details: list[dict[str, Any]]
    """An `ErrorInfo` with the reason, the provider and the request's id; the wrong field; and the
    delay before another attempt."""


class GeminiErrorReply(Shape):
    """Every error on Google's routes. In a stream that has begun, the same object is the last
    element."""

    error: GeminiStatus


class GeminiTokenCount(Shape):
    totalTokens: int


class GeminiEmbedRequest(OpenShape):
    content: GeminiContent
    taskType: str | None = None
    """Only Google knows it."""
    outputDimensionality: int | None = Field(None, ge=1)
    """The length of the vector, for models that can shorten it."""


class GeminiBatchEmbedRequest(OpenShape):
    requests: list[GeminiEmbedRequest] = Field(min_length=1)


class GeminiEmbedding(OpenShape):
    values: list[float]


class GeminiEmbedReply(OpenShape):
    embedding: GeminiEmbedding


class GeminiBatchEmbedReply(OpenShape):
    embeddings: list[GeminiEmbedding]
    """In the order of the requests."""


class GeminiModel(OpenShape):
    name: str
    """`models/` and the model's name as the other routes take it."""
    displayName: str
    version: str
    inputTokenLimit: int | None = None
    supportedGenerationMethods: list[str]


class GeminiModels(Shape):
    models: list[GeminiModel]
    nextPageToken: str | None = None
    """The next page's, if there is one."""
