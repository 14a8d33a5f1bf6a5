"""What is special about one file: that it is absent, of another version, full of old records, or
read while it is written."""

from __future__ import annotations

import gzip
import os
import sqlite3
import tempfile
import threading
from pathlib import Path

import apsw
import msgspec
import pytest
from msgspec import Raw
from tests.support.ledger_stores import (
    NOON,
    SyncStore,
    make_content,
    make_record,
    opened,
    uuid_of,
)

from headway.ledger.store import Filter, StoreError
from headway.ledger.stores import new_store
from headway.ledger.stores.sqlite import SqliteStore, schema
from headway.ledger.stores.sqlite.connections import MEMORY
from headway.ledger.stores.sqlite.schema import MIGRATIONS, migrate
from headway.record import Feedback, LineItem

STORED = (
    make_record(1, user="ann", tags=("a",), session_id="s", error_message="busy"),
    make_record(2, line_items=(LineItem("input", "1000", "0.0000036"),), gap_counts=((700, 2),)),
    make_content(1, Raw(b'[{"content":"hello"}]')),
)


def path_in(folder: Path) -> str:
    return f"{folder}/data/ledger.db"


def test_a_database_that_does_not_exist_is_read_as_an_empty_one(tmp_path: Path) -> None:
    with opened(SqliteStore(path_in(tmp_path)), migrates=False) as store:
        assert list(store.logs(Filter()).rows) == list(store.sessions(Filter()).rows) == []
        assert store.attempts(Filter()) == ([], None)
        assert store.usage(Filter())[0].calls == 0
        assert store.call("x") is store.conversation("x") is None
        assert store.positions() == {}
        assert store.describe().records == 0
        assert list(tmp_path.iterdir()) == []
        with opened(SqliteStore(path_in(tmp_path))) as writer:
            writer.add([make_record(1)])
        assert len(store.logs(Filter()).rows) == 1


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    with opened(SqliteStore(path_in(tmp_path))) as store:
        store.add([make_record(1)])
        files = list((tmp_path / "data").iterdir())
        assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
    assert oct((tmp_path / "data").stat().st_mode & 0o777) == "0o700"


def test_what_is_no_ledger_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_bytes(b"not a database " * 400)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE things (x)")
    db.close()
    for path, message in ((text, "no SQLite database"), (other, "of another program")):
        before = path.read_bytes()
        for migrates in (True, False):
            with (
                pytest.raises(StoreError, match=message),
                opened(SqliteStore(str(path)), migrates=migrates),
            ):
                pass
        assert path.read_bytes() == before
    with pytest.raises(StoreError, match="cannot"), opened(SqliteStore(str(tmp_path))):
        pass


def test_a_newer_schema_is_refused_by_an_older_program(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    with opened(SqliteStore(path)) as store:
        store.add([make_record(1)])
    db = apsw.Connection(path)
    db.pragma("user_version", len(MIGRATIONS) + 1)
    db.close()
    for migrates in (True, False):
        with (
            pytest.raises(StoreError, match="use the newer program"),
            opened(SqliteStore(path), migrates=migrates),
        ):
            pass


def add_a_column(db: apsw.Connection) -> None:
    db.execute("ALTER TABLE records ADD COLUMN weather")


def fail_halfway(db: apsw.Connection) -> None:
    db.execute("UPDATE records SET input_tokens = 0")
    db.execute("DROP TABLE feedback")
    db.execute("INSERT INTO nowhere VALUES (1)")


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_records_of_every_earlier_version_are_there_after_migrating(
    tmp_path: Path, version: int
) -> None:
    """``vN.db.gz`` is what version N wrote: ``python -m tests.ledger.stores.sqlite.test_store``."""
    path = path_in(tmp_path)
    Path(path).parent.mkdir()
    packed = Path(__file__).with_name(f"v{version}.db.gz").read_bytes()
    Path(path).write_bytes(gzip.decompress(packed))
    with opened(SqliteStore(path)) as store:
        assert store.describe().version == len(MIGRATIONS)
        assert store.check() == []
        assert [row.last for row in store.logs(Filter()).rows] == list(STORED[1::-1])
        assert store.add([*STORED, make_record(3)]) == 1
        assert store.usage(Filter())[0].calls == 3
        assert len(store.logs(Filter(text="hello busy")).rows) == 0
        assert len(store.logs(Filter(text="hello")).rows) == 1
        assert len(store.conversation(uuid_of(1)).messages) == 1


def test_a_migration_that_fails_leaves_the_data_as_it_was(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    with opened(SqliteStore(path)) as store:
        store.add([make_record(1)])
    db = apsw.Connection(path)
    steps = [*MIGRATIONS, add_a_column, fail_halfway]
    with pytest.raises(apsw.SQLError, match="nowhere"):
        migrate(db, path, steps)
    assert db.pragma("user_version") == len(MIGRATIONS) + 1
    assert db.execute("SELECT input_tokens, weather FROM records").fetchall() == [(1000, None)]
    assert db.execute("SELECT count(*) FROM feedback").get == 0
    migrate(db, path, steps[:-1])
    db.close()


def test_a_new_database_is_never_seen_at_an_earlier_version(tmp_path: Path) -> None:
    """A server may read it while its shipper makes it."""
    path = path_in(tmp_path)
    Path(path).parent.mkdir()
    writer, reader = apsw.Connection(path), apsw.Connection(path)
    writer.pragma("journal_mode", "wal")
    seen: list[int] = []

    def look(db: apsw.Connection) -> None:
        seen.append(schema.read_version(reader, path))

    migrate(writer, path, [step for each in MIGRATIONS for step in (look, each, look)])
    look(writer)
    assert seen == [0] * 2 * len(MIGRATIONS) + [3 * len(MIGRATIONS)]
    writer.close()
    reader.close()


def test_a_schema_that_is_older_is_migrated_by_whoever_may_write(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    with opened(SqliteStore(path)) as store:
        store.add([make_record(1)])
    db = apsw.Connection(path)
    with pytest.raises(StoreError, match="headway db migrate"):
        schema.check_version(len(MIGRATIONS), path, len(MIGRATIONS) + 1)
    migrate(db, path, [*MIGRATIONS, add_a_column])
    assert db.pragma("user_version") == len(MIGRATIONS) + 1
    db.close()


def test_deleting_gives_the_space_back_to_the_disk(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    with opened(SqliteStore(path)) as store:
        for start in range(0, 3000, 1000):
            store.add([make_record(at, user=f"user {at}") for at in range(start, start + 1000)])
        noise = [os.urandom(20_000).hex() for _ in range(20)]
        store.add([make_content(at, raw_messages(text)) for at, text in enumerate(noise)])
        before = store.describe().bytes
        deleted = store.prune(NOON + 2900, NOON + 2900)
        after = store.describe().bytes
        assert (deleted.records, deleted.contents) == (2900, 20)
        assert deleted.bytes_freed == before - after
        assert after < before * 0.7
        assert Path(path).stat().st_size <= after
        assert store.check() == []
        assert store.prune(NOON, NOON).records == 0


def raw_messages(text: str) -> Raw:
    return Raw(msgspec.json.encode([{"role": "user", "content": text}]))


def test_nothing_is_stored_of_a_batch_that_fails(tmp_path: Path) -> None:
    """Nor are numbers of keys remembered that were rolled back."""
    path = path_in(tmp_path)
    with opened(SqliteStore(path)) as store:
        store.add([make_record(1)])
        db = apsw.Connection(path)
        db.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON feedback BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        given = Feedback(id=uuid_of(1), call_id=uuid_of(1), timestamp=NOON)
        with pytest.raises(StoreError, match="no"):
            store.add([make_record(3, model="new", user="new", tags=("new",)), given])
        db.execute("DROP TRIGGER refuse")
        db.close()
        assert store.describe().records == 1
        store.add([make_record(3, model="new", user="new", tags=("new",))])
        assert store.check() == []
        assert store.logs(Filter(users=("new",), models=("new",))).rows[0].last.user == "new"


def test_readers_see_whole_batches_while_the_writer_writes(tmp_path: Path) -> None:
    path, batch, counts, failures = path_in(tmp_path), 50, [0], []
    is_done = threading.Event()

    def read() -> None:
        try:
            with opened(SqliteStore(path), migrates=False) as reader:
                while not is_done.is_set():
                    counts.append(check_one_time(reader))
        except Exception as error:
            failures.append(error)

    with opened(SqliteStore(path)) as writer:
        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        for start in range(0, 20 * batch, batch):
            writer.add([make_record(at) for at in range(start, start + batch)])
        is_done.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert {count % batch for count in counts} == {0}


def check_one_time(reader: SyncStore) -> int:
    """Usage from cells is what was written together with its records."""
    (usage,) = reader.usage(Filter(until=NOON + 10**6), metrics=())
    calls: int = usage.calls
    return calls


def test_two_processes_that_write_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    with opened(SqliteStore(path)) as one, opened(SqliteStore(path)) as other:
        for at in range(10):
            (one if at % 2 else other).add([make_record(at, user=f"u{at}", tags=(f"t{at}",))])
        assert one.describe().records == 10
        assert [row.last.user for row in other.logs(Filter()).rows] == [
            f"u{at}" for at in reversed(range(10))
        ]
        assert other.check() == []


def test_the_view_of_logs_is_for_people_with_sql(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    with opened(SqliteStore(path)) as store:
        odd = make_record(2, id="odd id", call_id="odd id")
        store.add([make_record(1, user="ann", tags=("a", "b"), session_id="s"), odd])
    columns = "time, id, model, key_id, user, tags, session_id, cost_usd, latency_s, stream"
    db = apsw.Connection(path)
    rows = db.execute(f"SELECT {columns} FROM logs ORDER BY time").fetchall()
    db.close()
    same = (0.0036, 0.5, 1)
    time = "2026-09-21T12:00:0"
    assert rows == [
        (f"{time}1.000Z", uuid_of(1), "gpt-4.1", "key-a", "ann", '["a","b"]', "s", *same),
        (f"{time}2.000Z", "odd id", "gpt-4.1", "key-a", None, None, None, *same),
    ]


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    with opened(SqliteStore(path_in(tmp_path))) as store:
        store.close()
        store.close()
        with pytest.raises(StoreError, match="is closed"):
            store.logs(Filter())


def test_the_check_names_what_is_missing() -> None:
    with opened(SqliteStore(MEMORY)) as store:
        store.add([make_record(1)])
        db = store.store._connections._written  # type: ignore[attr-defined]
        db.execute("DELETE FROM profiles")
        db.execute("DELETE FROM sums WHERE cube = 6")
        db.execute("UPDATE records SET user = 1")
        db.execute("DELETE FROM hours")
        assert list(store.check()) == [
            "1 rows of records refer to profiles that are missing",
            "1 rows of records refer to names that are missing",
            "1 records are there, and 0 were counted",
            "the sums of cube 7 differ from those of cube 3",
        ]


def test_the_check_finds_records_that_filters_do_not_find() -> None:
    with opened(SqliteStore(MEMORY)) as store:
        store.add([make_record(1), make_record(2)])
        db = store.store._connections._written  # type: ignore[attr-defined]
        db.execute("UPDATE records SET latency_us = 7000000 WHERE n = (SELECT max(n) FROM records)")
        assert list(store.check()) == ["1 records lack tokens by which filters find them"]


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///", "", "ledger.db"])
def test_a_url_of_another_database_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match=r"use sqlite:////path or postgresql://"):
        new_store(url)


def write_version() -> None:
    """Keep what this version writes, for later ones to migrate."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/ledger.db"
        with opened(SqliteStore(path)) as store:
            store.add(STORED)
        db = apsw.Connection(path)
        db.pragma("journal_mode", "delete")
        db.execute("VACUUM")
        db.close()
        kept = Path(__file__).with_name(f"v{len(MIGRATIONS)}.db.gz")
        kept.write_bytes(gzip.compress(Path(path).read_bytes(), mtime=0))


if __name__ == "__main__":
    write_version()
