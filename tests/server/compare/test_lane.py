"""How the bytes of one call become events, without a call."""

from __future__ import annotations

import json
from typing import Any

from headway.errors import ShuttingDown
from headway.ports import ResponseHeaders
from headway.server.compare.lane import Lane
from support.for_each import for_each


class Written:
    """The comparison of one lane."""

    def __init__(self) -> None:
        self.is_paused = False
        self.data = b""
        self.over: list[Lane] = []
        self.now = 10.0
        self.lane = Lane(3, self, lambda: self.now, 10.0)

    def write(self, data: bytes) -> None:
        self.data += data

    def on_lane_over(self, lane: Lane) -> None:
        self.over.append(lane)

    @property
    def events(self) -> list[Any]:
        *blocks, rest = self.data.split(b"\n\n")
        assert not rest
        return [json.loads(block.removeprefix(b"data: ")) for block in blocks]


def chunk(value: Any, at_ms: float = 0.0) -> dict[str, Any]:
    return {"lane": 3, "type": "chunk", "at_ms": at_ms, "chunk": value}


@for_each(
    "pieces, values",
    [
        ([b'data: {"a":1}\n\n'], [{"a": 1}]),
        ([b'data: {"a":1}\n\ndata: {"b":2}\n\n'], [{"a": 1}, {"b": 2}]),
        ([b'data: {"a"', b":1}\n", b"\n"], [{"a": 1}]),
        ([b'data: {"a":1}\r\n\r\n'], [{"a": 1}]),
        ([b'data: {"a":\ndata: 1}\n\n'], [{"a": 1}]),
        ([b': keep-alive\ndata: {"a":1}\n\n'], [{"a": 1}]),
        ([b": a comment\n\n", b"data: [DONE]\n\n"], []),
        ([b""], []),
    ],
)
def test_each_object_of_a_stream_is_an_event(pieces: list[bytes], values: list[Any]) -> None:
    written = Written()
    for piece in pieces:
        written.lane.write(piece)
    assert written.events == [chunk(value) for value in values]


def test_events_tell_the_milliseconds_since_the_start_of_the_lane() -> None:
    written = Written()
    written.now = 10.1234567
    written.lane.write(b"data: 1\n\n")
    assert b'"at_ms":123.46,' in written.data


def test_an_error_before_the_stream_ends_the_lane_with_its_status() -> None:
    written = Written()
    body = b'{"error":{"message":"No","type":"t","code":null,"param":"model"}}'
    written.lane.send_response(404, ResponseHeaders("id"), body)
    [event] = written.events
    assert event["error"] == json.loads(body)["error"]
    assert (event["type"], event["status"], event["id"]) == ("error", 404, None)
    assert written.over == [written.lane]


def test_a_call_that_breaks_off_is_an_error_and_a_lane_ends_once() -> None:
    for end in ("abort", "end"):
        written = Written()
        written.lane.write(b'data: {"a":1}\n\n')
        getattr(written.lane, end)()
        written.lane.abort()
        assert [event["type"] for event in written.events] == ["chunk", "error"]
        assert written.events[-1]["status"] == 500
        assert written.over == [written.lane]


def test_an_error_in_a_stream_comes_after_what_arrived_with_it() -> None:
    written = Written()
    written.lane.failed = 502
    written.lane.end(b'data: {"a":1}\n\ndata: {"error":{"message":"cut"}}\n\n')
    first, second = written.events
    assert first == chunk({"a": 1})
    assert (second["type"], second["status"]) == ("error", 502)
    assert second["error"] == {"message": "cut"}


def test_a_lane_that_never_started_tells_how_long_it_waited() -> None:
    written = Written()
    written.now = 12.5
    written.lane.refuse(ShuttingDown("closing"))
    [event] = written.events
    assert (event["status"], event["at_ms"], event["waited_ms"]) == (503, 0.0, 2500.0)


def test_a_lane_is_paused_with_its_comparison() -> None:
    written = Written()
    assert not written.lane.is_paused
    written.is_paused = True
    assert written.lane.is_paused
