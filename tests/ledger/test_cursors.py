"""Cursors that were given out are read; all else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.ledger.cursors import decode_cursor, encode_cursor
from headway.ledger.store import WrongCursorError
from support.for_each import for_each


@for_each("place", [0, -5, 2**63 - 1])
def test_a_cursor_is_read_again(place: int) -> None:
    assert decode_cursor(encode_cursor("logs", place), "logs", int) == place


@for_each("place", [2**63, 2**64 - 1, "1", None, [1], 1.5])
def test_a_place_that_cannot_be_one_is_refused(place: object) -> None:
    with pytest.raises(WrongCursorError):
        decode_cursor(encode_cursor("logs", place), "logs", int)


def test_numbers_within_a_place_have_the_same_limits() -> None:
    cursor = encode_cursor("logs", (2**63, "id"))
    with pytest.raises(WrongCursorError):
        decode_cursor(cursor, "logs", tuple[int, str])


def test_a_cursor_of_another_question_is_refused() -> None:
    with pytest.raises(WrongCursorError):
        decode_cursor(encode_cursor("logs", 1), "sessions", int)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    found: int | None = None
    try:
        found = decode_cursor(text, "logs", int)
    except WrongCursorError:
        return
    assert isinstance(found, int)
