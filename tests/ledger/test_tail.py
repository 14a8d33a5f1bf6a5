"""The calls as they end: each once, also where they are stored late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from headway.ledger import tail
from headway.ledger.store import Filter, Store
from headway.ledger.stores import new_store
from headway.ledger.tail import Tail, event_id, read_event_id
from headway.record import Record
from support.for_each import for_each
from support.ledger_records import NOON, record


def run(work: Callable[[Store], Awaitable[None]], *records: Record) -> None:
    async def main() -> None:
        store = new_store("sqlite:///:memory:")
        await store.open()
        if records:
            await store.add(records)
        await work(store)
        await store.close()

    asyncio.run(main())


async def ids(followed: Tail, store: Store) -> list[int]:
    return [int(row.last.id[-12:]) for row in await followed.poll(store)]


def test_each_call_is_given_once_in_the_order_of_their_ends() -> None:
    async def work(store: Store) -> None:
        followed = Tail(Filter(), NOON + 2)
        assert await ids(followed, store) == [2, 3]
        assert await ids(followed, store) == []
        await store.add([record(5), record(4)])
        assert await ids(followed, store) == [4, 5]
        await store.add([record(3, id="late", call_id="late-000000000042")])
        assert [row.last.id for row in await followed.poll(store)] == ["late"]
        assert await ids(followed, store) == []

    run(work, *(record(number) for number in range(4)))


def test_filters_hold_and_the_end_of_their_period_too() -> None:
    async def work(store: Store) -> None:
        followed = Tail(Filter(models=("gpt-4.1",), until=NOON + 3), NOON)
        assert await ids(followed, store) == [1]
        past = Tail(Filter(until=NOON), NOON + 1)
        assert await ids(past, store) == []

    run(work, record(1), record(2, model="x", deployment="x"), record(3))


def test_what_is_known_already_is_skipped() -> None:
    async def work(store: Store) -> None:
        followed = Tail(Filter(), NOON)
        followed.skip((await store.logs(Filter(), limit=2)).rows)
        assert await ids(followed, store) == [1]

    run(work, record(1), record(2), record(3))


def test_more_than_a_poll_can_give_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "MAX_LIMIT", 2)
    monkeypatch.setattr(tail, "MAX_PAGES", 2)

    async def work(store: Store) -> None:
        followed = Tail(Filter(), NOON)
        assert await ids(followed, store) == [5, 6, 7, 8]
        assert followed.left_out

    run(work, *(record(number) for number in range(9)))


def test_memory_does_not_grow_with_the_calls() -> None:
    async def work(store: Store) -> None:
        followed = Tail(Filter(), NOON)
        for start in range(0, 1000, 50):
            await store.add([record(number) for number in range(start, start + 50)])
            assert len(await followed.poll(store)) == 50
        assert len(followed._given) <= 50 + 2 * tail.OVERLAP_S

    run(work)


def test_a_client_goes_on_behind_an_event() -> None:
    async def work(store: Store) -> None:
        first = await Tail(Filter(), NOON).poll(store)
        followed = Tail(Filter(), 0.0, read_event_id(event_id(first[1])))
        assert await ids(followed, store) == [3]

    run(work, record(1), record(2), record(3))


@for_each("text", ["", "x", "1", "1-", "-x", "nan-x", "inf-x", "-1-x", "1e300-x"])
def test_any_other_text_is_no_id_of_an_event(text: str) -> None:
    with pytest.raises(ValueError):
        read_event_id(text)
