from __future__ import annotations

import asyncio
import json

from msgspec.structs import replace

from headway.pipeline.cached_reply import join_lines, new_reply_id, renew, replay, replay_at_pace
from headway.ports import CachedResponse, UpstreamRequest
from headway.types import Headers
from support.for_each import for_each
from support.pipeline_fakes import JSON, SSE, Clock, text

CALL = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
DIGITS = CALL.replace("-", "")
NOW = 1_800_000_000.0


class Receiver:
    upstream_request: UpstreamRequest | None = None

    def __init__(self) -> None:
        self.got: list[tuple[str, object, float]] = []

    def on_sent(self, now: float) -> None:
        self.got.append(("sent", None, now))

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        self.got.append(("response", status, now))

    def on_chunk(self, data: bytes, now: float) -> None:
        self.got.append(("chunk", data, now))

    def on_end(self, now: float) -> None:
        self.got.append(("end", None, now))

    def on_error(self, error: Exception, now: float) -> None:
        raise AssertionError(error)


def kept(*pieces: bytes, headers: Headers = JSON, reply_id: str | None = "c-1") -> CachedResponse:
    return CachedResponse(
        provider="openai",
        model="gpt-4o",
        stored=0.0,
        expires=1.0,
        status=200,
        headers=tuple(headers),
        pieces=pieces,
        times=tuple(0.5 * (at + 1) for at in range(len(pieces))),
        reply_id=reply_id,
    )


@for_each(
    ("given", "expected"),
    [
        ("chatcmpl-AbC123", f"chatcmpl-{DIGITS}"),
        ("msg_01XyZ", f"msg_{DIGITS}"),
        ("resp_123", f"resp_{DIGITS}"),
        ("gen-chat_12", f"gen-chat_{DIGITS}"),
        ("0190a1b2-c3d4-7e5f-8a9b-000000000000", CALL),
        ("Ab3dE", CALL),
        ("-x", CALL),
    ],
)
def test_a_new_id_has_the_form_of_the_old_one(given, expected) -> None:
    assert new_reply_id(given, CALL) == expected


@for_each(
    ("body", "expected"),
    [
        ({"id": "c-1", "created": 1_700_000_000}, {"id": f"c-{DIGITS}", "created": 1_800_000_000}),
        (
            {"response": {"id": "c-1", "created_at": 1_700_000_000}},
            {"response": {"id": f"c-{DIGITS}", "created_at": 1_800_000_000}},
        ),
        (
            {"created_at": "2024-05-06T07:08:09.123456Z"},
            {"created_at": "2027-01-15T08:00:00.000000Z"},
        ),
        ({"text": '"id":"c-1","created":1700000000'}, {"text": '"id":"c-1","created":1700000000'}),
        ({"created": 7}, {"created": 7}),
    ],
)
def test_a_reply_gets_a_new_id_and_the_time_of_now(body, expected) -> None:
    for separators in ((",", ":"), (", ", ": ")):
        (piece,) = renew(kept(json.dumps(body, separators=separators).encode()), CALL, NOW)
        assert json.loads(piece) == expected


def test_a_reply_without_an_id_or_in_a_binary_format_stays_as_it_is() -> None:
    assert renew(kept(b'{"a":"None"}', reply_id=None), CALL, NOW) == [b'{"a":"None"}']
    binary = kept(b'\x00"c-1"', headers=[(b"content-type", b"application/vnd.amazon.eventstream")])
    assert renew(binary, CALL, NOW) == [b'\x00"c-1"']


@for_each(
    ("pieces", "expected"),
    [
        ([b"a\n", b"b\n"], ([b"a\n", b"b\n"], [1.0, 2.0])),
        ([b"a", b"b\n", b"c"], ([b"ab\n", b"c"], [2.0, 3.0])),
        ([b"a", b"b"], ([b"ab"], [2.0])),
        ([], ([], [])),
    ],
)
def test_pieces_are_joined_to_lines(pieces, expected) -> None:
    assert join_lines(pieces, [1.0, 2.0, 3.0][: len(pieces)]) == expected


def test_a_replay_is_a_whole_response_at_once() -> None:
    receiver = Receiver()
    replay(kept(b"a", b"b"), b"ab", receiver, 7.0)
    assert receiver.got == [
        ("sent", None, 7.0), ("response", 200, 7.0), ("chunk", b"ab", 7.0), ("end", None, 7.0),
    ]  # fmt: skip


def test_a_replay_gives_no_end_to_a_receiver_that_has_seen_it() -> None:
    class Early(Receiver):
        def on_chunk(self, data: bytes, now: float) -> None:
            super().on_chunk(data, now)
            self.upstream_request = None

    receiver = Early()
    replay(kept(b"a"), b"a", receiver, 7.0)
    assert [name for name, *_ in receiver.got] == ["sent", "response", "chunk"]


def test_a_replay_at_pace_keeps_the_recorded_times() -> None:
    clock, receiver = Clock(), Receiver()
    began = clock()

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    async def run() -> None:
        response = kept(text("a"), text("b"), headers=SSE)
        shared, send = replay_at_pace(response, list(response.pieces), clock, sleep)
        shared.join(receiver).start(clock())
        await send()

    asyncio.run(run())
    assert [(name, now - began) for name, _, now in receiver.got] == [
        ("sent", 0.0), ("response", 0.0), ("chunk", 0.5), ("chunk", 1.0), ("end", 1.0),
    ]  # fmt: skip


def test_a_replay_at_pace_ends_when_nobody_reads_it() -> None:
    clock, receiver = Clock(), Receiver()

    async def run() -> None:
        response = replace(kept(b"a", b"b", headers=SSE), times=(0.5, 1.0))

        async def sleep(seconds: float) -> None:
            clock.now += seconds
            reader.cancel()

        shared, send = replay_at_pace(response, [b"a", b"b"], clock, sleep)
        reader = shared.join(receiver)
        reader.start(clock())
        await send()

    asyncio.run(run())
    assert [name for name, *_ in receiver.got] == ["sent", "response"]
