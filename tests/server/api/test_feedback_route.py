"""What somebody thinks of a reply goes to the spool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from headway.record import Feedback, decode_entry
from support.for_each import for_each
from support.ledger_records import NOON, record
from support.ledger_server import LedgerServer, key_id


@pytest.fixture(scope="module")
def server() -> Iterator[LedgerServer]:
    server = LedgerServer(
        record(1, key_id=key_id("mine")),
        record(2, key_id=key_id("other")),
        keys=("mine", "other", "boss"),
        admins=("boss",),
    )
    yield server
    server.close()


def test_feedback_is_on_disk_before_the_reply(server: LedgerServer) -> None:
    body = {"id": "request-1", "score": 1, "label": "right", "comment": "Yes."}
    reply = server.post("/api/feedback", body, "mine")
    assert reply.status == 200
    written = decode_entry(server.pipe.spool.lines[-1])
    assert written == Feedback(
        id=reply.json["id"],
        call_id=record(1).call_id,
        timestamp=server.gateway.unix_time(),
        key_id=key_id("mine"),
        score=1.0,
        label="right",
        comment="Yes.",
    )
    assert reply.json["call_id"] == record(1).call_id
    assert reply.json["time"].startswith("2026-11-30T13:00")


def test_what_is_not_said_is_null(server: LedgerServer) -> None:
    server.post("/api/feedback", {"id": record(1).id, "comment": "x", "label": ""}, "mine")
    written = decode_entry(server.pipe.spool.lines[-1])
    assert isinstance(written, Feedback)
    assert (written.score, written.label, written.comment) == (None, None, "x")


def test_the_call_must_be_visible_to_the_key(server: LedgerServer) -> None:
    count = len(server.pipe.spool.lines)
    body = {"id": record(2).id, "score": 0}
    assert server.post("/api/feedback", body, "mine").status == 404
    assert server.post("/api/feedback", {**body, "id": "none"}, "boss").status == 404
    assert server.post("/api/feedback", body, "wrong").status == 401
    assert len(server.pipe.spool.lines) == count
    assert server.post("/api/feedback", body, "boss").status == 200


@for_each(
    ("body", "status", "param"),
    [
        (b"no json", 400, None),
        (b"[]", 400, None),
        ({}, 422, "id"),
        ({"id": 1, "score": 1}, 422, "id"),
        ({"id": "", "score": 1}, 400, "id"),
        ({"id": "\x00", "score": 1}, 400, "id"),
        ({"id": "x"}, 422, "score"),
        ({"id": "x", "score": "good"}, 422, "score"),
        ({"id": "x", "score": True}, 422, "score"),
        (b'{"id": "x", "score": 1e999}', 422, "score"),
        (b'{"id": "x", "score": NaN}', 400, None),
        ({"id": "x", "label": "l" * 201}, 422, "label"),
        ({"id": "x", "comment": "c" * 10_001}, 422, "comment"),
        ({"id": "x", "comment": "\x00"}, 422, "comment"),
        ({"id": "x", "score": 1, "stars": 5}, 422, "stars"),
    ],
)
def test_a_wrong_body_is_refused_with_the_name_of_the_field(
    server: LedgerServer, body: Any, status: int, param: str | None
) -> None:
    reply = server.post("/api/feedback", body, "mine")
    assert (reply.status, reply.error["param"]) == (status, param)


def test_a_body_over_the_limit_and_another_method_are_refused(server: LedgerServer) -> None:
    assert server.post("/api/feedback", b"x" * 100_001, "mine").status == 413
    reply = server.get("/api/feedback", "mine")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert server.post("/api/feedback?x=1", {"id": "x", "score": 1}, "mine").status == 400


def test_feedback_is_shown_with_its_call(server: LedgerServer) -> None:
    server.add(Feedback(id="f", call_id=record(1).call_id, timestamp=NOON, score=0.0))
    shown = server.get("/api/logs/request-1", "mine").json["feedback"]
    assert [each["score"] for each in shown] == [0.0]
