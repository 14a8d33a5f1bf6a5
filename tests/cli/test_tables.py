from __future__ import annotations

from collections.abc import Sequence

from headway.cli.tables import Cell, Column, Line, Table, fit, render, shorten

COLUMNS = (
    Column("Time"),
    Column("Model", least=10, style="cyan"),
    Column("Cost", is_right=True),
    Column("Session", least=6, rank=1),
    Column("Key", rank=2),
)
ROWS = (
    ("16:12:49", "anthropic/claude-sonnet", "$0.0560", "agent-run-1", "2bb80d53"),
    ("16:12:50", "openai/gpt-4.1", "$1.20", "", ""),
)


def test_numbers_are_aligned_at_their_right_and_the_last_column_has_no_blanks_behind_it() -> None:
    table = Table(COLUMNS[:3], [row[:3] for row in ROWS], ("total", "", "$1.256"))
    assert _texts(render(table, 80)) == [
        "Time      Model                       Cost",
        "16:12:49  anthropic/claude-sonnet  $0.0560",
        "16:12:50  openai/gpt-4.1             $1.20",
        "─" * 42,
        "total                               $1.256",
    ]


def test_a_table_takes_what_the_terminal_has() -> None:
    for width in (200, 80, 60, 50, 40, 30, 27):
        lines = _texts(render(Table(COLUMNS, ROWS), width))
        assert max(map(len, lines)) <= width, width
    assert "2bb80d53" in lines_at(80)
    assert "2bb80d53" not in lines_at(45)


def test_cells_are_shortened_before_columns_are_left_out() -> None:
    assert "anthropic/claud…  $0.0560  agent-run-1  2bb80d53" in lines_at(58)
    assert "anthropic…  $0.0560  agent-r…" in lines_at(39)
    assert "Session" not in lines_at(34)


def test_the_gap_narrows_before_the_columns_that_always_stay() -> None:
    assert lines_at(28).splitlines()[1] == "16:12:49 anthropic/… $0.0560"
    assert lines_at(26).splitlines()[1] == "16:12:49 anthropi… $0.0560"


def test_columns_without_any_text_are_left_out_unless_rows_will_follow() -> None:
    table = Table(COLUMNS, [ROWS[1]])
    assert "Session" not in _texts(render(table, 100))[0]
    assert len(fit(table, 100, keeps_empty=True).widths) == 5


def test_a_cell_has_its_own_style_before_that_of_its_column() -> None:
    row = (Cell("16:12:49", "red"), "m", "$1", "", "")
    styles = dict(render(Table(COLUMNS, [row]), 80)[1])
    assert styles["16:12:49"] == "red"
    assert styles["m    "] == "cyan"


def test_wide_characters_take_two_columns() -> None:
    def measure(text: str) -> int:
        return sum(2 if ord(character) > 0x1100 and character != "…" else 1 for character in text)

    assert shorten("模型模型", 5, measure) == "模型…"
    assert shorten("模型", 4, measure) == "模型"
    assert shorten("model", 0) == ""


def lines_at(width: int) -> str:
    return "\n".join(_texts(render(Table(COLUMNS, ROWS), width)))


def _texts(lines: Sequence[Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]
