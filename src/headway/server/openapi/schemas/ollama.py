"""Ollama's routes. The lines of a provider that speaks this format are passed through, so these are
the fields that clients may rely on, not all that may be there."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from headway.server.openapi.schemas.base import OpenShape, Shape


class OllamaMessage(OpenShape):
    role: str
    content: str = ""
    thinking: str | None = None
    images: list[str] | None = None
    """In base64."""
    tool_calls: list[dict[str, Any]] | None = None


class OllamaCall(OpenShape):
    model: str
    """`provider/model`: the configured name of a provider, and its model."""
    stream: bool | None = True
    """Answer as lines of JSON."""
    think: bool | str | None = None
    """true, false, or an effort: `low`, `medium` or `high`."""
    format: str | dict[str, Any] | None = None
    """`json`, or a JSON schema."""
    options: dict[str, Any] | None = None
    """`temperature`, `num_predict`, `stop`, ..."""


class OllamaChatRequest(OllamaCall):
    """Ollama's request. A provider of the same format gets the fields as they are; for any other
    they are converted, and `x-headway-transformations` says what has no equivalent."""

    messages: list[OllamaMessage] = Field(default=[])
    """Without any, the model is loaded, or with `keep_alive: 0` unloaded: where there is nothing to
    load, the reply says that it is done."""
    tools: list[dict[str, Any]] | None = None


class OllamaGenerateRequest(OllamaCall):
    """Ollama gets the fields as they are. Any other provider is asked by a chat with the prompt as
    its only message of the user; `suffix` is refused then, and `raw`, `template` and `context` are
    left out, as `x-headway-transformations` says."""

    prompt: str = ""
    """Without one, the model is loaded or unloaded, as by a chat without messages."""
    suffix: str | None = None
    system: str | None = None
    images: list[str] | None = None


class OllamaEnd(OpenShape):
    model: str
    created_at: str
    done: bool
    done_reason: str | None = None
    """`stop`, `length`, `load` or `unload`; in the last line, as are the following fields."""
    total_duration: int | None = None
    """Nanoseconds."""
    prompt_eval_count: int | None = None
    """Tokens in."""
    eval_count: int | None = None
    """Tokens out."""


class OllamaChatReply(OllamaEnd):
    """The whole answer, or one line of a stream."""

    message: OllamaMessage


class OllamaGenerateReply(OllamaEnd):
    """The whole answer, or one line of a stream."""

    response: str
    thinking: str | None = None


class OllamaErrorReply(Shape):
    """Every error on Ollama's routes, also as the last line of a stream."""

    error: str


class OllamaEmbedRequest(OpenShape):
    model: str
    """`provider/model`: the configured name of a provider, and its model."""
    input: str | list[str]
    dimensions: int | None = Field(None, ge=1)


class OllamaEmbedReply(OpenShape):
    model: str
    embeddings: list[list[float]]
    prompt_eval_count: int
    """Tokens in; 0 if unknown."""


class OllamaEmbeddingsRequest(OpenShape):
    model: str
    """`provider/model`: the configured name of a provider, and its model."""
    prompt: str = Field(min_length=1)


class OllamaEmbeddingsReply(OpenShape):
    embedding: list[float]


class OllamaModel(OpenShape):
    name: str
    """`provider/model`, as requests name it."""
    model: str
    modified_at: str
    size: int
    digest: str
    """Of the name: there is no file."""
    details: dict[str, Any]


class OllamaModels(Shape):
    models: list[OllamaModel]


class OllamaRunning(Shape):
    models: list[OllamaModel]
    """Always empty: no model is loaded here."""


class OllamaShowRequest(OpenShape):
    model: str
    """`provider/model`, as `/api/tags` lists it."""


class OllamaDetails(OpenShape):
    details: dict[str, Any]
    model_info: dict[str, Any]
    """`general.architecture`, and below its name `context_length` where it is known."""
    capabilities: list[str]
    """`completion`, `embedding`, `vision`, `tools` or `thinking`."""
    modified_at: str


class OllamaVersion(Shape):
    version: str
    """The version of Ollama's API that these routes follow."""
