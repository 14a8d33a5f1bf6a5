"""The schema's versions: created, brought up to date, refused, and safe from a step that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from tests.support.ledger_stores import SyncStore, make_record, opened

from headway.ledger.store import Filter, StoreError
from headway.ledger.stores import new_store
from headway.ledger.stores.postgresql import migrations
from headway.ledger.stores.postgresql.connections import Connections
from headway.ledger.stores.postgresql.migrations import MIGRATIONS, migrate
from support.lazy_import import lazy_import

asyncpg = lazy_import("asyncpg")


async def add_column(connection: Any) -> None:
    await connection.execute("ALTER TABLE records ADD COLUMN weight bigint")


async def break_down(connection: Any) -> None:
    await connection.execute("DELETE FROM records; ALTER TABLE feedback DROP COLUMN label")
    await connection.execute("SELECT 1 / 0")


def run_migrations(url: str, steps: Sequence[Any]) -> None:
    async def run() -> None:
        connections = Connections(url)
        await connections.open()
        try:
            await migrate(connections, steps)
        finally:
            await connections.close()

    asyncio.run(run())


def ask(url: str, sql: str) -> Any:
    async def fetch() -> Any:
        connection = await asyncpg.connect(url, server_settings={"search_path": "headway"})
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(fetch())


@pytest.fixture
def filled_database(empty_database: str) -> str:
    """The first version, with data in it."""
    run_migrations(empty_database, MIGRATIONS[:1])
    ask(empty_database, "SELECT 1")
    with opened(new_store(empty_database)) as store:
        store.add([make_record(at) for at in range(5)])
    return empty_database


def calls_of(store: SyncStore) -> tuple[int, int]:
    return len(store.logs(Filter()).rows), store.usage(Filter())[0].calls


def test_the_first_version_with_data_becomes_the_last(filled_database: str) -> None:
    with opened(new_store(filled_database)) as store:
        assert store.describe().version == len(MIGRATIONS)
        assert calls_of(store) == (5, 5)
        assert store.check() == []


def test_a_step_that_fails_leaves_the_data_and_the_version_as_they_were(
    filled_database: str,
) -> None:
    with pytest.raises(StoreError, match="division by zero"):
        run_migrations(filled_database, [*MIGRATIONS, add_column, break_down])
    assert ask(filled_database, "SELECT version FROM schema_version") == len(MIGRATIONS) + 1
    assert ask(filled_database, "SELECT count(weight) FROM records") == 0
    run_migrations(filled_database, [*MIGRATIONS, add_column])
    assert ask(filled_database, "SELECT count(latency_us) FROM records") == 5


def test_a_step_does_not_wait_for_the_log_table_and_stop_everybody(
    filled_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_S", 0.2)

    async def run() -> None:
        blocker = await asyncpg.connect(filled_database)
        connections = Connections(filled_database)
        await connections.open()
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE headway.records IN ACCESS SHARE MODE")
            with pytest.raises(StoreError, match="lock timeout"):
                await migrate(connections, [*MIGRATIONS, add_column])
        await migrate(connections, [*MIGRATIONS, add_column])
        await connections.close()
        await blocker.close()

    asyncio.run(run())
    assert ask(filled_database, "SELECT version FROM schema_version") == len(MIGRATIONS) + 1


def test_a_newer_version_is_refused(filled_database: str) -> None:
    ask(filled_database, "UPDATE schema_version SET version = 99")
    for migrates in (True, False):
        with (
            pytest.raises(StoreError, match="has schema version 99, and this program knows up to"),
            opened(new_store(filled_database), migrates=migrates),
        ):
            raise AssertionError


def test_without_migrating_nothing_is_created(empty_database: str) -> None:
    message = r"schema version 0, .*run `headway db migrate`"
    with (
        pytest.raises(StoreError, match=message),
        opened(new_store(empty_database), migrates=False),
    ):
        raise AssertionError
    assert ask(empty_database, "SELECT to_regnamespace('headway')::text") is None


def test_a_user_who_may_not_create_the_schema_is_told(empty_database: str) -> None:
    if not ask(empty_database, "SELECT count(*) FROM pg_roles WHERE rolname = 'guest'"):
        ask(empty_database, "CREATE ROLE guest LOGIN")
    url = empty_database.replace("headway@", "guest@")
    message = r"'guest' may not do this in .*docs/ledger.md"
    with pytest.raises(StoreError, match=message), opened(new_store(url)):
        raise AssertionError
