"""Logs, exports and sessions, held against what all records say."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.ledger_oracle import (
    cost_of,
    ends_call,
    filters,
    group_calls,
    read_all,
    sample_oracle,
    sample_records,
)
from tests.support.ledger_stores import SyncStore, make_record, uuid_of

from headway.ledger.store import Filter, WrongCursorError
from headway.record import Record

HOSTILE = (
    "'", '"', "%", "_", "\\", "'; DROP TABLE records; --", "' OR '1'='1", "a\0b", "\0", "x" * 20000,
    "naïve ÄÖ 漢字 \U0001f600", "*", "NEAR(a b)", '"unclosed', "a AND", "-1", "(", "{}", "[1]",
    "\n", " ", "", "null", "9" * 400, "^a", "col:a", "\u202e",
)  # fmt: skip


@pytest.fixture(scope="module")
def filled(lasting_store: SyncStore) -> SyncStore:
    """With all of ``sample_records``."""
    records = sample_records()
    for at in range(0, len(records), 100):
        lasting_store.add(records[at : at + 100])
    return lasting_store


def test_logs_are_the_calls_that_the_filter_means(filled: SyncStore) -> None:
    for where in filters(sample_records()):
        found = [(row.last.id, row.cost_usd) for row in read_all(filled.logs, where, 70)]
        assert found == sample_oracle().find_logs(where), where


def test_values_are_counted_among_the_newest_calls(filled: SyncStore) -> None:
    by_id = {record.id: record for record in sample_records()}
    for where in filters(sample_records()):
        meant = [by_id[id_] for id_, _ in sample_oracle().find_logs(where)]
        for limit in (40, len(meant) or 1):
            found, calls = filled.count_values(where, limit=limit), meant[:limit]
            assert (found.calls, found.is_all) == (len(calls), len(meant) <= limit), where
            assert found.since == (calls[-1].timestamp if calls else None), where
            for facet, values in found.counts.items():
                expected = Counter(value for call in calls for value in values_of(call, facet))
                assert values == dict(expected), (where, facet)
    assert set(found.counts) == {
        "provider", "model", "outcome", "status", "key", "user", "tag", "route", "cache", "dialect",
    }  # fmt: skip


def values_of(record: Record, facet: str) -> tuple[str | None, ...]:
    if facet == "tag":
        return record.tags or (None,)
    value = getattr(record, {"key": "key_id", "route": "route_name"}.get(facet, facet))
    return (None if value is None else str(value),)


def test_exports_are_the_attempts_that_the_filter_means(filled: SyncStore) -> None:
    for where in filters(sample_records()):
        found = [record.id for record in read_all(filled.attempts, where, 333)]
        assert found == [record.id for record in sample_oracle().find_attempts(where)], where


def test_sessions_are_those_of_the_calls_that_the_filter_means(filled: SyncStore) -> None:
    for where in filters(sample_records()):
        check_sessions(read_all(filled.sessions, where, 9), sample_oracle().find_attempts(where))


def check_sessions(found: list[Any], attempts: list[Record]) -> None:
    expected: dict[str, list[Record]] = {}
    for record in attempts:
        if record.session_id is not None:
            expected.setdefault(record.session_id, []).append(record)
    newest = sorted(expected, key=lambda id_: expected[id_][-1].timestamp, reverse=True)
    assert [session.id for session in found] == newest
    for session in found:
        own = expected[session.id]
        assert session.calls == sum(map(ends_call, own))
        assert session.failed == sum(ends_call(each) and each.outcome != "ok" for each in own)
        assert session.cost_usd == cost_of(own)
        assert session.input_tokens == sum(each.input_tokens or 0 for each in own)
        assert session.ended == own[-1].timestamp
        assert session.started == pytest.approx(min(each.started for each in own), abs=2e-6)
        assert set(session.models) == {each.model for each in own}


def test_each_call_is_found_by_its_id_and_by_its_request_id(filled: SyncStore) -> None:
    for call_id, attempts in list(group_calls(sample_records()).items())[:60]:
        found = filled.call(call_id)
        assert [each.id for each in found.attempts] == [each.id for each in attempts]
        assert filled.call(attempts[0].request_id) == found


def test_the_largest_differences_to_the_provider_come_first(store: SyncStore) -> None:
    costs = [("0.3", "0.1"), ("0.1", "0.11"), ("0.5", None), ("0.2", "0.9")]
    store.add(
        [
            make_record(at, cost_usd=cost, cost_computed_usd=computed, cost_source="provider")
            for at, (cost, computed) in enumerate(costs)
        ]
    )
    found = store.reconcilable(Filter(), limit=2)
    assert [record.id for record in found] == [uuid_of(3), uuid_of(0)]
    assert len(store.reconcilable(Filter())) == 3
    assert list(store.reconcilable(Filter(models=("other",)))) == []


def test_hostile_texts_are_only_compared(store: SyncStore) -> None:
    hostile = [text for text in HOSTILE if text.isprintable() and len(text) < 1000]
    store.add(
        [
            make_record(at, user=text, tags=(text,), session_id=text, model=text, key_id=text)
            for at, text in enumerate(hostile)
        ]
    )
    for text in HOSTILE:
        for name in ("users", "tags", "sessions", "models", "keys", "ids", "providers"):
            where = Filter(**{name: (text,)})
            is_stored = text in hostile and name in ("users", "tags", "sessions", "models", "keys")
            assert len(store.logs(where).rows) == is_stored, (name, text)
            assert store.usage(where)[0].calls == is_stored
            assert len(store.sessions(where).rows) == is_stored
        assert store.call(text) is None
        assert store.conversation(text) is None
        assert isinstance(store.logs(Filter(text=text)).rows, list)
        assert list(store.session_history(text)) == []
    assert store.describe().records == len(hostile)


def test_a_cursor_of_another_question_is_refused(store: SyncStore) -> None:
    store.add([make_record(at, session_id=f"s{at}") for at in range(5)])
    cursor = store.logs(Filter(), limit=2).next_cursor
    for wrong in (cursor[:-3], "x", "", "é", "AAAA", store.sessions(Filter(), limit=1).next_cursor):
        with pytest.raises(WrongCursorError):
            store.logs(Filter(), cursor=wrong)
    with pytest.raises(WrongCursorError):
        store.attempts(Filter(), cursor=cursor)


def test_a_page_goes_on_where_the_last_one_ended_although_records_arrive(store: SyncStore) -> None:
    store.add([make_record(at) for at in range(10)])
    first = store.logs(Filter(), limit=4)
    store.add([replace(make_record(at)) for at in range(10, 20)])
    second = store.logs(Filter(), limit=4, cursor=first.next_cursor)
    ids = [row.last.id for row in (*first.rows, *second.rows)]
    assert ids == [uuid_of(at) for at in range(9, 1, -1)]
