"""What somebody thinks of a reply goes to the spool."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headway.record import Feedback, decode_entry
from support.for_each import for_each
from support.ledger_records import NOON, record
from support.ledger_server import LedgerServer, key_id

NewServer = Callable[..., LedgerServer]


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
    reply = server.get("/api/feedback", "mine", method="DELETE")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, POST")
    assert server.post("/api/feedback?x=1", {"id": "x", "score": 1}, "mine").status == 400


def test_feedback_is_shown_with_its_call(server: LedgerServer) -> None:
    server.add(Feedback(id="f", call_id=record(1).call_id, timestamp=NOON, score=0.0))
    shown = server.get("/api/logs/request-1", "mine").json["feedback"]
    assert [each["score"] for each in shown] == [0.0]


# --- What was given -------------------------------------------------------------------------------


def test_feedback_is_listed_with_the_call_that_it_is_about(new_server: NewServer) -> None:
    server = new_server(
        record(1, call_id="a", model="gpt-4.1"),
        Feedback(id="f1", call_id="a", timestamp=NOON, score=1.0, label="blind-vote"),
        Feedback(id="f2", call_id="gone", timestamp=NOON + 1, label="wrong", comment="no"),
    )
    found = server.get("/api/feedback").json
    assert [row["id"] for row in found["data"]] == ["f2", "f1"]
    assert found["next_cursor"] is None
    vote = found["data"][1]
    assert (vote["score"], vote["label"], vote["call_id"]) == (1.0, "blind-vote", "a")
    assert (vote["time"], vote["timestamp"]) == ("2026-11-30T12:00:00.000000Z", NOON)
    assert vote["call"]["model"] == "gpt-4.1"
    assert found["data"][0]["call"] is None
    first = server.get("/api/feedback?limit=1").json
    second = server.get(f"/api/feedback?limit=1&cursor={first['next_cursor']}").json
    assert [row["id"] for row in first["data"] + second["data"]] == ["f2", "f1"]
    for query in ("label=blind-vote", "label=blind-vote&label=x", f"until={NOON + 1}"):
        assert [row["id"] for row in server.get(f"/api/feedback?{query}").json["data"]] == ["f1"]
    assert server.get("/api/feedback?label=").json == found
    assert server.get("/api/feedback?model=x").error["param"] == "model"
    assert server.get("/api/feedback?label=a%00b").error["param"] == "label"
    assert server.get("/api/feedback?cursor=x").error["param"] == "cursor"


def test_a_key_reads_what_it_gave(new_server: NewServer) -> None:
    entries = [
        Feedback(id=key, call_id="a", timestamp=NOON, key_id=key_id(key), score=1.0)
        for key in ("mine", "other")
    ]
    server = new_server(
        record(1, call_id="a", key_id=key_id("mine")), *entries, keys=("mine", "boss", "other"),
        admins=("boss",),
    )  # fmt: skip
    assert server.get("/api/feedback").status == 401
    assert [row["id"] for row in server.get("/api/feedback", "mine").json["data"]] == ["mine"]
    [row] = server.get("/api/feedback", "other").json["data"]
    assert row["call"] is None  # it may not see that
    assert len(server.get("/api/feedback", "boss").json["data"]) == 2
