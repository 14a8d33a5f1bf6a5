from __future__ import annotations

import asyncio
import socket
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway import errors
from headway.routing.breaker import BreakerRule
from headway.routing_state.memory import Change
from headway.routing_state.shared import MAX_READ, SharedRoutingState

TARGET, KEY = "openai/gpt-5", "openai#a"
RULE = BreakerRule(failures=1, cool_down_s=50.0)
BUSY = errors.UpstreamOverloaded("x")


class Workers:
    """Several states in one event loop. ``now`` is the clock of all."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.now = 100.0
        self.states: list[SharedRoutingState] = []

    def start(self) -> SharedRoutingState:
        state = SharedRoutingState(self.directory, lambda: self.now, RULE)
        self.states.append(state)
        return state

    def close(self) -> None:
        for state in self.states:
            state.close()

    def fail(self, state: SharedRoutingState, error: errors.HeadwayError = BUSY) -> None:
        state.begin(TARGET, KEY, self.now, stream=True).on_failure(error, self.now)


@pytest.fixture
def directory() -> Iterator[Path]:
    """Of a short path, as a socket's must be."""
    with tempfile.TemporaryDirectory(dir="/tmp") as found:
        yield Path(found)


async def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.001)


def run(directory: Path, work: Callable[[Workers], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        workers = Workers(directory)
        try:
            await work(workers)
        finally:
            workers.close()

    asyncio.run(main())


def test_a_target_that_one_worker_finds_broken_is_open_in_all(directory: Path) -> None:
    async def work(workers: Workers) -> None:
        one, two, three = workers.start(), workers.start(), workers.start()
        workers.fail(one)
        for other in (two, three):
            await until(lambda other=other: not other.target(TARGET).admits(149.0))  # type: ignore[misc]
            assert other.target(TARGET).breaker.openings == 1
        workers.now = 150.0
        probe = two.begin(TARGET, KEY, workers.now, stream=True)
        await until(lambda: not one.target(TARGET).admits(150.0))
        probe.on_content(150.5)
        await until(lambda: one.target(TARGET).admits(150.5))
        assert one.target(TARGET).breaker.state(150.5) == "closed"

    run(directory, work)


def test_a_probe_that_said_nothing_leaves_room_for_the_next(directory: Path) -> None:
    async def work(workers: Workers) -> None:
        one, two = workers.start(), workers.start()
        workers.fail(one)
        await until(lambda: not two.target(TARGET).admits(100.0))
        workers.now = 150.0
        probe = one.begin(TARGET, KEY, workers.now, stream=True)
        await until(lambda: not two.target(TARGET).admits(150.0))
        probe.on_cancel(150.0)
        await until(lambda: two.target(TARGET).admits(150.0))

    run(directory, work)


def test_keys_are_set_aside_in_all_workers(directory: Path) -> None:
    async def work(workers: Workers) -> None:
        one, two = workers.start(), workers.start()
        workers.fail(one, errors.UpstreamAuth("x"))
        await until(lambda: two.key_blocked_s("openai/other", KEY, 100.0) == 60.0)
        workers.fail(two, errors.UpstreamRateLimited("x", retry_after_s=90.0))
        await until(lambda: one.key_blocked_s(TARGET, KEY, 100.0) == 90.0)

    run(directory, work)


def test_a_worker_that_starts_later_learns_what_is_known(directory: Path) -> None:
    async def work(workers: Workers) -> None:
        one = workers.start()
        workers.fail(one)
        workers.fail(one, errors.UpstreamAuth("x"))
        workers.fail(one, errors.UpstreamRateLimited("x", retry_after_s=20.0))
        one.target("openai/good")
        workers.now = 110.0
        two = workers.start()
        await until(lambda: two.target(TARGET).breaker.blocked_s(110.0) == 40.0)
        await until(lambda: two.key_blocked_s("openai/other", KEY, 110.0) == 50.0)
        await until(lambda: two.target(TARGET).keys[KEY].blocked_s(110.0) == 10.0)
        assert two.target("openai/good").admits(110.0)

    run(directory, work)


def test_messages_that_nobody_sent_change_nothing(directory: Path) -> None:
    async def work(workers: Workers) -> None:
        one = workers.start()
        (path,) = directory.iterdir()
        stranger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        stranger.setblocking(False)
        encode = msgspec.msgpack.encode
        for data in (
            b"",
            b"\xff",
            encode(["x", ["open", 1, 2, 3]]),
            encode(["x", ["blow up", TARGET, "", 1.0]]),
            encode(["../x", None]),
            encode(["\udcff".encode("utf-8", "surrogatepass"), None]),
        ):
            await send(stranger, data, path)
        await send(stranger, encode(["x", Change("open", TARGET, "", 9.0)]), path)
        await until(lambda: not one.target(TARGET).admits(100.0))
        assert list(one.targets) == [TARGET]
        assert one.keys == {}
        stranger.close()

    run(directory, work)


async def send(sender: socket.socket, data: bytes, path: Path) -> None:
    """Again, while the queue is full."""
    while True:
        try:
            sender.sendto(data, str(path))
        except BlockingIOError:
            await asyncio.sleep(0.001)
        else:
            return


def test_a_worker_that_does_not_read_holds_nobody_up(directory: Path) -> None:
    async def work(workers: Workers) -> None:
        one = workers.start()
        deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        deaf.bind(str(directory / "deaf.sock"))
        (directory / "other").write_text("no socket of ours")
        for number in range(8 * MAX_READ):
            one.begin(f"openai/{number}", KEY, 100.0, stream=True).on_failure(BUSY, 100.0)
        assert len(one.targets) == 8 * MAX_READ
        deaf.close()

    run(directory, work)


def test_many_messages_are_read_in_turns(directory: Path) -> None:
    async def work(workers: Workers) -> None:
        one = workers.start()
        (path,) = directory.iterdir()
        stranger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        stranger.setblocking(False)
        for number in range(3 * MAX_READ):
            change = Change("open", f"openai/{number}", "", 9.0)
            await send(stranger, msgspec.msgpack.encode(["x", change]), path)
        await until(lambda: len(one.targets) == 3 * MAX_READ)
        stranger.close()

    run(directory, work)


def test_what_is_left_of_a_worker_that_died_is_removed(directory: Path) -> None:
    async def work(workers: Workers) -> None:
        dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        dead.bind(str(directory / "dead.sock"))
        dead.close()
        workers.start()
        assert not (directory / "dead.sock").exists()

    run(directory, work)


def test_a_name_that_is_too_long_to_tell_is_kept_for_oneself(directory: Path) -> None:
    async def work(workers: Workers) -> None:
        one, two = workers.start(), workers.start()
        name = "openai/" + "x" * 5000
        one.begin(name, KEY, 100.0, stream=True).on_failure(BUSY, 100.0)
        assert not one.target(name).admits(100.0)
        workers.fail(one)
        await until(lambda: not two.target(TARGET).admits(100.0))
        assert name not in two.targets

    run(directory, work)


def test_closing_leaves_nothing_behind(directory: Path) -> None:
    async def work(workers: Workers) -> None:
        one, two = workers.start(), workers.start()
        one.close()
        one.close()
        workers.fail(one)
        workers.fail(two)
        two.close()
        assert list(directory.iterdir()) == []
        directory.rmdir()
        workers.fail(one)
        directory.mkdir()

    run(directory, work)


def test_a_directory_whose_path_is_too_long_is_refused(directory: Path) -> None:
    async def work(workers: Workers) -> None:
        workers.directory = directory / ("x" * 120)
        workers.directory.mkdir()
        with pytest.raises(OSError, match="too long"):
            workers.start()

    run(directory, work)
