"""Explain what would happen to a request. Nothing is sent, and nothing on record.

call = await open_call(gateway, dialect, client_request, key_id)
explanation = explain(call, input_tokens, mean_outputs, await find_cache_state(call))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import asdict, replace

from headway.dialects.base import ClientRequest, DecodedRequest, Dialect
from headway.errors import HeadwayError
from headway.pipeline import history, targets
from headway.pipeline.cache_policy import policy_for
from headway.pipeline.caching import find_lookup, name_route, name_target
from headway.pipeline.candidates import check_is_for_route, new_candidate
from headway.pipeline.explanation import (
    CacheState,
    ExplainedKey,
    ExplainedLimits,
    ExplainedPrice,
    ExplainedRequest,
    ExplainedRules,
    ExplainedState,
    ExplainedTarget,
    Explanation,
    OutputSource,
    Role,
)
from headway.pipeline.field_limits import check_lengths
from headway.pipeline.gateway import Gateway, Snapshot
from headway.pipeline.model_names import find_upstream
from headway.pipeline.prepare import prepare
from headway.pipeline.redaction import redact
from headway.pipeline.request_body import apply_headers, decode_request
from headway.pipeline.request_routes import apply_routing_headers, find_request_route
from headway.pipeline.route_plan import choose, read_for_plan
from headway.pipeline.target_facts import Interests
from headway.policy.base_urls import check_base_url
from headway.policy.keys import KeyId
from headway.policy.request_headers import select_own_headers
from headway.policy.routing_headers import find_read_timeout
from headway.routing.abilities import NOTHING, TargetFacts
from headway.routing.hedge import hedge_delay
from headway.routing.plan import MEAN_OUTPUT_TOKENS, Plan
from headway.routing.route import Limits, Route, RouteTarget
from headway.routing.routed_request import RoutedRequest
from headway.routing.wishes import Wishes
from headway.types import Headers

EVERYTHING = Interests(
    frozenset({"tags", "user", "needs", "headers", "input_tokens"}), NOTHING, None
)
"""More is read of the request than its plan depends on."""
MeanOutputs = Mapping[str, float]
"""Id of a target -> the mean of the tokens of its answers."""


class ExplainedCall(Struct, kw_only=True):
    """A request that is explained: what a ``GatewayCall`` would know before it sends anything."""

    gateway: Gateway
    snapshot: Snapshot
    dialect: Dialect
    client_request: ClientRequest
    key_id: str | None
    own_headers: Headers
    decoded: DecodedRequest
    route: Route
    """Of one target, for a request of one model."""
    route_name: str | None
    wishes: Wishes
    id: str = ""
    request_id: str = ""
    cache_use: None = None

    @property
    def is_routed(self) -> bool:
        return self.route_name is not None


async def open_call(
    gateway: Gateway, dialect: Dialect, client_request: ClientRequest, key_id: KeyId
) -> ExplainedCall:
    """Raises the error with which the request itself would be refused."""
    snapshot = gateway.snapshot
    own_headers = select_own_headers(client_request.headers)
    decoded = decode_request(dialect, client_request, snapshot.body_limit, snapshot.json_limit)
    decoded = apply_headers(decoded, own_headers)
    check_lengths(decoded)
    if decoded.base_url:
        check_base_url(snapshot.base_urls, key_id)
    decoded, route, wishes = find_request_route(snapshot, decoded, dialect.wire)
    route_name = None if route is None else route.name
    if decoded.recall is not None:
        upstream, named = find_upstream(snapshot, decoded, dialect.wire)
        decoded = await history.recall(gateway, snapshot, upstream, named, key_id)
    if route is None:
        _, decoded = find_upstream(snapshot, decoded, dialect.wire)
        route = _route_of_model(decoded)
    else:
        check_is_for_route(route, decoded)
        route = apply_routing_headers(route, decoded, find_read_timeout(client_request.headers))
    return ExplainedCall(
        gateway=gateway,
        snapshot=snapshot,
        dialect=dialect,
        client_request=client_request,
        key_id=key_id,
        own_headers=own_headers,
        decoded=decoded,
        route=route,
        route_name=route_name,
        wishes=wishes,
    )


def _route_of_model(decoded: DecodedRequest) -> Route:
    retries = decoded.retries or 0
    return Route(
        name="",
        targets=(RouteTarget(provider=decoded.provider, model=decoded.request.model),),
        retries=retries,
        max_attempts=1 + retries,
        limits=Limits(total=decoded.timeout_s),
    )


async def find_cache_state(call: ExplainedCall) -> CacheState | None:
    """Whether the response to an identical request is kept. Similar ones are not looked for."""
    gateway, snapshot = call.gateway, call.snapshot
    policy = policy_for(snapshot.cache, call.route.cache, call.own_headers)
    if policy is None:
        return None
    upstream = snapshot.upstreams.get(call.decoded.provider)
    target = name_route(call.route, call.wishes)
    if not call.is_routed and upstream is not None:
        target = name_target(upstream, call.decoded.request.model)
    lookup = find_lookup(
        policy,
        call.decoded,
        call.client_request.headers,
        key_id=call.key_id or "",
        target=target,
        wire=call.dialect.wire or call.dialect.name,
    )
    if lookup is None:
        return None
    if lookup.key is None:
        return "bypass"
    now, cache = gateway.unix_time(), gateway.response_cache
    found = cache.get(lookup.key, now) if lookup.reads else None
    if found is None and lookup.reads and cache.is_shared:
        found = await cache.load(lookup.key, now)
    return "hit" if lookup.takes(found, now) else "miss"


def explain(
    call: ExplainedCall,
    input_tokens: int | None,
    mean_outputs: MeanOutputs,
    cache: CacheState | None,
) -> Explanation:
    """``input_tokens`` are counted ones; None: they could not be counted."""
    return _Explainer(call, input_tokens, mean_outputs).explain(cache)


class _Explainer:
    def __init__(
        self, call: ExplainedCall, input_tokens: int | None, mean_outputs: MeanOutputs
    ) -> None:
        self.call = call
        self.facts, self.request = read_for_plan(call, call.route, call.decoded, EVERYTHING)
        self.is_counted = input_tokens is not None
        self.input_tokens = self.request.input_tokens if input_tokens is None else input_tokens
        self.mean_outputs = mean_outputs
        self.now = call.gateway.clock()

    def explain(self, cache: CacheState | None) -> Explanation:
        call, plan = self.call, self.plan()
        reasons = {each.target.id: each.reason for each in plan.skipped}
        found = [
            self.target(target, role, reasons.get(target.id))
            for role, targets_of_role in self.roles()
            for target in targets_of_role
        ]
        refused = {each.target for each in found if each.skipped is not None}
        order = [target.id for target in plan.candidates if target.id not in refused]
        explained = [_placed(each, order) for each in found]
        return Explanation(
            model=call.decoded.model_name or call.decoded.request.model,
            route=call.route_name,
            why=plan.why,
            order=tuple(order),
            refusal=None if order else _refusal(found),
            cache=cache,
            request=self.explained_request(),
            targets=tuple(explained),
            rules=_rules(call.route),
        )

    def plan(self) -> Plan:
        call = self.call
        if not call.is_routed:
            return Plan(call.route.targets, (), "one model")
        return choose(call, call.route, call.decoded, call.wishes, self.facts, self.request)

    def roles(self) -> Iterator[tuple[Role, tuple[RouteTarget, ...]]]:
        route = self.call.route
        yield "target", route.targets
        yield "on_context_window", route.on_context_window
        yield "on_content_policy", route.on_content_policy
        yield "shadow", () if route.shadow is None else (route.shadow.target,)

    # --- One target -----------------------------------------------------------------------------

    def target(self, target: RouteTarget, role: Role, skipped: str | None) -> ExplainedTarget:
        """``skipped`` is why the plan leaves it out."""
        facts = self.facts[target.id]
        transformations, fault = self.adapt(target)
        if self.call.is_routed and skipped is None:
            skipped = facts.unusable
        if skipped is None and fault is not None:
            skipped = f"cannot be sent it: {fault}"
        upstream = self.call.snapshot.upstreams.get(target.provider)
        window = target.context_window or facts.context_window
        return ExplainedTarget(
            target=target.id,
            role=role,
            place=None,
            skipped=skipped,
            kind=None if upstream is None else upstream.provider.name,
            weight=target.weight,
            condition=None if target.condition is None else target.condition.text,
            context_window=window,
            lacks=tuple(sorted(facts.lacks | (facts.may_lack - target.supports))),
            price=self.price(target, facts),
            transformations=transformations,
            keys=tuple(self.keys(target, facts)),
            state=self.state(target),
        )

    def adapt(self, target: RouteTarget) -> tuple[tuple[str, ...], str | None]:
        """The transformations, and why the target cannot be sent the request at all."""
        call = self.call
        try:
            candidate = new_candidate(call.snapshot, target, call.decoded, call.dialect)
            upstream = candidate.upstream
            context = prepare(call, upstream, candidate.decoded)
            targets.build_at_once(upstream, candidate.decoded)
        except HeadwayError as error:
            return (), redact(error.message, self.secrets(target)).removesuffix(".")
        return tuple(map(str, context.transformations)), None

    def secrets(self, target: RouteTarget) -> list[str]:
        upstream = self.call.snapshot.upstreams.get(target.provider)
        own = [] if upstream is None else upstream.secrets
        return [*own, self.call.decoded.api_key or ""]

    def price(self, target: RouteTarget, facts: TargetFacts) -> ExplainedPrice:
        output, source = self.output_tokens(target)
        estimated = None
        if facts.input_usd is not None and facts.output_usd is not None:
            micros = self.input_tokens * facts.input_usd + output * facts.output_usd
            estimated = round(micros / 1e6, 9)
        return ExplainedPrice(
            input_usd_per_mtok=facts.input_usd,
            output_usd_per_mtok=facts.output_usd,
            output_tokens=output,
            output_tokens_source=source,
            estimated_usd=estimated,
        )

    def output_tokens(self, target: RouteTarget) -> tuple[float, OutputSource]:
        if self.request.max_output_tokens is not None:
            return self.request.max_output_tokens, "max_tokens"
        mean = self.mean_outputs.get(target.id)
        return (MEAN_OUTPUT_TOKENS, "assumed") if mean is None else (round(mean, 1), "mean")

    def keys(self, target: RouteTarget, facts: TargetFacts) -> list[ExplainedKey]:
        """Of a provider with several, each."""
        states = self.call.gateway.routing_state
        return [
            ExplainedKey(
                name=key.rpartition("#")[2],
                waits_s=round(states.key_blocked_s(target.id, key, self.now), 3),
            )
            for key in facts.keys
        ]

    def state(self, target: RouteTarget) -> ExplainedState:
        state, now = self.call.gateway.routing_state.target(target.id), self.now
        speed = state.speed(self.call.decoded.stream)
        hedging = self.call.route.hedging
        return ExplainedState(
            breaker=state.breaker.state(now),
            rests_s=round(state.breaker.blocked_s(now), 3),
            outstanding=state.outstanding,
            error_share=round(state.errors(now), 4),
            time_to_first_token_s=speed.peak_s,
            tokens_per_second=speed.tokens_per_second,
            hedge_delay_s=None if hedging is None else hedge_delay(speed, now),
        )

    # --- The request ----------------------------------------------------------------------------

    def explained_request(self) -> ExplainedRequest:
        request: RoutedRequest = self.request
        return ExplainedRequest(
            dialect=request.dialect,
            operation=request.operation,
            stream=request.stream,
            input_tokens=self.input_tokens,
            input_tokens_source="counted" if self.is_counted else "estimated",
            estimated_tokens=request.input_tokens,
            max_output_tokens=request.max_output_tokens,
            needs=tuple(sorted(request.needs)),
            tags=request.tags,
            key=request.key_id,
            user=request.user,
            session=request.session_id,
        )


def _placed(target: ExplainedTarget, order: Sequence[str]) -> ExplainedTarget:
    is_tried = target.skipped is None and target.target in order and target.role != "shadow"
    return replace(target, place=order.index(target.target) + 1) if is_tried else target


def _refusal(found: Sequence[ExplainedTarget]) -> str:
    reasons = "; ".join(
        f"{each.target} {each.skipped}" for each in found if each.skipped and each.role == "target"
    )
    return f"No target can take this request. {reasons}."


def _rules(route: Route) -> ExplainedRules:
    return ExplainedRules(
        strategy=route.strategy,
        sticky=route.sticky,
        retries=route.retries,
        max_attempts=route.max_attempts,
        limits=ExplainedLimits(**asdict(route.limits)),
        fail_on=tuple(sorted(route.fail_on)),
        hedge_max_share=None if route.hedging is None else route.hedging.max_share,
        continue_streams=route.continues_streams,
        shadow_share=None if route.shadow is None else route.shadow.share,
    )
