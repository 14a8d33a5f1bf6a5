"""Precomputed fast path for SSE events that differ only in their text.

An event that is known to hold a text shows which bytes surround it. An event with the same bytes
around another JSON string is the same event with another text, so it is enough to compare these
bytes and to decode the string: no line is split, and the rest of the JSON is not parsed.

To remove this mechanism, delete this file and what ``pipeline/stream_reader.py`` does in
``Mode.TEMPLATE`` and ``Mode.RELAY``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import repeat

import msgspec

from headway.types import Frame

BEFORE, AFTER = b"data: ", b"\n\n"
MARK_SIZE = 12
"""Bytes at the end of an opening to search for: a short byte string is found faster."""
OTHER = "\0"
"""Appended to a text, it makes a different text. JSON writes it as an escape, which is invalid
outside a string: if it is read back, it was inside the string that the reader returns."""
PADDED = b'"}\n\n'
"""The end of a padded event: the padding's closing quote and the object's end."""
MAX_BLANKS = 64
PADDED_ENDS = frozenset(b" " * count + b"}\n\n" for count in range(MAX_BLANKS))
"""The ends of events that are padded with blanks. Anthropic was seen to add 15 at most; an event
with more of them is read without a template."""
ReadText = Callable[[bytes], str | None]
"""The text of an event's data (``Provider.read_text``), or None."""

read_string = msgspec.json.Decoder(str).decode
"""Decode one JSON string. Raises ValueError for anything else, so for two events in one as well."""
_encode = msgspec.json.Encoder().encode


class EventTemplate(msgspec.Struct, frozen=True, gc=False):
    """The bytes around the text in a whole event, the quotes of the text included."""

    opening: bytes
    closing: bytes

    def read_many(self, data: bytes) -> tuple[list[str], bytes]:
        """The texts of the matching events at the start of ``data``, and the remaining bytes. May
        find fewer than there are, and finds none where one text is empty."""
        opening, closing = self.opening[:-1], self.closing[1:]
        mark = opening[-MARK_SIZE:]
        before, *pieces = data.split(mark)
        if before + mark != opening or not pieces:
            return [], data
        strings = list(map(bytes.removesuffix, pieces, repeat(closing + before)))
        end = pieces[-1].find(b'"', 1) + 1
        strings[-1] = pieces[-1][:end]
        if not pieces[-1].startswith(closing, end):
            del strings[-1]
        texts = _decode_until_error(strings)
        count = len(texts)
        is_whole = count == len(pieces)
        rest = pieces[-1][end + len(closing) :] if is_whole else opening + mark.join(pieces[count:])
        written = b"".join(strings[:count])
        surrounding = count * (len(opening) + len(closing))
        # If a mark was inside an event, one of the strings has too few bytes around it.
        is_complete = len(data) - len(rest) - len(written) == surrounding
        # JSON allows line breaks around a string, where they would end the event's line.
        is_one_line = written.find(b"\n") < 0 and written.find(b"\r") < 0
        return (texts, rest) if is_complete and is_one_line and all(texts) else ([], data)


class SingleEventTemplate(msgspec.Struct, frozen=True, gc=False):
    """The template for a chunk that is exactly one event, which may be padded: OpenAI pads its
    events with random letters and digits, so that their lengths reveal nothing."""

    opening: bytes
    """The bytes before the JSON string of the text."""
    closing: bytes
    """The bytes after the string; with padding: after the padding."""
    separator: bytes | None
    """The text's closing quote and the bytes between it and the padding; None without padding."""

    def read(self, data: bytes) -> str:
        """The text, or an empty string if ``data`` is anything else than one matching event."""
        inner = data.removeprefix(self.opening)
        string = inner.removesuffix(self.closing)
        if inner is data or string is inner:  # nothing was removed
            return ""
        if self.separator is not None:
            string, _, padding = string.partition(self.separator)
            string = string + b'"' if padding.isalnum() else b""
        try:
            return read_string(string)
        except ValueError:
            return ""  # usually several events at once


class NamedEventTemplate(msgspec.Struct, frozen=True, gc=False):
    """The template for a chunk that is exactly one event with a name, which may be padded with
    blanks before the end of its object, as Anthropic pads its events."""

    opening: bytes
    """The bytes before the JSON string of the text."""

    def read(self, data: bytes) -> str:
        """The text, or an empty string if ``data`` is anything else than one matching event."""
        inner = data.removeprefix(self.opening)
        string, _, end = inner.rpartition(b'"}')
        if inner is data or end not in PADDED_ENDS:
            return ""
        try:
            return read_string(string + b'"')
        except ValueError:
            return ""  # usually several events at once


def find_named_template(frame: Frame, text: str, read_text: ReadText) -> NamedEventTemplate | None:
    """The template of an event with a name, whose text is the last value of an object that is the
    last value of the event's; None for any other event."""
    data = frame.data
    before = b"event: %b\ndata: " % (frame.event or "").encode()
    if frame.event is None or frame.raw != before + data + AFTER:
        return None
    opening, found, closing = data.partition(_encode(text))
    other = text + OTHER
    is_last = closing.replace(b" ", b"") == b"}}" and closing[:1] == b"}"
    if not found or not is_last or read_text(opening + _encode(other) + closing) != other:
        return None
    return NamedEventTemplate(before + opening)


def find_template(frame: Frame, text: str, read_text: ReadText) -> EventTemplate | None:
    """The template of an event whose text is ``text``. None if another string in its place would
    not be the event's text, or if the event is not written as we write JSON and SSE."""
    data = frame.data
    if frame.raw != BEFORE + data + AFTER:
        return None
    opening, found, closing = data.partition(_encode(text))
    other = text + OTHER
    if not found or read_text(opening + _encode(other) + closing) != other:
        return None
    return EventTemplate(BEFORE + opening + b'"', b'"' + closing + AFTER)


def single_event_template(template: EventTemplate, read_text: ReadText) -> SingleEventTemplate:
    """``template`` for chunks of one event each."""
    opening, separator = template.opening[:-1], find_separator(template, read_text)
    closing = template.closing[1:] if separator is None else PADDED
    return SingleEventTemplate(opening, closing, separator)


def find_separator(template: EventTemplate, read_text: ReadText) -> bytes | None:
    """If another string, a padding, ends the object: the bytes between the text's closing quote and
    the padding's first character, both quotes included. None if there is no padding, or if
    ``read_text`` depends on it."""
    opening, closing = template.opening, template.closing
    start = closing.rfind(b'"', 0, -len(PADDED)) + 1
    separator, padding = closing[:start], closing[start:]
    if not padding.endswith(PADDED) or not padding[: -len(PADDED)].isalnum():
        return None
    other = opening[len(BEFORE) :] + b"0" + separator + b"0x0" + PADDED
    return separator if read_text(other) == "0" else None


def _decode_until_error(strings: list[bytes]) -> list[str]:
    """The decoded strings before the first one that is not a JSON string."""
    texts: list[str] = []
    with suppress(ValueError):
        texts.extend(map(read_string, strings))  # the list keeps what it got before the error
    return texts
