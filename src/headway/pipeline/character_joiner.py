"""Join characters that a stream splits over two events, in whatever wire format.

The events come from frames with stand-ins for parts of characters (``wire.json_repair``). A part at
the end of a piece of text waits for the next piece of the same text.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.errors import HeadwayError
from headway.events import (
    Event,
    Failed,
    Finished,
    Reasoning,
    Refusal,
    StreamEnd,
    Text,
    ToolArguments,
)
from headway.wire.json_repair import complete, finish

Piece = Text | Reasoning | Refusal | ToolArguments
PIECES = (Text, Reasoning, Refusal, ToolArguments)
ERROR_FIELDS = ("message", "param", "code", "request_id")


class CharacterJoiner:
    """The events of one stream, from the first one on whose frame had to be repaired."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[int, Piece] = {}
        """By choice: the event whose text is the beginning of a character."""

    def join(self, events: list[Event]) -> list[Event]:
        """``events`` without stand-ins. A character that began in an earlier event, and does not go
        on in the same text, is U+FFFD."""
        joined: list[Event] = []
        for event in events:
            if isinstance(event, PIECES):
                self._join_piece(event, joined)
                continue
            if isinstance(event, Finished):
                self._release(event.index, joined)
            elif isinstance(event, StreamEnd | Failed):
                for index in list(self._held):
                    self._release(index, joined)
            joined.append(_finished(event))
        return joined

    def _join_piece(self, event: Piece, joined: list[Event]) -> None:
        held = self._held.get(event.index)
        if held is not None and replace(held, text="") == replace(event, text=""):
            event = replace(event, text=held.text + event.text)
            del self._held[event.index]
        else:
            self._release(event.index, joined)
        text, rest = complete(event.text)
        if rest:
            self._held[event.index] = replace(event, text=rest)
        if text:
            joined.append(replace(event, text=text))

    def _release(self, index: int, joined: list[Event]) -> None:
        held = self._held.pop(index, None)
        if held is not None:
            joined.append(_finished(held))


def _finished(value: Any) -> Any:
    """``value`` with all of its texts finished."""
    if isinstance(value, str):
        return finish(value)
    if isinstance(value, Raw):
        return Raw(finish(bytes(value).decode()).encode())
    if isinstance(value, dict):
        return {_finished(name): _finished(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finished(item) for item in value]
    if isinstance(value, HeadwayError):
        for name in ERROR_FIELDS:
            setattr(value, name, _finished(getattr(value, name)))
    if isinstance(value, Struct):
        names = type(value).__struct_fields__
        return type(value)(**{name: _finished(getattr(value, name)) for name in names})
    return value
