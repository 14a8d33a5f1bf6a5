"""What a dialect is: the client's side of the wire. The mirror image of a provider.

Rules: pure; bytes of one request in, bytes of one answer out. A dialect decodes the body once and
keeps verbatim what it does not need to understand. All errors raised here are the caller's fault
and name the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Raw, Struct

from headway.dialects.answer import Answer
from headway.errors import HeadwayError, InvalidBody, InvalidField
from headway.types import ChatRequest, Event, Frame, Headers, Request, Transformation

JSON = b"application/json"
SSE = b"text/event-stream; charset=utf-8"
NDJSON = b"application/x-ndjson"
NULL = b"null"


class ClientRequest(Struct, frozen=True, gc=False):
    """One request of a client, read whole. ``argument`` is what the path held, or empty."""

    argument: str
    headers: Headers
    body: bytes


class DecodedRequest(Struct, frozen=True, kw_only=True, gc=False):
    """What a dialect understood of a request."""

    provider: str
    request: Request
    stream: bool = False
    """The client wants a stream."""
    sse: bool = True
    """As server-sent events; else as lines of JSON."""
    api_key: str | None = None
    base_url: str | None = None
    options: Mapping[str, Any] = {}
    """For the provider's adapter: api_version and the like."""
    retries: int = 0
    session_id: str | None = None
    shows_usage: bool = False
    shows_metrics: bool = False
    strict: bool = False
    """Refuse the request where the provider's adapter would have to change it."""
    messages: Raw = Raw(NULL)
    """As the reply shows them, where it does."""
    chat_input: Raw = Raw(NULL)

    @property
    def asks_stream(self) -> bool:
        """Whether the provider is asked for a stream."""
        return isinstance(self.request, ChatRequest) and self.request.stream


class ResponseContext(Struct, frozen=True, kw_only=True, gc=False):
    """What an encoder knows of the call when the answer begins."""

    id: str
    created: int
    call: DecodedRequest
    sent: Request
    """The request as the provider got it: with what was in effect."""
    transformations: tuple[Transformation, ...] = ()
    is_passthrough: bool = False
    """Client and provider speak the same wire: nothing is translated."""


class Stream(Protocol):
    """Encodes one streamed answer; each piece of bytes is to be an HTTP chunk of its own."""

    content_type: bytes
    is_framed: bool
    """Pieces can be told apart by themselves, so that several may share an HTTP chunk."""

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        """One frame; ``now`` is unix seconds. None where there is nothing to show. Where the
        context says ``relays``, the provider's own bytes: a frame that is a piece of text and has
        its end need not come here."""

    def end(self, answer: Answer, metrics: Struct, now: float) -> list[bytes]:
        """What is left to say when the answer is complete and on record."""

    def fail(self, error: HeadwayError) -> list[bytes]: ...


class Dialect(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def route(self) -> str:
        """The path, as the API declares it."""

    @property
    def checks_parameters(self) -> bool:
        """Whether the gateway judges parameters, or leaves that to the provider."""

    @property
    def wire(self) -> str | None:
        """The wire format that it shares with providers, where it does."""

    def decode(self, inbound: ClientRequest) -> DecodedRequest:
        """Raises InvalidBody, InvalidField."""

    def encode(
        self, context: ResponseContext, answer: Answer, metrics: Struct, now: float
    ) -> bytes: ...

    def stream(self, context: ResponseContext) -> Stream: ...


_read_object = msgspec.json.Decoder(dict[str, Raw]).decode


def decode_object(body: bytes) -> dict[str, Raw]:
    """The fields of a JSON object, each verbatim. Raises InvalidBody."""
    try:
        if not body.isascii():
            str(body, "utf-8")  # what is kept verbatim is decoded by nobody here
        return _read_object(body)
    except msgspec.ValidationError:
        raise InvalidBody("The body must be a JSON object.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidBody(f"The body is not valid JSON: {exc}.") from None
    except RecursionError:
        raise InvalidBody("The body is nested too deeply.") from None


class Field(Struct, frozen=True):
    """A field that a dialect reads: how, and what to tell the caller who sent another thing."""

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


def one_line(data: bytes) -> bytes:
    """The same JSON with no line break in it, for wires where one ends the message: what is kept
    verbatim may be indented. Within a JSON string there are none (RFC 8259, section 7)."""
    if data.find(b"\n") >= 0 or data.find(b"\r") >= 0:  # ``in`` takes ten times as long
        return data.replace(b"\n", b" ").replace(b"\r", b" ")
    return data


class MessageHead(Struct, gc=False):
    """What is checked of a message; the rest is the provider's to judge."""

    role: str


class Message(MessageHead, gc=False):
    """One whose content is read."""

    content: Raw = Raw(NULL)


def encode_error(error: HeadwayError, provider: str | None, request_id: str) -> bytes:
    """The error object of every route: seven fields, never a key in one."""
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
