"""Cohere's v2 answers, whole and streamed (docs.cohere.com/docs/streaming).

Wire facts, read off recordings: events are named twice, in the SSE field and in ``type``; thinking
is a block of content before the text's; a tool's plan comes before its call and its arguments in
fragments; a citation comes whole, its places counted from the start of its block; the last event
has finish and usage; ``[DONE]`` follows.

Two counts are given. ``billed_units`` is what is paid for; ``tokens`` has Cohere's own preamble in
it too, as has ``cached_tokens`` (docs.cohere.com/docs/how-does-cohere-pricing-work). The usage here
is what is billed; how much of that came out of the cache is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import UpstreamError, UpstreamTimeout
from headway.providers.base import State
from headway.providers.openai.errors import error_in
from headway.types import (
    NO_RAW,
    Event,
    ExtraFields,
    Failed,
    Finished,
    Frame,
    Logprobs,
    Reasoning,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    Usage,
    UsageReported,
)

FINISH = {
    "COMPLETE": "stop",
    "ERROR_LIMIT": "length",
    "ERROR_TOXIC": "content_filter",
    "MAX_TOKENS": "length",
    "STOP_SEQUENCE": "stop",
    "TOOL_CALL": "tool_calls",
}
FAILURES: Mapping[str, type[UpstreamError]] = {
    "ERROR": UpstreamError,
    "TIMEOUT": UpstreamTimeout,
    "USER_CANCEL": UpstreamError,
}
"""Reasons that are none to end."""
NULL = b"null"


class Function(Struct):
    name: str | None = None
    arguments: str | None = None


class ToolCall(Struct):
    id: str | None = None
    function: Function | None = None


class Block(Struct):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None


class Message(Struct):
    """Of a whole answer: lists. Of an event: the one thing that it brings."""

    content: list[Block] | Block | None = None
    tool_plan: str | None = None
    tool_calls: list[ToolCall] | ToolCall | None = None
    citations: list[dict[str, Any]] | dict[str, Any] | None = None


class Delta(Struct):
    message: Message | None = None
    finish_reason: str | None = None
    usage: Raw = NO_RAW
    error: str | None = None


class Chunk(Struct):
    """An event of a stream; or an error in the place of one, whose ``message`` is a text."""

    type: str | None = None
    id: str | None = None
    index: int = 0
    delta: Delta | None = None
    logprobs: Any = None
    message: str | None = None


class Whole(Struct):
    id: str | None = None
    message: Message | str | None = None
    finish_reason: str | None = None
    usage: Raw = NO_RAW
    logprobs: list[Any] | None = None


class Units(Struct):
    """Numbers that are typed as decimal ones in the API's description."""

    input_tokens: float | None = None
    output_tokens: float | None = None
    reasoning_tokens: float | None = None


class WireUsage(Struct):
    billed_units: Units | None = None
    tokens: Units | None = None


_chunk = msgspec.json.Decoder(Chunk).decode
_whole = msgspec.json.Decoder(Whole).decode
_usage = msgspec.json.Decoder(WireUsage).decode
_any = msgspec.json.Decoder().decode


class Reader:
    """What is remembered of one answer: where each block's text begins in the whole text."""

    __slots__ = ("length", "starts")

    def __init__(self) -> None:
        self.starts: dict[int, int] = {}
        self.length = 0

    def text(self, index: int, text: str | None) -> list[Event]:
        self.starts.setdefault(index, self.length)
        if not text:
            return []
        self.length += len(text)
        return [Text(text)]

    def block(self, index: int, block: Block) -> list[Event]:
        if block.thinking is not None:
            return [Reasoning(block.thinking)] if block.thinking else []
        return self.text(index, block.text)

    def citations(self, found: list[dict[str, Any]]) -> list[Event]:
        if not found:
            return []
        fields: dict[str, Any] = {"citations": found}
        notes = [note for citation in found for note in self._annotations(citation)]
        return [ExtraFields({**fields, "annotations": notes} if notes else fields)]

    def _annotations(self, citation: dict[str, Any]) -> list[dict[str, Any]]:
        """OpenAI's, for sources that are web pages."""
        if citation.get("type") not in (None, "TEXT_CONTENT"):
            return []
        begin = self.starts.get(citation.get("content_index") or 0, 0)
        span = {"start_index": begin + citation["start"], "end_index": begin + citation["end"]}
        return [
            {"type": "url_citation", "url_citation": {**span, **page}}
            for source in citation.get("sources") or ()
            if (page := _page(source)) is not None
        ]


def _page(source: dict[str, Any]) -> dict[str, str] | None:
    data = source.get("document") or source.get("tool_output") or {}
    url = data.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return None
    return {"url": url, "title": str(data.get("title") or url)}


# --- Streams --------------------------------------------------------------------------------------


def decode_event(frame: Frame, state: State) -> list[Event]:
    """One event of the stream."""
    data = frame.data
    if data == b"[DONE]":
        return [StreamEnd()]
    if not data:
        return []
    chunk = _chunk(data)
    read = READERS.get(chunk.type or "")
    if read is None or chunk.delta is None:
        return _failure(chunk, data)
    return read(chunk, chunk.delta, state.setdefault("reader", Reader()))


def _failure(chunk: Chunk, data: bytes) -> list[Event]:
    """What is no event of an answer is an error if it says something."""
    if chunk.message is None or chunk.type is not None:
        return []
    error = error_in(_any(data), None)
    error.request_id = chunk.id
    return [Failed(error)]


def _start(chunk: Chunk, delta: Delta, reader: Reader) -> list[Event]:
    return [Started(chunk.id)]


def _content(chunk: Chunk, delta: Delta, reader: Reader) -> list[Event]:
    message = delta.message
    events: list[Event] = []
    if message is not None and isinstance(message.content, Block):
        events = reader.block(chunk.index, message.content)
    if chunk.logprobs is not None:
        events.append(_logprobs([chunk.logprobs]))
    return events


def _plan(chunk: Chunk, delta: Delta, reader: Reader) -> list[Event]:
    plan = delta.message and delta.message.tool_plan
    return [Reasoning(plan)] if plan else []


def _call(chunk: Chunk, delta: Delta, reader: Reader) -> list[Event]:
    call = delta.message and delta.message.tool_calls
    return _tool(chunk.index, call) if isinstance(call, ToolCall) else []


def _citation(chunk: Chunk, delta: Delta, reader: Reader) -> list[Event]:
    citation = delta.message and delta.message.citations
    return reader.citations([citation]) if isinstance(citation, dict) else []


def _end(chunk: Chunk, delta: Delta, reader: Reader) -> list[Event]:
    return [_finish(delta.finish_reason, delta.error), *_usage_seen(delta.usage)]


READERS: Mapping[str, Callable[[Chunk, Delta, Reader], list[Event]]] = {
    "citation-start": _citation,
    "content-delta": _content,
    "content-start": _content,
    "message-end": _end,
    "message-start": _start,
    "tool-call-delta": _call,
    "tool-call-start": _call,
    "tool-plan-delta": _plan,
}


# --- Whole answers --------------------------------------------------------------------------------


def decode_response(body: bytes) -> list[Event]:
    """A whole answer, as the stream that it might have been."""
    whole = _whole(body)
    message = whole.message
    if not isinstance(message, Message):
        return [Failed(error_in(_any(body), None))]
    reader = Reader()
    events: list[Event] = [Started(whole.id)]
    if message.tool_plan:
        events.append(Reasoning(message.tool_plan))
    for index, block in enumerate(_list(message.content)):
        events += reader.block(index, block)
    for index, call in enumerate(_list(message.tool_calls)):
        events += _tool(index, call)
    events += reader.citations(_list(message.citations))
    if whole.logprobs:
        events.append(_logprobs(whole.logprobs))
    events += [_finish(whole.finish_reason, None), *_usage_seen(whole.usage)]
    return [*events, StreamEnd()]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# --- Both -----------------------------------------------------------------------------------------


def _tool(index: int, call: ToolCall) -> list[Event]:
    function = call.function or Function()
    events: list[Event] = []
    if call.id or function.name:
        events.append(ToolStarted(index, call.id or "", function.name or ""))
    if function.arguments:
        events.append(ToolArguments(index, function.arguments))
    return events


def _finish(reason: str | None, error: str | None) -> Event:
    if error or reason in FAILURES:
        cls = FAILURES.get(reason or "", UpstreamError)
        return Failed(cls(error or f"Cohere broke off its answer ({reason}).", code=reason))
    return Finished(FINISH.get(reason or "COMPLETE", "stop"))


def _logprobs(items: list[Any]) -> Logprobs:
    """OpenAI's shape. A text may be of several tokens: its probability is their product."""
    content = [
        {"token": item.get("text", ""), "logprob": sum(item["logprobs"]), "top_logprobs": []}
        for item in items
        if item.get("logprobs")
    ]
    return Logprobs({"content": content})


def _usage_seen(raw: Raw) -> list[Event]:
    if raw is NO_RAW or bytes(raw) == NULL:
        return []
    seen = _usage(raw)
    tokens = seen.tokens or Units()
    units = seen.billed_units or tokens
    usage = Usage(
        input_tokens=_count(units.input_tokens),
        output_tokens=_count(units.output_tokens),
        reasoning_tokens=_count(tokens.reasoning_tokens),
    )
    shown: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": None
        if usage.input_tokens is None or usage.output_tokens is None
        else usage.input_tokens + usage.output_tokens,
    }
    if usage.reasoning_tokens is not None:
        shown["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return [UsageReported(usage, {**shown, **_any(raw)})]


def _count(number: float | None) -> int | None:
    return None if number is None else int(number)
