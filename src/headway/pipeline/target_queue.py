"""The targets of one call that were not tried yet, and why others were passed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from headway.dialects.base import DecodedRequest
from headway.errors import HeadwayError, NoTarget, RequestError
from headway.pipeline.candidates import Candidate, new_candidate
from headway.pipeline.plain_plans import RoutePlan
from headway.pipeline.prepare import PlannedCall, prepare
from headway.pipeline.redaction import redact_error
from headway.pipeline.route_plan import describe_plan
from headway.pipeline.target_facts import facts_table
from headway.routing.plan import find_rest
from headway.routing.route import RouteTarget


class QueuedCall(PlannedCall, Protocol):
    """What of a ``GatewayCall`` is needed."""

    attempts: int

    def secrets(self) -> list[str]: ...


class TargetQueue:
    """``peek`` and ``take`` adapt the request to each target, so that those which cannot carry it
    are passed over."""

    __slots__ = (
        "_at",
        "_call",
        "_decision",
        "_decoded",
        "_may_rest",
        "_ready",
        "_refusal",
        "_route_name",
        "_skipped",
        "_targets",
        "_why",
    )

    def __init__(self, call: QueuedCall, decoded: DecodedRequest, route_name: str) -> None:
        """``decoded`` is the client's request. ``route_name`` is empty for a call of one model."""
        self._call = call
        self._decoded = decoded
        self._route_name = route_name
        self._targets: Sequence[RouteTarget] = ()
        self._at = 0
        """The place of the first target in ``_targets`` that was not tried."""
        self._ready: Candidate | None = None
        """That target, with the request for it."""
        self._skipped: list[tuple[str, str]] | None = None
        """Ids of targets that were passed over, and why, in words that follow the id."""
        self._refusal: HeadwayError | None = None
        """Why the last one was passed over."""
        self._why = ""
        self._decision: str | None = None
        self._may_rest = True
        """What failed since the plan was made, or has no key left, is passed over."""

    def __len__(self) -> int:
        return len(self._targets) - self._at

    def plan(self, plan: RoutePlan, tried: int) -> None:
        """The first ``tried`` targets of the plan were tried already."""
        self._at = tried
        self._targets, self._why, self._decision = plan.targets, plan.why, plan.decision
        self._may_rest = not plan.is_last_resort
        if plan.skipped:
            self._skipped = list(plan.skipped)

    def replace(
        self,
        targets: Sequence[RouteTarget],
        why: str = "",
        skipped: Sequence[tuple[str, str]] = (),
        is_last_resort: bool = False,
    ) -> None:
        """Let ``targets`` follow, and no others. ``why`` in words, where it is not as before, and
        ``skipped`` and ``is_last_resort`` as of a ``RoutePlan``."""
        self._may_rest = not is_last_resort
        self._targets, self._at, self._ready = targets, 0, None
        self._why, self._decision = why or self._why, None
        if skipped:
            self._skipped = [*(self._skipped or ()), *skipped]

    def rest(self) -> Sequence[RouteTarget]:
        """Those that were not tried."""
        return self._targets[self._at :]

    def put(self, candidate: Candidate) -> None:
        """The only target."""
        self._targets, self._ready = (candidate.target,), candidate

    def peek(self) -> Candidate | None:
        """The first of the targets that can carry the request, and that may be used now if one was
        tried before; None where none is left. Those before it are passed over."""
        while self._at < len(self._targets):
            target = self._targets[self._at]
            rest = self._find_rest(target)
            if rest is not None:
                self._skip(target.id, rest)
                self._ready = None
                self._at += 1
                continue
            if self._ready is not None and self._ready.is_prepared:
                return self._ready
            try:
                self._ready = self._prepare(target)
            except RequestError as error:
                self._ready = None
                self._at += 1
                self.pass_over(target.id, error)
        return None

    def take(self) -> Candidate:
        """As ``peek``, for the last time. Raises HeadwayError where none is left."""
        found = self.peek()
        if found is None:
            raise self._exhausted()
        self._at += 1
        self._ready = None
        return found

    def _prepare(self, target: RouteTarget) -> Candidate:
        """Raises RequestError."""
        call, candidate = self._call, self._ready
        if candidate is None:
            candidate = new_candidate(call.snapshot, target, self._decoded, call.dialect)
        if candidate.decoded.recall is None:
            candidate.context = prepare(call, candidate.upstream, candidate.decoded)
        candidate.is_prepared = True
        return candidate

    def _find_rest(self, target: RouteTarget) -> str | None:
        """Why ``target`` is left alone now, though it was not when the plan was made."""
        call = self._call
        if not (self._may_rest and self._route_name and call.attempts):
            return None
        gateway, facts = call.gateway, facts_table(call.snapshot, call.gateway.unix_time())
        return find_rest(target.id, facts[target.id], gateway.routing_state, gateway.clock())

    def pass_over(self, target_id: str, error: HeadwayError) -> None:
        redact_error(error, self._call.secrets())
        self._skip(target_id, f"cannot be sent it: {error.message}")
        self._refusal = error

    def _skip(self, target_id: str, reason: str) -> None:
        skipped = self._skipped = self._skipped or []
        skipped.append((target_id, reason))
        self._decision = None

    def _exhausted(self) -> HeadwayError:
        """That of the only target, or one that says of each target why it was passed over."""
        if not self._route_name and self._refusal is not None:
            return self._refusal
        skipped = self._skipped or ()
        reasons = "; ".join(f"{name} {reason.removesuffix('.')}" for name, reason in skipped)
        return NoTarget(
            f"No target of the route {self._route_name!r} can take this request. {reasons}.",
            param="model",
            code="no_target",
        )

    def describe(self, candidate: Candidate) -> str | None:
        """How ``candidate`` was chosen, as ``Record.decision`` has it; None for a call of one
        model."""
        if self._decision is None and self._route_name:
            left = (target.id for target in self._targets[self._at :])
            ids = (candidate.id, *left)
            self._decision = describe_plan(self._why, ids, tuple(self._skipped or ()))
        return self._decision
