from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
import uvloop
from child_processes import fake_server

from headway.errors import UpstreamUnreachable
from headway.local.errors import unavailable
from headway.local.supervisor import Backoff, Supervisor, is_healthy
from support.processes import is_gone
from support.waiting import PATIENCE_S

QUICK = Backoff(first=0.01, attempts=3, rest=0.3, stable=30.0, start_timeout=20.0, grace=0.3)
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
Command = Callable[[int], Sequence[str]]


@asynccontextmanager
async def supervised(
    command: Command = fake_server, backoff: Backoff = QUICK
) -> AsyncIterator[Supervisor]:
    async def asynchronous(port: int) -> Sequence[str]:
        return command(port)

    supervisor = Supervisor(asynchronous, backoff)
    try:
        yield supervisor
    finally:
        await supervisor.close()


def run(main: Awaitable[None], loop: Callable[[], asyncio.AbstractEventLoop] = LOOPS[0]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(2 * PATIENCE_S):
            await main

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(timed())


async def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def error_of(supervisor: Supervisor) -> UpstreamUnreachable:
    with pytest.raises(UpstreamUnreachable) as caught:
        await supervisor.ready()
    return caught.value


def kill(supervisor: Supervisor) -> int:
    pid = supervisor.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def test_nothing_runs_before_the_first_use() -> None:
    async def main() -> None:
        async with supervised() as supervisor:
            assert (supervisor.pid, supervisor.url) == (None, None)

    run(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_concurrent_callers_share_one_start(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    starts: list[int] = []

    def command(port: int) -> Sequence[str]:
        starts.append(port)
        return fake_server(port)

    async def main() -> None:
        async with supervised(command) as supervisor:
            callers = [asyncio.create_task(supervisor.ready()) for _ in range(5)]
            await asyncio.sleep(0)
            callers.pop().cancel()
            (url,) = set(await asyncio.gather(*callers))
            assert await is_healthy(url)
            assert supervisor.url == url == await supervisor.ready()

    run(main(), loop)
    assert starts == [0]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_killed_child_is_restarted_on_the_same_port(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def main() -> None:
        async with supervised() as supervisor:
            url = await supervisor.ready()
            first = kill(supervisor)
            await until(lambda: supervisor.pid != first)
            assert await supervisor.ready() == url
            assert supervisor.pid not in (None, first)

    run(main(), loop)


def test_another_port_is_used_when_the_first_one_is_lost() -> None:
    ports: list[int] = []

    def command(port: int) -> Sequence[str]:
        ports.append(port)
        return fake_server(port, "broken" if len(ports) == 2 else "well")

    async def main() -> None:
        async with supervised(command) as supervisor:
            url = await supervisor.ready()
            kill(supervisor)
            await until(lambda: len(ports) == 3)
            assert await supervisor.ready()
            assert ports == [0, int(url.rpartition(":")[2]), 0]

    run(main())


@pytest.mark.parametrize(
    ("alias", "why"),
    [
        ("broken", "it ended with exit code 1; its last words: cannot read the model"),
        ("silent", "it was ended by SIGKILL"),
        ("unwell", "it was ended by SIGKILL"),
    ],
)
def test_a_failed_start_is_retried_and_then_explained(alias: str, why: str) -> None:
    starts: list[int] = []

    def command(port: int) -> Sequence[str]:
        starts.append(port)
        return fake_server(port, alias)

    backoff = Backoff(first=0.01, attempts=2, rest=60, start_timeout=1 if alias != "broken" else 20)

    async def main() -> None:
        async with supervised(command, backoff) as supervisor:
            error = await error_of(supervisor)
            assert why in error.message
            assert (len(starts), error.provider) == (2, "local")
            assert error.retry_after_s == pytest.approx(60, abs=1)

    run(main())


def test_a_child_that_keeps_dying_is_not_restarted_for_a_while() -> None:
    async def main() -> None:
        async with supervised(lambda port: fake_server(port, "brief")) as supervisor:
            await supervisor.ready()
            await until(lambda: supervisor.pid is None and supervisor._task is None)
            error = await error_of(supervisor)
            assert "exit code 7" in error.message
            assert error.retry_after_s is not None
            assert 0 < error.retry_after_s <= QUICK.rest

    run(main())


def test_a_start_is_tried_again_after_the_waiting_time() -> None:
    alias = ["broken"]

    async def main() -> None:
        async with supervised(lambda port: fake_server(port, alias[0])) as supervisor:
            await error_of(supervisor)
            alias[0] = "well"
            await asyncio.sleep(QUICK.rest)
            assert await supervisor.ready()

    run(main())


def test_a_missing_requirement_is_reported_at_once_to_every_caller() -> None:
    def command(port: int) -> Sequence[str]:
        raise unavailable("there is nothing here", "make it")

    async def main() -> None:
        async with supervised(command) as supervisor:
            errors = [await error_of(supervisor) for _ in range(2)]
            assert [str(error) for error in errors] == [
                "The local model is not available: there is nothing here. To go on, run `make it`, "
                "or use another provider."
            ] * 2
            assert errors[0] is not errors[1]

    run(main())


def test_a_defect_of_the_supervisor_is_logged_and_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def command(port: int) -> Sequence[str]:
        raise ZeroDivisionError

    async def main() -> None:
        async with supervised(command) as supervisor:
            assert "its supervisor failed" in str(await error_of(supervisor))

    run(main())
    assert "ZeroDivisionError" in caplog.text


def test_a_program_that_cannot_be_run_is_a_failed_start() -> None:
    async def main() -> None:
        async with supervised(lambda port: ["/nonexistent/program"]) as supervisor:
            assert "No such file" in str(await error_of(supervisor))

    run(main())


@pytest.mark.parametrize("alias", ["well", "stubborn"])
def test_close_stops_the_child_for_good(alias: str) -> None:
    async def main() -> None:
        async with supervised(lambda port: fake_server(port, alias)) as supervisor:
            await supervisor.ready()
            pid = supervisor.pid
            assert pid is not None
            await supervisor.close()
            assert is_gone(pid)
            assert supervisor.url is None
            assert "stopped with the server" in str(await error_of(supervisor))

    run(main())


def test_close_during_a_start_releases_the_callers() -> None:
    async def main() -> None:
        async with supervised(lambda port: fake_server(port, "silent")) as supervisor:
            waiting = asyncio.create_task(supervisor.ready())
            await until(lambda: supervisor.pid)
            await supervisor.close()
            with pytest.raises(UpstreamUnreachable, match="stopped with the server"):
                await waiting

    run(main())


def test_the_delay_grows_with_each_failure() -> None:
    backoff = Backoff(first=0.1, factor=2.0)
    assert [backoff.delay(failures) for failures in range(4)] == [0.0, 0.1, 0.2, 0.4]


def test_a_failure_after_long_service_counts_as_the_first() -> None:
    backoff = Backoff(first=0.01, attempts=2, rest=60.0, stable=0.0)

    async def main() -> None:
        async with supervised(fake_server, backoff) as supervisor:
            for _ in range(3):
                url = await supervisor.ready()
                first = kill(supervisor)
                await until(lambda first=first: supervisor.pid not in (None, first))
            assert await supervisor.ready() == url

    run(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_health_check_that_is_given_up_closes_its_connection(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    kept: list[BaseException] = []

    async def check(port: int) -> None:
        try:
            await is_healthy(f"http://127.0.0.1:{port}")
        except asyncio.CancelledError as error:
            kept.append(error)  # with its frames: nothing is closed for being unused

    async def main() -> None:
        ended = asyncio.Event()

        async def give_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()  # the request has been sent
            checking.cancel()
            await reader.read()
            ended.set()
            writer.close()

        async with await asyncio.start_server(give_up, "127.0.0.1", 0) as server:
            checking = asyncio.create_task(check(server.sockets[0].getsockname()[1]))
            async with asyncio.timeout(PATIENCE_S):
                await ended.wait()

    run(main(), loop)
    assert kept
