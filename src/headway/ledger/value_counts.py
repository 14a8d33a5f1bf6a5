"""What the newest calls have in common: how many there are of each provider, model, outcome, ..."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from headway.ledger.json_views import iso_time
from headway.ledger.rows import PROFILE_FIELDS
from headway.ledger.store import ValueCounts

MAX_COUNTED = 5000
"""Calls that are looked at: the newest."""
MAX_VALUES = 20
"""Of one facet that are shown, the most frequent."""
_FIELDS = {
    "provider": "provider",
    "model": "model",
    "outcome": "outcome",
    "status": "status",
    "key": "key_id",
    "route": "route_name",
    "cache": "cache",
    "dialect": "dialect",
}
"""Filter -> the field of the profile that it is about."""
_AT = {facet: PROFILE_FIELDS.index(field) for facet, field in _FIELDS.items()}


class Group(NamedTuple):
    """Calls that are alike."""

    profile: Sequence[Any]
    user: str | None
    tags: Sequence[str]
    calls: int


class FacetValue(Struct, frozen=True):
    value: str | None
    """As a filter takes it; null for calls without a value."""
    count: int


class Facet(Struct, frozen=True):
    values: int
    """How many different ones there are."""
    top: tuple[FacetValue, ...]
    """The most frequent ones, at most 20."""


class LogFacets(Struct, frozen=True, kw_only=True):
    """How many calls have which values. A call with several tags counts in each of them."""

    of: int
    """Calls that were counted: the newest of those that the filters mean, at most 5,000."""
    is_all: bool
    """Those are all of them."""
    since: str | None
    """When the earliest of them ended: ISO 8601, in UTC."""
    facets: Mapping[str, Facet]
    """Filter -> its values: `provider`, `model`, `outcome`, `status`, `key`, `user`, `tag`,
    `route`, `cache` and `dialect`."""


def count_values(groups: Iterable[Group]) -> dict[str, dict[str | None, int]]:
    """Facet -> value -> calls."""
    counts: dict[str, Counter[str | None]] = {name: Counter() for name in (*_AT, "user", "tag")}
    for profile, user, tags, calls in groups:
        for facet, at in _AT.items():
            value = profile[at]
            counts[facet][None if value is None else str(value)] += calls
        counts["user"][user] += calls
        for tag in tags or (None,):
            counts["tag"][tag] += calls
    return {facet: dict(found) for facet, found in counts.items()}


def facets_view(found: ValueCounts) -> LogFacets:
    return LogFacets(
        of=found.calls,
        is_all=found.is_all,
        since=None if found.since is None else iso_time(found.since),
        facets={name: _facet(counts) for name, counts in found.counts.items()},
    )


def _facet(counts: Mapping[str | None, int]) -> Facet:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0] or ""))
    return Facet(len(counts), tuple(FacetValue(*pair) for pair in ordered[:MAX_VALUES]))
