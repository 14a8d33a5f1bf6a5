"""``POST /v1/chat/completions``: OpenAI's chat completions, with ``provider/model`` as the model.

The response of a provider with the same wire format is passed through byte for byte, with these
exceptions: the gateway always asks for usage, and removes the usage chunk where the client did not
ask for it; frames without content are left out; a response in another shape than OpenAI's is
translated, from the first chunk on that has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import (
    MODEL,
    SSE,
    STREAM,
    STRICT,
    ClientRequest,
    ConvertedRequest,
    DecodedRequest,
    MessageWithRole,
    OpenAIFormat,
    ResponseContext,
    StreamEncoder,
    decode_object,
    encode_error,
    field,
    read_cache_key,
    read_key_header,
    refuse_target_fields,
    split_model,
    take_own_fields,
    without_line_breaks,
)
from headway.dialects.chunk_template import MARK, cut_template
from headway.dialects.input_items.convert import (
    WIRE,
    check_fields,
    convert_fields,
    prompt_messages,
)
from headway.dialects.input_items.stored import find_recall
from headway.dialects.openai.chat_chunks import Counts, encode_choices
from headway.dialects.openai.completion_shape import TextChunk
from headway.dialects.openai.custom_calls import CustomCalls, read_custom_tools, restore_calls
from headway.dialects.openai.standard_shape import (
    StandardChunk,
    is_standard_completion,
    read_standard_chunk,
)
from headway.dialects.openai.standard_usage import standard_usage
from headway.dialects.openai.stream_options import take_metrics_option
from headway.errors import HeadwayError, InvalidBody
from headway.events import (
    Event,
    ModelReported,
    Reasoning,
    Rewritten,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    UsageReported,
)
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Frame, NativeRequest
from headway.wire.json_repair import is_utf8

MESSAGES = field("messages", list[MessageWithRole], "a list of messages, each with a role")
STREAM_OPTIONS = field("stream_options", dict[str, Any] | None, "an object or null")
DELTA_EVENTS = frozenset({Reasoning, ToolArguments})
"""Most frames of some streams. One alone continues what a frame that was checked began."""
REWRITTEN = Rewritten()
UNSEEN = frozenset({ServiceTierReported, ModelReported})
"""Events that may come beside others and that no client sees."""
END_MARK = b"data: [DONE]\n\n"
YES = Raw(b"true")
OPTIONAL = frozenset(
    {
        *("stream", "stream_options", "strict", "store", "prompt_cache_key"),
        *("api_key", "base_url"),  # which are refused
    }
)
"""The fields that ``OpenAIChat.decode`` reads besides the model and the messages."""
BLANK_LINES = (b"\n\n", b"\r\n\r\n", b"\r\r")

_encode = msgspec.json.Encoder().encode


class ChatFields(Struct, gc=False):
    """The fields that this dialect reads, in one decoding; `_read` names the one that is wrong."""

    model: str
    messages: list[MessageWithRole]
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    strict: bool | None = None


_decode_fields = msgspec.json.Decoder(ChatFields).decode


class OpenAIChat(OpenAIFormat):
    """The dialect of ``/v1/chat/completions``."""

    name = "openai_chat"
    route = "/v1/chat/completions"
    wire = "openai_chat"
    checks_parameters = False

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        fields = decode_object(client_request.body)
        if "messages" not in fields and "input" in fields:
            return _decode_items(client_request, fields)
        known = _read(client_request.body, fields)
        provider, model = split_model(known.model)
        api_key = read_key_header(client_request.headers)
        messages = fields.pop("messages")
        del fields["model"]  # present: ``_read`` requires it
        if OPTIONAL.isdisjoint(fields):  # mostly, where no stream is asked for
            request = ChatRequest(model=model, messages=messages, parameters=fields)
            return DecodedRequest(
                provider=provider, request=request, model_name=known.model, api_key=api_key
            )
        stream, options = known.stream or False, known.stream_options
        fields.pop("stream", None)
        fields.pop("strict", None)
        refuse_target_fields(fields)
        shows_metrics = take_metrics_option(fields)
        request = ChatRequest(model=model, messages=messages, parameters=fields, stream=stream)
        return DecodedRequest(
            provider=provider,
            request=request,
            model_name=known.model,
            stream=stream,
            api_key=api_key,
            session_hint=read_cache_key(fields),
            shows_usage=options is not None and bool(options.get("include_usage")),
            strict=known.strict or False,
            shows_metrics=shows_metrics,
            reply_storage=CHAT_STORAGE if fields.get("store") == YES else None,
        )

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        return convert_fields(request) if request.native is not None else (request, ())

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        """For a provider with another wire format; a passthrough response is not encoded."""
        started, tools = response.started or Started(), read_custom_tools(context)
        return _encode(
            {
                "id": started.id or context.id,
                "object": "chat.completion",
                "created": started.created or context.created,
                "model": started.model or context.sent.model,
                "choices": [
                    {
                        "index": index,
                        "message": restore_calls(_without_nulls(choice.message()), tools),
                        "logprobs": choice.logprobs,
                        "finish_reason": choice.finish_reason,
                    }
                    for index, choice in sorted(response.choices.items())
                ],
                "usage": standard_usage(response.usage),
                "system_fingerprint": started.system_fingerprint,
            }
        )

    def passes_through(self, body: bytes) -> bool:
        return is_standard_completion(body)

    def stream(self, context: ResponseContext) -> StreamEncoder:
        return OpenAIChatStream(context)


class OpenAIChatStream:
    __slots__ = (
        "_context",
        "_custom_calls",
        "_finished_choices",
        "_list_counts",
        "_started",
        "_started_choices",
        "_template",
        "content_type",
        "is_framed",
        "is_passthrough",
    )

    def __init__(self, context: ResponseContext) -> None:
        self._context = context
        self.is_passthrough = context.is_passthrough
        self._started = Started()
        self._template: tuple[bytes, ...] | None = None
        """Template of a chunk that carries only text of the first choice (`chunk_template`)."""
        self._started_choices: set[int] = set()
        """Indexes of the choices whose `role` has been sent."""
        self._finished_choices: set[int] = set()
        """Indexes of the choices whose finish reason was passed through."""
        self._custom_calls: CustomCalls | None = None
        """From the first call of a translated stream on."""
        self._list_counts: Counts = {}
        self.content_type = SSE
        self.is_framed = True

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        if self.is_passthrough:
            is_delta = len(events) == 1 and type(events[0]) in DELTA_EVENTS
            if is_delta and frame.data and (frame.data.isascii() or is_utf8(frame.data)):
                return passed_through(frame)
            if self._is_withheld(events):
                return None
            chunk = None if REWRITTEN in events else read_standard_chunk(frame.data)
            if chunk is not None and not self._says_less(chunk):
                self._note(chunk, events)
                return passed_through(frame)
            if not events:
                return None
            self.is_passthrough = False
        return self._translate(events)

    def _says_less(self, chunk: StandardChunk) -> bool:
        """Whether a choice that has finished finishes again, with a reason that says less: clients
        take the last one."""
        return any(
            choice.finish_reason == "stop" and choice.index in self._finished_choices
            for choice in chunk.choices
        )

    def _note(self, chunk: StandardChunk | TextChunk, events: list[Event]) -> None:
        """Note what a later translation must not repeat, and what it needs."""
        if events and type(events[0]) is Started:
            self._started = events[0]
        for choice in chunk.choices:
            self._started_choices.add(choice.index)
            if choice.finish_reason is not None:
                self._finished_choices.add(choice.index)

    def _is_withheld(self, events: list[Event]) -> bool:
        """Usage that the client did not ask for, and the end mark: the gateway writes that itself,
        once the record is on disk."""
        if len(events) != 1 and not (events and all(type(each) in UNSEEN for each in events[:-1])):
            return False
        kind = type(events[-1])
        return kind is StreamEnd or (kind is UsageReported and not self._context.call.shows_usage)

    def _translate(self, events: list[Event]) -> bytes | None:
        if self._template is not None and len(events) == 1:
            event = events[0]
            if type(event) is Text and event.index == 0:
                return _encode(event.text).join(self._template)
        for event in events:
            if type(event) is Started:
                self._started = event
                self._template = None
        found = encode_choices(events, self._list_counts)
        if not found:
            return None
        for choice in found:
            if "tool_calls" in choice["delta"]:
                self._restore_custom_calls(choice)
            if choice["index"] not in self._started_choices:
                self._started_choices.add(choice["index"])
                choice["delta"] = {"role": "assistant", **choice["delta"]}
        if self._template is None and 0 in self._started_choices:
            self._template = cut_template(
                self._event(self._chunk(encode_choices([Text(MARK)]))), texts=1
            )
        return self._event(self._chunk(found))

    def _restore_custom_calls(self, choice: dict[str, Any]) -> None:
        if self._custom_calls is None:
            self._custom_calls = CustomCalls(read_custom_tools(self._context))
        self._custom_calls.restore(choice)

    def _rest_of_custom_calls(self) -> list[bytes]:
        if self._custom_calls is None:
            return []
        last = [
            {
                "index": index,
                "delta": {"tool_calls": calls},
                "logprobs": None,
                "finish_reason": None,
            }
            for index, calls in self._custom_calls.remainders().items()
        ]
        return [self._event(self._chunk(last))] if last else []

    def end(self, response: ResponseAccumulator, metrics: Struct, now: float) -> list[bytes]:
        pieces = [*self._rest_of_custom_calls(), *self._finish_reasons(response)]
        if not self.is_passthrough or response.is_usage_merged:
            pieces += self._usage(response)
        if self._context.call.shows_metrics:
            pieces.append(self._event({**self._chunk([]), "metrics": metrics}))
        return [*pieces, END_MARK]

    def _finish_reasons(self, response: ResponseAccumulator) -> list[bytes]:
        """The chunk with the finish reasons of a translated stream; of one that is passed through,
        those that the provider lacks."""
        choices = response.inferred if self.is_passthrough else response.choices.keys()
        last: list[dict[str, Any]] = [
            self._last_choice(index, response.choices[index].finish_reason)
            for index in sorted(choices - self._finished_choices)
        ]
        return [self._event(self._chunk(last))] if last else []

    def _last_choice(self, index: int, reason: str | None) -> dict[str, Any]:
        return {"index": index, "delta": {}, "logprobs": None, "finish_reason": reason}

    def _usage(self, response: ResponseAccumulator) -> list[bytes]:
        """The chunk with the usage, if the client asked for it: of a translated stream; and of one
        that is passed through whose last usage lacks something."""
        usage = standard_usage(response.usage)
        if not self._context.call.shows_usage or usage is None:
            return []
        return [self._event({**self._chunk([]), "usage": usage})]

    def fail(self, error: HeadwayError) -> list[bytes]:
        call = self._context.call
        return [b"data: " + encode_error(error, call.provider, self._context.request_id) + b"\n\n"]

    def _chunk(self, found: list[dict[str, Any]]) -> dict[str, Any]:
        started, context = self._started, self._context
        return {
            "id": started.id or context.id,
            "object": "chat.completion.chunk",
            "created": started.created or context.created,
            "model": started.model or context.sent.model,
            "system_fingerprint": started.system_fingerprint,
            "choices": found,
        }

    def _event(self, value: Any) -> bytes:
        return b"data: " + without_line_breaks(_encode(value)) + b"\n\n"


class CompletionId(Struct):
    id: str = ""


_decode_id = msgspec.json.Decoder(CompletionId).decode


class ChatStorage:
    """A ``ReplyStorage`` of completions (platform.openai.com/docs/api-reference/chat/get)."""

    def whole_reply(
        self, context: ResponseContext, response: ResponseAccumulator, last_piece: bytes
    ) -> bytes:
        if last_piece.lstrip()[:1] == b"{":
            return last_piece
        return OpenAIChat().encode(context, response, CompletionId(), context.created)

    def prepare(self, reply: bytes) -> tuple[bytes, tuple[str, ...]]:
        return reply, (_decode_id(reply).id,)


CHAT_STORAGE = ChatStorage()


def passed_through(frame: Frame) -> bytes:
    """The frame's own bytes; only the data of one with other fields before it, which OpenAI's have
    not: its SDKs keep an id for all events that follow, and read an empty line then as an event,
    and a named event as something else (openai-python, _streaming.py; openai-node, streaming.ts).
    """
    if not frame.raw.startswith(b"data:"):
        return b"data: " + without_line_breaks(frame.data) + b"\n\n"
    # Some streams lack their last blank line; the next event would then join this one.
    return frame.raw if frame.raw.endswith(BLANK_LINES) else frame.raw + BLANK_LINES[0]


def _read(body: bytes, fields: Mapping[str, Raw]) -> ChatFields:
    try:
        known = _decode_fields(body)
    except (msgspec.ValidationError, RecursionError):
        for one in (MODEL, MESSAGES):
            one.require(fields)
        for one in (STREAM, STREAM_OPTIONS, STRICT):
            one.read(fields)
        raise InvalidBody("The body is not what this route takes.") from None
    if not known.messages:
        raise MESSAGES.invalid()
    return known


def _decode_items(client_request: ClientRequest, fields: dict[str, Raw]) -> DecodedRequest:
    """A request of the Responses API, which Cursor sends to this route and wants chat's response
    of (github.com/Helicone/helicone/issues/5629)."""
    own, options = take_own_fields(fields), STREAM_OPTIONS.read(fields) or {}
    check_fields(fields)
    shows_metrics = take_metrics_option(fields)
    fields.pop("stream_options", None)
    native, messages = NativeRequest(WIRE, fields), prompt_messages(fields)
    request = ChatRequest(model=own.model, messages=messages, stream=own.stream, native=native)
    return DecodedRequest(
        provider=own.provider,
        request=request,
        model_name=own.model_name,
        stream=own.stream,
        api_key=read_key_header(client_request.headers),
        session_hint=read_cache_key(fields),
        shows_usage=bool(options.get("include_usage")),
        strict=own.strict,
        shows_metrics=shows_metrics,
        recall=find_recall(fields),
    )


def _without_nulls(message: dict[str, Any]) -> dict[str, Any]:
    """OpenAI omits absent tool calls and the like, but writes an absent `content` as null."""
    return {k: v for k, v in message.items() if v is not None or k == "content"}
