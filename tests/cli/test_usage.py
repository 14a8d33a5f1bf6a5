from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.ledger_files import recent, spool, write_config
from headway.cli import usage_table
from headway.cli.app import app
from headway.cli.tables import Table, render
from headway.ledger.store import Filter, Usage
from headway.metering.histogram import Histogram

Run = Callable[..., Result]
DAY = 86400.0
LATENCY = ("2.000s", "/", "9.009s")
"""The percentiles of 1, 2 and 9 seconds, within 1%."""
NOON = 1_790_000_000.0 // DAY * DAY + DAY / 2
"""Of 2026-09-21, UTC."""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    write_config(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_usage_is_summed_by_model_unless_something_else_is_asked_for(
    run: Run, tmp_path: Path
) -> None:
    spool(
        tmp_path,
        [
            recent(1, 9, cost_usd="0.0036"),
            recent(2, 8, cost_usd="0.0036", outcome="error"),
            recent(3, 7, model="gpt-4.1-mini", cost_usd="0.0012"),
            recent(4, 40 * DAY),
        ],
    )
    result = run("usage")
    assert result.exit_code == 0, result.stderr
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert [row[:7] for row in rows] == [
        ["gpt-4.1", "2", "1", "2,000", "", "400", "$0.0072"],
        ["gpt-4.1-mini", "1", "", "1,000", "", "200", "$0.0012"],
    ]
    assert [row[7] for row in rows] == ["86%", "14%"]
    by_provider = run("usage", "--by", "provider", "--since", "60d").stdout.split("\t")
    assert by_provider[:2] == ["openai", "4"]


def test_the_json_of_usage_is_that_of_the_api(run: Run, tmp_path: Path) -> None:
    spool(tmp_path, [recent(1, 9, tags=("a", "b")), recent(2, 8, tags=("a",))])
    report = json.loads(run("usage", "--by", "tag", "--json").stdout)
    assert report["by"] == ["tag"]
    assert {row["group"]["tag"]: row["calls"] for row in report["data"]} == {"a": 2, "b": 1}
    assert report["total"]["calls"] == 2
    assert report["total"]["metrics"]["latency_s"]["p50"] == pytest.approx(0.5, rel=0.01)


def test_wrong_names_and_an_empty_ledger_say_what_to_do(run: Run, tmp_path: Path) -> None:
    assert "headway chat Hi" in run("usage").stderr
    wrong = run("usage", "--by", "modle")
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("error: --by is wrong: it takes names of provider, model,")
    spool(tmp_path, [recent(1, 9)])
    assert "no calls match these options" in run("usage", "--model", "m").stderr


def test_every_width_has_the_costs_and_a_wide_one_all_percentiles() -> None:
    for width in (60, 80, 120, 200):
        lines = _lines(width)
        assert max(map(len, lines)) <= width
        assert "$12.00" in lines[1]
    header, first, second, _, total = _lines(200)
    assert header.split("  ")[-1] == "By day"
    assert first.split() == [
        "claude-sonnet-4-5-20250929", "1,200", "3", "2,859,256", "953,024", "142,432", "$12.00",
        "100%", *LATENCY, "▁▅▁▁▁▁█",
    ]  # fmt: skip
    assert second.split() == ["local", "2", "0", "0", "unknown", "▁▁▁▁▁▁▁"]
    assert total.split()[:3] == ["total", "1,202", "0"]
    assert "$12.00+" in total


def test_groups_of_times_have_bars_in_place_of_a_sparkline() -> None:
    groups = [
        Usage(group={"day": "2026-09-20", "model": "a"}, calls=1, cost_usd=Decimal(1)),
        Usage(group={"day": "2026-09-21", "model": None}, calls=1, cost_usd=Decimal(2)),
    ]
    by = usage_table.times_first(("model", "day"))
    assert usage_table.choose_trend(by, Filter(since=NOON - DAY), NOON) is None
    table = usage_table.usage_table(by, groups, Usage(group={}), None, (), blocks=True)
    lines = _text(table, 100)
    assert lines[0].split()[:2] == ["Day", "Model"]
    assert lines[1].endswith("██████")
    assert lines[2].split()[:2] == ["2026-09-21", "(none)"]
    assert lines[2].endswith("████████████")


def test_a_sparkline_has_the_unit_that_the_period_allows() -> None:
    def title(days: float) -> str | None:
        trend = usage_table.choose_trend(("model",), Filter(since=NOON - days * DAY), NOON)
        return None if trend is None else trend.title

    assert title(0.02) is None
    assert title(0.5) == "By hour"
    assert title(1) == "By 2 hours"
    assert title(7) == "By day"
    assert title(30) == "By 2 days"
    assert title(200) == "By month"
    assert usage_table.choose_trend(("model",), Filter(), NOON) is None


def test_many_times_are_drawn_as_sums_and_the_last_character_is_whole() -> None:
    trend = usage_table.Trend("hour", [f"h{n}" for n in range(33)])
    assert trend.title == "By 3 hours"
    assert trend.draw([1.0] * 33, blocks=True) == "█" * 11
    assert trend.draw([0.0] * 32 + [9.0], blocks=True) == "▁" * 10 + "█"


def test_times_without_calls_have_their_place() -> None:
    until = NOON + 2 * 3600
    assert usage_table.list_times("hour", NOON, until)[0] == "2026-09-21T12"
    assert len(usage_table.list_times("hour", NOON, until)) == 3
    assert usage_table.list_times("day", NOON - DAY, NOON) == ["2026-09-20", "2026-09-21"]
    months = usage_table.list_times("month", NOON - 250 * DAY, NOON)
    assert (months[0], months[-1], len(months)) == ("2026-01", "2026-09", 9)


def _lines(width: int) -> list[str]:
    where = Filter(since=NOON - 6 * DAY)
    trend = usage_table.choose_trend(("model",), where, NOON)
    latency = Histogram({})
    for value in (1.0, 2.0, 9.0):
        latency.add(value)
    groups = [
        Usage(
            group={"model": "claude-sonnet-4-5-20250929"}, calls=1200, failed=3,
            input_tokens=2_859_256, output_tokens=142_432, cache_read_tokens=953_024,
            cost_usd=Decimal(12), histograms={"latency_s": latency},
        ),
        Usage(group={"model": "local"}, calls=2, unpriced=2),
    ]  # fmt: skip
    points = [
        Usage(group={"model": "claude-sonnet-4-5-20250929", "day": day}, cost_usd=Decimal(cost))
        for day, cost in (("2026-09-16", 4), ("2026-09-21", 8))
    ]
    overall = Usage(group={}, calls=1202, cost_usd=Decimal(12), unpriced=2)
    return _text(
        usage_table.usage_table(("model",), groups, overall, trend, points, blocks=True), width
    )


def _text(table: Table, width: int) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in render(table, width)]


def test_what_the_cache_saved_has_a_column_where_there_is_some(run: Run, tmp_path: Path) -> None:
    cached = recent(1, 9, cost_usd="0", saved_usd="0.5", cache="hit", route_name="smart")
    copy = recent(2, 8, cost_usd="0.25", role="shadow", route_name="smart", cache=None)
    spool(tmp_path, [cached, copy, recent(3, 7)])
    rows = [line.split("\t") for line in run("usage", "--by", "route,cache").stdout.splitlines()]
    assert sorted((*row[:3], row[7], row[8]) for row in rows) == [
        ("(none)", "(none)", "1", "$0.0036", ""),
        ("smart", "(none)", "0", "$0.2500", ""),
        ("smart", "hit", "1", "$0", "$0.5000"),
    ]
    assert run("usage", "--route", "nothing").stdout == ""
    [row] = [line.split("\t") for line in run("usage", "--role", "shadow").stdout.splitlines()]
    assert row[1] == "0"
    found = json.loads(run("usage", "--json").stdout)["total"]
    assert (found["saved_usd_exact"], found["calls"], found["attempts"]) == ("0.5", 2, 3)
