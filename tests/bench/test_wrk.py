from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from bench.wrk import Load, parse

REPORT = """Running 1s test @ http://127.0.0.1:9301/v1/chat/completions
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   812.11us    1.26ms  18.95ms   92.10%
    Req/Sec    56.68k     3.86k   60.65k    90.00%
  Latency Distribution
     50%  {p50}
     75%  701.00us
     90%    1.83ms
     99%    6.55ms
  56375 requests in 1.00s, 41.40MB read
{more}Requests/sec:  56327.34
Transfer/sec:     41.37MB
"""


@pytest.mark.parametrize(
    ("written", "microseconds"), [("437.00us", 437.0), ("1.50ms", 1500.0), ("2.00s", 2e6)]
)
def test_latencies_are_read_in_microseconds(written: str, microseconds: float) -> None:
    report = REPORT.format(p50=written, more="")

    assert parse(report) == Load(56327.34, microseconds, 6550.0, 56375, 0)


@pytest.mark.parametrize(
    ("more", "failed"),
    [
        ("  Non-2xx or 3xx responses: 12\n", 12),
        ("  Socket errors: connect 1, read 2, write 3, timeout 4\n", 10),
        (
            "  Socket errors: connect 0, read 2, write 0, timeout 0\n"
            "  Non-2xx or 3xx responses: 5\n",
            7,
        ),
    ],
)
def test_refusals_and_broken_connections_count_as_failed(more: str, failed: int) -> None:
    assert parse(REPORT.format(p50="1.00ms", more=more)).failed == failed


def test_a_report_without_figures_is_quoted_in_the_error() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:9301 Connection refused\n")
