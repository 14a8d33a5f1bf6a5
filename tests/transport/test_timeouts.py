"""Four timeouts, each its own error, from one coarse timer."""

from __future__ import annotations

import asyncio
import time

import pytest

from headway.transport.limits import Limits
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
from support.scripted_server import Reply, ScriptedServer, answer

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = OK + b"content-length: 100\r\n\r\n"
DRIP: Reply = [OK, *[step for _ in range(100) for step in (b"a: b\r\n", 0.02)]]

SLOW: dict[str, tuple[Reply, Timeouts, str]] = {
    "silence": ("hang", Timeouts(first_byte=0.15), "first_byte_timeout"),
    "a header that never ends": ([OK + b"a: ", "hang"], Timeouts(first_byte=0.15),
        "first_byte_timeout"),
    "a header, one line at a time": (DRIP, Timeouts(first_byte=0.15), "first_byte_timeout"),
    "1xx and then silence": ([b"HTTP/1.1 100 Continue\r\n\r\n", "hang"], Timeouts(first_byte=0.15),
        "first_byte_timeout"),
    "silence after the head": ([LENGTH, "hang"], Timeouts(idle=0.15), "idle_timeout"),
    "silence in the middle": ([LENGTH + b"a", 0.1, b"b", "hang"], Timeouts(idle=0.15),
        "idle_timeout"),
    "an idle timeout longer than the first byte's": ([LENGTH + b"a", "hang"],
        Timeouts(first_byte=0.1, idle=0.15), "idle_timeout"),
    "one byte at a time": ([LENGTH, *[step for _ in range(99) for step in (b"a", 0.02)]],
        Timeouts(idle=0.3, total=0.3), "total_timeout"),
    "silence for the whole time": ("hang", Timeouts(total=0.15), "total_timeout"),
}  # fmt: skip


@for_each("name", SLOW)
def test_each_timeout_has_its_own_error(run: Run, name: str) -> None:
    script, timeouts, code = SLOW[name]

    async def main() -> None:
        async with ScriptedServer([script]) as server, checked_transport() as transport:
            began = time.monotonic()
            receiver = await fetch(transport, server.url, timeouts)
            took = time.monotonic() - began
            assert 0.1 <= took < 8  # those that are not set are 10 s and more
            assert receiver.fault == ("UpstreamTimeout", code)
            assert f"127.0.0.1:{server.port}" in str(receiver.error)
            assert " s" in str(receiver.error)
            await server.left()
            assert transport.stats[0].open == 0

    run(main())


def test_each_timeout_message_has_its_duration(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(["hang"]) as server, checked_transport() as transport:
            receiver = await fetch(transport, server.url, Timeouts(first_byte=0.15))
            assert "did not begin to answer within 0.15 s" in str(receiver.error)

    run(main())


def test_connecting_times_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_host: str, _port: int) -> object:
        return await asyncio.Event().wait()

    monkeypatch.setattr("headway.transport.connector.open_socket", never)

    async def main() -> None:
        async with checked_transport() as transport:
            receiver = await fetch(transport, "http://127.0.0.1:9", Timeouts(connect=0.15))
            assert receiver.log == ["error"]
            assert receiver.fault == ("UpstreamTimeout", "connect_timeout")
            assert "no connection to 127.0.0.1:9 within 0.15 s" in str(receiver.error)
            assert transport.stats[0].connecting == 0

    run(main())


def test_a_stream_that_keeps_coming_does_not_time_out(run: Run) -> None:
    async def main() -> None:
        script = [LENGTH, *[step for _ in range(20) for step in (b"12345", 0.02)]]
        async with ScriptedServer([script]) as server, checked_transport() as transport:
            receiver = await fetch(transport, server.url, Timeouts(first_byte=0.2, idle=0.2))
            assert (receiver.log[-1], len(receiver.body)) == ("end", 100)

    run(main())


def test_the_idle_timeout_does_not_run_while_reading_is_paused(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[LENGTH + b"a", "hang"]]) as server,
            checked_transport() as transport,
        ):
            pending, receiver = begin(transport, server.url, Timeouts(idle=0.15))
            await until(lambda: receiver.body == b"a")
            pending.pause()
            await asyncio.sleep(0.4)
            assert not receiver.over.is_set()
            began = time.monotonic()
            pending.resume()
            await until(receiver.over.is_set)
            assert receiver.fault == ("UpstreamTimeout", "idle_timeout")
            assert time.monotonic() - began >= 0.1

    run(main())


def test_the_total_timeout_runs_on_while_reading_is_paused(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[LENGTH + b"a", "hang"]]) as server,
            checked_transport() as transport,
        ):
            pending, receiver = begin(transport, server.url, Timeouts(total=0.3))
            await until(lambda: receiver.body == b"a")
            pending.pause()
            await until(receiver.over.is_set)
            assert receiver.fault == ("UpstreamTimeout", "total_timeout")

    run(main())


def test_sending_a_large_request_counts_as_waiting_for_the_response(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[1.0]], reads_body=False) as server,
            checked_transport() as transport,
        ):
            timeouts = Timeouts(first_byte=0.2)
            receiver = await fetch(transport, server.url, timeouts, body=bytes(50_000_000))
            assert receiver.log == ["error"]
            assert receiver.fault == ("UpstreamTimeout", "first_byte_timeout")

    run(main())


def test_a_stall_of_the_event_loop_does_not_time_out_what_has_arrived(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[0.05, LENGTH + b"a" * 50, 0.1, b"b" * 50]]) as server,
            checked_transport() as transport,
        ):
            _, receiver = begin(transport, server.url, Timeouts(first_byte=0.3, idle=0.3))
            await until(lambda: len(receiver.body) == 50)
            time.sleep(0.6)  # the loop is blocked for longer than the timeout
            await until(receiver.over.is_set)
            assert receiver.log[-1] == "end"

    run(main())


def test_no_timer_runs_when_no_request_is_in_progress(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer()]) as server,
            checked_transport(limits=Limits(idle_s=0.1)) as transport,
        ):
            await fetch(transport, server.url)
            deadlines, reaper = transport._timeouts.timer, transport._idle_timer
            assert deadlines.is_running
            await until(lambda: not deadlines.is_running)
            await until(lambda: not reaper.is_running)
            await fetch(transport, server.url)
            assert deadlines.is_running
            assert reaper.is_running

    run(main())


def test_a_receiver_that_fails_in_its_timeout_does_not_stop_the_others(run: Run) -> None:
    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)

        def fail(name: str) -> None:
            if name == "error":
                raise KeyError("ours")

        async with ScriptedServer(["hang"]) as server, checked_transport() as transport:
            timeouts = Timeouts(first_byte=0.1)
            receivers = [Recorder(fail) for _ in range(3)]
            for receiver in receivers:
                transport.send(request(server.url), timeouts, receiver)
            await until(lambda: all(receiver.over.is_set() for receiver in receivers))
            assert (await fetch(transport, server.url, timeouts)).fault[1] == "first_byte_timeout"

    run(main())


def test_waiting_for_a_slow_connection_ends_when_another_one_is_free(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[0.1, answer(b"1")], answer(b"2")]) as server,
            checked_transport() as transport,
        ):
            _, first = begin(transport, server.named_url)
            await until(lambda: bool(server.requests))

            async def never(_host: str, _port: int) -> object:
                return await asyncio.Event().wait()

            monkeypatch.setattr("headway.transport.connector.open_socket", never)
            second = await fetch(transport, server.named_url, QUICK)
            assert (first.body, second.body) == (b"1", b"2")
            assert server.connections == 1

    run(main())
