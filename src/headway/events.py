"""The events of a response, in the order in which they arrive, for all wire formats.

Frozen values; None is unknown, never zero. ``index`` is the choice that an event belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from headway.types import Usage


class Started(Struct, frozen=True, gc=False):
    """The response began. Not content."""

    id: str | None = None
    model: str | None = None
    created: int | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None


class Text(Struct, frozen=True, gc=False):
    """A piece of output text; never empty."""

    text: str
    index: int = 0


class Reasoning(Struct, frozen=True, gc=False):
    """A piece of reasoning text."""

    text: str
    index: int = 0


class Refusal(Struct, frozen=True, gc=False):
    """A piece of a refusal (OpenAI's ``refusal``)."""

    text: str
    index: int = 0


class ToolStarted(Struct, frozen=True, gc=False):
    """A tool call begins; ``tool`` is its position among the calls of this choice."""

    tool: int
    id: str
    name: str
    index: int = 0
    legacy: bool = False
    """True for OpenAI's deprecated ``function_call``."""


class ToolArguments(Struct, frozen=True, gc=False):
    """A piece of the JSON arguments of tool call ``tool``."""

    tool: int
    text: str
    index: int = 0
    legacy: bool = False
    """As in the ``ToolStarted`` that it continues."""


class ReasoningDetail(Struct, frozen=True):
    """One complete block of reasoning (signed, encrypted or a summary) in the form in which the
    provider accepts it back on the next turn. ``value`` has the shape of OpenRouter's
    ``reasoning_details``: ``type`` is reasoning.text (``text``, ``signature``), reasoning.encrypted
    (``data``) or reasoning.summary (``summary``), with optional ``id`` and ``format``. Not content:
    its text was an earlier ``Reasoning``."""

    value: Mapping[str, Any]
    index: int = 0


class Logprobs(Struct, frozen=True):
    """OpenAI's ``logprobs`` object for this piece, as parsed JSON. Not content."""

    value: Any
    index: int = 0


class ExtraFields(Struct, frozen=True):
    """Message fields for which there is no event type (audio, annotations), as parsed JSON."""

    fields: Mapping[str, Any]
    index: int = 0


class Finished(Struct, frozen=True, gc=False):
    """A choice ended: stop, length, tool_calls, function_call or content_filter. None: the provider
    gave no reason, which is then inferred from the choice's content."""

    reason: str | None
    index: int = 0


class UsageReported(Struct, frozen=True):
    """The provider's counts so far. They are not summed: a later count replaces an earlier one of
    the same field, and what a later event does not tell stays."""

    usage: Usage
    openai_usage: Any = None
    """The same in OpenAI's shape, for the reply's ``usage``: parsed JSON or Raw."""


class ServiceTierReported(Struct, frozen=True, gc=False):
    """The tier that serves the request, where it is another than an earlier event told. Not
    content."""

    service_tier: str


class ModelReported(Struct, frozen=True, gc=False):
    """The provider's name of the model that answers, where the start did not tell it. Not
    content."""

    model: str


class ResponseSummary(Struct, frozen=True, gc=False):
    """The facts about a complete response that its record needs."""

    usage: Usage
    finish_reason: str | None = None
    """The finish reason of the first choice."""
    model: str | None = None
    """The provider's exact name of the model."""
    service_tier: str | None = None
    id: str | None = None
    """The provider's id of the response."""


class Rewritten(Struct, frozen=True, gc=False):
    """The events of this frame do not say what it says: a tool call was completed, or what is told
    twice left out. It must not be passed through. Not content."""


class Failed(Struct, frozen=True):
    """The provider reported an error inside its response."""

    error: Exception


class StreamEnd(Struct, frozen=True, gc=False):
    """The end mark of the wire format, such as ``data: [DONE]``, where it has one."""


class Embeddings(Struct, frozen=True, kw_only=True):
    """The vectors in the order of the inputs: lists of floats, or base64 of little-endian float32
    if the request asked for it."""

    vectors: list[list[float] | str]
    usage: Usage
    model: str | None = None


class EmbeddingsReceived(Struct, frozen=True):
    """The vectors of an embeddings call, all at once."""

    embeddings: Embeddings


class BodyReceived(Struct, frozen=True, gc=False):
    """The body of a whole response that is passed on."""

    body: bytes


class PieceReceived(Struct, frozen=True, gc=False):
    """A piece of a body that is passed on as it arrives: an event, or bytes as they were read."""


Event = (
    Started
    | Text
    | Reasoning
    | Refusal
    | ToolStarted
    | ToolArguments
    | ReasoningDetail
    | Logprobs
    | ExtraFields
    | Finished
    | UsageReported
    | ServiceTierReported
    | Rewritten
    | ModelReported
    | Failed
    | StreamEnd
    | EmbeddingsReceived
    | BodyReceived
    | PieceReceived
)

CONTENT = frozenset(
    {
        *(Text, Reasoning, Refusal, ToolStarted, ToolArguments),
        *(EmbeddingsReceived, BodyReceived, PieceReceived),
    }
)
"""The events that carry content, by which time to first token and inter-token latency are measured.
Adapters never emit one for an empty string."""
