"""What is known of the targets of routes before they are called: of their providers, from the
price list, and from the data of their models."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from headway.metering.model_abilities import UNKNOWN, ModelAbilities, shipped_abilities
from headway.pipeline.gateway import Snapshot, Upstream
from headway.pipeline.vendor_models import serves_vendor_models
from headway.providers.capabilities import is_emulated, is_missing
from headway.routing.abilities import NEEDS, NOTHING, TargetFacts
from headway.routing.route import Route

PERIOD_S = 1800.0
"""Prices change on the day, or by the half hour where they differ between day and night."""
MAX_KEPT = 4096
"""Targets and routes that are kept: clients may name any."""
NEEDED = frozenset(NEEDS) - {"reasoning", "logprobs", "json_object"}
"""Without these a request makes no sense. The others are dropped where a provider lacks them, and
the answer says so."""


class Interests(Struct, frozen=True, gc=False):
    """What of a request a route's plan depends on, so that no more is read of it."""

    reads: frozenset[str]
    """The fields of a ``RoutedRequest`` that conditions read."""
    lacks: frozenset[str]
    """What at least one target lacks."""
    least_window: int | None
    """Tokens of the shortest context; None: all are unknown."""


class TargetFactsTable(dict[str, TargetFacts]):
    """The facts of any target by its id. They are found when they are asked for first."""

    def __init__(self, snapshot: Snapshot, unix_now: float) -> None:
        super().__init__()
        self._snapshot = snapshot
        self._now = unix_now
        self._interests: dict[int, tuple[Route, Interests]] = {}

    def __missing__(self, target_id: str) -> TargetFacts:
        if len(self) >= MAX_KEPT:
            self.clear()
        provider, _, model = target_id.partition("/")
        facts = self[target_id] = find_facts(self._snapshot, provider, model, self._now)
        return facts

    def interests_of(self, route: Route) -> Interests:
        route_kept, interests = self._interests.get(id(route), (None, None))
        if interests is None or route_kept is not route:
            if len(self._interests) >= MAX_KEPT:
                self._interests.clear()
            interests = self._find_interests(route)
            self._interests[id(route)] = route, interests
        return interests

    def _find_interests(self, route: Route) -> Interests:
        targets = (*route.targets, *route.on_context_window, *route.on_content_policy)
        facts = [self[target.id] for target in targets]
        given = (
            target.context_window or one.context_window
            for target, one in zip(targets, facts, strict=True)
        )
        windows = [window for window in given if window is not None]
        conditions = [each.condition for each in targets if each.condition is not None]
        return Interests(
            reads=NOTHING.union(*(each.reads for each in conditions)),
            lacks=NOTHING.union(*(each.lacks | each.may_lack for each in facts)),
            least_window=min(windows, default=None),
        )


def facts_table(snapshot: Snapshot, unix_now: float) -> TargetFactsTable:
    """The table for this moment, which is kept for half an hour."""
    period = int(unix_now // PERIOD_S)
    table = snapshot.target_facts.get(period)
    if table is None:
        snapshot.target_facts.clear()
        table = snapshot.target_facts[period] = TargetFactsTable(snapshot, unix_now)
    return table  # type: ignore[return-value]


def find_facts(snapshot: Snapshot, provider: str, model: str, unix_now: float) -> TargetFacts:
    upstream = snapshot.upstreams.get(provider)
    if upstream is None:
        return TargetFacts(unusable="has no provider of that name", names=frozenset({provider}))
    adapter = upstream.provider
    priced = snapshot.prices.describe(adapter.price_id, model, unix_now, provider=provider)
    abilities = find_abilities(upstream, model)
    return TargetFacts(
        unusable=_unusable(upstream),
        names=frozenset({provider, adapter.name}),
        lacks=frozenset(need for need in NEEDED if is_missing(need, adapter.capabilities)),
        may_lack=frozenset(
            need for need in abilities.lacks & NEEDED if not is_emulated(need, adapter.capabilities)
        ),
        operations=_operations(upstream),
        context_window=abilities.context_window or priced.context_window,
        input_usd=None if priced.input is None else float(priced.input),
        output_usd=None if priced.output is None else float(priced.output),
        keys=tuple(key.id for key in upstream.keys) or (provider,),
    )


def describe_abilities(
    capabilities: Mapping[str, str], known: ModelAbilities
) -> dict[str, bool | None]:
    """Whether a model can do each of ``NEEDS`` behind an adapter with these capabilities. None:
    unknown."""
    return {need: _has(need, capabilities, known) for need in NEEDS}


def _has(need: str, capabilities: Mapping[str, str], known: ModelAbilities) -> bool | None:
    if is_missing(need, capabilities):
        return False
    if is_emulated(need, capabilities) or need in known.has:
        return True
    return False if need in known.lacks else None


def find_abilities(upstream: Upstream, model: str) -> ModelAbilities:
    """Of a model of the vendor; under an address of one's own a name may mean another model. What
    the configuration says that a deployment is, counts for names that are unknown."""
    if upstream.provider.base_url is not None and not serves_vendor_models(upstream):
        return UNKNOWN
    book, kind = shipped_abilities(), upstream.provider.name
    found = book.find(kind, model)
    base_model = upstream.options.get("model_name")
    return book.find(kind, str(base_model)) if found is UNKNOWN and base_model else found


def _unusable(upstream: Upstream) -> str | None:
    if upstream.lacks_address:
        return "has no address: its provider is not configured"
    if upstream.has_key is False:
        return f"has no key: set {upstream.key_name}"
    return None


def _operations(upstream: Upstream) -> frozenset[str]:
    adapter = upstream.provider
    is_elsewhere = upstream.base_url != adapter.base_url
    relayed = (name for name, one in adapter.operations.items() if one.is_vendors or is_elsewhere)
    return frozenset({*relayed, *(["embeddings"] if adapter.encode_embeddings else [])})
