"""The buffer between the pipeline and an ASGI server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from headway.ports import ResponseHeaders
from headway.server.asgi_sink import HIGH_WATER, LOW_WATER, AsgiSink, ResponseBrokenOff
from support.waiting import PATIENCE_S

HEADERS = ResponseHeaders("a: b")


def test_a_client_slower_than_the_provider_makes_it_pause_and_resume() -> None:
    piece = b"x" * (HIGH_WATER // 4)

    async def main() -> None:
        sink, calls, sizes = AsgiSink(), [], []
        sink.on_pause = lambda: calls.append("pause")
        sink.on_resume = lambda: (calls.append("resume"), sink.end())[0]
        sink.send_headers(200, HEADERS)
        for _ in range(4):
            sink.write(piece)
        assert (sink.is_paused, calls) == (False, [])
        sink.write(b"x")
        sink.write(b"x")
        assert (sink.is_paused, calls) == (True, ["pause"])

        async def send(message: Any) -> None:
            if not calls[1:]:
                sizes.append(len(message.get("body", b"")))

        await sink.drain(send)
        assert (sink.is_paused, calls) == (False, ["pause", "resume"])
        left = 4 * len(piece) + 2 - sum(sizes)
        assert left <= LOW_WATER < left + len(piece)

    asyncio.run(main())


def test_a_sink_may_pause_without_callbacks() -> None:
    async def main() -> None:
        sink = AsgiSink()
        sink.send_headers(200, HEADERS)
        sink.write(b"x" * (HIGH_WATER + 1))
        sink.end(b"")
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await sink.drain(send)
        assert dict(sent[0]["headers"])[b"x-request-id"] == b"a: b"
        assert not sink.is_paused

    asyncio.run(main())


def test_unsent_messages_are_dropped_when_the_client_leaves() -> None:
    async def main() -> None:
        sink, sent, gone = AsgiSink(), [], []
        sink.on_gone = lambda: gone.append(True)
        sink.send_headers(200, HEADERS)
        sink.disconnect()

        async def send(message: Any) -> None:
            sent.append(message)

        await asyncio.wait_for(sink.drain(send), PATIENCE_S)
        assert (sent, gone) == ([], [True])

    asyncio.run(main())


def test_a_response_that_must_not_look_complete_is_broken_off() -> None:
    async def main(sink: AsgiSink) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        sink.send_head(200, [(b"a", b"b")])
        sink.write(b"1")
        sink.abort()
        with suppress(ResponseBrokenOff):
            await sink.drain(send)
            sent.append("returned")
        return sent

    start = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}
    piece = {"type": "http.response.body", "body": b"1", "more_body": True}
    assert asyncio.run(main(AsgiSink())) == [start, piece]
    can = asyncio.run(main(AsgiSink(can_break_off=True)))
    assert can == [start, piece, {"type": "headway.break_off"}, "returned"]
