"""The engine's routes: requests, replies, events, parameters; and ``/health``.

Rules of this package: models describe, they do not serve. The dialects answer the pipeline routes
from bytes; here each field stands once more with its meaning and unit, in the order in which it is
sent. Replies do not forbid further fields: clients must accept those that are added later.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, RootModel

from headway.server.openapi.schemas.base import OpenShape, Shape
from headway.server.openapi.schemas.chat import Choice, ChunkChoice, Message, Usage
from headway.server.openapi.schemas.metrics import Metrics


class GenerationParameters(OpenShape):
    """Generation parameters in OpenAI's names. Those not named here go to the provider as they
    are. If `parameters` is left out or null, the five with a default are in effect; if it is
    given, only what it holds is sent. A default that the model rejects is not sent."""

    temperature: float | None = Field(None, ge=0, le=2, json_schema_extra={"default": 1})
    """Higher is more varied."""
    max_tokens: int | None = Field(None, ge=1, json_schema_extra={"default": 2048})
    """Tokens: the maximum length of the answer. Sent as `max_completion_tokens` to models that
    call it so."""
    top_p: float | None = Field(None, ge=0, le=1, json_schema_extra={"default": 1})
    """The share of the probability mass to sample from."""
    frequency_penalty: float | None = Field(None, ge=-2, le=2, json_schema_extra={"default": 0})
    """Above zero: fewer repeated words."""
    presence_penalty: float | None = Field(None, ge=-2, le=2, json_schema_extra={"default": 0})
    """Above zero: more new topics."""
    stop: str | list[str] | None = None
    """Sequences that end the answer."""
    seed: int | None = None
    """For repeatable sampling, where the provider supports it."""


class SessionOptions(Shape):
    """What the session is used for beside the record."""

    remember: bool = False
    """Prepend the messages and answers of the session's earlier calls, which need `ledger.content:
    full` for the caller's key."""
    max_turns: int = Field(50, ge=1, le=1000)
    """Only so many of the last turns; a turn begins with a message of the user."""


class EngineRequest(OpenShape):
    """One chat call. Any top-level field that is not named here counts as a parameter."""

    api_key: str | None = Field(None, json_schema_extra={"format": "password"})
    """Key for the provider; the header `x-headway-provider-key` may hold it instead. Null: the key
    that the server's configuration holds for it."""
    model: str
    """The provider's own model name."""
    chat_input: str | list[Message]
    """The conversation; a string is one user message."""
    parameters: GenerationParameters | None = None
    """Null or left out: the defaults are in effect."""
    is_stream: bool | None = False
    """Answer as a stream."""
    session_id: str | None = None
    """The caller's own id; returned in the reply and kept in the record."""
    session: SessionOptions | None = None
    """How `session_id` is used."""
    retries: int | None = Field(None, ge=0, le=10, json_schema_extra={"default": 0})
    """The number of further attempts if one fails with an error that a retry could help."""
    functions: list[dict[str, Any]] | None = None
    """OpenAI's deprecated form of `tools`."""
    tools: list[dict[str, Any]] | None = None
    """Functions that the model may call, in OpenAI's format."""
    tool_choice: str | dict[str, Any] | None = None
    """`none`, `auto`, `required`, or one tool."""
    response_format: dict[str, Any] | None = None
    """`json_object`, or `json_schema` with its schema."""
    base_url: str | None = None
    """Another address of the provider's API, where `server.allow_base_url` allows it. The
    server's own key is not sent there."""
    api_endpoint: str | None = None
    """Another name of `base_url`, which takes precedence."""
    api_version: str | None = None
    """For providers whose API requires one in the query."""
    has_end_token: bool | None = None
    """Accepted, and without effect."""
    strict: bool | None = False
    """Reject the request if a transformation would be needed for the provider."""


class Transformation(Shape):
    """One change to the request, made so that the provider accepts it."""

    action: Literal["dropped", "renamed", "clamped", "emulated"]
    parameter: str
    """The caller's name of it."""
    reason: str
    """In words, with the new name or value if there is one."""


class EngineReply(Shape):
    """OpenAI's chat completion with the request's context and its measurements. The keys up to
    `metrics` are in every reply, in this order."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    """A fresh UUID."""
    choices: list[Choice]
    created: int
    """Unix time in whole seconds."""
    model: str
    """The requested model."""
    object: Literal["chat.completion"]
    system_fingerprint: str | None
    usage: Usage | None
    """Null only if the provider reported none."""
    session_id: str | None
    """As sent."""
    chat_input: Any
    """The string as given, or the last message's content."""
    chat_output: str
    """The whole text; for a tool call its arguments."""
    context: list[dict[str, Any]]
    """The messages as sent to the model; a string is shown as one user message."""
    provider: str
    """The configured name, as in the route."""
    timestamp: float
    """Unix time in seconds when the reply was complete."""
    parameters: dict[str, Any]
    """The generation parameters that were in effect."""
    metrics: Metrics
    deployment: str | None = None
    """The provider's more exact name of the model."""
    transformations: list[Transformation] = Field(default=[])
    """Changes to the request for the provider, and what its response lacked. Empty: both are as
    they came."""


class EngineChunk(Shape):
    """One event of a stream: OpenAI's chunk with the engine's fields. All events of a stream share
    one `id`."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    choices: list[ChunkChoice]
    created: int
    """Unix time in whole seconds."""
    model: str
    """The requested model."""
    object: Literal["chat.completion.chunk"]
    system_fingerprint: str | None
    usage: Usage | None
    """Null until the last event."""
    session_id: str | None
    """As sent."""
    provider: str
    """The configured name, as in the route."""
    timestamp: float
    """Unix time in seconds of this event."""
    chat_output_stream: str
    """This event's text."""
    chat_output: str | None
    """The whole text; null until the last event."""
    metrics: Metrics | None
    """Null until the last event."""
    chat_input: Any = None
    """In the first event only: the string as given, or the last message's content."""
    context: list[dict[str, Any]] | None = None
    """In the first event only: the messages as sent to the model."""
    parameters: dict[str, Any] | None = None
    """In the first event only: the generation parameters that were in effect."""
    deployment: str | None = None
    """In the last event only: the provider's more exact name of the model."""
    transformations: list[Transformation] | None = None
    """In the last event only: changes to the request for the provider, and what its response
    lacked."""


class ProviderNames(RootModel[list[str]]):
    """The providers' names, which are the last part of the chat route."""


class Parameter(Shape):
    """One generation parameter, as a form would show it."""

    id: str
    """The name to send."""
    name: str
    """The name to show."""
    type: str
    """`float`, `integer`, `string`, `boolean`, `array` or `object`."""
    default: float | str | bool | None
    """The value in effect if the request gives no parameters."""
    min: float | None
    """The minimum."""
    max: float | None
    """The maximum."""
    step: float | None
    """The step of a slider."""


class Parameters(RootModel[list[Parameter]]):
    """The parameters that a provider, or one of its models, takes."""


class LedgerHealth(Shape):
    spool: Literal["ok", "failing"]
    """Whether records are written to disk before their replies end."""
    store: Literal["ok", "failing", "not running"]
    """Whether records get from there into the database."""
    lost: int
    """Records that were lost, since this worker started."""
    held: int
    """Records that could not be written yet and are held in memory."""
    unstored_bytes: int | None
    """Bytes of records that are not in the database yet."""


class Health(Shape):
    status: Literal["healthy", "degraded"]
    """`degraded`: requests are served, but their records are not stored at the moment. With HTTP
    status 503 they are refused, as `ledger.on_failure` says."""
    message: str
    ledger: LedgerHealth
