"""Which address is tried when: Happy Eyeballs."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from errno import EMFILE
from typing import Any

import pytest

from headway.transport import dial as module
from headway.transport.dial import dial, interleave
from scripted import ScriptedServer, answer
from taker import Run, checked_transport, fetch, open_descriptors, until

V4, V6 = socket.AF_INET, socket.AF_INET6


def row(family: int, host: str, port: int = 80) -> Any:
    place = (host, port) if family == V4 else (host, port, 0, 0)
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)


def test_families_take_turns_and_the_resolvers_choice_goes_first() -> None:
    found = [row(V6, "a"), row(V6, "b"), row(V6, "c"), row(V4, "d"), row(V4, "e")]
    assert [place[4][0] for place in interleave(found)] == ["a", "d", "b", "e", "c"]
    found = [row(V4, "d"), row(V6, "a")]
    assert [place[4][0] for place in interleave(found)] == ["d", "a"]


Resolve = Callable[..., Awaitable[list[Any]]]


def resolving_to(*rows: Any) -> Resolve:
    async def resolve(_host: str, _port: int) -> list[Any]:
        return list(rows)

    return resolve


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses in 192.0.2.0/24 (RFC 5737) take for ever."""
    connect = module._connect

    async def slow(address: Any) -> socket.socket:
        if address[4][0].startswith("192.0.2."):
            await asyncio.Event().wait()
        return await connect(address)

    monkeypatch.setattr(module, "_connect", slow)


def test_an_address_that_takes_for_ever_is_overtaken(
    run: Run, monkeypatch: pytest.MonkeyPatch, never: None
) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server:
            rows = [row(V4, "192.0.2.1"), row(V4, "192.0.2.2"), row(V4, "127.0.0.1", server.port)]
            monkeypatch.setattr(module, "_resolve", resolving_to(*rows))
            before, began = open_descriptors(), time.monotonic()
            held = await dial("api.test", 80)
            assert 0.45 <= time.monotonic() - began < 2
            assert held.getpeername()[1] == server.port
            held.close()
            await until(lambda: open_descriptors() <= before)
            assert not [task for task in asyncio.all_tasks() if "slow" in repr(task)]

    run(main())


def test_an_address_that_refuses_is_passed_over_without_waiting(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server, ScriptedServer([answer()]) as gone:
            await gone.__aexit__(None, None, None)
            rows = [row(V4, "127.0.0.1", gone.port), row(V4, "127.0.0.1", server.port)]
            monkeypatch.setattr(module, "_resolve", resolving_to(*rows))
            monkeypatch.setattr(module, "STAGGER_S", 5.0)
            began = time.monotonic()
            (await dial("api.test", 80)).close()
            assert time.monotonic() - began < 1

    run(main())


def test_if_all_refuse_the_first_refusal_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server:
            port = server.port
        rows = [row(V4, "127.0.0.1", port), row(V6, "::1", port)]
        monkeypatch.setattr(module, "_resolve", resolving_to(*rows))
        before = open_descriptors()
        with pytest.raises(OSError):
            await dial("api.test", 80)
        assert open_descriptors() <= before

    run(main())


def test_of_two_that_succeed_at_once_one_is_closed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server:
            connect = module._connect

            async def together(address: Any) -> socket.socket:
                held = await connect(address)
                await release.wait()
                return held

            release = asyncio.Event()
            monkeypatch.setattr(module, "_connect", together)
            monkeypatch.setattr(module, "STAGGER_S", 0.01)
            rows = [row(V4, "127.0.0.1", server.port)] * 2
            monkeypatch.setattr(module, "_resolve", resolving_to(*rows))
            before = open_descriptors()
            dialing = asyncio.create_task(dial("api.test", 80))
            await until(lambda: server.connections == 2)
            await asyncio.sleep(0.05)
            release.set()
            (await dialing).close()
            await server.left(2)
            await until(lambda: open_descriptors() <= before)

    run(main())


def test_giving_up_closes_what_was_begun(
    run: Run, monkeypatch: pytest.MonkeyPatch, never: None
) -> None:
    async def main() -> None:
        rows = [row(V4, "192.0.2.1"), row(V4, "192.0.2.2")]
        monkeypatch.setattr(module, "_resolve", resolving_to(*rows))
        dialing = asyncio.create_task(dial("api.test", 80))
        await asyncio.sleep(0.3)
        dialing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialing
        assert len(asyncio.all_tasks()) <= 2

    run(main())


def test_a_lack_of_descriptors_never_comes_out_of_the_call_that_sends(
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
            held = await dial("127.0.0.1", server.port)
            assert held.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert held.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            held.close()

    run(main())
