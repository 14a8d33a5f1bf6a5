"""The calls over HTTP: as a list, as they end, one by one, and by session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Raw

from headway.ledger.json_views import iso_time
from headway.record import Content, Feedback
from headway.server.api import log_routes
from support.ledger_records import NOON, failed, record
from support.ledger_server import LedgerServer, scope
from support.waiting import PATIENCE_S

CALLS = 25
NewServer = Callable[..., LedgerServer]


@pytest.fixture(scope="module")
def server() -> Iterator[LedgerServer]:
    server = LedgerServer(*(record(number) for number in range(CALLS)))
    server.add(
        failed(100, model="other", tags=("a,b", "c"), user="somebody", session_id="s/1"),
        record(101, call_id="two", is_last=False, cost_usd="0.1", session_id="s/1"),
        record(102, call_id="two", attempt=2, attempts=2, session_id="s/1", content="full",
               role="retry", request_id="twice"),
        Feedback(id="f", call_id="two", timestamp=NOON, score=0.5, comment="so so"),
        Content(call_id="two", timestamp=NOON, wire="openai_chat",
                messages=Raw(b'[{"role":"user","content":"Hi"}]'), output=Raw(b"[]")),
    )  # fmt: skip
    yield server
    server.close()


def ids(reply: Any) -> list[str]:
    return [row["id"] for row in reply.json["data"]]


# --- Pages ----------------------------------------------------------------------------------------


def test_a_page_has_the_newest_first_and_a_cursor_to_the_next(server: LedgerServer) -> None:
    seen: list[str] = []
    target = "/api/logs?limit=10"
    while True:
        reply = server.get(target)
        assert reply.status == 200
        assert reply.headers["content-type"] == "application/json"
        seen += ids(reply)
        if reply.json["next_cursor"] is None:
            break
        target = f"/api/logs?limit=10&cursor={reply.json['next_cursor']}"
    assert len(seen) == len(set(seen)) == CALLS + 2
    assert seen[0] == "two"
    assert seen[-1] == record(0).id


def test_pages_stay_as_they_are_while_calls_arrive(new_server: NewServer) -> None:
    server = new_server(*(record(number) for number in range(6)))
    first = server.get("/api/logs?limit=3")
    server.add(record(50), record(51))
    second = server.get(f"/api/logs?limit=3&cursor={first.json['next_cursor']}")
    assert ids(first) + ids(second) == [record(number).id for number in (5, 4, 3, 2, 1, 0)]


def test_filters_reach_the_store(server: LedgerServer) -> None:
    assert ids(server.get("/api/logs?model=other")) == [failed(100).id]
    assert ids(server.get("/api/logs?tag=a%5C,b&outcome=error&status=5xx")) == [failed(100).id]
    assert ids(server.get("/api/logs?id=twice")) == ["two"]
    assert ids(server.get(f"/api/logs?until={NOON + 1}")) == [record(0).id]
    assert ids(server.get(f"/api/logs?since={iso_time(NOON + 101)}")) == ["two"]
    assert server.get("/api/logs?user=nobody").json == {"data": [], "next_cursor": None}


def test_a_call_costs_what_all_its_attempts_cost(server: LedgerServer) -> None:
    row = server.get("/api/logs?id=two").json["data"][0]
    assert Decimal(row["cost_usd_exact"]) == Decimal("0.1025")
    assert row["attempts"] == 2


def test_a_wrong_parameter_is_a_400_that_names_it(server: LedgerServer) -> None:
    for query, name in (("limit=0", "limit"), ("colour=red", "colour"), ("since=x", "since"),
                        ("cursor=tampered", "cursor"), ("by=model", "by")):  # fmt: skip
        reply = server.get(f"/api/logs?{query}")
        assert (reply.status, reply.error["param"]) == (400, name)
        assert f"`{name}`" in reply.error["message"]


def test_too_many_parameters_are_a_400(server: LedgerServer) -> None:
    assert server.get("/api/logs?" + "&".join(["model=m"] * 501)).status == 400


def test_head_has_the_headers_of_get_and_other_methods_are_refused(server: LedgerServer) -> None:
    got, head = (server.get("/api/logs", method=method) for method in ("GET", "HEAD"))
    assert (head.status, head.headers.keys()) == (200, got.headers.keys())
    assert head.headers["content-length"] == got.headers["content-length"]
    reply = server.get("/api/logs", method="DELETE")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


def test_a_reply_has_the_id_of_its_request(server: LedgerServer) -> None:
    assert server.get("/api/logs", x_request_id="mine").headers["x-request-id"] == "mine"


# --- One call -------------------------------------------------------------------------------------


def test_a_call_has_its_attempts_its_feedback_and_its_conversation(server: LedgerServer) -> None:
    details = server.get("/api/logs/two").json
    assert details["id"] == "two"
    assert [each["number"] for each in details["attempt_details"]] == [1, 2]
    assert details["feedback"][0]["comment"] == "so so"
    assert details["conversation"]["messages"] == [{"role": "user", "content": "Hi"}]
    assert details["spans"][0]["name"] == "send"
    assert server.get("/api/logs/twice").json["id"] == "two"


def test_a_call_without_content_has_no_conversation(server: LedgerServer) -> None:
    assert server.get(f"/api/logs/{record(1).id}").json["conversation"] is None


def test_an_unknown_call_is_a_404_after_a_while(server: LedgerServer) -> None:
    before = server.pipe.clock.now
    reply = server.get("/api/logs/nobody")
    assert (reply.status, reply.error["type"]) == (404, "not_found_error")
    assert 0.5 <= server.pipe.clock.now - before < 0.7


def test_an_id_that_cannot_be_one_is_a_400(server: LedgerServer) -> None:
    for name in ("%00", "x" * 501):
        reply = server.get(f"/api/logs/{name}")
        assert (reply.status, reply.error["param"]) == (400, "id")
    assert server.get("/api/logs/two?follow=1").status == 400


def test_a_call_that_has_just_ended_is_waited_for(new_server: NewServer) -> None:
    server = new_server(record(1, call_id="c", is_last=False))

    async def ship() -> None:
        await server.store.add([record(2, call_id="c", attempt=2, attempts=2)])
        server.on_sleep = None

    server.on_sleep = ship
    assert server.get("/api/logs/c").json["attempts"] == 2


# --- Sessions -------------------------------------------------------------------------------------


def test_sessions_have_their_sums(server: LedgerServer) -> None:
    rows = server.get("/api/sessions").json["data"]
    assert [(row["id"], row["calls"]) for row in rows] == [("s/1", 2)]
    assert server.get("/api/sessions?limit=1&model=absent").json["data"] == []


def test_a_session_has_its_calls_in_order_and_its_conversation(server: LedgerServer) -> None:
    reply = server.get("/api/sessions/s%2F1").json
    assert reply["session"]["id"] == "s/1"
    assert [row["id"] for row in reply["data"]] == [failed(100).id, "two"]
    assert reply["conversation"]["messages"][0]["content"] == "Hi"
    assert reply["next_cursor"] is None


def test_the_first_page_of_a_session_has_its_newest_calls(server: LedgerServer) -> None:
    page = server.get("/api/sessions/s/1?limit=1")
    assert ids(page) == ["two"]
    earlier = server.get(f"/api/sessions/s/1?limit=1&cursor={page.json['next_cursor']}")
    assert ids(earlier) == [failed(100).id]


def test_an_unknown_session_is_a_404(server: LedgerServer) -> None:
    assert server.get("/api/sessions/none").status == 404


# --- Calls as they end ----------------------------------------------------------------------------


class Follower:
    """A client that follows the calls until it has ``wanted`` of them; ``act`` is called once the
    stream has begun."""

    def __init__(self, server: LedgerServer, target: str, wanted: int, **headers: str) -> None:
        self.server = server
        self.scope = scope("GET", target, **headers)
        self.wanted = wanted
        self.sent: list[Any] = []
        self.gone: asyncio.Event

    async def run(self, act: Any) -> None:
        self.gone = asyncio.Event()
        self.begun = asyncio.Event()
        task = asyncio.ensure_future(
            self.server.routes.respond(self.scope, self.receive, self.send)
        )
        await self.begun.wait()
        await act()
        await asyncio.wait_for(task, PATIENCE_S)

    async def receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        if message["type"] == "http.response.body":
            self.begun.set()
        if self.wanted and len(self.rows) >= self.wanted:
            self.gone.set()

    @property
    def text(self) -> str:
        return b"".join(each.get("body", b"") for each in self.sent).decode()

    @property
    def events(self) -> list[dict[str, str]]:
        blocks = [block for block in self.text.split("\n\n") if block and block[0] != ":"]
        return [dict(line.split(": ", 1) for line in b.splitlines()) for b in blocks]  # type: ignore[misc]

    @property
    def rows(self) -> list[Any]:
        return [json.loads(event["data"]) for event in self.events if "id" in event]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_routes, "POLL_S", 0.01)


def follow(
    server: LedgerServer, target: str, wanted: int, act: Any = None, **headers: str
) -> Follower:
    follower = Follower(server, target, wanted, **headers)

    async def nothing() -> None:
        pass

    server.runner.run(follower.run(act or nothing))
    return follower


@pytest.mark.usefixtures("quick")
def test_calls_are_sent_as_they_end_with_the_same_filters(new_server: NewServer) -> None:
    server = new_server(record(1))

    async def calls() -> None:
        for number in (3601, 3602, 3603):
            model = "gpt-4.1" if number % 2 else "other"
            await server.store.add([record(number, model=model, deployment=model)])
            await asyncio.sleep(0.02)

    found = follow(server, "/api/logs?follow=1&model=gpt-4.1", 2, calls)
    assert dict(found.sent[0]["headers"])[b"content-type"] == b"text/event-stream"
    assert [row["id"] for row in found.rows] == [record(3601).id, record(3603).id]
    assert found.text.startswith(": ")


@pytest.mark.usefixtures("quick")
def test_a_client_that_accepts_events_follows_and_may_start_with_earlier_calls(
    new_server: NewServer,
) -> None:
    server = new_server(*(record(number) for number in range(5)))
    found = follow(server, "/api/logs?limit=2", 2, accept="text/event-stream")
    assert [row["id"] for row in found.rows] == [record(3).id, record(4).id]
    since = follow(server, f"/api/logs?follow=1&since={NOON + 2}", 3)
    assert [row["id"] for row in since.rows] == [record(number).id for number in (2, 3, 4)]
    page = server.get("/api/logs?follow=0&limit=1", accept="text/event-stream")
    assert page.headers["content-type"] == "application/json"


@pytest.mark.usefixtures("quick")
def test_a_client_goes_on_behind_the_last_event_that_it_has(new_server: NewServer) -> None:
    server = new_server(*(record(number) for number in range(5)))
    first = follow(server, f"/api/logs?follow=1&since={NOON}", 2)
    last = first.events[1]["id"]
    then = follow(server, "/api/logs?follow=1", 3, last_event_id=last)
    assert [row["id"] for row in then.rows] == [record(number).id for number in (2, 3, 4)]
    for wrong in ("x", "1e999-x", "nan-x", "5", "-5-x"):
        reply = server.get("/api/logs?follow=1", last_event_id=wrong)
        assert (reply.status, reply.error["param"]) == (400, "last-event-id")


@pytest.mark.usefixtures("quick")
def test_a_stream_of_calls_ends_when_the_server_shuts_down(new_server: NewServer) -> None:
    server = new_server()

    async def shut_down() -> None:
        server.gateway.is_closing = True

    found = follow(server, "/api/logs?follow=1", 0, shut_down)
    assert not found.sent[-1].get("more_body")


@pytest.mark.usefixtures("quick")
def test_a_silent_stream_has_comments(
    new_server: NewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_routes, "HEARTBEAT_S", 0.0)
    server = new_server()

    async def listen() -> None:
        await asyncio.sleep(0.05)
        server.gateway.is_closing = True

    assert follow(server, "/api/logs?follow=1", 0, listen).text.count(": ") > 1


def test_followers_are_limited_and_counted_down(
    new_server: NewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_routes, "POLL_S", 0.01)
    monkeypatch.setattr(log_routes, "MAX_FOLLOWERS", 1)
    server = new_server(record(1))
    refused: list[int] = []

    async def second() -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        target = scope("GET", "/api/logs?follow=1")
        await server.routes.respond(target, asyncio.Event().wait, send)
        refused.append(sent[0]["status"])
        assert dict(sent[0]["headers"])[b"retry-after"] == b"15"
        server.gateway.is_closing = True

    follow(server, "/api/logs?follow=1", 0, second)
    assert refused == [429]
    server.gateway.is_closing = False
    assert len(follow(server, "/api/logs?follow=1&limit=1", 1).rows) == 1


def test_a_head_request_does_not_follow(server: LedgerServer) -> None:
    reply = server.get("/api/logs?follow=1", method="HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["content-type"] == "text/event-stream"


def test_a_cursor_is_none_of_a_stream(server: LedgerServer) -> None:
    assert server.get("/api/logs?follow=1&cursor=abc").error["param"] == "cursor"
