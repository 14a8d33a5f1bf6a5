"""The engine route, ``POST /api/engine/chat/{provider}``: a chat call with metrics in its reply.

The keys of a reply and their order are fixed. The provider is always asked for a stream, so that
every reply has a measured time to first token. In a streamed reply each object is an OpenAI
``chat.completion.chunk`` with the keys of this route added: the first object has the input, the
last one the whole output and the metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from headway.dialects.base import (
    NDJSON,
    NULL,
    SSE,
    ClientRequest,
    DecodedRequest,
    MessageWithContent,
    OpenAIFormat,
    Recall,
    ResponseContext,
    StreamEncoder,
    decode_object,
    encode_error,
    field,
    read_key_header,
    split_model,
    without_line_breaks,
)
from headway.dialects.chunk_template import MARK, NEVER, cut_template
from headway.dialects.openai.chat_chunks import encode_choices, output_text
from headway.dialects.openai.custom_calls import (
    CustomCalls,
    CustomTools,
    read_custom_tools,
    restore_calls,
)
from headway.errors import HeadwayError, InvalidBody, InvalidField
from headway.events import Event, Started, Text
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Frame, Transformation

DEFAULT_TURNS = 50
ANY = "route"
"""In place of a provider: the model is named as on the other routes, by a name of ``models`` in the
configuration, or as ``provider/model``."""


class SessionOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The field ``session``."""

    remember: bool = False
    """Prepend the messages and answers of the session's earlier calls."""
    max_turns: Annotated[int, Meta(ge=1, le=1000)] = DEFAULT_TURNS
    """Of these, the last ones. A turn begins with a message of the user."""


MODEL = field("model", str, "a string, the provider's own name of the model")
CHAT_INPUT = field(
    "chat_input",
    str | list[MessageWithContent],
    "a string, or a list of messages in OpenAI's chat format, each with a role",
)
PARAMETERS = field("parameters", dict[str, Raw] | None, "an object or null")
IS_STREAM = field("is_stream", bool | None, "true, false or null")
API_KEY = field("api_key", str | None, "a string or null")
SESSION_ID = field("session_id", str | None, "a string or null")
RETRIES = field("retries", int | None, "a whole number from 0 to 10")
BASE_URL = field("base_url", str | None, "a string or null")
API_ENDPOINT = field("api_endpoint", str | None, "a string or null")
API_VERSION = field("api_version", str | None, "a string or null")
STRICT = field("strict", bool | None, "true, false or null")
SESSION = field(
    "session",
    SessionOptions | None,
    "an object with `remember` (true or false) and `max_turns` (a whole number from 1 to 1000)",
)
HAS_END_TOKEN = field("has_end_token", bool | None, "true, false or null")

OPTIONAL = (
    PARAMETERS, IS_STREAM, API_KEY, SESSION_ID, RETRIES, BASE_URL, API_ENDPOINT, API_VERSION,
    HAS_END_TOKEN, STRICT, SESSION,
)  # fmt: skip
ROUTE_FIELDS = frozenset(f.name for f in (MODEL, CHAT_INPUT, *OPTIONAL))
NO_OPTIONS: Mapping[str, Any] = {}
FORWARDED = ("functions", "tools", "tool_choice", "response_format")
"""Top-level fields that are sent to the provider but not listed in the reply's `parameters`."""

DEFAULTS: dict[str, Raw] = {
    "temperature": Raw(b"1"),
    "max_tokens": Raw(b"2048"),
    "top_p": Raw(b"1"),
    "frequency_penalty": Raw(b"0"),
    "presence_penalty": Raw(b"0"),
}
FIELD_INSTEAD = {"model": "model", "messages": "chat_input", "stream": "is_stream"}
"""OpenAI parameters that are fields of this route; as parameters they would have no effect."""
MAX_RETRIES = 10


class EngineFields(Struct, gc=False):
    """The fields that this dialect reads, in one decoding; `_read` names the one that is wrong."""

    model: str
    chat_input: str | list[MessageWithContent]
    parameters: dict[str, Raw] | None = None
    is_stream: bool | None = None
    api_key: str | None = None
    session_id: str | None = None
    retries: int | None = None
    base_url: str | None = None
    api_endpoint: str | None = None
    api_version: str | None = None
    has_end_token: bool | None = None
    """Accepted and ignored: some clients send it, and the reply has no end token."""
    strict: bool | None = None
    session: SessionOptions | None = None


class EngineReply(Struct, gc=False):
    """A whole reply: the keys of the contract in its order, then further ones."""

    id: str
    choices: list[dict[str, Any]]
    created: int
    model: str
    object: str
    system_fingerprint: str | None
    usage: Any
    session_id: str | None
    chat_input: Raw
    chat_output: str
    context: Raw
    provider: str
    timestamp: float
    parameters: Mapping[str, Raw]
    metrics: Struct
    deployment: str | None
    transformations: tuple[Transformation, ...]


class EngineChunk(Struct, omit_defaults=True):
    """One object of a streamed reply; unset fields are left out of the JSON."""

    id: str
    choices: list[dict[str, Any]]
    created: int
    model: str
    object: str
    system_fingerprint: str | None
    usage: Any
    session_id: str | None
    provider: str
    timestamp: float
    chat_output_stream: str
    chat_output: str | None
    metrics: Struct | None
    chat_input: Raw | msgspec.UnsetType = msgspec.UNSET
    context: Raw | msgspec.UnsetType = msgspec.UNSET
    parameters: Mapping[str, Raw] | msgspec.UnsetType = msgspec.UNSET
    deployment: str | msgspec.UnsetType | None = msgspec.UNSET
    transformations: tuple[Transformation, ...] | msgspec.UnsetType = msgspec.UNSET


_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(EngineFields).decode


class Engine(OpenAIFormat):
    """The dialect of the engine route."""

    name = "engine"
    route = "/api/engine/chat/{provider}"
    wire = None
    checks_parameters = True

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        fields = decode_object(client_request.body)
        known = _read(client_request.body, fields)
        given, parameters = _parameters(fields, known.parameters)
        messages, last = _messages(fields["chat_input"], known.chat_input)
        version = known.api_version
        provider, model, name = client_request.argument, known.model, None
        if provider == ANY:
            name = model
            provider, model = split_model(model)
        return DecodedRequest(
            provider=provider,
            model_name=name,
            request=ChatRequest(
                model=model,
                messages=messages,
                parameters=parameters,
                stream=True,
                uses_default_parameters=not given,
            ),
            stream=known.is_stream or False,
            sse=_accepts_sse(client_request),
            api_key=known.api_key or read_key_header(client_request.headers),
            key_field="api_key",
            base_url=known.base_url or known.api_endpoint or None,
            options=NO_OPTIONS if version is None else {"api_version": version},
            retries=None if known.retries is None else _check_retries(known.retries),
            session_id=known.session_id,
            strict=known.strict or False,
            messages=messages,
            chat_input=last,
            recall=None if known.session is None else _find_recall(known.session),
        )

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        call, started = context.call, response.started or Started()
        return _encode(
            EngineReply(
                id=context.id,
                choices=_whole_choices(response, read_custom_tools(context)),
                created=context.created,
                model=call.request.model,
                object="chat.completion",
                system_fingerprint=started.system_fingerprint,
                usage=None if response.usage is None else response.usage.openai_usage,
                session_id=call.session_id,
                chat_input=call.chat_input,
                chat_output=response.output(),
                context=call.messages,
                provider=call.provider,
                timestamp=now,
                parameters=_without_forwarded(context.sent.parameters),
                metrics=metrics,
                deployment=started.model,
                transformations=(*context.transformations, *response.transformations),
            )
        )

    def passes_through(self, body: bytes) -> bool:
        return False

    def stream(self, context: ResponseContext) -> StreamEncoder:
        return EngineStream(context)


class EngineStream:
    """Encodes NDJSON by default, server-sent events where the client accepts them."""

    __slots__ = (
        "_context",
        "_custom_calls",
        "_first",
        "_frame",
        "_started",
        "_started_choices",
        "_template",
        "content_type",
        "is_framed",
        "is_passthrough",
    )

    def __init__(self, context: ResponseContext) -> None:
        self._context = context
        self._first = True
        self._started_choices: set[int] = set()
        """Indexes of the choices whose `role` has been sent."""
        self._custom_calls: CustomCalls | None = None
        """From the first call on."""
        self._started = Started()
        self._template: tuple[bytes, ...] | None = None
        """Template of a chunk that carries only text of the first choice (`chunk_template`)."""
        self._frame: Callable[[bytes], bytes] = _sse_event if context.call.sse else _ndjson_line
        self.is_framed = context.call.sse
        self.is_passthrough = False
        self.content_type = SSE if context.call.sse else NDJSON

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        if self._template is not None and len(events) == 1:
            event = events[0]
            if type(event) is Text and event.index == 0:
                opening, between, timed, closing = self._template
                text = _encode(event.text)
                return b"".join((opening, text, between, _encode(now), timed, text, closing))
        for event in events:
            if type(event) is Started:
                self._started = event
                self._template = None
        found = encode_choices(events)
        if not found:
            return None
        for choice in found:
            if "tool_calls" in choice["delta"]:
                self._restore_custom_calls(choice)
        is_first = self._first
        chunk = _encode(self._chunk(found, output_text(events), now))
        if is_first:
            return self._frame(without_line_breaks(chunk))
        if self._template is None and 0 in self._started_choices:
            marked = self._chunk(encode_choices([Text(MARK)]), MARK, NEVER)
            self._template = cut_template(self._frame(_encode(marked)), texts=2)
        return self._frame(chunk)

    def end(self, response: ResponseAccumulator, metrics: Struct, now: float) -> list[bytes]:
        context = self._context
        last = self._chunk(self._last_choices(response), "", now)
        last.usage = None if response.usage is None else response.usage.openai_usage
        last.chat_output = response.output()
        last.metrics = metrics
        last.deployment = self._started.model
        last.transformations = (*context.transformations, *response.transformations)
        pieces = [self._frame(without_line_breaks(_encode(last)))]
        return [*pieces, b"data: [DONE]\n\n"] if context.call.sse else pieces

    def _restore_custom_calls(self, choice: dict[str, Any]) -> None:
        if self._custom_calls is None:
            self._custom_calls = CustomCalls(read_custom_tools(self._context))
        self._custom_calls.restore(choice)

    def _last_choices(self, response: ResponseAccumulator) -> list[dict[str, Any]]:
        rests = {} if self._custom_calls is None else self._custom_calls.remainders()
        return [
            {
                "index": index,
                "delta": {"tool_calls": rests[index]} if index in rests else {},
                "logprobs": None,
                "finish_reason": choice.finish_reason,
            }
            for index, choice in sorted(response.choices.items())
        ]

    def fail(self, error: HeadwayError) -> list[bytes]:
        context = self._context
        return [self._frame(encode_error(error, context.call.provider, context.request_id))]

    def _chunk(self, found: list[dict[str, Any]], text: str, now: float) -> EngineChunk:
        context = self._context
        chunk = EngineChunk(
            id=context.id,
            choices=[self._add_role(choice) for choice in found],
            created=context.created,
            model=context.call.request.model,
            object="chat.completion.chunk",
            system_fingerprint=self._started.system_fingerprint,
            usage=None,
            session_id=context.call.session_id,
            provider=context.call.provider,
            timestamp=now,
            chat_output_stream=text,
            chat_output=None,
            metrics=None,
        )
        if self._first:
            self._first = False
            chunk.chat_input = context.call.chat_input
            chunk.context = context.call.messages
            chunk.parameters = _without_forwarded(context.sent.parameters)
        return chunk

    def _add_role(self, choice: dict[str, Any]) -> dict[str, Any]:
        if choice["index"] in self._started_choices:
            return choice
        self._started_choices.add(choice["index"])
        return {**choice, "delta": {"role": "assistant", **choice["delta"]}}


def _ndjson_line(data: bytes) -> bytes:
    return data + b"\n"


def _sse_event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


def _whole_choices(response: ResponseAccumulator, tools: CustomTools) -> list[dict[str, Any]]:
    return [
        {
            "finish_reason": choice.finish_reason,
            "index": index,
            "logprobs": choice.logprobs,
            "message": restore_calls(choice.message(), tools),
        }
        for index, choice in sorted(response.choices.items())
    ]


def _find_recall(session: SessionOptions) -> Recall | None:
    return Recall(session_turns=session.max_turns) if session.remember else None


def _read(body: bytes, fields: Mapping[str, Raw]) -> EngineFields:
    try:
        return _decode_fields(body)
    except (msgspec.ValidationError, RecursionError):
        MODEL.require(fields)
        CHAT_INPUT.require(fields)
        for one in OPTIONAL:
            one.read(fields)
        raise InvalidBody("The body is not what this route takes.") from None


def _parameters(fields: dict[str, Raw], own: dict[str, Raw] | None) -> tuple[bool, dict[str, Raw]]:
    """Whether the client gave parameters, and those to send: its own, or the defaults."""
    forwarded = None
    extra = fields.keys() - ROUTE_FIELDS
    if extra:
        forwarded = extra.intersection(FORWARDED)
        extra -= forwarded
    if extra:
        own = {**(own or {}), **{name: fields[name] for name in fields if name in extra}}
    chosen = dict(DEFAULTS) if own is None else own
    if not FIELD_INSTEAD.keys().isdisjoint(chosen):
        name = next(name for name in FIELD_INSTEAD if name in chosen)
        message = f"`{name}` is no parameter of this route: use `{FIELD_INSTEAD[name]}`."
        raise InvalidField(message, param=name)
    for name in FORWARDED if forwarded else ():
        if name in fields and bytes(fields[name]) != NULL:
            chosen[name] = fields[name]
    return own is not None, chosen


def _without_forwarded(parameters: Mapping[str, Raw]) -> Mapping[str, Raw]:
    if parameters.keys().isdisjoint(FORWARDED):
        return parameters
    return {k: v for k, v in parameters.items() if k not in FORWARDED}


def _messages(raw: Raw, parsed: str | list[MessageWithContent]) -> tuple[Raw, Raw]:
    """The messages to send, and the reply's ``chat_input``."""
    if isinstance(parsed, str):
        return Raw(b'[{"role":"user","content":' + bytes(raw) + b"}]"), raw
    if not parsed:
        raise CHAT_INPUT.invalid()
    return raw, parsed[-1].content


def _accepts_sse(client_request: ClientRequest) -> bool:
    for name, value in client_request.headers:
        if name == b"accept" and value.find(b"text/event-stream") >= 0:
            return True
    return False


def _check_retries(retries: int) -> int:
    if not 0 <= retries <= MAX_RETRIES:
        raise RETRIES.invalid()
    return retries
