"""Answers in Anthropic's Messages format, streamed and whole
(platform.claude.com/docs/en/build-with-claude/streaming), whatever platform they come from.

Wire facts, read off recordings: an answer is a list of content blocks, each opened, filled and
closed; counts are cumulative, the input's come first and may be repeated at the end; ``ping`` may
come anywhere; tool arguments may be one empty fragment, which means {}; the text of a thought may
be empty while its signature is not. A whole answer is the same blocks, each opened full.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.anthropic.errors import error_from
from headway.providers.anthropic.messages import FORMAT
from headway.providers.anthropic.usage import WireUsage, later, usage_of, usage_seen
from headway.providers.base import State
from headway.types import (
    NO_RAW,
    Event,
    ExtraFields,
    Failed,
    Finished,
    Frame,
    Reasoning,
    ReasoningDetail,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)

DONE: list[Event] = [StreamEnd()]
FINISHED = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
"""Why it stopped, in OpenAI's words (build-with-claude/handling-stop-reasons)."""
PLAIN = ("end_turn", "tool_use", "max_tokens")
"""Reasons that OpenAI's word says whole; the others are also given in Anthropic's."""
TIERS = {"standard": "default"}


class Stop(Struct):
    """Why it ended: in the delta of ``message_delta``, and in a whole message."""

    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Any = None
    container: Any = None


class Message(Stop):
    id: str | None = None
    model: str | None = None
    content: list[Raw] | None = None
    usage: WireUsage | None = None
    type: str | None = None


class Delta(Stop):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    citation: Any = None


class StreamEvent(Struct):
    """All kinds of event; each has some of these."""

    type: str
    index: int = 0
    message: Message | None = None
    content_block: Raw = NO_RAW
    delta: Delta | None = None
    usage: WireUsage | None = None


class Block(Struct):
    """What is read of a block that the vocabulary has words for."""

    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = NO_RAW
    citations: list[Any] | None = None


class Open:
    """A block that is being filled."""

    __slots__ = ("block", "citations", "index", "pieces", "raw", "signature", "start", "tool")

    def __init__(self, index: int, raw: Raw, block: Block, start: int) -> None:
        self.index = index
        self.raw = raw
        self.block = block
        self.start = start
        """Where its text begins in the text of the whole answer, in characters."""
        self.tool = 0
        self.pieces: list[str] = []
        """What came of its thought, or of its input as JSON."""
        self.signature: str | None = None
        self.citations: list[Any] = []


class Reading:
    """One answer while it is read."""

    __slots__ = ("length", "open", "tools", "usage")

    def __init__(self) -> None:
        self.open: dict[int, Open] = {}
        self.length = 0
        self.tools = 0
        self.usage = WireUsage()


_event = msgspec.json.Decoder(StreamEvent).decode
_message = msgspec.json.Decoder(Message).decode
_block = msgspec.json.Decoder(Block).decode
_any = msgspec.json.Decoder().decode


def decode_event(frame: Frame, state: State) -> list[Event]:
    """One event of the stream."""
    if not frame.data:
        return []
    event = _event(frame.data)
    reading: Reading = state.get("reading") or state.setdefault("reading", Reading())
    if event.type == "error":
        return [Failed(error_from(_any(frame.data), None))]
    read = EVENTS.get(event.type)
    return [] if read is None else read(event, reading)


def decode_response(body: bytes) -> list[Event]:
    """A whole message, as the stream that it might have been."""
    message = _message(body)
    if message.type == "error":
        return [Failed(error_from(_any(body), None))]
    if message.content is None:
        raise ValueError("the answer has no content")
    reading = Reading()
    usage = message.usage or WireUsage()
    events: list[Event] = [_started(message, usage)]
    for index, raw in enumerate(message.content):
        events += _open(index, raw, reading)
        events += _close(index, reading)
    events += _ended(message, message.stop_reason or "end_turn")
    if message.usage is not None:
        events.append(usage_seen(usage))
    return [*events, *DONE]


# --- Events of a stream ---------------------------------------------------------------------------


def _on_start(event: StreamEvent, reading: Reading) -> list[Event]:
    """The input's counts are whole here; the output's is that of the first token or two, which
    would be taken for the whole's if the stream broke off."""
    message = event.message or Message()
    usage = reading.usage = message.usage or WireUsage()
    seen = UsageReported(usage_of(usage, None))
    return [_started(message, usage), seen]


def _on_open(event: StreamEvent, reading: Reading) -> list[Event]:
    return _open(event.index, event.content_block, reading)


def _on_delta(event: StreamEvent, reading: Reading) -> list[Event]:
    delta = event.delta
    if delta is None:
        return []
    if delta.text:  # most are
        reading.length += len(delta.text)
        return [Text(delta.text)]
    opened = reading.open[event.index]
    if delta.thinking:
        opened.pieces.append(delta.thinking)
        return [Reasoning(delta.thinking)]
    if delta.partial_json:
        opened.pieces.append(delta.partial_json)
        is_call = opened.block.type == "tool_use"
        return [ToolArguments(opened.tool, delta.partial_json)] if is_call else []
    if delta.signature:
        opened.signature = delta.signature
    if delta.citation is not None:
        opened.citations.append(delta.citation)
    return []


def _on_close(event: StreamEvent, reading: Reading) -> list[Event]:
    return _close(event.index, reading)


def _on_message_delta(event: StreamEvent, reading: Reading) -> list[Event]:
    events: list[Event] = []
    if event.delta is not None and event.delta.stop_reason is not None:
        events += _ended(event.delta, event.delta.stop_reason)
    if event.usage is not None:
        reading.usage = later(reading.usage, event.usage)
        events.append(usage_seen(reading.usage))
    return events


def _on_stop(event: StreamEvent, reading: Reading) -> list[Event]:
    return DONE


EVENTS: dict[str, Callable[[StreamEvent, Reading], list[Event]]] = {
    "message_start": _on_start,
    "content_block_start": _on_open,
    "content_block_delta": _on_delta,
    "content_block_stop": _on_close,
    "message_delta": _on_message_delta,
    "message_stop": _on_stop,
}


def _started(message: Message, usage: WireUsage) -> Started:
    tier = usage.service_tier
    return Started(message.id, message.model, service_tier=TIERS.get(tier or "", tier))


def _ended(stop: Stop, reason: str) -> list[Event]:
    events: list[Event] = []
    fields = {
        "native_finish_reason": None if reason in PLAIN else reason,
        "stop_sequence": stop.stop_sequence,
        "stop_details": stop.stop_details,
        "container": stop.container,
    }
    if told := {name: value for name, value in fields.items() if value is not None}:
        events.append(ExtraFields(told))
    events.append(Finished(FINISHED.get(reason, "stop")))
    return events


# --- Blocks ---------------------------------------------------------------------------------------


def _open(index: int, raw: Raw, reading: Reading) -> list[Event]:
    block = _block(raw)
    opened = reading.open[index] = Open(index, raw.copy(), block, reading.length)
    opened.signature = block.signature
    opened.citations += block.citations or ()
    if block.type == "text" and block.text:
        reading.length += len(block.text)
        return [Text(block.text)]
    if block.type == "thinking" and block.thinking:
        opened.pieces.append(block.thinking)
        return [Reasoning(block.thinking)]
    if block.type == "tool_use":
        opened.tool = reading.tools
        reading.tools += 1
        return [ToolStarted(opened.tool, block.id or "", block.name or "")]
    return []


def _close(index: int, reading: Reading) -> list[Event]:
    opened = reading.open.pop(index)
    return CLOSES.get(opened.block.type, _close_other)(opened, reading)


def _close_text(opened: Open, reading: Reading) -> list[Event]:
    """Citations belong to a whole block of text: its place is known when it is closed."""
    if not opened.citations:
        return []
    span = {"start_index": opened.start, "end_index": reading.length}
    fields: dict[str, Any] = {"citations": [{**cited, **span} for cited in opened.citations]}
    links = [_link(cited, span) for cited in opened.citations if _address(cited)]
    if links:
        fields["annotations"] = links
    return [ExtraFields(fields)]


def _address(cited: dict[str, Any]) -> str | None:
    address = cited.get("url") or cited.get("source")
    is_link = isinstance(address, str) and address.startswith(("http://", "https://"))
    return address if is_link else None


def _link(cited: dict[str, Any], span: dict[str, int]) -> dict[str, Any]:
    """In the shape of OpenAI's url_citation."""
    citation = {"url": _address(cited), "title": cited.get("title") or "", **span}
    return {"type": "url_citation", "url_citation": citation}


def _close_thinking(opened: Open, reading: Reading) -> list[Event]:
    value = {
        "type": "reasoning.text",
        "text": "".join(opened.pieces),
        "signature": opened.signature,
        "format": FORMAT,
        "index": opened.index,
    }
    return [ReasoningDetail(value)]


def _close_redacted(opened: Open, reading: Reading) -> list[Event]:
    data = opened.block.data
    value = {"type": "reasoning.encrypted", "data": data, "format": FORMAT, "index": opened.index}
    return [ReasoningDetail(value)]


def _close_call(opened: Open, reading: Reading) -> list[Event]:
    """A call without arguments streams none; OpenAI's clients want JSON all the same."""
    if opened.pieces:
        return []
    return [ToolArguments(opened.tool, bytes(opened.block.input).decode() or "{}")]


def _close_other(opened: Open, reading: Reading) -> list[Event]:
    """Server tools, their results, and what is yet to be invented: kept whole, so that it can be
    sent back."""
    block = _any(opened.raw)
    if opened.pieces:
        block["input"] = _any("".join(opened.pieces))
    return [ExtraFields({"content_blocks": [{**block, "index": opened.index}]})]


CLOSES: dict[str, Callable[[Open, Reading], list[Event]]] = {
    "text": _close_text,
    "thinking": _close_thinking,
    "redacted_thinking": _close_redacted,
    "tool_use": _close_call,
}
