from __future__ import annotations

import pytest

from cli.fake_gateway import LINE, METRICS
from headway.cli.metrics_line import dollars, duration, metrics_line
from headway.sdk import Metrics


def test_the_metrics_line_of_the_contracts_sample() -> None:
    assert metrics_line("openai/m", Metrics(**METRICS)) == f"openai/m · {LINE}"


@pytest.mark.parametrize(
    ("metrics", "finish", "line"),
    [
        (Metrics(), None, "p/m · cost unknown"),
        (Metrics(), "stop", "p/m · cost unknown"),
        (Metrics(cost_usd=0.0), "length", "p/m · $0 · finish length"),
        (
            Metrics(input_tokens=0, output_tokens=2, tokens_source="counted"),
            None,
            "p/m · ~0 in · ~2 out · cost unknown",
        ),
        (Metrics(input_tokens=6, tokens_source="reported"), None, "p/m · 6 in · cost unknown"),
        (
            Metrics(time_to_first_token_s=0.042, inter_token_latency_s=1.5),
            None,
            "p/m · cost unknown · first token 42.0 ms · 1500.0 ms/token",
        ),
    ],
)
def test_unknown_values_are_left_out_except_the_cost(
    metrics: Metrics, finish: str | None, line: str
) -> None:
    assert metrics_line("p/m", metrics, finish) == line


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (0.0, "$0"),
        (0.000061, "$0.000061"),
        (1.23456e-9, "$0.00000000123"),
        (0.0246, "$0.0246"),
        (0.02, "$0.02"),
        (0.64, "$0.64"),
        (0.5, "$0.50"),
        (0.9999, "$1.00"),
        (12.3456, "$12.35"),
        (1234567, "$1234567.00"),
        (1e22, "$10000000000000000000000.00"),
    ],
)
def test_dollars_have_three_digits_and_no_powers_of_ten(cost: float, text: str) -> None:
    assert dollars(cost) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0.0 ms"), (0.0999, "99.9 ms"), (0.1, "0.10 s"), (61.04, "61.04 s")]
)
def test_durations_are_in_the_unit_that_reads_best(seconds: float, text: str) -> None:
    assert duration(seconds) == text
