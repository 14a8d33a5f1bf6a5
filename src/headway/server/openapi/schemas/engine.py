"""The shapes of the HTTP API as clients see them: the source of ``/openapi.json``.

Rules of this file: models describe, they do not serve. The hot routes are answered from bytes by
the dialects; here each field stands once more with its meaning and unit, in the order in which it
is sent. Replies do not forbid further fields: a client must bear those that are added later.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, RootModel

from headway.server.openapi.schemas.base import ErrorDetail as ErrorDetail
from headway.server.openapi.schemas.base import ErrorReply as ErrorReply
from headway.server.openapi.schemas.base import OpenShape as OpenShape
from headway.server.openapi.schemas.base import Shape as Shape
from headway.server.openapi.schemas.models import ModelDetails as ModelDetails
from headway.server.openapi.schemas.models import ModelPrices as ModelPrices
from headway.server.openapi.schemas.models import ModelsByProvider as ModelsByProvider
from headway.server.openapi.schemas.models import ProviderModels as ProviderModels

# --- Messages, in OpenAI's chat format ----------------------------------------------------------


class FunctionCall(Shape):
    name: str
    """The function that the model wants called."""
    arguments: str
    """JSON text as the model wrote it; it may be invalid JSON."""


class ToolCall(OpenShape):
    id: str
    type: str = "function"
    function: FunctionCall


class Message(OpenShape):
    """One message in OpenAI's chat format; fields not named here go to the provider as they are."""

    role: str
    """`system`, `developer`, `user`, `assistant`, `tool` or `function`."""
    content: str | list[dict[str, Any]] | None = None
    """Text, or a list of parts (`text`, `image_url`, ...). Null beside `tool_calls`."""
    name: str | None = None
    """Tells apart participants of the same role."""
    tool_calls: list[ToolCall] | None = None
    """What the assistant asked for in an earlier turn."""
    tool_call_id: str | None = None
    """In a message of role `tool`: the call that it answers."""


class AnswerMessage(OpenShape):
    """The message of an answer. `reasoning_content`, `refusal` and what else the provider said
    follow the four."""

    content: str | None
    """The text of the answer; null when the model only called tools."""
    role: Literal["assistant"]
    function_call: FunctionCall | None
    """OpenAI's deprecated form of a tool call."""
    tool_calls: list[ToolCall] | None


class Choice(Shape):
    finish_reason: str | None
    """`stop`, `length`, `tool_calls`, `function_call` or `content_filter`."""
    index: int
    logprobs: dict[str, Any] | None
    """OpenAI's logprobs object, if they were asked for and the provider gave them."""
    message: AnswerMessage


class FunctionCallDelta(Shape):
    name: str | None = None
    arguments: str | None = None


class ToolCallDelta(OpenShape):
    index: int
    """The position of the call among the calls of this choice; pieces of one call share it."""
    id: str | None = None
    type: str | None = None
    function: FunctionCallDelta | None = None


class Delta(OpenShape):
    """What this event adds to the message."""

    role: str | None = None
    content: str | None = None
    function_call: FunctionCallDelta | None = None
    tool_calls: list[ToolCallDelta] | None = None


class ChunkChoice(Shape):
    index: int
    delta: Delta
    logprobs: dict[str, Any] | None = None
    finish_reason: str | None = None
    """Null until the choice ends."""


class Usage(OpenShape):
    """What the provider reported, in OpenAI's shape. Unit: tokens."""

    prompt_tokens: int
    """Tokens of the input, cached ones included."""
    completion_tokens: int
    """Tokens of the output, reasoning included."""
    total_tokens: int
    prompt_tokens_details: dict[str, Any] | None = None
    """`cached_tokens`, `audio_tokens`."""
    completion_tokens_details: dict[str, Any] | None = None
    """`reasoning_tokens`, `audio_tokens`."""


# --- The measurements ---------------------------------------------------------------------------


class Price(Shape):
    """Where the price behind `cost_usd` comes from."""

    source: str
    """The price list with its version, or `configured`."""
    date: str | None
    """ISO 8601 date: since when the price is in force, else of when the list is."""
    model: str | None
    """The entry of the list that matched the model."""
    tiered: bool
    """Whether the price depends on how many tokens went in."""


class Metrics(Shape):
    """What the call took. Null is unknown, never zero. Times are seconds on a monotonic clock and
    start when the request has been read whole."""

    input_tokens: int | None
    """Tokens; the provider's count, else counted with the model's tokenizer."""
    output_tokens: int | None
    """Tokens, reasoning included, as the provider bills them."""
    total_tokens: int | None
    """Tokens: input plus output."""
    cost_usd: float | None
    """US dollars by the price in force at the time; cached, cache-write, reasoning and tiered
    prices included. Null where no price is known."""
    latency_s: float | None
    """Seconds to the last byte of the provider's answer."""
    time_to_first_token_s: float | None
    """Seconds to the first event that carries content: text, reasoning or bytes of a tool call."""
    inter_token_latency_s: float | None
    """Seconds: the mean gap between content events. Null with fewer than two."""
    tokens_per_second: float | None
    """Tokens a second: `output_tokens / latency_s`."""
    reasoning_tokens: int | None = None
    """Tokens: the part of `output_tokens` spent on reasoning."""
    cached_tokens: int | None = None
    """Tokens: the part of `input_tokens` read from the provider's cache."""
    inter_token_latency_p50_s: float | None = None
    """Seconds: the median gap between content events."""
    inter_token_latency_p95_s: float | None = None
    """Seconds: 95 of 100 gaps are no longer than this."""
    inter_token_latency_max_s: float | None = None
    """Seconds: the longest gap, a stall if there was one."""
    time_to_first_byte_s: float | None = None
    """Seconds to the first byte of the provider's answer."""
    gateway_overhead_s: float | None = None
    """Seconds that were the gateway's own, not the provider's."""
    attempts: int | None = None
    """How many requests to providers this answer took."""
    tokens_source: Literal["reported", "counted", "estimated"] | None = None
    """Who counted: the provider, the gateway's tokenizer over the whole answer, or the tokenizer
    over the part of it that arrived."""
    price: Price | None = None
    """The price that `cost_usd` was computed with."""


# --- The engine route ---------------------------------------------------------------------------


class GenerationParameters(OpenShape):
    """Generation parameters in OpenAI's names. Those not named here go to the provider as they
    are. If `parameters` is left out or null, the five with a default are in effect; if it is
    given, only what it holds is sent. A model that refuses one of the defaults is not sent it."""

    temperature: float | None = Field(None, ge=0, le=2, json_schema_extra={"default": 1})
    """Higher is more varied."""
    max_tokens: int | None = Field(None, ge=1, json_schema_extra={"default": 2048})
    """Tokens: the longest answer wanted. Renamed for models that call it
    `max_completion_tokens`."""
    top_p: float | None = Field(None, ge=0, le=1, json_schema_extra={"default": 1})
    """Share of the probability mass that is sampled from."""
    frequency_penalty: float | None = Field(None, ge=-2, le=2, json_schema_extra={"default": 0})
    """Above zero: fewer repeated words."""
    presence_penalty: float | None = Field(None, ge=-2, le=2, json_schema_extra={"default": 0})
    """Above zero: more new topics."""
    stop: str | list[str] | None = None
    """Where the answer ends."""
    seed: int | None = None
    """For repeatable sampling, where the provider supports it."""


class EngineRequest(OpenShape):
    """One chat call. Any top-level field that is not named here counts as a parameter."""

    api_key: str | None = Field(None, json_schema_extra={"format": "password"})
    """Key for the provider. Null: the key that the server's configuration holds for it."""
    model: str
    """The provider's own model name."""
    chat_input: str | list[Message]
    """The conversation; a string is one user message."""
    parameters: GenerationParameters | None = None
    """Null or left out: the defaults are in effect."""
    is_stream: bool | None = False
    """Answer as a stream."""
    session_id: str | None = None
    """Yours; comes back in the reply and stands in the record."""
    retries: int | None = Field(None, ge=0, le=10, json_schema_extra={"default": 0})
    """How many more attempts if one fails in a way that another could mend."""
    functions: list[dict[str, Any]] | None = None
    """OpenAI's deprecated form of `tools`."""
    tools: list[dict[str, Any]] | None = None
    """Functions that the model may call, in OpenAI's format."""
    tool_choice: str | dict[str, Any] | None = None
    """`none`, `auto`, `required`, or one tool."""
    response_format: dict[str, Any] | None = None
    """`json_object`, or `json_schema` with its schema."""
    base_url: str | None = None
    """Another address of the provider's API. The server's own key is not sent there."""
    api_endpoint: str | None = None
    """Another name of `base_url`, which comes first."""
    api_version: str | None = None
    """For providers whose API wants one in the query."""
    has_end_token: bool | None = None
    """Accepted, and without effect."""
    strict: bool | None = False
    """Refuse the request where a parameter would have to be changed for the provider."""


class Transformation(Shape):
    """What was done to a parameter so that the provider takes the request."""

    action: Literal["dropped", "renamed", "clamped", "emulated"]
    parameter: str
    """The caller's name of it."""
    reason: str
    """In words, with the new name or value where there is one."""


class EngineReply(Shape):
    """OpenAI's chat completion with what was asked, what came back and what it took. The keys up
    to `metrics` are in every reply, in this order."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    """A fresh UUID."""
    choices: list[Choice]
    created: int
    """Unix time in whole seconds."""
    model: str
    """The model asked for."""
    object: Literal["chat.completion"]
    system_fingerprint: str | None
    usage: Usage | None
    """Null only if the provider reported none."""
    session_id: str | None
    """As sent."""
    chat_input: str | list[dict[str, Any]] | None
    """The string as given, or the last message's content."""
    chat_output: str
    """The whole text; for a tool call its arguments."""
    context: list[Message]
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
    """What was changed for the provider. Empty: the request went as it came."""


class EngineChunk(Shape):
    """One event of a stream: OpenAI's chunk, and the engine's fields beside it. All events of a
    stream share one `id`."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    choices: list[ChunkChoice]
    created: int
    """Unix time in whole seconds."""
    model: str
    """The model asked for."""
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
    chat_input: str | list[dict[str, Any]] | None = None
    """In the first event only: the string as given, or the last message's content."""
    context: list[Message] | None = None
    """In the first event only: the messages as sent to the model."""
    parameters: dict[str, Any] | None = None
    """In the first event only: the generation parameters that were in effect."""
    deployment: str | None = None
    """In the last event only: the provider's more exact name of the model."""
    transformations: list[Transformation] | None = None
    """In the last event only: what was changed for the provider."""


class ProviderNames(RootModel[list[str]]):
    """The configured names, which are the last part of the chat route."""


class Parameter(Shape):
    """One generation parameter, as a form would show it."""

    id: str
    """The name to send it by."""
    name: str
    """Its name for people."""
    type: str
    """`float`, `integer`, `string`, `boolean`, `array` or `object`."""
    default: float | str | bool | None
    """What is in effect where the caller gives no parameters."""
    min: float | None
    """The least that is taken."""
    max: float | None
    """The most that is taken."""
    step: float | None
    """For a slider."""


class Parameters(RootModel[list[Parameter]]):
    """The parameters that a provider, or one of its models, takes."""


class Health(Shape):
    status: Literal["healthy"]
    message: str
