"""OpenAI's Responses API. The bytes of a provider that speaks this format are passed through, so
these are the fields that clients may rely on, not all that may be there."""

from __future__ import annotations

from typing import Any, Literal

from headway.server.openapi.schemas.base import OpenShape, Shape
from headway.server.openapi.schemas.metrics import Metrics
from headway.server.openapi.schemas.routing import RoutedRequest


class ResponsesRequest(RoutedRequest):
    """OpenAI's request for a response. A provider of the same format gets it as it is; for any
    other it is converted, and what cannot be is in the reply's transformations."""

    model: str
    """`provider/model`: the configured name of a provider, and its model."""
    input: str | list[dict[str, Any]]
    """A text, or the items of the conversation: messages, reasoning, calls and their outputs."""
    instructions: str | None = None
    """The system prompt."""
    stream: bool | None = False
    """Answer as server-sent events."""
    max_output_tokens: int | None = None
    """Tokens: the maximum length of the answer, reasoning included."""
    temperature: float | None = None
    tools: list[dict[str, Any]] | None = None
    """Functions and custom tools. OpenAI's own tools need a provider that has them."""
    tool_choice: str | dict[str, Any] | None = None
    reasoning: dict[str, Any] | None = None
    """`effort`; and `summary`, without which reasoning is returned as its raw text."""
    text: dict[str, Any] | None = None
    """`format`, such as a JSON schema, and `verbosity`."""
    include: list[str] | None = None
    """Encrypted reasoning is always included where there is any."""
    store: bool | None = None
    """False: the response is not given out again. It is in any case only where the gateway keeps
    content (`ledger.content: full`); the response's own `store` says whether."""
    previous_response_id: str | None = None
    """An earlier response, of any provider, whose conversation this one continues."""
    strict: bool | None = False
    """Reject the request if a transformation would be needed for the provider."""


class ResponseUsage(OpenShape):
    input_tokens: int
    """Tokens in."""
    output_tokens: int
    """Tokens out, reasoning included."""
    total_tokens: int


class ResponsesReply(OpenShape):
    """OpenAI's response."""

    id: str
    object: Literal["response"]
    created_at: float
    """Unix time in seconds."""
    model: str
    status: str | None = None
    """`completed`, or `incomplete`, which `incomplete_details` explains."""
    output: list[dict[str, Any]]
    """Items: reasoning, messages, and calls of tools. Send them back as they are: the
    `encrypted_content` of reasoning is what the provider needs on the next turn."""
    usage: ResponseUsage | None = None
    """Null if the provider reported none."""


class ResponsesEvent(OpenShape):
    """One event of a stream, named by its type. The last one is `response.completed`,
    `response.incomplete` or `response.failed`."""

    type: str
    sequence_number: int | None = None
    """The position of the event in the stream, from 0."""
    response: dict[str, Any] | None = None
    """In the first events and the last."""
    metrics: Metrics | None = None
    """In the last event, if `stream_options` (`include_metrics`) or the request's header
    `x-headway-metrics` asks for it."""


class InputTokens(Shape):
    object: Literal["response.input_tokens"]
    input_tokens: int
    """Tokens of the whole prompt."""


class InputItems(Shape):
    """A page of the items of a response's input."""

    object: Literal["list"]
    data: list[dict[str, Any]]
    """Those of the whole conversation, each with an `id`."""
    first_id: str | None
    last_id: str | None
    """The `after` of the next page."""
    has_more: bool


class DeletedResponse(Shape):
    id: str
    object: Literal["response"]
    deleted: bool
