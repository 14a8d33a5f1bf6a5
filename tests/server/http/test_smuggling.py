"""Requests whose borders two servers could see differently, and bytes that are not a request.

Each is refused with our own error, once, and the connection is closed: nothing that follows it may
be taken for a request (RFC 9112, sections 5, 6, 7 and 11.2). In both server modes.
"""

from __future__ import annotations

import json
import socket

import pytest

from contract.conftest import Launch
from contract.shapes import checked_error
from support.gateway_process import GATE_KEY, Gateway

PATH = b"/api/engine/chat/echo"
BODY = json.dumps({"model": "echo", "chat_input": "Hello"}).encode()
CHUNKED_BODY = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
HIDDEN = b"GET /health HTTP/1.1\r\nhost: hidden\r\n\r\n"
"""The smuggled request."""


def request(
    *lines: bytes,
    body: bytes = BODY,
    target: bytes = PATH,
    version: bytes = b"HTTP/1.1",
    host: bytes = b"host: here\r\n",
) -> bytes:
    head = b"".join(line + b"\r\n" for line in lines)
    return b"POST %b %b\r\n%b%b\r\n%b" % (target, version, host, head, body)


LENGTH = b"content-length: %d" % len(BODY)
CODED = b"transfer-encoding: chunked"


def coded(coding: bytes, *more: bytes) -> bytes:
    return request(b"transfer-encoding:" + coding, *more, body=CHUNKED_BODY)


def in_chunks(body: bytes) -> bytes:
    return request(CODED, body=body)


SMUGGLED: dict[str, tuple[bytes, int]] = {
    "both lengths": (request(LENGTH, CODED, body=CHUNKED_BODY), 400),
    "both lengths, the other way round": (request(CODED, LENGTH, body=CHUNKED_BODY), 400),
    "two lengths, the same": (request(LENGTH, LENGTH), 400),
    "two lengths": (request(LENGTH, b"content-length: 5"), 400),
    "a list of lengths": (request(b"content-length: 5, 5", body=b"hello"), 400),
    "a length with a sign": (request(b"content-length: +5", body=b"hello"), 400),
    "a negative length": (request(b"content-length: -5", body=b"hello"), 400),
    "a length in hexadecimal": (request(b"content-length: 0x5", body=b"hello"), 400),
    "a length with an underscore": (request(b"content-length: 1_0", body=b"hello"), 400),
    "an empty length": (request(b"content-length: ", body=b""), 400),
    "a length beyond 64 bits": (request(b"content-length: 99999999999999999999999"), 400),
    "a space before the colon": (request(b"content-length : 5", body=b"hello"), 400),
    "chunked, then identity": (coded(b" chunked, identity"), 400),
    "identity, then chunked": (coded(b" identity, chunked"), 501),
    "gzip under chunked": (coded(b" gzip, chunked"), 501),
    "xchunked": (coded(b" xchunked"), 501),
    "identity": (coded(b" identity"), 501),
    "chunked in quotes": (coded(b' "chunked"'), 501),
    "chunked with a tab behind": (coded(b" chunked\t"), 400),
    "a coding behind a vertical tab": (coded(b" \x0bchunked"), 400),
    "a coding on a folded line": (coded(b"\r\n chunked"), 400),
    "chunked twice": (coded(b" chunked", CODED), 400),
    "two codings": (coded(b" identity", CODED), 501),
    "two codings, the other way round": (coded(b" chunked", b"transfer-encoding: identity"), 400),
    "a coding with a space before the colon": (
        request(b"transfer-encoding : chunked", body=CHUNKED_BODY), 400),
    "chunked in HTTP/1.0": (request(CODED, body=CHUNKED_BODY, version=b"HTTP/1.0"), 501),
    "a chunk size in C's notation": (in_chunks(b"0x5\r\nhello\r\n0\r\n\r\n"), 400),
    "a chunk size with a sign": (in_chunks(b"+5\r\nhello\r\n0\r\n\r\n"), 400),
    "a chunk size with a space": (in_chunks(b"5 \r\nhello\r\n0\r\n\r\n"), 400),
    "a chunk size beyond 64 bits": (in_chunks(b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"), 400),
    "a chunk size ended by LF": (in_chunks(b"5\nhello\r\n0\r\n\r\n"), 400),
    "a chunk ended by LF": (in_chunks(b"5\r\nhello\n0\r\n\r\n"), 400),
    "a chunk longer than it says": (in_chunks(b"5\r\nhello!!0\r\n\r\n"), 400),
    "lines ended by LF": (request(LENGTH).replace(b"\r\n", b"\n"), 400),
    "one line ended by LF": (request(b"x: y\nz: w", LENGTH), 400),
    "one line ended by CR": (request(b"x: y\rz: w", LENGTH), 400),
    "a folded line": (request(b"x: y\r\n z", LENGTH), 400),
    "a first header that is folded": (request(LENGTH, host=b" x: y\r\nhost: here\r\n"), 400),
    "NUL in a value": (request(b"x: a\x00b", LENGTH), 400),
    "NUL in a name": (request(b"x\x00: b", LENGTH), 400),
    "a control character in a value": (request(b"x: a\x01b", LENGTH), 400),
    "DEL in a value": (request(b"x: a\x7fb", LENGTH), 400),
    "no host": (request(LENGTH, host=b""), 400),
    "two hosts": (request(LENGTH, b"host: there"), 400),
    "a tab in the first line": (request(LENGTH).replace(b"POST ", b"POST\t"), 400),
    "a space before the method": (b" " + request(LENGTH), 400),
    "bytes beyond ASCII in the address": (request(LENGTH, target=b"/caf\xe9"), 400),
}  # fmt: skip

NO_REQUEST: dict[str, tuple[bytes, int]] = {
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "mail": (b"EHLO example.org\r\n", 400),
    "words": (b"hello world\r\n\r\n", 400),
    "zeros": (bytes(100), 400),
    "HTTP/2 at once": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/2.0": (request(LENGTH, version=b"HTTP/2.0"), 505),
    "HTTP/0.9": (b"GET /health\r\n\r\n", 505),
    "HTTP/9.9": (request(LENGTH, version=b"HTTP/9.9"), 400),
    "a method that nobody knows": (request(LENGTH).replace(b"POST", b"BREW"), 400),
    "a method in lower case": (request(LENGTH).replace(b"POST", b"post"), 400),
    "a tunnel": (b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n", 405),
}

TOO_MUCH: dict[str, tuple[bytes, int]] = {
    "many headers": (request(LENGTH, *[b"a: b"] * 200), 431),
    "a long header": (request(LENGTH, b"x: " + b"y" * 100_000), 431),
    "a bomb of headers": (request(LENGTH, *[b"x: yyyyyyyyyyyyyyyyyyyyyy"] * 50_000), 431),
    "a header that never ends": (request(b"x: " + b"y" * 1_000_000, body=b"")[:-4], 431),
    "headers that never end": (request(*[b"x: y"] * 200_000, body=b"")[:-2], 431),
    "a long address": (request(LENGTH, target=PATH + b"?" + b"a" * 20_000), 414),
    "an address that never ends": (b"POST /" + b"a" * 1_000_000, 414),
    "trailers that never end": (in_chunks(b"0\r\n" + b"x: y\r\n" * 200_000), 431),
    "a trailer that never ends": (in_chunks(b"0\r\nx: " + b"y" * 1_000_000), 431),
}

TABLES = {**SMUGGLED, **NO_REQUEST, **TOO_MUCH}


@pytest.mark.parametrize("name", TABLES)
def test_an_invalid_request_is_refused_and_later_input_ignored(gateway: Gateway, name: str) -> None:
    data, status = TABLES[name]
    with gateway.client.connect() as stream:
        stream.send(data + HIDDEN)
        reply = stream.read_head().reply()
        assert reply.status == status
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["connection"] == "close"
        checked_error(reply.json)
        assert reply.json["error"]["type"] == "invalid_request_error"
        assert reply.json["error"]["request_id"] == reply.headers["x-request-id"]
        assert stream.buffer == b""
        assert stream.is_closed_by_server()


@pytest.mark.parametrize("cut", [1, 10, 60, 90])
@pytest.mark.parametrize("name", ["both lengths", "identity, then chunked", "two hosts"])
def test_it_is_refused_wherever_it_is_cut(gateway: Gateway, name: str, cut: int) -> None:
    data, status = SMUGGLED[name]
    with gateway.client.connect() as stream:
        stream.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), cut):
            stream.send(data[at : at + cut])
        assert stream.read_head().reply().status == status
        assert stream.is_closed_by_server()


FINE: dict[str, bytes] = {
    "a length": request(LENGTH),
    "chunks": coded(b" chunked"),
    "chunks, in capitals": coded(b" CHUNKED"),
    "a chunk with an extension": in_chunks(b"%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "chunks with trailers": in_chunks(CHUNKED_BODY[:-2] + b"x: y\r\n\r\n"),
    "empty lines before": b"\r\n\r\n" + request(LENGTH),
    "an absolute address": request(LENGTH, target=b"http://here" + PATH),
    "a fragment": request(LENGTH, target=PATH + b"#there"),
    "percent signs": request(LENGTH, target=b"/api/engine/chat/%65cho"),
    "many small chunks": in_chunks(b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"),
    "sixty-four headers": request(LENGTH, *[b"x: y"] * 64),
    "a long header": request(LENGTH, b"cookie: " + b"y" * 30_000),
}


@pytest.mark.parametrize("name", FINE)
def test_a_valid_request_gets_a_response_and_the_connection_stays_open(
    gateway: Gateway, name: str
) -> None:
    with gateway.client.connect() as stream:
        for _ in range(2):
            stream.send(FINE[name])
            reply = stream.read_head().reply()
            assert (reply.status, reply.json["chat_input"]) == (200, "Hello")
        assert stream.buffer == b""


def test_trailers_are_not_headers(launch: Launch, mode: str) -> None:
    """A proxy in front of the gateway that checks headers does not check trailers."""
    own = launch({"server": {"api_keys": [GATE_KEY]}}, mode=mode)
    trailer = b"x-api-key: %b\r\n\r\n" % GATE_KEY.encode()
    with own.client.connect() as stream:
        stream.send(in_chunks(CHUNKED_BODY[:-2] + trailer))
        assert stream.read_head().reply().status == 401


def test_refusals_do_not_fill_the_log(launch: Launch, mode: str) -> None:
    own = launch(mode=mode)
    lines = len(own.output)
    for data, _ in list(NO_REQUEST.values())[:4]:
        with own.client.connect() as stream:
            stream.send(data)
            stream.read_head()
    assert own.output[lines:] == []
