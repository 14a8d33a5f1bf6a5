"""Credentials for AWS are kept while they last, and looked for once, however many wait."""

from __future__ import annotations

import asyncio
import time

import pytest

from aws_answers import (
    CONTAINER,
    HERE_FOUND,
    NOW,
    Wall,
    document,
    endpoints,
)
from headway.errors import UpstreamAuth
from headway.transport.aws_credentials import EARLY_S, REREAD_S, AwsCredentials
from scripted import ScriptedServer, answer
from taker import Run, checked_transport, until


def ends_at(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def test_many_who_wait_share_one_look(run: Run) -> None:
    async def scenario() -> None:
        reply = [0.02, answer(document())]
        async with ScriptedServer([reply]) as server, checked_transport() as transport:
            places = endpoints(server.url)
            source = AwsCredentials({}, CONTAINER, transport, Wall(), endpoints=places)
            shown = await asyncio.gather(*(source.credentials() for _ in range(20)))
            assert all(one == HERE_FOUND for one in shown)
            assert await source.credentials() is shown[0]
            assert len(server.requests) == 1

    run(scenario())


def test_one_who_leaves_does_not_end_the_look_for_the_others(run: Run) -> None:
    async def scenario() -> None:
        reply = [0.05, answer(document())]
        async with ScriptedServer([reply]) as server, checked_transport() as transport:
            places = endpoints(server.url)
            source = AwsCredentials({}, CONTAINER, transport, Wall(), endpoints=places)
            first = asyncio.ensure_future(source.credentials())
            second = asyncio.ensure_future(source.credentials())
            await until(lambda: bool(server.requests))
            first.cancel()
            assert await second == HERE_FOUND

    run(scenario())


def test_shortly_before_their_end_credentials_are_renewed_while_nobody_waits(run: Run) -> None:
    wall = Wall()
    replies = [
        answer(document("FIRST", ends_at(NOW + 3600))),
        answer(b"not now", 500),
        [0.02, answer(document("SECOND", ends_at(NOW + 7200)))],
    ]

    async def scenario() -> None:
        async with ScriptedServer(replies) as server, checked_transport() as transport:
            places = endpoints(server.url)
            source = AwsCredentials({}, CONTAINER, transport, wall, endpoints=places)

            async def key() -> str:
                return (await source.credentials())["access_key"]

            assert await key() == "FIRST"
            wall.now = NOW + 3600 - EARLY_S - 1
            assert await key() == "FIRST"
            assert len(server.requests) == 1

            wall.now += 2
            assert await key() == "FIRST"
            await until(lambda: len(server.requests) == 2 and source._looking is None)
            assert await key() == "FIRST"  # that failed: no new try for a while
            await asyncio.sleep(0.01)
            assert len(server.requests) == 2

            wall.now += 11
            assert [await key(), await key()] == ["FIRST", "FIRST"]
            await until(lambda: source._looking is None)
            assert await key() == "SECOND"
            assert len(server.requests) == 3

    run(scenario())


def test_what_has_ended_is_not_used(run: Run) -> None:
    wall = Wall()
    replies = [
        answer(document("FIRST", ends_at(NOW + 60))),
        answer(b"", 500),
        answer(document("SECOND", ends_at(NOW + 7200))),
    ]

    async def scenario() -> None:
        async with ScriptedServer(replies) as server, checked_transport() as transport:
            places = endpoints(server.url)
            source = AwsCredentials({}, CONTAINER, transport, wall, endpoints=places)
            assert (await source.credentials())["access_key"] == "FIRST"
            wall.now = NOW + 60
            with pytest.raises(UpstreamAuth, match="answered 500"):
                await source.credentials()
            assert (await source.credentials())["access_key"] == "SECOND"

    run(scenario())


@pytest.mark.parametrize("end", [None, "soon"])
def test_what_names_no_end_is_looked_for_again_after_a_while(run: Run, end: str | None) -> None:
    wall = Wall()

    async def scenario() -> None:
        replies = [answer(document("FIRST", end)), answer(document("SECOND", end))]
        async with ScriptedServer(replies) as server, checked_transport() as transport:
            places = endpoints(server.url)
            source = AwsCredentials({}, CONTAINER, transport, wall, endpoints=places)
            assert (await source.credentials())["access_key"] == "FIRST"
            wall.now += REREAD_S
            assert (await source.credentials())["access_key"] == "FIRST"
            await until(lambda: source._looking is None)
            assert (await source.credentials())["access_key"] == "SECOND"

    run(scenario())
