"""Event transforms: what vendors of OpenAI-compatible APIs do differently in their responses.

A transform gets the events that OpenAI's decoder made of a chunk, or of a whole body, with the
bytes, and returns the vendor's events. It decodes the bytes only where they contain a field's name:
for most chunks of most streams that is one search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.events import (
    Event,
    Failed,
    Finished,
    Reasoning,
    ReasoningDetail,
    Started,
    UsageReported,
)
from headway.providers.http_errors import error_from_body
from headway.providers.openai.usage import usage_events
from headway.types import NO_RAW
from headway.wire.lenient_json import Position, Words, as_count, as_text, lenient_decoder

NULL = b"null"
Memory = dict[Any, Any]
"""The state of one transform in one stream."""
ResponseInterceptor = Callable[[bytes], list[Event] | None]
"""Called before OpenAI's decoder; the events that it returns are final. None: not concerned."""


class EventTransform(Struct, frozen=True):
    apply: Callable[[bytes, list[Event], Memory], list[Event]]
    """(chunk or body, events, memory) -> events. Must not modify the list that it gets."""
    text_marker: bytes | None = b""
    """The transform changes a chunk of text alone only where these bytes are in it; None: never.
    The default is in every chunk."""


def is_present(raw: Raw) -> bool:
    """False for an absent field, and for null."""
    return bool(raw) and bytes(raw) != NULL


def has_usage(events: list[Event]) -> bool:
    return any(type(event) is UsageReported for event in events)


# --- Usage and errors in a vendor's own object ----------------------------------------------------


class Extension(Struct):
    usage: Raw = NO_RAW
    error: Raw = NO_RAW


_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_extension = lenient_decoder(Extension)


def extension_object(field: str) -> EventTransform:
    """Usage and an error in the object ``field`` of a chunk: the usage counts where the chunk has
    no other, the error says why a stream ends early."""
    marker = f'"{field}"'.encode()

    def apply(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
        if marker not in data:
            return events
        raw = _fields(data).get(field, NULL)
        found = _extension(raw) if bytes(raw)[:1] == b"{" else Extension()
        more: list[Event] = []
        if not has_usage(events):
            more += usage_events(found.usage)
        if is_present(found.error):
            more.append(Failed(error_from_body(msgspec.json.decode(found.error), None)))
        return [*events, *more]

    return EventTransform(apply, text_marker=marker)


# --- Reasoning blocks to send back on the next turn -----------------------------------------------


class DetailedMessage(Struct):
    reasoning_details: list[dict[str, Any]] | None = None
    reasoning: Words | None = None


class DetailedChoice(Struct):
    index: Position = 0
    delta: DetailedMessage | None = None
    message: DetailedMessage | None = None


class DetailedChunk(Struct):
    choices: list[DetailedChoice] = []


_detailed = lenient_decoder(DetailedChunk)
CONCATENATED = ("text", "summary", "data")
"""Fields of a block that arrive in pieces."""


def _reasoning_details(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    added: list[Event] = []
    if b'"reasoning_details"' in data:
        for choice in _detailed(data).choices:
            added += _remember(choice, memory)
    if not memory:
        return events
    first = events[:1] if events and isinstance(events[0], Started) else []
    result = [*first, *added]
    for event in events[len(first) :]:
        if isinstance(event, Finished):
            result += _complete_details(memory, event.index)
        result.append(event)
    return result


def _remember(choice: DetailedChoice, memory: Memory) -> list[Event]:
    """Store the blocks, or pieces of blocks; return their text where no other field has it."""
    message = choice.delta or choice.message or DetailedMessage()
    details = message.reasoning_details or []
    for detail in details:
        position = as_count(detail.get("index"))
        is_piece = choice.delta is not None and position is not None
        rest = (position, as_text(detail.get("type"))) if is_piece else (object(), None)
        _append_piece(memory.setdefault((choice.index, *rest), {}), detail)
    text = "".join(as_text(one.get("text")) or as_text(one.get("summary")) for one in details)
    return [] if message.reasoning or not text else [Reasoning(text, choice.index)]


def _append_piece(block: dict[str, Any], piece: Mapping[str, Any]) -> None:
    for name, value in piece.items():
        if name in CONCATENATED and value is not None:
            block[name] = as_text(block.get(name)) + as_text(value)
        elif value is not None or name not in block:
            block[name] = value


def _complete_details(memory: Memory, choice: int) -> list[Event]:
    keys: list[Any] = [key for key in memory if key[0] == choice]
    return [ReasoningDetail(memory.pop(key), choice) for key in keys]


REASONING_DETAILS = EventTransform(_reasoning_details)
"""``reasoning_details`` (openrouter.ai/docs, Reasoning tokens): in a stream they arrive in pieces
with an ``index``, and become one event each when the choice ends. A summary and encrypted data of
the same thought share an index, not a type."""
