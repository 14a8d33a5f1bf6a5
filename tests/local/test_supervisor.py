from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
import uvloop
from processes import is_gone, standin, wait_for

from headway.errors import UpstreamUnreachable
from headway.local.process import is_healthy
from headway.local.supervisor import Backoff, Supervisor
from headway.local.unavailable import unavailable

QUICK = Backoff(first=0.01, attempts=3, rest=0.3, stable=30.0, start_timeout=20.0, grace=0.3)


@contextmanager
def supervised(
    command: Callable[[int], Sequence[str]], backoff: Backoff = QUICK
) -> Iterator[Supervisor]:
    supervisor = Supervisor(command, backoff)
    try:
        yield supervisor
    finally:
        supervisor.close()


def kill(supervisor: Supervisor) -> int:
    pid = supervisor.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def test_nothing_runs_before_it_is_wanted() -> None:
    with supervised(standin) as supervisor:
        assert supervisor.pid is None
        assert supervisor.url() is None


def test_its_address_is_given_when_it_answers() -> None:
    with supervised(standin) as supervisor:
        url = supervisor.ready().result(20)
        assert is_healthy(url)
        assert supervisor.url() == url == supervisor.ready().result(0)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_callers_at_once_share_one_start_under_either_loop(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    starts: list[int] = []

    def command(port: int) -> Sequence[str]:
        starts.append(port)
        return standin(port)

    async def ask(supervisor: Supervisor) -> list[str]:
        wanted = [asyncio.wrap_future(supervisor.ready()) for _ in range(5)]
        wanted.pop().cancel()
        return await asyncio.gather(*wanted)

    with supervised(command) as supervisor, asyncio.Runner(loop_factory=loop) as runner:
        assert len(set(runner.run(ask(supervisor)))) == 1
    assert starts == [0]


def test_it_comes_back_by_itself_and_on_the_same_port() -> None:
    with supervised(standin) as supervisor:
        url = supervisor.ready().result(20)
        first = kill(supervisor)
        assert wait_for(lambda: supervisor.pid not in (None, first), 10)
        assert wait_for(lambda: supervisor.url() is not None, 10)
        assert supervisor.url() == url


def test_whoever_asks_while_it_is_down_waits_for_it_to_be_back() -> None:
    with supervised(standin) as supervisor:
        url = supervisor.ready().result(20)
        first = kill(supervisor)
        assert wait_for(lambda: supervisor.pid != first, 5)
        assert supervisor.ready().result(20) == url
        assert supervisor.pid != first


def test_another_port_is_taken_when_the_old_one_is_lost() -> None:
    ports: list[int] = []

    def command(port: int) -> Sequence[str]:
        ports.append(port)
        return standin(port, "broken" if len(ports) == 2 else "well")

    with supervised(command) as supervisor:
        url = supervisor.ready().result(20)
        kill(supervisor)
        assert wait_for(lambda: len(ports) == 3, 10)
        assert supervisor.ready().result(20)
    assert ports == [0, int(url.rpartition(":")[2]), 0]


@pytest.mark.parametrize(
    ("alias", "why"),
    [
        ("broken", "it ended with exit code 1; its last words: cannot read the model"),
        ("silent", "it was ended by SIGKILL"),
        ("unwell", "it was ended by SIGKILL"),
    ],
)
def test_a_start_that_fails_is_tried_again_and_then_says_why(alias: str, why: str) -> None:
    starts: list[int] = []

    def command(port: int) -> Sequence[str]:
        starts.append(port)
        return standin(port, alias)

    backoff = Backoff(first=0.01, attempts=2, rest=60, start_timeout=3 if alias != "broken" else 20)
    with supervised(command, backoff) as supervisor:
        error = supervisor.ready().exception(20)
        assert isinstance(error, UpstreamUnreachable)
        assert why in error.message
        assert len(starts) == 2
        assert error.provider == "local"
        assert error.retry_after_s == 60


def test_one_that_dies_again_and_again_is_left_alone_for_a_while() -> None:
    with supervised(lambda port: standin(port, "brief")) as supervisor:
        supervisor.ready().result(20)
        assert wait_for(lambda: supervisor.ready().exception(20) is not None, 20)
        error = supervisor.ready().exception(0)
        assert isinstance(error, UpstreamUnreachable)
        assert "exit code 7" in error.message
        assert error.retry_after_s is not None
        assert 0 < error.retry_after_s <= QUICK.rest


def test_after_its_rest_it_is_tried_anew() -> None:
    alias = ["broken"]
    with supervised(lambda port: standin(port, alias[0])) as supervisor:
        assert supervisor.ready().exception(20) is not None
        alias[0] = "well"
        assert wait_for(lambda: supervisor.ready().exception(20) is None, 20)


def test_what_is_missing_is_said_at_once_to_everyone() -> None:
    def command(port: int) -> Sequence[str]:
        raise unavailable("there is nothing here", "make it")

    with supervised(command) as supervisor:
        errors = [supervisor.ready().exception(5) for _ in range(2)]
    assert [str(error) for error in errors] == [
        "The local model is not available: there is nothing here. To go on, run `make it`, or use "
        "another provider."
    ] * 2
    assert errors[0] is not errors[1]


def test_a_defect_in_its_thread_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(args.exc_type))

    def command(port: int) -> Sequence[str]:
        raise ZeroDivisionError

    with supervised(command) as supervisor:
        assert "its supervisor failed" in str(supervisor.ready().exception(5))
    assert wait_for(lambda: seen == [ZeroDivisionError], 5)


def test_a_program_that_cannot_be_run_is_a_failed_start() -> None:
    with supervised(lambda port: ["/nonexistent/program"]) as supervisor:
        assert "No such file" in str(supervisor.ready().exception(5))


@pytest.mark.parametrize("alias", ["well", "stubborn"])
def test_close_ends_the_child_and_is_final(alias: str) -> None:
    with supervised(lambda port: standin(port, alias)) as supervisor:
        supervisor.ready().result(20)
        pid = supervisor.pid
        assert pid is not None
        supervisor.close()
        assert is_gone(pid)
        assert supervisor.url() is None
        assert "stopped with the server" in str(supervisor.ready().exception(1))


def test_close_during_a_start_tells_whoever_waits() -> None:
    with supervised(lambda port: standin(port, "silent")) as supervisor:
        waiting = supervisor.ready()
        assert wait_for(lambda: supervisor.pid is not None, 10)
        supervisor.close()
        assert "stopped with the server" in str(waiting.exception(1))


def test_close_as_the_child_is_being_made_does_not_miss_it() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def command(port: int) -> Sequence[str]:
        asked.set()
        go_on.wait(10)
        return standin(port, "silent")

    with supervised(command) as supervisor:
        supervisor.ready()
        asked.wait(10)
        threading.Timer(0.1, go_on.set).start()
        supervisor.close()
        assert supervisor.pid is None


def test_the_wait_grows_from_death_to_death() -> None:
    backoff = Backoff(first=0.1, factor=2.0)
    assert [backoff.delay(failures) for failures in range(4)] == [0.0, 0.1, 0.2, 0.4]


def test_a_death_after_long_service_counts_as_the_first() -> None:
    backoff = Backoff(first=0.01, attempts=2, rest=60.0, stable=0.0)
    with supervised(standin, backoff) as supervisor:
        for _ in range(3):
            url = supervisor.ready().result(20)
            first = kill(supervisor)
            assert wait_for(lambda first=first: supervisor.pid not in (None, first), 10)
        assert supervisor.ready().result(20) == url
