"""A connection begins as uvicorn has it, whichever uvicorn that is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from headway.server.front import Front
from headway.server.patience import PatientFlow
from headway.server.protocol import HeadwayProtocol
from server.connection import owner

OWN = {"parser", "pipeline"}
"""Each connection has one of its own, of the same type."""


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def arguments(loop: asyncio.AbstractEventLoop) -> tuple[Any, ...]:
    config = Config(
        owner(SimpleNamespace(new_id=lambda: "x")),
        http=HttpToolsProtocol,
        ws="none",
        log_config=None,
        limit_concurrency=7,
        timeout_keep_alive=9,
        root_path="/root",
    )
    config.load()
    return config, ServerState(), {"lifespan": 1}, loop


def values(protocol: Any, names: set[str]) -> dict[str, Any]:
    missing = object()
    return {name: getattr(protocol, name, missing) for name in names - OWN}


@pytest.mark.parametrize("kind", [Front, HeadwayProtocol])
def test_what_uvicorn_begins_with_is_there_once_it_gets_a_request(
    kind: Any, arguments: tuple[Any, ...]
) -> None:
    plain = HttpToolsProtocol(*arguments)
    ours = kind(*arguments)
    parser = ours.parser
    ours.begin_whole()
    names = set(vars(plain))
    assert names - OWN
    assert values(ours, names) == values(plain, names)
    assert {type(getattr(ours, name)) for name in OWN} == {
        type(getattr(plain, name)) for name in OWN
    }
    assert ours.parser is parser


@pytest.mark.parametrize("kind", [Front, HeadwayProtocol])
def test_what_is_there_before_is_as_uvicorn_has_it(kind: Any, arguments: tuple[Any, ...]) -> None:
    plain = HttpToolsProtocol(*arguments)
    ours = kind(*arguments)
    names = {name for name in vars(plain) if hasattr(ours, name)}
    assert values(ours, names) == values(plain, names)
    asked = {"logger", "client", "cycle", "flow", "transport", "connections", "scheme", "loop"}
    assert asked <= names, "connection_lost, shutdown and the cycles of hot requests read these"


def test_what_was_set_meanwhile_stays(arguments: tuple[Any, ...]) -> None:
    ours = Front(*arguments)
    ours.on_message_begin()
    ours.url, ours.headers = b"/x", [(b"host", b"x")]
    ours.begin_whole()
    assert (ours.url, ours.headers) == (b"/x", [(b"host", b"x")])


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
