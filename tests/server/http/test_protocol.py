"""One connection: bodies, pipelining, timeouts and misbehaving clients. In both server modes."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time
from typing import Any

import pytest

from contract.conftest import BODY_LIMIT, Launch
from contract.shapes import checked_error, error_of
from support.gateway_process import Gateway
from support.openai_completions import DONE, finish, role, text, usage
from support.openai_upstream import HANG, Answer, Upstream, Wait
from support.raw_client import Stream
from support.waiting import PATIENCE_S, until

PATH = "/api/engine/chat/echo"
ORIGIN = "https://page.example"


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "echo", "chat_input": "Hello", **fields}


def hot(gateway: Gateway, path: str = PATH, **fields: Any) -> bytes:
    return gateway.client.encode("POST", path, body(**fields), None)


def cold(gateway: Gateway) -> bytes:
    return gateway.client.encode("GET", "/health", None, None)


def head(*lines: str, method: str = "POST", path: str = PATH, version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "host: here", *lines, "", ""]).encode()


def closed(stream: Stream, status: int) -> dict[str, Any]:
    """The error after which the connection closes."""
    reply = stream.read_head().reply()
    assert reply.status == status
    assert stream.buffer == b""
    assert stream.is_closed_by_server()
    return checked_error(reply.json)


# --- Bodies over the limit ------------------------------------------------------------------------

LARGE = 8 * BODY_LIMIT


def counted(size: int) -> bytes:
    return head(f"content-length: {size}") + bytes(size)


def chunked(size: int) -> bytes:
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    return head("transfer-encoding: chunked") + chunk * (size // 65536) + b"0\r\n\r\n"


@pytest.mark.parametrize("encode", [counted, chunked])
def test_a_client_still_sending_a_body_over_the_limit_can_read_the_error(
    gateway: Gateway, encode: Any
) -> None:
    """It is still sending when the response comes; closing at once would discard that."""
    with gateway.client.connect() as stream:
        stream.send(encode(LARGE))
        assert "body_limit" in closed(stream, 413)["message"]


def test_a_body_at_the_limit_is_read(gateway: Gateway) -> None:
    data = b" " * (BODY_LIMIT - len(json.dumps(body()))) + json.dumps(body()).encode()
    assert gateway.client.call("POST", PATH, data).status == 200
    assert gateway.client.call("POST", PATH, b" " + data).status == 413


def test_a_length_over_the_limit_is_refused_before_the_body_arrives(gateway: Gateway) -> None:
    with gateway.client.connect() as stream:
        stream.send(head(f"content-length: {LARGE}"))
        closed(stream, 413)


# --- Expect: 100-continue (RFC 9110, section 10.1.1) ----------------------------------------------


def test_expect_continue_gets_a_100(gateway: Gateway) -> None:
    data = json.dumps(body()).encode()
    with gateway.client.connect() as stream:
        stream.send(head(f"content-length: {len(data)}", "expect: 100-continue"))
        assert stream.read_head().status == 100
        stream.send(data)
        assert stream.read_head().reply().json["chat_output"]


def test_expect_continue_with_a_length_over_the_limit_gets_a_413(
    gateway: Gateway,
) -> None:
    with gateway.client.connect() as stream:
        stream.send(head(f"content-length: {LARGE}", "expect: 100-continue"))
        closed(stream, 413)


def test_expect_continue_on_a_route_without_a_body_closes_after_the_response(
    gateway: Gateway,
) -> None:
    """The body may or may not follow, so what follows cannot be read as a request."""
    with gateway.client.connect() as stream:
        stream.send(head("content-length: 5", "expect: 100-continue", path="/nowhere"))
        closed(stream, 404)


def test_expect_continue_behind_another_request_is_answered_in_order(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.play(Answer((role(), Wait(0.2), text("Hi"), finish(), usage(), DONE)))
    data = json.dumps(body()).encode()
    with gateway.client.connect() as stream:
        first = gateway.client.encode("POST", "/api/engine/chat/openai", body(), None)
        stream.send(first + head(f"content-length: {len(data)}", "expect: 100-continue"))
        assert stream.read_head().reply().json["chat_output"] == "Hi"
        assert stream.read_head().status == 100
        stream.send(data)
        assert stream.read_head().reply().json["provider"] == "echo"


# --- Pipelined requests ---------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["hh", "hc", "ch", "hchhcchh", "cccc"])
def test_pipelined_requests_get_responses_in_order(gateway: Gateway, order: str) -> None:
    data = b"".join(
        hot(gateway, chat_input=str(at)) if kind == "h" else cold(gateway)
        for at, kind in enumerate(order)
    )
    with gateway.client.connect() as stream:
        stream.send(data)
        for at, kind in enumerate(order):
            reply = stream.read_head().reply()
            assert reply.status == 200
            assert reply.json.get("chat_input") == (str(at) if kind == "h" else None)
        assert stream.buffer == b""


SLOW = Answer(
    (role(), *(s for n in range(5) for s in (text(f" {n}"), Wait(0.05))), finish(), usage(), DONE)
)


def streamed(gateway: Gateway) -> bytes:
    return hot(gateway, "/api/engine/chat/openai", is_stream=True)


@pytest.mark.parametrize("second", ["hot", "cold", "stream", "late"])
def test_a_request_pipelined_behind_a_stream_waits_for_its_end(
    gateway: Gateway, upstream: Upstream, second: str
) -> None:
    upstream.play(SLOW)
    after = {"hot": hot(gateway), "cold": cold(gateway), "stream": streamed(gateway)}
    with gateway.client.connect() as stream:
        stream.send(streamed(gateway) + after.get(second, b""))
        lines = stream.read_head().read().splitlines()
        assert json.loads(lines[-1])["chat_output"] == " 0 1 2 3 4"
        stream.send(b"" if second in after else hot(gateway))
        stream.complete = False
        assert stream.read_head().status == 200
        assert stream.read()
        assert stream.complete
        assert stream.buffer == b""


@pytest.mark.parametrize(
    "rubbish",
    [b"rubbish\r\n\r\n", head("content-length: 3", "content-length: 4"), counted(LARGE)],
    ids=["no request", "two lengths", "too large"],
)
def test_a_refusal_is_sent_after_the_responses_to_earlier_requests(
    gateway: Gateway, upstream: Upstream, rubbish: bytes
) -> None:
    upstream.play(SLOW)
    with gateway.client.connect() as stream:
        stream.send(streamed(gateway) + hot(gateway) + rubbish)
        lines = stream.read_head().read().splitlines()
        assert json.loads(lines[-1])["chat_output"] == " 0 1 2 3 4"
        assert stream.read_head().reply().json["provider"] == "echo"
        reply = stream.read_head().reply()
        assert reply.status in (400, 413)
        checked_error(reply.json)
        assert stream.is_closed_by_server()


def test_a_client_that_leaves_cancels_its_pipelined_requests(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.play(Answer((role(), text("Hello"), HANG)))
    with gateway.client.connect() as stream:
        stream.send(streamed(gateway) + streamed(gateway))
        upstream.await_request()
        stream.read_head()
    until(lambda: upstream.last.closed_at)
    time.sleep(0.1)
    assert len(upstream.exchanges) == 1


# --- HTTP/1.0 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [(), ("connection: keep-alive",)])
def test_a_stream_in_http_1_0_ends_with_the_connection(
    gateway: Gateway, upstream: Upstream, keep: tuple[str, ...]
) -> None:
    """HTTP/1.0 has no chunks (RFC 9112, section 7)."""
    upstream.play(SLOW)
    data = json.dumps(body(is_stream=True)).encode()
    lines = (f"content-length: {len(data)}", *keep)
    with gateway.client.connect() as stream:
        path = "/api/engine/chat/openai"
        stream.send(head(*lines, path=path, version="1.0") + data)
        stream.read_head()
        assert stream.status == 200
        if stream.headers.get("transfer-encoding") is None:  # uvicorn's own protocol chunks it
            rest = stream.buffer
            while piece := stream.sock.recv(65536):
                rest += piece
            assert json.loads(rest.splitlines()[-1])["chat_output"] == " 0 1 2 3 4"
        else:
            stream.read()
            assert stream.is_closed_by_server()


def test_a_whole_response_in_http_1_0_is_followed_by_a_close(gateway: Gateway) -> None:
    data = json.dumps(body()).encode()
    with gateway.client.connect() as stream:
        stream.send(head(f"content-length: {len(data)}", version="1.0") + data)
        reply = stream.read_head().reply()
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert stream.is_closed_by_server()


# --- Keep-alive -----------------------------------------------------------------------------------


def test_connection_close_closes_after_the_response(gateway: Gateway) -> None:
    data = gateway.client.encode("POST", PATH, body(), {"connection": "close"})
    with gateway.client.connect() as stream:
        stream.send(data)
        assert stream.read_head().reply().headers["connection"] == "close"
        assert stream.is_closed_by_server()


HASTY = {"body_limit": BODY_LIMIT, "keep_alive": 0.3, "read_timeout": 0.6}
UNLIMITED_S = 50.0
"""Less than a client has without these limits, which are 75 and 60 s by default."""


def test_clients_that_take_too_long_are_timed_out(lasting: Launch, mode: str) -> None:
    """All on one server at the same time, because each waits in real time."""
    own = lasting({"server": HASTY}, mode=mode)
    data = json.dumps(body()).encode()
    sent = {
        "nothing": b"",
        "half a head": b"POST /api/engine/chat/echo HTTP/1.1\r\nhost: h",
        "half a body": head(f"content-length: {len(data)}") + data[:5],
        "half a chunk": head("transfer-encoding: chunked") + b"20\r\nhalf",
        "half a body for nobody": head("content-length: 5", path="/docs", method="GET") + b"ab",
    }
    streams = {name: own.client.connect() for name in sent}
    idle = own.client.connect()
    idle.send(hot(own))
    assert idle.read_head().reply().status == 200
    began = time.monotonic()
    for name, first in sent.items():
        streams[name].send(first)
    assert idle.is_closed_by_server()
    assert streams["nothing"].is_closed_by_server()
    for name in ("half a head", "half a body", "half a chunk"):
        assert "0.6" in closed(streams[name], 408)["message"]
    streams["half a body for nobody"].read_head()
    assert streams["half a body for nobody"].status in (200, 408)
    assert 0.25 < time.monotonic() - began < UNLIMITED_S
    for stream in (*streams.values(), idle):
        stream.close()


def test_single_bytes_do_not_extend_the_read_timeout(lasting: Launch, mode: str) -> None:
    own = lasting({"server": HASTY}, mode=mode)
    with own.client.connect() as stream:
        stream.sock.setblocking(False)
        for byte in head(*(f"x-{n}: y" for n in range(20))):  # takes eight seconds and more
            try:
                stream.sock.send(bytes([byte]))
                if stream.sock.recv(1, socket.MSG_PEEK):
                    break
            except BlockingIOError:
                time.sleep(0.05)
        else:
            pytest.fail("the whole head was read")
        stream.sock.settimeout(PATIENCE_S)
        closed(stream, 408)


def test_a_slow_provider_does_not_time_out_the_client(
    lasting: Launch, upstream: Upstream, mode: str
) -> None:
    own = lasting({"server": HASTY}, mode=mode)
    upstream.play(Answer((role(), Wait(1.2), text("Hi"), Wait(1.2), finish(), usage(), DONE)))
    with own.stream() as stream:
        assert json.loads(stream.read().splitlines()[-1])["chat_output"] == "Hi"


# --- Clients that disconnect ----------------------------------------------------------------------


def test_a_reset_during_a_request_leaves_no_descriptor_and_no_record(
    launch: Launch, mode: str
) -> None:
    own = launch(mode=mode)
    assert own.client.get("/health").status == 200
    before = own.count_descriptors()
    for cut in (10, 60, 130, 150):
        stream = own.client.connect()
        stream.send(hot(own)[:cut])
        stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()
    until(lambda: own.count_descriptors() <= before)
    assert own.records() == []
    assert own.chat("echo", model="echo").status == 200
    assert "Traceback" not in "".join(own.output)


# --- Other methods, other protocols ---------------------------------------------------------------


@pytest.mark.parametrize(
    "offer",
    [
        ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__"),
        ("connection: upgrade", "upgrade: websocket"),
        ("connection: upgrade, close", "upgrade: TLS/1.0"),
    ],
    ids=["h2c, as Java's client does", "websocket", "TLS"],
)
def test_an_offer_to_upgrade_is_ignored_and_the_body_kept(
    gateway: Gateway, offer: tuple[str, ...]
) -> None:
    data = json.dumps(body()).encode()
    lines = (f"content-length: {len(data)}", *offer)
    with gateway.client.connect() as stream:
        for at in range(2):
            stream.send(head(*lines) + data[:9])
            time.sleep(0.02)
            stream.send(data[9:])
            reply = stream.read_head().reply()
            assert (reply.status, reply.json["chat_input"]) == (200, "Hello"), at
            if "close" in offer[0]:
                assert stream.is_closed_by_server()
                break
    assert "upgrade" not in "".join(gateway.output)


def test_a_websocket_is_not_opened(gateway: Gateway) -> None:
    lines = ("connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13",
             "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
    with gateway.client.connect() as stream:
        stream.send(head(*lines, method="GET"))
        error_of(stream.read_head().reply(), 405)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_chat_route_takes_only_post(gateway: Gateway, method: str) -> None:
    lists_stored = method == "GET"
    for path in (PATH,) if lists_stored else (PATH, "/v1/chat/completions"):
        error_of(gateway.client.call(method, path), 405)


@pytest.mark.parametrize(("path", "status"), [("/health", 200), (PATH, 405), ("/nowhere", 404)])
def test_head_is_get_without_the_body(gateway: Gateway, path: str, status: int) -> None:
    with gateway.client.connect() as stream:
        stream.send(head(method="HEAD", path=path) + cold(gateway))
        stream.read_head()
        assert stream.status == status
        assert int(stream.headers["content-length"]) > 0
        assert stream.read_head().reply().json["status"] == "healthy"


# --- Headers and bodies ---------------------------------------------------------------------------

DATA = json.dumps(body()).encode()


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "api-key"])
def test_blanks_around_a_headers_value_are_not_part_of_it(
    lasting: Launch, mode: str, name: str
) -> None:
    own = lasting({"server": {"api_keys": ["gw-secret-key"]}}, mode=mode)
    key = "Bearer gw-secret-key" if name == "authorization" else "gw-secret-key"
    length = len(DATA)
    with own.client.connect() as stream:
        for value in (f" \t {key} \t ", f"{key} "):
            stream.send(
                f"POST {PATH} HTTP/1.1\r\nhost: h\r\n{name}:{value}\r\n"
                f"content-type: application/json \r\ncontent-length: {length} \r\n\r\n".encode()
                + DATA
            )
            assert stream.read_head().reply().status == 200


def test_blanks_behind_a_transfer_coding_are_not_part_of_it(gateway: Gateway) -> None:
    with gateway.client.connect() as stream:
        stream.send(
            f"POST {PATH} HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked \r\n\r\n".encode()
            + b"%x\r\n%b\r\n0\r\n\r\n" % (len(DATA), DATA)
        )
        assert stream.read_head().reply().status == 200


def test_a_compressed_body_is_read(gateway: Gateway) -> None:
    headers = {"content-encoding": "gzip"}
    for _ in range(2):
        assert gateway.client.call("POST", PATH, gzip.compress(DATA), headers).status == 200
    refused = gateway.client.call("POST", PATH, gzip.compress(DATA), {"content-encoding": "lz4"})
    assert refused.status == 415


# --- Cross-origin ---------------------------------------------------------------------------------

ASKED_HEADERS = "authorization,content-type,openai-organization,traceparent,x-stainless-os"
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": ASKED_HEADERS,
}


def test_cross_origin_requests_are_allowed_for_configured_origins(
    launch: Launch, mode: str
) -> None:
    own = launch({"server": {"cors_origins": [ORIGIN]}}, mode=mode)
    for path in (PATH, "/v1/chat/completions"):
        asked = own.client.call("OPTIONS", path, None, PREFLIGHT)
        assert (asked.status, asked.body) == (204, b"")
        assert asked.headers["access-control-allow-origin"] == ORIGIN
        assert "POST" in asked.headers["access-control-allow-methods"]
        assert asked.headers["access-control-allow-headers"] == ASKED_HEADERS
        other = own.client.call("OPTIONS", path, None, {**PREFLIGHT, "origin": "https://x.example"})
        assert "access-control-allow-origin" not in other.headers
    for answer in (
        own.client.call("POST", PATH, body(), {"origin": ORIGIN}),
        own.client.call("POST", PATH, b"broken", {"origin": ORIGIN}),
        own.client.call("POST", PATH, bytes(1 << 20), {"origin": ORIGIN, "x": "y" * 70_000}),
    ):
        assert answer.headers["access-control-allow-origin"] == ORIGIN, answer
    with own.stream("echo", model="echo") as stream:
        assert "access-control-allow-origin" not in stream.headers


def test_cross_origin_requests_are_not_allowed_by_default(gateway: Gateway) -> None:
    asked = gateway.client.call("OPTIONS", PATH, None, PREFLIGHT)
    assert asked.status == 405
    answer = gateway.client.call("POST", PATH, body(), {"origin": ORIGIN})
    assert answer.status == 200
    assert not [name for name in (*asked.headers, *answer.headers) if name.startswith("access-")]
