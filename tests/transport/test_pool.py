"""Which connection serves which request, and which is kept."""

from __future__ import annotations

import asyncio

import pytest

from headway.transport.limits import Limits
from headway.transport.pool import OriginStats
from headway.types import Timeouts
from support.for_each import for_each
from support.receiver import (
    QUICK,
    Recorder,
    Run,
    begin,
    checked_transport,
    fetch,
    request,
    until,
)
from support.scripted_server import ScriptedServer, answer

HEAD = b"HTTP/1.1 200 OK\r\n"


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_connections_are_reused_last_in_first_out(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([[0.02, answer()]]) as server, checked_transport() as transport:
            receivers = [begin(transport, server.url)[1] for _ in range(3)]
            await until(lambda: all(receiver.over.is_set() for receiver in receivers))
            assert server.connections == 3
            last = server.requests[-1].connection
            for _ in range(4):
                await fetch(transport, server.url)
                assert server.requests[-1].connection == last
            assert server.connections == 3

    run(main())


def test_each_origin_has_its_own_pool(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"a")]) as one,
            ScriptedServer([answer(b"b")]) as two,
            checked_transport() as transport,
        ):
            assert (await fetch(transport, one.url)).body == b"a"
            assert (await fetch(transport, two.url)).body == b"b"
            assert {row.origin for row in transport.stats} == {one.url, two.url}

    run(main())


def test_requests_beyond_the_cap_wait_in_order(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[0.01, answer()]]) as server,
            checked_transport(limits=Limits(connections=2)) as transport,
        ):
            order: list[int] = []
            receivers = []
            for number in range(8):
                receiver = Recorder(
                    lambda name, n=number: order.append(n) if name == "sent" else None
                )
                transport.send(request(server.url), QUICK, receiver)
                receivers.append(receiver)
            await until(lambda: bool(server.requests))
            stats = transport.stats[0]
            assert (stats.open + stats.connecting, stats.waiting) == (2, 6)
            await until(lambda: all(receiver.over.is_set() for receiver in receivers))
            assert order == list(range(8))
            assert server.connections == 2

    run(main())


def test_a_wait_that_is_too_long_says_that_the_pool_is_exhausted(run: Run) -> None:
    async def main() -> None:
        timeouts = Timeouts(connect=0.1, first_byte=5, idle=5, total=5)
        async with (
            ScriptedServer([[HEAD, "hang"]]) as server,
            checked_transport(limits=Limits(connections=1)) as transport,
        ):
            begin(transport, server.url)
            await until(lambda: bool(server.requests))
            receiver = await fetch(transport, server.url, timeouts)
            assert receiver.fault == ("UpstreamTimeout", "connect_timeout")
            assert "connection pool exhausted: all 1 connections" in str(receiver.error)
            assert transport.stats[0].waiting == 0

    run(main())


def test_a_slot_that_a_failure_frees_serves_a_waiting_request(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[HEAD, 0.02, "reset"], answer(b"2")]) as server,
            checked_transport(limits=Limits(connections=1)) as transport,
        ):
            _, first = begin(transport, server.url)
            second = await fetch(transport, server.url)
            assert first.fault == ("UpstreamDisconnected", "disconnected")
            assert second.body == b"2"

    run(main())


def test_stats_count_connections_and_requests(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(), [HEAD, "hang"]]) as server,
            checked_transport() as transport,
        ):
            assert transport.stats == ()
            await fetch(transport, server.url)
            expected = OriginStats(
                origin=server.url, open=1, idle=1, active=0, connecting=0, waiting=0
            )
            assert transport.stats == (expected,)
            begin(transport, server.url)
            begin(transport, server.url)
            stats = transport.stats[0]
            assert (stats.active, stats.idle, stats.waiting, stats.connecting) == (1, 0, 1, 1)
            await until(lambda: transport.stats[0].active == 2)
            stats = transport.stats[0]
            assert (stats.active, stats.idle, stats.waiting, stats.connecting) == (2, 0, 0, 0)
            begin(transport, server.named_url)
            stats = transport.stats[1]
            assert (stats.active, stats.idle, stats.waiting, stats.connecting) == (0, 0, 1, 1)

    run(main())


CLOSING = {
    "connection: close": [HEAD + b"connection: close\r\ncontent-length: 1\r\n\r\na"],
    "HTTP/1.0": [b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na"],
    "no length": [HEAD + b"\r\na", "close"],
    "keep-alive for no time": [HEAD + b"keep-alive: timeout=0\r\ncontent-length: 1\r\n\r\na"],
    "extra bytes at once": [HEAD + b"content-length: 1\r\n\r\naEXTRA"],
    "extra bytes after a while": [HEAD + b"content-length: 1\r\n\r\na", 0.02, b"EXTRA", 1.0],
    "a second answer": [answer(b"a") + answer(b"b")],
}


@for_each("name", CLOSING)
def test_a_connection_that_cannot_serve_again_is_closed(run: Run, name: str) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([CLOSING[name], answer(b"b")]) as server,
            checked_transport() as transport,
        ):
            assert (await fetch(transport, server.url)).body == b"a"
            await until(lambda: transport.stats[0].open == 0)
            assert (await fetch(transport, server.url)).body == b"b"
            assert server.connections == 2
            await server.left()

    run(main())


def test_an_idle_connection_expires(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer()]) as server,
            checked_transport(limits=Limits(idle_s=0.1)) as transport,
        ):
            await fetch(transport, server.url)
            await server.left()
            await until(lambda: transport.stats == ())

    run(main())


def test_a_pool_that_was_dropped_is_opened_again_and_its_timeouts_checked(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"1"), "hang"]) as server,
            checked_transport(limits=Limits(idle_s=0.1)) as transport,
        ):
            await fetch(transport, server.url)
            await until(lambda: transport.stats == ())
            receiver = await fetch(transport, server.url, Timeouts(first_byte=0.1))
            assert receiver.fault == ("UpstreamTimeout", "first_byte_timeout")

    run(main())


def test_more_targets_than_are_remembered_are_all_served(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.transport.client.MAX_PREPARED", 2)

    async def main() -> None:
        async with ScriptedServer([answer()]) as server, checked_transport() as transport:
            for key in ("a", "b", "c", "a", "c"):
                await fetch(transport, server.url, headers=(("authorization", key),))
            sent = [received.header("authorization") for received in server.requests]
            assert sent == ["a", "b", "c", "a", "c"]
            assert len(transport._prepared) == 2

    run(main())


@for_each(
    ("hint", "after", "connections"),
    [("", 29.0, 1), ("", 30.0, 2), ("timeout=5", 3.9, 1), ("timeout=5", 4.0, 2),
     ("timeout=1", 0.4, 1), ("timeout=1", 0.5, 2), ("timeout=900", 30.0, 2)],
)  # fmt: skip
def test_an_idle_connection_is_not_used_past_its_time(
    run: Run, hint: str, after: float, connections: int
) -> None:
    async def main() -> None:
        clock = Hand()
        headers = [("keep-alive", hint)] if hint else []
        async with (
            ScriptedServer([answer(headers=headers)]) as server,
            checked_transport(clock=clock) as transport,
        ):
            await fetch(transport, server.url)
            clock.now += after
            await fetch(transport, server.url)
            assert server.connections == connections

    run(main())


def test_the_number_of_idle_connections_is_limited(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[0.05, answer()]]) as server,
            checked_transport(limits=Limits(idle_connections=2)) as transport,
        ):
            receivers = [begin(transport, server.url)[1] for _ in range(5)]
            await until(lambda: all(receiver.over.is_set() for receiver in receivers))
            assert transport.stats[0].idle == transport.stats[0].open == 2
            await server.left(3)

    run(main())


@pytest.mark.parametrize("way", ["close", "reset"])
def test_a_stale_connection_is_replaced_once(run: Run, way: str) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"1"), way, answer(b"2")]) as server,
            checked_transport() as transport,
        ):
            await fetch(transport, server.url)
            receiver = await fetch(transport, server.url, body=b"the body")
            assert receiver.body == b"2"
            assert receiver.log == ["sent", "sent", "response", "chunk", "end"]
            assert [received.body for received in server.requests[1:]] == [b"the body"] * 2
            assert server.connections == 2

    run(main())


def test_a_connection_closed_before_the_next_request_is_replaced(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[answer(b"1"), "close"], answer(b"2")]) as server,
            checked_transport() as transport,
        ):
            await fetch(transport, server.url)
            receiver = await fetch(transport, server.url)
            assert receiver.body == b"2"
            assert server.connections == 2

    run(main())


def test_a_second_disconnect_is_an_error(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"1"), "close", "close", answer(b"4")]) as server,
            checked_transport() as transport,
        ):
            await fetch(transport, server.url)
            receiver = await fetch(transport, server.url)
            assert receiver.fault == ("UpstreamDisconnected", "disconnected")
            assert len(server.requests) == 3

    run(main())


def test_a_fresh_connection_that_breaks_is_not_retried(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(["close", answer()]) as server, checked_transport() as transport:
            receiver = await fetch(transport, server.url)
            assert receiver.fault == ("UpstreamDisconnected", "disconnected")
            assert len(server.requests) == 1

    run(main())


@pytest.mark.parametrize("bytes_seen", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_request_is_not_retried_after_the_first_byte_of_its_response(
    run: Run, bytes_seen: bytes
) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(), [bytes_seen, 0.05, "close"], answer()]) as server,
            checked_transport() as transport,
        ):
            await fetch(transport, server.url)
            receiver = await fetch(transport, server.url)
            assert receiver.fault == ("UpstreamDisconnected", "disconnected")
            assert len(server.requests) == 2

    run(main())


def test_a_retry_does_not_use_another_idle_connection(run: Run) -> None:
    async def main() -> None:
        # Two connections are up; the server closes both as the next request comes.
        replies = [[0.05, answer()], [0.05, answer()], "close", answer(b"fresh")]
        async with ScriptedServer(replies) as server, checked_transport() as transport:
            receivers = [begin(transport, server.url)[1] for _ in range(2)]
            await until(lambda: all(receiver.over.is_set() for receiver in receivers))
            receiver = await fetch(transport, server.url)
            assert receiver.body == b"fresh"
            assert server.requests[-1].connection == 2

    run(main())


def test_every_request_of_a_burst_on_one_pool_is_served(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"x")]) as server,
            checked_transport(limits=Limits(connections=16)) as transport,
        ):
            receivers = [begin(transport, server.url)[1] for _ in range(300)]
            await asyncio.gather(*(receiver.over.wait() for receiver in receivers))
            assert all(receiver.body == b"x" for receiver in receivers)
            assert server.connections <= 16

    run(main())
