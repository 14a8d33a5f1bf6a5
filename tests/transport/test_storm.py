"""Many requests at once, to servers that misbehave at random, cancelled, finished and paused at
random: every request that was not given up ends exactly once, and nothing is left."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from headway.transport.limits import Limits
from headway.transport.tls import TlsSettings
from headway.types import Timeouts
from support.receiver import Recorder, Run, checked_transport, request, until
from support.scripted_server import Received, Reply, ScriptedServer, answer, chunked, sse
from support.waiting import PATIENCE_S

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"

REPLIES: list[Reply] = [
    answer(b"x" * 10),
    answer(b"x" * 100_000),
    sse(b"1", b"2", b"3"),
    [chunked(b"a")[:-5], 0.01, b"0\r\n\r\n"],
    [0.02, answer(b"late")],
    [CHUNKED + b"1\r\na\r\n", 0.01, b"1\r\nb\r\n", "close"],
    [CHUNKED + b"5\r\nabc", "reset"],
    [OK + b"connection: close\r\ncontent-length: 2\r\n\r\nok"],
    [OK + b"\r\nto the end", "close"],
    [answer(b"x"), "close"],
    answer(b"a") + b"extra",
    b"garbage\r\n\r\n",
    "close",
    "reset",
    "hang",
]


async def act(pending: Any, chance: random.Random) -> bool:
    """Whether it was given up."""
    await asyncio.sleep(chance.random() * 0.03)
    match chance.randrange(8):
        case 0:
            pending.cancel()
            return True
        case 1:
            pending.finish()
            return True
        case 2:
            pending.pause()
            await asyncio.sleep(0.01)
            pending.resume()
    return False


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_of_requests_and_faults_leaves_nothing_open(
    run: Run, certificates: Any, seed: int, secure: bool
) -> None:
    chance = random.Random(seed)

    def reply(_: Received) -> Reply:
        return chance.choice(REPLIES)

    async def one(transport: Any, url: str, timeouts: Timeouts) -> None:
        await asyncio.sleep(chance.random() * 0.5)
        receiver = Recorder()
        body = bytes(chance.choice([0, 100, 3_000_000]))
        pending = transport.send(request(url, body=body), timeouts, receiver)
        if await act(pending, chance):
            seen = list(receiver.log)
            await asyncio.sleep(0.05)
            assert receiver.log == seen
        else:
            await asyncio.wait_for(receiver.over.wait(), PATIENCE_S)
            assert receiver.log[-1] in ("end", "error")

    async def main() -> None:
        tls = certificates.server() if secure else None
        limits = Limits(connections=20, idle_connections=5, idle_s=0.2, drain_s=0.05)
        timeouts = Timeouts(connect=4.0, first_byte=0.5, idle=0.5, total=5.0)
        async with (
            ScriptedServer([reply], tls=tls) as server,
            checked_transport(
                limits=limits, tls=TlsSettings(ca_file=certificates.ca_file)
            ) as transport,
        ):
            await asyncio.gather(*(one(transport, server.url, timeouts) for _ in range(120)))
            await until(lambda: transport.stats == ())

    run(main())
