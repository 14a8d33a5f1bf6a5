"""Compare the targets of a route by what their calls cost, how long they took, or what was said of
them, with results that are valid whenever they are looked at (``routing.sequential_test``).

Counted are attempts that ended well. Times are those of first attempts and of copies, as the times
of others contain the attempts before. A copy is compared with the call that it is a copy of.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from msgspec import Struct
from msgspec.structs import replace

from headway.ledger.json_views import iso_time
from headway.ledger.store import MAX_LIMIT, Filter, Store
from headway.record import Record
from headway.routing.sequential_test import MIN_SAMPLES, Sample, compare, samples_needed

Metric = Literal["cost", "latency", "time_to_first_token", "tokens_per_second", "feedback"]
METRICS: tuple[Metric, ...] = get_args(Metric)
Result = Literal["lower", "higher", "unknown"]
MAX_RECORDS = 200_000
"""Records that are looked at, the oldest of the time; more take too long."""
_FIELDS: Mapping[Metric, str] = {
    "cost": "cost_usd",
    "latency": "latency_s",
    "time_to_first_token": "time_to_first_token_s",
    "tokens_per_second": "tokens_per_second",
}
_TIMES = ("latency", "time_to_first_token", "tokens_per_second")
UNITS: Mapping[Metric, str] = {
    "cost": "US dollars a request",
    "latency": "seconds",
    "time_to_first_token": "seconds",
    "tokens_per_second": "tokens a second",
    "feedback": "mean score",
}
_WORDS: Mapping[Metric, tuple[str, str]] = {
    "cost": ("{b} is cheaper than {a} by {size} a request", "{b} is dearer than {a} by {size} a "
             "request"),
    "latency": ("{b} is faster than {a} by {size}", "{b} is slower than {a} by {size}"),
    "time_to_first_token": ("{b} begins to answer {size} sooner than {a}",
                            "{b} begins to answer {size} later than {a}"),
    "tokens_per_second": ("{b} gives {size} tokens a second less than {a}",
                          "{b} gives {size} tokens a second more than {a}"),
    "feedback": ("{b} is rated lower than {a} by {size}", "{b} is rated higher than {a} by {size}"),
}  # fmt: skip
"""What is said where the value of ``b`` is lower, and higher."""


class ComparedTarget(Struct, frozen=True, kw_only=True):
    """One target, and how it differs from the first one."""

    target: str
    """``provider/model``."""
    requests: int
    """Those with a value of the metric."""
    mean: float | None
    is_paired: bool
    """The differences are those of copies to the calls that they are copies of."""
    pairs: int | None
    difference: float | None
    """Its mean less that of the first target; of pairs the mean difference."""
    low: float | None
    """The true difference is between ``low`` and ``high`` at all times, in all but 5% of such
    comparisons."""
    high: float | None
    result: Result | None
    """Whether its value is lower than that of the first target; null for that one itself."""
    more_requests: int | None
    """About how many more requests tell the difference, if it stays as it is; null where it is told
    already, or where that cannot be said."""
    summary: str
    """The same in words."""


class TargetComparison(Struct, frozen=True, kw_only=True):
    """The targets of a route, by one metric. The first is what the others are compared with."""

    route: str
    metric: Metric
    unit: str
    since: str | None
    until: str | None
    targets: tuple[ComparedTarget, ...]
    note: str | None
    """What was left out."""


class _Value(NamedTuple):
    """Of one attempt."""

    call_id: str
    target: str
    value: float
    copy_of: str | None


async def compare_targets(
    store: Store, route: str, metric: Metric, where: Filter, targets: Sequence[str] = ()
) -> TargetComparison:
    """Of the calls that ``where`` means. ``targets`` are those to compare, in this order; unless
    given all, the one with the most calls first. Raises StoreError."""
    names = tuple(dict.fromkeys(targets))
    found: list[_Value] = []
    seen = 0
    async for records in _pages(store, replace(where, routes=(route,))):
        seen += len(records)
        found += await _values(store, records, metric)
        if seen >= MAX_RECORDS:
            break
    note = None
    if seen >= MAX_RECORDS:
        note = f"The first {seen:,} records of this time; a shorter time has fewer."
    names = names or _by_calls(found)
    first = names[0] if names else ""
    return TargetComparison(
        route=route,
        metric=metric,
        unit=UNITS[metric],
        since=None if where.since is None else iso_time(where.since),
        until=None if where.until is None else iso_time(where.until),
        targets=tuple(_compared(found, metric, first, name) for name in names),
        note=note if found else "No request of this route has such a value in this time.",
    )


async def _pages(store: Store, where: Filter) -> AsyncIterator[Sequence[Record]]:
    cursor: str | None = None
    while True:
        records, cursor = await store.attempts(where, limit=MAX_LIMIT, cursor=cursor)
        yield records
        if cursor is None:
            return


async def _values(store: Store, records: Sequence[Record], metric: Metric) -> list[_Value]:
    chosen = [each for each in records if each.outcome == "ok" and each.provider is not None]
    if metric in _TIMES:
        chosen = [each for each in chosen if each.role in ("first", "shadow")]
    if metric == "feedback":
        ids = [each.call_id for each in chosen if each.is_last]
        scores = await store.scores(ids) if ids else {}
        values = [scores.get(each.call_id) if each.is_last else None for each in chosen]
    else:
        name = _FIELDS[metric]
        values = [getattr(each, name) for each in chosen]
    return [
        _Value(
            each.call_id, f"{each.provider}/{each.model or each.deployment}", float(value),
            each.shadow_of,
        )
        for each, value in zip(chosen, values, strict=True)
        if value is not None
    ]  # fmt: skip


def _by_calls(values: Iterable[_Value]) -> tuple[str, ...]:
    """The targets, the one that answered most clients first, and those with copies alone last."""
    counts: dict[str, list[int]] = {}
    for each in values:
        count = counts.setdefault(each.target, [0, 0])
        count[each.copy_of is not None] += 1
    return tuple(sorted(counts, key=lambda name: (*[-each for each in counts[name]], name)))


def _compared(values: Sequence[_Value], metric: Metric, first: str, name: str) -> ComparedTarget:
    own = [each for each in values if each.target == name]
    sample = Sample.of(each.value for each in own)
    mean = sample.mean if own else None
    if name == first:
        return ComparedTarget(
            target=name, requests=len(own), mean=mean, is_paired=False, pairs=None,
            difference=None, low=None, high=None, result=None, more_requests=None,
            summary=f"{name} is what the others are compared with.",
        )  # fmt: skip
    calls = {each.call_id: each.value for each in values if each.target == first}
    pairs = [
        each.value - calls[each.copy_of] for each in own if each.copy_of and each.copy_of in calls
    ]
    if pairs:
        a, b = Sample(len(pairs)), Sample.of(pairs)
    else:
        a = Sample.of(each.value for each in values if each.target == first)
        b = sample
    found, result = compare(a, b), _result(a, b)
    more = None if result in ("lower", "higher") else samples_needed(a, b)
    if more is not None and pairs:
        more //= 2  # a pair is one request
    return ComparedTarget(
        target=name,
        requests=len(own),
        mean=mean,
        is_paired=bool(pairs),
        pairs=len(pairs) or None,
        difference=b.mean - a.mean if min(a.count, b.count) else None,
        low=None if found is None else found.low,
        high=None if found is None else found.high,
        result=result,
        more_requests=more,
        summary=_summary(a, b, metric, first, name, more),
    )


def _result(a: Sample, b: Sample) -> Result:
    found = compare(a, b)
    if found is None or found.verdict == "no difference found":
        return "unknown"
    return "lower" if found.verdict == "b is lower" else "higher"


def _summary(a: Sample, b: Sample, metric: Metric, first: str, name: str, more: int | None) -> str:
    found, result = compare(a, b), _result(a, b)
    about = "" if more is None else f"; about {more:,} more requests tell, if it stays as it is"
    if found is None:
        return (
            f"{name} and {first}: not known yet, as nothing is concluded from fewer than "
            f"{MIN_SAMPLES} requests of each{about}."
        )
    if result == "unknown":
        between = f"between {_size(metric, found.low)} and {_size(metric, found.high)}"
        return f"{name} and {first}: not known yet, the difference is {between}{about}."
    low, high = sorted((abs(found.low), abs(found.high)))
    words = _WORDS[metric][result == "higher"]
    said = words.format(a=first, b=name, size=_size(metric, abs(found.difference)))
    return (
        f"{said}, between {_size(metric, low)} and {_size(metric, high)}; "
        "this holds whenever you look."
    )


def _size(metric: Metric, value: float) -> str:
    sign, digits = "-" if value < 0 else "", f"{abs(value):.3g}"
    if "e" in digits:
        digits = f"{abs(value):.12f}".rstrip("0").rstrip(".")
    if metric == "cost":
        return f"{sign}${digits}"
    return f"{sign}{digits} s" if metric in ("latency", "time_to_first_token") else sign + digits
