from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from headway.errors import UpstreamError
from headway.ports import UpstreamRequest
from headway.transport.echo import EchoTransport
from headway.types import Headers, HttpRequest, Timeouts, Url
from support.for_each import for_each
from support.waiting import PATIENCE_S

WORDS = "one two three"
TIMEOUTS = Timeouts(first_byte=5, idle=5)
HASTY = Timeouts(first_byte=0.02, idle=0.02)


class Receiver:
    """Writes down what it is told, and lets a test act in the middle."""

    def __init__(self, on_chunk: Callable[[int], None] | None = None) -> None:
        self.told: list[Any] = []
        self.times: list[float] = []
        self.chunks: list[bytes] = []
        self.over = asyncio.Event()
        self.act = on_chunk

    def _tell(self, what: Any, now: float) -> None:
        self.told.append(what)
        self.times.append(now)

    def on_sent(self, now: float) -> None:
        self._tell("sent", now)

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        self._tell(status, now)

    def on_chunk(self, data: bytes, now: float) -> None:
        self._tell("chunk", now)
        self.chunks.append(data)
        if self.act is not None:
            self.act(len(self.chunks))

    def on_end(self, now: float) -> None:
        self._tell("end", now)
        self.over.set()

    def on_error(self, error: UpstreamError, now: float) -> None:
        self._tell(error, now)
        self.over.set()


def request(script: Any = None, stream: bool = True) -> HttpRequest:
    body = {
        "model": "echo",
        "stream": stream,
        "messages": [{"role": "user", "content": WORDS}],
        **({} if script is None else {"echo": script}),
    }
    return HttpRequest(Url("echo", "echo", 0, "/"), (), json.dumps(body).encode())


def play(script: Any = None, stream: bool = True, timeouts: Timeouts = TIMEOUTS) -> Receiver:
    """Until it is over."""

    async def main() -> Receiver:
        receiver = Receiver()
        transport = EchoTransport(time.perf_counter)
        transport.send(request(script, stream), timeouts, receiver)
        assert receiver.told == ["sent"]  # nothing else comes from inside ``send``
        await asyncio.wait_for(receiver.over.wait(), PATIENCE_S)
        await transport.close()
        return receiver

    return asyncio.run(main())


def test_a_stream_is_played_from_head_to_end() -> None:
    receiver = play()
    assert receiver.told == ["sent", 200, *["chunk"] * 7, "end"]
    assert receiver.chunks[-1] == b"data: [DONE]\n\n"
    assert receiver.times == sorted(receiver.times)


def test_a_whole_response_is_one_chunk() -> None:
    receiver = play(stream=False)
    assert receiver.told == ["sent", 200, "chunk", "end"]
    assert json.loads(receiver.chunks[0])["choices"][0]["message"]["content"] == WORDS


def test_each_response_has_an_id_of_its_own() -> None:
    def ids(receiver: Receiver) -> set[str]:
        chunks = [chunk.removeprefix(b"data: ") for chunk in receiver.chunks]
        return {json.loads(chunk)["id"] for chunk in chunks if chunk.startswith(b"{")}

    text = {"text": '"id":"chatcmpl-echo"'}
    found = [ids(play()), ids(play()), ids(play(text, stream=False))]
    assert [len(each) for each in found] == [1, 1, 1]
    assert len(set.union(*found)) == 3
    whole = json.loads(play(text, stream=False).chunks[0])
    assert whole["choices"][0]["message"]["content"] == text["text"]


def test_scripted_latencies_are_kept() -> None:
    script = {"latency": 0.02, "first_token": 0.03, "tokens_per_second": 100}
    receiver = play(script)
    sent, head, role, first, second = receiver.times[:5]
    assert head - sent >= 0.02
    assert role - head < first - role
    assert first - role >= 0.029
    assert second - first >= 0.009


def test_a_scripted_disconnect_is_reported_as_one() -> None:
    receiver = play({"fault": "cut", "fault_after": 1})
    assert receiver.told[:-1] == ["sent", 200, "chunk", "chunk"]
    assert receiver.told[-1].type == "connection_error"


# script, streamed, what comes before the timeout, its code
SILENT: list[tuple[Any, bool, list[Any], str]] = [
    ({"fault": "silence"}, True, ["sent"], "first_byte_timeout"),
    ({"latency": 60}, True, ["sent"], "first_byte_timeout"),
    ({"fault": "stall"}, True, ["sent", 200, "chunk", "chunk"], "idle_timeout"),
    ({"fault": "stall"}, False, ["sent", 200], "idle_timeout"),
    ({"first_token": 60}, True, ["sent", 200, "chunk"], "idle_timeout"),
    ({"first_token": 60}, False, ["sent", 200], "idle_timeout"),
]


@pytest.mark.parametrize(("script", "stream", "before", "code"), SILENT)
def test_scripted_silence_ends_in_the_same_timeout_as_on_a_socket(
    script: Any, stream: bool, before: list[Any], code: str
) -> None:
    receiver = play(script, stream, HASTY)
    assert receiver.told[:-1] == before
    error = receiver.told[-1]
    assert (error.type, error.code) == ("timeout_error", code)


def stopped(script: Any, when: int | None, stop: Callable[[UpstreamRequest], None]) -> Receiver:
    """After that many chunks, or before anything, ``stop`` is called; then some time passes."""

    async def main() -> Receiver:
        requests: list[UpstreamRequest] = []
        receiver = Receiver(lambda count: stop(requests[0]) if count == when else None)
        requests.append(EchoTransport(time.perf_counter).send(request(script), HASTY, receiver))
        if when is None:
            stop(requests[0])
        await asyncio.sleep(0.06)
        stop(requests[0])  # safe at any time
        return receiver

    return asyncio.run(main())


@for_each("stop", [lambda s: s.cancel(), lambda s: s.finish()], ids=["cancel", "finish"])
@for_each(
    ("script", "when", "told"),
    [
        (None, None, ["sent"]),
        ({"fault": "silence"}, None, ["sent"]),
        (None, 2, ["sent", 200, "chunk", "chunk"]),
        ({"tokens_per_second": 100}, 2, ["sent", 200, "chunk", "chunk"]),
        ({"fault": "cut", "fault_after": 1}, 2, ["sent", 200, "chunk", "chunk"]),
        (None, 7, ["sent", 200, *["chunk"] * 7]),
    ],
)
def test_after_a_cancel_nothing_is_called(
    script: Any, when: int | None, told: list[Any], stop: Callable[[UpstreamRequest], None]
) -> None:
    assert stopped(script, when, stop).told == told


def test_a_paused_response_waits_until_it_is_resumed() -> None:
    async def main() -> None:
        requests: list[UpstreamRequest] = []
        receiver = Receiver(lambda count: requests[0].pause() if count == 2 else None)
        requests.append(EchoTransport(time.perf_counter).send(request(), TIMEOUTS, receiver))
        await asyncio.sleep(0.03)
        assert len(receiver.chunks) == 2
        requests[0].resume()
        await asyncio.wait_for(receiver.over.wait(), PATIENCE_S)
        assert len(receiver.chunks) == 7
        assert receiver.told[-1] == "end"

    asyncio.run(main())


def test_a_pause_that_is_over_before_the_next_piece_costs_nothing() -> None:
    async def main() -> None:
        receiver = Receiver()
        pending = EchoTransport(time.perf_counter).send(request(), TIMEOUTS, receiver)
        pending.pause()
        pending.resume()
        await asyncio.wait_for(receiver.over.wait(), PATIENCE_S)
        assert len(receiver.chunks) == 7

    asyncio.run(main())
