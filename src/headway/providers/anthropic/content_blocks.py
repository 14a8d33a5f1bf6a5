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
    ToolArguments,
    ToolStarted,
)
from headway.providers.anthropic.reasoning_blocks import encrypted_detail, signed_detail
from headway.providers.anthropic.usage import WireUsage
from headway.providers.citations import citation_fields
from headway.types import NO_RAW


class WireBlock(Struct):
    """The fields of the blocks that have events of their own."""

    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = NO_RAW
    citations: list[Any] | None = None


class BlockDelta(Struct):
    """One delta of a block; each type of delta has one of the fields."""

    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    citation: Any = None


class OpenBlock:
    """A block that is being filled."""

    __slots__ = ("block", "citations", "fragments", "index", "raw", "signature", "start", "tool")

    def __init__(self, index: int, raw: Raw, block: WireBlock, start: int) -> None:
        self.index = index
        self.raw = raw
        """The JSON that the block was opened with."""
        self.block = block
        self.start = start
        """Offset of its text in the text of the whole response, in characters."""
        self.tool = 0
        """Its position among the tool calls, if it is one."""
        self.fragments: list[str] = []
        """Fragments of its thinking, or of its input as JSON."""
        self.signature = block.signature
        self.citations: list[Any] = list(block.citations or ())


class DecoderState:
    """The state of decoding one response."""

    __slots__ = ("open_blocks", "text_length", "tool_count", "usage")

    def __init__(self) -> None:
        self.open_blocks: dict[int, OpenBlock] = {}
        """The open blocks by their index in the response."""
        self.text_length = 0
        """Characters of text so far."""
        self.tool_count = 0
        self.usage = WireUsage()


_decode_block = msgspec.json.Decoder(WireBlock).decode
_decode_any = msgspec.json.Decoder().decode


def open_block(index: int, raw: Raw, state: DecoderState) -> list[Event]:
    """``raw`` is the block's JSON."""
    block = _decode_block(raw)
    opened = state.open_blocks[index] = OpenBlock(index, raw.copy(), block, state.text_length)
    if block.type == "text" and block.text:
        state.text_length += len(block.text)
        return [Text(block.text)]
    if block.type == "thinking" and block.thinking:
        opened.fragments.append(block.thinking)
        return [Reasoning(block.thinking)]
    if block.type == "tool_use":
        opened.tool = state.tool_count
        state.tool_count += 1
        return [ToolStarted(opened.tool, block.id or "", block.name or "")]
    return []


def fill_block(index: int, delta: BlockDelta, state: DecoderState) -> list[Event]:
    """Raises KeyError where no block of that index is open."""
    if delta.text:  # most deltas
        state.text_length += len(delta.text)
        return [Text(delta.text)]
    opened = state.open_blocks[index]
    if delta.thinking:
        opened.fragments.append(delta.thinking)
        return [Reasoning(delta.thinking)]
    if delta.partial_json:
        opened.fragments.append(delta.partial_json)
        is_call = opened.block.type == "tool_use"
        return [ToolArguments(opened.tool, delta.partial_json)] if is_call else []
    if delta.signature:
        opened.signature = delta.signature
    if delta.citation is not None:
        opened.citations.append(delta.citation)
    return []


def close_block(index: int, state: DecoderState) -> list[Event]:
    """Raises KeyError where no block of that index is open."""
    opened = state.open_blocks.pop(index)
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
    """A call without arguments has no fragments; clients of OpenAI's format expect JSON."""
    if opened.fragments:
        return []
    return [ToolArguments(opened.tool, bytes(opened.block.input).decode() or "{}")]


def _close_other(opened: OpenBlock, state: DecoderState) -> list[Event]:
    """Server tools, their results, and unknown types: kept whole, so that the client can send the
    block back."""
    block = _decode_any(opened.raw)
    if opened.fragments:
        block["input"] = _decode_any("".join(opened.fragments))
    return [ExtraFields({"content_blocks": [{**block, "index": opened.index}]})]


CLOSERS: dict[str, Callable[[OpenBlock, DecoderState], list[Event]]] = {
    "text": _close_text,
    "thinking": _close_thinking,
    "redacted_thinking": _close_redacted,
    "tool_use": _close_call,
}
