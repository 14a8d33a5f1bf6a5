"""Streamed answers: their pieces, a client that leaves, a failure on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from headway.errors import LedgerUnavailable
from headway.server.api.ledger_requests import Answer, Pieces
from headway.server.asgi_stream import stream
from headway.server.asgi_types import BREAK_OFF

Sent = list[Any]


def scope(method: str = "GET", breaks: bool = True) -> dict[str, Any]:
    extensions = {BREAK_OFF: {}} if breaks else {}
    return {"method": method, "path": "/api/export", "extensions": extensions}


async def waiting() -> Any:
    return await asyncio.get_running_loop().create_future()


def play(pieces: Pieces, asked: Any = None, receive: Any = waiting, fails: bool = False) -> Sent:
    sent: Sent = []

    async def send(message: Any) -> None:
        if fails and sent:
            raise OSError("the client left")
        sent.append(message)

    asyncio.run(stream(Answer(pieces, b"text/csv"), asked or scope(), receive, send))
    return sent


async def three(gone: asyncio.Event) -> AsyncGenerator[bytes, None]:
    for piece in (b"1", b"2", b"3"):
        yield piece


async def broken(gone: asyncio.Event) -> AsyncGenerator[bytes, None]:
    yield b"1"
    raise LedgerUnavailable("The ledger cannot be read now: it is full.")


def test_each_piece_is_a_message_and_the_end_is_one() -> None:
    start, *bodies = play(three)
    assert (start["status"], start["headers"]) == (200, [(b"content-type", b"text/csv")])
    assert [each["body"] for each in bodies] == [b"1", b"2", b"3", b""]
    assert [each.get("more_body", False) for each in bodies] == [True, True, True, False]


def test_a_head_request_has_no_pieces() -> None:
    assert [each.get("body") for each in play(three, scope("HEAD"))] == [None, b""]


def test_a_failure_breaks_the_response_off() -> None:
    assert [each["type"] for each in play(broken)][-1] == BREAK_OFF
    with pytest.raises(RuntimeError, match="it is full"):
        play(broken, scope(breaks=False))


def test_a_client_that_leaves_ends_the_pieces() -> None:
    made: list[int] = []
    closed: list[bool] = []

    async def endless(gone: asyncio.Event) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                made.append(1)
                yield b"x"
                await asyncio.sleep(0)
        finally:
            closed.append(gone.is_set())

    messages = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    sent = play(endless, receive=receive)
    assert closed == [True]
    assert len(made) < 10
    assert sent[-1]["more_body"]


def test_a_server_that_says_that_the_client_left_ends_the_pieces() -> None:
    assert len(play(three, fails=True)) == 1
