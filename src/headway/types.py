"""The values that all packages share: requests, targets, transformations, HTTP requests, frames.

Frozen values only; None means unknown, never zero. The canonical chat request is OpenAI's chat
format kept verbatim (``Raw``), because most clients and providers speak it and unknown fields must
survive; adapters for other wire formats parse what they translate. Events are in ``events``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from msgspec import Raw, Struct

Headers = Sequence[tuple[bytes, bytes]]
"""Header pairs as on the wire; names of received headers are lower case."""


class HeadFacts(Struct, frozen=True, gc=False):
    """What the gateway reads of every request's head for itself. Requests with the same head have
    the same: ``policy.request_headers.read_facts``."""

    own_headers: Headers
    """Those that are meant for the gateway."""
    key_digests: tuple[bytes, ...]
    """The SHA-256 of each key that the client presents."""
    cache_headers: Headers
    """Those that say what may be done with a cache."""
    read_timeout_s: float | None
    """For how long its SDK waits for the next byte."""


Clock = Callable[[], float]
"""Seconds, monotonic. Injected wherever time is read."""

NO_RAW = Raw()
"""The value of an absent ``Raw`` field: msgspec does not decode ``Optional[Raw]``."""


class Usage(Struct, frozen=True, gc=False):
    """Tokens as the provider bills them. ``input_tokens`` includes cache reads and writes,
    ``output_tokens`` includes reasoning; None is unknown."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    """All tokens written to a cache, for any time to live."""
    cache_write_1h_tokens: int | None = None
    """The part of ``cache_write_tokens`` written for one hour."""
    reasoning_tokens: int | None = None
    input_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    """Of images, and of documents that are read as images."""
    input_video_tokens: int | None = None
    cache_read_audio_tokens: int | None = None
    """This and the next: the parts of ``cache_read_tokens`` that are also part of
    ``input_audio_tokens`` and ``input_image_tokens``."""
    cache_read_image_tokens: int | None = None
    output_audio_tokens: int | None = None
    output_image_tokens: int | None = None
    output_video_tokens: int | None = None
    citation_tokens: int | None = None
    """Billed in addition to the input and the output."""
    web_searches: int | None = None
    """Searches of the provider's own tool, as it counts them for billing."""
    file_searches: int | None = None
    price_conditions: Mapping[str, str] = {}
    """What else decides the price, as the provider reports it: name -> value, such as ``speed``:
    ``fast``. ``metering.cost`` knows the values that mean the standard price."""
    cost_usd: Decimal | None = None
    """The cost that the provider itself reports, in US dollars."""
    audio_seconds: Decimal | None = None
    """Seconds of audio, where they are billed instead of tokens."""
    input_characters: int | None = None
    """Characters of a text to speak."""
    search_units: int | None = None
    """Units of reranking, as the provider counts them for billing."""


class NativeRequest(Struct, frozen=True):
    """A client's request in a wire format other than OpenAI's chat format, verbatim. A provider of
    the same format is sent these fields as they are."""

    wire: str
    """The ``Provider.wire`` that it is written in."""
    fields: Mapping[str, Raw]
    """The fields of the body, without the model and what says that a stream is wanted."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of the client that a provider of this format is sent, such as beta features."""
    query: str = ""
    """The query of the request, for formats whose providers read one."""


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
    """The client gave no parameters and these are the defaults, whose transformations are not
    listed."""
    options: Mapping[str, Any] = {}
    """Options of the target that adapters need, such as ``model_name``."""
    given_tokens: int = 0
    """The number of tokens that the client sent in place of text, which ``messages`` lack."""
    native: NativeRequest | None = None
    """The client's own request, if its dialect is not OpenAI's. ``messages`` are then those of its
    format, for counting tokens, until ``Dialect.convert_request`` converts them."""
    is_converted: bool = False
    """It was converted from another wire format, and may have what only ``chat_messages`` adds to
    OpenAI's: an adapter that sends messages as they are removes what its provider would refuse."""


class Transformation(Struct, frozen=True):
    """How an adapter changed a request so that the provider accepts it, or what the gateway
    supplied because the provider's response lacked it. In text, one of:
    ``clamped temperature: 1.4 -> 1 (maximum)``, ``renamed stop -> stop_sequences``,
    ``renamed service_tier: default -> standard_only`` (a value), ``dropped seed: unsupported by
    Cohere``, ``emulated response_format: as a tool call``, ``emulated finish_reason: stop, because
    the provider gave none``."""

    action: Literal["dropped", "renamed", "clamped", "emulated"]
    parameter: str
    """The client's name of it, or a path such as ``messages[].name``."""
    reason: str
    """Why it was dropped, its new name, its old and new value, or how it is emulated."""

    def __str__(self) -> str:
        is_new_name = self.action == "renamed" and " -> " not in self.reason
        separator = " ->" if is_new_name else ":"
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
    """One embeddings call in OpenAI's names and shapes, values verbatim."""

    model: str
    input: Raw
    """A text, or a list of texts or of token lists."""
    parameters: Mapping[str, Raw] = {}
    """All other fields: dimensions, encoding_format, user and unknown ones."""
    native: NativeRequest | None = None
    """The client's own request, if its dialect is not OpenAI's, for a provider of the same format.
    """
    lost: tuple[Transformation, ...] = ()
    """What any other provider is not sent of it."""


class FormBody(Struct, frozen=True):
    """A ``multipart/form-data`` body. ``body[start:end]`` is the name of the model, which is
    replaced."""

    content_type: str
    """Of the request, with its boundary."""
    body: bytes
    start: int
    end: int
    fields: Mapping[str, Raw] = {}
    """Its texts, as those of a JSON body would be: for records and routes, and sent to nobody."""


class RelayedRequest(Struct, frozen=True, kw_only=True):
    """One call of a route whose bodies are passed on: images, audio, moderations, reranking."""

    operation: str
    """The key of it in ``Provider.operations``."""
    model: str
    parameters: Mapping[str, Raw] = {}
    """The fields of a JSON body without the model, each verbatim."""
    form: FormBody | None = None
    """The body where it is no JSON."""
    characters: int | None = None
    """Of the text to speak."""
    native: None = None
    """There is one wire format."""


Request = ChatRequest | EmbeddingsRequest | RelayedRequest


class Target(Struct, frozen=True, kw_only=True):
    """The destination of an attempt: a configured provider, with the key to use."""

    provider: str
    """The configured name, as in the route."""
    base_url: str
    api_key: str | None = None
    options: Mapping[str, Any] = {}
    """Settings of the provider's kind (api_version, region, ...), as configured or as sent."""
    headers: Mapping[str, str] = {}
    """Sent on every request in addition to those that the adapter sets."""
    credentials: Mapping[str, str] = {}
    """From a credential source: ``access_token``, or AWS's ``access_key``, ``secret_key`` and
    ``session_token``."""


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
    """One message of a stream: its payload, its event name if any, and its bytes on the wire."""

    data: bytes
    event: str | None
    raw: bytes


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds. Each is its own error; ``total`` counts from sending to the last byte."""

    connect: float = 10.0
    first_byte: float = 300.0
    idle: float = 120.0
    total: float = 1800.0


class RateLimit(Struct, frozen=True, gc=False):
    """One rate limit of a provider. None is unknown."""

    limit: int | None = None
    remaining: int | None = None
    reset_s: float | None = None
    """Seconds until it is reset."""


RateLimits = Mapping[str, RateLimit]
"""``requests``, ``tokens``, ``input-tokens`` or ``output-tokens`` -> the limit."""
