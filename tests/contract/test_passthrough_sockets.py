"""WebSockets that are passed through to a provider, with a real client and a real server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from support.gateway_process import GATE_KEY, SERVER_KEY, SERVER_MODES, Gateway
from support.lazy_import import lazy_import
from support.waiting import PATIENCE_S, until

openai = lazy_import("openai")
sync_client = lazy_import("websockets.sync.client")
sync_server = lazy_import("websockets.sync.server")
exceptions = lazy_import("websockets.exceptions")

PATH = "/providers/openai/v1/realtime?model=gpt-realtime"
AUTHORIZED = {"Authorization": f"Bearer {GATE_KEY}"}
DONE = {
    "type": "response.done",
    "response": {
        "usage": {
            "total_tokens": 150,
            "input_tokens": 100,
            "output_tokens": 50,
            "input_token_details": {
                "cached_tokens": 40,
                "text_tokens": 60,
                "audio_tokens": 40,
                "cached_tokens_details": {"text_tokens": 20, "audio_tokens": 20},
            },
            "output_token_details": {"text_tokens": 10, "audio_tokens": 40},
        }
    },
}


class Realtime:
    """A provider that answers messages as ``handle`` says."""

    def __init__(self) -> None:
        self.handle: Callable[[Any], None] = echo
        self.requests: list[Any] = []
        self.server = sync_server.serve(
            self.serve,
            "127.0.0.1",
            0,
            max_size=None,
            process_request=self.check,
            select_subprotocol=lambda connection, offered: offered[0] if offered else None,
        )
        self.port: int = self.server.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def check(self, connection: Any, request: Any) -> Any:
        self.requests.append(request)
        if request.headers.get("authorization") != f"Bearer {SERVER_KEY}":
            return connection.respond(401, f"no: {request.headers}")
        return None

    def serve(self, connection: Any) -> None:
        self.handle(connection)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join(PATIENCE_S)


def echo(connection: Any) -> None:
    for message in connection:
        connection.send(message)


@pytest.fixture(scope="module")
def running() -> Iterator[Realtime]:
    provider = Realtime()
    yield provider
    provider.close()


@pytest.fixture
def provider(running: Realtime) -> Realtime:
    running.handle = echo
    running.requests.clear()
    return running


@pytest.fixture(scope="module", params=SERVER_MODES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, running: Realtime
) -> Iterator[Gateway]:
    url = f"http://127.0.0.1:{running.port}/v1"
    config = {
        "server": {"api_keys": [GATE_KEY], "cors_origins": ["https://app.example"]},
        "providers": {
            "openai": {"kind": "openai", "base_url": url, "api_key": SERVER_KEY},
            "wrong": {"kind": "openai", "base_url": url, "api_key": "sk-wrong-key"},
            "closed": {"kind": "openai", "base_url": "http://127.0.0.1:1", "api_key": "sk-xxxxxx"},
            "hasty": {
                "kind": "openai",
                "base_url": url,
                "api_key": SERVER_KEY,
                "timeouts": {"idle": 0.4},
            },
        },
    }
    gateway = Gateway.start(tmp_path_factory.mktemp("sockets"), config, mode=request.param)
    yield gateway
    gateway.stop()
    assert gateway.leaks() == []


def connect(server: Gateway, path: str = PATH, **options: Any) -> Any:
    url = server.base_url.replace("http://", "ws://") + path
    options = {"additional_headers": AUTHORIZED, "max_size": None, **options}
    return sync_client.connect(url, proxy=None, **options)


def last_record(server: Gateway, count: int) -> dict[str, Any]:
    return until(lambda: server.records()[count:])[0]


def test_a_session_goes_both_ways_and_is_metered(server: Gateway, provider: Realtime) -> None:
    def handle(connection: Any) -> None:
        connection.send(
            json.dumps({"type": "session.created", "session": {"model": "gpt-realtime"}})
        )
        for message in connection:
            connection.send(message)
            connection.send(json.dumps(DONE))

    provider.handle = handle
    before = len(server.records())
    with connect(server) as client:
        assert json.loads(client.recv())["type"] == "session.created"
        for message in ("one", b"\x00two", "x" * 3_000_000):
            client.send(message)
            assert client.recv() == message
            assert json.loads(client.recv()) == DONE

    assert [request.path for request in provider.requests] == ["/v1/realtime?model=gpt-realtime"]
    record = last_record(server, before)
    assert record["native_path"] == "GET /v1/realtime"
    assert (record["outcome"], record["status"]) == ("ok", 101)
    assert record["model"] == "gpt-realtime"
    assert (record["input_tokens"], record["output_tokens"]) == (300, 150)
    assert (record["input_audio_tokens"], record["output_audio_tokens"]) == (120, 120)
    assert (record["cache_read_tokens"], record["cache_read_audio_tokens"]) == (120, 60)
    assert record["cost_usd"] is not None
    assert record["upstream_request_bytes"] > 3_000_000


def test_a_browsers_key_comes_as_a_subprotocol_and_stays_here(
    server: Gateway, provider: Realtime
) -> None:
    subprotocols = ["realtime", f"openai-insecure-api-key.{GATE_KEY}"]
    with connect(
        server, additional_headers={}, subprotocols=subprotocols, origin="https://app.example"
    ) as client:
        assert client.subprotocol == "realtime"
        client.send("hello")
        assert client.recv() == "hello"
    headers = provider.requests[0].headers
    assert headers["sec-websocket-protocol"] == "realtime"
    assert GATE_KEY not in str(headers)
    assert "sec-websocket-extensions" not in headers
    assert "origin" not in headers


def test_openais_route_finds_the_provider_by_the_model(server: Gateway, provider: Realtime) -> None:
    with connect(server, "/v1/realtime?model=openai/gpt-realtime") as client:
        client.send("hello")
        assert client.recv() == "hello"
    assert provider.requests[0].path == "/v1/realtime?model=gpt-realtime"
    assert refusal(server, "/v1/realtime?model=nobody/gpt-realtime").status_code == 404
    assert refusal(server, "/v1/realtime").status_code == 400


@pytest.mark.filterwarnings("ignore:connect:DeprecationWarning")  # raised by the SDK itself
def test_openais_client_has_a_session(server: Gateway, provider: Realtime) -> None:
    for base in ("/providers/openai/v1", "/v1"):
        url = server.base_url + base
        client = openai.OpenAI(
            api_key=GATE_KEY, base_url=url, websocket_base_url=url.replace("http", "ws", 1)
        )
        model = "gpt-realtime" if base != "/v1" else "openai/gpt-realtime"
        with client.realtime.connect(model=model) as session:
            session.response.create()
            assert json.loads(session.recv_bytes()) == {"type": "response.create"}
        assert provider.requests[-1].path == "/v1/realtime?model=gpt-realtime"


def refusal(server: Gateway, path: str = PATH, **options: Any) -> Any:
    with pytest.raises(exceptions.InvalidStatus) as raised, connect(server, path, **options):
        pass
    return raised.value.response


def test_refusals_are_answers_to_the_handshake(server: Gateway, provider: Realtime) -> None:
    response = refusal(server, additional_headers={})
    assert response.status_code == 401
    assert json.loads(response.body)["error"]["code"] == "missing_api_key"
    assert refusal(server, origin="https://evil.example").status_code == 403
    assert refusal(server, "/providers/nobody/v1/realtime").status_code == 404
    assert refusal(server, "/providers/openai/v1/../x").status_code == 400
    assert provider.requests == []

    before = len(server.records())
    response = refusal(server, "/providers/wrong/v1/realtime")
    assert response.status_code == 401
    assert b"***" in response.body
    assert b"sk-wrong-key" not in response.body
    record = last_record(server, before)
    assert (record["outcome"], record["status"]) == ("error", 401)
    assert refusal(server, "/providers/closed/v1/realtime").status_code == 502


def test_either_side_may_close_and_break(server: Gateway, provider: Realtime) -> None:
    def close_orderly(connection: Any) -> None:
        connection.close(4001, "enough")

    def close_abruptly(connection: Any) -> None:
        connection.send("now")
        connection.socket.shutdown(socket.SHUT_RDWR)

    provider.handle = close_orderly
    with connect(server) as client, pytest.raises(exceptions.ConnectionClosed) as closed:
        client.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "enough")

    provider.handle = close_abruptly
    with connect(server) as client:
        assert client.recv() == "now"
        with pytest.raises(exceptions.ConnectionClosed) as closed:
            client.recv()
    assert closed.value.rcvd is None

    ended = threading.Event()

    def notice(connection: Any) -> None:
        with suppress(exceptions.ConnectionClosed):
            for _ in connection:
                pass
        ended.set()

    provider.handle = notice
    before = len(server.records())
    with connect(server) as client:
        client.send("x")
        client.socket.shutdown(socket.SHUT_RDWR)
        assert ended.wait(PATIENCE_S)
    assert last_record(server, before)["outcome"] == "ok"


def test_a_slow_reader_slows_the_other_side_down(server: Gateway, provider: Realtime) -> None:
    """Nothing is kept in the gateway without bounds."""
    sent = []

    def flood(connection: Any) -> None:
        for number in range(400):
            connection.send(b"x" * 100_000)
            sent.append(number)

    provider.handle = flood
    with connect(server, max_queue=1) as client:
        until(lambda: len(sent) > 3)
        last = -1
        while last != len(sent):
            last = len(sent)
            time.sleep(0.3)
        assert len(sent) < 300
        for _ in range(400):
            assert len(client.recv()) == 100_000


def test_a_silent_session_ends(server: Gateway, provider: Realtime) -> None:
    provider.handle = lambda connection: time.sleep(3)
    before = len(server.records())
    with (
        connect(server, "/providers/hasty/v1/realtime", ping_interval=None) as client,
        pytest.raises(exceptions.ConnectionClosed) as closed,
    ):
        client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert last_record(server, before)["error_code"] == "idle_timeout"


def test_a_shutdown_waits_for_sessions_and_then_ends_them(
    provider: Realtime, tmp_path: Path
) -> None:
    config = {
        "server": {"shutdown_grace": 0.5},
        "providers": {
            "openai": {
                "kind": "openai",
                "base_url": f"http://127.0.0.1:{provider.port}/v1",
                "api_key": SERVER_KEY,
            }
        },
    }
    own = Gateway.start(tmp_path, config)
    with connect(own) as client:
        client.send("before")
        assert client.recv() == "before"
        own.terminate()
        client.send("after")
        assert client.recv() == "after"
        with pytest.raises(exceptions.ConnectionClosed) as closed:
            client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    own.stop()
    assert own.records()[-1]["error_type"] == "shutting_down"
