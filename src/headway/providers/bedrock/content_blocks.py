"""Decode Converse's content blocks to events: each is opened, filled by deltas, and closed
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html). A whole response
has the same blocks, each opened with all of its content."""

from __future__ import annotations

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
from headway.providers.anthropic.reasoning_blocks import signed_detail
from headway.providers.bedrock.reasoning_blocks import encrypted_detail
from headway.providers.citations import citation_fields
from headway.providers.tool_calls import OpenCall, ToolCalls, arguments_text
from headway.types import NO_RAW
from headway.wire.lenient_json import Words


class ToolUse(Struct, rename="camel"):
    tool_use_id: str | int | float | None = None
    name: str | None = None
    input: Raw = NO_RAW
    type: str | None = None
    """server_tool_use: the provider calls the tool itself. tool_use or none: the client does."""


class ReasoningText(Struct):
    text: str = ""
    signature: str | None = None


class WireReasoning(Struct, rename="camel"):
    """A delta has ``text`` or ``signature``, a whole block has ``reasoningText``."""

    text: Words | None = None
    signature: str | None = None
    redacted_content: str | None = None
    reasoning_text: ReasoningText | None = None


class CitedText(Struct):
    text: str = ""


class CitationsContent(Struct):
    content: list[CitedText] = []
    citations: list[dict[str, Any]] = []


class ImageSource(Struct):
    bytes: str | None = None


class Image(Struct):
    format: str = "png"
    source: ImageSource | None = None


class WireBlock(Struct, rename="camel"):
    """A block of a whole response, or the start of a streamed one."""

    text: str | None = None
    tool_use: ToolUse | None = None
    tool_result: Raw = NO_RAW
    reasoning_content: WireReasoning | None = None
    citations_content: CitationsContent | None = None
    image: Image | None = None


class ToolUseDelta(Struct):
    input: str | dict[str, Raw] | None = None


class BlockDelta(Struct, rename="camel"):
    text: str | None = None
    tool_use: ToolUseDelta | None = None
    tool_result: list[Any] | None = None
    reasoning_content: WireReasoning | None = None
    citation: dict[str, Any] | None = None
    citations: list[dict[str, Any]] | None = None
    """All of them, of a block of a whole response."""
    image: Image | None = None


class OpenBlock:
    """A block that is being filled."""

    __slots__ = (
        "call", "citations", "fragments", "image_format", "redacted", "server_block", "signature",
        "start",
    )  # fmt: skip

    def __init__(self, start: int) -> None:
        self.start = start
        """Offset of its text in the text of the whole response, in characters."""
        self.call: OpenCall | None = None
        """If it is a tool call of the client's."""
        self.fragments: list[str] = []
        """Fragments of its reasoning, of its input as JSON, or of its image in base64."""
        self.signature: str | None = None
        self.redacted: list[str] = []
        self.citations: list[dict[str, Any]] = []
        self.server_block: dict[str, Any] | None = None
        """Bedrock's block, if it is a call that the provider makes itself, or its result."""
        self.image_format: str | None = None


class DecoderState:
    """The state of decoding one response."""

    __slots__ = ("calls", "next_index", "open_blocks", "stop_reason", "text_length")

    def __init__(self) -> None:
        self.open_blocks: dict[int, OpenBlock] = {}
        """The open blocks by their index in the response."""
        self.next_index = 0
        """One more than the index of the block that was opened last."""
        self.text_length = 0
        """Characters of text so far."""
        self.calls = ToolCalls()
        self.stop_reason: str | None = None


_decode_any = msgspec.json.Decoder().decode


# --- Open -----------------------------------------------------------------------------------------


def open_block(index: int, block: WireBlock, raw: Raw, state: DecoderState) -> list[Event]:
    """``raw`` is the block's JSON."""
    opened = _open(index, state)
    if block.tool_use is not None:
        return _open_tool_use(opened, block.tool_use, raw, state)
    if block.tool_result:
        opened.server_block = _decode_any(raw)
    if block.image is not None:
        opened.image_format = block.image.format
    return fill_block(index, _as_delta(block), state)


def _open(index: int, state: DecoderState) -> OpenBlock:
    opened = state.open_blocks[index] = OpenBlock(state.text_length)
    state.next_index = index + 1
    return opened


def _as_delta(block: WireBlock) -> BlockDelta:
    """The content of a block of a whole response, as the delta of a streamed one."""
    reasoning = block.reasoning_content
    if reasoning is not None and reasoning.reasoning_text is not None:
        whole = reasoning.reasoning_text
        reasoning = WireReasoning(whole.text, whole.signature)
    if block.citations_content is None:
        return BlockDelta(text=block.text, reasoning_content=reasoning, image=block.image)
    cited = block.citations_content
    return BlockDelta(text="".join(p.text for p in cited.content), citations=cited.citations)


def _open_tool_use(opened: OpenBlock, call: ToolUse, raw: Raw, state: DecoderState) -> list[Event]:
    if call.type == "server_tool_use":
        opened.server_block = _decode_any(raw)
        return []
    events: list[Event] = []
    opened.call = state.calls.start(call.tool_use_id, call.name, events)
    if call.input:
        opened.call.add(bytes(call.input).decode(), events, is_start=True)
    return events


# --- Fill -----------------------------------------------------------------------------------------


def fill_block(index: int, delta: BlockDelta, state: DecoderState) -> list[Event]:
    """The first delta opens a block of text or of reasoning: it has no event that does."""
    opened = state.open_blocks.get(index) or _open(index, state)
    events: list[Event] = []
    if delta.text:  # most deltas
        state.text_length += len(delta.text)
        events.append(Text(delta.text))
    if delta.tool_use is not None and delta.tool_use.input:
        fragment = arguments_text(delta.tool_use.input)
        if opened.call is None:
            opened.fragments.append(fragment)
        else:
            opened.call.add(fragment, events)
    if delta.reasoning_content is not None:
        events += _fill_reasoning(opened, delta.reasoning_content)
    if delta.citation is not None:
        opened.citations.append(delta.citation)
    opened.citations += delta.citations or ()
    if delta.tool_result and opened.server_block is not None:
        _add_results(opened.server_block.get("toolResult"), delta.tool_result)
    if delta.image is not None and delta.image.source is not None and delta.image.source.bytes:
        opened.fragments.append(delta.image.source.bytes)
    return events


def _add_results(result: Any, more: list[Any]) -> None:
    if isinstance(result, dict):
        given = result.get("content")
        result["content"] = [*(given if isinstance(given, list) else ()), *more]


def _fill_reasoning(opened: OpenBlock, reasoning: WireReasoning) -> list[Event]:
    if reasoning.signature:
        opened.signature = reasoning.signature
    if reasoning.redacted_content:
        opened.redacted.append(reasoning.redacted_content)
    if not reasoning.text:
        return []
    opened.fragments.append(reasoning.text)
    return [Reasoning(reasoning.text)]


# --- Close ----------------------------------------------------------------------------------------


def close_block(index: int, state: DecoderState) -> list[Event]:
    """No events where no block of that index is open."""
    opened = state.open_blocks.pop(index, None)
    if opened is None:
        return []
    content = "".join(opened.fragments)
    events: list[Event] = []
    if opened.call is not None:
        opened.call.close(events)
        return events
    if opened.server_block is not None:
        return [_server_block(opened.server_block, content, index)]
    if opened.image_format is not None:
        return [_image(opened.image_format, content)] if content else []
    if opened.signature is not None:
        events.append(ReasoningDetail(signed_detail(content, opened.signature, index)))
    if opened.redacted:
        events.append(ReasoningDetail(encrypted_detail("".join(opened.redacted), index)))
    if opened.citations:
        events.append(citation_fields(opened.citations, opened.start, state.text_length, _address))
    return events


def _server_block(block: dict[str, Any], tool_input: str, index: int) -> ExtraFields:
    """The whole block, so that the client can send it back."""
    if tool_input and isinstance(block.get("toolUse"), dict):
        try:
            block["toolUse"]["input"] = _decode_any(tool_input)
        except msgspec.DecodeError:
            block["toolUse"]["input"] = tool_input
    return ExtraFields({"content_blocks": [{**block, "index": index}]})


def _image(image_format: str, data: str) -> ExtraFields:
    """In the shape of OpenRouter's ``images``."""
    url = f"data:image/{image_format};base64,{data}"
    return ExtraFields({"images": [{"type": "image_url", "image_url": {"url": url}}]})


def _address(citation: dict[str, Any]) -> Any:
    location = citation.get("location")
    web = location.get("web") if isinstance(location, dict) else None
    return (web.get("url") if isinstance(web, dict) else None) or citation.get("source")
