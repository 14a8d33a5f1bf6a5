"""The interface of a dialect, a wire format that clients speak. The counterpart of a provider.

Rules: pure functions from the bytes of a request to values, and from values to the bytes of a
response. A dialect decodes the body once and keeps fields that it does not read verbatim. Every
error raised here is the client's and names the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec import Raw, Struct

from headway.dialects.rate_limits import RateLimitWriter, no_rate_limits, write_rate_limits
from headway.errors import HeadwayError, InvalidBody, InvalidField
from headway.events import Event
from headway.response_accumulator import ResponseAccumulator
from headway.types import (
    ChatRequest,
    Frame,
    Headers,
    HeadFacts,
    RateLimits,
    Request,
    Transformation,
)

JSON = b"application/json"
SSE = b"text/event-stream; charset=utf-8"
NDJSON = b"application/x-ndjson"
NULL = b"null"
KEY_HEADER = "x-headway-provider-key"
"""The header with a client's own key for the provider."""


ConvertedRequest = tuple[ChatRequest, tuple[Transformation, ...]]


class ClientRequest(Struct, frozen=True, gc=False):
    """One client request, read whole. ``argument`` is the path's parameter, or empty."""

    argument: str
    headers: Headers
    body: bytes
    query: str = ""
    """The query of the request target, without the question mark."""
    facts: HeadFacts | None = None
    """Of its head, where that was read before."""


class ReplyStorage(Protocol):
    """How a reply is kept for clients that ask for it again."""

    def whole_reply(
        self, context: ResponseContext, response: ResponseAccumulator, last_piece: bytes
    ) -> bytes:
        """The reply as one JSON object; ``last_piece`` is that, or the last bytes of its stream."""

    def prepare(self, reply: bytes) -> tuple[bytes, tuple[str, ...]]:
        """What is kept of the reply, and the ids in it under which it is asked for; those that
        the gateway made of the call's id are not among them."""


class Recall(Struct, frozen=True, kw_only=True, gc=False):
    """What a request refers to of earlier calls."""

    session_turns: int | None = None
    """The messages of the session, at most this many turns of it."""
    previous_response_id: str | None = None
    """The whole conversation up to this response."""
    item_ids: tuple[str, ...] = ()
    """Items of earlier responses."""


class DecodedRequest(Struct, frozen=True, kw_only=True, gc=False):
    """A client request as its dialect decoded it."""

    provider: str
    """Its configured name. Empty where ``model_name`` has none."""
    request: Request
    model_name: str | None = None
    """The ``model`` that the client sent, where it names the provider, too: ``provider/model``, an
    alias, or a model's name alone. None: the route names the provider."""
    stream: bool = False
    """The client wants a stream."""
    sse: bool = True
    """Stream as server-sent events; otherwise as NDJSON."""
    keep_alive: bytes | None = None
    """Sent in a silent stream instead of a comment, for clients that cannot read one."""
    api_key: str | None = None
    """The client's own key for the provider."""
    key_field: str = KEY_HEADER
    """The field or header in which a client of this route sends one, for error messages."""
    base_url: str | None = None
    options: Mapping[str, Any] = {}
    """Options for the provider's adapter, such as ``api_version``."""
    retries: int | None = None
    """Further attempts on the same target; None: none is asked for."""
    timeout_s: float | None = None
    """Seconds that the client gives the whole call."""
    allows_fallbacks: bool = True
    """Another target may follow where the first one fails."""
    requires_parameters: bool = False
    """Only for a provider that gets all parameters."""
    session_id: str | None = None
    session_hint: str | None = None
    """A field of another purpose that tells sessions apart; used where no header names one."""
    user: str | None = None
    """The end user, where a header names one."""
    tags: tuple[str, ...] = ()
    """Those in headers."""
    shows_usage: bool = False
    shows_metrics: bool = False
    """The client asks for the metrics: in a stream's last event, or in a header."""
    strict: bool = False
    """Refuse the request if the provider's adapter would have to transform it."""
    messages: Raw = Raw(NULL)
    """The messages for the reply's ``context`` (engine route only)."""
    chat_input: Raw = Raw(NULL)
    recall: Recall | None = None
    """What ``pipeline.history`` completes the request with."""
    history: tuple[Raw, ...] = ()
    """Earlier items of the conversation that the provider has already."""
    reply_storage: ReplyStorage | None = None
    """The client may ask for the reply again, if the gateway keeps it."""
    own_reply: Callable[[float], bytes] | None = None
    """Encodes the gateway's own reply, given the unix time in seconds, to a request that means
    something to providers of the client's wire format only, such as to load a model. For any other
    provider it is the whole reply, and no provider is called and no record written."""

    @property
    def asks_stream(self) -> bool:
        """Whether the provider is asked for a stream."""
        return isinstance(self.request, ChatRequest) and self.request.stream


class ResponseContext(Struct, frozen=True, kw_only=True, gc=False):
    """The facts about a request that the encoders of its response need."""

    id: str
    """Of the response."""
    request_id: str
    created: int
    call: DecodedRequest
    sent: Request
    """The request that the provider was sent, with the parameters in effect."""
    transformations: tuple[Transformation, ...] = ()
    is_passthrough: bool = False
    """Client and provider speak the same wire format, so the provider's bytes are passed on."""
    is_stored: bool = False
    """The reply is kept for clients that ask for it again."""
    id_header: bytes = b""
    """``Dialect.id_header``."""
    write_rate_limits: RateLimitWriter = no_rate_limits
    """``Dialect.write_rate_limits``."""
    headers: Headers = ()
    """Further headers of the response."""


class StreamEncoder(Protocol):
    """Encodes one streamed response; each piece of bytes is sent as one HTTP chunk."""

    content_type: bytes
    is_passthrough: bool
    """The provider's frames are passed through. It may become False in the middle of a stream."""
    is_framed: bool
    """Pieces are self-delimiting, so several of them may share an HTTP chunk."""

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        """Encode one frame; ``now`` is unix seconds. None where the client gets nothing for it. A
        frame without bytes cannot be passed through: only its events are encoded.
        While ``is_passthrough`` it returns the provider's own bytes; complete frames that carry
        only text need not be passed in then."""

    def end(self, response: ResponseAccumulator, metrics: Struct, now: float) -> list[bytes]:
        """The last pieces, when the response is complete and on record."""

    def fail(self, error: HeadwayError) -> list[bytes]: ...


class Dialect(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def route(self) -> str:
        """The path template, as in the API documentation."""

    @property
    def checks_parameters(self) -> bool:
        """Whether the gateway checks parameters, or leaves that to the provider."""

    @property
    def parameter_paths(self) -> Mapping[str, str]:
        """Where a parameter of OpenAI's chat format stands in its requests, if that is elsewhere:
        OpenAI's name -> another name, or the names of an object and of a field in it with a dot
        between them."""

    @property
    def wire(self) -> str | None:
        """The ``Provider.wire`` that it can pass through, or None."""

    @property
    def id_header(self) -> bytes:
        """The header in which its clients look for the id of a request, besides x-request-id; empty
        if there is none."""

    def passes_through(self, body: bytes) -> bool:
        """Whether a whole response of this wire format may be sent as it is."""

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        """Raises InvalidBody, InvalidField."""

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        """A request with ``native`` in OpenAI's chat format, for a provider of another wire format,
        and what that format cannot carry. Raises RequestError."""

    def encode_error(self, error: HeadwayError, provider: str | None, request_id: str) -> bytes:
        """The body of an error response. ``error.message`` must contain no secret."""

    def status_of(self, error: HeadwayError) -> int:
        """The HTTP status of an error response."""

    def write_rate_limits(self, limits: RateLimits, now: float) -> Headers:
        """A ``RateLimitWriter``: the headers of a provider's limits, as its clients know them."""

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes: ...

    def stream(self, context: ResponseContext) -> StreamEncoder: ...


_read_string = msgspec.json.Decoder(str).decode
_read_object = msgspec.json.Decoder(dict[str, Raw]).decode


def decode_object(body: bytes) -> dict[str, Raw]:
    """The fields of a JSON object, each verbatim. Raises InvalidBody."""
    try:
        if not body.isascii():
            str(body, "utf-8")  # raw values are not decoded here, so check their UTF-8
        return _read_object(body)
    except msgspec.ValidationError:
        raise InvalidBody("The body must be a JSON object.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidBody(f"The body is not valid JSON: {exc}.") from None
    except RecursionError:
        raise InvalidBody("The body is nested too deeply.") from None


class Field(Struct, frozen=True):
    """A field that a dialect reads: its decoder, and the description for error messages."""

    name: str
    decoder: msgspec.json.Decoder[Any]
    expected: str

    def read(self, fields: Mapping[str, Raw]) -> Any:
        """The value, or None where it is absent or null. Raises InvalidField."""
        raw = fields.get(self.name)
        if raw is None:
            return None
        try:
            return self.decoder.decode(raw)
        except msgspec.DecodeError as exc:
            raise self.invalid(exc) from None
        except RecursionError:
            raise InvalidField(f"`{self.name}` is nested too deeply.", param=self.name) from None

    def invalid(self, exc: Exception | None = None) -> InvalidField:
        why = f" ({exc})" if exc and " - at " in str(exc) else ""
        return InvalidField(f"`{self.name}` must be {self.expected}{why}.", param=self.name)

    def require(self, fields: Mapping[str, Raw]) -> Any:
        if self.name not in fields:
            message = f"`{self.name}` is missing: it must be {self.expected}."
            raise InvalidField(message, param=self.name)
        value = self.read(fields)
        if value is None:
            raise self.invalid()
        return value


def field(name: str, kind: Any, expected: str) -> Field:
    return Field(name, msgspec.json.Decoder(kind), expected)


MODEL = field("model", str, "a string, provider/model")
STREAM = field("stream", bool | None, "true, false or null")
STRICT = field("strict", bool | None, "true, false or null")


class OwnFields(NamedTuple):
    """What a body says to the gateway."""

    model_name: str
    """As the client wrote it, with the provider."""
    provider: str
    model: str
    stream: bool
    strict: bool


def take_own_fields(fields: dict[str, Raw]) -> OwnFields:
    """The gateway's own fields, taken out of a body that a provider may get as it is. Raises
    InvalidField."""
    model_name = MODEL.require(fields)
    provider, model = split_model(model_name)
    stream, strict = bool(STREAM.read(fields)), bool(STRICT.read(fields))
    refuse_target_fields(fields)
    for name in ("model", "stream", "strict"):
        fields.pop(name, None)
    return OwnFields(model_name, provider, model, stream, strict)


_KEY_HEADER = KEY_HEADER.encode()
_name = itemgetter(0)


def read_key_header(headers: Headers) -> str | None:
    """The client's own key for the provider; None where the header is absent or empty. Raises
    InvalidField."""
    if _KEY_HEADER not in map(_name, headers):  # mostly, and a loop would take three times as long
        return None
    return next(_header_key(value) or None for name, value in headers if name == _KEY_HEADER)


def _header_key(value: bytes) -> str:
    key = value.strip(b" \t")
    if any(not 0x20 < byte < 0x7F for byte in key):
        message = f"`{KEY_HEADER}` must be a key: visible ASCII characters without blanks."
        raise InvalidField(message, param=KEY_HEADER)
    return key.decode()


def read_cache_key(fields: Mapping[str, Raw]) -> str | None:
    """OpenAI's ``prompt_cache_key``, which agents set to the id of their conversation
    (platform.openai.com/docs/guides/prompt-caching). None where it is absent or no string."""
    raw = fields.get("prompt_cache_key")
    return None if raw is None else _read_text(raw)


def _read_text(raw: Raw) -> str | None:
    """The string that ``raw`` is; None for any other value."""
    try:
        return _read_string(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def refuse_target_fields(fields: Mapping[str, Raw]) -> None:
    """Raise InvalidField for a key or an address in a body that is sent on to the provider: both
    would be in the provider's hands, and without effect."""
    if "api_key" in fields:
        message = f"`api_key` in a body would be sent to the provider: use the header {KEY_HEADER}."
        raise InvalidField(message, param="api_key")
    if "base_url" in fields:
        raise InvalidField(
            "This route takes no `base_url`: configure a provider with that address, or send it to "
            "POST /api/engine/chat/PROVIDER.",
            param="base_url",
        )


def without_line_breaks(data: bytes) -> bytes:
    """The same JSON without line breaks, for wire formats in which one ends the message: verbatim
    values may be indented. JSON strings contain none (RFC 8259, section 7)."""
    if data.find(b"\n") >= 0 or data.find(b"\r") >= 0:  # ``in`` takes ten times as long
        return data.replace(b"\n", b" ").replace(b"\r", b" ")
    return data


def add_metrics(data: bytes, metrics: Struct) -> bytes:
    """A JSON object, or an event with one, and ``metrics`` as one more member at its end."""
    at = data.rindex(b"}")
    return b'%b,"metrics":%b%b' % (data[:at], msgspec.json.encode(metrics), data[at:])


class MessageWithRole(Struct, gc=False):
    """The part of a message that the gateway checks; the provider checks the rest."""

    role: str


class MessageWithContent(MessageWithRole, gc=False):
    """A message whose content is read as well."""

    content: Raw = Raw(NULL)


def split_model(model: str) -> tuple[str, str]:
    """The provider and the model of ``provider/model``; the provider is empty where none is named.
    The pipeline finds it then (``pipeline/model_names.py``)."""
    provider, slash, name = model.partition("/")
    return (provider, name) if provider and slash and name else ("", model)


class OpenAIFormat:
    """What dialects have in common whose requests and errors are in OpenAI's format."""

    id_header = b""
    parameter_paths: Mapping[str, str] = {}
    write_rate_limits = staticmethod(write_rate_limits)

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        return request, ()

    def encode_error(self, error: HeadwayError, provider: str | None, request_id: str) -> bytes:
        return encode_error(error, provider, request_id)

    def status_of(self, error: HeadwayError) -> int:
        return error.status


class EmbeddingsDialect:
    """What dialects of embeddings have in common: their responses are whole, and always encoded."""

    checks_parameters = False
    parameter_paths: Mapping[str, str] = {}

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        raise TypeError("embeddings are no chat")  # decode() never makes a ChatRequest

    def passes_through(self, body: bytes) -> bool:
        return False

    def stream(self, context: ResponseContext) -> StreamEncoder:
        raise TypeError("embeddings are not streamed")  # decode() never sets `stream`


def encode_error(error: HeadwayError, provider: str | None, request_id: str) -> bytes:
    """The error object of the engine route, of OpenAI's routes, and of those without a dialect.
    ``error.message`` must contain no secret."""
    return msgspec.json.encode(
        {
            "error": {
                "type": error.type,
                "message": error.message,
                "provider": error.provider or provider,
                "param": error.param,
                "code": error.code,
                "request_id": error.request_id or request_id,
                "retry_after_s": error.retry_after_s,
            }
        }
    )
