"""``POST /v1/chat/completions``: OpenAI's own dialect, the model named ``provider/model``.

A provider that speaks this wire answers in its own bytes, untouched but for one thing: usage is
always asked for upstream, and its chunk is kept from a caller who did not ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.answer import Answer
from headway.dialects.deltas import choices
from headway.dialects.dialect import (
    SSE,
    ClientRequest,
    DecodedRequest,
    MessageHead,
    ResponseContext,
    Stream,
    decode_object,
    encode_error,
    field,
    one_line,
)
from headway.dialects.template import MARK, cut
from headway.errors import HeadwayError, InvalidBody, InvalidField
from headway.types import ChatRequest, Event, Frame, Started, StreamEnd, Text, UsageReported

MODEL = field("model", str, "a string, provider/model")
MESSAGES = field("messages", list[MessageHead], "a list of messages, each with a role")
STREAM = field("stream", bool | None, "true, false or null")
STREAM_OPTIONS = field("stream_options", dict[str, Any] | None, "an object or null")
STRICT = field("strict", bool | None, "true, false or null")
METRICS_HEADER = b"x-headway-metrics"
OFF = (b"", b"0", b"false")
END = b"data: [DONE]\n\n"
BLANK = (b"\n\n", b"\r\n\r\n", b"\r\r")

_encode = msgspec.json.Encoder().encode


class Known(Struct, gc=False):
    """What is read of a body, all at once; what is wrong with it is said field by field."""

    model: str
    messages: list[MessageHead]
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    strict: bool | None = None


_known = msgspec.json.Decoder(Known).decode


class OpenAIChat:
    """The dialect of ``/v1/chat/completions``."""

    name = "openai_chat"
    route = "/v1/chat/completions"
    wire = "openai_chat"
    checks_parameters = False

    def decode(self, inbound: ClientRequest) -> DecodedRequest:
        fields = decode_object(inbound.body)
        known = _read(inbound.body, fields)
        provider, model = split_model(known.model)
        stream, options = known.stream or False, known.stream_options
        messages = fields.pop("messages")
        del fields["model"]  # it was there, or ``_read`` had said so
        fields.pop("stream", None)
        fields.pop("strict", None)
        request = ChatRequest(model=model, messages=messages, parameters=fields, stream=stream)
        return DecodedRequest(
            provider=provider,
            request=request,
            stream=stream,
            shows_usage=options is not None and bool(options.get("include_usage")),
            strict=known.strict or False,
            shows_metrics=stream and _wants_metrics(inbound),
        )

    def encode(
        self, context: ResponseContext, answer: Answer, metrics: Struct, now: float
    ) -> bytes:
        """For a provider of another wire; one of the same wire is relayed."""
        started = answer.started or Started()
        return _encode(
            {
                "id": started.id or context.id,
                "object": "chat.completion",
                "created": started.created or context.created,
                "model": started.model or context.sent.model,
                "choices": [
                    {
                        "index": index,
                        "message": _without_nulls(choice.message()),
                        "logprobs": choice.logprobs,
                        "finish_reason": choice.finish_reason,
                    }
                    for index, choice in sorted(answer.choices.items())
                ],
                "usage": None if answer.usage is None else answer.usage.openai_usage,
                "system_fingerprint": started.system_fingerprint,
            }
        )

    def stream(self, context: ResponseContext) -> Stream:
        return OpenAIChatStream(context)


class OpenAIChatStream:
    __slots__ = (
        "_begun",
        "_context",
        "_parts",
        "_relays",
        "_started",
        "content_type",
        "is_framed",
    )

    def __init__(self, context: ResponseContext) -> None:
        self._context = context
        self._relays = context.is_passthrough
        self._started = Started()
        self._parts: tuple[bytes, ...] | None = None
        """Of a chunk with a mere text of the first choice, once that has begun."""
        self._begun: set[int] = set()
        """The choices that have said whose message they are."""
        self.content_type = SSE
        self.is_framed = True

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        if self._relays and frame.raw:
            if (not events or type(events[0]) is not Text) and self._is_ours(events):
                return None
            # Some streams end without their last blank line: what we add must not run into it.
            return frame.raw if frame.raw.endswith(BLANK) else frame.raw + BLANK[0]
        self._relays = False  # a whole answer where a stream was due has no frames of its own
        return self._translate(events)

    def _is_ours(self, events: list[Event]) -> bool:
        """The usage that the caller did not ask for; and the end mark, which we write ourselves
        once the record is on disk."""
        if len(events) != 1:
            return False
        kind = type(events[0])
        return kind is StreamEnd or (kind is UsageReported and not self._context.call.shows_usage)

    def _translate(self, events: list[Event]) -> bytes | None:
        if self._parts is not None and len(events) == 1:
            event = events[0]
            if type(event) is Text and event.index == 0:
                return _encode(event.text).join(self._parts)
        for event in events:
            if type(event) is Started:
                self._started = event
                self._parts = None
        found = choices(events)
        if not found:
            return None
        for choice in found:
            if choice["index"] not in self._begun:
                self._begun.add(choice["index"])
                choice["delta"] = {"role": "assistant", **choice["delta"]}
        if self._parts is None and 0 in self._begun:
            self._parts = cut(self._event(self._chunk(choices([Text(MARK)]))), texts=1)
        return self._event(self._chunk(found))

    def end(self, answer: Answer, metrics: Struct, now: float) -> list[bytes]:
        pieces = [] if self._relays else self._finish(answer)
        if self._context.call.shows_metrics:
            pieces.append(self._event({**self._chunk([]), "metrics": metrics}))
        return [*pieces, END]

    def _finish(self, answer: Answer) -> list[bytes]:
        """The last chunks of a translated stream: the finish, and the usage if it was asked for."""
        last: list[dict[str, Any]] = [
            {"index": index, "delta": {}, "logprobs": None, "finish_reason": choice.finish_reason}
            for index, choice in sorted(answer.choices.items())
        ]
        pieces = [self._event(self._chunk(last))]
        if self._context.call.shows_usage and answer.usage is not None:
            pieces.append(self._event({**self._chunk([]), "usage": answer.usage.openai_usage}))
        return pieces

    def fail(self, error: HeadwayError) -> list[bytes]:
        call = self._context.call
        return [b"data: " + encode_error(error, call.provider, self._context.id) + b"\n\n"]

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
        return b"data: " + one_line(_encode(value)) + b"\n\n"


def _read(body: bytes, fields: Mapping[str, Raw]) -> Known:
    try:
        known = _known(body)
    except (msgspec.ValidationError, RecursionError):
        for one in (MODEL, MESSAGES):
            one.require(fields)
        for one in (STREAM, STREAM_OPTIONS, STRICT):
            one.read(fields)
        raise InvalidBody("The body is not what this route takes.") from None
    if not known.messages:
        raise MESSAGES.invalid()
    return known


def split_model(model: str) -> tuple[str, str]:
    provider, slash, name = model.partition("/")
    if not (provider and slash and name):
        message = f"`model` must be provider/model, such as openai/gpt-4o-mini; it is {model!r}."
        raise InvalidField(message, param="model")
    return provider, name


def _wants_metrics(inbound: ClientRequest) -> bool:
    return dict(inbound.headers).get(METRICS_HEADER, b"") not in OFF


def _without_nulls(message: dict[str, Any]) -> dict[str, Any]:
    """OpenAI leaves out the calls that were not made, but shows an absent text as null."""
    return {k: v for k, v in message.items() if v is not None or k == "content"}
