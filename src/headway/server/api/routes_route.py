"""``GET /api/routes``: the configured routes, and what this worker knows of their targets now."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from headway.pipeline.gateway import Gateway, Snapshot
from headway.ports import RoutingState
from headway.routing.breaker import Breaker, BreakerState
from headway.routing.model_aliases import STAR
from headway.routing.provider_keys import ProviderKey
from headway.routing.route import Route, RouteTarget, Strategy
from headway.routing.target_state import Speed
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest, answer

NOTE = (
    "As this worker of the server sees it. Workers tell each other what is left alone; what is "
    "under way and how fast targets are, each measures for itself."
)


class SpeedView(Struct, frozen=True, kw_only=True):
    """Of the last five minutes, at most 256 answers; null where there are none."""

    p50_s: float | None
    """Seconds until the first token of a stream, or until the end of a whole answer."""
    p95_s: float | None
    tokens_per_second: float | None
    """Of output, the later answers with more weight."""


class KeyState(Struct, frozen=True, kw_only=True):
    """One of the provider's keys, for this target."""

    id: str
    """The provider's name, and the key's number or name; never the key."""
    is_left_alone: bool
    """The provider refused or limited it, or another request is trying it at the moment."""
    left_alone_s: float
    """Seconds until it is used again."""


class TargetNow(Struct, frozen=True, kw_only=True):
    """A target of a route, and what is known of it at the moment."""

    target: str
    """``provider/model``."""
    weight: float
    condition: str | None
    """When it may be used."""
    state: BreakerState | None
    """``closed``: it is used; ``open``: it failed and is left alone; ``half_open``: the next
    request tries it. Null for a target with a star, which stands for many."""
    left_alone_s: float
    """Seconds until a request tries it again."""
    is_being_tried: bool
    """One request is trying it, and the others wait for its outcome."""
    outstanding: int
    """Attempts under way."""
    error_share: float
    """Of the attempts that failed lately, from 0 to 1."""
    streams: SpeedView | None
    wholes: SpeedView | None
    keys: tuple[KeyState, ...]


class RouteNow(Struct, frozen=True, kw_only=True):
    name: str
    strategy: Strategy
    targets: tuple[TargetNow, ...]
    on_context_window: tuple[TargetNow, ...]
    """What follows a target whose context is too short."""
    on_content_policy: tuple[TargetNow, ...]
    """What follows a target that refuses the content."""
    shadow: TargetNow | None
    """What gets copies of requests."""


class RouteStates(Struct, frozen=True, kw_only=True):
    """The routes, in the order of the configuration."""

    data: tuple[RouteNow, ...]
    note: str


async def routes(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Raises RequestError for a parameter: there are none."""
    request.read(filters=())
    return answer(route_states(ledger.gateway))


def route_states(gateway: Gateway) -> RouteStates:
    now, snapshot, states = gateway.clock(), gateway.snapshot, gateway.routing_state

    def view(target: RouteTarget) -> TargetNow:
        return _target_now(target, snapshot, states, now)

    return RouteStates(
        data=tuple(
            RouteNow(
                name=route.name,
                strategy=route.strategy,
                targets=tuple(map(view, route.targets)),
                on_context_window=tuple(map(view, route.on_context_window)),
                on_content_policy=tuple(map(view, route.on_content_policy)),
                shadow=None if route.shadow is None else view(route.shadow.target),
            )
            for route in _routes(snapshot)
        ),
        note=NOTE,
    )


def _routes(snapshot: Snapshot) -> Iterator[Route]:
    table = snapshot.routes
    yield from table.exact.values()
    yield from (each.route for each in table.patterns if each.route is not None)
    if table.unknown is not None:
        yield table.unknown


def _target_now(
    target: RouteTarget, snapshot: Snapshot, states: RoutingState, now: float
) -> TargetNow:
    condition = None if target.condition is None else target.condition.text
    if STAR in target.id:
        return TargetNow(
            target=target.id, weight=target.weight, condition=condition, state=None,
            left_alone_s=0.0, is_being_tried=False, outstanding=0, error_share=0.0, streams=None,
            wholes=None, keys=(),
        )  # fmt: skip
    known = states.target(target.id)
    breaker = known.breaker
    upstream = snapshot.upstreams.get(target.provider)
    keys = (upstream.keys if upstream is not None else ()) or (ProviderKey(target.provider),)
    return TargetNow(
        target=target.id,
        weight=target.weight,
        condition=condition,
        state=breaker.state(now),
        left_alone_s=breaker.blocked_s(now),
        is_being_tried=_is_being_tried(breaker, now),
        outstanding=known.outstanding,
        error_share=known.errors(now),
        streams=_speed(known.streams, now),
        wholes=_speed(known.wholes, now),
        keys=tuple(_key(states, target.id, key.id, now) for key in keys),
    )


def _is_being_tried(breaker: Breaker, now: float) -> bool:
    return breaker.state(now) == "half_open" and not breaker.admits(now)


def _speed(speed: Speed, now: float) -> SpeedView:
    return SpeedView(
        p50_s=speed.recent.percentile(50, now),
        p95_s=speed.recent.percentile(95, now),
        tokens_per_second=speed.tokens_per_second,
    )


def _key(states: RoutingState, target_id: str, key_id: str, now: float) -> KeyState:
    blocked_s = states.key_blocked_s(target_id, key_id, now)
    return KeyState(id=key_id, is_left_alone=blocked_s > 0.0, left_alone_s=blocked_s)
