"""Decode Anthropic's content blocks to events: each is opened, filled by deltas, and closed
(platform.claude.com/docs/en/build-with-claude/streaming). A whole response has the same blocks,
each opened with all of its content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.events import (
    Event,
    ExtraFields,
    Reasoning,
    ReasoningDetail,
    Text,
)
from headway.providers.anthropic.reasoning_blocks import encrypted_detail, signed_detail
from headway.providers.anthropic.usage import WireUsage
from headway.providers.citations import citation_fields
from headway.providers.tool_calls import OpenCall, ToolCalls, arguments_text
from headway.types import NO_RAW
from headway.wire.lenient_json import Words, lenient_decoder


class WireBlock(Struct):
    """The fields of the blocks that have events of their own."""

    type: Words = ""
    text: str | None = None
    thinking: Words | None = None
    signature: str | None = None
    data: str | None = None
    id: str | int | float | None = None
    name: str | None = None
    input: Raw = NO_RAW
    citations: list[dict[str, Any]] | None = None


class BlockDelta(Struct):
    """One delta of a block; each type of delta has one of the fields."""

    text: str | None = None
    thinking: Words | None = None
    signature: str | None = None
    partial_json: str | dict[str, Raw] | None = None
    citation: dict[str, Any] | None = None


class OpenBlock:
    """A block that is being filled."""

    __slots__ = ("block", "call", "citations", "fragments", "index", "raw", "signature", "start")

    def __init__(self, index: int, raw: Raw, block: WireBlock, start: int) -> None:
        self.index = index
        self.raw = raw
        """The JSON that the block was opened with."""
        self.block = block
        self.start = start
        """Offset of its text in the text of the whole response, in characters."""
        self.call: OpenCall | None = None
        """If it is a tool call."""
        self.fragments: list[str] = []
        """Fragments of its thinking, or of its input as JSON."""
        self.signature = block.signature
        self.citations: list[Any] = list(block.citations or ())


class DecoderState:
    """The state of decoding one response."""

    __slots__ = ("calls", "next_index", "open_blocks", "text_length", "usage")

    def __init__(self) -> None:
        self.open_blocks: dict[int, OpenBlock] = {}
        """The open blocks by their index in the response."""
        self.next_index = 0
        """One more than the index of the block that was opened last."""
        self.text_length = 0
        """Characters of text so far."""
        self.calls = ToolCalls()
        self.usage = WireUsage()


_decode_block = lenient_decoder(WireBlock)
_decode_any = msgspec.json.Decoder().decode


def open_block(index: int, raw: Raw, state: DecoderState) -> list[Event]:
    """``raw`` is the block's JSON. No events where it is no object."""
    if bytes(raw)[:1] != b"{":
        return []
    block = _decode_block(raw)
    block.type = block.type or _type_of(block)
    opened = _open(index, raw.copy(), block, state)
    if block.type == "text" and block.text:
        state.text_length += len(block.text)
        return [Text(block.text)]
    if block.type == "thinking" and block.thinking:
        opened.fragments.append(block.thinking)
        return [Reasoning(block.thinking)]
    if block.type == "tool_use":
        events: list[Event] = []
        opened.call = state.calls.start(block.id, block.name, events)
        return events
    return []


def _open(index: int, raw: Raw, block: WireBlock, state: DecoderState) -> OpenBlock:
    opened = state.open_blocks[index] = OpenBlock(index, raw, block, state.text_length)
    state.next_index = index + 1
    return opened


def _type_of(block: WireBlock) -> str:
    """The type of a block that does not tell it."""
    if block.thinking is not None:
        return "thinking"
    return "tool_use" if block.name is not None else "text"


def fill_block(index: int, delta: BlockDelta, state: DecoderState) -> list[Event]:
    """A block that was never opened is of the type that its first delta has; an argument to a call
    without a name is passed over."""
    if delta.text:  # most deltas
        state.text_length += len(delta.text)
        return [Text(delta.text)]
    opened = state.open_blocks.get(index)
    if opened is None:
        if not (delta.thinking or delta.signature or delta.citation):
            return []
        kind = "text" if delta.citation else "thinking"
        opened = _open(index, NO_RAW, WireBlock(kind), state)
    if delta.thinking:
        opened.fragments.append(delta.thinking)
        return [Reasoning(delta.thinking)]
    if delta.partial_json:
        events: list[Event] = []
        fragment = arguments_text(delta.partial_json)
        opened.fragments.append(fragment)
        if opened.call is not None:
            opened.call.add(fragment, events)
        return events
    if delta.signature:
        opened.signature = delta.signature
    if delta.citation is not None:
        opened.citations.append(delta.citation)
    return []


def close_block(index: int, state: DecoderState) -> list[Event]:
    """No events where no block of that index is open."""
    opened = state.open_blocks.pop(index, None)
    if opened is None:
        return []
    return CLOSERS.get(opened.block.type, _close_other)(opened, state)


def _close_text(opened: OpenBlock, state: DecoderState) -> list[Event]:
    """Citations belong to the whole block, whose end is known here."""
    if not opened.citations:
        return []
    return [citation_fields(opened.citations, opened.start, state.text_length, _address)]


def _address(citation: dict[str, Any]) -> Any:
    return citation.get("url") or citation.get("source")


def _close_thinking(opened: OpenBlock, state: DecoderState) -> list[Event]:
    text = "".join(opened.fragments)
    return [ReasoningDetail(signed_detail(text, opened.signature, opened.index))]


def _close_redacted(opened: OpenBlock, state: DecoderState) -> list[Event]:
    return [ReasoningDetail(encrypted_detail(opened.block.data, opened.index))]


def _close_call(opened: OpenBlock, state: DecoderState) -> list[Event]:
    """A call without fragments has its arguments in the block."""
    events: list[Event] = []
    if opened.call is not None:
        if not opened.fragments:
            opened.call.add(bytes(opened.block.input).decode(), events)
        opened.call.close(events)
    return events


def _close_other(opened: OpenBlock, state: DecoderState) -> list[Event]:
    """Server tools, their results, and unknown types: kept whole, so that the client can send the
    block back."""
    block = _decode_any(opened.raw)
    if opened.fragments:
        written = "".join(opened.fragments)
        try:
            block["input"] = _decode_any(written)
        except msgspec.DecodeError:
            block["input"] = written
    return [ExtraFields({"content_blocks": [{**block, "index": opened.index}]})]


CLOSERS: dict[str, Callable[[OpenBlock, DecoderState], list[Event]]] = {
    "text": _close_text,
    "thinking": _close_thinking,
    "redacted_thinking": _close_redacted,
    "tool_use": _close_call,
}
