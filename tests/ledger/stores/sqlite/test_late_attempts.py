"""Attempts that are stored after the last one of their call."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.ledger_stores import SyncStore, make_attempts, opened

from headway.ledger.store import Filter
from headway.ledger.stores.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SyncStore]:
    with opened(SqliteStore(f"{tmp_path}/ledger.db")) as store:
        yield store


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
