"""The ASGI application: messages in, messages out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from headway.pipeline.gateway import LedgerHealth
from headway.server import asgi
from support.ledger_server import no_ledger
from support.pipeline_fakes import HELLO, ROLE, Pipe, text
from support.waiting import PATIENCE_S

CHAT = "/api/engine/chat/openai"
ASKED = b'{"model":"gpt-4o","chat_input":"Hi"}'
STREAMED = b'{"model":"gpt-4o","chat_input":"Hi","is_stream":true}'
GONE = {"type": "http.disconnect"}

Message = dict[str, Any]


def body(data: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


class Client:
    """An ASGI server's side of one request: the messages that it delivers, and those it gets."""

    def __init__(self, *messages: Message) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        for message in messages:
            self.incoming.put_nowait(message)
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        return await self.incoming.get()

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def scope(path: str, method: str = "POST", query: str = "", **headers: str) -> Message:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }


async def cold(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"cold"})


def run(
    asked: Message,
    *messages: Message,
    pipe: Pipe | None = None,
    play: Callable[[Pipe], None] = lambda pipe: None,
) -> Client:
    """One request; ``play`` is the provider's part, once the request is with it."""
    pipe = pipe or Pipe()

    async def main() -> Client:
        client = Client(*messages)
        task = asyncio.ensure_future(
            asgi.AsgiRoutes(pipe.gateway, cold, no_ledger()).respond(
                asked, client.receive, client.send
            )
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        play(pipe)
        await asyncio.wait_for(task, PATIENCE_S)
        return client

    return asyncio.run(main())


def test_a_complete_reply_has_its_length() -> None:
    client = run(scope(CHAT), body(ASKED), play=lambda pipe: pipe.upstream.stream(HELLO))
    assert client.status == 200
    assert client.json["chat_output"] == "Hello!"
    assert client.headers[b"content-length"] == str(len(client.body)).encode()
    assert client.headers[b"x-request-id"] == b"id-1"
    assert [message["type"] for message in client.sent] == [
        "http.response.start",
        "http.response.body",
    ]


def test_each_piece_of_a_stream_is_one_message() -> None:
    client = run(scope(CHAT), body(STREAMED), play=lambda pipe: pipe.upstream.stream(HELLO))
    assert b"content-length" not in client.headers
    assert [message.get("more_body") for message in client.sent[1:]] == [True, True, False]
    assert all(message["body"].endswith(b"\n") for message in client.sent[1:])


def test_a_body_in_pieces_is_joined() -> None:
    client = run(
        scope(CHAT),
        body(ASKED[:9], True),
        {"type": "http.request", "more_body": True},
        body(ASKED[9:]),
        play=lambda pipe: pipe.upstream.stream(HELLO),
    )
    assert client.status == 200


LARGE = b" " * 1001


@pytest.mark.parametrize(
    ("headers", "messages"),
    [
        ({"content_length": "1001"}, []),
        ({}, [body(LARGE)]),
        ({}, [body(LARGE[:600], True), body(LARGE[:600], True)]),
        ({"content_length": "7"}, [body(LARGE)]),
        ({"content_length": "many"}, [body(LARGE)]),
    ],
)
def test_a_body_over_the_limit_is_refused_as_soon_as_it_is_known(
    headers: dict[str, str], messages: list[Message]
) -> None:
    client = run(scope(CHAT, **headers), *messages)
    assert client.status == 413
    assert "1000 bytes" in client.json["error"]["message"]


def test_a_client_that_leaves_before_its_body_is_complete_gets_nothing() -> None:
    pipe = Pipe()
    assert run(scope(CHAT), body(ASKED[:9], True), GONE, pipe=pipe).sent == []
    assert pipe.records == []


def test_a_client_that_leaves_cancels_the_request() -> None:
    pipe = Pipe()
    client = run(scope(CHAT), body(STREAMED), body(b""), GONE, pipe=pipe)
    assert client.sent == []
    assert pipe.upstream.history == ["cancel"]
    assert [record.outcome for record in pipe.records] == ["cancelled"]


@pytest.mark.parametrize("error", [BrokenPipeError, RuntimeError])
def test_a_client_that_the_server_cannot_send_to_cancels_the_request(
    error: type[Exception],
) -> None:
    pipe = Pipe()

    class Deaf(Client):
        async def send(self, message: Any) -> None:
            raise error("the client left")

    async def main() -> None:
        client = Deaf(body(STREAMED))
        task = asyncio.ensure_future(
            asgi.AsgiRoutes(pipe.gateway, cold, no_ledger()).respond(
                scope(CHAT), client.receive, client.send
            )
        )
        await asyncio.sleep(0.01)
        pipe.upstream.stream(ROLE, text("Hello"))
        await asyncio.wait([task], timeout=PATIENCE_S)
        assert type(task.exception()) is (None.__class__ if error is BrokenPipeError else error)

    asyncio.run(main())
    assert pipe.upstream.history == ["cancel"]
    assert [record.outcome for record in pipe.records] == ["cancelled"]


def test_a_server_that_stops_waiting_cancels_the_request() -> None:
    pipe = Pipe()

    async def main() -> None:
        client = Client(body(STREAMED))
        task = asyncio.ensure_future(
            asgi.AsgiRoutes(pipe.gateway, cold, no_ledger()).respond(
                scope(CHAT), client.receive, client.send
            )
        )
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert pipe.upstream.history == ["cancel"]
    assert pipe.records[0].outcome == "cancelled"


def test_health_is_unavailable_while_requests_are_refused() -> None:
    pipe = Pipe()
    pipe.gateway.is_refusing = True
    pipe.gateway.ledger_health = lambda: LedgerHealth(spool="failing", held=2)
    client = run(scope("/health", "GET"), pipe=pipe)
    assert (client.status, client.json["status"]) == (503, "degraded")
    assert "refuses requests" in client.json["message"]
    assert client.json["ledger"]["held"] == 2


@pytest.mark.parametrize(
    ("path", "method", "takes"),
    [
        (CHAT, "GET", "POST"),
        ("/health", "POST", "GET or HEAD"),
        ("/v1/models", "PUT", "GET or HEAD"),
    ],
)
def test_the_error_for_a_wrong_method_has_the_allowed_ones(
    path: str, method: str, takes: str
) -> None:
    client = run(scope(path, method))
    assert client.status == 405
    assert takes in client.json["error"]["message"]
    assert client.headers[b"allow"].decode() == takes.replace(" or ", ", ")


@pytest.mark.parametrize("key", [None, "gw-wrong"])
def test_no_body_is_read_from_a_client_without_a_key(key: str | None) -> None:
    """No body ever comes: whoever waited for it would wait for good."""
    headers = {} if key is None else {"x_api_key": key}
    client = run(scope(CHAT, content_length="7", **headers), pipe=Pipe(keys=("gw-key",)))
    assert client.status == 401
    assert client.json["error"]["type"] == "authentication_error"
    assert b"x-request-id" in client.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_info_routes_answer_as_json(method: str) -> None:
    client = run(scope("/api/engine/providers", method))
    assert client.json == ["openai"]
    assert client.headers == {
        b"content-type": b"application/json",
        b"content-length": b"10",
        b"x-request-id": b"id-1",
    }


@pytest.mark.parametrize(
    ("path", "method", "query"),
    [
        ("/", "GET", ""),
        ("/health", "GET", ""),
        ("/docs", "GET", ""),
        ("/v1/models", "GET", ""),
        ("/v1/models", "GET", "provider=nobody"),
        ("/v1/models", "DELETE", ""),
        (CHAT, "POST", ""),
        (CHAT, "GET", ""),
    ],
)
def test_every_response_has_the_clients_own_id(path: str, method: str, query: str) -> None:
    client = run(scope(path, method, query, x_request_id="my-id.1"), body(b"{}"))
    ids = [value for name, value in client.sent[0]["headers"] if name == b"x-request-id"]
    assert ids == [b"my-id.1"]
    if client.status != 200:
        assert client.json["error"]["request_id"] == "my-id.1"


def test_the_query_is_read() -> None:
    asked = scope("/api/engine/parameters", "GET", "provider=openai&model=o3&odd")
    assert [spec["id"] for spec in run(asked).json] == ["max_completion_tokens"]


def test_a_wrong_query_is_an_error_with_an_id() -> None:
    client = run(scope("/api/engine/models", "GET", "provider=no%20one"))
    assert client.status == 404
    assert "'no one'" in client.json["error"]["message"]
    assert client.headers[b"x-request-id"].decode() == client.json["error"]["request_id"]


# path, whether it wants the gateway's key
GUARDED = [
    ("/health", False),
    ("/v1/models", True),
    ("/", False),
    ("/docs", False),
    ("/docs/assets/page.js", False),
    ("/openapi.json", False),
    ("/docs2", True),
    ("/nowhere", True),
    ("/api/engine/providers", True),
]


@pytest.mark.parametrize(("path", "wants"), GUARDED)
def test_every_route_but_health_and_the_documentation_requires_the_key(
    path: str, wants: bool
) -> None:
    pipe = Pipe(keys=("gw-right-key",))
    assert run(scope(path, "GET"), pipe=pipe).status == (401 if wants else 200)
    allowed = run(scope(path, "GET", authorization="Bearer gw-right-key"), pipe=pipe)
    assert allowed.status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_root_says_what_this_is_and_where_to_go(method: str) -> None:
    client = run(scope("/", method))
    assert client.status == 200
    assert client.headers[b"content-type"] == b"text/plain; charset=utf-8"
    for route in (b"Headway", b"/docs", b"/v1", b"/api/engine/chat/"):
        assert route in client.body
    assert run(scope("/", "POST")).status == 405


def test_the_addresses_that_clients_try_first_answer() -> None:
    for path in (
        "/v1",
        "/v1/",
        "/anthropic",
        "/gemini/v1beta",
        "/api/hello",
        "/anthropic/api/hello",
    ):
        assert run(scope(path, "HEAD")).status == 200, path


def test_every_other_path_goes_to_the_documentation() -> None:
    assert run(scope("/docs", "GET")).body == b"cold"


def test_the_error_for_an_unknown_path_names_the_documentation() -> None:
    async def main() -> Client:
        client = Client()
        gateway = Pipe().gateway
        routes = asgi.AsgiRoutes(gateway, asgi.not_found, no_ledger())
        await routes.respond(scope("/nowhere", "GET"), client.receive, client.send)
        return client

    client = asyncio.run(main())
    assert client.status == 404
    assert "/nowhere" in client.json["error"]["message"]
    assert "/docs" in client.json["error"]["message"]


def test_pieces_are_sent_while_the_provider_is_still_sending() -> None:
    pipe = Pipe()

    async def main() -> None:
        client = Client(body(STREAMED))
        task = asyncio.ensure_future(
            asgi.AsgiRoutes(pipe.gateway, cold, no_ledger()).respond(
                scope(CHAT), client.receive, client.send
            )
        )
        await asyncio.sleep(0.01)
        pipe.upstream.stream(ROLE, text("Hello"))
        await asyncio.sleep(0.01)
        assert len(client.sent) == 2
        pipe.upstream.chunk(HELLO[len(ROLE) + len(text("Hello")) :])
        await asyncio.wait_for(task, PATIENCE_S)
        assert client.sent[-1]["more_body"] is False

    asyncio.run(main())
