"""The contract's definitions of each time, to the microsecond, with scripted arrival times."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from headway.errors import UpstreamDisconnected
from headway.providers.openai import provider as openai
from support.for_each import for_each
from support.pipeline_fakes import DONE, HELLO, ROLE, STOP, USAGE, WHOLE, Pipe, event, text

THOUGHT = event({"reasoning_content": "hm"})
EMPTY = event({"content": ""})
CALL = event({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "a", "arguments": ""}}]})
ARGUMENTS = event({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]})
LAST = event(
    {"content": "!"},
    "stop",
    usage={"prompt_tokens": 6, "completion_tokens": 26, "total_tokens": 32},
)

LATE = USAGE + DONE

# case; (seconds after the request, bytes); first token, gaps between content events, latency
SCRIPTS: list[tuple[str, list[tuple[float, bytes]], float | None, list[float], float]] = [
    (
        "a plain answer",
        [(0.1, ROLE), (0.3, text("a")), (0.4, text("b")), (0.6, STOP), (0.7, USAGE), (0.75, DONE)],
        0.3,
        [0.1],
        0.75,
    ),
    (
        "role-only first events",
        [(0.1, ROLE), (0.2, ROLE), (0.45, text("a")), (0.5, text("b")), (0.5, STOP + USAGE + DONE)],
        0.45,
        [0.05],
        0.5,
    ),
    (
        "empty deltas",
        [(0.1, EMPTY), (0.2, text("a")), (0.3, EMPTY), (0.6, text("b")), (0.7, STOP + LATE)],
        0.2,
        [0.4],
        0.7,
    ),
    (
        "usage in the last content event",
        [(0.2, text("a")), (0.5, LAST), (0.9, DONE)],
        0.2,
        [0.3],
        0.9,
    ),
    (
        "reasoning before text",
        [(0.2, THOUGHT), (0.3, THOUGHT), (0.7, text("a")), (0.8, STOP + USAGE + DONE)],
        0.2,
        [0.1, 0.4],
        0.8,
    ),
    (
        "a tool call",
        [(0.1, ROLE), (0.2, CALL), (0.35, ARGUMENTS), (0.4, STOP + USAGE + DONE)],
        0.2,
        [0.15],
        0.4,
    ),
    ("one content event", [(0.2, text("a")), (0.4, STOP + USAGE + DONE)], 0.2, [], 0.4),
    ("none at all", [(0.2, ROLE), (0.4, STOP + USAGE + DONE)], None, [], 0.4),
    ("all at once", [(0.3, HELLO)], 0.3, [0.0], 0.3),
    (
        "an event cut in two counts when it is whole",
        [(0.1, text("a")[:20]), (0.2, text("a")[20:]), (0.5, text("b") + STOP + USAGE + DONE)],
        0.2,
        [0.3],
        0.5,
    ),
    (
        "comments are nothing",
        [(0.1, b": busy\n\n"), (0.2, text("a")), (0.3, b": busy\n\n"), (0.4, STOP + USAGE + DONE)],
        0.2,
        [],
        0.4,
    ),
]  # fmt: skip
EACH = for_each(
    ("script", "first", "gaps", "latency"),
    [row[1:] for row in SCRIPTS],
    ids=[row[0] for row in SCRIPTS],
)
HEAD = 0.05
START = 1000.0


def play(pipe: Pipe, script: list[tuple[float, bytes]]) -> None:
    pipe.clock.now = START + HEAD
    pipe.upstream.respond()
    for after, data in script:
        pipe.clock.now = START + after
        pipe.upstream.chunk(data)


def near(seconds: float | None) -> Any:
    return None if seconds is None else pytest.approx(seconds, abs=1e-6)


def check(metrics: Any, first: float | None, gaps: list[float], latency: float) -> None:
    assert metrics["latency_s"] == near(latency)
    assert metrics["time_to_first_byte_s"] == near(HEAD)
    assert metrics["time_to_first_token_s"] == near(first)
    assert metrics["inter_token_latency_s"] == near(sum(gaps) / len(gaps) if gaps else None)
    assert metrics["inter_token_latency_max_s"] == near(max(gaps) if gaps else None)
    assert metrics["tokens_per_second"] == near(26 / latency)
    assert metrics["gateway_overhead_s"] == near(0.0)


@EACH
def test_an_accumulated_response_is_measured_as_a_stream(
    script: list[tuple[float, bytes]], first: float | None, gaps: list[float], latency: float
) -> None:
    pipe = Pipe()
    pipe.ask()
    play(pipe, script)
    check(pipe.sink.json["metrics"], first, gaps, latency)
    assert pipe.records[0].content_events == (0 if first is None else len(gaps) + 1)


@EACH
def test_a_streamed_reply_is_measured_the_same(
    script: list[tuple[float, bytes]], first: float | None, gaps: list[float], latency: float
) -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    play(pipe, script)
    check(pipe.sink.lines[-1]["metrics"], first, gaps, latency)


@EACH
def test_a_passed_through_reply_is_measured_the_same(
    script: list[tuple[float, bytes]], first: float | None, gaps: list[float], latency: float
) -> None:
    pipe = Pipe()
    pipe.ask_openai((b"x-headway-metrics", b"1"), stream=True)
    play(pipe, script)
    told = pipe.sink.body.split(b"\n\n")[-3]
    check(json.loads(told[6:])["metrics"], first, gaps, latency)


def test_each_event_has_the_time_when_it_arrived() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    play(pipe, [(0.25, text("a")), (0.5, text("b")), (0.75, STOP + DONE)])
    stamps = [line["timestamp"] for line in pipe.sink.lines]
    assert stamps == [near(1_700_000_000 + START + after) for after in (0.25, 0.5, 0.75)]


def test_time_before_sending_is_part_of_latency_and_time_to_sent() -> None:
    pipe = Pipe()
    send = pipe.transport.send

    def late(*args: Any) -> Any:
        pipe.clock.now += 0.125
        return send(*args)

    pipe.transport.send = late  # type: ignore[method-assign]
    pipe.ask_openai()
    pipe.clock.now += 1.0
    pipe.upstream.whole(WHOLE)
    (record,) = pipe.records
    assert record.latency_s == near(1.125)
    assert record.time_to_sent_s == near(0.125)


def test_the_gateways_own_time_is_overhead_and_waiting_for_credentials_is_not() -> None:
    class Credentials:
        def cached(self) -> None:
            """Nothing is cached."""

        async def credentials(self) -> dict[str, str]:
            pipe.clock.now += 2.0
            return {"access_token": "t"}

    def slow_encode(request: Any, target: Any) -> Any:
        pipe.clock.now += 0.25
        return openai.encode_request(request, target)

    provider = replace(openai.PROVIDER, encode_request=slow_encode)
    pipe = Pipe(provider=provider, credentials=Credentials(), api_key=None, needs_key=False)
    pipe.ask_openai()
    pipe.clock.now += 1.0
    pipe.upstream.whole(WHOLE)
    (record,) = pipe.records
    assert record.latency_s == near(3.25)
    assert record.gateway_overhead_s == near(0.25)


def test_times_of_a_later_attempt_start_with_the_clients_request() -> None:
    pipe = Pipe()
    pipe.ask(retries=1)
    pipe.clock.now = START + 1
    pipe.upstream.whole(b"{}", 500)
    pipe.clock.now = START + 2
    pipe.upstream.stream(HELLO)
    failed, answered = pipe.records
    assert (failed.latency_s, answered.latency_s) == (near(1.0), near(2.0))
    assert answered.time_to_first_token_s == near(2.0)


def test_time_of_earlier_attempts_is_not_overhead() -> None:
    pipe = Pipe()
    pipe.ask(retries=1)
    pipe.clock.now += 2.0  # the provider's time
    pipe.upstream.fail(UpstreamDisconnected("broken"))
    pipe.clock.now += 3.0
    pipe.upstream.stream(HELLO)
    last = pipe.records[-1]
    assert last.attempts == 2
    assert last.latency_s == pytest.approx(5.0)
    assert last.gateway_overhead_s == pytest.approx(0.0)


def test_the_wait_for_a_connection_is_on_record_where_there_was_one() -> None:
    pipe = Pipe()
    pipe.ask(model="m", chat_input="Hi")
    pipe.upstream.whole(WHOLE)
    assert pipe.records[-1].connect_s is None
    pipe.transport.is_connected = False
    pipe.ask(model="m", chat_input="Hi")
    pipe.clock.now += 0.25
    pipe.upstream.receiver.on_sent(pipe.clock())
    pipe.clock.now += 0.5
    pipe.upstream.whole(WHOLE)
    record = pipe.records[-1]
    assert (record.connect_s, record.time_to_sent_s) == (0.25, pytest.approx(0.25))


def test_the_wait_for_a_connection_that_fails_lasts_until_then() -> None:
    pipe = Pipe()
    pipe.transport.is_connected = False
    pipe.ask(model="m", chat_input="Hi")
    pipe.clock.now += 1.5
    pipe.upstream.fail(UpstreamDisconnected("no route"))
    record = pipe.records[-1]
    assert (record.connect_s, record.time_to_sent_s, record.outcome) == (1.5, None, "error")
