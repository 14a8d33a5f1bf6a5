"""The names for models of a configuration, as the pipeline reads them."""

from __future__ import annotations

from datetime import UTC, tzinfo

import msgspec
from msgspec import Raw

from headway.config import Cache, Config, ConfigError, Problem
from headway.config.route_schema import Route as RouteConfig
from headway.config.route_schema import RouteCache, When
from headway.config.route_schema import RouteTarget as TargetConfig
from headway.pipeline.answer_schema import NEEDS_EXTRA, is_available
from headway.routing.cel import CelError, compile_cel
from headway.routing.conditions import Table, compile_table
from headway.routing.model_aliases import ModelAliases
from headway.routing.route import (
    CacheRule,
    Condition,
    Floors,
    Hedging,
    Limits,
    Route,
    RouteTarget,
    Shadow,
)
from headway.routing.route_table import RouteTable

SCHEMA_RULE = "invalid_schema"
DEFAULT_TTL_S = 300.0
"""Of a route with a cache, where nothing says for how long."""


def new_aliases(config: Config) -> ModelAliases:
    """A route means its first target here."""
    return ModelAliases.from_table(
        {
            name: meaning if isinstance(meaning, str) else meaning.targets[0].model
            for name, meaning in config.models.items()
        }
    )


def new_routes(config: Config) -> RouteTable:
    """Raises ConfigError for a route that needs a package which is not installed."""
    for name, meaning in config.models.items():
        if not isinstance(meaning, str) and SCHEMA_RULE in meaning.fail_on and not is_available():
            raise ConfigError([Problem(f"models.{name}.fail_on", NEEDS_EXTRA, "configuration")])
    return RouteTable.from_names(
        [
            (name, None if isinstance(meaning, str) else _route(name, meaning, config.cache))
            for name, meaning in config.models.items()
        ]
    )


def _route(name: str, given: RouteConfig, cache: Cache) -> Route:
    hedge, shadow = given.hedge, given.shadow
    return Route(
        name=name,
        targets=_targets(given.targets),
        strategy=given.strategy,
        sticky=given.sticky,
        retries=given.retries,
        max_attempts=given.max_attempts,
        limits=msgspec.convert(given.limits, Limits, from_attributes=True),
        floors=msgspec.convert(given.cheapest_with, Floors, from_attributes=True),
        on_context_window=_targets(given.on_context_window),
        on_content_policy=_targets(given.on_content_policy),
        fail_on=msgspec.convert(given.fail_on, frozenset),
        hedging=None if hedge is None else Hedging(max_share=hedge.max_share),
        continues_streams=given.continue_streams,
        cache=None if given.cache is None else _cache_rule(given.cache, cache),
        shadow=None
        if shadow is None
        else Shadow(target=_target(TargetConfig(model=shadow.model)), share=shadow.share),
    )


def _targets(given: tuple[TargetConfig, ...]) -> tuple[RouteTarget, ...]:
    return tuple(_target(one) for one in given)


def _target(given: TargetConfig) -> RouteTarget:
    provider, _, model = given.model.partition("/")
    return RouteTarget(
        provider=provider,
        model=model,
        weight=given.weight,
        condition=None if given.when is None else _condition(given.when),
        supports=frozenset(given.supports),
        context_window=given.context_window,
        parameters={
            name: Raw(msgspec.json.encode(value)) for name, value in given.parameters.items()
        },
    )


def _condition(given: str | When) -> Condition:
    """Raises ConfigError for a wrong condition in CEL, which reading the file reports with its
    place where it is given ``cel.find_fault``."""
    if isinstance(given, str):
        try:
            return compile_cel(given)
        except CelError as error:
            raise ConfigError(
                [Problem("models", f"a condition {error}", "configuration")]
            ) from error
    table = msgspec.convert(given, Table, from_attributes=True)
    return compile_table(table, _zone(given.time_zone))


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # needed by few

    return ZoneInfo(name)


def _cache_rule(given: RouteCache, general: Cache) -> CacheRule:
    coalesce = given.coalesce or general.coalesce
    tools = general.tools if given.tools is None else given.tools
    return CacheRule(
        ttl_s=given.ttl or general.ttl or DEFAULT_TTL_S,
        coalesces=coalesce != "off",
        coalesces_always=coalesce == "all",
        replays_pace=(given.pace or general.pace) == "recorded",
        with_tools=tools,
    )
