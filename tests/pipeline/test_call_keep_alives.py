"""What servers and proxies send only to keep a connection open is neither an error nor content."""

from __future__ import annotations

from collections.abc import Container

from support.for_each import for_each
from support.pipeline_fakes import DONE, ROLE, STOP, USAGE, Pipe, in_loop, text
from support.played_script import ROUTES, play
from support.wire_scripts import EVENT_STREAM, NDJSON, SCRIPTS, SSE, Pieces, Script

EVENTS = [
    b"event: ping\n\n",
    b"event: keepalive\ndata: null\n\n",
    b"data:\n\n",
    b"data: \n\n",
    b"data: {}\n\n",
    b"data: []\n\n",
    b'data: ""\n\n',
    b"data: true\n\n",
    b"data: 0\n\n",
    b"data: ping\n\n",
    b"data: [PING]\n\n",
    b"data: keep-alive\n\n",
    b'event: ping\ndata: {"type": "ping"}\n\n',
    b"retry: 3000\n\n",
    b": hello\n\n",
    b"\n\n",
]
LINES = [b"\n", b"\r\n", b"null\n", b"{}\n", b"[]\n", b"ping\n"]
STREAMED = [name for name in SCRIPTS if SCRIPTS[name](Pieces()).content_type != EVENT_STREAM]


@for_each("route", [route for route in ROUTES if "stream" in route])
@for_each("wire", STREAMED)
def test_signs_of_life_change_nothing(wire: str, route: str) -> None:
    script = SCRIPTS[wire](Pieces())
    expected = play(script, route)
    assert script.content_type in (SSE, NDJSON)
    signs = EVENTS if script.content_type == SSE else LINES
    first = int(script.content_type == NDJSON)  # the first line decides whether it is NDJSON
    everywhere = range(first, len(script.events) + 1)
    all_at_each_place = [(b"".join(signs), [at]) for at in everywhere]
    each_at_all_places = [(sign, everywhere) for sign in signs]
    for sign, places in (*all_at_each_place, *each_at_all_places):
        found = play(script, route, streamed=with_signs(script, sign, places))
        assert found.error is None, (sign, places, found.error)
        assert found[:5] == expected[:5], (sign, places)
        assert found.record.outcome == "ok"


def with_signs(script: Script, sign: bytes, places: Container[int]) -> bytes:
    """The stream with ``sign`` before the events in ``places``; the one after the last is there,
    too."""
    pieces = [*(script.write(*event) for event in script.events), script.streamed([])]
    return b"".join(sign * (at in places) + piece for at, piece in enumerate(pieces))


@for_each("stream", [True, False])
def test_a_finished_stream_that_only_gives_signs_of_life_is_complete(stream) -> None:
    pipe = Pipe()
    pipe.ask(is_stream=stream)
    pipe.upstream.stream(ROLE, text("Hello"), STOP, USAGE)
    for _ in range(6):
        assert not pipe.sink.is_over
        pipe.upstream.chunk(b": keep-alive\n\n")
        in_loop(lambda: pipe.call.keep_alive(pipe.clock(), 15.0))
        pipe.clock.now += 1.0
    assert pipe.sink.is_over
    assert pipe.upstream.history == ["finish"]
    (record,) = pipe.records
    assert (record.outcome, record.output_tokens) == ("ok", 26)


def test_a_stream_without_a_finish_reason_goes_on() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("Hello"))
    for _ in range(20):
        pipe.clock.now += 1.0
        in_loop(lambda: pipe.call.keep_alive(pipe.clock(), 15.0))
    pipe.upstream.chunk(text("!"), STOP, USAGE, DONE)
    assert pipe.sink.is_over
    assert b'"!"' in pipe.sink.body
