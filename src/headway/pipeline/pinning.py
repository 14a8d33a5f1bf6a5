"""Keep a conversation at the provider that has a part of it: the response that it continues, files,
reasoning that only this provider can read.

Which provider that is, is remembered of the conversations that this process answered. Of others the
first target of the client's wire format counts, so that all processes choose the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from headway.dialects.base import DecodedRequest, Dialect
from headway.pipeline.gateway import Gateway, Snapshot
from headway.pipeline.plain_plans import RoutePlan, change_plan
from headway.pipeline.routed_requests import fields_of, find_prefix
from headway.policy.provider_state import ProviderState, find_provider_state
from headway.routing.route import Route, RouteTarget
from headway.types import ChatRequest, Request

PREVIOUS = "previous_response_id"


class PinnedCall(Protocol):
    """What of a ``GatewayCall`` is needed."""

    gateway: Gateway
    snapshot: Snapshot
    dialect: Dialect
    key_id: str | None


def may_have_state(request: Request, body: bytes) -> bool:
    """A quick check, for the many requests that have none: ``find_provider_state`` says. ``body``
    is the client's."""
    return request.native is not None or body.find(b'"file_id"') >= 0


def find_pinning(
    call: PinnedCall, route: Route, decoded: DecodedRequest, plan: RoutePlan
) -> Pinning | None:
    """None where it does not matter to the conversation which provider answers."""
    if not isinstance(decoded.request, ChatRequest):
        return None
    state = find_provider_state(decoded.request)
    if state is None and decoded.request.native is None:
        return None
    return Pinning(call, route, decoded, plan, state)


class Pinning:
    """Of one call. ``plan`` is that of its route, with the targets that may answer it."""

    __slots__ = ("_conversation", "_owner", "is_bound", "plan")

    def __init__(
        self,
        call: PinnedCall,
        route: Route,
        decoded: DecodedRequest,
        plan: RoutePlan,
        state: ProviderState | None,
    ) -> None:
        self._owner = call.key_id or ""
        self._conversation: str | None = None
        self.is_bound = False
        """No provider but that of the first candidate can answer."""
        self.plan = plan
        if decoded.request.native is not None:
            self._conversation = self._name(route, decoded)
        if state is None:
            return
        if state.is_bound and _is_kept_here(call, decoded, state):
            state = ProviderState(state.what, False)
        provider = self._find_provider(call, route, decoded, state)
        if provider is not None:
            self.is_bound = state.is_bound
            self.plan = _restrict(plan, provider, state)

    def remember(self, gateway: Gateway, provider: str, reply_id: str | None) -> None:
        """``provider`` has answered, under its own id ``reply_id``."""
        if self._conversation is not None:
            gateway.conversation_owners.put(self._conversation, provider)
            if reply_id is not None:
                gateway.conversation_owners.put(f"{self._owner}\n{reply_id}", provider)

    def _name(self, route: Route, decoded: DecodedRequest) -> str:
        """Of the conversation: the same over its turns."""
        name = decoded.session_id or find_prefix(decoded.request, fields_of(decoded.request))
        return f"{self._owner}\n{route.name}\n{name}"

    def _find_provider(
        self, call: PinnedCall, route: Route, decoded: DecodedRequest, state: ProviderState
    ) -> str | None:
        owners = call.gateway.conversation_owners
        if state.what == PREVIOUS and decoded.recall is not None:
            previous = decoded.recall.previous_response_id
            found = owners.get(f"{self._owner}\n{previous}")
            if found is not None:
                return found
        if self._conversation is not None:
            found = owners.get(self._conversation)
            if found is not None:
                return found
        return _first_of_wire(call, route, self.plan.targets) if state.is_bound else None


def _is_kept_here(call: PinnedCall, decoded: DecodedRequest, state: ProviderState) -> bool:
    """The gateway itself has what the request refers to, and sends it to any provider."""
    return (
        decoded.recall is not None
        and state.what in (PREVIOUS, "an item reference")
        and call.gateway.history is not None
        and call.snapshot.content.mode_for(call.key_id) == "full"
    )


def _first_of_wire(call: PinnedCall, route: Route, candidates: Sequence[RouteTarget]) -> str | None:
    """In the order of the route, whatever its strategy says now."""
    for target in route.targets:
        upstream = call.snapshot.upstreams.get(target.provider)
        if target not in candidates or upstream is None:
            continue
        adapter, wire = upstream.provider, call.dialect.wire
        if wire is None or adapter.wire == wire or wire in adapter.other_wires:
            return target.provider
    return None


def _restrict(plan: RoutePlan, provider: str, state: ProviderState) -> RoutePlan:
    own = tuple(target for target in plan.targets if target.provider == provider)
    rest = tuple(target for target in plan.targets if target.provider != provider)
    if not own or (not rest and state.is_bound):
        return plan
    why = f"{plan.why}, {state.what} of {provider}"
    if not state.is_bound:
        return change_plan(plan, (*own, *rest), plan.skipped, why)
    reason = f"cannot read {state.what} of {provider}"
    skipped = tuple((target.id, reason) for target in rest)
    return change_plan(plan, own, (*plan.skipped, *skipped), why)
