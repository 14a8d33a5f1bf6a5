from __future__ import annotations

from typing import Any

from cli.comparisons import comparison, done, error, several_runs, start
from headway.cli.compare_table import BEST, comparison_table
from headway.cli.tables import Cell, Table, render, text_of

FAST = {"time_to_first_token_s": 0.18, "latency_s": 0.6, "tokens_per_second": 42.0}


def cells(table: Table, title: str) -> list[str | Cell]:
    at = [column.title for column in table.columns].index(title)
    return [row[at] for row in table.rows]


def texts(table: Table, title: str) -> list[str]:
    return [text_of(cell) for cell in cells(table, title)]


def table_of(*events: Any, marks: bool = False) -> Table:
    return comparison_table(comparison(*events).runs, marks=marks)


def test_a_row_has_what_was_measured_and_what_a_million_calls_cost() -> None:
    table = table_of(start(0, "a/x"), done(0))
    [row] = [[text_of(cell) for cell in row] for row in table.rows]
    assert row == [
        *("a/x", "250ms", "10ms", "20ms", "20.8", "1.250s", "6", "26", "$0.00002", "$20.00", ""),
    ]


def test_the_best_of_each_column_is_marked_where_there_are_several() -> None:
    events = (start(0, "a/x"), start(1, "b/y"), done(0), done(1, cost=0.0001, **FAST))
    table = table_of(*events)
    for title, best in (("TTFT", 1), ("Tok/s", 1), ("Took", 1), ("Cost", 0), ("1M calls", 0)):
        styles = [cell.style if isinstance(cell, Cell) else "" for cell in cells(table, title)]
        assert styles == [BEST if at == best else "" for at in (0, 1)], title
    assert texts(table, "1M calls") == ["$20.00", "$100"]
    marked = table_of(*events, marks=True)
    assert texts(marked, "TTFT") == ["250ms ", "180ms*"]
    assert texts(marked, "Gap p50") == ["10ms*", "10ms*"]
    alone = table_of(start(0, "a/x"), done(0), marks=True)
    assert texts(alone, "TTFT") == ["250ms "]


def test_several_runs_have_their_median_and_the_least_and_the_most() -> None:
    runs = [
        {"latency_s": took, "cost": cost, "output_tokens": out}
        for took, cost, out in ((1.0, 0.00001, 20), (5.0, 0.00002, 21), (2.0, 0.00006, 20))
    ]
    table = table_of(*several_runs("a/x", 0, *runs))
    assert texts(table, "Model") == ["a/x", "least", "most"]
    assert texts(table, "Took") == ["2.000s", "1.000s", "5.000s"]
    assert texts(table, "Out") == ["20", "20", "21"]
    assert texts(table, "TTFT") == ["250ms", "", ""]
    assert texts(table, "Cost") == ["$0.00002", "$0.00001", "$0.00006"]
    assert texts(table, "1M calls") == ["$30.00", "", ""], "the mean"
    assert texts(table, "Runs") == ["3", "", ""]


def test_what_failed_has_no_numbers_and_says_so() -> None:
    events = [start(0, "a/x"), start(1, "b/y"), start(2, "b/y", 1), start(3, "c/z")]
    found = comparison(*events, error(0), done(1), error(2))
    found.stop()
    table = comparison_table(found.runs)
    assert texts(table, "Runs") == ["failed", "1 of 2", "stopped"]
    assert texts(table, "TTFT") == ["", "250ms", ""]


def test_unknown_values_are_empty_and_counted_tokens_marked() -> None:
    table = table_of(
        start(0, "a/x"), done(0, cost=None, tokens_source="counted", tokens_per_second=None)
    )
    assert (texts(table, "In"), texts(table, "Out")) == (["~6"], ["~26"])
    assert texts(table, "Cost") == texts(table, "1M calls") == texts(table, "Tok/s") == [""]


def test_the_table_fits_eighty_columns() -> None:
    names = ("anthropic/claude-haiku-4-5-20251001", "openai/gpt-4.1-mini-2025-04-14")
    events = [start(lane, name) for lane, name in enumerate(names)]
    lines = render(table_of(*events, done(0), done(1, cost=0.000695)), 80)
    assert max(sum(len(text) for text, _ in line) for line in lines) <= 80
