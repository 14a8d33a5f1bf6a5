"""A streamed response in Google's format: server-sent events, or without ``alt=sse`` one JSON
array, sent element by element. There is no end mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import SSE, ResponseContext, add_metrics, without_line_breaks
from headway.dialects.chunk_template import MARK, cut_template
from headway.dialects.gemini.candidates import (
    Call,
    attach,
    finish_fields,
    grounding_fields,
    logprobs_result,
    media_parts,
    usage_metadata,
)
from headway.dialects.gemini.errors import error_object
from headway.dialects.gemini.names import Fields
from headway.errors import HeadwayError
from headway.events import (
    Event,
    ExtraFields,
    Finished,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Rewritten,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
)
from headway.response_accumulator import ChoiceAccumulator, ResponseAccumulator
from headway.types import Frame
from headway.wire.json_repair import is_utf8

ARRAY = b"application/json; charset=UTF-8"
REWRITTEN = Rewritten()
STREAM_END = [StreamEnd()]

_encode = msgspec.json.Encoder().encode


class CandidateStream:
    """One candidate of a translated stream: the parts that are not sent yet, and what waits."""

    __slots__ = ("calls", "details", "hidden", "logprobs", "parts", "refusal", "shows_thoughts")

    def __init__(self, shows_thoughts: bool) -> None:
        self.shows_thoughts = shows_thoughts
        self.parts: list[Fields] = []
        self.calls: dict[int, Call] = {}
        """Calls that are not sent yet, by position."""
        self.details: list[Mapping[str, Any]] = []
        """Reasoning to send back that is not sent yet."""
        self.hidden: list[str] = []
        """Reasoning text that the client is not shown."""
        self.refusal: list[str] = []
        self.logprobs: Any = None

    def add(self, event: Event) -> None:
        ADD_EVENT.get(type(event), CandidateStream._ignore)(self, event)

    def _ignore(self, event: Event) -> None:
        """Nothing that a candidate shows before its end."""

    def _add_text(self, event: Text) -> None:
        self._flush_calls()
        self.parts.append({"text": event.text})

    def _add_refusal(self, event: Refusal) -> None:
        self.refusal.append(event.text)
        self.parts.append({"text": event.text})

    def _add_reasoning(self, event: Reasoning) -> None:
        self._flush_calls()
        if self.shows_thoughts:
            self.parts.append({"text": event.text, "thought": True})
        else:
            self.hidden.append(event.text)

    def _add_detail(self, event: ReasoningDetail) -> None:
        self.details.append(event.value)

    def _add_logprobs(self, event: Logprobs) -> None:
        self.logprobs = logprobs_result(event.value)

    def _add_extra(self, event: ExtraFields) -> None:
        self.parts += media_parts(event.fields)

    def _start_call(self, event: ToolStarted) -> None:
        self.calls[event.tool] = Call(event.id, event.name)

    def _add_arguments(self, event: ToolArguments) -> None:
        call = self.calls.get(event.tool)
        if call is not None:
            call.arguments.append(event.text)

    def _flush_calls(self) -> None:
        """Make parts of the calls whose arguments are whole."""
        for position, call in list(self.calls.items()):
            part = call.part()
            if part is not None:
                del self.calls[position]
                self._add_signed([part])

    def _add_signed(self, parts: list[Fields]) -> None:
        self.parts += attach(parts, self.details, "".join(self.hidden))
        self.details, self.hidden = [], []

    def take(self, index: int) -> Fields | None:
        """The candidate of the next chunk; None where there is nothing to send."""
        if not self.parts:
            return None
        parts, self.parts = self.parts, []
        found: Fields = {"content": {"parts": parts, "role": "model"}, "index": index}
        if self.logprobs is not None:
            found["logprobsResult"], self.logprobs = self.logprobs, None
        return found

    def end(self, index: int, choice: ChoiceAccumulator) -> Fields:
        """The candidate of the last chunk."""
        self._flush_calls()
        broken = list(self.calls.values())
        if self.details:
            self._add_signed([])
        refusal = "".join(self.refusal) or str(choice.extra.get("refusal") or "")
        sources = grounding_fields(choice.extra, choice.joined_text())
        self.parts = self.parts or [{"text": ""}]
        found = self.take(index) or {}
        return {**found, **finish_fields(choice.finish_reason, refusal, broken, sources)}


ADD_EVENT: Mapping[type, Callable[[CandidateStream, Any], None]] = {
    Text: CandidateStream._add_text,
    Refusal: CandidateStream._add_refusal,
    Reasoning: CandidateStream._add_reasoning,
    ReasoningDetail: CandidateStream._add_detail,
    Logprobs: CandidateStream._add_logprobs,
    ExtraFields: CandidateStream._add_extra,
    ToolStarted: CandidateStream._start_call,
    ToolArguments: CandidateStream._add_arguments,
}


class _Chunk(Struct):
    candidates: list[dict[str, Raw]] | None = None


_decode_chunk = msgspec.json.Decoder(_Chunk).decode


def _is_standard(data: bytes, events: list[Event]) -> bool:
    """Whether clients can read a provider's chunk. One with a text has candidates."""
    if not (data.isascii() or is_utf8(data)):
        return False
    try:
        return any(type(event) is Text for event in events) or bool(_decode_chunk(data))
    except msgspec.DecodeError:
        return False


class GeminiStream:
    """``is_sse``: server-sent events, otherwise a JSON array."""

    __slots__ = (
        "_candidates",
        "_context",
        "_held",
        "_is_sse",
        "_separator",
        "_shows_thoughts",
        "_started",
        "_template",
        "content_type",
        "is_framed",
        "is_passthrough",
    )

    def __init__(self, context: ResponseContext, is_sse: bool, shows_thoughts: bool) -> None:
        self._context = context
        self._is_sse = is_sse
        self._shows_thoughts = shows_thoughts
        self._started = Started()
        self._candidates: dict[int, CandidateStream] = {}
        self._template: tuple[bytes, ...] | None = None
        """Template of a chunk that carries only text of the first candidate (`chunk_template`)."""
        self._separator = b"["
        """Before the next element of the array."""
        self._held: bytes | None = None
        """The provider's last chunk, which the metrics are added to."""
        self.content_type = SSE if is_sse else ARRAY
        self.is_framed = True
        self.is_passthrough = context.is_passthrough

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        if self.is_passthrough:
            if events == STREAM_END:
                return None
            is_object = frame.data[:1] == b"{" and _is_standard(frame.data, events)
            if is_object and REWRITTEN not in events:
                self._note(events)
                return self._relay(frame.data, events)
            if not events:
                return None
            self.is_passthrough = False
            return (self._take_held() + (self._translate(events) or b"")) or None
        return self._translate(events)

    def _relay(self, data: bytes, events: list[Event]) -> bytes | None:
        if not self._context.call.shows_metrics:
            return self._write(data)
        is_end = self._held is not None or any(type(event) is Finished for event in events)
        if not is_end:
            return self._write(data)
        earlier, self._held = self._take_held(), data
        return earlier or None

    def _take_held(self) -> bytes:
        held, self._held = self._held, None
        return b"" if held is None else self._write(held)

    def _note(self, events: list[Event]) -> None:
        for event in events:
            if type(event) is Started:
                self._started = event

    def _translate(self, events: list[Event]) -> bytes | None:
        if self._template is not None and len(events) == 1:
            event = events[0]
            if type(event) is Text and event.index == 0 and not self._candidates[0].calls:
                return self._frame(_encode(event.text).join(self._template))
        touched: dict[int, None] = {}
        for event in events:
            if type(event) is Started:
                self._started, self._template = event, None
            elif hasattr(event, "index"):
                self._candidate(event.index).add(event)
                touched[event.index] = None
        found = [self._candidates[index].take(index) for index in touched]
        candidates = [candidate for candidate in found if candidate is not None]
        if not candidates:
            return None
        self._template = self._template or self._new_template()
        return self._write(_encode(self._chunk(candidates)))

    def _new_template(self) -> tuple[bytes, ...] | None:
        self._candidate(0)
        content = {"parts": [{"text": MARK}], "role": "model"}
        return cut_template(_encode(self._chunk([{"content": content, "index": 0}])), texts=1)

    def _candidate(self, index: int) -> CandidateStream:
        found = self._candidates.get(index)
        if found is None:
            found = self._candidates[index] = CandidateStream(self._shows_thoughts)
        return found

    def end(self, response: ResponseAccumulator, metrics: Struct, now: float) -> list[bytes]:
        """The metrics are a member of the last chunk: for Google's SDKs a chunk without candidates
        makes the whole turn invalid (google-genai, chats.py, ``_validate_response``)."""
        last_chunk = self._held
        if not self.is_passthrough:
            last = [
                self._candidate(index).end(index, choice)
                for index, choice in sorted(response.choices.items())
            ]
            usage = {"usageMetadata": usage_metadata(response.reported())}
            last_chunk = _encode({**self._chunk(last), **usage})
        if last_chunk is None:
            return self._closing()
        if self._context.call.shows_metrics:
            last_chunk = add_metrics(last_chunk, metrics)
        return [self._write(last_chunk), *self._closing()]

    def fail(self, error: HeadwayError) -> list[bytes]:
        call = self._context.call
        body = _encode(error_object(error, call.provider, self._context.request_id))
        return [self._take_held() + self._write(body), *self._closing()]

    def _chunk(self, candidates: list[Fields]) -> Fields:
        started, context = self._started, self._context
        return {
            "candidates": candidates,
            "modelVersion": started.model or context.sent.model,
            "responseId": started.id or context.id,
        }

    def _write(self, value: bytes) -> bytes:
        return self._frame(without_line_breaks(value))

    def _frame(self, value: bytes) -> bytes:
        """One response as the client's next event or element; ``value`` has no line breaks."""
        if self._is_sse:
            return b"data: " + value + b"\r\n\r\n"
        separator, self._separator = self._separator, b",\r\n"
        return separator + value

    def _closing(self) -> list[bytes]:
        if self._is_sse:
            return []
        return [b"[]" if self._separator == b"[" else b"]"]
