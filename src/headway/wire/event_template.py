"""Server-sent events that differ in nothing but one JSON string, as those of a stream of text do.

One that is known to hold a text shows what surrounds it. The same bytes around another string are
the same event with another text, so it is enough to compare them and to decode the string: nothing
is split into lines, and the rest of the JSON is not read again and again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import repeat

import msgspec

from headway.types import Frame

BEFORE, AFTER = b"data: ", b"\n\n"
MARK_SIZE = 12
"""Bytes at the end of an opening to look for: what is short is found in less time."""
OTHER = "\0"
"""Makes another text of any text. JSON writes it with an escape, and outside of a string that is
not JSON: so what is read with it shows that it went into a string."""
PADDED = b'"}\n\n'
"""What closes an event that is padded: the padding's last quote, and the object's end."""
ReadText = Callable[[bytes], str | None]

read_string = msgspec.json.Decoder(str).decode
"""Of one JSON string. Raises ValueError for anything else, and thus for two events in one."""
_encode = msgspec.json.Encoder().encode


class Pattern(msgspec.Struct, frozen=True, gc=False):
    """What surrounds the text, its quotes included, in the bytes of a whole event."""

    opening: bytes
    closing: bytes

    def texts(self, data: bytes) -> tuple[list[str], bytes]:
        """Those of the events of this pattern that ``data`` begins with, and what is behind these
        events. May find fewer than there are, and finds none where one is empty."""
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
        texts = _decode(strings)
        count = len(texts)
        is_whole = count == len(pieces)
        rest = pieces[-1][end + len(closing) :] if is_whole else opening + mark.join(pieces[count:])
        written = b"".join(strings[:count])
        surroundings = count * (len(opening) + len(closing))
        # Else a mark was within an event, and less than all is around one of the strings.
        is_like = len(data) - len(rest) - len(written) == surroundings
        # JSON allows line breaks around a string, where they would end the event's line.
        is_one_line = written.find(b"\n") < 0 and written.find(b"\r") < 0
        return (texts, rest) if is_like and is_one_line and all(texts) else ([], data)


def _decode(strings: list[bytes]) -> list[str]:
    """Of those before the first that is no string: the list keeps what it has got."""
    texts: list[str] = []
    with suppress(ValueError):
        texts.extend(map(read_string, strings))
    return texts


def find_pattern(frame: Frame, text: str, read: ReadText) -> Pattern | None:
    """The pattern of an event, of which ``read`` gives the text. None if what it holds in that
    place is not all that ``read`` goes by, or is written in another way than ours."""
    data = frame.data
    if frame.raw != BEFORE + data + AFTER:
        return None
    opening, found, closing = data.partition(_encode(text))
    other = text + OTHER
    if not found or read(opening + _encode(other) + closing) != other:
        return None
    return Pattern(BEFORE + opening + b'"', b'"' + closing + AFTER)


def find_padding(pattern: Pattern, read: ReadText) -> bytes | None:
    """Where another string ends the object: what is between the text and that, from the one's last
    quote to the other's first. OpenAI pads its events with random letters and digits, so that their
    lengths tell nothing. None if there is none, or ``read`` goes by it."""
    opening, closing = pattern.opening, pattern.closing
    start = closing.rfind(b'"', 0, -len(PADDED)) + 1
    between, padding = closing[:start], closing[start:]
    if not padding.endswith(PADDED) or not padding[: -len(PADDED)].isalnum():
        return None
    other = opening[len(BEFORE) :] + b"0" + between + b"0x0" + PADDED
    return between if read(other) == "0" else None
