"""Earlier calls are found in the database, also while the shipper is still on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from headway.ledger.store import Position
from headway.ledger.stores import new_store
from headway.record import Content, ContentMode
from headway.server.ledger_history import LedgerHistory
from headway.server.ledger_reader import SHIPPING_S, LedgerReader
from support.ledger_records import NOON, record

NAME = "1764417600000-17-abcdef.jsonl"


def content(number: str, mode: ContentMode = "full", **more: Any) -> Content:
    return Content(
        call_id=number,
        timestamp=NOON,
        key_id="anonymous",
        wire="openai_chat",
        mode=mode,
        messages=Raw(b'[{"role":"user","content":"Hi"}]' if mode == "full" else b'["aa"]'),
        output=Raw(b"[]"),
        **more,
    )


class World:
    """A ledger, a spool directory, and a clock that moves while somebody sleeps."""

    def __init__(self, directory: Path) -> None:
        self.runner = asyncio.Runner()
        self.now = 0.0
        self.file = directory / NAME
        self.store = new_store("sqlite:///:memory:")
        self.runner.run(self.store.open())
        self.reader = LedgerReader(lambda: self.store, self.clock, self.sleep, str(directory))
        self.history = LedgerHistory(self.reader)
        self.pending: list[tuple[list[Any], list[Position]]] = []
        """What the shipper stores, one after the other, while somebody waits."""

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.pending:
            await self.store.add(*self.pending.pop(0))

    def ask(self, question: Any) -> Any:
        return self.runner.run(question)

    def close(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def spooled(world: World, size: int = 100) -> None:
    world.file.write_bytes(b"x" * size)


def test_a_reply_is_found_by_its_id_and_by_those_of_its_provider(world: World) -> None:
    world.ask(world.store.add([content("a", aliases=("resp_1", "msg_1"))]))
    for name in ("a", "resp_1", "msg_1"):
        found = world.ask(world.history.reply(name, "anonymous"))
        assert found.call_id == "a"
        assert [bytes(each) for each in found.messages] == [b'{"role":"user","content":"Hi"}']
    assert world.ask(world.history.reply("a", "somebody")) is None
    assert world.now == 0.0


def test_what_is_still_on_the_spool_is_waited_for(world: World) -> None:
    spooled(world)
    world.pending = [([], [Position(NAME, 50)]), ([content("a")], [Position(NAME, 100)])]
    assert world.ask(world.history.reply("a", "anonymous")).call_id == "a"
    assert 0 < world.now < SHIPPING_S


def test_a_file_that_is_gone_was_stored(world: World) -> None:
    spooled(world)

    async def delete(seconds: float) -> None:
        world.now += seconds
        world.file.unlink()

    world.reader._sleep = delete
    assert world.ask(world.history.reply("a", "anonymous")) is None
    assert world.now < 1


def test_what_does_not_come_is_not_waited_for_long(world: World) -> None:
    spooled(world)
    assert world.ask(world.history.reply("a", "anonymous")) is None
    assert SHIPPING_S <= world.now < SHIPPING_S + 0.2


def test_hashes_are_no_reply(world: World) -> None:
    world.ask(world.store.add([content("a", "hash")]))
    assert world.ask(world.history.reply("a", "anonymous")) is None


def test_a_session_is_read_when_all_of_it_is_stored(world: World) -> None:
    records = [record(number, session_id="s", content="full") for number in (1, 2)]
    names = [each.call_id for each in records]
    spooled(world)
    world.pending = [([*records, *map(content, names)], [Position(NAME, 100)])]
    assert world.ask(world.history.session("s", "anonymous")) == names
    assert world.ask(world.history.session("t", "anonymous")) == []


def test_the_provider_of_a_call_is_that_of_its_last_attempt(world: World) -> None:
    world.ask(world.store.add([record(1, provider="groq")]))
    assert world.ask(world.history.provider_of(record(1).call_id, "anonymous")) == "groq"
    assert world.ask(world.history.provider_of(record(2).call_id, "anonymous")) is None


def test_nothing_has_a_name_that_no_database_takes(world: World) -> None:
    for name in ("a\0b", "a\ud800", "x" * 2000):
        assert world.ask(world.history.reply(name, "anonymous")) is None
        assert world.ask(world.history.session(name, "anonymous")) == ()


def test_a_reply_that_is_forgotten_is_gone(world: World) -> None:
    world.ask(world.store.add([content("a", aliases=("resp_1",))]))
    assert world.ask(world.history.forget("a", "somebody")) is False
    assert world.ask(world.history.forget("a", "anonymous")) is True
    assert world.ask(world.history.reply("resp_1", "anonymous")) is None
