from __future__ import annotations

from typing import Any

from rich.cells import cell_len

from cli.comparisons import chunk, comparison, done, error, several_runs, start
from headway.cli.compare_columns import Columns, describe_runs, draw_rhythm, make_grid
from headway.cli.tables import Line
from support.for_each import for_each

WORDS = "On a road, headway is the gap to the vehicle ahead of it. "


def plain(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def columns_of(*events: Any, blocks: bool = True) -> Columns:
    return Columns(comparison(*events), cell_len, blocks=blocks)


def streams(count: int, words: int = 5) -> list[Any]:
    texts = [chunk(lane, 250.0 + at, content=WORDS) for lane in range(count) for at in range(words)]
    return [*(start(lane, f"vendor/model-{lane}") for lane in range(count)), *texts]


@for_each(
    "count, width, per_row, rows, column",
    [
        (1, 80, 1, 1, 80),
        (1, 200, 1, 1, 100),
        (2, 80, 2, 1, 38),
        (3, 80, 2, 2, 38),
        (3, 140, 3, 1, 44),
        (4, 140, 4, 1, 32),
        (5, 140, 3, 2, 44),
        (20, 140, 4, 5, 32),
        (2, 40, 1, 2, 40),
        (2, 10, 1, 2, 10),
        (0, 80, 1, 1, 80),
    ],
)
def test_as_many_columns_as_fit_in_even_rows(
    count: int, width: int, per_row: int, rows: int, column: int
) -> None:
    grid = make_grid(count, width)
    assert (grid.per_row, grid.rows, grid.width) == (per_row, rows, column)


def test_answers_stand_side_by_side() -> None:
    lines = plain(columns_of(*streams(2, words=1)).draw(80, 20, 103.0))
    assert lines == [
        "vendor/model-0                         │ vendor/model-1",
        "first 250ms · 3.0s                     │ first 250ms · 3.0s",
        "                                       │",
        "                                       │",
        "On a road, headway is the gap to the   │ On a road, headway is the gap to the",
        "vehicle ahead of it.                   │ vehicle ahead of it.",
        "",
        "0 of 2 done · 3.0s · Ctrl-C stops",
    ]


def test_while_it_streams_the_end_of_a_long_text_is_shown_and_then_all() -> None:
    columns = columns_of(*streams(2, words=40), chunk(0, 900.0, content="THE END"))
    live = plain(columns.draw(80, 20, 103.0))
    assert len(live) == 20
    assert "THE END" in live[-3]
    whole = plain(columns.draw_all(80))
    assert len(whole) > 50
    assert whole[4].startswith("On a road, headway")


def test_every_size_is_kept_to() -> None:
    for count in (1, 2, 3, 7, 20):
        columns = columns_of(*streams(count), error(0, "A reason of several words " * 9))
        for width in (20, 40, 80, 140, 200):
            for height in (3, 6, 12, 24, 50):
                lines = columns.draw(width, height, 104.0)
                assert len(lines) <= height, (count, width, height)
                widest = max(cell_len(line) for line in plain(lines))
                assert widest <= width, (count, width, height)


def test_where_there_is_no_room_each_model_is_one_line() -> None:
    lines = plain(columns_of(*streams(6)).draw(80, 16, 101.0))
    assert len(lines) == 8
    assert lines[0].startswith("vendor/model-0              first 250ms · 1.0s")
    assert lines[0].endswith("ahead of it.")


@for_each(
    "events, state",
    [
        ([], "waiting 2.5s"),
        ([chunk(0, 250.0, content="Hi")], "first 250ms · 2.5s"),
        ([done(0)], "first 250ms · 1.2s · 21 tok/s · $0.00002"),
        ([done(0, "length", None)], "length · first 250ms · 1.2s · 21 tok/s"),
        ([error(0)], "failed"),
    ],
)
def test_the_line_below_the_name_tells_the_state(events: list[Any], state: str) -> None:
    lines = plain(columns_of(start(0, "a/x"), *events).draw(80, 12, 102.5))
    assert lines[:2] == ["a/x", state]


def test_facts_that_do_not_fit_are_left_out_whole() -> None:
    lines = plain(columns_of(start(0, "a/x"), done(0)).draw(33, 12, 102.5))
    assert lines[1] == "first 250ms · 1.2s · 21 tok/s"
    waits = columns_of(start(0, "a/x", waits=True))
    assert plain(waits.draw(80, 12, 102.5))[1] == "waits"
    found = comparison(start(0, "a/x"))
    found.stop()
    assert plain(Columns(found, blocks=True).draw(80, 12, 102.5))[1] == "stopped"


def test_an_error_is_shown_in_its_column_after_what_arrived() -> None:
    columns = columns_of(start(0, "a/x"), chunk(0, 9.0, content="Hel"), error(0))
    assert plain(columns.draw_all(80))[4:] == [
        "Hel",
        "",
        "No such model. (HTTP 404, not_found_error)",
    ]


def test_reasoning_comes_before_the_text() -> None:
    columns = columns_of(
        start(0, "a/x"), chunk(0, 9.0, reasoning_content="Hm."), chunk(0, 10.0, content="Yes.")
    )
    lines = columns.draw_all(80)
    assert plain(lines)[4:] == ["Hm.", "", "Yes."]
    assert lines[4] == [("Hm.", "dim italic")]


def test_several_runs_show_the_first_and_whether_the_others_differ() -> None:
    found = comparison(start(0, "a/x"), start(1, "a/x", 1), done(0))
    assert describe_runs(found.lanes) == "run 1 of 2 · 1 done"
    same = comparison(*several_runs("a/x", 0, {}, {}))
    assert describe_runs(same.lanes) == "run 1 of 2 · all the same"
    same.lanes[1].text.append("Other")
    assert describe_runs(same.lanes) == "run 1 of 2 · 2 different answers"
    failed = comparison(start(0, "a/x"), start(1, "a/x", 1), error(0), error(1))
    assert describe_runs(failed.lanes) == "run 1 of 2"
    lines = plain(Columns(same, blocks=True).draw(80, 12, 101.0))
    assert lines[2] == "run 1 of 2 · 2 different answers"


def test_a_stall_stands_out_of_the_rhythm() -> None:
    steady = [0.02] * 10
    assert draw_rhythm(steady, 40, blocks=True) == [("▃" * 10, "dim")]
    line = draw_rhythm([*steady, 0.9, 0.02], 40, blocks=True)
    assert line == [("▂" * 10, "dim"), ("█", "bold yellow"), ("▂", "dim")]
    assert draw_rhythm([], 40, blocks=True) == []
    assert draw_rhythm([*steady, 0.9], 1, blocks=False) == [("#", "bold yellow")]


def test_a_terminal_without_block_characters_gets_plain_ones() -> None:
    lines = plain(columns_of(*streams(2), blocks=False).draw(80, 20, 103.0))
    assert lines[0].split(" | ")[1] == "vendor/model-1"
    assert "".join(lines[:3]).replace("·", "").isascii()
