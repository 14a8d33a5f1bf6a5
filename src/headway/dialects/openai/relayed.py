"""OpenAI's routes for images, audio and moderations, whose bodies are passed on: JSON, forms with
files, server-sent events, or bytes (platform.openai.com/docs/api-reference: Images, Audio,
Moderations).

``model`` may stand anywhere in a form, also behind the file. Only its value is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import (
    MODEL,
    SSE,
    ClientRequest,
    ConvertedRequest,
    DecodedRequest,
    OpenAIFormat,
    ResponseContext,
    StreamEncoder,
    decode_object,
    encode_error,
    field,
    read_key_header,
    refuse_target_fields,
    split_model,
)
from headway.dialects.openai.form_fields import read_fields
from headway.errors import HeadwayError, InvalidBody, InvalidField
from headway.events import Event
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, FormBody, Frame, RelayedRequest
from headway.wire.multipart import FORM_DATA, Part, find_boundary, find_parts, media_type

TEXT = field("input", str, "a text")
JSON_TYPES = ("", "application/json", "text/plain")
"""Pages send the last one to spare themselves a preflight request (WHATWG Fetch, "CORS-safelisted
request-header")."""
EVENT_STREAM = SSE.partition(b";")[0]
MODERATION = "omni-moderation-latest"
SPEECH = "audio/speech"


class Body(Struct, frozen=True):
    """The fields of a body that the gateway reads, and the body without the model."""

    model: str
    parameters: Mapping[str, Raw] = {}
    form: FormBody | None = None
    stream: bool = False
    is_audio: bool = False
    """The text is to be spoken as bytes, not as events."""
    characters: int | None = None


class OpenAIRelayed(OpenAIFormat):
    """The dialect of one route. ``default_model`` is used where the client names none."""

    checks_parameters = False
    wire = None

    def __init__(
        self, operation: str, *, takes_forms: bool = False, default_model: str | None = None
    ) -> None:
        self.operation = operation
        self.route = f"/v1/{operation}"
        self.name = f"openai_{operation.replace('/', '_')}"
        self._takes_forms = takes_forms
        self._default_model = default_model

    def passes_through(self, body: bytes) -> bool:
        return False

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        body = self._read(client_request)
        provider, model = split_model(body.model)
        request = RelayedRequest(
            operation=self.operation,
            model=model,
            parameters=body.parameters,
            form=body.form,
            characters=body.characters,
        )
        return DecodedRequest(
            provider=provider,
            model_name=body.model,
            request=request,
            stream=body.stream,
            sse=not body.is_audio,
            api_key=read_key_header(client_request.headers),
        )

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        raise TypeError("the bodies of this route are no chat")  # decode() makes no ChatRequest

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        return response.body

    def stream(self, context: ResponseContext) -> StreamEncoder:
        return RelayEncoder(context)

    # --- Requests ---------------------------------------------------------------------------------

    def _read(self, client_request: ClientRequest) -> Body:
        content_type = _content_type(client_request)
        kind = media_type(content_type)
        if kind == FORM_DATA and self._takes_forms:
            return _read_form(content_type, client_request.body)
        try:
            fields = decode_object(client_request.body)
        except InvalidBody:
            if kind in JSON_TYPES or kind.endswith("+json"):
                raise
            known = f"application/json{f' or {FORM_DATA}' if self._takes_forms else ''}"
            message = f"The content-type of this route is {known}; it is {kind[:100]!r}."
            raise InvalidField(message, param="content-type", status=415) from None
        refuse_target_fields(fields)
        is_speech = self.operation == SPEECH
        if self._default_model is not None and bytes(fields.get("model", b"null")) == b"null":
            model = self._default_model
        else:
            model = MODEL.require(fields)
        fields.pop("model", None)
        wants_events = bytes(fields.get("stream_format", b"")) == b'"sse"'
        return Body(
            model,
            fields,
            stream=is_speech or bytes(fields.get("stream", b"")) == b"true",
            is_audio=is_speech and not wants_events,
            characters=len(TEXT.require(fields)) if is_speech else None,
        )


def _content_type(client_request: ClientRequest) -> str:
    values = [value for name, value in client_request.headers if name == b"content-type"]
    return values[0].decode("latin-1") if values else ""


def _read_form(content_type: str, body: bytes) -> Body:
    """Raises InvalidBody, InvalidField."""
    try:
        parts = find_parts(body, find_boundary(content_type))
    except ValueError as error:
        raise InvalidBody(f"The form is malformed: {error}.") from None
    refuse_target_fields({part.name: Raw(b"") for part in parts})
    model = _only_model(parts)
    return Body(
        _model_name(body[model.start : model.end]),
        form=FormBody(content_type, body, model.start, model.end, read_fields(parts, body)),
        stream=any(_is_true(part, body) for part in parts if part.name == "stream"),
    )


def _only_model(parts: list[Part]) -> Part:
    found = [part for part in parts if part.name == "model"]
    if not found:
        message = "`model` is missing: it must be a field of the form, provider/model."
        raise InvalidField(message, param="model")
    if len(found) > 1 or found[0].is_file:
        raise InvalidField("`model` must be one field of the form, and no file.", param="model")
    return found[0]


def _model_name(value: bytes) -> str:
    """The line break of a file that a tool reads the value from is not part of it."""
    try:
        name = value.decode().strip()
    except UnicodeDecodeError:
        raise InvalidField("`model` is no UTF-8.", param="model") from None
    if not name or not name.isprintable():
        raise InvalidField("`model` must be a text of one line, provider/model.", param="model")
    return name


def _is_true(part: Part, body: bytes) -> bool:
    return body[part.start : part.end].strip().lower() == b"true"


# --- Streams --------------------------------------------------------------------------------------


class RelayEncoder:
    """A ``StreamEncoder`` that passes everything on: events, or bytes of another media type."""

    is_passthrough = True
    is_framed = False

    def __init__(self, context: ResponseContext) -> None:
        self._context = context
        self.content_type = SSE
        """The provider's, as soon as it is known."""

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        return frame.raw

    def end(self, response: ResponseAccumulator, metrics: Struct, now: float) -> list[bytes]:
        """The metrics are a comment (WHATWG HTML, section 9.2.7): the events are the provider's.
        Other media types have no place for them."""
        if not (self._context.call.shows_metrics and self.content_type.startswith(EVENT_STREAM)):
            return []
        return [b": headway.metrics " + msgspec.json.encode(metrics) + b"\n"]

    def fail(self, error: HeadwayError) -> list[bytes]:
        """Nothing can be said inside of other media types: the connection is closed."""
        if not self.content_type.startswith(EVENT_STREAM):
            return []
        call = self._context.call
        return [b"data: " + encode_error(error, call.provider, self._context.request_id) + b"\n\n"]


ROUTES: tuple[OpenAIRelayed, ...] = (
    OpenAIRelayed("moderations", default_model=MODERATION),
    OpenAIRelayed("images/generations"),
    OpenAIRelayed("images/edits", takes_forms=True),
    OpenAIRelayed("images/variations", takes_forms=True),
    OpenAIRelayed(SPEECH),
    OpenAIRelayed("audio/transcriptions", takes_forms=True),
    OpenAIRelayed("audio/translations", takes_forms=True),
)
