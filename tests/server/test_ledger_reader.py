"""Questions to the database of records, and what becomes of its failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from headway.errors import LedgerUnavailable, RequestError
from headway.ledger.store import Filter, Position, Store, StoreError, WrongCursorError
from headway.ledger.stores import new_store
from headway.server import ledger_reader
from headway.server.ledger_reader import LedgerReader
from support.ledger_records import record
from support.ledger_server import MEMORY


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.naps = 0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.naps += 1
        self.now += seconds


def run(
    work: Callable[[LedgerReader], Awaitable[Any]],
    make: Callable[[], Store] = lambda: new_store(MEMORY),
    time: Time | None = None,
    *,
    is_shared: bool = False,
) -> Any:
    time = time or Time()

    async def main() -> Any:
        reader = LedgerReader(make, time, time.sleep, is_shared=is_shared)
        try:
            return await work(reader)
        finally:
            await reader.close()

    return asyncio.run(main())


async def opened(work: Callable[[Store], Awaitable[None]]) -> None:
    store = new_store(MEMORY)
    await store.open()
    await work(store)


async def ready(store: Store) -> str:
    return "answer"


def test_the_store_is_opened_once_with_the_first_question() -> None:
    made: list[Store] = []

    def make() -> Store:
        made.append(new_store(MEMORY))
        return made[-1]

    async def work(reader: LedgerReader) -> list[str]:
        assert made == []
        return await asyncio.gather(*(reader.ask(ready) for _ in range(9)))

    assert run(work, make) == ["answer"] * 9
    assert len(made) == 1


def test_a_database_that_comes_up_late_is_waited_for() -> None:
    time = Time()

    def make() -> Store:
        if time.now < 1:
            raise StoreError("not yet")
        return new_store(MEMORY)

    assert run(lambda reader: reader.ask(ready), make, time) == "answer"


def test_a_database_that_stays_away_is_an_error_and_is_asked_again_later() -> None:
    problems = ["down"]

    def make() -> Store:
        if problems:
            raise StoreError("db:5432 does not answer")
        return new_store(MEMORY)

    async def work(reader: LedgerReader) -> str:
        with pytest.raises(LedgerUnavailable) as caught:
            await reader.ask(ready)
        assert caught.value.message.endswith("db:5432 does not answer")
        problems.clear()
        return await reader.ask(ready)

    assert run(work, make) == "answer"


def test_a_few_questions_are_asked_at_a_time() -> None:
    asked = most = 0

    async def question(store: Store) -> None:
        nonlocal asked, most
        asked += 1
        most = max(most, asked)
        await asyncio.sleep(0.001)
        asked -= 1

    async def work(reader: LedgerReader) -> None:
        await asyncio.gather(*(reader.ask(question) for _ in range(20)))

    run(work)
    assert most == ledger_reader.AT_ONCE


def test_failures_are_errors_for_clients() -> None:
    async def broken(store: Store) -> None:
        raise StoreError("full")

    async def strange(store: Store) -> None:
        raise WrongCursorError("no")

    async def work(reader: LedgerReader) -> None:
        with pytest.raises(LedgerUnavailable, match="full"):
            await reader.ask(broken)
        with pytest.raises(RequestError) as caught:
            await reader.ask(strange)
        assert caught.value.param == "cursor"

    run(work)


def test_what_another_gateway_may_still_store_is_waited_for_a_moment() -> None:
    time = Time()
    answers: list[int | None] = [None, 1, 2]

    async def next_answer(store: Store) -> int | None:
        return answers.pop(0) if answers else 3

    async def nothing(store: Store) -> None:
        return None

    async def find_second(reader: LedgerReader) -> int | None:
        return await reader.find(next_answer, lambda n: n >= 2)

    assert run(find_second, time=time, is_shared=True) == 2
    assert time.naps == 2
    found = run(lambda reader: reader.find(next_answer, lambda n: n > 3), is_shared=True)
    assert found == 3
    assert run(lambda reader: reader.find(nothing), time=Time(), is_shared=True) is None


def test_an_unknown_call_is_refused_soon_on_a_shared_database_and_at_once_on_an_own() -> None:
    async def nothing(store: Store) -> None:
        return None

    for is_shared, longest in ((True, ledger_reader.FOREIGN_S), (False, 0.0)):
        time = Time()
        assert run(lambda reader: reader.find(nothing), time=time, is_shared=is_shared) is None
        assert longest <= time.now < longest + 0.2


def test_what_was_written_before_the_question_is_waited_for_and_nothing_else(
    tmp_path: Path,
) -> None:
    """The spool says what may still come."""
    file, name = tmp_path / "1-2-3.jsonl", "1-2-3.jsonl"
    file.write_bytes(b"x" * 10)
    time, asked = Time(), []

    async def look(store: Store) -> None:
        asked.append(await store.positions())

    async def main(store: Store) -> None:
        async def ship(seconds: float) -> None:
            await time.sleep(seconds)
            await store.add([], [Position(name, 10)])
            file.write_bytes(b"x" * 20)  # later than the question

        reader = LedgerReader(lambda: store, time, ship, str(tmp_path))
        assert await reader.find(look) is None
        await reader.close()

    asyncio.run(opened(main))
    assert asked == [{}, {name: 10}]
    assert time.naps == 1


def test_a_long_answer_leaves_its_place_to_others_between_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_reader, "AT_ONCE", 1)
    closed = []

    async def pieces(store: Store) -> AsyncGenerator[int, None]:
        try:
            for number in range(3):
                yield number
        finally:
            closed.append(True)

    async def work(reader: LedgerReader) -> list[int]:
        found = []
        async for piece in reader.each(pieces):
            assert await reader.ask(ready) == "answer"
            found.append(piece)
        return found

    assert run(work) == [0, 1, 2]
    assert closed == [True]


def test_closing_is_idempotent_and_a_closed_reader_may_be_used_again() -> None:
    async def work(reader: LedgerReader) -> int:
        await reader.ask(ready)
        await reader.close()
        await reader.close()

        async def fill(store: Store) -> int:
            await store.open()
            await store.add([record(1)])
            return len((await store.logs(Filter())).rows)

        return await reader.ask(fill)

    assert run(work) == 1
