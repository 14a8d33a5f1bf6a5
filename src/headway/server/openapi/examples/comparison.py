"""A comparison of the targets of a route."""

from __future__ import annotations

import msgspec

from headway.ledger.comparison import ComparedTarget, TargetComparison
from headway.server.openapi.examples.base import Example

_FIRST = "east/large"
_OTHER = "west/small"
COMPARISON = (
    Example(
        "A target that gets copies is cheaper",
        msgspec.to_builtins(
            TargetComparison(
                route="smart",
                metric="cost",
                unit="US dollars a request",
                since="2026-11-23T12:00:00.000000Z",
                until=None,
                targets=(
                    ComparedTarget(
                        target=_FIRST,
                        requests=4200,
                        mean=0.0021,
                        is_paired=False,
                        pairs=None,
                        difference=None,
                        low=None,
                        high=None,
                        result=None,
                        more_requests=None,
                        summary=f"{_FIRST} is what the others are compared with.",
                    ),
                    ComparedTarget(
                        target=_OTHER,
                        requests=412,
                        mean=0.0006,
                        is_paired=True,
                        pairs=412,
                        difference=-0.0015,
                        low=-0.0017,
                        high=-0.0013,
                        result="lower",
                        more_requests=None,
                        summary=f"{_OTHER} is cheaper than {_FIRST} by $0.0015 a request, between "
                        "$0.0013 and $0.0017; this holds whenever you look.",
                    ),
                ),
                note=None,
            )
        ),
    ),
)
