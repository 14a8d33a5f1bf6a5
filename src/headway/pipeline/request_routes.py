"""The route of a call: that of its model's name, or one that the request itself describes, with
what the request's headers change of it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from headway.dialects.base import DecodedRequest
from headway.errors import AmbiguousModel, HeadwayError
from headway.pipeline import model_names
from headway.pipeline.gateway import Snapshot
from headway.pipeline.routed_requests import fields_of
from headway.policy.routing_fields import (
    MODELS,
    ROUTING_FIELDS,
    RoutingFields,
    Sort,
    read_routing_fields,
)
from headway.routing.route import Route, RouteTarget, Strategy
from headway.routing.wishes import NO_WISHES, Wishes

REQUEST = "request"
"""The name of the routes that requests describe."""
STRATEGIES: dict[Sort, Strategy] = {
    "price": "cheapest",
    "latency": "lowest_latency",
    "throughput": "fastest",
}
Routed = tuple[DecodedRequest, Route | None, Wishes]


def find_request_route(snapshot: Snapshot, decoded: DecodedRequest, wire: str | None) -> Routed:
    """The request, the route that it takes or None where it names one model, and its wishes.
    ``wire`` is the dialect's. Raises RequestError."""
    route = model_names.find_route(snapshot, decoded)
    request = decoded.request
    fields = request.parameters if request.native is None else request.native.fields
    if decoded.model_name is None or ("models" not in fields and "provider" not in fields):
        return decoded, route, NO_WISHES
    if route is None and _is_for_router(snapshot, decoded, wire):
        return decoded, None, NO_WISHES
    asked = read_routing_fields(fields)
    decoded = _without_fields(decoded, asked)
    targets = route.targets if route is not None else ()
    return decoded, *_describe(snapshot, decoded, wire, asked, route, targets)


def _describe(
    snapshot: Snapshot,
    decoded: DecodedRequest,
    wire: str | None,
    asked: RoutingFields,
    route: Route | None,
    targets: tuple[RouteTarget, ...],
) -> tuple[Route | None, Wishes]:
    wishes = _wishes(asked)
    if wishes == NO_WISHES and not asked.models and not asked.requires_parameters:
        return route, NO_WISHES
    if not targets:
        targets = _targets_of(snapshot, decoded.model_name or "", wire)
    for at, name in enumerate(asked.models):
        try:
            targets += _targets_of(snapshot, name, wire)
        except HeadwayError as error:
            error.param = f"{MODELS}[{at}]"
            raise
    unique = {target.id: target for target in reversed(targets)}
    ordered = tuple(unique[name] for name in dict.fromkeys(target.id for target in targets))
    if route is None:
        return Route(name=REQUEST, targets=ordered), wishes
    return (replace(route, targets=ordered) if asked.models else route), wishes


def _is_for_router(snapshot: Snapshot, decoded: DecodedRequest, wire: str | None) -> bool:
    """Whether the fields are for the provider, which routes by itself."""
    try:
        provider, _ = model_names.find(snapshot, decoded.model_name or "", wire)
    except HeadwayError:
        return False  # the fields may say which of several providers is meant
    return snapshot.upstreams[provider].provider.takes_routing_fields


def _without_fields(decoded: DecodedRequest, asked: RoutingFields) -> DecodedRequest:
    request = decoded.request
    kept = {name: raw for name, raw in fields_of(request).items() if name not in ROUTING_FIELDS}
    changed: Any = (
        replace(request, parameters=kept)
        if request.native is None
        else replace(request, native=replace(request.native, fields=kept))
    )
    return replace(decoded, request=changed, requires_parameters=asked.requires_parameters)


def _targets_of(snapshot: Snapshot, name: str, wire: str | None) -> tuple[RouteTarget, ...]:
    """What a name of a model means: the targets of a route, one model, or that of all providers
    that have it. Raises RequestError."""
    route = model_names.find_named_route(snapshot, name)
    if route is not None:
        return route.targets
    try:
        found = [model_names.find(snapshot, name, wire)]
    except AmbiguousModel:
        found = model_names.find_all(snapshot, name)
    return tuple(RouteTarget(provider=provider, model=model) for provider, model in found)


def _wishes(asked: RoutingFields) -> Wishes:
    return Wishes(
        order=asked.order,
        only=asked.only,
        ignore=asked.ignore,
        sort=None if asked.sort is None else STRATEGIES[asked.sort],
        max_input_usd=asked.max_prompt_usd,
        max_output_usd=asked.max_completion_usd,
        allows_fallbacks=asked.allows_fallbacks,
    )


# --- Headers --------------------------------------------------------------------------------------


def apply_routing_headers(
    route: Route, decoded: DecodedRequest, read_timeout_s: float | None
) -> Route:
    """``route`` with what the headers of its request change. ``read_timeout_s`` is for how long
    the client waits for the next byte: a stream gets comments, so that it goes on waiting."""
    read_s = None if decoded.stream else read_timeout_s
    if read_s is None and decoded.timeout_s is None and decoded.retries is None:
        return route if decoded.allows_fallbacks else _without_fallbacks(route)
    given = (route.limits.total, decoded.timeout_s, read_s)
    total = min((seconds for seconds in given if seconds is not None), default=None)
    limits = route.limits if total == route.limits.total else replace(route.limits, total=total)
    retries = route.retries if decoded.retries is None else decoded.retries
    route = replace(route, limits=limits, retries=retries)
    return route if decoded.allows_fallbacks else _without_fallbacks(route)


def _without_fallbacks(route: Route) -> Route:
    return replace(route, on_context_window=(), on_content_policy=())
