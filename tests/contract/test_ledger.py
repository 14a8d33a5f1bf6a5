"""What a server was asked can be asked of it: the calls, their cost, and who may see them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from contract.conftest import stop_all
from headway.server.openapi.schemas import ledger
from support.gateway_process import Gateway
from support.raw_client import Reply, Stream
from support.waiting import PATIENCE_S

PRICES = {"echo": {"echo": {"input": 1.25, "output": 10}}}
KEYS = {"mine": {"x-api-key": "hw-mine"}, "boss": {"x-api-key": "hw-boss"}}
CONFIG = {
    "server": {
        "api_keys": ["hw-mine", "hw-other", "hw-boss"],
        "admin_keys": ["hw-boss"],
        "cors_origins": ["https://page.example"],
    },
    "providers": {"echo": {"kind": "echo"}},
    "prices": PRICES,
    "ledger": {"content": "full"},
}
sessions = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("ledger")
    ledger = {**CONFIG["ledger"], "url": f"sqlite:///{directory / 'ledger.db'}"}
    running = Gateway.start(directory, {**CONFIG, "ledger": ledger})
    yield running
    stop_all([running])


@pytest.fixture
def session() -> str:
    """A session that no other test has."""
    return f"session-{next(sessions)}"


def call(server: Gateway, session: str, words: int = 3, key: str = "mine", **more: Any) -> Reply:
    body = {
        "model": "echo/echo",
        "messages": [{"role": "user", "content": " ".join(["word"] * words)}],
        **more,
    }
    headers = {**KEYS[key], "x-headway-session": session, "x-headway-tags": "team:search"}
    reply = server.client.call("POST", "/v1/chat/completions", body, headers)
    assert reply.status == 200, reply.body
    return reply


def ask(server: Gateway, target: str, key: str = "mine") -> Any:
    reply = server.client.get(target, KEYS[key])
    assert reply.status == 200, reply.body
    return reply.json


def ask_until(server: Gateway, target: str, calls: int) -> Any:
    """The answer once it has that many calls: records reach the database a moment later."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        found = ask(server, target)
        if len(found["data"]) >= calls:
            return found
        assert time.monotonic() < give_up, found
        time.sleep(0.05)


def test_ten_calls_are_listed_and_add_up_to_the_last_digit(server: Gateway, session: str) -> None:
    replies = [call(server, session, words) for words in range(1, 11)]
    costs = [Decimal(reply.headers["x-headway-cost-usd"]) for reply in replies]
    rows = ask_until(server, f"/api/logs?session={session}", 10)["data"]
    assert [row["id"] for row in rows] == [reply.json["id"] for reply in replies[::-1]]
    assert [Decimal(row["cost_usd_exact"]) for row in rows] == costs[::-1]
    for row, reply in zip(rows, replies[::-1], strict=True):
        assert row["output_tokens"] == reply.json["usage"]["completion_tokens"]
        assert row["tags"] == ["team:search"]
        latency_ms = float(reply.headers["x-headway-latency-ms"])
        assert row["latency_s"] * 1000 == pytest.approx(latency_ms, abs=1)
    total = ask(server, f"/api/usage?session={session}&by=model")["total"]
    assert total["calls"] == 10
    assert Decimal(total["cost_usd_exact"]) == sum(costs) > 0
    assert ask(server, "/api/sessions")["data"][0]["calls"] >= 10


def test_a_call_can_be_asked_for_as_soon_as_its_reply_is_there(
    server: Gateway, session: str
) -> None:
    reply = call(server, session)
    details = ask(server, f"/api/logs/{reply.json['id']}")
    lines = details["attempt_details"][0]["cost"]["line_items"]
    assert sum(Decimal(line["amount_usd"]) for line in lines) == Decimal(details["cost_usd_exact"])
    assert details["conversation"]["messages"][0]["content"] == "word word word"
    assert details["spans"][0]["name"] == "send"
    generation = ask(server, f"/api/v1/generation?id={reply.json['id']}")["data"]
    assert generation["total_cost"] == details["cost_usd"]
    assert generation["tokens_completion"] == reply.json["usage"]["completion_tokens"]


def test_feedback_is_part_of_its_call(server: Gateway, session: str) -> None:
    call_id = call(server, session).json["id"]
    body = {"id": call_id, "score": 0.5, "comment": "so so"}
    given = server.client.call("POST", "/api/feedback", body, KEYS["mine"])
    assert given.status == 200
    give_up = time.monotonic() + PATIENCE_S
    while not (found := ask(server, f"/api/logs/{call_id}")["feedback"]):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    assert [(each["id"], each["comment"]) for each in found] == [(given.json["id"], "so so")]


def test_an_export_has_every_record(server: Gateway, session: str) -> None:
    ids = [call(server, session).json["id"] for _ in range(3)]
    ask_until(server, f"/api/logs?session={session}", 3)
    exported = server.client.get(f"/api/export?session={session}", KEYS["mine"])
    assert exported.headers["transfer-encoding"] == "chunked"
    assert [json.loads(line)["reply_id"] for line in exported.body.splitlines()] == ids


def test_every_reply_has_its_described_shape(server: Gateway, session: str) -> None:
    call_id = call(server, session).json["id"]
    ask_until(server, f"/api/logs?session={session}", 1)
    described = {
        "/api/logs": ledger.LogPage,
        f"/api/logs/{call_id}": ledger.CallDetails,
        "/api/sessions": ledger.SessionPage,
        f"/api/sessions/{session}": ledger.SessionDetails,
        "/api/usage?by=model,day&since=1d&compare=previous": ledger.UsageReport,
        "/api/costs/reconcile": ledger.Reconciled,
        f"/api/v1/generation?id={call_id}": ledger.GenerationReply,
    }
    for target, model in described.items():
        value = ask(server, target)
        read = model.model_validate_json(json.dumps(value), strict=True)
        assert json.loads(read.model_dump_json(exclude_unset=True)) == value, target


def test_another_key_sees_nothing_and_an_admin_all(server: Gateway, session: str) -> None:
    call_id = call(server, session).json["id"]
    ask_until(server, f"/api/logs?session={session}", 1)
    other = {"x-api-key": "hw-other"}
    assert server.client.get(f"/api/logs/{call_id}", other).status == 404
    assert server.client.get("/api/logs", other).json["data"] == []
    assert ask(server, f"/api/logs/{call_id}", "boss")["id"] == call_id
    assert server.client.get("/api/logs").status == 401


def events(stream: Stream) -> Iterator[Any]:
    for chunk in stream.chunks():
        for line in chunk.data.decode().splitlines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def test_calls_are_followed_as_they_end(server: Gateway, session: str) -> None:
    target = f"/api/logs?follow=1&session={session}"
    with server.client.open("GET", target, None, KEYS["mine"]) as stream:
        stream.read_head()
        assert stream.headers["content-type"] == "text/event-stream"
        ids = [call(server, session).json["id"] for _ in range(2)]
        found = events(stream)
        assert [next(found)["id"], next(found)["id"]] == ids


def test_heads_and_pages_of_other_origins_are_served(server: Gateway) -> None:
    origin = {"origin": "https://page.example"}
    for target in ("/api/logs", "/api/usage", "/api/export", "/api/logs?follow=1"):
        head = server.client.open("HEAD", target, None, {**KEYS["mine"], **origin})
        with head as stream:
            stream.read_head()
            assert stream.status == 200
            assert stream.headers["access-control-allow-origin"] == "https://page.example"
    refused = server.client.get("/api/logs?nonsense=1", {**KEYS["mine"], **origin})
    assert refused.status == 400
    assert refused.headers["access-control-allow-origin"] == "https://page.example"


def test_those_who_follow_are_let_go_when_the_server_stops(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = Gateway.start(tmp_path_factory.mktemp("stopped"), {"providers": CONFIG["providers"]})
    with server.client.open("GET", "/api/logs?follow=1") as stream:
        stream.read_head()
        server.terminate()
        stream.read()
        assert stream.complete
    stop_all([server])


def test_the_values_of_calls_are_counted(server: Gateway, session: str) -> None:
    for words in (1, 2):
        call(server, session, words)
    ask_until(server, f"/api/logs?session={session}", 2)
    found = ask(server, f"/api/logs/facets?session={session}")
    read = ledger.LogFacets.model_validate_json(json.dumps(found), strict=True)
    assert json.loads(read.model_dump_json(exclude_unset=True)) == found
    assert (found["of"], found["is_all"]) == (2, True)
    assert found["facets"]["model"] == {"values": 1, "top": [{"value": "echo", "count": 2}]}
    assert found["facets"]["tag"]["top"] == [{"value": "team:search", "count": 2}]
    assert ask(server, f"/api/logs/facets?session={session}&status=4xx")["of"] == 0
    other = server.client.get(f"/api/logs/facets?session={session}", {"x-api-key": "hw-other"})
    assert other.json["of"] == 0
    assert server.client.get("/api/logs/facets?limit=3", KEYS["mine"]).status == 400


def test_votes_can_be_read_again(server: Gateway, session: str) -> None:
    reply = call(server, session)
    label = f"vote-{session}"
    body = {"id": reply.json["id"], "score": 1, "label": label}
    given = server.client.call("POST", "/api/feedback", body, KEYS["mine"])
    assert given.status == 200, given.body
    found = ask_until(server, f"/api/feedback?label={label}", 1)
    read = ledger.FeedbackPage.model_validate_json(json.dumps(found), strict=True)
    assert json.loads(read.model_dump_json(exclude_unset=True)) == found
    [vote] = found["data"]
    assert (vote["score"], vote["id"]) == (1.0, given.json["id"])
    assert (vote["call"]["id"], vote["call"]["model"]) == (reply.json["id"], "echo")
