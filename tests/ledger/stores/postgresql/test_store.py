"""What only a database that several gateways share has: concurrent writers, cut connections,
partitions."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.ledger_stores import (
    NOON,
    SyncStore,
    make_attempts,
    make_content,
    make_record,
    opened,
    uuid_of,
)

from headway.ledger.store import Filter, Position, StoreError
from headway.ledger.stores import new_store
from headway.ledger.stores.postgresql import PostgresqlStore, filters, reading
from support.lazy_import import lazy_import
from support.services import PostgresqlServer, postgresql_server

asyncpg = lazy_import("asyncpg")
DAY = 86400


@pytest.fixture
def store(postgresql_url: str) -> Iterator[SyncStore]:
    with opened(new_store(postgresql_url)) as store:
        yield store


def ask(url: str, sql: str, *values: Any) -> list[Any]:
    async def fetch() -> list[Any]:
        connection = await asyncpg.connect(url, server_settings={"search_path": "headway"})
        try:
            return list(await connection.fetch(sql, *values))
        finally:
            await connection.close()

    return asyncio.run(fetch())


# --- Several gateways -----------------------------------------------------------------------------


def test_two_gateways_store_the_same_and_different_records_at_once(postgresql_url: str) -> None:
    shared = [*map(make_record, range(100)), *make_attempts(500, "0.1", "0.2", "0.3")]
    counts: list[int] = []

    async def ship(stores: list[PostgresqlStore]) -> None:
        for store in stores:
            await store.open()
        for at in range(0, 400, 40):
            batches = [
                [make_record(number, user=f"u{number % 7}", session_id=f"s{number % 5}")
                 for number in range(base + at, base + at + 40)]
                for base in (1000, 3000)
            ]  # fmt: skip
            contents = [make_content(number, b'["same"]') for number in range(at, at + 4)]
            counts.extend(
                await asyncio.gather(
                    *[
                        store.add([*batch, *shared, *contents])
                        for store, batch in zip(stores, batches, strict=True)
                    ]
                )
            )

    async def run() -> None:
        stores = [PostgresqlStore(postgresql_url) for _ in range(2)]
        try:
            await ship(stores)
            (usage,) = await stores[0].usage(Filter())
            assert usage.calls == 901
            assert usage.attempts == 903
            assert usage.cost_usd == 900 * Decimal("0.0036") + Decimal("0.6")
            assert usage.histograms["cost_usd"].count == 901
            users = await stores[1].usage(Filter(), ["user"])
            assert sum(each.calls for each in users) == 901
            assert (await stores[1].describe()).records == 903
            assert await stores[0].check() == []
        finally:
            for store in stores:
                await store.close()

    asyncio.run(run())
    assert sum(counts) == 903


def test_two_gateways_create_the_same_tables_at_once(empty_database: str) -> None:
    async def run() -> list[int]:
        stores = [PostgresqlStore(empty_database) for _ in range(3)]
        try:
            await asyncio.gather(*[store.open() for store in stores])
            days = [make_record(at * DAY) for at in range(4)]
            return await asyncio.gather(*[store.add(days) for store in stores])
        finally:
            for store in stores:
                await store.close()

    assert sum(asyncio.run(run())) == 4


def test_a_task_is_done_by_one_gateway_at_a_time(postgresql_url: str) -> None:
    async def run() -> None:
        one, other = PostgresqlStore(postgresql_url), PostgresqlStore(postgresql_url)
        await one.open()
        await other.open()
        async with (
            one.exclusively("archive") as first,
            other.exclusively("archive") as second,
            other.exclusively("x") as third,
        ):
            assert (first, second, third) == (True, False, True)
        async with other.exclusively("archive") as fourth:
            assert fourth
        await one.close()
        await other.close()

    asyncio.run(run())


def test_what_another_gateway_pruned_is_created_again(postgresql_url: str) -> None:
    with opened(new_store(postgresql_url)) as one, opened(new_store(postgresql_url)) as other:
        one.add([make_record(1, session_id="s"), make_content(1, b"[1]")])
        other.add([make_record(2, session_id="s"), make_content(2, b"[2]")])
        assert other.prune(NOON + 2 * DAY, NOON + 62 * DAY).records == 2
        assert one.add([make_record(3, session_id="s"), make_content(3, b"[3]")]) == 1
        assert one.sessions(Filter()).rows[0].id == "s"
        assert [bytes(raw) for raw in one.conversation(uuid_of(3)).messages] == [b"3"]
        assert one.check() == []


# --- Connections ----------------------------------------------------------------------------------


def test_connections_that_are_cut_are_replaced(store: SyncStore, postgresql_url: str) -> None:
    store.add([make_record(1)])
    for number in (2, 3):
        ask(
            postgresql_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'headway' AND pid <> pg_backend_pid()",
        )
        assert len(store.logs(Filter()).rows) == number - 1
        assert store.add([make_record(number)]) == 1


def test_a_batch_whose_connection_is_cut_is_stored_once(
    store: SyncStore, postgresql_url: str
) -> None:
    def cut() -> None:
        for at in range(12):
            time.sleep(0.01 * (at % 4 + 1))
            ask(
                postgresql_url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN (SELECT pid "
                "FROM pg_stat_activity WHERE application_name = 'headway' AND state <> 'idle')",
            )

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        for at in range(0, 1000, 100):
            batch = [make_record(number) for number in range(at, at + 100)]
            while True:
                try:
                    store.add(batch, [Position("file", at)])
                    break
                except StoreError as error:
                    assert "connection" in str(error)  # noqa: PT017
    finally:
        thread.join()
    (usage,) = store.usage(Filter())
    assert (usage.calls, store.describe().records) == (1000, 1000)
    assert dict(store.positions()) == {"file": 900}
    assert store.check() == []


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server


def test_a_server_that_was_restarted_is_used_again(own_server: PostgresqlServer) -> None:
    with opened(new_store(own_server.url)) as store:
        store.add([make_record(1)])
        own_server.stop()
        with pytest.raises(StoreError, match=r"127\.0\.0\.1:\d+ failed: .*check that the server"):
            store.add([make_record(2)])
        with pytest.raises(StoreError, match="check that the server runs"):
            store.logs(Filter())
        own_server.start()
        assert store.add([make_record(2)]) == 1
        assert len(store.logs(Filter()).rows) == 2


def test_errors_say_what_to_do_and_never_the_password(postgresql_url: str) -> None:
    host = postgresql_url.partition("@")[2].partition("/")[0]
    for url, message in (
        (
            f"postgresql://headway:pa%73s-word@{host}/nowhere",
            "no database 'nowhere': create it",
        ),
        (f"postgresql://nobody:pass-word@{host}/postgres", "refused the user 'nobody': check the"),
        ("postgresql://u:pass-word@127.0.0.1:1/db", "127.0.0.1:1 failed: .*check that the server"),
        ("postgresql://u:pass-word@no.invalid/db", "no.invalid:5432 failed"),
    ):
        with pytest.raises(StoreError, match=message) as caught, opened(PostgresqlStore(url)):
            raise AssertionError(url)
        shown = f"{caught.value} {caught.value.__cause__}"
        assert "pass-word" not in shown
        assert "pa%73s" not in shown
    closed = PostgresqlStore("postgresql://u:pass-word@[::1]:99/db")
    with pytest.raises(StoreError, match=r"postgresql://u@\[::1\]:99/db is not open"):
        asyncio.run(closed.logs(Filter()))


def test_a_question_that_takes_too_long_is_given_up(postgresql_url: str) -> None:
    async def run() -> None:
        store = PostgresqlStore(postgresql_url, statement_s=0.3)
        await store.open()
        await store.add([make_record(1)])
        blocker = await asyncpg.connect(postgresql_url)
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE headway.records IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(StoreError, match="did not answer in time"):
                await store.logs(Filter())
        await blocker.close()
        assert len((await store.logs(Filter())).rows) == 1
        await store.close()

    asyncio.run(run())


def test_a_database_in_another_encoding_is_refused(postgresql_url: str) -> None:
    ask(postgresql_url, "DROP DATABASE IF EXISTS latin")
    ask(
        postgresql_url,
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    )
    url = postgresql_url.replace("/postgres", "/latin")
    with (
        pytest.raises(StoreError, match="LATIN1: create one with ENCODING"),
        opened(new_store(url)),
    ):
        raise AssertionError


# --- Partitions -----------------------------------------------------------------------------------


def test_records_of_any_day_have_a_partition_and_old_ones_are_dropped(
    store: SyncStore, postgresql_url: str
) -> None:
    days = [make_record(number, timestamp=NOON - at * DAY) for number, at in
            enumerate((0, 1, 400, 9000, 20_000))]  # fmt: skip
    store.add(days)
    old = "SELECT to_regclass('headway.records_20020130') IS NOT NULL AS found"
    size = store.describe().bytes
    deleted = store.prune(NOON - 300 * DAY, None)
    assert (deleted.records, deleted.contents) == (3, 0)
    assert deleted.bytes_freed > 0
    assert store.describe().bytes <= size - deleted.bytes_freed
    assert ask(postgresql_url, old)[0]["found"] is False
    assert len(store.logs(Filter()).rows) == store.describe().records == 2
    assert store.check() == []
    assert store.prune(NOON - 300 * DAY, NOON - 300 * DAY).records == 0


def test_the_disk_shrinks_by_what_a_day_took(store: SyncStore) -> None:
    store.add([make_record(at, error_message="x" * 3000) for at in range(400)])
    store.add([make_record(5 * DAY)])
    size = store.describe().bytes
    assert size > 1_000_000
    deleted = store.prune(NOON + 4 * DAY, None)
    assert deleted.records == 400
    assert store.describe().bytes < size - 300_000


def test_a_partition_that_was_left_half_detached_is_dropped(
    store: SyncStore, postgresql_url: str
) -> None:
    store.add([make_record(1), make_record(5 * DAY)])
    name = ask(
        postgresql_url, "SELECT relname FROM pg_class WHERE relname ~ '^records_\\d+$' ORDER BY 1"
    )[0]["relname"]
    ask(postgresql_url, f"ALTER TABLE records DETACH PARTITION {name}")
    assert any("no longer a part of records" in line for line in store.check())
    store.prune(NOON + DAY, None)
    assert store.check() == []


def test_content_of_past_months_is_dropped_and_of_this_month_deleted(store: SyncStore) -> None:
    turns = b'[{"role":"user","content":"one %d"},{"role":"user","content":"two"}]'
    store.add([make_content(at, turns % at, timestamp=NOON + at * DAY) for at in (-60, -1, 1, 2)])
    store.add([make_record(at, timestamp=NOON + at * DAY) for at in (1, 2)])
    deleted = store.prune(None, NOON + 1.5 * DAY)
    assert (deleted.records, deleted.contents) == (0, 3)
    assert deleted.bytes_freed > 0
    assert [store.conversation(uuid_of(at)) is None for at in (1, 2)] == [True, False]
    assert store.describe().messages == 3
    assert store.check() == []


def test_deleted_content_leaves_nothing_that_only_it_used(
    store: SyncStore, postgresql_url: str
) -> None:
    image = b'{"role":"user","content":[{"image":"%s"}]}' % (b"QUJD" * 3000)
    first = make_content(1, b"[%s]" % image, parameters={"tools": b'["%s"]' % (b"t" * 400)})
    second = make_content(2, b'[%s,{"role":"user","content":"more"}]' % image)
    store.add([first, second])
    assert store.delete_content(uuid_of(1)) is True
    assert bytes(store.conversation(uuid_of(2)).messages[0]) == image
    assert store.delete_content(uuid_of(2)) is True
    assert store.delete_content(uuid_of(2)) is False
    for table in ("contents", "nodes", "pieces", "aliases"):
        assert ask(postgresql_url, f"SELECT count(*) AS n FROM {table}")[0]["n"] == 0, table


def test_the_parts_of_a_cell_do_not_become_many(store: SyncStore, postgresql_url: str) -> None:
    with opened(new_store(postgresql_url)) as other:
        for at in range(20):
            for number, gateway in enumerate((store, other)):
                gateway.add([make_record(at + 100 * number, user="ann")])
    most = ask(
        postgresql_url,
        "SELECT max(n) AS n FROM (SELECT count(*) AS n FROM cells "
        "GROUP BY cube, start, name, profile) c",
    )
    assert most[0]["n"] <= 2 * 8
    for by in (("hour",), ("user",), ("key", "month")):
        assert [usage.calls for usage in store.usage(Filter(), by)] == [40]


def test_the_sums_of_times_that_are_over_are_merged(store: SyncStore, postgresql_url: str) -> None:
    for at in range(5):
        store.add([make_record(at, user="ann"), make_record(at + 3 * DAY, user="ann")])
    before = [store.usage(Filter(), by) for by in (("hour",), ("day", "user"), ("month",))]
    parts = "SELECT cube, start, sum(parts) AS parts FROM cells GROUP BY 1, 2 ORDER BY 1, 2"
    store.maintain(NOON + 2 * DAY)
    found = ask(postgresql_url, parts)
    days = [row["parts"] for row in found if row["cube"] in (1, 2, 4, 6)]
    assert days == [1, 5] * 4
    assert [row["parts"] for row in found if row["cube"] in (3, 5, 7)] == [5, 5, 5]
    assert store.check() == []
    store.add([make_record(100, user="ann")])  # late
    store.maintain(NOON + 60 * DAY)
    assert {row["parts"] for row in ask(postgresql_url, parts)} <= {1, 2}
    after = [store.usage(Filter(until=NOON + 99), by) for by in (("hour",), ("day", "user"))]
    assert [usage.calls for rows in after for usage in rows] == [5, 5]
    assert [sum(usage.calls for usage in rows) for rows in before] == [10, 10, 10]
    assert store.usage(Filter())[0].calls == 11
    assert store.check() == []


# --- For people with SQL --------------------------------------------------------------------------


def test_the_view_has_names_dollars_and_seconds(store: SyncStore, postgresql_url: str) -> None:
    hostile = "it's\0%"
    store.add(
        [
            make_record(1, user=hostile, tags=("a:b", "c"), session_id="s", cost_usd="1.5e-13"),
            make_record(2, model=hostile, request_id=uuid_of(77), error_message=hostile),
        ]
    )
    rows = ask(postgresql_url, 'SELECT * FROM logs ORDER BY "timestamp"')
    assert [row["timestamp"].timestamp() for row in rows] == [NOON + 1, NOON + 2]
    assert [str(row["id"]) for row in rows] == [uuid_of(1), uuid_of(2)]
    assert (rows[0]["user"], rows[0]["tags"]) == ("it's\ufffd%", ["a:b", "c"])
    assert (rows[0]["session_id"], rows[0]["cost_usd"]) == ("s", Decimal("0.00000000000015"))
    assert (rows[1]["model"], str(rows[1]["request_id"])) == ("it's\ufffd%", uuid_of(77))
    assert (rows[1]["latency_s"], rows[1]["error_message"]) == (0.5, "it's\ufffd%")
    assert rows[1]["cost_usd"] == Decimal("0.0036")


def test_a_number_that_is_too_large_does_not_keep_a_batch_from_being_stored(
    store: SyncStore,
) -> None:
    large = make_record(1, input_tokens=10**30, request_bytes=-(10**30), user="a\0b")
    assert store.add([large, make_record(2)]) == 2
    assert store.call(uuid_of(1)).last.input_tokens == 10**15
    assert store.call(uuid_of(1)).last.user == "a\ufffdb"
    assert len(store.logs(Filter(users=("a\0b",))).rows) == 1


def test_a_record_of_a_clock_gone_wrong_is_stored(store: SyncStore) -> None:
    assert store.add([make_record(1, timestamp=-5.0), make_record(2, timestamp=1e14)]) == 2
    assert [row.last.id for row in store.logs(Filter()).rows] == [uuid_of(2), uuid_of(1)]


def test_a_role_that_may_only_read_can_ask(store: SyncStore, postgresql_url: str) -> None:
    store.add([make_record(1), make_content(1, b"[1]")])
    ask(postgresql_url, "DROP OWNED BY reader; DROP ROLE reader" if _exists(postgresql_url) else "")
    for sql in (
        "CREATE ROLE reader LOGIN",
        "GRANT USAGE ON SCHEMA headway TO reader",
        "GRANT SELECT ON ALL TABLES IN SCHEMA headway TO reader",
    ):
        ask(postgresql_url, sql)
    with opened(new_store(postgresql_url.replace("headway@", "reader@")), migrates=False) as reader:
        assert len(reader.logs(Filter()).rows) == 1
        assert reader.usage(Filter())[0].calls == 1
        assert [bytes(raw) for raw in reader.conversation(uuid_of(1)).messages] == [b"1"]
        with pytest.raises(StoreError, match=r"the user 'reader' may not do this in .* privileges"):
            reader.add([make_record(2)])


def _exists(url: str) -> bool:
    return bool(ask(url, "SELECT 1 FROM pg_roles WHERE rolname = 'reader'"))


def test_an_attempt_that_comes_late_corrects_the_sums(store: SyncStore) -> None:
    attempts = make_attempts(1, "0.5", "0.25", "0.125", user="ann", tags=("a", "b"))
    for attempt in reversed(attempts):
        store.add([attempt])
        store.add([attempt])
    for by in ((), ("model",), ("key",), ("user",), ("tag",)):
        usage = store.usage(Filter(), by)[0]
        histogram = usage.histograms["cost_usd"]
        assert (usage.calls, histogram.count, histogram.total) == (1, 1, 0.875)
    assert store.logs(Filter(min_cost_usd=Decimal("0.8"))).rows[0].cost_usd == Decimal("0.875")


@pytest.mark.parametrize("windows", [(3000, (60_000,), 200), (1, (5, 20), 0), (1, (20,), 200)])
def test_pages_go_through_all_calls_whatever_index_finds_them(
    store: SyncStore, monkeypatch: pytest.MonkeyPatch, windows: tuple[int, tuple[int, ...], int]
) -> None:
    monkeypatch.setattr(reading, "WINDOW", windows[0])
    monkeypatch.setattr(reading, "INDEX_WINDOWS", windows[1])
    monkeypatch.setattr(filters, "MAX_DRIVERS", windows[2])
    records = [
        make_record(
            at, timestamp=NOON + at * 600, model=f"m{at % 3}", user=f"u{at % 2}",
            session_id=f"s{at % 5}",
            tags=(f"t{at % 4}",), cost_usd=str(at), latency_s=at / 10,
            error_message="a word" if at % 7 == 0 else None,
        )
        for at in range(60)
    ]  # fmt: skip
    store.add(records)
    store.add([replace(make_record(1000 + at), timestamp=NOON + 40 * DAY) for at in range(3)])
    for where, expected in (
        (Filter(models=("m1",)), [at for at in range(60) if at % 3 == 1]),
        (Filter(users=("u1",)), [at for at in range(60) if at % 2]),
        (Filter(sessions=("s2", "s3")), [at for at in range(60) if at % 5 in (2, 3)]),
        (Filter(tags=("t0",), models=("m0",)), [at for at in range(60) if at % 12 == 0]),
        (Filter(min_cost_usd=Decimal(50)), list(range(50, 60))),
        (Filter(max_latency_s=0.45, since=NOON, until=NOON + 50 * 600), list(range(5))),
        (Filter(text="WORD"), [at for at in range(60) if at % 7 == 0]),
        (Filter(ids=(uuid_of(5), "request-7")), [5, 7]),
    ):
        found: list[str] = []
        cursor = None
        while True:
            page = store.logs(where, limit=4, cursor=cursor)
            found += [row.last.id for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == [uuid_of(at) for at in reversed(expected)], where
