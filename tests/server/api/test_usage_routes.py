"""Sums by group, and costs beside the provider's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from headway.ledger.store import HISTOGRAM_METRICS
from support.ledger_records import COST, NOON, failed, record
from support.ledger_server import LedgerServer

NewServer = Callable[..., LedgerServer]


@pytest.fixture(scope="module")
def server() -> Iterator[LedgerServer]:
    server = LedgerServer(
        *(record(number, latency_s=float(number)) for number in range(1, 101)),
        *(record(number, model="other", tags=("a", "b")) for number in range(200, 210)),
        failed(300, model="other"),
    )
    yield server
    server.close()


def test_everything_is_one_row_without_groups(server: LedgerServer) -> None:
    report = server.get("/api/usage").json
    assert report["by"] == []
    assert [row["group"] for row in report["data"]] == [{}]
    assert report["total"] == report["data"][0]
    assert (report["total"]["calls"], report["total"]["failed"]) == (111, 1)
    assert Decimal(report["total"]["cost_usd_exact"]) == 110 * Decimal(COST)
    assert set(report["total"]["metrics"]) == set(HISTOGRAM_METRICS)


def test_each_group_has_its_percentiles(server: LedgerServer) -> None:
    report = server.get("/api/usage?by=model&metric=latency_s").json
    rows = {row["group"]["model"]: row for row in report["data"]}
    latency = rows["gpt-4.1"]["metrics"]["latency_s"]
    assert latency["count"] == 100
    assert latency["p50"] == pytest.approx(50, rel=0.011)
    assert latency["p95"] == pytest.approx(95, rel=0.011)
    assert latency["p99"] == pytest.approx(99, rel=0.011)
    assert latency["mean"] == pytest.approx(50.5)
    assert list(rows["other"]["metrics"]) == ["latency_s"]
    assert report["total"]["calls"] == 111


def test_a_call_counts_in_each_of_its_tags_and_once_in_the_total(server: LedgerServer) -> None:
    report = server.get("/api/usage?by=tag&model=other&outcome=ok").json
    assert {row["group"]["tag"]: row["calls"] for row in report["data"]} == {"a": 10, "b": 10}
    assert report["total"]["calls"] == 10


def test_the_period_before_has_the_same_length(server: LedgerServer) -> None:
    report = server.get(f"/api/usage?since={NOON + 50}&until={NOON + 80}&compare=previous").json
    assert report["total"]["calls"] == 30
    previous = report["previous"]
    assert previous["total"]["calls"] == 30
    assert (previous["since"], previous["until"]) == (
        "2026-11-30T12:00:20.000000Z",
        report["since"],
    )
    assert server.get("/api/usage").json["previous"] is None
    assert server.get("/api/usage?compare=previous").error["param"] == "since"


def test_errors_are_counted_apart_from_what_was_cancelled(new_server: NewServer) -> None:
    entries = [record(1), failed(2), failed(3, model="other"), record(4, outcome="cancelled")]
    server = new_server(*entries)
    report = server.get("/api/usage?by=model").json
    assert {row["group"]["model"]: row["errors"] for row in report["data"]} == {
        "gpt-4.1": 1, "other": 1,
    }  # fmt: skip
    assert (report["total"]["errors"], report["total"]["failed"]) == (2, 3)
    by_outcome = server.get("/api/usage?by=outcome").json["data"]
    assert {row["group"]["outcome"]: row["errors"] for row in by_outcome} == {
        "ok": 0, "error": 2, "cancelled": 0,
    }  # fmt: skip
    assert server.get("/api/usage?outcome=ok").json["total"]["errors"] == 0
    assert server.get("/api/usage?outcome=ok,error").json["total"]["errors"] == 2
    for query in ("by=user", "by=tag,day", "user=user-7", "tag=a"):
        assert server.get(f"/api/usage?{query}").json["total"]["errors"] is None


def test_minutes_of_the_last_hours_are_exact(server: LedgerServer) -> None:
    query = f"since={NOON}&until={NOON + 3600}&compare=previous"
    report = server.get(f"/api/usage?by=minute&{query}").json
    calls = {row["group"]["minute"]: row["calls"] for row in report["data"]}
    assert list(calls)[:2] == ["2026-11-30T12:00:00Z", "2026-11-30T12:01:00Z"]
    assert calls["2026-11-30T12:00:00Z"] == 59
    assert sum(calls.values()) == report["total"]["calls"] == 111
    [row] = server.get(f"/api/usage?by=five_minutes&model=other&{query}").json["data"][:1]
    assert row["group"] == {"five_minutes": "2026-11-30T12:00:00Z"}
    assert report["total"] == server.get(f"/api/usage?{query}").json["total"]


def test_reconciliation_has_the_largest_difference_first_and_totals(new_server: NewServer) -> None:
    server = new_server(
        record(1),
        *(record(number, cost_source="provider", cost_usd="0.01", cost_computed_usd=computed)
          for number, computed in ((2, "0.011"), (3, "0.005"), (4, "0.01"))),
    )  # fmt: skip
    report = server.get("/api/costs/reconcile").json
    assert [row["difference_usd_exact"] for row in report["data"]] == ["-0.005", "0.001", "0.00"]
    assert report["total"]["records"] == 3
    assert Decimal(report["total"]["difference_usd_exact"]) == Decimal("-0.004")
    assert report["note"] is None
    part = server.get("/api/costs/reconcile?limit=2").json
    assert part["total"]["records"] == 2
    assert "may be more" in part["note"]
