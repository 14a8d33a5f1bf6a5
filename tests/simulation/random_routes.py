"""Random routes, and the rule of the breakers."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from headway.routing.breaker import BreakerRule
from headway.routing.route import Floors, Hedging, Limits, Route, RouteTarget, Shadow, Strategy

STRATEGIES: tuple[Strategy, ...] = (
    "ordered", "ordered", "weighted", "least_outstanding", "lowest_latency", "cheapest", "fastest",
)  # fmt: skip


def make_routes(rng: Random, models: Sequence[str]) -> list[Route]:
    """``models`` are ``provider/model``."""
    return [_make_route(rng, number, models) for number in range(rng.choice((1, 1, 2)))]


def _make_route(rng: Random, number: int, models: Sequence[str]) -> Route:
    count = min(len(models), rng.choice((1, 2, 2, 3, 4)))
    names = rng.sample(models, count)
    others = [name for name in models if name not in names]
    return Route(
        name=f"route-{number}",
        targets=tuple(_make_target(rng, name) for name in names),
        strategy=rng.choice(STRATEGIES),
        sticky=rng.choice((None, None, None, "session", "prefix")),
        retries=rng.choice((0, 0, 0, 1, 2)),
        max_attempts=rng.choice((1, 2, 3, 6, 6)),
        limits=_make_limits(rng),
        floors=rng.choice((Floors(), Floors(time_to_first_token=1.0))),
        on_context_window=_make_fallback(rng, others),
        on_content_policy=_make_fallback(rng, others),
        fail_on=frozenset(rng.choice(((), ("empty",)))),
        shadow=Shadow(target=_make_target(rng, rng.choice(models)), share=rng.choice((0.3, 1.0)))
        if rng.random() < 0.15
        else None,
        hedging=Hedging(max_share=rng.choice((0.05, 0.3, 1.0))) if rng.random() < 0.4 else None,
    )


def _make_fallback(rng: Random, models: Sequence[str]) -> tuple[RouteTarget, ...]:
    is_wanted = rng.random() < 0.3 and models
    return (_make_target(rng, rng.choice(models)),) if is_wanted else ()


def _make_target(rng: Random, name: str) -> RouteTarget:
    provider, _, model = name.partition("/")
    return RouteTarget(provider=provider, model=model, weight=rng.choice((1.0, 1.0, 3.0)))


def _make_limits(rng: Random) -> Limits:
    if rng.random() < 0.5:
        return Limits()
    return Limits(
        time_to_first_token=rng.choice((None, 2.0, 5.0)),
        idle=rng.choice((None, 1.0, 10.0)),
        tokens_per_second=rng.choice((None, None, 5.0)),
        total=rng.choice((None, 3.0, 30.0)),
    )


def make_breaker_rule(rng: Random) -> BreakerRule:
    return BreakerRule(
        failures=rng.choice((1, 3, 5)),
        minimum=rng.choice((5, 20)),
        window_s=rng.choice((10.0, 30.0)),
        cool_down_s=rng.choice((1.0, 15.0)),
        max_cool_down_s=rng.choice((15.0, 60.0)),
    )
