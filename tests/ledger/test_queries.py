"""Names and values become a checked query, and a filter becomes names and values again."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import RequestError
from headway.ledger import queries
from headway.ledger.queries import FILTERS, OPTIONS, Query, read, read_filter, write_filter
from headway.ledger.store import DEFAULT_LIMIT, HISTOGRAM_METRICS, Filter
from support.for_each import for_each

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()
DAY = 86400.0


def ask(**values: str) -> Query:
    return read(list(values.items()), NOW, takes=OPTIONS)


def refusal(*pairs: tuple[str, str], **values: str) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read([*pairs, *values.items()], NOW, takes=OPTIONS)
    assert caught.value.status == 400
    return caught.value


def test_nothing_asks_for_everything() -> None:
    assert ask() == Query(where=Filter())
    assert ask().limit == DEFAULT_LIMIT
    assert ask().metrics == HISTOGRAM_METRICS


def test_a_parameter_without_a_value_is_as_good_as_absent() -> None:
    assert ask(provider="", since=" ", limit="", text="") == Query(where=Filter())


@for_each(
    ("text", "expected"),
    [
        ("24h", NOW - DAY),
        ("7d", NOW - 7 * DAY),
        ("1.5m", NOW - 90),
        ("2w", NOW - 14 * DAY),
        ("10s", NOW - 10),
        ("999999999w", 0.0),
        ("0", 0.0),
        ("1796040000", 1796040000.0),
        ("1796040000.25", 1796040000.25),
        ("2026-11-30", NOW - DAY / 2),
        ("2026-11-30T12:00:00Z", NOW),
        ("2026-11-30T13:00:00+01:00", NOW),
        ("2026-11-30T13:00:00 01:00", NOW),
        ("2026-11-30 12:00", NOW),
        ("20261130", NOW - DAY / 2),
        ("2026-11", datetime(2026, 11, 1, tzinfo=UTC).timestamp()),
        ("2026", datetime(2026, 1, 1, tzinfo=UTC).timestamp()),
    ],
)
def test_a_time_is_iso_unix_seconds_or_an_age(text: str, expected: float) -> None:
    assert read_filter([("since", text)], NOW) == Filter(since=expected)


def test_repeated_and_comma_separated_values_mean_any_of_them() -> None:
    pairs = [("model", "a, b"), ("model", "c"), ("tag", "x\\,y,z,"), ("outcome", "OK,error")]
    expected = Filter(models=("a", "b", "c"), tags=("x,y", "z"), outcomes=("ok", "error"))
    assert read_filter(pairs, NOW) == expected


def test_every_name_reaches_its_field() -> None:
    found = ask(
        id="i", provider="p", model="m", dialect="d", key="k", session="s", user="u", tag="t",
        outcome="refused", status="4xx,500,502-504", min_cost="0.000001", max_cost="2",
        min_latency="0.5", max_latency="60", text=" rate limit, please ", since="1", until="2",
        route="r", role="Shadow,hedge", cache="hit",
    ).where  # fmt: skip
    assert found == Filter(
        since=1.0, until=2.0, ids=("i",), providers=("p",), models=("m",), dialects=("d",),
        keys=("k",), sessions=("s",), users=("u",), tags=("t",), outcomes=("refused",),
        statuses=((400, 499), (500, 500), (502, 504)), min_cost_usd=Decimal("0.000001"),
        max_cost_usd=Decimal(2), min_latency_s=0.5, max_latency_s=60.0,
        text="rate limit, please", routes=("r",), roles=("shadow", "hedge"), caches=("hit",),
    )  # fmt: skip


def test_the_owner_comes_from_the_caller_alone() -> None:
    assert read_filter([("key", "other")], NOW, "mine") == Filter(keys=("other",), owner="mine")
    assert refusal(owner="other").param == "owner"


def test_what_is_no_filter_is_read_where_a_route_takes_it() -> None:
    found = ask(
        limit="7", cursor="abc", by="model,day,model", metric="cost_usd,latency_s,cost_usd",
        compare="previous", format="CSV", follow="true",
    )  # fmt: skip
    assert (found.limit, found.cursor, found.by) == (7, "abc", ("model", "day"))
    assert found.metrics == ("cost_usd", "latency_s")
    assert (found.compares, found.format, found.follow) == (True, "csv", True)
    assert not ask(follow="0").follow


def test_minutes_are_for_a_few_hours() -> None:
    assert ask(by="minute,model", since="6h").by == ("minute", "model")
    assert ask(by="five_minutes", since="30h", until="24h").by == ("five_minutes",)
    for more in ({}, {"since": "7h"}, {"since": "30h", "until": "20h"}):
        with pytest.raises(RequestError) as caught:
            ask(by="minute", **more)
        assert caught.value.message == "`by` minute is for 6 hours at most: set `since`."
        assert caught.value.param == "since"


def test_a_route_refuses_what_it_does_not_take() -> None:
    with pytest.raises(RequestError) as caught:
        read([("by", "model")], NOW, takes=("limit",))
    assert caught.value.param == "by"
    with pytest.raises(RequestError) as caught:
        read([("text", "x")], NOW, filters=("since",))
    assert caught.value.message == "There is no parameter `text` here; there are: since."


def test_an_unknown_name_gets_the_similar_one() -> None:
    error = refusal(modle="x")
    assert error.param == "modle"
    assert error.message == "There is no parameter `modle` here; did you mean `model`?"
    assert "there are: " in refusal(("\x00\ud800" * 99, "x")).message


@for_each(
    ("name", "value"),
    [
        ("since", "yesterday"), ("since", "-5"), ("since", "1e9"), ("since", "nan"),
        ("since", "1796040000000"), ("since", "0001-01-01T00:00+23:59"), ("until", "2026-13"),
        ("outcome", "fine"), ("status", "20"), ("status", "499-400"), ("status", "xxx"),
        ("min_cost", "-1"), ("min_cost", "1e3"), ("max_cost", "9999999999"), ("max_cost", "inf"),
        ("min_latency", "1s"), ("max_latency", "NaN"), ("limit", "0"), ("limit", "1001"),
        ("limit", "1.5"), ("limit", "\N{SUPERSCRIPT TWO}"), ("limit", "1" * 99),
        ("cursor", "a b"), ("cursor", "x" * 301), ("by", "colour"), ("by", "hour,day"),
        ("by", "model,provider,key,user,tag"), ("metric", "speed"), ("compare", "next"),
        ("format", "xml"), ("follow", "maybe"), ("model", "m" * 501), ("model", "a," * 101),
        ("text", "x" * 501), ("user", "\x00"), ("user", "\ud800"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_what_the_parameter_takes(name: str, value: str) -> None:
    error = refusal((name, value))
    assert error.param == name
    takes = (FILTERS.get(name) or OPTIONS[name]).takes
    assert f"`{name}`" in error.message
    assert error.message.endswith(f"it takes {takes}.")


def test_what_has_one_value_must_not_be_given_twice() -> None:
    assert refusal(("limit", "1"), ("limit", "2")).message.startswith("`limit` was given twice")


@for_each(
    ("low", "high"),
    [
        (("since", "1d"), ("until", "2d")),
        (("since", "5"), ("until", "5")),
        (("min_cost", "2"), ("max_cost", "1")),
        (("min_latency", "2"), ("max_latency", "1")),
    ],
)
def test_a_lower_limit_above_the_upper_one_is_refused(
    low: tuple[str, str], high: tuple[str, str]
) -> None:
    assert refusal(high, low).param == low[0]
    assert low[0] in refusal(high, low).message


def test_a_key_sent_by_mistake_does_not_come_back_in_the_error() -> None:
    secret = "sk-" + "x" * 600
    error = refusal(key=secret)
    assert secret not in error.message
    assert "SHA-256" in error.message


def test_the_period_before_has_the_same_length() -> None:
    found = queries.previous_period(Filter(since=NOW - DAY, models=("m",)), NOW)
    assert found == Filter(since=NOW - 2 * DAY, until=NOW - DAY, models=("m",))
    found = queries.previous_period(Filter(since=100.0, until=300.0), NOW)
    assert found == Filter(since=0.0, until=100.0)
    with pytest.raises(RequestError) as caught:
        queries.previous_period(Filter(), NOW)
    assert caught.value.param == "since"


def test_examples_of_the_documentation_are_right() -> None:
    ask(**{name: each.example for name, each in {**FILTERS, **OPTIONS}.items()})


_WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)
_TEXTS = st.lists(_WORDS.map(str.strip).filter(bool), max_size=3, unique=True).map(tuple)
_TIMES = st.floats(1e9, 2e9)
_AMOUNTS = st.decimals(0, 1000, places=9)
_FILTERS = st.builds(
    Filter,
    since=st.none() | _TIMES,
    ids=_TEXTS,
    providers=_TEXTS,
    models=_TEXTS,
    dialects=_TEXTS,
    keys=_TEXTS,
    sessions=_TEXTS,
    users=_TEXTS,
    tags=_TEXTS,
    outcomes=st.lists(st.sampled_from(["ok", "error", "cancelled"]), max_size=2).map(tuple),
    statuses=st.lists(st.integers(0, 999).map(lambda n: (n, n)), max_size=2).map(tuple),
    routes=_TEXTS,
    roles=st.lists(st.sampled_from(["first", "shadow"]), max_size=2).map(tuple),
    caches=st.lists(st.sampled_from(["hit", "bypass"]), max_size=2).map(tuple),
    min_cost_usd=st.none() | _AMOUNTS,
    max_latency_s=st.none() | st.floats(1e-9, 1000),
    text=st.none() | _WORDS.map(str.strip).filter(bool),
)


@given(_FILTERS)
def test_a_filter_written_is_read_again(where: Filter) -> None:
    assert read_filter(write_filter(where), NOW) == where


@given(st.lists(st.tuples(st.sampled_from([*FILTERS, *OPTIONS, "else"]), st.text()), max_size=4))
def test_any_text_is_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    blamed: str | None = None
    try:
        read(pairs, NOW, takes=OPTIONS)
    except RequestError as error:
        blamed = error.param
    assert blamed is None or blamed in {name for name, _ in pairs}
