"""The schema's versions: created, brought up to date, refused, and safe from a step that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.ledger_stores import (
    NOON,
    SyncStore,
    make_attempts,
    make_record,
    opened,
    uuid_of,
)

from headway.ledger.store import Filter, StoreError
from headway.ledger.stores import new_store
from headway.ledger.stores.postgresql import migrations
from headway.ledger.stores.postgresql.connections import Connections
from headway.ledger.stores.postgresql.migrations import MIGRATIONS, migrate
from headway.record import LineItem, Record
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


def rows_of(url: str, sql: str) -> list[Any]:
    async def fetch() -> list[Any]:
        connection = await asyncpg.connect(url, server_settings={"search_path": "headway"})
        try:
            return list(await connection.fetch(sql))
        finally:
            await connection.close()

    return asyncio.run(fetch())


def ask(url: str, sql: str) -> Any:
    """The first value of the first row."""
    return next((row[0] for row in rows_of(url, sql)), None)


@pytest.fixture
def first_version(empty_database: str) -> str:
    load_version(empty_database, 1)
    return empty_database


def load_version(url: str, version: int) -> None:
    """Written by a program of that version: tables and rows as ``pg_dump`` shows them."""

    async def load() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(Path(__file__).with_name(f"version_{version}.sql").read_text())
        await connection.close()

    asyncio.run(load())


@pytest.fixture
def filled_database(first_version: str) -> str:
    """The last version, with data in it."""
    run_migrations(first_version, MIGRATIONS)
    return first_version


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_every_earlier_version_with_data_becomes_the_last(
    empty_database: str, version: int
) -> None:
    load_version(empty_database, version)
    new = [
        make_record(10, user="ann", cost_usd="1", route_name="smart", saved_usd="0.5", cache="hit"),
        make_record(11, latency_s=9.0, tokens_per_second=200 / 9),
    ]
    with opened(new_store(empty_database)) as store:
        assert store.describe().version == len(MIGRATIONS)
        check_old_records(store)
        assert store.add([*old_records(), *new]) == 2
        store.maintain(NOON)
        assert store.check() == []
        check_old_records(store, new)
        routes = store.usage(Filter(), ["route", "cache"])
        assert {tuple(each.group.values()) for each in routes} == {(None, None), ("smart", "hit")}
        assert [row.last.id for row in store.logs(Filter(routes=("smart",))).rows] == [uuid_of(10)]
    check_view(empty_database)


def old_records() -> list[Record]:
    """What ``version_1.sql`` has, besides content and feedback."""
    items = LineItem("input", "1000", "0.000002"), LineItem("output", "200", "0.000008")
    return [
        make_record(
            0, user="ann", tags=("team:a", "b"), session_id="s", request_id=uuid_of(900),
            reply_id="chatcmpl-1", upstream_request_id="req_0123456789abcdef0123",
            gap_counts=((10, 3), (12, 1)), inter_token_latency_s=0.02, line_items=items,
            gateway_overhead_s=0.0005, request_bytes=2**33,
        ),
        make_record(
            1, model="gpt-4.1-mini", latency_s=4000.0, started=1789999200.0,
            tokens_per_second=0.05,
        ),
        *make_attempts(2, "0.5", "0.25", session_id="s"),
        make_record(
            3, outcome="error", status=503, error_message="Overloaded today", cost_usd=None,
            input_tokens=None,
        ),
        make_record(4, upstream_request_id="plain"),
    ]  # fmt: skip


def check_old_records(store: SyncStore, new: Sequence[Record] = ()) -> None:
    """Whatever index finds them."""
    old, added = old_records(), {record.id for record in new}
    assert sorted(store.attempts(Filter())[0], key=by_id) == sorted([*old, *new], key=by_id)
    found = {record.id: [row.last.id for row in store.logs(where).rows if row.last.id not in added]
             for record, where in (
                 (old[0], Filter(users=("ann",))), (old[1], Filter(min_latency_s=60.0)),
                 (old[3], Filter(min_cost_usd=Decimal("0.6"), max_cost_usd=Decimal("0.8"))),
                 (old[4], Filter(text="overloaded")), (old[5], Filter(ids=("request-4",))),
             )}  # fmt: skip
    assert all([id_] == ids for id_, ids in found.items()), found
    for name in ("chatcmpl-1", uuid_of(900), uuid_of(0)):
        assert store.call(name).attempts == tuple(old[:1])
        assert store.call(name).feedback[0].label == "good"
    assert store.call(uuid_of(2)).attempts == tuple(old[2:4])
    assert [session.id for session in store.sessions(Filter()).rows] == ["s"]
    assert bytes(store.conversation("msg_1").messages[0]) == b'{"role":"user","content":"hello"}'
    (usage,) = store.usage(Filter())
    assert (usage.calls, usage.attempts, usage.failed) == (5 + len(new), 6 + len(new), 1)
    assert usage.cost_usd == Decimal("0.7608") + sum(Decimal(str(each.cost_usd)) for each in new)


def by_id(record: Record) -> str:
    return record.id


def check_view(url: str) -> None:
    rows = {str(row["id"]): row for row in rows_of(url, "SELECT * FROM logs")}
    assert len(rows) == 8
    (first,) = [row for row in rows.values() if row["request_bytes"] == 2**33]
    assert (first["upstream_request_id"], first["latency_s"]) == (
        "req_0123456789abcdef0123", Decimal("0.5"),
    )  # fmt: skip
    assert (first["user"], first["call_id"]) == ("ann", first["id"])
    of_route = rows[uuid_of(10)]
    assert (of_route["route_name"], of_route["cache"], of_route["saved_usd"]) == (
        "smart", "hit", Decimal("0.5"),
    )  # fmt: skip
    added = rows[uuid_of(11)]
    assert (added["latency_s"], added["input_tokens"]) == (9, 1000)
    assert str(added["call_id"]) == uuid_of(11)


def test_indexes_of_past_days_are_built_beside_the_traffic(first_version: str) -> None:
    names = "SELECT count(*) FROM pg_indexes WHERE indexname ~ '^records_20260921_by_'"
    run_migrations(first_version, MIGRATIONS)
    assert ask(first_version, names) == 0
    with opened(new_store(first_version)) as one, opened(new_store(first_version)) as other:
        assert [line for line in one.check() if "lacks" in line] != []
        one.maintain(NOON)
        other.maintain(NOON)
        assert one.check() == []
    assert ask(first_version, names) == 8


def test_an_index_that_was_not_finished_is_built_again(first_version: str) -> None:
    run_migrations(first_version, MIGRATIONS)
    ask(first_version, "CREATE INDEX records_20260921_by_user ON records_20260921 (tags)")
    ask(
        first_version,
        "UPDATE pg_index SET indisvalid = false "
        "WHERE indexrelid = 'headway.records_20260921_by_user'::regclass",
    )
    with opened(new_store(first_version)) as store:
        store.maintain(NOON)
        assert store.check() == []
    definition = "SELECT indexdef FROM pg_indexes WHERE indexname = 'records_20260921_by_user'"
    assert '("user"' in ask(first_version, definition)


def test_a_step_that_fails_leaves_the_data_and_the_version_as_they_were(
    filled_database: str,
) -> None:
    with pytest.raises(StoreError, match="division by zero"):
        run_migrations(filled_database, [*MIGRATIONS, add_column, break_down])
    assert ask(filled_database, "SELECT version FROM schema_version") == len(MIGRATIONS) + 1
    assert ask(filled_database, "SELECT count(weight) FROM records") == 0
    run_migrations(filled_database, [*MIGRATIONS, add_column])
    assert ask(filled_database, "SELECT count(latency_us) FROM records") == 6


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
