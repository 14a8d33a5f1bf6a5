"""Tasks of the gateway: kept while they run, shared by those who await them, and never silent."""

from __future__ import annotations

import asyncio

import pytest

from support.pipeline_fakes import Gate, Pipe, in_loop


async def fail() -> None:
    raise LookupError("a defect")


def test_a_failed_background_task_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    in_loop(lambda: pipe.gateway.start(fail()))
    assert [record.message for record in caplog.records] == ["a background task failed"]
    assert "LookupError" in caplog.text
    assert pipe.gateway.background_tasks == set()


def test_a_background_task_is_referenced_while_it_runs() -> None:
    pipe, gate = Pipe(), Gate[None]()
    task = in_loop(lambda: pipe.gateway.start(gate.wait()))
    assert pipe.gateway.background_tasks == {task}
    gate.set(None)
    assert pipe.gateway.background_tasks == set()


def test_shared_work_continues_when_one_of_its_waiters_is_cancelled() -> None:
    pipe, gate, done = Pipe(), Gate[str](), []

    async def work() -> None:
        done.append(await gate.wait())

    async def wait() -> None:
        await pipe.gateway.share(work())

    waiter = in_loop(lambda: pipe.gateway.start(wait()))
    in_loop(waiter.cancel)
    assert waiter.cancelled()
    gate.set("token")
    assert done == ["token"]
    assert pipe.gateway.background_tasks == set()


def test_an_exception_of_shared_work_reaches_the_waiter() -> None:
    pipe = Pipe()

    async def wait() -> None:
        with pytest.raises(LookupError, match="a defect"):
            await pipe.gateway.share(fail())

    asyncio.run(wait())
