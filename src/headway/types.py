"""The canonical vocabulary: what a chat call, a target and an answer are, whatever the wire.

Rules of this file: frozen values only, no behaviour beyond trivial properties; None means unknown,
never zero. The canonical chat request is OpenAI's chat format kept verbatim (``Raw``), because most
clients and providers speak it and unknown fields must survive; adapters parse what they translate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Raw, Struct

Headers = Sequence[tuple[bytes, bytes]]
"""Header pairs as on the wire; names of received headers are lower case."""

Clock = Callable[[], float]
"""Seconds, monotonic. Injected wherever time is read."""

NO_RAW = Raw()
"""What an absent ``Raw`` field holds: ``Optional[Raw]`` does not decode in msgspec."""


class Usage(Struct, frozen=True, kw_only=True, gc=False):
    """Tokens as the provider bills them. ``input_tokens`` includes cache reads and writes,
    ``output_tokens`` includes reasoning; None is unknown."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    """All tokens written to a cache, whatever their time to live."""
    cache_write_1h_tokens: int | None = None
    """The part of ``cache_write_tokens`` written for one hour."""
    reasoning_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None


class ToolCall(Struct, frozen=True):
    """One whole tool call of an answer; ``arguments`` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


# --- Events: what an answer is made of, in the order in which it arrived. -------------------------


class Started(Struct, frozen=True, gc=False):
    """The provider began to answer. Not content."""

    id: str | None = None
    model: str | None = None
    created: int | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None


class Text(Struct, frozen=True, gc=False):
    text: str
    index: int = 0


class Reasoning(Struct, frozen=True, gc=False):
    text: str
    index: int = 0


class Refusal(Struct, frozen=True, gc=False):
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
    tool: int
    text: str
    index: int = 0
    legacy: bool = False
    """As of the ``ToolStarted`` that it continues."""


class ReasoningDetail(Struct, frozen=True):
    """One whole block of reasoning as the provider wants it back on the next turn: a signed
    thought, an encrypted one, a summary. ``value`` has the shape of OpenRouter's
    ``reasoning_details``: ``type`` is reasoning.text (``text``, ``signature``), reasoning.encrypted
    (``data``) or reasoning.summary (``summary``), with ``id`` and ``format`` where there are any.
    Not content: its text, if it has one, came before as ``Reasoning``."""

    value: Mapping[str, Any]
    index: int = 0


class Logprobs(Struct, frozen=True):
    """OpenAI's logprobs object of this piece, as parsed JSON. Not content."""

    value: Any
    index: int = 0


class ExtraFields(Struct, frozen=True):
    """Message fields that the vocabulary has no word for (audio, annotations), as parsed JSON."""

    fields: Mapping[str, Any]
    index: int = 0


class Finished(Struct, frozen=True, gc=False):
    """A choice ended: stop, length, tool_calls, function_call or content_filter."""

    reason: str
    index: int = 0


class UsageReported(Struct, frozen=True):
    """The provider's count so far; a later one replaces it, they are not summed."""

    usage: Usage
    openai_usage: Any = None
    """The same in OpenAI's shape, as the reply's ``usage`` shows it: parsed JSON or Raw."""


class Summary(Struct, frozen=True, gc=False):
    """What must be known of an answer that is over to put it on record."""

    usage: Usage
    finish_reason: str | None = None
    """The first choice's."""
    model: str | None = None
    """The provider's more exact name of it."""
    service_tier: str | None = None


class Failed(Struct, frozen=True):
    """The provider reported an error inside its answer."""

    error: Exception


class StreamEnd(Struct, frozen=True, gc=False):
    """The wire's own end mark (``data: [DONE]``). A wire without one ends with its last byte."""


# --- Requests ---------------------------------------------------------------------------------


class ChatRequest(Struct, frozen=True, kw_only=True):
    """One chat call in canonical form: OpenAI's names and shapes, values verbatim."""

    model: str
    messages: Raw
    """A JSON array of messages in OpenAI's chat format, verbatim."""
    parameters: Mapping[str, Raw] = {}
    """Everything else that goes to the provider, unknown fields too, each value verbatim JSON."""
    stream: bool = False
    """Ask the provider for a stream."""
    uses_default_parameters: bool = False
    """The parameters are our defaults: the caller gave none, so dropping one is no news to it."""
    options: Mapping[str, Any] = {}
    """The target's, for adapters that need them to know what it takes (``model_name``)."""


class Transformation(Struct, frozen=True):
    """How an adapter changed a request so that the provider accepts it. In text, one of:
    ``clamped temperature: 1.4 -> 1 (maximum)``, ``renamed stop -> stop_sequences``,
    ``dropped seed: unsupported by Cohere``, ``emulated response_format: as a tool call``."""

    action: Literal["dropped", "renamed", "clamped", "emulated"]
    parameter: str
    """The caller's name of it, or a path such as ``messages[].name``."""
    reason: str
    """Why it was dropped, its new name, its old and new value, or how it is emulated."""

    def __str__(self) -> str:
        separator = " ->" if self.action == "renamed" and " " not in self.reason else ":"
        return f"{self.action} {self.parameter}{separator} {self.reason}"


class Parameter(Struct, frozen=True, kw_only=True):
    """One generation parameter that a provider takes, as ``/api/engine/parameters`` lists it."""

    id: str
    name: str
    type: str
    """float, integer, string, boolean, array or object."""
    default: float | int | str | bool | None = None
    min: float | int | None = None
    max: float | int | None = None
    step: float | int | None = None


class EmbeddingsRequest(Struct, frozen=True, kw_only=True):
    """One call for embeddings in OpenAI's names and shapes, values verbatim."""

    model: str
    input: Raw
    """A text, or a list of texts or of token lists."""
    parameters: Mapping[str, Raw] = {}
    """dimensions, encoding_format, user, and whatever the caller gave beside them."""


class Embeddings(Struct, frozen=True, kw_only=True):
    """The vectors in the order of the inputs: lists of floats, or base64 of little-endian float32
    where that was asked for."""

    vectors: list[list[float] | str]
    usage: Usage
    model: str | None = None


class EmbeddingsReceived(Struct, frozen=True):
    """The vectors of a call for embeddings, all at once."""

    embeddings: Embeddings


Request = ChatRequest | EmbeddingsRequest

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
    | Failed
    | StreamEnd
    | EmbeddingsReceived
)

CONTENT = frozenset({Text, Reasoning, Refusal, ToolStarted, ToolArguments, EmbeddingsReceived})
"""The events that carry content: those that time to first token and inter-token latency count.
Adapters never emit one for an empty string."""


class Target(Struct, frozen=True, kw_only=True):
    """Where an attempt goes: one configured provider, with the key to use there."""

    provider: str
    """The configured name, as in the route."""
    base_url: str
    api_key: str | None = None
    options: Mapping[str, Any] = {}
    """What only this kind understands (api_version, region, ...), as configured or as sent."""
    headers: Mapping[str, str] = {}
    """Sent on every request, beside those the adapter sets."""
    credentials: Mapping[str, str] = {}
    """What a credential source gave: an ``access_token``, or AWS's ``access_key``, ``secret_key``
    and ``session_token``."""


class Url(Struct, frozen=True):
    """A parsed URL; ``path`` is the request target with its query."""

    scheme: str
    host: str
    port: int
    path: str


class HttpRequest(Struct, frozen=True):
    """One request to a provider. ``headers`` lacks host, content-length and accept-encoding:
    the transport sets those."""

    url: Url
    headers: tuple[tuple[str, str], ...]
    body: bytes
    method: str = "POST"


class Frame(Struct, frozen=True, gc=False):
    """One message of a stream: its payload, its name where the wire has one, and its own bytes."""

    data: bytes
    event: str | None
    raw: bytes


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds. Each is its own error; ``total`` counts from sending to the last byte."""

    connect: float = 10.0
    first_byte: float = 300.0
    idle: float = 120.0
    total: float = 1800.0
