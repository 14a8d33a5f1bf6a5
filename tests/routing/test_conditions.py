from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from headway.routing.conditions import Table, compile_table
from headway.routing.routed_request import RoutedRequest
from support.for_each import for_each

SATURDAY_0830 = datetime(2026, 11, 28, 8, 30, tzinfo=UTC).timestamp()
REQUEST = RoutedRequest(
    model="smart",
    dialect="openai",
    headers={"x-team": "red-1"},
    tags=("vip", "beta"),
    key_id="1a2b3c4d",
    user="ann@example.org",
    stream=True,
    input_tokens=100,
    needs=frozenset({"tools", "images"}),
    now=SATURDAY_0830,
    budget_left_usd=0.5,
)
NOTHING = RoutedRequest(model="smart", dialect="openai")

# table, what it says, whether it holds
TABLES: list[tuple[Table, str, bool]] = [
    (Table(), "", True),
    (Table(header={"x-team": "red-1"}), "header x-team is red-1", True),
    (Table(header={"x-team": "red*"}), "header x-team is red*", True),
    (Table(header={"x-team": "*"}), "header x-team is *", True),
    (Table(header={"x-team": "red"}), "header x-team is red", False),
    (Table(header={"x-team": "re.-1"}), "header x-team is re.-1", False),
    (Table(header={"x-other": "*"}), "header x-other is *", False),
    (Table(tags=("vip",)), "tags vip", True),
    (Table(tags=("vip", "beta")), "tags beta, vip", True),
    (Table(tags=("vip", "gold")), "tags gold, vip", False),
    (Table(key=("0", "1a2b3c4d")), "key 0 or 1a2b3c4d", True),
    (Table(key=("0",)), "key 0", False),
    (Table(user=("bob", "*@example.org")), "user bob or *@example.org", True),
    (Table(user=("ann",)), "user ann", False),
    (Table(dialect=("openai", "messages")), "dialect openai or messages", True),
    (Table(dialect=("messages",)), "dialect messages", False),
    (Table(needs=("tools",)), "needs tools", True),
    (Table(needs=("tools", "audio")), "needs audio, tools", False),
    (Table(lacks=("audio",)), "lacks audio", True),
    (Table(lacks=("audio", "images")), "lacks audio, images", False),
    (Table(min_tokens=100), "tokens >= 100", True),
    (Table(min_tokens=101), "tokens >= 101", False),
    (Table(max_tokens=100), "tokens <= 100", True),
    (Table(max_tokens=99), "tokens <= 99", False),
    (Table(stream=True), "a stream", True),
    (Table(stream=False), "no stream", False),
    (Table(hours=((510, 511),)), "hours 08:30-08:31", True),
    (Table(hours=((480, 510),)), "hours 08:00-08:30", False),
    (Table(hours=((0, 60), (1320, 540))), "hours 00:00-01:00, 22:00-09:00", True),
    (Table(hours=((1320, 510),)), "hours 22:00-08:30", False),
    (Table(hours=((600, 600),)), "hours 10:00-10:00", True),
    (Table(weekdays=(6, 5)), "weekdays sat, sun", True),
    (Table(weekdays=(0, 1, 2, 3, 4)), "weekdays mon, tue, wed, thu, fri", False),
    (Table(min_budget_left=0.5), "budget left >= 0.5", True),
    (Table(min_budget_left=0.51), "budget left >= 0.51", False),
]


@for_each(("table", "text", "holds"), TABLES)
def test_each_row_of_a_table_is_a_demand(table: Table, text: str, holds: bool) -> None:
    condition = compile_table(table)
    assert condition.text == text
    assert condition.unmet(REQUEST) == (None if holds else text)


def test_all_rows_must_hold_and_the_first_that_does_not_is_named() -> None:
    condition = compile_table(Table(tags=("vip",), stream=False, max_tokens=5))
    assert condition.text == "tags vip, tokens <= 5, no stream"
    assert condition.unmet(REQUEST) == "tokens <= 5"


MISSING = [
    Table(header={"x-team": "*"}),
    Table(tags=("vip",)),
    Table(key=("k",)),
    Table(user=("u*",)),
    Table(needs=("tools",)),
    Table(min_budget_left=0.0),
]


@for_each("table", MISSING)
def test_a_value_that_is_missing_makes_a_condition_false(table: Table) -> None:
    assert compile_table(table).unmet(NOTHING) is not None


def test_hours_and_weekdays_are_those_of_the_zone() -> None:
    zone = timezone(timedelta(hours=-9))
    table = Table(hours=((1410, 1411),), weekdays=(4,))
    assert compile_table(table, zone).unmet(REQUEST) is None
    assert compile_table(table).unmet(REQUEST) == "hours 23:30-23:31"


def test_a_condition_tells_what_it_reads() -> None:
    assert compile_table(Table()).reads == frozenset()
    assert compile_table(Table(needs=("tools",), lacks=("audio",), tags=("a",))).reads == {
        "needs",
        "tags",
    }
    everything = Table(
        header={"x": "y"},
        tags=("a",),
        key=("k",),
        user=("u",),
        dialect=("d",),
        needs=("tools",),
        min_tokens=1,
        stream=True,
        hours=((1, 2),),
        min_budget_left=1.0,
    )
    assert compile_table(everything).reads <= set(RoutedRequest.__struct_fields__)
    assert len(compile_table(everything).reads) == 10
