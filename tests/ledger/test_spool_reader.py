"""Reading a spool that other processes write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headway.ledger import spool_reader
from headway.ledger.spool import FileSpool
from headway.ledger.spool_reader import (
    NO_ENTRY,
    Lines,
    ShipperLock,
    find_files,
    is_shipper_running,
    read_lines,
)
from headway.record import Record, encode


def record(number: int) -> Record:
    return Record(f"id-{number}", "r", 2.0, 1.0, "/route", "engine", "ok")


def write(directory: Path, name: str, data: bytes) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).write_bytes(data)


def test_files_are_found_the_oldest_first_and_nothing_else(tmp_path: Path) -> None:
    for name in ("20-1-ab.jsonl", "10-2-cd.jsonl", "shipper.lock", "30-1-ef.jsonl.new", "x.jsonl"):
        write(tmp_path, name, b"1\n")
    assert [each.name for each in find_files(str(tmp_path))] == ["10-2-cd.jsonl", "20-1-ab.jsonl"]
    assert find_files(str(tmp_path / "missing")) == []


def test_the_file_of_an_earlier_version_comes_first_and_is_told_apart_by_its_inode(
    tmp_path: Path,
) -> None:
    old = tmp_path / "h.db.spool.jsonl"
    old.write_bytes(b"1\n")
    write(tmp_path / "spool", "10-2-cd.jsonl", b"1\n")
    first, second = find_files(str(tmp_path / "spool"), str(old))
    assert (first.path, first.name) == (str(old), f"h.db.spool.jsonl#{old.stat().st_ino}")
    assert second.name == "10-2-cd.jsonl"
    assert len(find_files(str(tmp_path / "spool"), str(tmp_path / "missing"))) == 1


@pytest.mark.parametrize("size", [1, 3, 4, 7, 100])
def test_lines_are_read_whole_whatever_the_size_of_a_piece(tmp_path: Path, size: int) -> None:
    write(tmp_path, "1-1-a.jsonl", b"one\n\ntwo\nlonger\ntor")
    (file,) = find_files(str(tmp_path))
    read, offset = [], 0
    while True:
        lines, behind = read_lines(file, offset, size)
        if behind == offset:
            break
        read += [line for line in lines if line]
        offset = behind
    assert read == [b"one", b"two", b"longer"]
    assert spool_reader.read_rest(file, offset) == b"tor"


def test_lines_that_are_no_entries_are_told_apart(tmp_path: Path) -> None:
    nested = b'{"entry":"content","call_id":"c","messages":' + b"[" * 10**5 + b"]" * 10**5 + b"}"
    broken = (b'{"id": "torn', b"\xff", b"\0\0", nested)
    data = encode(record(1)) + b"\n\n" + b"\n".join(broken) + b"\n" + encode(record(2))
    write(tmp_path, "1-1-a.jsonl", data)
    (file,) = find_files(str(tmp_path))
    lines, offset = spool_reader.read_lines(file, 0, len(data))
    assert (len(lines), offset) == (6, len(data))
    entries, rejected = Lines(lines).separate()
    assert [entry.id for entry in entries] == ["id-1", "id-2"]
    assert rejected == [b'{"id": "torn', b"\xff", b"\0\0", nested]
    with pytest.raises(NO_ENTRY):
        list(Lines(lines))


def test_a_file_is_complete_when_its_writer_is_gone(tmp_path: Path) -> None:
    spool = FileSpool(tmp_path)
    spool.append(b"{}\n")
    assert spool.path is not None
    with spool_reader.locked(spool.path) as size:
        assert size is None
    spool.close()
    with spool_reader.locked(spool.path) as size:
        assert size == 3
    Path(spool.path).unlink()
    with spool_reader.locked(spool.path) as size:
        assert size is None


def test_only_one_process_ships(tmp_path: Path) -> None:
    assert not is_shipper_running(str(tmp_path))
    first, second = ShipperLock(str(tmp_path)), ShipperLock(str(tmp_path))
    assert first.take()
    assert first.take()
    assert not second.take()
    assert is_shipper_running(str(tmp_path))
    assert (tmp_path / "shipper.lock").read_text() == f"{os.getpid()}\n"
    first.release()
    first.release()
    assert not is_shipper_running(str(tmp_path))
    assert second.take()
    second.release()


def test_what_a_crash_left_of_a_new_file_is_deleted(tmp_path: Path) -> None:
    write(tmp_path, "1-1-a.jsonl.new", b"")
    write(tmp_path, "1-1-b.jsonl", b"")
    spool_reader.delete_unfinished(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["1-1-b.jsonl"]


def test_the_facts_of_a_spool_count_what_is_not_stored(tmp_path: Path) -> None:
    write(tmp_path, "1000-1-a.jsonl", b"{}\n{}\n")
    write(tmp_path, "2000-1-b.jsonl", b"{}\n\n{}\n{")
    stored = {"1000-1-a.jsonl": 6, "2000-1-b.jsonl": 3}
    facts = spool_reader.describe_spool(str(tmp_path), stored)
    assert (facts.files, facts.bytes, facts.unstored_bytes, facts.oldest) == (2, 14, 5, 2.0)
    assert spool_reader.count_unstored_lines(str(tmp_path), stored) == 1
    assert spool_reader.count_unstored_lines(str(tmp_path), {}) == 4
    nothing = spool_reader.describe_spool(str(tmp_path / "missing"), {})
    assert (nothing.files, nothing.oldest) == (0, None)
