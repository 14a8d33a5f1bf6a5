"""Feedback, the newest first."""

from __future__ import annotations

import pytest
from tests.support.ledger_stores import NOON, SyncStore, uuid_of

from headway.ledger.store import FeedbackFilter, WrongCursorError
from headway.record import Feedback


def given(number: int, **more: object) -> Feedback:
    facts = {"key_id": "k1", "score": float(number), "label": "blind-vote", **more}
    return Feedback(
        id=uuid_of(number),
        call_id=f"call-{number}",
        timestamp=NOON + number // 2,  # some at the same time
        **facts,  # type: ignore[arg-type]
    )


ALL = [
    *(given(number) for number in range(6)),
    given(6, label="wrong", key_id="k2", comment="no"),
    given(7, label=None, key_id=None),
]


def read(store: SyncStore, limit: int = 3, **where: object) -> list[Feedback]:
    """All pages."""
    found: list[Feedback] = []
    cursor = None
    while True:
        page = store.feedback(FeedbackFilter(**where), limit=limit, cursor=cursor)
        found += page.rows
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert len(page.rows) == limit


def test_pages_have_the_newest_first_and_each_once(store: SyncStore) -> None:
    assert read(store) == []
    store.add(ALL)
    by_time = sorted(ALL, key=lambda each: each.timestamp, reverse=True)
    for limit in (1, 3, 100):
        found = read(store, limit)
        assert [each.timestamp for each in found] == [each.timestamp for each in by_time]
        assert sorted(found, key=lambda each: each.id) == sorted(ALL, key=lambda each: each.id)


def test_filters_mean_labels_times_and_who_gave_it(store: SyncStore) -> None:
    store.add(ALL)
    assert {each.score for each in read(store, labels=("wrong", "nothing"))} == {6.0}
    assert len(read(store, labels=("wrong", "blind-vote"))) == 7
    assert {each.score for each in read(store, since=NOON + 2)} == {4.0, 5.0, 6.0, 7.0}
    assert {each.score for each in read(store, until=NOON + 1)} == {0.0, 1.0}
    assert [each.comment for each in read(store, owner="k2")] == ["no"]
    assert read(store, owner="k2", labels=("blind-vote",)) == []
    assert read(store, labels=("x'; DROP TABLE feedback; --", "a\0b")) == []


def test_a_cursor_of_another_question_is_refused(store: SyncStore) -> None:
    store.add(ALL)
    for cursor in ("x", "abc", "W10"):
        with pytest.raises(WrongCursorError):
            store.feedback(FeedbackFilter(), limit=1, cursor=cursor)
