from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from headway.pipeline.signals import Signal, start


def test_a_coroutine_runs_at_once_until_it_waits() -> None:
    signal: Signal[int] = Signal()
    seen: list[Any] = []

    async def run() -> None:
        seen.append("began")
        seen.append(await signal)

    start(run())
    assert seen == ["began"]
    signal.set(7)
    assert seen == ["began", 7]


def test_setting_continues_the_waiter_before_it_returns() -> None:
    first: Signal[int] = Signal()
    second: Signal[int] = Signal()
    seen: list[Any] = []

    async def run() -> None:
        seen.append(await first)
        seen.append(await second)

    start(run())
    first.set(1)
    seen.append("between")
    second.set(2)
    assert seen == [1, "between", 2]


def test_a_signal_that_is_set_makes_nobody_wait() -> None:
    signal: Signal[str] = Signal()
    signal.set("early")
    seen: list[str] = []

    async def run() -> None:
        seen.append(await signal)
        seen.append(await signal)

    start(run())
    assert seen == ["early", "early"]


def test_the_first_value_stays() -> None:
    signal: Signal[int] = Signal()
    assert not signal.is_set
    signal.set(1)
    signal.set(2)
    assert signal.is_set
    assert signal.value == 1


def test_none_is_a_value_too() -> None:
    signal: Signal[None] = Signal()
    seen: list[None] = []

    async def run() -> None:
        seen.append(await signal)

    start(run())
    assert seen == []
    signal.set(None)
    assert seen == [None]


def test_what_the_waiter_sets_while_it_runs_reaches_the_next() -> None:
    ask: Signal[int] = Signal()
    reply: Signal[int] = Signal()
    seen: list[int] = []

    async def server() -> None:
        reply.set(await ask + 1)

    async def client() -> None:
        ask.set(1)
        seen.append(await reply)

    start(server())
    start(client())
    assert seen == [2]


def test_what_a_coroutine_raises_comes_out_where_it_ran() -> None:
    signal: Signal[None] = Signal()

    async def run() -> None:
        await signal
        raise LookupError("late")

    start(run())
    with pytest.raises(LookupError, match="late"):
        signal.set(None)


def test_an_exception_is_handled_inside() -> None:
    signal: Signal[Exception] = Signal()
    seen: list[str] = []

    async def run() -> None:
        try:
            raise await signal
        except LookupError as error:
            seen.append(str(error))
        finally:
            seen.append("done")

    start(run())
    signal.set(LookupError("no"))
    assert seen == ["no", "done"]


# --- What asyncio gives can be awaited as well ----------------------------------------------------


def outcome(wait: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """What a started coroutine got from ``wait``, or the exception that it caught there."""

    async def main() -> Any:
        over: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def run() -> None:
            try:
                over.set_result(await wait())
            except (LookupError, asyncio.CancelledError) as error:
                over.set_result(error)

        start(run())
        return await asyncio.wait_for(over, 5)

    return asyncio.run(main())


def test_a_sleep_ends() -> None:
    assert outcome(lambda: asyncio.sleep(0.001, "slept")) == "slept"


def test_a_sleep_of_no_time_gives_way_and_ends() -> None:
    assert outcome(lambda: asyncio.sleep(0, "slept")) == "slept"


def test_a_future_that_is_done_makes_nobody_wait() -> None:
    async def wait() -> int:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        future.set_result(7)
        return await future

    assert outcome(wait) == 7


def test_a_result_from_a_thread_arrives() -> None:
    async def wait() -> int:
        return await asyncio.get_running_loop().run_in_executor(None, lambda: 7)

    assert outcome(wait) == 7


def test_an_exception_of_a_future_is_raised_where_it_is_awaited() -> None:
    async def wait() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, LookupError("no"))
        await future

    error = outcome(wait)
    assert isinstance(error, LookupError)


def test_a_cancelled_future_is_told() -> None:
    async def wait() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.cancel)
        await future

    assert isinstance(outcome(wait), asyncio.CancelledError)


def test_a_task_can_be_awaited() -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        return "worked"

    async def wait() -> str:
        return await asyncio.ensure_future(work())

    assert outcome(wait) == "worked"


def test_signals_and_futures_follow_one_another() -> None:
    async def wait() -> list[int]:
        signal: Signal[int] = Signal()
        asyncio.get_running_loop().call_soon(signal.set, 1)
        first = await signal
        await asyncio.sleep(0)
        return [first, await asyncio.sleep(0.001, 2)]

    assert outcome(wait) == [1, 2]
