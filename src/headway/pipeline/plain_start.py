"""Send the request of a call to the first target of a route whose plan is kept: the usual call of a
route, which has no ``Dispatch`` before its attempt has failed."""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from headway.dialects.base import DecodedRequest, ResponseContext
from headway.errors import RequestError
from headway.pipeline import provider_calls
from headway.pipeline.answer_checks import AnswerChecks
from headway.pipeline.attempt import Attempt
from headway.pipeline.attempt_guard import AttemptGuard, Committer
from headway.pipeline.attempt_origin import header_lines
from headway.pipeline.gateway import Upstream
from headway.pipeline.plain_plans import RoutePlan
from headway.pipeline.prepare import PlannedCall, prepare
from headway.pipeline.route_plan import RoutedCall
from headway.routing.route import Route
from headway.types import HttpRequest, Target


class PlainCall(PlannedCall, RoutedCall, Protocol):
    """What of a ``GatewayCall`` is needed."""

    def send(
        self,
        upstream: Upstream,
        context: ResponseContext,
        target: Target,
        http_request: HttpRequest,
        guard: AttemptGuard,
        may_follow: bool,
    ) -> Attempt: ...


PlainStart = tuple[Route, RoutePlan, DecodedRequest]
"""With the client's request: what a ``Dispatch`` goes on from where the attempt fails."""


def send_plainly(
    call: PlainCall,
    route: Route,
    plan: RoutePlan,
    decoded: DecodedRequest,
    committer: Committer | None = None,
    checks: AnswerChecks | None = None,
) -> Attempt | None:
    """Send ``decoded`` to the first target of ``plan``. None, with nothing sent, where something
    must be awaited or chosen for that, or where the target cannot be sent it."""
    if plan.plain is None or decoded.recall is not None:
        return None
    upstream, target = plan.plain
    request, gateway = decoded.request, call.gateway
    name, model = upstream.name, plan.plain_model
    if request.native is not None:
        upstream = provider_calls.select_wire_format(upstream, request.native.wire, model)
    sent_as = replace(decoded, provider=name, request=replace(request, model=model))
    try:
        context = prepare(call, upstream, sent_as)
        http_request = provider_calls.encode(upstream, context.sent, target)
    except RequestError:
        return None  # the reason is found once more
    target_id, now = plan.ids[0], gateway.clock()
    stream = request.stream  # type: ignore[union-attr]  # only chat requests have such plans
    observer = gateway.routing_state.begin(target_id, name, now, stream)
    guard = AttemptGuard(
        1, "first", target_id, route.name, None, plan.decision, len(http_request.body), gateway,
        committer, observer, route.limits, checks, now, header_lines(target_id, route.name),
    )  # fmt: skip
    return call.send(upstream, context, target, http_request, guard, True)
