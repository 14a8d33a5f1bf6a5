"""Opening connections: which address is tried when, and what happens in the first moments."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
import weakref
from collections.abc import Awaitable, Callable
from errno import ECONNREFUSED, EISCONN, EMFILE
from typing import Any

import pytest

from headway.transport import connector as module
from headway.transport.connection import Connection
from headway.transport.connector import EarlyData, open_socket
from headway.transport.limits import Limits
from headway.transport.tls import TlsSettings
from support.for_each import for_each
from support.garbage import collect_garbage
from support.receiver import (
    QUICK,
    Recorder,
    Run,
    begin,
    checked_transport,
    fetch,
    open_descriptors,
    request,
    until,
)
from support.scripted_server import ScriptedServer, answer
from support.waiting import PATIENCE_S

V4, V6 = socket.AF_INET, socket.AF_INET6
MEGABYTES = bytes(20_000_000)
"""More than a kernel takes at once."""


def row(family: int, host: str, port: int = 80) -> Any:
    place = (host, port) if family == V4 else (host, port, 0, 0)
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)


Resolve = Callable[..., Awaitable[list[Any]]]


def resolving_to(*rows: Any) -> Resolve:
    async def resolve(_host: str, _port: int) -> list[Any]:
        return list(rows)

    return resolve


def never_connect_to_test_addresses() -> None:
    """Connecting to an address in 192.0.2.0/24 (RFC 5737) does not end."""
    loop = asyncio.get_running_loop()
    sock_connect = loop.sock_connect

    async def slow(sock: socket.socket, address: Any) -> None:
        if address[0].startswith("192.0.2."):
            await asyncio.Event().wait()
        await sock_connect(sock, address)

    loop.sock_connect = slow  # type: ignore[method-assign]


# --- Happy Eyeballs ----------------------------------------------------------------------------


def test_the_next_address_is_tried_when_one_is_slow(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        never_connect_to_test_addresses()
        async with ScriptedServer([answer()]) as server:
            rows = [row(V4, "192.0.2.1"), row(V4, "192.0.2.2"), row(V4, "127.0.0.1", server.port)]
            monkeypatch.setattr(module, "_resolve", resolving_to(*rows))
            before, began = open_descriptors(), time.monotonic()
            sock = await open_socket("api.test", 80)
            assert time.monotonic() - began >= 0.45
            assert sock.getpeername()[1] == server.port
            sock.close()
            await until(lambda: open_descriptors() <= before)
            assert not [task for task in asyncio.all_tasks() if "_connect_sock" in repr(task)]

    run(main())


def test_families_take_turns_and_the_resolvers_first_choice_goes_first(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    async def main() -> None:
        async def refuse(_: socket.socket, address: Any) -> None:
            order.append(address[0])
            raise OSError(ECONNREFUSED, "refused")

        asyncio.get_running_loop().sock_connect = refuse  # type: ignore[method-assign]
        rows = [row(V6, "::a"), row(V6, "::b"), row(V6, "::c"), row(V4, "1.1.1.1")]
        monkeypatch.setattr(module, "_resolve", resolving_to(*rows))
        with pytest.raises(OSError):
            await open_socket("api.test", 80)

    run(main())
    assert order == ["::a", "1.1.1.1", "::b", "::c"]


def test_the_next_address_is_tried_at_once_when_one_refuses(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server, ScriptedServer([answer()]) as gone:
            await gone.__aexit__(None, None, None)
            rows = [row(V4, "127.0.0.1", gone.port), row(V4, "127.0.0.1", server.port)]
            monkeypatch.setattr(module, "_resolve", resolving_to(*rows))
            monkeypatch.setattr(module, "ATTEMPT_DELAY_S", 1000.0)
            async with asyncio.timeout(PATIENCE_S):
                (await open_socket("api.test", 80)).close()

    run(main())


def test_if_all_addresses_refuse_that_is_the_error(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server:
            port = server.port
        rows = [row(V4, "127.0.0.1", port), row(V4, "127.0.0.2", port)]
        before = open_descriptors()
        with monkeypatch.context() as patch:
            patch.setattr(module, "_resolve", resolving_to(*rows))
            with pytest.raises(ConnectionRefusedError):
                await open_socket("api.test", 80)
            async with checked_transport() as transport:
                receiver = await fetch(transport, "http://api.test:80")
                assert receiver.fault == ("UpstreamUnreachable", "connection_refused")
        assert open_descriptors() <= before

    run(main())


def test_if_addresses_fail_in_different_ways_each_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server:
            port = server.port
        rows = [row(V4, "127.0.0.1", port), row(V4, "224.0.0.1", port)]
        monkeypatch.setattr(module, "_resolve", resolving_to(*rows))
        async with checked_transport() as transport:
            receiver = await fetch(transport, "http://api.test:80")
            assert receiver.fault == ("UpstreamUnreachable", "unreachable")
            assert "127.0.0.1" in str(receiver.error)
            assert "224.0.0.1" in str(receiver.error) or "nreachable" in str(receiver.error)

    run(main())


def test_of_two_addresses_that_connect_at_once_one_is_closed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server:
            loop = asyncio.get_running_loop()
            sock_connect = loop.sock_connect
            release = asyncio.Event()

            async def together(sock: socket.socket, address: Any) -> None:
                await sock_connect(sock, address)
                await release.wait()

            loop.sock_connect = together  # type: ignore[method-assign]
            monkeypatch.setattr(module, "ATTEMPT_DELAY_S", 0.01)
            rows = [row(V4, "127.0.0.1", server.port)] * 2
            monkeypatch.setattr(module, "_resolve", resolving_to(*rows))
            before = open_descriptors()
            opening = asyncio.create_task(open_socket("api.test", 80))
            await until(lambda: server.connections == 2)
            await asyncio.sleep(0.05)
            release.set()
            (await opening).close()
            await server.left(2)
            await until(lambda: open_descriptors() <= before)

    run(main())


def test_cancelling_closes_the_sockets_of_all_attempts(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        never_connect_to_test_addresses()
        rows = [row(V4, "192.0.2.1"), row(V4, "192.0.2.2")]
        monkeypatch.setattr(module, "_resolve", resolving_to(*rows))
        before = open_descriptors()
        opening = asyncio.create_task(open_socket("api.test", 80))
        await asyncio.sleep(0.3)
        assert open_descriptors() > before
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await until(lambda: open_descriptors() <= before)
        assert len(asyncio.all_tasks()) <= 2

    run(main())


def test_send_never_raises_for_a_lack_of_descriptors(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To tell an address from a name may take one: the first time, Python loads a codec."""
    refusals = [OSError(EMFILE, "Too many open files")]
    resolve = socket.getaddrinfo

    def lacking(*args: Any, **options: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return resolve(*args, **options)

    async def main() -> None:
        async with ScriptedServer([answer(b"a")]) as server, checked_transport() as transport:
            monkeypatch.setattr(socket, "getaddrinfo", lacking)
            assert (await fetch(transport, server.url)).body == b"a"
            assert not refusals

    run(main())


def test_localhost_is_reached_whichever_family_listens(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer(b"4")]) as server, checked_transport() as transport:
            assert (await fetch(transport, f"http://localhost:{server.port}")).body == b"4"

    run(main())


def test_ipv6_is_reached(run: Run) -> None:
    try:
        socket.create_server(("::1", 0), family=V6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")

    async def main() -> None:
        async with (
            ScriptedServer([answer(b"6")], host="::1") as server,
            checked_transport() as transport,
        ):
            assert (await fetch(transport, server.url)).body == b"6"
            assert server.requests[0].header("host") == f"[::1]:{server.port}"

    run(main())


def test_a_socket_sends_at_once_and_notices_a_dead_peer(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server:
            sock = await open_socket("127.0.0.1", server.port)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            sock.close()

    run(main())


class Bsd(socket.socket):
    """``connect`` on a socket whose connection was made in the meantime fails with EISCONN, as on
    macOS and the BSDs (and in POSIX). Linux reports success once."""

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


def test_an_eisconn_from_connect_is_no_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with ScriptedServer([answer(b"a")]) as server, checked_transport() as transport:
            monkeypatch.setattr(socket, "socket", Bsd)
            _, receiver = begin(transport, server.url)
            await until(receiver.over.is_set)
            assert (receiver.body, server.connections) == (b"a", 1)

    run(main())


# --- The first moments of a connection -----------------------------------------------------------


def test_a_request_is_sent_as_soon_as_there_is_a_connection(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer(b"a")]) as server, checked_transport() as transport:
            _, receiver = begin(transport, server.url)
            assert receiver.log == []
            assert transport.stats[0].connecting == 1
            await receiver.over.wait()
            assert (receiver.log[0], receiver.body) == ("sent", b"a")

    run(main())


def test_the_rest_of_a_large_request_follows_when_the_kernel_takes_it(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"a"), answer(b"b")]) as server,
            checked_transport() as transport,
        ):
            _, receiver = begin(transport, server.url, body=MEGABYTES)
            await until(lambda: transport.stats[0].active == 1)
            assert receiver.log == [], "it is not sent yet"
            await receiver.over.wait()
            assert receiver.log[:2] == ["sent", "response"]
            assert server.requests[0].body == MEGABYTES
            assert (await fetch(transport, server.url)).body == b"b"
            assert server.connections == 1

    run(main())


@for_each("turns", range(8))
@for_each("body", [b"{}", MEGABYTES], ids=["small", "large"])
def test_cancelling_in_the_first_moments_leaves_nothing_open(
    run: Run, turns: int, body: bytes
) -> None:
    async def main() -> None:
        async with ScriptedServer(["hang"]) as server, checked_transport() as transport:
            before = open_descriptors()
            pending, receiver = begin(transport, server.url, body=body)
            for _ in range(turns):
                await asyncio.sleep(0)
            pending.cancel()
            seen = list(receiver.log)
            await until(lambda: transport.stats[0].open == transport.stats[0].connecting == 0)
            await server.left(server.connections)
            await until(lambda: open_descriptors() <= before)
            assert receiver.log == seen

    run(main())


@for_each("turns", range(8))
def test_closing_the_transport_in_the_first_moments_closes_the_socket(run: Run, turns: int) -> None:
    async def main() -> None:
        async with ScriptedServer(["hang"]) as server:
            before = open_descriptors()
            async with checked_transport() as transport:
                _, receiver = begin(transport, server.url)
                for _ in range(turns):
                    await asyncio.sleep(0)
            assert receiver.fault == ("UpstreamDisconnected", "transport_closed")
            await until(lambda: open_descriptors() <= before)

    run(main())


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[Connection]]:
    """All connections that there have been, even for a moment."""
    made: list[weakref.ref[Connection]] = []

    class Known(Connection):
        __slots__ = ("__weakref__",)

        def __init__(self, pool: Any) -> None:
            super().__init__(pool)
            made.append(weakref.ref(self))

    monkeypatch.setattr("headway.transport.pool.Connection", Known)
    return made


async def cancel_after(turns: int, url: str) -> None:
    async with checked_transport() as transport:
        pending, _ = begin(transport, url)
        for _ in range(turns):
            await asyncio.sleep(0)
        pending.cancel()


@pytest.mark.parametrize("turns", range(1, 8))
@pytest.mark.parametrize("has_name", [True, False])
def test_cancelling_in_the_first_moments_leaves_nothing_for_the_garbage_collector(
    run: Run, made: list[weakref.ref[Connection]], has_name: bool, turns: int
) -> None:
    async def main() -> None:
        async with ScriptedServer(["hang"]) as server:
            collect_garbage()
            gc.disable()
            try:
                await cancel_after(turns, server.named_url if has_name else server.url)
                await until(lambda: not any(left() for left in made))
            finally:
                gc.enable()
            assert made

    run(main())


@pytest.mark.parametrize("has_name", [True, False])
def test_a_refused_connection_leaves_nothing_for_the_garbage_collector(
    run: Run, made: list[weakref.ref[Connection]], has_name: bool
) -> None:
    async def main() -> None:
        async with ScriptedServer([]) as server:
            url = server.named_url if has_name else server.url
        async with checked_transport() as transport:
            collect_garbage()
            gc.disable()
            try:
                receiver = await fetch(transport, url)
                assert receiver.fault == ("UpstreamUnreachable", "connection_refused")
                del receiver  # its error refers to the frames that raised it
                await until(lambda: not any(left() for left in made))
            finally:
                gc.enable()
            assert made

    run(main())


@for_each("turns", range(6))
@for_each("has_name", [True, False])
def test_a_pause_in_the_first_moments_holds(run: Run, has_name: bool, turns: int) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[0.1, answer(b"a")]]) as server,
            checked_transport() as transport,
        ):
            pending, receiver = begin(transport, server.named_url if has_name else server.url)
            for _ in range(turns):
                await asyncio.sleep(0)
            pending.pause()
            await asyncio.sleep(0.3)
            assert receiver.log == ["sent"]
            pending.resume()
            await receiver.over.wait()
            assert receiver.body == b"a"

    run(main())


def test_a_pause_before_a_unix_socket_is_connected_holds(run: Run, tmp_path: Any) -> None:
    path = str(tmp_path / "s")

    async def main() -> None:
        async with (
            ScriptedServer([[0.05, answer(b"a")]], path=path) as server,
            checked_transport() as transport,
        ):
            pending, receiver = begin(transport, f"unix://{path}:/v1")
            pending.pause()
            await server.until(lambda: bool(server.requests))
            await asyncio.sleep(0.2)
            assert receiver.log == ["sent"]
            pending.resume()
            await receiver.over.wait()
            assert receiver.body == b"a"

    run(main())


@pytest.mark.parametrize("has_ended", [True, False])
def test_a_response_that_comes_before_the_transport_is_handed_over_is_read(
    run: Run, has_ended: bool
) -> None:
    """An overloaded server may answer without reading the request, and close."""

    async def main() -> None:
        async with ScriptedServer(["hang"]) as server, checked_transport() as transport:
            hand_over = EarlyData.hand_over

            def with_data(early: EarlyData, protocol: asyncio.Protocol) -> None:
                early.data_received(b"HTTP/1.1 503 Overloaded\r\ncontent-length: 1\r\n\r\n")
                early.data_received(b"x")
                if has_ended:
                    early.eof_received()
                hand_over(early, protocol)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(EarlyData, "hand_over", with_data)
                receiver = await fetch(transport, server.url)
            assert (receiver.status, receiver.body) == (503, b"x")
            assert transport.stats[0].open == (0 if has_ended else 1)

    run(main())


def test_a_connection_that_is_lost_before_it_is_handed_over_is_an_error(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(["hang"]) as server, checked_transport() as transport:
            hand_over = EarlyData.hand_over

            def lost(early: EarlyData, protocol: asyncio.Protocol) -> None:
                early._transport.abort()
                early.connection_lost(None)
                hand_over(early, protocol)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(EarlyData, "hand_over", lost)
                receiver = await fetch(transport, server.url)
            assert receiver.fault == ("UpstreamUnreachable", "connection_reset")
            await server.left()

    run(main())


def test_no_more_connections_are_made_than_are_allowed(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[0.05, answer(b"a")]] * 9) as server,
            checked_transport(limits=Limits(connections=2)) as transport,
        ):
            receivers = [begin(transport, server.url)[1] for _ in range(6)]
            stats = transport.stats[0]
            assert (stats.active, stats.waiting, stats.connecting) == (0, 6, 2)
            for receiver in receivers:
                await receiver.over.wait()
            assert server.connections == 2

    run(main())


def test_a_receiver_that_cancels_a_waiting_request_opens_no_connection_for_it(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer(["hang", answer(b"b")]) as server,
            checked_transport() as transport,
        ):
            first, _ = begin(transport, server.named_url)
            receiver = Recorder(on=lambda name: name == "sent" and first.cancel())
            transport.send(request(server.named_url), QUICK, receiver)
            await until(lambda: "sent" in receiver.log)
            await until(lambda: transport.stats[0].connecting == 0)
            assert transport.stats[0].waiting == 0

    run(main())


@pytest.mark.parametrize("is_tls", [True, False])
def test_a_request_fails_if_opening_its_connection_fails_after_it_was_sent(
    run: Run, certificates: Any, monkeypatch: pytest.MonkeyPatch, is_tls: bool
) -> None:
    """The request has been sent, but the task that opened the connection is not done."""

    async def main() -> None:
        tls = certificates.server() if is_tls else None
        async with (
            ScriptedServer(["hang"], tls=tls) as server,
            checked_transport(tls=TlsSettings(ca_file=certificates.ca_file)) as transport,
        ):
            connect = module._connect

            async def breaking(*args: Any) -> None:
                await connect(*args)
                raise ConnectionResetError

            monkeypatch.setattr(module, "_connect", breaking)
            receiver = Recorder()
            transport.send(request(server.url), QUICK, receiver)
            await until(receiver.over.is_set)
            assert (set(receiver.log), receiver.log[-1]) == ({"sent", "error"}, "error")
            assert receiver.fault == ("UpstreamDisconnected", "disconnected")
            assert transport.stats[0].open == transport.stats[0].connecting == 0

    run(main())
