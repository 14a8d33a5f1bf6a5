from __future__ import annotations

import random
from itertools import pairwise

import pytest

from headway.events import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    Logprobs,
    Reasoning,
    Refusal,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.metering.histogram import ZERO, Histogram
from headway.metering.timing import Meter, Timing
from headway.response_accumulator import ResponseAccumulator
from headway.types import Usage
from support.for_each import for_each

START = 1000.0
MICROSECOND = 1e-6

Frame = tuple[float, list[Event]]

ROLE: list[Event] = [Started(id="x")]
WORD: list[Event] = [Text("word")]
THOUGHT: list[Event] = [Reasoning("hm")]
STOP: list[Event] = [Finished("stop")]
USAGE: list[Event] = [UsageReported(Usage(input_tokens=6, output_tokens=26))]
CALL: list[Event] = [ToolStarted(0, "call_1", "weather")]
ARGUMENTS: list[Event] = [ToolArguments(0, '{"city"')]

# name, frames as (seconds after the start, events), time to first token, gaps
SCRIPTS: list[tuple[str, list[Frame], float | None, list[float]]] = [
    ("nothing at all", [], None, []),
    ("no content", [(0.2, ROLE), (0.3, STOP), (0.4, USAGE), (0.5, [StreamEnd()])], None, []),
    ("one content event", [(0.25, WORD), (0.5, STOP)], 0.25, []),
    ("a role-only first event", [(0.1, ROLE), (0.4, WORD), (0.5, WORD)], 0.4, [0.1]),
    ("an empty delta between", [(0.1, WORD), (0.2, []), (0.4, WORD)], 0.1, [0.3]),
    ("usage in the last event", [(0.1, WORD), (0.2, WORD), (0.9, USAGE)], 0.1, [0.1]),
    ("a last event with content and usage", [(0.1, WORD), (0.3, WORD + STOP + USAGE)], 0.1, [0.2]),
    ("reasoning before text", [(0.1, THOUGHT), (0.2, THOUGHT), (0.5, WORD)], 0.1, [0.1, 0.3]),
    ("a tool call", [(0.3, ROLE + CALL), (0.4, ARGUMENTS), (0.6, ARGUMENTS)], 0.3, [0.1, 0.2]),
    ("a refusal", [(0.3, [Refusal("No")]), (0.4, [Refusal(".")])], 0.3, [0.1]),
    ("two texts in one frame are one event", [(0.3, WORD + WORD), (0.4, WORD)], 0.3, [0.1]),
    ("two frames in one read", [(0.3, WORD), (0.3, WORD)], 0.3, [0.0]),
    (
        "what is not content",
        [(0.3, [Logprobs({}), ExtraFields({}), Failed(ValueError())])],
        None,
        [],
    ),
]


def play(frames: list[Frame], ended: float = 2.0) -> Timing:
    meter = Meter(START)
    meter.sent = START + 0.001
    meter.responded = START + 0.05
    meter.arrivals = [
        START + after for after, events in frames if ResponseAccumulator().add(events)
    ]
    meter.ended = START + ended
    return meter.timing()


@for_each(
    ("frames", "first", "gaps"), [row[1:] for row in SCRIPTS], ids=[row[0] for row in SCRIPTS]
)
def test_scripted_event_times_give_the_contracts_numbers_to_the_microsecond(
    frames: list[Frame], first: float | None, gaps: list[float]
) -> None:
    timing = play(frames)
    assert timing.latency_s == pytest.approx(2.0, abs=MICROSECOND)
    assert timing.time_to_first_byte_s == pytest.approx(0.05, abs=MICROSECOND)
    assert timing.time_to_sent_s == pytest.approx(0.001, abs=MICROSECOND)
    if first is None:
        assert timing.time_to_first_token_s is None
    else:
        assert timing.time_to_first_token_s == pytest.approx(first, abs=MICROSECOND)
    if gaps:
        assert timing.inter_token_latency_s == pytest.approx(sum(gaps) / len(gaps), abs=MICROSECOND)
        assert timing.inter_token_latency_max_s == pytest.approx(max(gaps), abs=MICROSECOND)
    else:
        assert timing.inter_token_latency_s is None
        assert timing.inter_token_latency_p50_s is None
        assert timing.inter_token_latency_p95_s is None
        assert timing.inter_token_latency_max_s is None


def test_an_attempt_that_was_not_sent_has_no_times() -> None:
    assert Meter(START).timing() == Timing()


def test_an_attempt_that_failed_midway_keeps_its_times() -> None:
    meter = Meter(START)
    meter.responded = START + 1
    meter.arrivals = (START + 2,)
    timing = meter.timing()
    assert (timing.time_to_first_byte_s, timing.time_to_first_token_s) == (1.0, 2.0)
    assert timing.latency_s is None


def test_a_second_attempt_counts_from_the_callers_request() -> None:
    second = Meter(START)
    second.sent = START + 10
    second.arrivals = (START + 11,)
    second.ended = START + 12
    timing = second.timing()
    assert (timing.time_to_first_token_s, timing.latency_s) == (11.0, 12.0)


# gaps in whole seconds, p50, p95 by nearest rank
PERCENTILES = [
    ([7], 7, 7),
    ([1, 2], 1, 2),
    ([3, 1, 2], 2, 3),
    ([1, 2, 3, 4], 2, 4),
    (list(range(1, 21)), 10, 19),
    (list(range(100, 0, -1)), 50, 95),
    (list(range(1, 102)), 51, 96),
]


@pytest.mark.parametrize(("gaps", "p50", "p95"), PERCENTILES)
def test_percentiles_are_nearest_rank(gaps: list[int], p50: int, p95: int) -> None:
    after, frames = 1.0, [(1.0, WORD)]
    for gap in gaps:
        after += gap
        frames.append((after, WORD))
    timing = play(frames, after)
    assert timing.inter_token_latency_p50_s == p50
    assert timing.inter_token_latency_p95_s == p95
    histogram = Histogram({})
    for gap in gaps:
        histogram.add(gap)
    assert dict(timing.gap_counts) == histogram.counts


def test_events_of_one_read_have_gaps_of_nothing() -> None:
    assert play([(1.0, WORD)] * 3, 2).gap_counts == ((ZERO, 2),)


def test_a_long_stream_agrees_with_plain_arithmetic() -> None:
    chance = random.Random(7)
    times = sorted(chance.uniform(0, 60) for _ in range(5000))
    timing = play([(after, WORD) for after in times], 60)
    gaps = sorted(b - a for a, b in pairwise(times))
    assert timing.time_to_first_token_s == pytest.approx(times[0], abs=MICROSECOND)
    assert timing.inter_token_latency_s == pytest.approx(sum(gaps) / 4999, abs=MICROSECOND)
    assert timing.inter_token_latency_p50_s == pytest.approx(gaps[2499], abs=MICROSECOND)
    assert timing.inter_token_latency_p95_s == pytest.approx(gaps[4749], abs=MICROSECOND)
