"""The first moments of a connection, before the event loop has a transport for it."""

from __future__ import annotations

import asyncio
import gc
import socket
import weakref
from errno import EISCONN
from typing import Any

import pytest

from headway.transport import Limits, TlsSettings
from headway.transport import connect as module
from headway.transport.connection import Connection
from headway.transport.standin import Standin
from scripted import ScriptedServer, answer
from taker import (
    QUICK,
    Run,
    Taker,
    begin,
    checked_transport,
    fetch,
    open_descriptors,
    request,
    until,
)

MEGABYTES = bytes(20_000_000)
"""More than a kernel takes at once."""


def test_a_request_to_this_machine_is_written_in_the_call_that_sends_it(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer(b"a")]) as server, checked_transport() as transport:
            _, taker = begin(transport, server.url)
            assert taker.log == ["sent"]
            assert transport.stats[0].active == 1
            await taker.over.wait()
            assert taker.body == b"a"

    run(main())


def test_a_request_to_elsewhere_is_written_as_soon_as_there_is_a_connection(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer(b"a")]) as server, checked_transport() as transport:
            _, taker = begin(transport, server.named_url)
            assert taker.log == []
            await taker.over.wait()
            assert (taker.log[0], taker.body) == ("sent", b"a")

    run(main())


def test_what_the_kernel_does_not_take_at_once_follows(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"a"), answer(b"b")]) as server,
            checked_transport() as transport,
        ):
            _, taker = begin(transport, server.url, body=MEGABYTES)
            assert taker.log == [], "it is not sent yet"
            await taker.over.wait()
            assert taker.log[:2] == ["sent", "response"]
            assert server.requests[0].body == MEGABYTES
            assert (await fetch(transport, server.url)).body == b"b"
            assert server.connections == 1

    run(main())


def test_what_the_loops_transport_takes_at_once_is_sent_then(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel had no room for a moment."""
    refusals = [BlockingIOError()]

    class Full(socket.socket):
        def send(self, *data: Any) -> int:
            if refusals:
                raise refusals.pop()
            return super().send(*data)

    def prepare(address: Any) -> Full:
        held = Full(address[0], address[1])
        held.setblocking(False)
        return held

    monkeypatch.setattr("headway.transport.standin.prepare", prepare)

    async def main() -> None:
        async with ScriptedServer([answer(b"a")]) as server, checked_transport() as transport:
            _, taker = begin(transport, server.url)
            assert taker.log == []
            await taker.over.wait()
            assert (taker.log, taker.body) == (["sent", "response", "chunk", "end"], b"a")

    run(main())


@pytest.mark.parametrize("turns", range(5))
@pytest.mark.parametrize("body", [b"{}", MEGABYTES], ids=["small", "large"])
def test_whoever_leaves_in_the_first_moments_leaves_nothing_behind(
    run: Run, turns: int, body: bytes
) -> None:
    async def main() -> None:
        async with ScriptedServer(["hang"]) as server, checked_transport() as transport:
            sending, taker = begin(transport, server.url, body=body)
            for _ in range(turns):
                await asyncio.sleep(0)
            sending.cancel()
            seen = list(taker.log)
            await until(lambda: transport.stats[0].open == 0)
            await server.left()
            assert taker.log == seen

    run(main())


@pytest.mark.parametrize("turns", range(5))
def test_a_transport_that_closes_in_the_first_moments_closes_the_socket(
    run: Run, turns: int
) -> None:
    async def main() -> None:
        async with ScriptedServer(["hang"]) as server:
            before = open_descriptors()
            async with checked_transport() as transport:
                _, taker = begin(transport, server.url)
                for _ in range(turns):
                    await asyncio.sleep(0)
            assert taker.fault == ("UpstreamDisconnected", "transport_closed")
            await until(lambda: open_descriptors() <= before)

    run(main())


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[Connection]]:
    """All connections that there are, be it for a moment."""
    made: list[weakref.ref[Connection]] = []

    class Known(Connection):
        __slots__ = ("__weakref__",)

        def __init__(self, pool: Any) -> None:
            super().__init__(pool)
            made.append(weakref.ref(self))

    monkeypatch.setattr("headway.transport.pool.Connection", Known)
    return made


async def leave_after(turns: int, url: str) -> None:
    async with checked_transport() as transport:
        sending, _ = begin(transport, url)
        for _ in range(turns):
            await asyncio.sleep(0)
        sending.cancel()


@pytest.mark.parametrize("turns", range(1, 6))
@pytest.mark.parametrize("is_near", [True, False])
def test_whoever_leaves_then_leaves_nothing_for_the_collector(
    run: Run, made: list[weakref.ref[Connection]], is_near: bool, turns: int
) -> None:
    async def main() -> None:
        async with ScriptedServer(["hang"]) as server:
            gc.collect()
            gc.disable()
            try:
                await leave_after(turns, server.url if is_near else server.named_url)
                await until(lambda: not any(left() for left in made))
            finally:
                gc.enable()
            assert made

    run(main())


@pytest.mark.parametrize("is_near", [True, False])
def test_neither_does_an_attempt_that_is_refused(
    run: Run, made: list[weakref.ref[Connection]], is_near: bool
) -> None:
    async def main() -> None:
        async with ScriptedServer([]) as server:
            url = server.url if is_near else server.named_url
        async with checked_transport() as transport:
            gc.collect()
            gc.disable()
            try:
                taker = await fetch(transport, url)
                assert taker.fault == ("UpstreamUnreachable", "connection_refused")
                del taker  # its error knows where it was raised
                await until(lambda: not any(left() for left in made))
            finally:
                gc.enable()
            assert made

    run(main())


class Bsd(socket.socket):
    """Says of a connection that was made in the meantime what macOS and the BSDs say, which POSIX
    wants: it is one already. Linux keeps that for later."""

    @property
    def _is_made(self) -> bool:
        try:
            self.getpeername()
        except OSError:
            return False
        return True

    def connect(self, place: Any) -> None:
        if self._is_made:
            raise OSError(EISCONN, "Socket is already connected")
        super().connect(place)

    def connect_ex(self, place: Any) -> int:
        return EISCONN if self._is_made else super().connect_ex(place)


@pytest.mark.parametrize("is_near", [True, False])
def test_a_connection_that_is_made_already_is_no_error_elsewhere_than_on_linux(
    run: Run, monkeypatch: pytest.MonkeyPatch, is_near: bool
) -> None:
    async def main() -> None:
        async with ScriptedServer([answer(b"a")]) as server, checked_transport() as transport:
            monkeypatch.setattr(socket, "socket", Bsd)
            _, taker = begin(transport, server.url if is_near else server.named_url)
            assert taker.log == (["sent"] if is_near else [])
            await until(taker.over.is_set)
            assert (taker.body, server.connections) == (b"a", 1)

    run(main())


def test_a_socket_that_cannot_be_tuned_is_served_and_closed_all_the_same(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS refuses that for a connection that was reset."""

    def refuse(_: object) -> None:
        raise OSError

    monkeypatch.setattr("headway.transport.standin.tune", refuse)

    async def main() -> None:
        async with asyncio.timeout(5), ScriptedServer([answer(b"a"), "hang"]) as server:
            async with checked_transport() as transport:
                assert (await fetch(transport, server.url)).body == b"a"
                begin(transport, server.url)
                await server.until(lambda: len(server.requests) == 2)
            await server.left()

    run(main())


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("is_near", [True, False])
def test_a_pause_in_the_first_moments_holds(run: Run, is_near: bool, turns: int) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[0.1, answer(b"a")]]) as server,
            checked_transport() as transport,
        ):
            sending, taker = begin(transport, server.url if is_near else server.named_url)
            for _ in range(turns):
                await asyncio.sleep(0)
            sending.pause()
            await asyncio.sleep(0.3)
            assert taker.log == ["sent"]
            sending.resume()
            await taker.over.wait()
            assert taker.body == b"a"

    run(main())


def test_a_pause_before_a_unix_socket_is_connected_holds(run: Run, tmp_path: Any) -> None:
    path = str(tmp_path / "s")

    async def main() -> None:
        async with (
            ScriptedServer([[0.05, answer(b"a")]], path=path) as server,
            checked_transport() as transport,
        ):
            sending, taker = begin(transport, f"unix://{path}:/v1")
            sending.pause()
            await server.until(lambda: bool(server.requests))
            await asyncio.sleep(0.2)
            assert taker.log == ["sent"]
            sending.resume()
            await taker.over.wait()
            assert taker.body == b"a"

    run(main())


def test_no_more_connections_are_made_than_are_allowed(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[0.05, answer(b"a")]] * 9) as server,
            checked_transport(limits=Limits(connections=2)) as transport,
        ):
            takers = [begin(transport, server.url)[1] for _ in range(6)]
            stats = transport.stats[0]
            assert (stats.active, stats.waiting, stats.connecting) == (2, 4, 0)
            for taker in takers:
                await taker.over.wait()
            assert server.connections == 2

    run(main())


def test_a_receiver_that_cancels_another_as_it_is_sent_dials_for_nobody(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer(["hang", answer(b"b")]) as server,
            checked_transport() as transport,
        ):
            first, _ = begin(transport, server.named_url)
            taker = Taker(on=lambda name: name == "sent" and first.cancel())
            transport.send(request(server.named_url), QUICK, taker)
            await until(lambda: "sent" in taker.log)
            await until(lambda: transport.stats[0].connecting == 0)
            assert transport.stats[0].waiting == 0

    run(main())


def test_a_socket_that_the_loop_does_not_like_is_left_to_the_slow_way(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sour(*_: object) -> None:
        raise OSError("no")

    async def main() -> None:
        async with ScriptedServer([answer(b"a")]) as server, checked_transport() as transport:
            before = open_descriptors()
            with monkeypatch.context() as patch:
                patch.setattr(Standin, "__init__", sour)
                _, taker = begin(transport, server.url)
                assert taker.log == []
                assert open_descriptors() <= before + 1
                await taker.over.wait()
            assert taker.fault == ("UpstreamUnreachable", "unreachable")

    run(main())


def test_a_transport_that_is_not_made_after_all_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Standin._made

    def late(self: Standin, waiter: object) -> None:
        self._making.close()  # type: ignore[attr-defined]
        made(self, waiter)

    monkeypatch.setattr(Standin, "_made", late)

    async def main() -> None:
        async with ScriptedServer(["hang"]) as server, checked_transport() as transport:
            taker = await fetch(transport, server.url)
            assert taker.log == ["sent", "error"]
            assert taker.fault == ("UpstreamDisconnected", "disconnected")

    run(main())


def test_whoever_has_a_connection_hears_of_it_if_its_making_is_broken_off(
    run: Run, certificates: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handshake is over and the request sent, but the task that waited for it is not done."""

    async def main() -> None:
        tls = certificates.server()
        async with (
            ScriptedServer(["hang"], tls=tls) as server,
            checked_transport(tls=TlsSettings(ca_file=certificates.ca_file)) as transport,
        ):
            connect = module._connect

            async def breaking(*args: Any) -> None:
                await connect(*args)
                raise ConnectionResetError

            monkeypatch.setattr(module, "_connect", breaking)
            taker = Taker()
            transport.send(request(server.url), QUICK, taker)
            await until(taker.over.is_set)
            assert (set(taker.log), taker.log[-1]) == ({"sent", "error"}, "error")
            assert taker.fault == ("UpstreamDisconnected", "disconnected")
            assert transport.stats[0].open == transport.stats[0].connecting == 0

    run(main())
