"""The records as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest

from headway.ledger import export, parquet
from headway.record import Record, decode
from support.ledger_records import NOON, failed, record
from support.ledger_server import LedgerServer

NewServer = Callable[..., LedgerServer]


def test_lines_of_json_are_the_records_as_they_are(new_server: NewServer) -> None:
    records = [record(1, is_last=False, call_id="c"), failed(2, call_id="c", attempt=2), record(3)]
    server = new_server(*records)
    reply = server.get("/api/export")
    assert [decode(line) for line in reply.body.splitlines()] == records
    assert reply.headers["content-type"] == "application/x-ndjson"
    name = 'attachment; filename="headway-records-20261130T130000Z.jsonl"'
    assert reply.headers["content-disposition"] == name
    assert server.get("/api/export?outcome=cancelled").body == b""


def test_a_table_has_a_column_for_each_field(new_server: NewServer) -> None:
    reply = new_server(record(1, model="=cmd()", tags=("a",))).get("/api/export?format=csv")
    header, row = csv.reader(io.StringIO(reply.body.decode()))
    assert tuple(header) == Record.__struct_fields__
    found = dict(zip(header, row, strict=True))
    assert found["model"] == "'=cmd()"
    assert json.loads(found["tags"]) == ["a"]
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"


def test_an_export_comes_in_pieces_and_ends_at_the_time_of_the_request(
    new_server: NewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export.export, "__defaults__", (10,))
    server = new_server(*(record(number) for number in (*range(35), 3600, 4000)))
    reply = server.get(f"/api/export?since={NOON}")
    assert [piece.count(b"\n") for piece in reply.pieces] == [10, 10, 10, 5]
    assert reply.is_complete


def test_parquet_is_a_file_of_its_kind(new_server: NewServer) -> None:
    arrow = pytest.importorskip("pyarrow.parquet", reason="pyarrow is an extra")
    reply = new_server(record(1), record(2)).get("/api/export?format=parquet")
    assert reply.headers["content-type"] == "application/vnd.apache.parquet"
    assert arrow.read_table(io.BytesIO(reply.body)).num_rows == 2


def test_parquet_without_its_library_is_a_501_that_names_the_extra(
    new_server: NewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise parquet.MissingLibraryError(parquet.MISSING)

    monkeypatch.setattr(export, "require_pyarrow", missing)
    reply = new_server().get("/api/export?format=parquet")
    assert (reply.status, reply.error["param"]) == (501, "format")
    assert "headway[archive]" in reply.error["message"]


def test_a_wrong_format_is_a_400(new_server: NewServer) -> None:
    assert new_server().get("/api/export?format=xml").error["param"] == "format"


def test_a_head_request_has_no_body(new_server: NewServer) -> None:
    reply = new_server(record(1)).get("/api/export", method="HEAD")
    assert (reply.status, reply.body) == (200, b"")
