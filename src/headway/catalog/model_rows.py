"""The models of all providers, and the names of the configuration, as one flat list: what a person
needs to choose one, and a form its parameters. Null is unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct, structs

from headway.catalog.catalog_cache import CatalogCache
from headway.catalog.model_catalog import CatalogEntry, CatalogPrices, ProviderCatalog
from headway.catalog.model_kinds import ModelKind, kind_of
from headway.metering.price import find_thresholds, rate_above
from headway.metering.price_data import Rates
from headway.pipeline.gateway import Snapshot
from headway.pipeline.model_names import split
from headway.routing.abilities import NEEDS
from headway.routing.route import Route, RouteTarget
from headway.types import Parameter

BRIEF_S = 1.0
"""How long the list of a provider is waited for that nobody asked to be fetched."""
PRICED = {
    "input": "input",
    "output": "output",
    "cached": "cache_read",
    "cache_write": "cache_write",
}
"""Name in a list -> name in the price data."""


class TierPrices(CatalogPrices, frozen=True, kw_only=True):
    """US dollars per million tokens, of requests with many input tokens."""

    above: int
    """The tier is for requests with more input tokens than this."""


class RowPrices(CatalogPrices, frozen=True, kw_only=True):
    """The prices that the gateway computes costs with: US dollars per million tokens, of the lowest
    tier. Null is unknown, or without a price of its own."""

    tiers: tuple[TierPrices, ...]
    """The further ones, ascending."""
    further: Mapping[str, float]
    """What else has a price of its own, by the names of the configuration's `prices`: tokens of
    audio and images per million, `requests` and searches per thousand, `audio_hours` per hour."""


class ParameterRange(Struct, frozen=True, kw_only=True):
    """A parameter that the model takes, and its values."""

    name: str
    """The name to show."""
    type: str
    """`float`, `integer`, `string`, `boolean`, `array` or `object`."""
    default: float | int | str | bool | None
    minimum: float | int | None
    maximum: float | int | None
    step: float | int | None


class ModelRow(Struct, frozen=True, kw_only=True):
    """A model, or a name of the configuration."""

    id: str
    """What a request has as `model`."""
    provider: str | None
    """The configured name of the provider. Null for a route, whose targets may have several."""
    provider_name: str | None
    """The provider's name to show."""
    model: str | None
    """The provider's own name of the model."""
    name: str | None
    """The model's name to show."""
    kind: ModelKind
    """What the model is for, by its name."""
    context_window: int | None
    """Tokens; of a route the longest of its targets."""
    max_output: int | None
    """Tokens of the longest answer."""
    prices: RowPrices | None
    """Null for a route, whose targets have their own."""
    listed_prices: CatalogPrices | None
    """The prices in the provider's own list, with `live`."""
    abilities: Mapping[str, bool | None]
    """`tools`, `images`, `documents`, `audio`, `json_schema`, `json_object`, `reasoning` and
    `logprobs`; of a route what at least one target can."""
    refuses: tuple[str, ...]
    """Parameters that the provider takes and this model rejects."""
    parameters: Mapping[str, ParameterRange]
    """Those that it takes, by the name that a request has for them."""
    deprecated: bool | None
    """Whether the provider has announced that it will be removed."""
    created: int | None
    """Unix seconds, as the provider's own list says."""
    usable: bool
    """There is a key or there are credentials for it, or it needs none."""
    is_route: bool = False
    is_alias: bool = False
    """A name of the configuration for one model."""
    targets: tuple[str, ...] = ()
    """What a route or an alias means, as `provider/model`."""


class ModelRows:
    """The rows of a gateway's models."""

    def __init__(self, catalog: CatalogCache) -> None:
        self._catalog = catalog
        self._made: dict[str, tuple[ProviderCatalog, tuple[ModelRow, ...]]] = {}
        """By the configured name of the provider; valid for that list."""

    async def of_providers(
        self, names: Sequence[str], *, is_live: bool
    ) -> tuple[list[ModelRow], dict[str, Any]]:
        """The rows of the providers with these names, and the errors of those whose own list could
        not be fetched. A provider of which no model is known, as a server of one's own, is asked
        for its list in any case, and waited for a moment: a later call has what comes then."""
        snapshot, rows = self._catalog.gateway.snapshot, list[ModelRow]()
        found = dict(await self._catalog.get(names, is_live=is_live))
        unknown = [
            name
            for name, one in found.items()
            if not is_live and not one.entries and is_usable(snapshot, name)
        ]
        for asked in await asyncio.gather(*map(self._ask_briefly, unknown)):
            found |= asked
        for name, one in found.items():
            rows += self._rows(snapshot, name, one)
        return rows, {name: one.error for name, one in found.items() if one.error is not None}

    async def _ask_briefly(self, name: str) -> Mapping[str, ProviderCatalog]:
        with suppress(TimeoutError):
            async with asyncio.timeout(BRIEF_S):
                return await self._catalog.get([name], is_live=True)
        return {}

    def of_configuration(self) -> list[ModelRow]:
        """The rows of aliases and routes. Names with a star are left out: no request has them."""
        snapshot = self._catalog.gateway.snapshot
        rows = []
        for name, target in snapshot.aliases.exact.items():
            route = snapshot.routes.exact.get(name)
            if route is not None:
                rows.append(self._route_row(snapshot, route))
            elif (meant := self._row_of(snapshot, target)) is not None:
                rows.append(structs.replace(meant, id=name, is_alias=True, targets=(target,)))
        return rows

    def _rows(self, snapshot: Snapshot, name: str, one: ProviderCatalog) -> tuple[ModelRow, ...]:
        known = self._made.get(name)
        if known is None or known[0] is not one:
            rows = tuple(_model_row(snapshot, name, entry) for entry in one.entries)
            known = self._made[name] = one, rows
        return known[1]

    def _row_of(self, snapshot: Snapshot, target: str) -> ModelRow | None:
        """Of a model that need not be in any list. None: there is no such provider."""
        named = split(snapshot, target)
        if named is None:
            return None
        return _model_row(snapshot, named[0], self._catalog.describe(*named))

    def _route_row(self, snapshot: Snapshot, route: Route) -> ModelRow:
        pairs = [(target, self._row_of(snapshot, target.id)) for target in route.targets]
        found = [(target, row) for target, row in pairs if row is not None]
        rows = [row for _, row in found]
        windows = [target.context_window or row.context_window for target, row in found]
        outputs = [row.max_output for row in rows]
        refused = [set(row.refuses) for row in rows]
        return ModelRow(
            id=route.name,
            provider=None,
            provider_name=None,
            model=None,
            name=None,
            kind=rows[0].kind if rows else kind_of(route.name),
            context_window=max(filter(None, windows), default=None),
            max_output=max(filter(None, outputs), default=None),
            prices=None,
            listed_prices=None,
            abilities=_common_abilities(found),
            refuses=tuple(sorted(set.intersection(*refused))) if refused else (),
            parameters={
                name: one for row in reversed(rows) for name, one in row.parameters.items()
            },
            deprecated=None,
            created=None,
            usable=any(row.usable for row in rows),
            is_route=True,
            targets=tuple(target.id for target in route.targets),
        )


def is_usable(snapshot: Snapshot, name: str) -> bool:
    """Whether the provider can be called without a key in the request."""
    if name in snapshot.unlisted:
        return False
    upstream = snapshot.upstreams[name]
    return upstream.has_key is not False and not upstream.lacks_address


def _model_row(snapshot: Snapshot, name: str, entry: CatalogEntry) -> ModelRow:
    details = entry.details
    return ModelRow(
        id=f"{name}/{entry.id}",
        provider=name,
        provider_name=snapshot.upstreams[name].provider.title,
        model=entry.id,
        name=entry.name,
        kind=kind_of(entry.id),
        context_window=details.context_window,
        max_output=entry.max_output,
        prices=None if details.prices is None else _row_prices(details.prices, entry.rates),
        listed_prices=details.listed_prices or None,
        abilities=entry.abilities,
        refuses=details.refuses,
        parameters={spec.id: _range(spec) for spec in entry.parameters},
        deprecated=details.deprecated,
        created=entry.created or None,
        usable=is_usable(snapshot, name),
    )


def _common_abilities(found: Sequence[tuple[RouteTarget, ModelRow]]) -> Mapping[str, bool | None]:
    """What at least one target can do: the others are left out for a request that needs it."""
    return {
        need: _any(need in target.supports or row.abilities.get(need) for target, row in found)
        for need in NEEDS
    }


def _any(values: Iterable[bool | None]) -> bool | None:
    known = set(values)
    return True if True in known else None if None in known or not known else False


def _row_prices(prices: CatalogPrices, rates: Rates) -> RowPrices:
    further = {
        name: float(amount)
        for name, rate in structs.asdict(rates).items()
        if name not in PRICED.values() and (amount := rate_above(rate, -1)) is not None
    }
    return RowPrices(
        **structs.asdict(prices),
        tiers=tuple(_tier(rates, above) for above in find_thresholds(rates)),
        further=further,
    )


def _tier(rates: Rates, above: int) -> TierPrices:
    amounts = {name: rate_above(getattr(rates, of), above) for name, of in PRICED.items()}
    dollars = {name: None if one is None else float(one) for name, one in amounts.items()}
    return TierPrices(above=above, **dollars)


def _range(spec: Parameter) -> ParameterRange:
    return ParameterRange(
        name=spec.name,
        type=spec.type,
        default=spec.default,
        minimum=spec.min,
        maximum=spec.max,
        step=spec.step,
    )
