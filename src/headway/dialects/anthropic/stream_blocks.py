"""The content blocks of a stream in Anthropic's format, as bytes.

One block is open at a time, except a call of a tool whose arguments are not complete when another
block begins: pieces of both may follow, each with the index of its block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.dialects.anthropic.response_blocks import claude_block, redacted_block
from headway.dialects.base import without_line_breaks
from headway.events import ToolArguments, ToolStarted
from headway.wire.sealed_reasoning import seal

TEXT, THINKING, TOOL = "text", "thinking", "tool_use"
EMPTY_BLOCKS: dict[str, Mapping[str, Any]] = {
    TEXT: {"type": TEXT, "text": ""},
    THINKING: {"type": THINKING, "thinking": "", "signature": ""},
}

_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, Raw]).decode


def write_event(name: str, data: bytes) -> bytes:
    """One server-sent event; ``data`` has no line breaks."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


PING = write_event("ping", b'{"type":"ping"}')


class OpenTool:
    """A call of a tool, and the pieces of its arguments so far."""

    __slots__ = ("index", "is_open", "pieces")

    def __init__(self, index: int) -> None:
        self.index = index
        self.pieces: list[str] = []
        self.is_open = True

    @property
    def is_complete(self) -> bool:
        try:
            _object("".join(self.pieces))
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return False
        return True


class StreamBlocks:
    """The blocks so far. Every method returns the bytes of its events."""

    __slots__ = (
        "_details", "_has_pinged", "_kind", "_next", "_text_head", "_tools", "has_citations",
    )  # fmt: skip

    def __init__(self) -> None:
        self._next = 0
        self._kind = ""
        """The type of the last block while it is open."""
        self._text_head = b""
        """What precedes the text in a delta of the open text block."""
        self._tools: dict[int, OpenTool] = {}
        self._details: list[Mapping[str, Any]] = []
        """Reasoning of other vendors that is not yet in a block."""
        self._has_pinged = False
        self.has_citations = False

    # --- Blocks that were passed through ----------------------------------------------------------

    def note_start(self, index: int, kind: str, started: ToolStarted | None) -> None:
        self._next, self._kind, self._has_pinged = index + 1, kind, True
        if kind == TEXT:
            self._text_head = _text_head(index)
        if started is not None:
            self._tools[started.tool] = OpenTool(index)

    def note_stop(self) -> None:
        if self._kind == TOOL:
            self._last_tool().is_open = False
        self._kind = ""

    # --- Content ----------------------------------------------------------------------------------

    def add_text(self, text: str) -> bytes:
        head = b"" if self._kind == TEXT else self._open(TEXT)
        return b"%b%b%b}}\n\n" % (head, self._text_head, _encode(text))

    def add_thinking(self, text: str) -> bytes:
        head = b"" if self._kind == THINKING else self._open(THINKING)
        return head + self._delta("thinking_delta", "thinking", text)

    def start_tool(self, event: ToolStarted) -> bytes:
        block = {"type": TOOL, "id": event.id, "name": event.name, "input": {}}
        head = self._open(TOOL, block)
        self._tools[event.tool] = OpenTool(self._next - 1)
        return head + self._delta("input_json_delta", "partial_json", "")

    def add_arguments(self, event: ToolArguments) -> bytes:
        tool = self._tools[event.tool]
        if not tool.is_open:
            return b""
        tool.pieces.append(event.text)
        return self._delta("input_json_delta", "partial_json", event.text, tool.index)

    def add_detail(self, detail: Mapping[str, Any]) -> bytes:
        """A signature ends the thinking that it signs. The details of other vendors wait for the
        end of the open block."""
        block = claude_block(detail)
        if block is None:
            self._details.append(detail)
            return b""
        if block["type"] != THINKING:
            return self.add_block(block)
        head = b""
        if self._kind != THINKING:
            text = block["thinking"]
            head = self.add_thinking(text) if text else self._open(THINKING)
        return head + self._sign(block["signature"])

    def add_block(self, block: Mapping[str, Any]) -> bytes:
        """A whole block."""
        return self._open(str(block["type"]), block) + self._close()

    def end_text(self, citations: list[dict[str, Any]]) -> bytes:
        """The citations of a text that is complete; nothing where there are none."""
        cited = b"".join(map(self.add_citation, citations))
        return cited + self._close() if cited else b""

    def add_citation(self, citation: Mapping[str, Any]) -> bytes:
        """Nothing where no text is open: a citation belongs to a text."""
        if self._kind != TEXT:
            return b""
        self.has_citations = True
        return self._delta("citations_delta", "citation", citation)

    def close_all(self) -> bytes:
        """The end of all blocks."""
        closed = self._close() + self._flush_details()
        for tool in self._tools.values():
            if tool.is_open:
                closed += self._stop(tool.index)
                tool.is_open = False
        return closed

    # --- Inside -----------------------------------------------------------------------------------

    def _open(self, kind: str, block: Mapping[str, Any] | None = None) -> bytes:
        """Close the last block, and start another."""
        before = self._close() + self._flush_details()
        return before + self._start(kind, EMPTY_BLOCKS[kind] if block is None else block)

    def _start(self, kind: str, block: Mapping[str, Any]) -> bytes:
        index, self._next, self._kind = self._next, self._next + 1, kind
        if kind == TEXT:
            self._text_head = _text_head(index)
        start = _event("content_block_start", index=index, content_block=block)
        if self._has_pinged:
            return start
        self._has_pinged = True
        return start + PING

    def _close(self) -> bytes:
        """Close the last block: thinking after its signature, a call if it is complete."""
        kind = self._kind
        if kind == THINKING:
            details, self._details = self._details, []
            return self._sign(seal(details))
        if kind == TOOL:
            tool = self._last_tool()
            if not tool.is_complete:
                self._kind = ""
                return b""
            tool.is_open = False
        self._kind = ""
        return self._stop(self._next - 1) if kind else b""

    def _sign(self, signature: str) -> bytes:
        self._kind = ""
        signed = self._delta("signature_delta", "signature", signature)
        return signed + self._stop(self._next - 1)

    def _flush_details(self) -> bytes:
        if not self._details:
            return b""
        block = redacted_block(self._details)
        self._details = []
        return self._start(block["type"], block) + self._close()

    def _last_tool(self) -> OpenTool:
        return next(reversed(self._tools.values()))

    def _stop(self, index: int) -> bytes:
        return _event("content_block_stop", index=index)

    def _delta(self, kind: str, name: str, value: Any, index: int | None = None) -> bytes:
        place = self._next - 1 if index is None else index
        return _event("content_block_delta", index=place, delta={"type": kind, name: value})


def _event(kind: str, **fields: Any) -> bytes:
    return write_event(kind, without_line_breaks(_encode({"type": kind, **fields})))


def _text_head(index: int) -> bytes:
    return (
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":'
    ) % index
