"""The plan of a call's route, in the form that its dispatch needs, and the plans of plain routes,
which are the same for nearly all requests and are kept.

A route is plain if its targets are tried in their order and have no conditions. Its plan depends on
the request only where a target lacks something or has a short context, and on the state of the
targets only while something is wrong with one.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from headway.dialects.base import DecodedRequest
from headway.pipeline.gateway import Gateway, Snapshot, Upstream
from headway.pipeline.route_plan import RoutedCall, describe_plan
from headway.pipeline.routed_requests import fields_of, find_needs
from headway.pipeline.target_facts import facts_table
from headway.routing.plan import Plan
from headway.routing.route import Route, RouteTarget
from headway.types import ChatRequest, Target

BYTES_PER_TOKEN = 4
"""A prompt has no more tokens than its body has bytes for, as ``routed_requests`` estimates it."""
ADDED_BYTES = 1024
"""Of the prompt, at most, that are not in the body: a dialect writes messages around a text."""
MAX_KEPT = 4096
"""Plans that are kept: clients may describe routes."""


class RoutePlan(Struct, frozen=True):
    targets: tuple[RouteTarget, ...]
    """In the order in which they are tried."""
    skipped: tuple[tuple[str, str], ...]
    """Ids of those that are not, and why, in words that follow the id."""
    why: str
    """How the order came about."""
    decision: str
    """All of this, as ``Record.decision``."""
    has_several_providers: bool
    ids: tuple[str, ...] = ()
    is_last_resort: bool = False
    """As in ``Plan``."""
    plain: tuple[Upstream, Target] | None = None
    """Where all requests to the first target go; None where that depends on the request."""
    plain_model: str = ""
    """Of the first target."""


class PlainPlan(Struct, frozen=True):
    """A plan that is kept."""

    of: tuple[RouteTarget, ...]
    """The targets of the route."""
    plan: RoutePlan | None
    """None: the route is not plain."""
    largest: int
    """Bytes of a request that surely fits into the context of each target."""
    lacks: frozenset[str]
    """What at least one target lacks."""


def new_route_plan(plan: Plan) -> RoutePlan:
    targets = plan.candidates
    ids = tuple([target.id for target in targets])
    skipped = tuple([(each.target.id, each.reason) for each in plan.skipped])
    has_several = any(target.provider != targets[0].provider for target in targets)
    decision = describe_plan(plan.why, ids, skipped)
    return RoutePlan(targets, skipped, plan.why, decision, has_several, ids, plan.is_last_resort)


def change_plan(
    plan: RoutePlan,
    targets: tuple[RouteTarget, ...],
    skipped: tuple[tuple[str, str], ...],
    why: str,
) -> RoutePlan:
    ids = tuple([target.id for target in targets])
    decision = describe_plan(why, ids, skipped)
    return RoutePlan(
        targets, skipped, why, decision, plan.has_several_providers, ids, plan.is_last_resort
    )


def find_plain_plan(call: RoutedCall, route: Route, decoded: DecodedRequest) -> RoutePlan | None:
    """The plan of ``route``, whose targets are ordered, if it is known without looking at the
    request. None: make one."""
    targets, gateway = route.targets, call.gateway
    kept = call.snapshot.plain_plans.get(id(targets))
    if kept is None or kept.of is not targets:
        kept = _keep(gateway, call.snapshot, route)
    plan, asked = kept.plan, decoded.request
    if (
        plan is None
        or type(asked) is not ChatRequest
        or len(call.client_request.body) > kept.largest
        or not gateway.routing_state.is_quiet(plan.ids)
    ):
        return None
    if kept.lacks and not kept.lacks.isdisjoint(find_needs(asked, fields_of(asked))):
        return None
    return plan


def _keep(gateway: Gateway, snapshot: Snapshot, route: Route) -> PlainPlan:
    plans = snapshot.plain_plans
    if len(plans) >= MAX_KEPT:
        plans.clear()
    kept = plans[id(route.targets)] = _new_plain_plan(gateway, snapshot, route)
    return kept


def _new_plain_plan(gateway: Gateway, snapshot: Snapshot, route: Route) -> PlainPlan:
    facts = facts_table(snapshot, gateway.unix_time())
    targets, interests = route.targets, facts.interests_of(route)
    is_plain = not any(
        target.condition is not None or facts[target.id].unusable is not None for target in targets
    )
    window = interests.least_window
    largest = 2**62 if window is None else window * BYTES_PER_TOKEN - ADDED_BYTES
    if not is_plain:
        return PlainPlan(targets, None, largest, interests.lacks)
    plan, first = new_route_plan(Plan(targets, (), "ordered")), targets[0]
    upstream = snapshot.upstreams.get(first.provider)
    if upstream is not None and not upstream.keys and not first.parameters:
        plain = None if upstream.target is None else (upstream, upstream.target)
        plan = replace(plan, plain=plain, plain_model=first.model)
    return PlainPlan(targets, plan, largest, interests.lacks)
