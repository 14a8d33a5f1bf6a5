from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.wire.custom_input import InputText

TEXT = 'a "b"\n\t\\ ü \U0001f600 / é'


def pieces_of(arguments: list[str]) -> tuple[list[str], str]:
    """The pieces, the rest included, and the whole."""
    text = InputText()
    pieces = [text.add(piece) for piece in arguments]
    return [*pieces, text.remainder()], text.whole()


@pytest.mark.parametrize("is_ascii", [True, False])
def test_the_input_is_the_same_wherever_it_is_cut(is_ascii: bool) -> None:
    arguments = json.dumps({"input": TEXT}, ensure_ascii=is_ascii)
    for cut in range(len(arguments) + 1):
        pieces, whole = pieces_of([arguments[:cut], arguments[cut:]])
        assert "".join(pieces) == whole == TEXT
    pieces, whole = pieces_of(list(arguments))
    assert "".join(pieces) == whole == TEXT
    assert len([piece for piece in pieces if piece]) > 10


@given(st.text(), st.booleans(), st.integers(1, 7))
def test_any_input_comes_out(text: str, is_ascii: bool, size: int) -> None:
    arguments = json.dumps({"input": text}, ensure_ascii=is_ascii)
    cut = [arguments[at : at + size] for at in range(0, len(arguments), size)]
    pieces, whole = pieces_of(cut)
    assert "".join(pieces) == whole == text


@pytest.mark.parametrize(
    ("arguments", "whole"),
    [
        ("", ""),
        ("{}", "{}"),
        ('{"patch": "x"}', '{"patch": "x"}'),
        ('{"input": 7}', '{"input": 7}'),
        ("plain text", "plain text"),
        ('{"input": "cut o', "cut o"),
        ('{"input": "two\nlines"', "two\nlines"),
        ('{"input": "odd \\x escape"', "odd \\x escape"),
        ('{"more": 1, "input": "later"}', "later"),
    ],
)
def test_arguments_of_another_form_are_the_input(arguments: str, whole: str) -> None:
    pieces, found = pieces_of([arguments])
    assert found == whole
    assert "".join(pieces) == whole
