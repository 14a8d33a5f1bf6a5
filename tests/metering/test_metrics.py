from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from headway.metering.metrics import CallCost, Cost, Metrics, PriceOrigin, measure
from headway.metering.timing import Timing
from headway.types import Usage

UNKNOWN = CallCost()
ORIGIN = PriceOrigin("genai-prices 0.2.3", "2024-01-25", "gpt-3.5-turbo")

SAMPLE = Timing(
    latency_s=1.0556859970092773,
    time_to_first_token_s=0.8302950859069824,
    inter_token_latency_s=0.008317514702125831,
)


def test_the_fields_are_the_contracts_in_the_contracts_order() -> None:
    assert list(msgspec.to_builtins(Metrics())) == [
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "cost_usd",
        "latency_s",
        "time_to_first_token_s",
        "inter_token_latency_s",
        "tokens_per_second",
        "reasoning_tokens",
        "cached_tokens",
        "inter_token_latency_p50_s",
        "inter_token_latency_p95_s",
        "inter_token_latency_max_s",
        "time_to_first_byte_s",
        "gateway_overhead_s",
        "attempts",
        "tokens_source",
        "price",
        "cost_source",
        "cost_computed_usd",
        "cost_unknown_reason",
        "model",
        "deployment",
    ]


def test_the_metrics_of_the_contracts_sample_are_reproduced() -> None:
    usage = Usage(input_tokens=6, output_tokens=26)
    cost = Cost(Decimal("0.000061"), ORIGIN)
    metrics = measure(SAMPLE, usage, "reported", CallCost(cost.usd, "computed", cost), 0.0004, 1)
    sample = {
        "input_tokens": 6,
        "output_tokens": 26,
        "total_tokens": 32,
        "cost_usd": 0.000061,
        "latency_s": 1.0556859970092773,
        "time_to_first_token_s": 0.8302950859069824,
        "inter_token_latency_s": 0.008317514702125831,
    }
    shown = msgspec.to_builtins(metrics)
    assert {name: shown[name] for name in sample} == sample
    # The sample's own 26.523 is 28 / latency: it counted chunks. The definition is output tokens.
    assert metrics.tokens_per_second == 26 / 1.0556859970092773
    assert metrics.gateway_overhead_s == 0.0004


def test_each_count_is_in_its_own_field() -> None:
    timing = Timing(10.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
    usage = Usage(input_tokens=11, output_tokens=20, cache_read_tokens=13, reasoning_tokens=14)
    assert msgspec.to_builtins(
        measure(timing, usage, "counted", UNKNOWN, 15.0, 16, "alias", "snapshot")
    ) == {
        "input_tokens": 11,
        "output_tokens": 20,
        "total_tokens": 31,
        "cost_usd": None,
        "latency_s": 10.0,
        "time_to_first_token_s": 1.0,
        "inter_token_latency_s": 4.0,
        "tokens_per_second": 2.0,
        "reasoning_tokens": 14,
        "cached_tokens": 13,
        "inter_token_latency_p50_s": 5.0,
        "inter_token_latency_p95_s": 6.0,
        "inter_token_latency_max_s": 7.0,
        "time_to_first_byte_s": 2.0,
        "gateway_overhead_s": 15.0,
        "attempts": 16,
        "tokens_source": "counted",
        "price": None,
        "cost_source": None,
        "cost_computed_usd": None,
        "cost_unknown_reason": None,
        "model": "alias",
        "deployment": "snapshot",
    }


def test_tokens_included_in_a_count_are_not_added_to_the_total() -> None:
    usage = Usage(
        input_tokens=100,
        output_tokens=50,
        cache_read_tokens=80,
        cache_write_tokens=10,
        reasoning_tokens=40,
    )
    metrics = measure(Timing(latency_s=2.0), usage, "reported", UNKNOWN, None, 3)
    assert metrics.total_tokens == 150
    assert (metrics.reasoning_tokens, metrics.cached_tokens) == (40, 80)
    assert (metrics.tokens_per_second, metrics.attempts) == (25.0, 3)


@pytest.mark.parametrize(
    "usage", [Usage(), Usage(input_tokens=1), Usage(output_tokens=1), Usage(reasoning_tokens=1)]
)
def test_a_total_of_something_unknown_is_unknown(usage: Usage) -> None:
    assert measure(Timing(), usage, None, UNKNOWN, None, 1).total_tokens is None


@pytest.mark.parametrize(
    ("tokens", "latency", "rate"),
    [(None, 1.0, None), (5, None, None), (5, 0.0, None), (0, 2.0, 0.0), (5, 2.0, 2.5)],
)
def test_a_rate_needs_tokens_and_a_latency(
    tokens: int | None, latency: float | None, rate: float | None
) -> None:
    metrics = measure(
        Timing(latency_s=latency), Usage(output_tokens=tokens), None, UNKNOWN, None, 1
    )
    assert metrics.tokens_per_second == rate


def test_an_unknown_cost_is_null_and_names_no_price() -> None:
    metrics = measure(
        Timing(),
        Usage(input_tokens=1, output_tokens=1),
        "counted",
        CallCost(unknown_reason="no price"),
        None,
        1,
    )
    assert metrics.cost_usd is None
    assert metrics.price is None
    assert metrics.cost_unknown_reason == "no price"
    assert metrics.tokens_source == "counted"


def test_a_cost_of_nothing_is_zero_and_names_its_price() -> None:
    cost = Cost(Decimal(0), PriceOrigin("configured"))
    computed = CallCost(cost.usd, "computed", cost)
    usage = Usage(input_tokens=1, output_tokens=1)
    metrics = measure(Timing(), usage, "reported", computed, None, 1)
    assert (metrics.cost_usd, metrics.cost_source, metrics.cost_computed_usd) == (
        0,
        "computed",
        None,
    )
    assert metrics.price == PriceOrigin("configured")


def test_the_cost_that_the_provider_tells_is_shown_with_the_computed_one_beside_it() -> None:
    cost = CallCost(Decimal("0.5"), "provider", Cost(Decimal("0.25"), ORIGIN))
    metrics = measure(Timing(), Usage(), None, cost, None, 1)
    assert (metrics.cost_usd, metrics.cost_source, metrics.cost_computed_usd) == (
        0.5,
        "provider",
        0.25,
    )
    assert metrics.price == ORIGIN


def test_every_timing_lands_in_the_field_of_its_name() -> None:
    timing = Timing(
        latency_s=8.0,
        time_to_first_token_s=1.0,
        time_to_first_byte_s=2.0,
        time_to_sent_s=3.0,
        inter_token_latency_s=4.0,
        inter_token_latency_p50_s=5.0,
        inter_token_latency_p95_s=6.0,
        inter_token_latency_max_s=7.0,
    )
    shown = msgspec.to_builtins(measure(timing, Usage(), None, UNKNOWN, None, 1))
    for name, value in msgspec.to_builtins(timing).items():
        assert shown.get(name, value) == value
    assert shown["inter_token_latency_p95_s"] == 6.0
