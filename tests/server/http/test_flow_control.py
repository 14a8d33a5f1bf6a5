"""Flow control of one client connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl

from headway.server.http.flow_control import ClientFlowControl
from support.waiting import PATIENCE_S


def new_flow(on_resume: Callable[[], None] = lambda: None) -> ClientFlowControl:
    return ClientFlowControl(on_resume)


def test_it_has_the_interface_of_uvicorns_flow_control() -> None:
    flow = new_flow()
    transport: Any = object()
    theirs = FlowControl(transport)
    public = {name for name in vars(theirs) if not name.startswith("_")}
    assert public == {"read_paused", "write_paused"}
    assert {name: getattr(flow, name) for name in public} == {
        name: getattr(theirs, name) for name in public
    }
    methods = {name for name in vars(FlowControl) if callable(getattr(FlowControl, name))}
    assert methods <= set(vars(ClientFlowControl))


def test_resuming_calls_back_once_for_each_pause_until_it_is_detached() -> None:
    calls: list[int] = []
    flow = new_flow(lambda: calls.append(1))
    flow.resume_reading()
    assert calls == []
    flow.pause_reading()
    flow.pause_reading()
    flow.resume_reading()
    flow.resume_reading()
    assert calls == [1]
    flow.pause_reading()
    flow.detach()
    flow.resume_reading()
    assert calls == [1]
    assert not flow.read_paused


def test_a_writer_waits_until_the_client_takes_more() -> None:
    async def main() -> None:
        flow = new_flow()
        await flow.drain()
        flow.pause_writing()
        waiting = [asyncio.create_task(flow.drain()) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        flow.resume_writing()
        await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
        flow.resume_writing()
        await asyncio.wait_for(flow.drain(), PATIENCE_S)

    asyncio.run(main())
