"""Which profiles of records a ``Filter`` means: what all databases share, and where it is decided
whose records a key may see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from headway.ledger.rows import PROFILE_FIELDS, TERMS_FIELDS
from headway.ledger.store import Filter

_DIALECT, _PROVIDER, _MODEL, _DEPLOYMENT, _KEY, _OUTCOME, _STATUS, _ROUTE, _CACHE = map(
    PROFILE_FIELDS.index,
    ("dialect", "provider", "model", "deployment", "key_id", "outcome", "status", "route_name",
     "cache"),
)  # fmt: skip
_ROLE = TERMS_FIELDS.index("role")


def profile_test(where: Filter) -> Callable[[Sequence[Any]], bool]:
    """Whether a profile is among those that ``where`` asks for."""
    tests: list[Callable[[Sequence[Any]], bool]] = []

    def add(at: int, values: Iterable[str]) -> None:
        allowed = frozenset(values)
        if allowed:
            tests.append(lambda profile: profile[at] in allowed)

    add(_PROVIDER, where.providers)
    add(_DIALECT, where.dialects)
    add(_KEY, where.keys)
    add(_OUTCOME, where.outcomes)
    add(_ROUTE, where.routes)
    add(_CACHE, where.caches)
    if where.owner is not None:
        add(_KEY, (where.owner,))
    if models := frozenset(where.models):
        tests.append(lambda profile: profile[_MODEL] in models or profile[_DEPLOYMENT] in models)
    if ranges := where.statuses:
        tests.append(lambda profile: _is_within(profile[_STATUS], ranges))
    return lambda profile: all(test(profile) for test in tests)


def terms_of_roles(terms: Mapping[int, Sequence[Any]], roles: Iterable[str]) -> list[int]:
    """The numbers of the terms of attempts that were made for one of these reasons."""
    asked = frozenset(roles)
    return [number for number, values in terms.items() if values[_ROLE] in asked]


def _is_within(status: int | None, ranges: Sequence[tuple[int, int]]) -> bool:
    return status is not None and any(low <= status <= high for low, high in ranges)
