"""Flow control as uvicorn's connections use it."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl

from headway.server.http.flow_control import PatientFlow


def test_a_flow_has_what_uvicorn_reads_of_one() -> None:
    transport: Any = object()
    flow = PatientFlow(transport, None)  # type: ignore[arg-type]
    plain = FlowControl(transport)
    public = {name for name in vars(plain) if not name.startswith("_")}
    assert public == {"read_paused", "write_paused"}
    assert {name: getattr(flow, name) for name in public} == {
        name: getattr(plain, name) for name in public
    }
    methods = {name for name in vars(FlowControl) if callable(getattr(FlowControl, name))}
    assert methods <= set(vars(PatientFlow)), "none may ask for what __init__ did not set"


def test_whoever_waits_to_write_goes_on_when_that_is_possible() -> None:
    async def main() -> None:
        flow = PatientFlow(None, None)  # type: ignore[arg-type]
        await flow.drain()
        flow.pause_writing()
        waiting = [asyncio.create_task(flow.drain()) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        flow.resume_writing()
        await asyncio.wait_for(asyncio.gather(*waiting), 5)
        flow.resume_writing()
        await asyncio.wait_for(flow.drain(), 5)

    asyncio.run(main())
