"""``POST /api/replay/{id}``. What a replay does is tested in tests/server/test_replay.py."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from msgspec import Raw

from headway.record import Content
from support.ledger_records import record
from support.ledger_server import LedgerServer, key_id


@pytest.fixture(scope="module")
def server() -> Iterator[LedgerServer]:
    server = LedgerServer(
        record(1, key_id=key_id("mine"), content="full"),
        _content(1, key_id("mine")),
        record(2, key_id=key_id("other"), content="full"),
        _content(2, key_id("other")),
        record(3, key_id=key_id("mine")),
        keys=("mine", "other", "boss"),
        admins=("boss",),
    )
    yield server
    server.close()


def test_the_results_stand_in_the_order_of_the_models(server: LedgerServer) -> None:
    body = {"models": ["nobody/a", "nobody/b"], "parameters": {"temperature": 0}}
    reply = server.post(f"/api/replay/{record(1).id}", body, "mine")
    assert reply.status == 200
    assert reply.json["id"] == record(1).call_id
    assert reply.json["original"]["call"]["id"] == record(1).call_id
    assert reply.json["original"]["text"] == "Well."
    results = reply.json["results"]
    assert [(each["model"], each["status"]) for each in results] == [
        ("nobody/a", 404),
        ("nobody/b", 404),
    ]
    assert results[0]["error"]["type"] == "not_found_error"


def test_a_key_replays_its_own_calls_and_an_admin_all(server: LedgerServer) -> None:
    body = {"models": ["nobody/a"]}
    path = f"/api/replay/{record(2).id}"
    assert server.post(path, body, "mine").status == 404
    assert server.post(path, body, "other").status == 200
    assert server.post(path, body, "boss").status == 200
    assert server.post(f"{path}?key=other", body).status == 200
    assert server.post(path, body).status == 401


def test_a_call_without_messages_names_the_setting(server: LedgerServer) -> None:
    reply = server.post(f"/api/replay/{record(3).id}", {"models": ["a/b"]}, "mine")
    assert (reply.status, reply.error["code"]) == (409, "content_not_kept")
    assert "ledger.content: full" in reply.error["message"]


def test_wrong_bodies_name_the_field(server: LedgerServer) -> None:
    path = f"/api/replay/{record(1).id}"
    for body, param in (
        ({}, "models"),
        ({"models": "a/b"}, "models"),
        ({"models": []}, "models"),
        ({"models": ["a/b"], "parameters": []}, "parameters"),
        ({"models": ["a/b"], "parameters": {"messages": []}}, "parameters.messages"),
        ({"models": ["a/b"], "model": "x"}, "model"),
    ):
        reply = server.post(path, body, "mine")
        assert (reply.status in (400, 422), reply.error["param"]) == (True, param), body
    assert server.post(f"{path}?since=1h", {"models": ["a/b"]}, "mine").status == 400
    assert server.get(path, "mine").status == 405


def test_the_calls_end_with_the_client_and_are_on_record(server: LedgerServer) -> None:
    pipe = server.pipe
    body = {"models": [f"openai/m{number}" for number in range(6)]}
    sent = server.post_and_leave(
        f"/api/replay/{record(1).id}", body, lambda: len(pipe.upstream_requests) == 4, "mine"
    )
    assert sent == []
    assert [request.is_over for request in pipe.upstream_requests] == [True] * 4
    server.runner.run(settle(server))
    records = [each for each in pipe.records if each.provider == "openai"]
    assert sorted(each.model or "" for each in records) == ["m0", "m1", "m2", "m3"]
    assert {each.outcome for each in records} == {"cancelled"}
    assert {each.tags for each in records} == {(f"replay:{record(1).call_id}",)}


async def settle(server: LedgerServer) -> None:
    while server.gateway.active:
        await asyncio.sleep(0)


def _content(number: int, key: str) -> Content:
    one = record(number)
    return Content(
        call_id=one.call_id,
        timestamp=one.timestamp,
        key_id=key,
        wire="openai_chat",
        messages=Raw(b'[{"role":"user","content":"How are you?"}]'),
        output=Raw(b'[{"role":"assistant","content":"Well."}]'),
    )
