"""The values of routes: names of models that mean several targets. See schema.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

Strategy = Literal[
    "ordered", "weighted", "least_outstanding", "lowest_latency", "cheapest", "fastest"
]


class When(Struct, frozen=True, kw_only=True):
    """A condition as a table: all that is given must hold. Empty: nothing is demanded."""

    header: Mapping[str, str] = {}
    """Name in lower case -> value; a star matches any text."""
    tags: tuple[str, ...] = ()
    """All of them."""
    key: tuple[str, ...] = ()
    """One of these ids of gateway keys."""
    user: tuple[str, ...] = ()
    """One of these, which may have a star."""
    dialect: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """All of them."""
    lacks: tuple[str, ...] = ()
    """None of them."""
    min_tokens: int | None = None
    max_tokens: int | None = None
    stream: bool | None = None
    hours: tuple[tuple[int, int], ...] = ()
    """Minutes of the day from and to; the second may be on the next day."""
    weekdays: tuple[int, ...] = ()
    """Monday is 0."""
    time_zone: str = "UTC"
    min_budget_left: float | None = None
    """Dollars."""


class RouteTarget(Struct, frozen=True, kw_only=True):
    model: str
    """``provider/model``; a star in it stands for the text that the star of the name matched."""
    weight: float = 1.0
    when: str | When | None = None
    """A condition in CEL, or a table."""
    parameters: Mapping[str, Any] = {}
    """Plain values; None takes a parameter out."""
    supports: tuple[str, ...] = ()
    context_window: int | None = None


class RouteLimits(Struct, frozen=True, kw_only=True):
    time_to_first_token: float | None = None
    idle: float | None = None
    tokens_per_second: float | None = None
    total: float | None = None


class Floors(Struct, frozen=True, kw_only=True):
    time_to_first_token: float | None = None
    tokens_per_second: float | None = None


class Hedge(Struct, frozen=True, kw_only=True):
    max_share: float = 0.05


class RouteCache(Struct, frozen=True, kw_only=True):
    """None: as ``Cache`` says."""

    ttl: float | None = None
    """Seconds."""
    tools: bool | None = None
    pace: Literal["instant", "recorded"] | None = None
    coalesce: Literal["off", "deterministic", "all"] | None = None


class Shadow(Struct, frozen=True, kw_only=True):
    model: str
    share: float = 1.0


class Route(Struct, frozen=True, kw_only=True):
    targets: tuple[RouteTarget, ...]
    strategy: Strategy = "ordered"
    sticky: Literal["session", "prefix"] | None = None
    retries: int = 0
    max_attempts: int = 6
    limits: RouteLimits = RouteLimits()
    cheapest_with: Floors = Floors()
    on_context_window: tuple[RouteTarget, ...] = ()
    on_content_policy: tuple[RouteTarget, ...] = ()
    fail_on: tuple[str, ...] = ()
    hedge: Hedge | None = None
    continue_streams: bool = False
    cache: RouteCache | None = None
    shadow: Shadow | None = None


class Breaker(Struct, frozen=True, kw_only=True):
    failures: int = 5
    """In a row."""
    error_share: float = 0.5
    min_attempts: int = 20
    """Below which the share does not count."""
    window: float = 30.0
    """Seconds."""
    cool_down: float = 15.0
    """Seconds, the first time."""
    max_cool_down: float = 300.0
    """Seconds."""


class Routing(Struct, frozen=True, kw_only=True):
    """What holds for all routes."""

    retry_budget: float = 0.1
    """Share of the requests."""
    hedge_budget: float = 0.05
    breaker: Breaker = Breaker()
