"""What each number means, on an answer whose every event leaves the provider at a known time.

A busy machine delivers an event late, which lengthens one time and may shorten the next. What is
measured must be right in one of a few tries: a wrong definition is wrong in all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from contract.shapes import FIRST_METRICS, MORE_METRICS, ok
from support.gateway_process import SERVER_MODES, Gateway
from support.openai_completions import (
    DONE,
    USAGE,
    chunk,
    finish,
    reasoning,
    role,
    text,
    tool_piece,
    tool_start,
    usage,
)
from support.openai_upstream import Answer, Step, Upstream, Wait

SLACK = 0.15
"""Seconds that a busy machine may add to a measured time."""
TRIES = 4
EARLY = 0.005
"""Seconds by which timers may fire early, in all."""


class Case(NamedTuple):
    steps: tuple[Step, ...]
    first_token: float | None
    gap: float | None
    """The mean between consecutive content events."""
    longest: float | None
    latency: float


TENTH = Wait(0.1)
CASES = {
    "three pieces": Case(
        (role(), TENTH, text("a"), TENTH, text("b"), TENTH, text("c"), finish(), usage(), DONE),
        0.1, 0.1, 0.1, 0.3,
    ),
    "uneven gaps": Case(
        (TENTH, text("a"), Wait(0.05), text("b"), Wait(0.15), text("c"), finish(), usage(), DONE),
        0.1, 0.1, 0.15, 0.3,
    ),
    "a first event with the role alone is not content": Case(
        (role(), Wait(0.2), text("a"), TENTH, text("b"), finish(), usage(), DONE),
        0.2, 0.1, 0.1, 0.3,
    ),
    "empty deltas are not content": Case(
        (role(), text(""), TENTH, text("a"), TENTH, text(""), TENTH, text("b"), finish(), DONE),
        0.1, 0.2, 0.2, 0.3,
    ),
    "usage and the end mark are not content, but the answer lasts until them": Case(
        (text("a"), TENTH, text("b"), finish(), TENTH, usage(), TENTH, DONE),
        0.0, 0.1, 0.1, 0.3,
    ),
    "reasoning is content": Case(
        (role(), TENTH, reasoning("hm"), TENTH, text("a"), finish(), usage(), DONE),
        0.1, 0.1, 0.1, 0.2,
    ),
    "a tool call's bytes are content": Case(
        (role(), TENTH, tool_start(0, "c", "f"), TENTH, tool_piece(0, "{}"), finish(), DONE),
        0.1, 0.1, 0.1, 0.2,
    ),
    "one content event has no gap": Case(
        (role(), TENTH, text("a"), TENTH, finish(), usage(), DONE), 0.1, None, None, 0.2
    ),
    "no content event": Case((role(), TENTH, finish(), usage(), DONE), None, None, None, 0.1),
}  # fmt: skip


def is_about(value: float | None, expected: float | None) -> bool:
    if value is None or expected is None:
        return value is expected
    return expected - EARLY <= value <= expected + SLACK


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_times_are_those_of_the_providers_events(
    server: Gateway, upstream: Upstream, name: str, is_stream: bool
) -> None:
    case, tries = CASES[name], []
    expected = {
        "time_to_first_token_s": case.first_token,
        "inter_token_latency_s": case.gap,
        "inter_token_latency_max_s": case.longest,
        "latency_s": case.latency,
    }
    for _ in range(TRIES):
        upstream.play(Answer(case.steps))
        metrics = measured(server, is_stream)
        if all(is_about(metrics[metric], value) for metric, value in expected.items()):
            return
        tries.append({metric: metrics[metric] for metric in expected})
    pytest.fail(f"{expected} expected, measured {tries}")


def measured(server: Gateway, is_stream: bool) -> dict[str, Any]:
    if not is_stream:
        metrics: dict[str, Any] = ok(server.chat())["metrics"]
        return metrics
    with server.stream() as stream:
        last = json.loads(stream.read().splitlines()[-1])
    return dict(last["metrics"])


def test_the_eight_contract_metrics_come_first(gateway: Gateway) -> None:
    names = list(ok(gateway.chat())["metrics"])
    assert names[:8] == FIRST_METRICS
    assert set(MORE_METRICS) <= set(names[8:])


def test_tokens_a_second_is_output_over_latency(server: Gateway, upstream: Upstream) -> None:
    upstream.play(Answer((role(), text("a"), TENTH, text("b"), finish(), usage(), DONE)))
    metrics = ok(server.chat())["metrics"]
    assert metrics["tokens_per_second"] == pytest.approx(7 / metrics["latency_s"])


def test_the_first_byte_precedes_the_first_token_and_overhead_excludes_the_provider(
    server: Gateway, upstream: Upstream
) -> None:
    steps = (role(), Wait(0.2), text("a"), Wait(0.2), text("b"), finish(), usage(), DONE)
    upstream.play(Answer(steps))  # with usage, so that nothing is counted
    overheads = []
    for _ in range(TRIES):
        metrics = ok(server.chat())["metrics"]
        assert 0 < metrics["time_to_first_byte_s"] <= metrics["time_to_first_token_s"] - 0.19
        assert metrics["time_to_first_token_s"] < metrics["latency_s"]
        overheads.append(metrics["gateway_overhead_s"])
        assert overheads[-1] >= 0
        if overheads[-1] < SLACK:
            return
    pytest.fail(f"the provider's time is in the gateway's own: {overheads}")


def test_percentiles_lie_between_the_shortest_and_the_longest_gap(
    server: Gateway, upstream: Upstream
) -> None:
    gaps = (Wait(0.02), Wait(0.02), Wait(0.02), Wait(0.2))
    steps = [step for gap in gaps for step in (gap, text("x"))]
    upstream.play(Answer((text("x"), *steps, finish(), usage(), DONE)))
    medians = []
    for _ in range(TRIES):
        metrics = ok(server.chat())["metrics"]
        p50, p95 = metrics["inter_token_latency_p50_s"], metrics["inter_token_latency_p95_s"]
        longest = metrics["inter_token_latency_max_s"]
        assert 0 < p50 <= p95 <= longest
        medians.append(p50)
        if p50 < 0.1 < longest:
            return
    pytest.fail(f"most gaps are of 0.02 s, and the medians are {medians}")


def test_reported_tokens_are_taken_as_reported(server: Gateway, upstream: Upstream) -> None:
    reported = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    upstream.play(Answer((role(), text("a"), finish(), usage(reported), DONE)))
    metrics = ok(server.chat())["metrics"]
    assert metrics["input_tokens"] == 100
    assert metrics["output_tokens"] == 50
    assert metrics["total_tokens"] == 150
    assert metrics["cached_tokens"] == 64
    assert metrics["reasoning_tokens"] == 20
    assert metrics["tokens_source"] == "reported"
    assert metrics["attempts"] == 1


def test_usage_on_the_finish_event_counts_too(server: Gateway, upstream: Upstream) -> None:
    last = chunk({}, finish="stop", usage=USAGE)
    upstream.play(Answer((role(), text("a"), last, DONE)))
    reply = ok(server.chat())
    assert reply["usage"] == USAGE
    assert reply["metrics"]["total_tokens"] == 18


def test_usage_on_every_event_is_not_summed(server: Gateway, upstream: Upstream) -> None:
    so_far = [
        {"prompt_tokens": 9, "completion_tokens": n, "total_tokens": 9 + n} for n in (1, 2, 3)
    ]
    pieces = [text("x", usage=used) for used in so_far]
    upstream.play(Answer((role(), *pieces, finish(), DONE)))
    metrics = ok(server.chat())["metrics"]
    assert (metrics["input_tokens"], metrics["output_tokens"]) == (9, 3)


def test_unreported_tokens_are_counted(server: Gateway, upstream: Upstream) -> None:
    upstream.play(Answer((role(), text("Hello! "), text("Who are you?"), finish(), DONE)))
    reply = ok(server.chat(model="gpt-3.5-turbo"))
    assert reply["usage"] is None
    metrics = reply["metrics"]
    assert (metrics["input_tokens"], metrics["output_tokens"]) == (6, 6)
    assert metrics["total_tokens"] == 12
    assert metrics["tokens_source"] == "counted"


class Price(NamedTuple):
    model: str
    prompt: int
    completion: int
    cached: int
    reasoning: int
    usd: tuple[float, ...]


PRICES = [
    Price("gpt-3.5-turbo", 6, 26, 0, 0, (0.000042, 0.000061)),
    Price("gpt-4o", 10_000, 500, 8_000, 0, (0.020,)),
    Price("o3", 1_000, 500, 0, 400, (0.006,)),
]


@pytest.mark.parametrize("price", PRICES, ids=lambda p: p.model)
def test_cost_is_exact(server: Gateway, upstream: Upstream, price: Price) -> None:
    reported = {
        "prompt_tokens": price.prompt,
        "completion_tokens": price.completion,
        "total_tokens": price.prompt + price.completion,
        "prompt_tokens_details": {"cached_tokens": price.cached},
        "completion_tokens_details": {"reasoning_tokens": price.reasoning},
    }
    upstream.play(Answer((role(), text("a"), finish(), usage(reported), DONE)))
    metrics = ok(server.chat(model=price.model))["metrics"]
    assert metrics["cost_usd"] in price.usd
    assert metrics["output_tokens"] == price.completion
    assert metrics["price"]["source"]
    assert len(metrics["price"]) >= 2


def test_an_unknown_price_is_null_and_never_zero(server: Gateway) -> None:
    metrics = ok(server.chat(model="nobody-knows-this-model"))["metrics"]
    assert metrics["cost_usd"] is None
    assert metrics["total_tokens"] == 18


@pytest.mark.parametrize("mode", SERVER_MODES)
def test_the_first_count_of_tokens_does_not_delay_streams(
    launch: Callable[..., Gateway], upstream: Upstream, mode: str
) -> None:
    """A vocabulary takes tenths of a second to load: every stream would stand still meanwhile, and
    its metrics would blame the provider. A busy machine gets a second try."""
    longest = [gap_beside_counts(launch(mode=mode), upstream) for _ in range(2)]
    assert min(longest) < 0.1, longest


def gap_beside_counts(own: Gateway, upstream: Upstream) -> float:
    """The longest gap of a stream of 20 ms steps, on a fresh server that starts to count tokens."""
    steps = [step for n in range(40) for step in (text(f" {n}"), Wait(0.02))]
    uncounted = Answer((role(), text("Hi"), finish(), DONE))
    upstream.play(Answer((role(), *steps, finish(), usage(), DONE)), uncounted)
    with own.stream() as stream:
        for model in ("gpt-4o", "gpt-3.5-turbo", "another-model"):
            assert ok(own.chat(model=model))["metrics"]["tokens_source"] == "counted"
        last = json.loads(stream.read().splitlines()[-1])
    return float(last["metrics"]["inter_token_latency_max_s"])
