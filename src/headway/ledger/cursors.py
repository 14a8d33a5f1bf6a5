"""Cursors: where the next page begins, as text that a URL can hold."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, TypeVar

import msgspec

from headway.ledger.store import WrongCursorError

Place = TypeVar("Place")
MAX_NUMBER = 2**63 - 1


def encode_cursor(kind: str, place: object) -> str:
    """``place`` is what ``decode_cursor`` gives back; ``kind`` keeps the cursors of one question
    from another."""
    packed = msgspec.msgpack.encode((kind, place))
    return urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def decode_cursor(text: str, kind: str, type_: type[Place]) -> Place:
    """Raises WrongCursorError."""
    try:
        packed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        found, place = msgspec.msgpack.decode(packed, type=tuple[str, Any])
        _check_numbers(place)
        converted: Place = msgspec.convert(place, type_)
    except (ValueError, msgspec.DecodeError):
        raise WrongCursorError("the cursor is none that was given out") from None
    if found != kind:
        raise WrongCursorError("the cursor belongs to another question")
    return converted


def _check_numbers(place: Any) -> None:
    """Databases have no larger numbers. Raises ValueError."""
    for part in place if isinstance(place, list) else [place]:
        if isinstance(part, int) and not -MAX_NUMBER <= part <= MAX_NUMBER:
            raise ValueError(part)
