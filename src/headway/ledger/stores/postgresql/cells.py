"""The sums over some records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from headway.ledger.money import ZERO, add_usd, join_usd
from headway.ledger.rows import COLUMNS, PROFILE_FIELDS, TERMS_FIELDS, unpack_counts
from headway.ledger.store import Usage
from headway.metering.histogram import Histogram, value_of

TIME_METRICS = {
    "latency_s": (COLUMNS.index("latency_us"), 1e6),
    "time_to_first_token_s": (COLUMNS.index("first_token_us"), 1e6),
    "time_to_first_byte_s": (COLUMNS.index("first_byte_us"), 1e6),
    "inter_token_latency_s": (COLUMNS.index("gap_mean_us"), 1e6),
    "gateway_overhead_s": (COLUMNS.index("overhead_ns"), 1e9),
}
"""Metric -> its column, and how many of its units are a second."""
_IS_LAST, _OUTCOME = PROFILE_FIELDS.index("is_last"), PROFILE_FIELDS.index("outcome")
_ATTEMPT, _UPSTREAM_STATUS, _TOKENS_SOURCE, _COST_SOURCE = map(
    TERMS_FIELDS.index, ("attempt", "upstream_status", "tokens_source", "cost_source")
)
_INPUT, _OUTPUT, _CACHE_READ, _CACHE_WRITE, _REASONING = map(
    COLUMNS.index,
    (
        "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
        "reasoning_tokens",
    ),
)  # fmt: skip
_COST, _COST_REST, _LATENCY, _GAPS, _GAP_MEAN = map(
    COLUMNS.index, ("cost_pd", "cost_rest", "latency_us", "gaps", "gap_mean_us")
)


class Cell(Struct):
    """The sums over some records. Costs are in US dollars, exact."""

    calls: int = 0
    attempts: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    unpriced: int = 0
    cost_usd: Decimal = ZERO
    estimated_usd: Decimal = ZERO
    histograms: dict[str, Histogram] = field(default_factory=dict)
    gaps: Histogram | None = None

    def add(
        self, row: Sequence[Any], profile: Sequence[Any], terms: Sequence[Any],
        call_cost: Decimal | None,
    ) -> None:  # fmt: skip
        """Count the record of ``row`` (the values of ``COLUMNS``) with the values of its profile
        and terms. ``call_cost``: of all attempts of its call, where it is the last one."""
        self.attempts += terms[_ATTEMPT] > 0
        self.input_tokens += row[_INPUT] or 0
        self.output_tokens += row[_OUTPUT] or 0
        self.cache_read_tokens += row[_CACHE_READ] or 0
        self.cache_write_tokens += row[_CACHE_WRITE] or 0
        self.reasoning_tokens += row[_REASONING] or 0
        self._add_cost(row, terms)
        if profile[_IS_LAST]:
            self.calls += 1
            self.failed += profile[_OUTCOME] != "ok"
            self._add_metrics(row)
            if call_cost is not None:
                self.add_value("cost_usd", float(call_cost))

    def _add_cost(self, row: Sequence[Any], terms: Sequence[Any]) -> None:
        if row[_COST] is None:
            status = terms[_UPSTREAM_STATUS] or 0
            self.unpriced += 200 <= status < 300 or status == 101
            return
        cost = join_usd(row[_COST], row[_COST_REST])
        self.cost_usd = add_usd(self.cost_usd, cost)
        if terms[_TOKENS_SOURCE] in ("counted", "estimated") and terms[_COST_SOURCE] != "provider":
            self.estimated_usd = add_usd(self.estimated_usd, cost)

    def _add_metrics(self, row: Sequence[Any]) -> None:
        for metric, (at, per_second) in TIME_METRICS.items():
            if row[at] is not None:
                self.add_value(metric, row[at] / per_second)
        if row[_LATENCY] and row[_OUTPUT] is not None:
            self.add_value("tokens_per_second", row[_OUTPUT] / (row[_LATENCY] / 1e6))
        if row[_GAPS]:
            if self.gaps is None:
                self.gaps = Histogram({})
            pairs = unpack_counts(row[_GAPS])
            self.gaps.merge_counts(pairs)
            self.gaps.total += sum_gaps(pairs, row[_GAP_MEAN])

    def add_value(self, metric: str, value: float) -> None:
        if metric not in self.histograms:
            self.histograms[metric] = Histogram({})
        self.histograms[metric].add(value)

    def merge(self, other: Cell) -> None:
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.cost_usd = add_usd(self.cost_usd, other.cost_usd)
        self.estimated_usd = add_usd(self.estimated_usd, other.estimated_usd)
        for metric, histogram in other.histograms.items():
            self.histograms.setdefault(metric, Histogram({})).merge(histogram)
        if other.gaps is not None:
            if self.gaps is None:
                self.gaps = Histogram({})
            self.gaps.merge(other.gaps)

    def to_usage(self, group: Mapping[str, str | None], metrics: Sequence[str]) -> Usage:
        named = {name: getattr(self, name) for name in _SUMS}
        return Usage(
            group=group,
            cost_usd=self.cost_usd,
            estimated_usd=self.estimated_usd,
            histograms={name: self.histograms.get(name, Histogram({})) for name in metrics},
            gaps=self.gaps,
            **named,
        )


_SUMS = Cell.__struct_fields__[:9]


def sum_gaps(pairs: Sequence[tuple[int, int]], mean_us: int | None) -> float:
    """The sum of the gaps in seconds: from their mean where it is known."""
    if mean_us is not None:
        return mean_us / 1e6 * sum(count for _, count in pairs)
    return sum(value_of(bucket) * count for bucket, count in pairs)
