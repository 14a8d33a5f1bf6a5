"""One model for several workers: who runs it, who is told, and who takes over."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Coroutine
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from headway.errors import UpstreamUnreachable
from headway.local.shared_model import SharedModel
from support.waiting import PATIENCE_S


class Inner:
    """A launcher that counts its starts, and fails while ``faults`` are left."""

    def __init__(self, url: str, delay: float = 0.0, faults: int = 0) -> None:
        self.url = url
        self.delay = delay
        self.faults = faults
        self.asked = 0
        self.closed = 0

    async def base_url(self) -> str:
        self.asked += 1
        await asyncio.sleep(self.delay)
        if self.faults:
            self.faults -= 1
            raise UpstreamUnreachable("no model here")
        return self.url

    async def close(self) -> None:
        self.closed += 1


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


def test_the_first_to_ask_starts_it_and_the_others_read_its_address(tmp_path: Path) -> None:
    async def main() -> None:
        inners = [Inner(f"http://127.0.0.1:{port}/v1", 0.1) for port in (1, 2, 3)]
        models = [SharedModel(tmp_path / "llama", inner) for inner in inners]
        urls = await asyncio.gather(*(model.base_url() for model in models))
        assert set(urls) == {inners[0].url}
        assert [inner.asked for inner in inners] == [1, 0, 0]
        assert [model.owns for model in models] == [True, False, False]
        for model in models:
            await model.close()

    run(main)


def test_the_other_workers_read_an_address_that_changes(tmp_path: Path) -> None:
    async def main() -> None:
        inner = Inner("http://127.0.0.1:12345/v1")
        owner, other = (SharedModel(tmp_path / "llama", inner) for _ in range(2))
        await owner.base_url()
        inner.url = "http://127.0.0.1:1/v1"
        await owner.base_url()
        assert await other.base_url() == "http://127.0.0.1:1/v1"
        for model in (owner, other):
            await model.close()

    run(main)


def test_when_the_owner_closes_the_next_to_ask_takes_over(tmp_path: Path) -> None:
    async def main() -> None:
        first, second = Inner("http://127.0.0.1:1/v1"), Inner("http://127.0.0.1:2/v1")
        owner, other = (SharedModel(tmp_path / "llama", inner) for inner in (first, second))
        await owner.base_url()
        assert await other.base_url() == first.url
        await owner.close()
        assert first.closed == 1
        assert await other.base_url() == second.url
        assert other.owns
        await other.close()

    run(main)


def test_after_a_failed_start_the_next_caller_starts_the_model(tmp_path: Path) -> None:
    async def main() -> None:
        broken, sound = Inner("x", 0.05, faults=1), Inner("http://127.0.0.1:2/v1")
        models = [SharedModel(tmp_path / "llama", inner) for inner in (broken, sound)]
        answers = await asyncio.gather(*(m.base_url() for m in models), return_exceptions=True)
        assert isinstance(answers[0], UpstreamUnreachable)
        assert answers[1] == sound.url
        assert [model.owns for model in models] == [False, True]
        assert await models[0].base_url() == sound.url
        for model in models:
            await model.close()

    run(main)


def test_close_before_a_start_does_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        model = SharedModel(tmp_path / "llama", Inner("x"))
        await model.close()
        await model.close()

    run(main)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
def test_another_worker_takes_over_when_the_owner_is_killed(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    pid = os.fork()
    if pid == 0:
        own_until_killed(tmp_path / "llama", theirs)
    theirs.close()
    assert ours.poll(PATIENCE_S)
    ours.recv()

    async def main() -> None:
        inner = Inner("http://127.0.0.1:2/v1")
        model = SharedModel(tmp_path / "llama", inner)
        assert await model.base_url() == "http://127.0.0.1:1/v1"
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        assert await model.base_url() == inner.url
        await model.close()

    run(main)
    ours.close()


def own_until_killed(path: Path, pipe: Connection) -> None:
    try:
        asyncio.run(SharedModel(path, Inner("http://127.0.0.1:1/v1")).base_url())
        pipe.send(None)
        signal.pause()
    finally:
        os._exit(1)
