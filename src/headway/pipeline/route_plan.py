"""Plan the targets of a call: read what the decision needs, and describe it for the record."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import msgspec
from msgspec.structs import replace

from headway.dialects.base import ClientRequest, DecodedRequest, Dialect
from headway.pipeline.gateway import Gateway, Snapshot
from headway.pipeline.routed_requests import read_request
from headway.pipeline.target_facts import Interests, TargetFactsTable, facts_table
from headway.routing.plan import Plan, make_plan
from headway.routing.route import Route
from headway.routing.routed_request import RoutedRequest
from headway.routing.wishes import Wishes


class RoutedCall(Protocol):
    """What of a ``GatewayCall`` is needed."""

    gateway: Gateway
    snapshot: Snapshot
    dialect: Dialect
    client_request: ClientRequest
    key_id: str | None


def plan_route(call: RoutedCall, route: Route, decoded: DecodedRequest, wishes: Wishes) -> Plan:
    facts, request = read_for_plan(call, route, decoded)
    return choose(call, route, decoded, wishes, facts, request)


def read_for_plan(
    call: RoutedCall, route: Route, decoded: DecodedRequest, interests: Interests | None = None
) -> tuple[TargetFactsTable, RoutedRequest]:
    """What is known of the targets, and what of the request the route depends on: ``interests``,
    in place of the route's own."""
    unix_now = call.gateway.unix_time()
    facts = facts_table(call.snapshot, unix_now)
    request = read_request(
        decoded,
        route=route,
        interests=interests or facts.interests_of(route),
        dialect=call.dialect.name,
        headers=call.client_request.headers,
        key_id=call.key_id or "",
        now=unix_now,
    )
    return facts, request


def choose(
    call: RoutedCall,
    route: Route,
    decoded: DecodedRequest,
    wishes: Wishes,
    facts: TargetFactsTable,
    request: RoutedRequest,
) -> Plan:
    gateway = call.gateway
    states, now = gateway.routing_state, gateway.clock()
    plan = make_plan(route, request, facts, states, now, gateway.rng, wishes)
    if decoded.allows_fallbacks or len(plan.candidates) < 2:
        return plan
    return replace(plan, candidates=plan.candidates[:1], why=f"{plan.why}, without fallbacks")


@lru_cache(maxsize=1024)
def describe_plan(
    why: str, target_ids: tuple[str, ...], skipped: tuple[tuple[str, str], ...]
) -> str:
    """JSON, for ``Record.decision``."""
    described = {
        "strategy": why,
        "targets": target_ids,
        "skipped": [{"target": name, "reason": reason} for name, reason in skipped],
    }
    return msgspec.json.encode(described).decode()
