"""Upstreams that misbehave, on real sockets. For each: the right error, once; the connection closed
and not used again; nothing left behind (``checked_transport`` counts descriptors and tasks)."""

from __future__ import annotations

import asyncio
import errno
import gzip
import socket
from collections.abc import Sequence

import pytest

from headway.transport.limits import Limits
from support.for_each import for_each
from support.receiver import Run, checked_transport, fetch, until
from support.scripted_server import Reply, ScriptedServer, Step, answer, chunked, sse

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
LENGTH = OK + b"content-length: 100\r\n\r\n"

BROKEN = ("UpstreamDisconnected", "disconnected")
NOT_HTTP = ("UpstreamGarbled", None)
TOO_LARGE = ("UpstreamGarbled", "head_too_large")

FAULTS: dict[str, tuple[Reply, tuple[str, str | None]]] = {
    "reset before headers": ("reset", BROKEN),
    "close before headers": ("close", BROKEN),
    "half-close before headers": (["half-close", "hang"], BROKEN),
    "reset within headers": ([OK, 0.02, "reset"], BROKEN),
    "close within headers": ([OK, 0.02, "close"], BROKEN),
    "reset after headers": ([LENGTH, 0.02, "reset"], BROKEN),
    "reset in the middle of an event": ([CHUNKED + b"9\r\ndata: ", 0.02, "reset"], BROKEN),
    "close in the middle of a chunk": ([CHUNKED + b"9\r\ndata: ", 0.02, "close"], BROKEN),
    "close between chunks": ([CHUNKED + b"1\r\na\r\n", "close"], BROKEN),
    "close before the last CRLF": ([CHUNKED + b"1\r\na\r\n0\r\n", "close"], BROKEN),
    "half-close in the middle": ([LENGTH + b"abc", "half-close", "hang"], BROKEN),
    "content-length too long": ([LENGTH + b"abc", "close"], BROKEN),
    "reset of a body without length": ([OK + b"\r\nabc", 0.02, "reset"], BROKEN),
    "garbage": ([b"\x00\x01\x02 garbage\r\n\r\n", "hang"], NOT_HTTP),
    "another protocol": ([b"220 mail ESMTP\r\n", "hang"], NOT_HTTP),
    "bad chunk size": ([CHUNKED + b"zz\r\nabc\r\n", "hang"], NOT_HTTP),
    "bad chunk end": ([CHUNKED + b"1\r\nabc\r\n", "hang"], NOT_HTTP),
    "both lengths": ([OK + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", "hang"],
        NOT_HTTP),
    "switching protocols": (
        [b"HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", "hang"], NOT_HTTP),
    "header bomb": ([OK, *[b"x: " + b"y" * 4000 + b"\r\n"] * 40, "hang"], TOO_LARGE),
    "header that never ends": ([OK + b"x: ", *[b"y" * 4000] * 40, "hang"], TOO_LARGE),
    "too many headers": ([OK + b"a: b\r\n" * 300 + b"\r\n", "hang"], TOO_LARGE),
    "trailers that never end": ([CHUNKED + b"0\r\n", *[b"x: y\r\n" * 500] * 40, "hang"], TOO_LARGE),
    "1xx that never ends": ([*[b"HTTP/1.1 103 Hints\r\n\r\n" * 100] * 40, "hang"], TOO_LARGE),
    "body over the limit": ([OK + b"content-length: 2000000\r\n\r\n" + bytes(2_000_000), "hang"],
        ("UpstreamGarbled", "body_too_large")),
    "gzip cut by the connection's end": (
        [OK + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"abc")[:-4], "close"],
        ("UpstreamGarbled", "bad_content_encoding")),
    "coding that nobody knows": ([OK + b"content-encoding: lzma\r\ncontent-length: 1\r\n\r\na"],
        ("UpstreamGarbled", "unknown_content_encoding")),
}  # fmt: skip


@for_each("name", FAULTS)
def test_an_upstream_fault_is_reported_once_and_closes_the_connection(run: Run, name: str) -> None:
    script, fault = FAULTS[name]

    async def main() -> None:
        limits = Limits(body_bytes=1_000_000)
        async with (
            ScriptedServer([script, answer(b"after")]) as server,
            checked_transport(limits=limits) as transport,
        ):
            receiver = await fetch(transport, server.url)
            assert receiver.fault == fault
            assert f"127.0.0.1:{server.port}" in str(receiver.error)
            assert transport.stats[0].open == 0
            await server.left()
            assert (await fetch(transport, server.url)).body == b"after"
            assert server.connections == 2
            assert receiver.log.count("error") == 1
            assert "end" not in receiver.log

    run(main())


@for_each("name", [name for name in FAULTS if not name.endswith("before headers")])
def test_a_fault_after_the_first_byte_is_the_same_on_a_reused_connection(
    run: Run, name: str
) -> None:
    script, fault = FAULTS[name]

    async def main() -> None:
        limits = Limits(body_bytes=1_000_000)
        async with (
            ScriptedServer([answer(), script]) as server,
            checked_transport(limits=limits) as transport,
        ):
            await fetch(transport, server.url)
            assert (await fetch(transport, server.url)).fault == fault
            assert (server.connections, len(server.requests)) == (1, 2)

    run(main())


FINE: dict[str, tuple[Sequence[Step], bytes]] = {
    "one byte at a time": (
        [step for byte in chunked(b"ab", b"c") for step in (bytes([byte]), 0.001)], b"abc"),
    "100-continue": ([b"HTTP/1.1 100 Continue\r\n\r\n", 0.02, answer(b"ok")], b"ok"),
    "103 early hints": ([b"HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n", 0.02, answer(b"ok")], b"ok"),
    "204": ([b"HTTP/1.1 204 No Content\r\n\r\n"], b""),
    "304": ([b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"], b""),
    "HTTP/1.0": ([b"HTTP/1.0 200 OK\r\n\r\nold", "close"], b"old"),
    "connection closed as the end": ([OK + b"\r\n", 0.02, b"abc", 0.02, "close"], b"abc"),
    "half-close as the end": ([OK + b"\r\nabc", "half-close", "hang"], b"abc"),
    "UTF-8 cut between chunks": ([chunked(b"\xc3", b"\xa9")], b"\xc3\xa9"),
    "an event of 10 MB": ([sse(b"x" * 10_000_000)], b"data: " + b"x" * 10_000_000 + b"\n\n"),
    "an error with a body": ([answer(b"{}", status=500)], b"{}"),
}  # fmt: skip


@for_each("name", FINE)
def test_unusual_but_valid_responses_are_accepted(run: Run, name: str) -> None:
    script, body = FINE[name]

    async def main() -> None:
        async with ScriptedServer([script]) as server, checked_transport() as transport:
            receiver = await fetch(transport, server.url)
            assert receiver.log[-1] == "end"
            assert receiver.body == body

    run(main())


def test_a_connection_refused_names_the_host_and_what_to_do(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server:
            url, port = server.url, server.port
        async with checked_transport() as transport:
            receiver = await fetch(transport, url)
            assert receiver.log == ["error"]
            assert receiver.fault == ("UpstreamUnreachable", "connection_refused")
            assert f"cannot reach 127.0.0.1:{port}: nothing listens there" in str(receiver.error)

    run(main())


def test_a_host_name_that_does_not_resolve_is_reported(run: Run) -> None:
    async def main() -> None:
        async with checked_transport() as transport:
            receiver = await fetch(transport, "http://no-such-host.invalid:81")
            assert receiver.fault == ("UpstreamUnreachable", "dns_failed")
            assert "no-such-host.invalid:81: its name does not resolve" in str(receiver.error)

    run(main())


def test_every_waiting_request_fails_if_the_connection_is_refused(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server:
            url = server.url
        async with checked_transport(limits=Limits(connections=3)) as transport:
            receivers = await asyncio.gather(*(fetch(transport, url) for _ in range(20)))
            assert {receiver.fault for receiver in receivers} == {
                ("UpstreamUnreachable", "connection_refused")
            }

    run(main())


def test_a_server_that_resets_as_it_accepts_is_reported(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer()], greeting="reset") as server,
            checked_transport() as transport,
        ):
            receiver = await fetch(transport, server.url)
            assert receiver.fault[0] in ("UpstreamDisconnected", "UpstreamUnreachable")
            await until(lambda: transport.stats[0].open == 0)

    run(main())


@pytest.mark.parametrize("way", ["close", "reset"])
@pytest.mark.parametrize("has_name", [True, False])
def test_a_connection_that_closes_as_soon_as_it_is_open_is_reported(
    run: Run, has_name: bool, way: str
) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer()], greeting=way) as server,
            checked_transport() as transport,
        ):
            receiver = await fetch(transport, server.named_url if has_name else server.url)
            assert receiver.log[-1] == "error"
            assert receiver.fault == ("UpstreamDisconnected", "disconnected")
            assert "before it answered" in str(receiver.error)
            await until(lambda: transport.stats[0].open == 0)

    run(main())


def test_a_server_that_does_not_speak_http_is_an_error(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"x")], greeting=[b"220 hello\r\n"]) as server,
            checked_transport() as transport,
        ):
            receiver = await fetch(transport, server.url)
            assert receiver.fault[0] in ("UpstreamGarbled", "UpstreamDisconnected")

    run(main())


def test_too_many_open_files_is_reported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    async def main() -> None:
        async with checked_transport() as transport:
            monkeypatch.setattr("headway.transport.connector.socket.socket", full)
            receiver = await fetch(transport, "http://127.0.0.1:9")
            monkeypatch.undo()
            assert receiver.fault == ("UpstreamUnreachable", "too_many_files")

    run(main())


def test_a_bug_while_connecting_fails_the_waiting_request(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise KeyError("ours")

    async def main() -> None:
        async with checked_transport() as transport:
            monkeypatch.setattr("headway.transport.connector.open_socket", broken)
            receiver = await fetch(transport, "http://127.0.0.1:9")
            assert receiver.fault == ("UpstreamUnreachable", "unreachable")
            assert "KeyError" in str(receiver.error)

    run(main())
