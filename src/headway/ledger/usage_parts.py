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

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from math import ceil, log
from operator import itemgetter, mul
from struct import Struct as Layout
from sys import byteorder
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from headway.ledger.money import (
    MAX_INTEGER,
    ZERO,
    add_usd,
    join_usd,
    parse_usd,
    split_usd,
    sum_usd,
)
from headway.ledger.rows import (
    COLUMNS,
    PROFILE_FIELDS,
    TERMS_FIELDS,
    Gaps,
    pack_histogram,
    unpack_gaps,
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
_counted_of = itemgetter(
    *map(
        COLUMNS.index,
        (
            "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
            "reasoning_tokens", "cost_pd", "cost_rest", "latency_us", "first_token_us",
            "first_byte_us", "gap_mean_us", "overhead_ns",
        ),
    )
)  # fmt: skip
SUMS = (
    "attempts", "calls", "failed", "unpriced", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
)  # fmt: skip
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
_METRICS = len(HISTOGRAM_METRICS)
_COST_AT = len(SUMS)
_TOTALS_AT = _COST_AT + 2
_GAP_SUM_AT = _TOTALS_AT + _METRICS
_SAVED_AT = _GAP_SUM_AT + 1
_MORE = COLUMNS.index("more")

Numbers = tuple[int, ...]
"""What is added up: ``SUMS``, picodollars, those of them that rest on counted or estimated tokens,
the values of ``HISTOGRAM_METRICS`` as integers, and the sum of the gaps in microseconds; then, only
where there are such, the picodollars that the cache saved. In cells without histograms there are
neither values of metrics nor gaps."""
Rests = tuple[str | None, str | None]
"""What is to be added to the picodollars, in dollars."""
Contribution = tuple[Numbers, bytes, Rests | None]
"""Of one record. The second are the values'
places in the histograms, in two bytes each, in the order of ``HISTOGRAM_METRICS``: ``FIRST_PLACE``
more than the bucket, or 0 where there is no value; empty for a record that ends no call."""
_NO_NUMBERS = (0,) * (_GAP_SUM_AT + 1)
_NO_VALUES = (0,) * (_METRICS + 1)
_PLACES = Layout(f"<{_METRICS}H")
_pack_places = _PLACES.pack
FIRST_PLACE = 1 - ZERO_BUCKET
_PER_LOG = 1 / log(GROWTH)
_SCALES = tuple(1 / (UNITS[metric] * SMALLEST) for metric in HISTOGRAM_METRICS)


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
    gaps: Sequence[Gaps | None],
    *,
    has_metrics: bool = True,
) -> list[Contribution]:
    """Of the records of ``rows`` (the values of ``COLUMNS``). ``call_pds``: the cost of all
    attempts of a call, for its last one; ``gaps``: of each record. Without ``has_metrics`` they
    have no values."""
    columns = list(zip(*map(_counted_of, rows), strict=True))
    *tokens, costs, rests, _, _, _, means, _ = columns
    sums = (
        *zip(*[each.head for each in flags], strict=True),
        [int(cost is None and each.is_successful) for cost, each in zip(costs, flags, strict=True)],
        *map(_without_none, (*tokens, costs)),
        [(cost or 0) if f.is_estimated else 0 for cost, f in zip(costs, flags, strict=True)],
    )
    both_rests = [
        None if rest is None else (rest, rest if each.is_estimated else None)
        for rest, each in zip(rests, flags, strict=True)
    ]
    if not has_metrics:
        plain: list[Contribution] = [
            ((*each, *_NO_VALUES), b"", rest)
            for each, rest in zip(zip(*sums, strict=True), both_rests, strict=True)
        ]
        return _add_savings(plain, rows)
    values = _values_of(columns, call_pds)
    gap_sums = [
        0 if each is None else _sum_gaps(each, mean) for each, mean in zip(gaps, means, strict=True)
    ]
    numbers = zip(*sums, *map(_without_none, values), gap_sums, strict=True)
    places = map(_pack_places, *map(_places_of, values, _SCALES))
    found: list[Contribution] = list(zip(numbers, places, both_rests, strict=True))
    for at, each in enumerate(flags):
        if not each.head[1]:  # it ends no call
            found[at] = (*found[at][0][:_TOTALS_AT], *_NO_VALUES), b"", both_rests[at]
    return _add_savings(found, rows)


def _add_savings(found: list[Contribution], rows: Sequence[Sequence[Any]]) -> list[Contribution]:
    """Add what the cache saved, where it did."""
    for at, row in enumerate(rows):
        if row[_MORE] is not None and (saved := _saved_pd(row[_MORE])):
            numbers, *rest = found[at]
            found[at] = ((*numbers, saved), *rest)  # type: ignore[assignment]
    return found


class _Savings(Struct):
    saved_usd: str | None = None


_decode_savings = msgspec.json.Decoder(_Savings).decode


def _saved_pd(more: str) -> int:
    """Picodollars, of the JSON of the rare fields."""
    text = _decode_savings(more).saved_usd if '"saved_usd"' in more else None
    try:
        return 0 if text is None else parse_usd(text)[0] or 0
    except ValueError:  # nonsense
        return 0


def _without_none(column: Sequence[int | None]) -> Sequence[int]:
    return [value or 0 for value in column]


def _values_of(
    columns: Sequence[Sequence[Any]], call_pds: Sequence[int | None]
) -> Sequence[Sequence[int | None]]:
    """In the order of ``HISTOGRAM_METRICS``."""
    _, outputs, *_, latencies, first_tokens, first_bytes, means, overheads = columns
    speeds = [
        output * 1000 * MICRO // latency if latency and output is not None else None
        for latency, output in zip(latencies, outputs, strict=True)
    ]
    return latencies, first_tokens, first_bytes, means, speeds, overheads, call_pds


def _places_of(column: Sequence[int | None], scale: float) -> Sequence[int]:
    """``scale``: what 1 is in the unit of the smallest value that a histogram tells from 0."""
    return [
        0
        if value is None
        else ceil(log(value * scale) * _PER_LOG) + FIRST_PLACE
        if value * scale > 1.0
        else 1
        for value in column
    ]


def _sum_gaps(gaps: Gaps, mean_us: int | None) -> int:
    """Microseconds: from the mean where it is known."""
    if mean_us is not None:
        return mean_us * sum(gaps[1])
    seconds: float = sum(map(mul, map(value_of, gaps[0]), gaps[1]))
    return round(seconds * MICRO)


# --- Parts of cells -------------------------------------------------------------------------------


class _Part(Struct, frozen=True, array_like=True):
    """The sums over some records, as they are kept."""

    numbers: Numbers
    places: bytes
    """Those of several records, one after the other, while they are few."""
    histograms: Sequence[bytes | None]
    """Of each metric: ``pack_histogram`` by place, where there are many; else nothing."""
    gaps: bytes | None
    """``pack_histogram``."""
    rests: Rests | None


class PartOf(Struct, frozen=True, array_like=True):
    """A ``_Part`` whose histograms are not decoded yet."""

    numbers: Numbers
    places: bytes
    histograms: tuple[Raw, ...]
    gaps: bytes | None
    rests: Rests | None


MOST_LISTED = 256 * _PLACES.size
"""Bytes of ``places`` from which on they are counted."""
_LENGTH_BYTES = 3
LARGEST_SUM = 2**63 - 1
"""Sums of nonsense are not larger."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(PartOf).decode
_decode_histogram = msgspec.msgpack.Decoder(bytes | None).decode


def _frame(part: _Part) -> bytes:
    try:
        body = _encode(part)
    except OverflowError:  # sums of nonsense
        numbers = tuple([max(-LARGEST_SUM, min(each, LARGEST_SUM)) for each in part.numbers])
        body = _encode(msgspec.structs.replace(part, numbers=numbers))
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def correct_call_cost(before_pd: int | None, after_pd: int) -> bytes:
    """The part that replaces the cost of a call, where an attempt came late."""
    at = HISTOGRAM_METRICS.index("cost_usd")
    counts = {_places_of([after_pd], _SCALES[at])[0]: 1}
    if before_pd is not None:
        before = _places_of([before_pd], _SCALES[at])[0]
        counts[before] = counts.get(before, 0) - 1
    numbers = list(_NO_NUMBERS)
    histograms: list[bytes | None] = [None] * _METRICS
    numbers[_TOTALS_AT + at] = after_pd - (before_pd or 0)
    histograms[at] = pack_counts(counts)
    return _frame(_Part(tuple(numbers), b"", histograms, None, None))


def decode_parts(parts: bytes) -> list[PartOf]:
    """What a database keeps of a cell."""
    return [_decode_part(frame[_LENGTH_BYTES:]) for frame in _split_frames(parts)]


def _split_frames(parts: bytes) -> Iterator[memoryview]:
    at, view = 0, memoryview(parts)
    while at < len(parts):
        start = at
        at += _LENGTH_BYTES + int.from_bytes(parts[at : at + _LENGTH_BYTES], "big")
        yield view[start:at]


def _decode_part(body: memoryview) -> PartOf:
    try:
        return _decode(body)
    except msgspec.ValidationError:
        return _convert(_decode_first(body))


class _FirstPart(Struct, frozen=True, array_like=True):
    """As parts were kept at first."""

    sums: tuple[int, ...]
    costs: tuple[int, int]
    rests: Rests
    totals: tuple[int, ...]
    buckets: tuple[list[int] | bytes | None, ...]
    """Of each metric: buckets that occurred once, or ``pack_histogram`` by bucket."""
    gaps: bytes | None
    gap_sum: int


_decode_first = msgspec.msgpack.Decoder(_FirstPart).decode


def _convert(part: _FirstPart) -> PartOf:
    histograms = []
    for buckets in part.buckets:
        if isinstance(buckets, bytes):
            places, numbers = unpack_gaps(buckets)
        else:
            places, numbers = buckets or (), (1,) * len(buckets or ())
        counts: dict[int, int] = {}
        add_counts(counts, ([each + FIRST_PLACE for each in places], numbers))
        histograms.append(Raw(_encode(pack_counts(counts))))
    numbers = (*part.sums, *part.costs, *part.totals, part.gap_sum)
    rests = part.rests if any(part.rests) else None
    return PartOf(numbers, b"", tuple(histograms), part.gaps, rests)


class Cell(Struct):
    """The sums over the records of one or more cells."""

    numbers: Numbers = _NO_NUMBERS
    cost_rest: Decimal = ZERO
    estimated_rest: Decimal = ZERO
    places: list[bytes] = field(default_factory=list)
    """Those that are not counted yet."""
    counts: list[dict[int, int]] = field(default_factory=lambda: [{} for _ in range(_METRICS)])
    """Place -> how often it occurs, of each metric."""
    gaps: dict[int, int] = field(default_factory=dict)

    def add(
        self,
        contributions: Sequence[Contribution],
        gaps: Iterable[Gaps | None] = (),
        *,
        has_metrics: bool = True,
    ) -> None:
        """Add records, and the gaps of those that end a call."""
        numbers, places, rests = zip(*contributions, strict=True)
        self.add_numbers(numbers)
        if any(rests):
            self.add_rests(filter(None, rests))
        if has_metrics:
            self.places.append(b"".join(places))
        for counts, place in zip(gaps, places, strict=False):
            if counts is not None and place:
                add_counts(self.gaps, counts)

    def add_numbers(self, numbers: Sequence[Numbers]) -> None:
        if self.numbers is not _NO_NUMBERS:
            numbers = (self.numbers, *numbers)
        if len(numbers) == 1:
            self.numbers = numbers[0]
        else:
            self.numbers = tuple(map(sum, zip_longest(*numbers, fillvalue=0)))

    def add_rests(self, rests: Iterable[Rests]) -> None:
        cost, estimated = (
            [Decimal(rest or 0) for rest in each] for each in zip(*rests, strict=True)
        )
        self.cost_rest = sum_usd([self.cost_rest, *cost])
        self.estimated_rest = sum_usd([self.estimated_rest, *estimated])

    def merge(self, other: Cell) -> None:
        self.add_numbers((other.numbers,))
        if other.cost_rest:
            self.cost_rest = add_usd(self.cost_rest, other.cost_rest)
            self.estimated_rest = add_usd(self.estimated_rest, other.estimated_rest)
        self.places += other.places
        for counts, more in zip(self.counts, other.counts, strict=True):
            _merge(counts, more)
        _merge(self.gaps, other.gaps)

    def add_parts(self, parts: bytes, metrics: Iterable[int], *, has_gaps: bool = True) -> None:
        """Add what a database keeps of a cell. Of the histograms only those of ``metrics``
        (numbers of ``HISTOGRAM_METRICS``), and of the gaps with ``has_gaps``."""
        self.add_decoded(decode_parts(parts), metrics, has_gaps=has_gaps)

    def add_decoded(
        self, parts: Sequence[PartOf], metrics: Iterable[int], *, has_gaps: bool = True
    ) -> None:
        """Add what ``decode_parts`` gives."""
        self.add_numbers([part.numbers for part in parts])
        for part in parts:
            if part.rests is not None:
                self.add_rests((part.rests,))
            if part.places:
                self.places.append(part.places)
            elif part.histograms:
                for metric in metrics:
                    packed = _decode_histogram(part.histograms[metric])
                    if packed is not None:
                        add_packed(self.counts[metric], packed)
            if has_gaps and part.gaps is not None:
                add_packed(self.gaps, part.gaps)

    def encode(self, *, has_gaps: bool = True, has_metrics: bool = True) -> bytes:
        """All as one part. Without ``has_metrics`` nothing of ``HISTOGRAM_METRICS`` was added."""
        numbers, rests = self.numbers, None
        if self.cost_rest or self.estimated_rest or numbers[_COST_AT] >= MAX_INTEGER:
            (cost_pd, cost), (estimated_pd, estimated) = map(split_usd, self._costs())
            numbers = (*numbers[:_COST_AT], cost_pd, estimated_pd, *numbers[_TOTALS_AT:])
            rests = cost, estimated
        has_values = self.places or self.gaps or any(self.counts) or any(numbers[_TOTALS_AT:])
        if not has_metrics or not has_values:
            saved = numbers[_SAVED_AT:]
            numbers = numbers[:_TOTALS_AT]
            return _frame(
                _Part(
                    (*numbers, *_NO_VALUES, *saved) if any(saved) else numbers, b"", (), None, rests
                )
            )
        gaps = pack_histogram(self.gaps) if has_gaps and self.gaps else None
        places: bytes = b"".join(self.places)
        histograms: list[bytes | None] = []
        if len(places) > MOST_LISTED or any(self.counts):
            self._count_places(range(_METRICS))
            places, histograms = b"", [pack_counts(counts) for counts in self.counts]
        return _frame(_Part(numbers, places, histograms, gaps, rests))

    def _count_places(self, metrics: Iterable[int]) -> None:
        """Once: those of the other metrics are forgotten."""
        count_places(b"".join(self.places), self.counts, metrics)
        self.places = []

    def _costs(self) -> tuple[Decimal, Decimal]:
        cost_pd, estimated_pd = self.numbers[_COST_AT:_TOTALS_AT]
        cost, estimated = join_usd(cost_pd), join_usd(estimated_pd)
        if self.cost_rest or self.estimated_rest:
            return add_usd(cost, self.cost_rest), add_usd(estimated, self.estimated_rest)
        return cost, estimated

    def to_usage(self, group: Mapping[str, str | None], metrics: Sequence[str]) -> Usage:
        """To be asked once, with the metrics that were added."""
        cost, estimated = self._costs()
        numbers, saved = self.numbers, sum(self.numbers[_SAVED_AT:])
        if len(numbers) <= _TOTALS_AT:
            numbers = (*numbers, *_NO_VALUES)
        sums = dict(zip(SUMS, numbers[:_COST_AT], strict=True))
        if metrics:
            self._count_places(metric_numbers(metrics))
        histograms = {}
        for name in metrics:
            at = HISTOGRAM_METRICS.index(name)
            counts: Mapping[int, int] = self.counts[at]
            buckets = dict(zip(map((-FIRST_PLACE).__add__, counts), counts.values(), strict=True))
            if 0 in counts.values():  # corrections may have taken all from a place
                buckets = {bucket: n for bucket, n in buckets.items() if n}
            total = numbers[_TOTALS_AT + at] / UNITS[name]
            histograms[name] = Histogram(buckets, total)
        gaps = Histogram(self.gaps, numbers[_GAP_SUM_AT] / MICRO) if self.gaps else None
        return Usage(
            group=group, cost_usd=cost, estimated_usd=estimated, histograms=histograms, gaps=gaps,
            saved_usd=join_usd(saved) if saved else ZERO, **sums,
        )  # fmt: skip


def merge_parts(parts: bytes) -> bytes:
    """All parts of a cell as one; where values were counted already and a few more are listed, as
    two, so that not all are counted again and again."""
    frames = [(frame, _decode_part(frame[_LENGTH_BYTES:])) for frame in _split_frames(parts)]
    counted = [frame for frame, part in frames if part.histograms]
    listed = [part for _, part in frames if not part.histograms]
    if len(counted) != 1 or sum(len(part.places) for part in listed) > MOST_LISTED:
        counted, listed = [], [part for _, part in frames]
    cell = Cell()
    cell.add_decoded(listed, range(_METRICS))
    return b"".join([*counted, cell.encode()] if listed else counted)


def count_places(
    listed: bytes, counts: list[dict[int, int]], metrics: Iterable[int] = range(_METRICS)
) -> None:
    """Add the places of some records to the counts of these metrics."""
    places = array("H", listed)
    if byteorder == "big":
        places.byteswap()
    for metric in metrics if places else ():
        counted = Counter(counts[metric])
        counted.update(places[metric::_METRICS])
        del counted[0]
        counts[metric] = counted


def pack_counts(counts: dict[int, int]) -> bytes | None:
    """Corrections may have taken all from a place."""
    if 0 in counts.values():
        counts = {place: count for place, count in counts.items() if count}
    return pack_histogram(counts) if counts else None


def add_counts(counts: dict[int, int], more: Gaps) -> None:
    get = counts.get
    for key, count in zip(*more, strict=True):
        counts[key] = get(key, 0) + count


def add_packed(counts: dict[int, int], packed: bytes) -> None:
    """``packed``: by ``pack_histogram``."""
    more = unpack_gaps(packed)
    if counts:
        add_counts(counts, more)
    else:
        counts.update(zip(*more, strict=True))


def _merge(counts: dict[int, int], more: Mapping[int, int]) -> None:
    if counts:
        add_counts(counts, (tuple(more), tuple(more.values())))
    else:
        counts.update(more)


def metric_numbers(metrics: Sequence[str]) -> list[int]:
    """Their numbers in ``HISTOGRAM_METRICS``. Raises ValueError for one that it does not have."""
    for metric in metrics:
        if metric not in HISTOGRAM_METRICS:
            known = ", ".join(HISTOGRAM_METRICS)
            raise ValueError(f"there is no histogram of {metric!r}; there are {known}")
    return [HISTOGRAM_METRICS.index(metric) for metric in metrics]
