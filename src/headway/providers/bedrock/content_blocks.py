"""Converse's content blocks while an answer is read: each is opened, filled and closed
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.bedrock.reasoning_blocks import encrypted, signed
from headway.types import (
    NO_RAW,
    Event,
    ExtraFields,
    Reasoning,
    ReasoningDetail,
    Text,
    ToolArguments,
    ToolStarted,
)


class ToolUse(Struct, rename="camel"):
    tool_use_id: str = ""
    name: str = ""
    input: Raw = NO_RAW
    type: str | None = None
    """server_tool_use: the provider calls it itself."""


class ReasoningText(Struct):
    text: str = ""
    signature: str | None = None


class WireReasoning(Struct, rename="camel"):
    """In a delta ``text`` and ``signature`` stand alone, in a block together."""

    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None
    reasoning_text: ReasoningText | None = None


class Piece(Struct):
    text: str = ""


class Cited(Struct):
    content: list[Piece] = []
    citations: list[dict[str, Any]] = []


class ImageSource(Struct):
    bytes: str | None = None


class Image(Struct):
    format: str = "png"
    source: ImageSource | None = None


class WireBlock(Struct, rename="camel"):
    """A block of a whole answer, or what a streamed one opens with."""

    text: str | None = None
    tool_use: ToolUse | None = None
    tool_result: Raw = NO_RAW
    reasoning_content: WireReasoning | None = None
    citations_content: Cited | None = None
    image: Image | None = None


class ToolUseDelta(Struct):
    input: str = ""


class Delta(Struct, rename="camel"):
    text: str | None = None
    tool_use: ToolUseDelta | None = None
    tool_result: Any = None
    reasoning_content: WireReasoning | None = None
    citation: dict[str, Any] | None = None
    citations: list[dict[str, Any]] | None = None
    """Of a block that comes full."""
    image: Image | None = None


class Open:
    """A block that is being filled."""

    __slots__ = ("citations", "image", "own", "pieces", "redacted", "signature", "start", "tool")

    def __init__(self, start: int) -> None:
        self.start = start
        """Where its text begins in the text of the whole answer, in characters."""
        self.tool: int | None = None
        self.pieces: list[str] = []
        """What came of its thought, or of its input as JSON."""
        self.signature: str | None = None
        self.redacted: list[str] = []
        self.citations: list[dict[str, Any]] = []
        self.own: dict[str, Any] | None = None
        """A call that the provider makes itself, or its result: Bedrock's own block."""
        self.image: str | None = None
        """The format of a picture."""


class Reading:
    """One answer while it is read."""

    __slots__ = ("length", "open", "tools")

    def __init__(self) -> None:
        self.open: dict[int, Open] = {}
        self.length = 0
        self.tools = 0


_any = msgspec.json.Decoder().decode


def open_block(index: int, block: WireBlock, raw: Raw, reading: Reading) -> list[Event]:
    """``raw`` is the block's own JSON."""
    opened = reading.open[index] = Open(reading.length)
    if block.tool_use is not None:
        return _open_tool(opened, block.tool_use, raw, reading)
    if block.tool_result:
        opened.own = _any(raw)
    if block.image is not None:
        opened.image = block.image.format
    return fill(index, _filling(block), reading)


def _filling(block: WireBlock) -> Delta:
    """A block that comes full, as the delta that would have filled it."""
    reasoning = block.reasoning_content
    if reasoning is not None and reasoning.reasoning_text is not None:
        thought = reasoning.reasoning_text
        reasoning = WireReasoning(thought.text, thought.signature)
    if block.citations_content is None:
        return Delta(text=block.text, reasoning_content=reasoning, image=block.image)
    cited = block.citations_content
    return Delta(text="".join(p.text for p in cited.content), citations=cited.citations)


def _open_tool(opened: Open, call: ToolUse, raw: Raw, reading: Reading) -> list[Event]:
    if call.type is not None:
        opened.own = _any(raw)
        return []
    opened.tool = reading.tools
    reading.tools += 1
    events: list[Event] = [ToolStarted(opened.tool, call.tool_use_id, call.name)]
    if call.input:
        opened.pieces.append(bytes(call.input).decode())
        events.append(ToolArguments(opened.tool, opened.pieces[0]))
    return events


def fill(index: int, delta: Delta, reading: Reading) -> list[Event]:
    """A block of text or of reasoning is not opened: its first piece opens it."""
    opened = reading.open.get(index)
    if opened is None:
        opened = reading.open[index] = Open(reading.length)
    events: list[Event] = []
    if delta.text:  # most are
        reading.length += len(delta.text)
        events.append(Text(delta.text))
    if delta.tool_use is not None and delta.tool_use.input:
        opened.pieces.append(delta.tool_use.input)
        if opened.tool is not None:
            events.append(ToolArguments(opened.tool, delta.tool_use.input))
    if delta.reasoning_content is not None:
        events += _think(opened, delta.reasoning_content)
    if delta.citation is not None:
        opened.citations.append(delta.citation)
    opened.citations += delta.citations or ()
    if delta.tool_result is not None and opened.own is not None:
        result = opened.own["toolResult"]
        result["content"] = [*result.get("content", ()), *delta.tool_result]
    if delta.image is not None and delta.image.source is not None and delta.image.source.bytes:
        opened.pieces.append(delta.image.source.bytes)
    return events


def _think(opened: Open, thought: WireReasoning) -> list[Event]:
    if thought.signature:
        opened.signature = thought.signature
    if thought.redacted_content:
        opened.redacted.append(thought.redacted_content)
    if not thought.text:
        return []
    opened.pieces.append(thought.text)
    return [Reasoning(thought.text)]


# --- Closing --------------------------------------------------------------------------------------


def close(index: int, reading: Reading) -> list[Event]:
    opened = reading.open.pop(index, None)
    if opened is None:
        return []
    if opened.tool is not None:
        # A call without arguments may stream none; OpenAI's clients want JSON all the same.
        return [] if opened.pieces else [ToolArguments(opened.tool, "{}")]
    if opened.own is not None:
        return [_own_block(opened, opened.own, index)]
    if opened.image is not None:
        return [_picture(opened.image, "".join(opened.pieces))] if opened.pieces else []
    events: list[Event] = []
    if opened.signature is not None:
        events.append(ReasoningDetail(signed("".join(opened.pieces), opened.signature, index)))
    if opened.redacted:
        events.append(ReasoningDetail(encrypted("".join(opened.redacted), index)))
    if opened.citations:
        events.append(_citations(opened, reading.length))
    return events


def _own_block(opened: Open, block: dict[str, Any], index: int) -> ExtraFields:
    """Kept whole, so that it can be sent back."""
    if opened.pieces:
        block["toolUse"]["input"] = _any("".join(opened.pieces))
    return ExtraFields({"content_blocks": [{**block, "index": index}]})


def _picture(kind: str, data: str) -> ExtraFields:
    """In the shape of OpenRouter's ``images``."""
    url = f"data:image/{kind};base64,{data}"
    return ExtraFields({"images": [{"type": "image_url", "image_url": {"url": url}}]})


def _citations(opened: Open, end: int) -> ExtraFields:
    span = {"start_index": opened.start, "end_index": end}
    fields: dict[str, Any] = {"citations": [{**cited, **span} for cited in opened.citations]}
    links = [_link(cited, span) for cited in opened.citations if _address(cited)]
    if links:
        fields["annotations"] = links
    return ExtraFields(fields)


def _address(cited: dict[str, Any]) -> str | None:
    web = (cited.get("location") or {}).get("web") or {}
    address = web.get("url") or cited.get("source")
    is_link = isinstance(address, str) and address.startswith(("http://", "https://"))
    return address if is_link else None


def _link(cited: dict[str, Any], span: dict[str, int]) -> dict[str, Any]:
    """In the shape of OpenAI's url_citation."""
    citation = {"url": _address(cited), "title": cited.get("title") or "", **span}
    return {"type": "url_citation", "url_citation": citation}
