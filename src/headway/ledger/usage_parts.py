"""Sums over records, by time and by what they have in common: what usage is made of.

Each record counts once: an attempt, its tokens and its cost where and when the attempt was. The
last attempt of a call counts the call, whether it failed, and one value in each histogram; that of
``cost_usd`` is the cost of all attempts. Sums are integers, so they are exact and their order does
not matter.

A *cell* is the sums over the records of one hour, day or month with one (masked) profile and one
user or tag set. A database keeps it as parts that are added up when it is read: to add records
means to append a part, and from time to time all parts of a cell are merged into one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from math import ceil, log
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from headway.ledger.money import MAX_INTEGER, ZERO, add_usd, join_usd, split_usd, sum_usd
from headway.ledger.rows import (
    COLUMNS,
    PROFILE_FIELDS,
    TERMS_FIELDS,
    pack_counts,
    pack_histogram,
    unpack_counts,
)
from headway.ledger.store import HISTOGRAM_METRICS, Usage
from headway.metering.histogram import GROWTH, SMALLEST, Histogram, value_of
from headway.metering.histogram import ZERO as ZERO_BUCKET

MICRO, PICO = 10**6, 10**12
MAX_PARTS = 8
"""Parts of a cell from which on they are merged."""

# --- What one record contributes ------------------------------------------------------------------

_IS_LAST, _OUTCOME = PROFILE_FIELDS.index("is_last"), PROFILE_FIELDS.index("outcome")
_ATTEMPT, _UPSTREAM_STATUS, _TOKENS_SOURCE, _COST_SOURCE = map(
    TERMS_FIELDS.index, ("attempt", "upstream_status", "tokens_source", "cost_source")
)
(
    _TIME, _INPUT, _OUTPUT, _CACHE_READ, _CACHE_WRITE, _REASONING, _COST, _REST, _LATENCY,
    _FIRST_TOKEN, _FIRST_BYTE, _GAP_MEAN, _OVERHEAD, _GAPS,
) = map(
    COLUMNS.index,
    (
        "time_us", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
        "reasoning_tokens", "cost_pd", "cost_rest", "latency_us", "first_token_us",
        "first_byte_us", "gap_mean_us", "overhead_ns", "gaps",
    ),
)  # fmt: skip
SUMS = (
    "attempts", "calls", "failed", "unpriced", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
)  # fmt: skip
"""The sums of a contribution, before those of costs."""
UNITS: Mapping[str, int] = {
    "latency_s": MICRO,
    "time_to_first_token_s": MICRO,
    "time_to_first_byte_s": MICRO,
    "inter_token_latency_s": MICRO,
    "tokens_per_second": 1000,
    "gateway_overhead_s": 1000 * MICRO,
    "cost_usd": PICO,
}
"""Metric -> how many of the integers that are added up are one."""
_UNITS = tuple(UNITS[metric] for metric in HISTOGRAM_METRICS)
_METRICS = len(HISTOGRAM_METRICS)
_PER_LOG = 1 / log(GROWTH)
_COST_AT = len(SUMS)
_VALUES_AT = _COST_AT + 2
_BUCKETS_AT = _VALUES_AT + _METRICS
_GAPS_AT = _BUCKETS_AT + _METRICS
_REST_AT = _GAPS_AT + 2

Contribution = tuple[Any, ...]
"""Of one record: ``SUMS``, picodollars, those of them that rest on counted or estimated tokens, the
values of ``HISTOGRAM_METRICS`` as integers or None, their buckets or None, pairs of the gaps, the
sum of the gaps in microseconds, and the rests of both costs in dollars as text, or None."""
_TOKENS = (_INPUT, _OUTPUT, _CACHE_READ, _CACHE_WRITE, _REASONING)


class Flags(Struct, frozen=True):
    """What of the profile and the terms of a record counts."""

    head: tuple[int, int, int]
    """``attempts``, ``calls`` and ``failed``."""
    is_successful: bool
    """The provider's response was a success."""
    is_estimated: bool
    """Its cost would rest on counted or estimated tokens."""


def flags_of(profile: Sequence[Any], terms: Sequence[Any]) -> Flags:
    status = terms[_UPSTREAM_STATUS] or 0
    is_last = bool(profile[_IS_LAST])
    return Flags(
        (int(terms[_ATTEMPT] > 0), int(is_last), int(is_last and profile[_OUTCOME] != "ok")),
        200 <= status < 300 or status == 101,
        terms[_TOKENS_SOURCE] in ("counted", "estimated") and terms[_COST_SOURCE] != "provider",
    )


def contributions_of(
    rows: Sequence[Sequence[Any]],
    flags: Sequence[Flags],
    call_pds: Sequence[int | None],
    gaps: Sequence[Sequence[tuple[int, int]]],
    *,
    has_metrics: bool = True,
) -> list[Contribution]:
    """Of the records of ``rows`` (the values of ``COLUMNS``). ``call_pds``: the cost of all
    attempts of a call, for its last one; ``gaps``: of each record. Without ``has_metrics`` they
    have no values."""
    columns = list(zip(*rows, strict=True))
    costs = [cost or 0 for cost in columns[_COST]]
    rests = columns[_REST]
    lasts = [each.head[1] for each in flags]
    if has_metrics:
        values = [_only(lasts, column) for column in _values_of(columns, call_pds)]
    else:
        values = [(None,) * len(rows)] * _METRICS
    own_gaps = [pairs if last else () for pairs, last in zip(gaps, lasts, strict=True)]
    means = columns[_GAP_MEAN]
    return list(
        zip(
            *zip(*[each.head for each in flags], strict=True),
            [
                int(cost is None and each.is_successful)
                for cost, each in zip(columns[_COST], flags, strict=True)
            ],
            *[[value or 0 for value in columns[at]] for at in _TOKENS],
            costs,
            [cost if f.is_estimated else 0 for cost, f in zip(costs, flags, strict=True)],
            *values,
            *[_buckets_of(column, unit) for column, unit in zip(values, _UNITS, strict=True)],
            own_gaps,
            [
                _sum_gaps(pairs, mean) if pairs else 0
                for pairs, mean in zip(own_gaps, means, strict=True)
            ],
            rests,
            [rest if each.is_estimated else None for rest, each in zip(rests, flags, strict=True)],
            strict=True,
        )
    )


def _only(lasts: Sequence[int], column: Sequence[int | None]) -> Sequence[int | None]:
    """The values of last attempts."""
    if all(lasts):
        return column
    return [value if last else None for value, last in zip(column, lasts, strict=True)]


def _values_of(
    columns: Sequence[Sequence[Any]], call_pds: Sequence[int | None]
) -> Sequence[Sequence[int | None]]:
    """In the order of ``HISTOGRAM_METRICS``."""
    speeds = [
        output * 1000 * MICRO // latency if latency and output is not None else None
        for latency, output in zip(columns[_LATENCY], columns[_OUTPUT], strict=True)
    ]
    times = [columns[at] for at in (_LATENCY, _FIRST_TOKEN, _FIRST_BYTE, _GAP_MEAN)]
    return (*times, speeds, columns[_OVERHEAD], call_pds)


def _buckets_of(column: Sequence[int | None], unit: int) -> list[int | None]:
    smallest = unit * SMALLEST
    return [
        None
        if value is None
        else ceil(log(value / unit / SMALLEST) * _PER_LOG)
        if value > smallest
        else ZERO_BUCKET
        for value in column
    ]


def bucket_of(value: float) -> int:
    """As ``metering.histogram.bucket_of``."""
    return ceil(log(value / SMALLEST) * _PER_LOG) if value > SMALLEST else ZERO_BUCKET


def _sum_gaps(pairs: Sequence[tuple[int, int]], mean_us: int | None) -> int:
    """Microseconds: from the mean where it is known."""
    if mean_us is not None:
        return mean_us * sum([count for _, count in pairs])
    return round(sum(value_of(bucket) * count for bucket, count in pairs) * MICRO)


# --- Parts of cells -------------------------------------------------------------------------------


class _Part(Struct, frozen=True, array_like=True):
    """The sums over some records, as they are kept."""

    sums: Sequence[int]
    """Of ``SUMS``."""
    costs: Sequence[int]
    """Picodollars: all, and what rests on estimates."""
    rests: Sequence[str | None]
    """What is to be added to ``costs``, in dollars."""
    totals: Sequence[int]
    """Of the values of each metric."""
    buckets: Sequence[Any]
    """Of each metric: a list of buckets that occurred once, or ``pack_counts``, or None."""
    gaps: bytes | None
    """``pack_counts``."""
    gap_sum: int


_encode = msgspec.msgpack.Encoder().encode
_MOST_LISTED = 6
"""Up to so many buckets are a list."""


class PartOf(Struct, frozen=True, array_like=True):
    """A ``_Part`` whose histograms are not decoded yet."""

    sums: tuple[int, ...]
    costs: tuple[int, int]
    rests: tuple[str | None, str | None]
    totals: tuple[int, ...]
    buckets: tuple[Raw, ...]
    gaps: bytes | None
    gap_sum: int


_decode = msgspec.msgpack.Decoder(PartOf).decode
_decode_buckets = msgspec.msgpack.Decoder(list[int] | bytes | None).decode
_LENGTH_BYTES = 3


def _frame(part: _Part) -> bytes:
    body = _encode(part)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def _split_both(one: Decimal, other: Decimal) -> tuple[tuple[int, int], tuple[Any, Any]]:
    (one_pd, one_rest), (other_pd, other_rest) = split_usd(one), split_usd(other)
    return (one_pd, other_pd), (one_rest, other_rest)


def correct_call_cost(before_pd: int | None, after_pd: int) -> bytes:
    """The part that replaces the cost of a call, where an attempt came late."""
    counts = {bucket_of(after_pd / PICO): 1}
    if before_pd is not None:
        before = bucket_of(before_pd / PICO)
        counts[before] = counts.get(before, 0) - 1
    pairs = sorted((bucket, count) for bucket, count in counts.items() if count)
    at = HISTOGRAM_METRICS.index("cost_usd")
    totals = [0] * _METRICS
    totals[at] = after_pd - (before_pd or 0)
    buckets: list[bytes | None] = [None] * _METRICS
    buckets[at] = pack_counts(pairs) if pairs else None
    nothing = [0] * len(SUMS)
    return _frame(_Part(nothing, (0, 0), (None, None), totals, buckets, None, 0))


_NO_RESTS = (None, None)


def decode_parts(parts: bytes) -> list[PartOf]:
    """What a database keeps of a cell."""
    found, at, view = [], 0, memoryview(parts)
    while at < len(parts):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(parts[at:start], "big")
        found.append(_decode(view[start:at]))
    return found


class Cell(Struct):
    """The sums over the records of one or more cells."""

    sums: list[int] = field(default_factory=lambda: [0] * len(SUMS))
    cost_pd: int = 0
    estimated_pd: int = 0
    cost_rest: Decimal = ZERO
    estimated_rest: Decimal = ZERO
    totals: list[int] = field(default_factory=lambda: [0] * _METRICS)
    counts: list[dict[int, int]] = field(default_factory=lambda: [{} for _ in range(_METRICS)])
    gaps: dict[int, int] = field(default_factory=dict)
    gap_sum: int = 0

    def add(
        self,
        contributions: Sequence[Contribution],
        *,
        has_gaps: bool = True,
        has_metrics: bool = True,
    ) -> None:
        """Add records."""
        columns = list(zip(*contributions, strict=True))
        self.sums = [one + sum(column) for one, column in zip(self.sums, columns, strict=False)]
        self.cost_pd += sum(columns[_COST_AT])
        self.estimated_pd += sum(columns[_COST_AT + 1])
        if any(columns[_REST_AT]):
            rests, estimated = (filter(None, columns[at]) for at in (_REST_AT, _REST_AT + 1))
            self.cost_rest = sum_usd([self.cost_rest, *map(Decimal, rests)])
            self.estimated_rest = sum_usd([self.estimated_rest, *map(Decimal, estimated)])
        if not has_metrics:
            return
        self.totals = [
            total + sum(filter(None, column))
            for total, column in zip(self.totals, columns[_VALUES_AT:_BUCKETS_AT], strict=True)
        ]
        for counts, buckets in zip(self.counts, columns[_BUCKETS_AT:_GAPS_AT], strict=True):
            _count_buckets(counts, buckets)
        if has_gaps and any(columns[_GAPS_AT]):
            _add_pairs(self.gaps, chain.from_iterable(columns[_GAPS_AT]))
            self.gap_sum += sum(columns[_GAPS_AT + 1])

    def merge(self, other: Cell) -> None:
        self.sums = [one + more for one, more in zip(self.sums, other.sums, strict=True)]
        self.cost_pd += other.cost_pd
        self.estimated_pd += other.estimated_pd
        if other.cost_rest:
            self.cost_rest = add_usd(self.cost_rest, other.cost_rest)
            self.estimated_rest = add_usd(self.estimated_rest, other.estimated_rest)
        self.totals = [one + more for one, more in zip(self.totals, other.totals, strict=True)]
        for counts, more in zip(self.counts, other.counts, strict=True):
            _add_pairs(counts, more.items())
        _add_pairs(self.gaps, other.gaps.items())
        self.gap_sum += other.gap_sum

    def add_parts(self, parts: bytes, metrics: Iterable[int], *, has_gaps: bool = True) -> None:
        """Add what a database keeps of a cell. Of the histograms only those of ``metrics``
        (numbers of ``HISTOGRAM_METRICS``), and of the gaps with ``has_gaps``."""
        self.add_decoded(decode_parts(parts), metrics, has_gaps=has_gaps)

    def add_decoded(
        self, parts: Sequence[PartOf], metrics: Iterable[int], *, has_gaps: bool = True
    ) -> None:
        """Add what ``decode_parts`` gives."""
        self.sums = [
            sum(column) for column in zip(self.sums, *[p.sums for p in parts], strict=True)
        ]
        for part in parts:
            self.cost_pd += part.costs[0]
            self.estimated_pd += part.costs[1]
            if part.rests != _NO_RESTS:
                cost, estimated = (Decimal(rest or 0) for rest in part.rests)
                self.cost_rest = add_usd(self.cost_rest, cost)
                self.estimated_rest = add_usd(self.estimated_rest, estimated)
            for metric in metrics:
                self.totals[metric] += part.totals[metric]
                _add_buckets(self.counts[metric], _decode_buckets(part.buckets[metric]))
            if has_gaps and part.gaps is not None:
                _add_pairs(self.gaps, unpack_counts(part.gaps))
                self.gap_sum += part.gap_sum

    def encode(self, *, has_gaps: bool = True) -> bytes:
        """All as one part."""
        costs, rests = (self.cost_pd, self.estimated_pd), (None, None)
        if self.cost_rest or self.estimated_rest or self.cost_pd >= MAX_INTEGER:
            costs, rests = _split_both(*self._costs())
        gaps, gap_sum = None, 0
        if has_gaps and self.gaps:
            gaps, gap_sum = pack_histogram(self.gaps), self.gap_sum
        buckets = [_pack_buckets(counts) if counts else None for counts in self.counts]
        return _frame(_Part(self.sums, costs, rests, self.totals, buckets, gaps, gap_sum))

    def _costs(self) -> tuple[Decimal, Decimal]:
        return (
            add_usd(join_usd(self.cost_pd), self.cost_rest),
            add_usd(join_usd(self.estimated_pd), self.estimated_rest),
        )

    def to_usage(self, group: Mapping[str, str | None], metrics: Sequence[str]) -> Usage:
        cost, estimated = self._costs()
        sums = dict(zip(SUMS, self.sums, strict=True))
        histograms = {}
        for name in metrics:
            at = HISTOGRAM_METRICS.index(name)
            total = self.totals[at] / UNITS[name]
            histograms[name] = Histogram(_without_zeros(self.counts[at]), total)
        gaps = Histogram(self.gaps, self.gap_sum / MICRO) if self.gaps else None
        return Usage(
            group=group, cost_usd=cost, estimated_usd=estimated, histograms=histograms, gaps=gaps,
            **sums,
        )  # fmt: skip


_ALL_METRICS = range(_METRICS)


def merge_parts(parts: bytes) -> bytes:
    """All parts of a cell as one."""
    cell = Cell()
    cell.add_parts(parts, _ALL_METRICS)
    return cell.encode()


def _count_buckets(counts: dict[int, int], buckets: Sequence[int | None]) -> None:
    if len(buckets) > _MOST_LISTED:
        counted = Counter(buckets)
        del counted[None]
        if counts:
            _add_pairs(counts, counted.items())  # type: ignore[arg-type] # no bucket is None
        else:
            counts.update(counted)  # type: ignore[arg-type]
        return
    for bucket in buckets:
        if bucket is not None:
            counts[bucket] = counts.get(bucket, 0) + 1


def _pack_buckets(counts: dict[int, int]) -> bytes | list[int] | None:
    if len(counts) <= _MOST_LISTED and set(counts.values()) == {1}:
        return list(counts)
    counts = _without_zeros(counts)
    return pack_histogram(counts) if counts else None


def _add_buckets(counts: dict[int, int], buckets: list[int] | bytes | None) -> None:
    if isinstance(buckets, bytes):
        _add_pairs(counts, unpack_counts(buckets))
    elif buckets is not None:
        for bucket in buckets:
            counts[bucket] = counts.get(bucket, 0) + 1


def _add_pairs(counts: dict[int, int], pairs: Iterable[tuple[int, int]]) -> None:
    get = counts.get
    for bucket, count in pairs:
        counts[bucket] = get(bucket, 0) + count


def _without_zeros(counts: dict[int, int]) -> dict[int, int]:
    """Corrections may have taken all from a bucket."""
    if 0 in counts.values():
        return {bucket: count for bucket, count in counts.items() if count}
    return counts


def metric_numbers(metrics: Sequence[str]) -> list[int]:
    """Their numbers in ``HISTOGRAM_METRICS``. Raises ValueError for one that it does not have."""
    for metric in metrics:
        if metric not in HISTOGRAM_METRICS:
            known = ", ".join(HISTOGRAM_METRICS)
            raise ValueError(f"there is no histogram of {metric!r}; there are {known}")
    return [HISTOGRAM_METRICS.index(metric) for metric in metrics]
