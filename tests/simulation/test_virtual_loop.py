from __future__ import annotations

import asyncio
from typing import Any

from simulation.virtual_loop import VirtualLoop


def run(loop: VirtualLoop, work: Any) -> Any:
    task = loop.create_task(work)
    loop.run_until_idle()
    return task.result()


def test_the_clock_jumps_to_the_next_timer() -> None:
    loop = VirtualLoop(100.0)
    rang: list[tuple[str, float]] = []
    loop.call_later(3600.0, lambda: rang.append(("late", loop.time())))
    loop.call_later(1.0, lambda: rang.append(("early", loop.time())))
    loop.call_later(2.0, rang.append, ("cancelled", 0.0)).cancel()
    loop.run_until(200.0)

    assert rang == [("early", 101.0)]
    assert loop.time() == 200.0
    assert len(loop.pending_timers()) == 1
    loop.run_until_idle()
    assert rang[1:] == [("late", 3700.0)]


def test_timers_of_one_time_ring_in_their_order() -> None:
    loop = VirtualLoop()
    rang: list[int] = []
    for number in range(5):
        loop.call_at(1.0, rang.append, number)
    loop.run_until_idle()

    assert rang == [0, 1, 2, 3, 4]


def test_tasks_sleep_wait_and_time_out_in_virtual_time() -> None:
    loop = VirtualLoop()

    async def work() -> str:
        await asyncio.sleep(1000.0)
        done, pending = await asyncio.wait([loop.create_future()], timeout=7.0)
        assert not done
        for each in pending:
            each.cancel()
        try:
            async with asyncio.timeout(60.0):
                await asyncio.sleep(61.0)
        except TimeoutError:
            return "timed out"
        return ""

    assert run(loop, work()) == "timed out"
    assert loop.time() == 1067.0
    assert loop.pending_tasks() == []
    assert loop.failures == []


def test_what_a_callback_raises_is_kept() -> None:
    loop = VirtualLoop()
    loop.call_soon(lambda: 1 / 0)
    loop.run_until_idle()

    (failure,) = loop.failures
    assert isinstance(failure["exception"], ZeroDivisionError)
