"""Usage, held against what all records add up to."""

from __future__ import annotations

import random
from decimal import Decimal
from functools import cache
from math import isclose
from typing import Any

import pytest
from bench.ledger_records import START, generate_records
from msgspec.structs import replace
from tests.support.ledger_oracle import Oracle, Sums, add_routes, new_sums
from tests.support.ledger_stores import (
    NOON,
    SyncStore,
    make_attempts,
    make_record,
    round_times,
    uuid_of,
)

from headway.ledger.store import HISTOGRAM_METRICS, Filter, Usage
from headway.record import Record

DAYS = 45 * 86400.0
BY: tuple[tuple[str, ...], ...] = (
    (), ("model",), ("day", "model"), ("key",), ("tag",), ("user",), ("hour",), ("month", "key"),
    ("provider", "outcome"), ("user", "model"), ("tag", "day"), ("session",), ("dialect", "hour"),
    ("deployment",), ("key", "user"), ("tag", "user"), ("route",), ("cache", "day"),
    ("route", "key", "month"), ("route", "user"), ("hour", "cache", "model"),
    ("minute", "model"), ("five_minutes",), ("five_minutes", "user"), ("tag", "model", "month"),
    ("user", "key", "deployment", "day"),
)  # fmt: skip
FILTERS = (
    Filter(),
    Filter(since=START + 3 * 86400 + 1234.5, until=START + 40 * 86400 + 77),
    Filter(since=START + 86400.0 * 2, until=START + 86400.0 * 2 + 900),
    Filter(providers=("openai", "groq"), outcomes=("ok",)),
    Filter(models=("gpt-4.1", "mistral-small-2506"), keys=("00000001", "00000002")),
    Filter(owner="00000000", statuses=((400, 499), (200, 200))),
    Filter(users=("user-0", "user-3", "nobody"), since=START + 86400 * 5.3),
    Filter(tags=("team:1", "team:2", "nothing")),
    Filter(min_cost_usd=Decimal("0.001"), max_latency_s=4.0),
    Filter(dialects=("anthropic_messages",), users=("user-1",)),
    Filter(routes=("smart",), caches=("hit", "miss")),
    Filter(roles=("shadow",)),
    Filter(routes=("fast", "nothing"), since=START + 86400 * 5.3, owner="00000001"),
)


@cache
def all_records() -> list[Record]:
    records = [round_times(record) for record in generate_records(700, 5, DAYS)]
    records[9] = replace(records[9], key_id=None, user=None, model=None, provider=None)
    records[11] = replace(records[11], cost_usd="0.00000000000000000123", line_items=())
    return add_routes(records)


@cache
def oracle() -> Oracle:
    return Oracle(all_records())


@cache
def expected_sums(where: Filter) -> list[Sums]:
    """For each of ``BY``."""
    return oracle().sum_usage(where, *BY)


@pytest.fixture(scope="module")
def filled(lasting_store: SyncStore) -> SyncStore:
    """With ``all_records``, stored in batches and out of order, some of them twice."""
    records = all_records()
    shuffled = records[:300] + random.Random(1).sample(records[300:], len(records) - 300)
    for at in range(0, len(shuffled), 90):
        lasting_store.add(shuffled[max(0, at - 10) : at + 90])
    return lasting_store


def test_usage_is_the_sum_of_the_records(filled: SyncStore) -> None:
    for where in FILTERS:
        for by, expected in zip(BY, expected_sums(where), strict=True):
            check_usage(filled.usage(where, by), expected, by, where)


def test_sums_are_the_same_without_histograms(filled: SyncStore) -> None:
    """Where no histogram is asked for, some come from cells of their own."""
    narrow = Filter(users=("user-0",), models=("gpt-4.1",)), Filter(tags=("team:1",))
    for where in (*FILTERS, *narrow):
        for by, expected in zip(BY, expected_sums(where), strict=True):
            sums = {
                group: {**each, "histograms": {}, "gaps": {}} for group, each in expected.items()
            }
            check_usage(filled.usage(where, by, metrics=()), sums, by, where)


def check_usage(
    found: list[Usage], expected: dict[tuple[str | None, ...], Any], by: Any, where: Filter
) -> None:
    case = f"{by} of {where}"
    if not by:
        expected = expected or {(): new_sums()}
    groups = [tuple(usage.group.values()) for usage in found]
    assert len(groups) == len(set(groups))
    assert set(groups) == set(expected), case
    for usage in found:
        assert tuple(usage.group) == by
        sums = expected[tuple(usage.group.values())]
        for name, value in sums.items():
            if name == "histograms":
                for metric, histogram in value.items():
                    assert usage.histograms[metric].counts == histogram.counts, (case, metric)
                    total = usage.histograms[metric].total
                    assert isclose(total, histogram.total, abs_tol=1e-6), (case, metric)
            elif name == "gaps":
                if usage.gaps is not None:
                    assert usage.gaps.counts == value, case
            else:
                assert getattr(usage, name) == value, (case, name)


def test_gaps_are_counted_by_model(filled: SyncStore) -> None:
    bys = ("model",), ("deployment", "day"), ("provider", "hour")
    for by, expected in zip(bys, oracle().sum_usage(Filter(), *bys), strict=True):
        for usage in filled.usage(Filter(), by):
            gaps = expected[tuple(usage.group.values())]["gaps"]
            assert (usage.gaps.counts if usage.gaps else {}) == gaps


def test_usage_is_ordered_by_time_and_then_by_cost(filled: SyncStore) -> None:
    rows = filled.usage(Filter(), ["model", "day"], metrics=())
    keys = [(row.group["day"], -row.cost_usd) for row in rows]
    assert keys == sorted(keys)


def test_only_the_metrics_that_were_asked_for_have_histograms(store: SyncStore) -> None:
    store.add([make_record(1)])
    (usage,) = store.usage(Filter(), metrics=["latency_s"])
    assert list(usage.histograms) == ["latency_s"]
    assert store.usage(Filter(), metrics=())[0].histograms == {}
    with pytest.raises(ValueError, match="no histogram of 'weight'"):
        store.usage(Filter(), metrics=["weight"])


def test_the_usage_of_nothing_is_zero(store: SyncStore) -> None:
    (usage,) = store.usage(Filter())
    assert (usage.group, usage.calls, usage.cost_usd) == ({}, 0, Decimal(0))
    assert usage.histograms["latency_s"].percentile(50) is None
    assert set(usage.histograms) == set(HISTOGRAM_METRICS)
    assert list(store.usage(Filter(), ["model"])) == []


def test_an_attempt_that_comes_late_changes_the_cost_of_its_call_everywhere(
    store: SyncStore,
) -> None:
    attempts = make_attempts(1, "0.5", "0.25", "0.125", user="ann", tags=("a", "b"))
    for attempt in reversed(attempts):
        store.add([attempt])
        store.add([attempt])
    for by in ((), ("model",), ("key",), ("user",), ("tag",), ("session",)):
        usage = store.usage(Filter(), by)[0]
        assert (usage.calls, usage.attempts) == (1, 3)
        histogram = usage.histograms["cost_usd"]
        assert (histogram.count, histogram.total) == (1, 0.875)
        assert usage.cost_usd == Decimal("0.875")


def test_sums_stay_when_records_are_deleted(store: SyncStore) -> None:
    store.add([make_record(at * 86400, user="ann") for at in range(10)])
    before = store.usage(Filter(), ["model", "day"])
    assert store.prune(NOON + 5 * 86400, None).records == 5
    assert store.usage(Filter(), ["model", "day"]) == before
    assert sum(usage.calls for usage in store.usage(Filter(), ["user", "day"])) == 10
    assert len(store.logs(Filter()).rows) == 5
    assert store.call(uuid_of(0)) is None


def test_many_small_batches_add_up(store: SyncStore) -> None:
    for at in range(40):
        store.add([make_record(at, latency_s=float(at + 1))])
    (usage,) = store.usage(Filter())
    assert usage.calls == usage.histograms["latency_s"].count == 40
    assert usage.histograms["latency_s"].percentile(50) == pytest.approx(20, rel=0.01)
