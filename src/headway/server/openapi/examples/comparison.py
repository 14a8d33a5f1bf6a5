"""The routes, and a comparison of the targets of one."""

from __future__ import annotations

import msgspec

from headway.ledger.comparison import ComparedTarget, TargetComparison
from headway.server.api.routes_route import (
    NOTE,
    KeyState,
    RouteNow,
    RouteStates,
    SpeedView,
    TargetNow,
)
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
_TARGET = TargetNow(
    target=_FIRST,
    weight=1.0,
    condition=None,
    state="closed",
    left_alone_s=0.0,
    is_being_tried=False,
    outstanding=3,
    error_share=0.0,
    streams=SpeedView(p50_s=0.5, p95_s=1.25, tokens_per_second=62.5),
    wholes=SpeedView(p50_s=None, p95_s=None, tokens_per_second=None),
    keys=(KeyState(id="east", is_left_alone=False, left_alone_s=0.0),),
)
ROUTES = (
    Example(
        "A route to one target",
        msgspec.to_builtins(
            RouteStates(
                data=(
                    RouteNow(
                        name="smart",
                        strategy="ordered",
                        targets=(_TARGET,),
                        on_context_window=(),
                        on_content_policy=(),
                        shadow=None,
                    ),
                ),
                note=NOTE,
            )
        ),
    ),
)
