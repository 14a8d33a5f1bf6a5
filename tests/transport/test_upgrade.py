"""A connection that switches protocols (RFC 9110, section 7.8)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from headway.errors import UpstreamError
from headway.transport.client import HttpTransport
from headway.transport.limits import Limits
from headway.transport.response_parser import ResponseParser
from headway.transport.tls import TlsSettings
from headway.types import Headers, Timeouts
from support.receiver import QUICK, Recorder, Run, checked_transport, fetch, request, until
from support.scripted_server import ScriptedServer, answer

SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: odd\r\nx-a: b\r\n\r\n"
)
OFFER = (("connection", "Upgrade"), ("upgrade", "odd"))


class UpgradeRecorder(Recorder):
    def on_upgrade(self, headers: Headers, now: float) -> None:
        self.headers = dict(headers)
        self._note("upgrade", now)


class Echo(asyncio.Protocol):
    """Switches protocols, says hello with the same write, and then echoes until it gets ``bye``."""

    transport: asyncio.Transport
    head = b""
    is_slow = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if not self.head.endswith(b"\r\n\r\n"):
            self.head += data
            self.transport.write(SWITCH + b"hello")
            if self.is_slow:
                self.transport.pause_reading()
        elif not self.is_slow:
            self.transport.write(data)
            if data.endswith(b"bye"):
                self.transport.close()


@asynccontextmanager
async def serving(protocol: Callable[[], asyncio.Protocol] = Echo) -> AsyncIterator[str]:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


def send(transport: HttpTransport, url: str, timeouts: Timeouts = QUICK) -> tuple[Any, Any]:
    receiver = UpgradeRecorder()
    http_request = request(url, body=b"", method="GET", headers=OFFER)
    return transport.send(http_request, timeouts, receiver), receiver


def test_after_a_switch_bytes_go_both_ways_until_one_side_ends(run: Run) -> None:
    async def main() -> None:
        async with serving() as url, checked_transport() as transport:
            tunnel, receiver = send(transport, url)
            await until(lambda: receiver.body == b"hello")
            assert receiver.log == ["sent", "upgrade", "chunk"]
            assert receiver.headers[b"x-a"] == b"b"
            assert receiver.status is None
            large = b"x" * 300_000
            tunnel.write(large)
            await until(lambda: len(receiver.body) == 5 + len(large))
            (stats,) = transport.stats
            assert (stats.open, stats.active) == (1, 1)
            tunnel.write(b"bye")
            await until(receiver.over.is_set)
            assert receiver.log[-1] == "end"
            assert receiver.body.endswith(b"bye")
            assert tunnel.write(b"late")

    run(main())


def test_a_switch_goes_through_tls(run: Run, certificates: Any) -> None:
    async def main() -> None:
        settings = TlsSettings(ca_file=certificates.ca_file)
        async with (
            ScriptedServer(
                [[SWITCH + b"hello", 0.1, "close"]], tls=certificates.server()
            ) as server,
            checked_transport(tls=settings) as transport,
        ):
            tunnel, receiver = send(transport, server.url)
            await until(lambda: receiver.body == b"hello")
            tunnel.write(b"x")
            await until(receiver.over.is_set)
            assert receiver.log[-1] == "end"

    run(main())


def test_a_slow_provider_is_told_and_tells_when_it_has_read(run: Run) -> None:
    class Slow(Echo):
        is_slow = True

    async def main() -> None:
        made: list[Slow] = []

        def make() -> Slow:
            made.append(Slow())
            return made[0]

        async with serving(make) as url, checked_transport() as transport:
            tunnel, receiver = send(transport, url)
            await until(lambda: "upgrade" in receiver.log)
            for _ in range(1000):
                if not tunnel.write(b"x" * 100_000):
                    break
            else:
                raise AssertionError("the provider never was slow")
            count = receiver.log.count("sent")
            made[0].transport.resume_reading()
            await until(lambda: receiver.log.count("sent") > count)
            tunnel.cancel()

    run(main())


def test_a_session_times_out_when_both_sides_are_silent(run: Run) -> None:
    async def main() -> None:
        timeouts = Timeouts(connect=5, first_byte=5, idle=0.4, total=float("inf"))
        async with serving() as url, checked_transport() as transport:
            tunnel, receiver = send(transport, url, timeouts)
            await until(lambda: receiver.body == b"hello")
            began = time.monotonic()
            for _ in range(4):
                await asyncio.sleep(0.2)
                tunnel.write(b"x")
            assert not receiver.over.is_set()
            await until(receiver.over.is_set)
            assert receiver.fault == ("UpstreamTimeout", "idle_timeout")
            assert time.monotonic() - began > 1.0

    run(main())


def test_any_other_answer_is_one_like_others(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"no", 403), answer(b"yes")]) as server,
            checked_transport() as transport,
        ):
            _, receiver = send(transport, server.url)
            await until(receiver.over.is_set)
            assert (receiver.status, receiver.body) == (403, b"no")
            assert (await fetch(transport, server.url)).body == b"yes"
            assert server.connections == 1

    run(main())


def test_a_connection_that_breaks_is_an_error_and_closing_ends_all(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[SWITCH + b"a", 0.05, "reset"], [SWITCH + b"b", "hang"]]) as server,
            checked_transport() as transport,
        ):
            _, receiver = send(transport, server.url)
            await until(receiver.over.is_set)
            assert receiver.fault == ("UpstreamDisconnected", "disconnected")
            assert receiver.body == b"a"
            _, open_one = send(transport, server.url)
            await until(lambda: open_one.body == b"b")
            await transport.close()
            assert open_one.fault == ("UpstreamDisconnected", "transport_closed")

    run(main())


def test_a_switch_that_was_not_asked_for_is_an_error(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[SWITCH]]) as server,
            checked_transport() as transport,
        ):
            receiver = await fetch(transport, server.url)
            assert receiver.fault == ("UpstreamGarbled", None)

    run(main())


class Tunnelled:
    """A receiver that joins what it gets after a switch."""

    def __init__(self) -> None:
        self.headers: Headers = ()
        self.body = b""

    def on_upgrade(self, headers: Headers, now: float) -> None:
        self.headers = headers

    def on_chunk(self, data: bytes, now: float) -> None:
        assert data, "no empty chunks"
        self.body += data

    def on_sent(self, now: float) -> None: ...

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        raise AssertionError("a switch is no response")

    def on_end(self, now: float) -> None: ...

    def on_error(self, error: UpstreamError, now: float) -> None: ...


def test_the_head_and_what_follows_come_in_any_pieces() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    rest = b"\x00HTTP/1.1 200 OK\r\n\r\n"
    for data in (SWITCH + rest, early + SWITCH + rest):
        for cut in range(len(data) + 1):
            receiver = Tunnelled()
            parser = ResponseParser(Limits(), "host", None, time.monotonic)
            parser.begin(receiver, is_head=False)
            for piece in (data[:cut], data[cut:]):
                if piece:
                    parser.data_received(piece)
            assert receiver.body == rest, cut
            assert dict(receiver.headers)[b"x-a"] == b"b"
            assert parser.end_input(1.0)
            assert not parser.is_reusable
