"""Frames of a provider of Anthropic's format, for a client of the same format: passed through, and
noted where a block begins or ends, so that a translation can follow on."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from headway.dialects.anthropic.stream_blocks import StreamBlocks, write_event
from headway.dialects.base import without_line_breaks
from headway.events import (
    Event,
    Finished,
    Reasoning,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
)
from headway.types import Frame
from headway.wire.json_repair import is_utf8

DELTAS = frozenset({Text, Reasoning, ToolArguments})
BLANK_LINES = (b"\n\n", b"\r\n\r\n", b"\r\r")
DELTA, LAST = "content_block_delta", "message_stop"


class Block(Struct, frozen=True):
    type: str = ""


class FrameData(Struct):
    """What is read of a frame that is no delta."""

    type: str = ""
    index: int = 0
    content_block: Block = Block()
    delta: dict[str, Raw] = {}


_decode = msgspec.json.Decoder(FrameData).decode


class Passthrough:
    __slots__ = ("_blocks", "end", "has_stop", "is_started")

    def __init__(self, blocks: StreamBlocks) -> None:
        self._blocks = blocks
        self.is_started = False
        self.has_stop = False
        """The stop reason was passed through."""
        self.end: bytes | None = None
        """The last event, which is held back."""

    def relay(self, frame: Frame, events: list[Event]) -> bytes | None:
        """The bytes of a frame that has bytes. Raises msgspec.DecodeError for one in another shape
        than Anthropic's."""
        if not (frame.data.isascii() or is_utf8(frame.data)):
            raise msgspec.DecodeError("not UTF-8")
        if frame.event == DELTA and events:
            self.is_started = True
            return _whole(frame.raw)
        if not frame.data:
            return None
        if len(events) == 1 and type(events[0]) is StreamEnd:
            self.end = _whole(frame.raw) if frame.event == LAST else None
            return None
        self._note(_decode(frame.data), events)
        self.is_started = True
        return _named(frame)

    def _note(self, found: FrameData, events: list[Event]) -> None:
        if found.type == "content_block_start":
            started = next((each for each in events if type(each) is ToolStarted), None)
            self._blocks.note_start(found.index, found.content_block.type, started)
        elif found.type == "content_block_stop":
            self._blocks.note_stop()
        for event in events:
            self.has_stop = self.has_stop or type(event) is Finished


def _whole(raw: bytes) -> bytes:
    """Some streams lack their last blank line; the next event would then join this one."""
    return raw if raw.endswith(BLANK_LINES) else raw + BLANK_LINES[0]


def _named(frame: Frame) -> bytes:
    """SDKs ignore an event without a name (anthropic-sdk-python, _streaming.py)."""
    if frame.event is not None:
        return _whole(frame.raw)
    return write_event(_decode(frame.data).type, without_line_breaks(frame.data))
