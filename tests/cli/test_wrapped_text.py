from __future__ import annotations

from rich.cells import cell_len

from headway.cli.wrapped_text import WrappedText
from support.for_each import for_each

TEXT = "On a road, headway is the gap\n\n- as a time,\ttwo seconds\nfloccinaucinihilipilification!"


@for_each(
    "text, width, lines",
    [
        ("", 10, []),
        ("one two", 10, ["one two"]),
        ("one two three", 9, ["one two", "three"]),
        ("one two three", 7, ["one two", "three"]),
        ("one\ntwo\n\nthree", 10, ["one", "two", "", "three"]),
        ("one\r\ntwo", 10, ["one", "two"]),
        ("a\tb", 10, ["a    b"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("ab cdefgh", 4, ["ab", "cdef", "gh"]),
        ("車間距離とも", 5, ["車間", "距離", "とも"]),
        ("  indented line", 10, ["  indented", "line"]),
        ("e\u0301" * 6, 3, ["e\u0301" * 3, "e\u0301" * 3]),
    ],
)
def test_text_is_broken_between_words(text: str, width: int, lines: list[str]) -> None:
    wrapped = WrappedText(width, cell_len)
    wrapped.add(text)
    assert wrapped.lines == lines


def test_text_that_comes_in_pieces_has_the_same_lines() -> None:
    for width in (4, 9, 16, 40):
        whole = WrappedText(width)
        whole.add(TEXT)
        assert max(map(len, whole.lines)) <= width
        for size in (1, 2, 3, 7):
            grown = WrappedText(width)
            for at in range(0, len(TEXT), size):
                grown.add(TEXT[at : at + size])
            assert grown.lines == whole.lines, (width, size)
