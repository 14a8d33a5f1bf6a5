"""Which profiles of records a ``Filter`` means: what all databases share, and where it is decided
whose records a key may see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from headway.ledger.rows import PROFILE_FIELDS
from headway.ledger.store import Filter

_DIALECT, _PROVIDER, _MODEL, _DEPLOYMENT, _KEY, _OUTCOME, _STATUS = map(
    PROFILE_FIELDS.index,
    ("dialect", "provider", "model", "deployment", "key_id", "outcome", "status"),
)


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
    if where.owner is not None:
        add(_KEY, (where.owner,))
    if models := frozenset(where.models):
        tests.append(lambda profile: profile[_MODEL] in models or profile[_DEPLOYMENT] in models)
    if ranges := where.statuses:
        tests.append(lambda profile: _is_within(profile[_STATUS], ranges))
    return lambda profile: all(test(profile) for test in tests)


def _is_within(status: int | None, ranges: Sequence[tuple[int, int]]) -> bool:
    return status is not None and any(low <= status <= high for low, high in ranges)
