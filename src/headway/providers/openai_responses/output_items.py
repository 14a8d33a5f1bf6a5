"""The output items of a Responses answer, as events: opened, and closed whole.

``close`` says what the deltas before it did not: annotations and reasoning to send back, and
everything, where there were no deltas. Items that chat has no word for (searches, code, images)
are kept whole, with their place, so that they can be sent back; of several messages, which are one
text in chat, their places and lengths (``output_messages``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.types import (
    Event,
    ExtraFields,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Text,
    ToolArguments,
    ToolStarted,
)

FORMAT = "openai-responses-v1"
"""The ``format`` of our reasoning details, as OpenRouter names it."""


class Piece(Struct):
    """A part of a message, of a summary or of a thought."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: list[dict[str, Any]] | None = None
    logprobs: list[dict[str, Any]] | None = None


class Item(Struct):
    """What is read of an item that the vocabulary has words for."""

    type: str
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: str | dict[str, Any] | None = None
    """A text of every function call; of OpenAI's own tools, which are kept whole, an object."""
    input: str | None = None
    content: list[Piece] | None = None
    summary: list[Piece] | None = None
    encrypted_content: str | None = None
    phase: str | None = None


class Open:
    """An item that is being filled: what of it was said."""

    __slots__ = ("has_arguments", "has_logprobs", "has_refusal", "length", "paragraph", "tool")

    def __init__(self) -> None:
        self.length = 0
        """Of its text, in characters."""
        self.has_logprobs = self.has_refusal = self.has_arguments = False
        self.paragraph: tuple[int | None, int | None] | None = None
        """Of a thought, the last one that was begun."""
        self.tool = -1


class Reading:
    """One answer while it is read."""

    __slots__ = ("closed", "has_spoken", "has_started", "length", "open", "tools", "untold", "void")

    def __init__(self) -> None:
        self.open: dict[int, Open] = {}
        self.closed = 0
        self.has_started = self.has_spoken = False
        self.length = 0
        """Of the text of the messages that are closed, in characters."""
        self.untold: list[dict[str, Any]] = []
        """Messages that are closed, but whose places were not told."""
        self.void = 0
        """Items that said nothing: they are not sent back, so the places behind them move up."""
        self.tools = 0

    def at(self, index: int) -> Open:
        found = self.open.get(index)
        if found is None:
            found = self.open[index] = Open()
        return found


_item = msgspec.json.Decoder(Item).decode
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def open_item(index: int, raw: Raw, reading: Reading) -> list[Event]:
    item = _item(raw)
    return _call(item, reading.at(index), reading) if item.type in CALLS else []


def close(index: int, raw: Raw, reading: Reading) -> list[Event]:
    item = _item(raw)
    opened = reading.at(index)
    reading.closed += 1
    read = CLOSES.get(item.type)
    place = index - reading.void
    if read is None:
        return [ExtraFields({"output_items": [{**_any(raw), "index": place}]})]
    events = read(item, opened, place, reading)
    del reading.open[index]
    return events


def _call(item: Item, opened: Open, reading: Reading) -> list[Event]:
    """A call begins, with as much of its arguments as there is."""
    events: list[Event] = []
    if opened.tool < 0:
        opened.tool = reading.tools
        reading.tools += 1
        call_id = item.call_id or item.id or ""
        events.append(ToolStarted(opened.tool, call_id, item.name or ""))
        if item.namespace is not None:
            events.append(ExtraFields({"tool_namespaces": {call_id: item.namespace}}))
    arguments = item.arguments if item.type == "function_call" else item.input
    if arguments and not opened.has_arguments:
        opened.has_arguments = True
        text = arguments if isinstance(arguments, str) else _encode(arguments).decode()
        events.append(ToolArguments(opened.tool, text))
    return events


def _close_call(item: Item, opened: Open, index: int, reading: Reading) -> list[Event]:
    return _call(item, opened, reading)


def _close_message(item: Item, opened: Open, index: int, reading: Reading) -> list[Event]:
    """Places of annotations count from the start of their part; ours, from that of the answer."""
    events: list[Event] = []
    pieces = item.content or []
    reading.void += not any(piece.text or piece.refusal for piece in pieces)
    silent = opened.length == 0
    links: list[Any] = []
    start = reading.length
    for piece in pieces:
        text = piece.text or ""
        if text and silent:
            events.append(Text(text))
        if piece.refusal and not opened.has_refusal:
            events.append(Refusal(piece.refusal))
        if piece.logprobs and not opened.has_logprobs:
            events.append(Logprobs({"content": piece.logprobs}))
        links += [_link(note, reading.length) for note in piece.annotations or ()]
        reading.length += len(text)
    placed = _placed(item, index, reading.length - start, reading)
    fields = {"annotations": links, "phase": item.phase, "output_messages": placed}
    if told := {name: value for name, value in fields.items() if value}:
        events.append(ExtraFields(told))
    return events


def _placed(item: Item, index: int, length: int, reading: Reading) -> list[dict[str, Any]]:
    """Where messages stand of which chat makes one text, so that they can be sent back one by one.
    A single one that stands before all calls needs no telling."""
    stands_first = not (reading.tools or reading.has_spoken)
    reading.has_spoken = True
    message: dict[str, Any] = {"index": index, "length": length, "phase": item.phase}
    reading.untold.append({k: v for k, v in message.items() if v is not None})
    if stands_first:
        return []
    told, reading.untold = reading.untold, []
    return told


def _link(note: dict[str, Any], start: int) -> dict[str, Any]:
    """A web citation in the shape that chat completions give it; others as they are."""
    moved = {
        name: value + start if name in ("start_index", "end_index") and value is not None else value
        for name, value in note.items()
    }
    if note.get("type") != "url_citation":
        return moved
    del moved["type"]
    return {"type": "url_citation", "url_citation": moved}


def _close_thought(item: Item, opened: Open, index: int, reading: Reading) -> list[Event]:
    """The thought as it can be sent back: its summary, its text, and what only they can read."""
    events: list[Event] = []
    pieces = [
        *(("summary", piece.text) for piece in item.summary or () if piece.text),
        *(("text", piece.text) for piece in item.content or () if piece.text),
    ]
    if pieces and opened.paragraph is None:
        events.append(Reasoning("\n\n".join(text for _, text in pieces)))
    values = [{"type": f"reasoning.{name}", name: text} for name, text in pieces]
    if item.encrypted_content:
        values.append({"type": "reasoning.encrypted", "data": item.encrypted_content})
    reading.void += not values
    same = {"id": item.id, "format": FORMAT, "index": index}
    return [*events, *(ReasoningDetail({**value, **same}) for value in values)]


CALLS = ("function_call", "custom_tool_call")
CLOSES: dict[str, Callable[[Item, Open, int, Reading], list[Event]]] = {
    "message": _close_message,
    "reasoning": _close_thought,
    "function_call": _close_call,
    "custom_tool_call": _close_call,
}
