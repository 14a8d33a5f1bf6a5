"""A library's HTTP requests, from a worker thread through the gateway's transport."""

from __future__ import annotations

import asyncio
import concurrent.futures
from functools import partial
from typing import Any

import pytest
import uvloop

from headway.credentials.thread_fetch import ThreadFetch
from headway.errors import UpstreamUnreachable
from headway.transport.fetch import fetch
from support.credential_fakes import UNREACHABLE
from support.receiver import Run, checked_transport
from support.scripted_server import ScriptedServer, answer


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return {"asyncio": asyncio.run, "uvloop": uvloop.run}[request.param]


@pytest.mark.parametrize("body", [b"a=b", "a=b", bytearray(b"a=b")])
def test_a_thread_waits_for_the_whole_response(run: Run, body: bytes) -> None:
    async def scenario() -> None:
        async with (
            ScriptedServer([answer(b"{}", 418)]) as server,
            checked_transport() as transport,
        ):
            send = ThreadFetch(partial(fetch, transport))
            headers = {"X-Text": "one", "X-Bytes": b"two", "Host": "other", "Content-Length": "9"}
            response = await asyncio.to_thread(
                send, "PUT", server.url + "/x?y=z", headers.items(), body
            )
            assert (response.status, response.body) == (418, b"{}")
            (request,) = server.requests
            assert (request.method, request.target, request.body) == ("PUT", "/x?y=z", b"a=b")
            assert (request.header("x-text"), request.header("x-bytes")) == ("one", "two")
            assert request.header("host") == server.url.removeprefix("http://")
            assert request.header("content-length") == "3"

    run(scenario())


def test_a_failure_of_the_network_is_raised_in_the_thread(run: Run) -> None:
    async def scenario() -> None:
        async with checked_transport() as transport:
            send = ThreadFetch(partial(fetch, transport))
            with pytest.raises(UpstreamUnreachable):
                await asyncio.to_thread(send, "GET", UNREACHABLE, (), None)

    run(scenario())


def test_a_waiting_thread_ends_when_the_gateway_shuts_down(run: Run) -> None:
    outcomes: list[BaseException] = []

    async def scenario() -> None:
        is_waiting = asyncio.Event()

        async def never(*_: Any) -> Any:
            is_waiting.set()
            await asyncio.Event().wait()

        send = ThreadFetch(never)

        def work() -> None:
            try:
                send("GET", UNREACHABLE, (), None)
            except concurrent.futures.CancelledError as error:
                outcomes.append(error)

        asyncio.get_running_loop().run_in_executor(None, work)
        await is_waiting.wait()

    run(scenario())  # returns when the loop's threads have ended
    assert len(outcomes) == 1
