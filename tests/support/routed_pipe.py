"""A gateway with a route to several providers, each played by the test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from headway.dialects.base import ClientRequest, Dialect
from headway.metering.configured_prices import ConfiguredPrice
from headway.metering.prices import PriceBook
from headway.pipeline.gateway import Snapshot, Upstream, UpstreamKey
from headway.providers import KINDS
from headway.record import Record
from headway.routing.route import Route, RouteTarget
from headway.routing.route_table import RouteTable
from support.pipeline_fakes import (
    NO_PRICES,
    OPENAI,
    FakeTransport,
    FakeUpstreamRequest,
    Pipe,
    in_loop,
)

ROUTE = "smart"
NAMES = ("one", "two", "three")


class FakeTimer:
    def __init__(self, at: float, act: Callable[[], None]) -> None:
        self.at = at
        self.act = act
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


def target(name: str, **fields: Any) -> RouteTarget:
    provider, slash, model = name.partition("/")
    return RouteTarget(provider=provider, model=model if slash else f"m-{provider}", **fields)


class RoutedPipe(Pipe):
    """The providers ``one``, ``two`` and ``three``, of the given kinds, with models ``m-one`` and
    so on, and the route ``smart`` to them in this order. ``route`` replaces fields of the route,
    ``upstreams`` fields of a provider."""

    def __init__(
        self,
        *,
        kinds: Mapping[str, str] | None = None,
        targets: tuple[RouteTarget, ...] | None = None,
        upstreams: Mapping[str, Mapping[str, Any]] | None = None,
        keys: tuple[str, ...] = (),
        **route: Any,
    ) -> None:
        super().__init__(keys=keys)
        kinds = kinds or dict.fromkeys(NAMES, "openai")
        self.timers: list[FakeTimer] = []
        self.transports = {name: FakeTransport(self.clock) for name in kinds}
        found = {
            name: replace(self._upstream(name, kind), **(upstreams or {}).get(name, {}))
            for name, kind in kinds.items()
        }
        self.route = Route(
            name=ROUTE, targets=targets or tuple(target(name) for name in kinds), **route
        )
        self.gateway.snapshot = replace(
            self.gateway.snapshot,
            upstreams=found,
            prices=PriceBook.load(NO_PRICES, _prices(found)),
            routes=RouteTable.from_names([(ROUTE, self.route)]),
        )
        self.gateway.call_later = self._call_later  # type: ignore[method-assign]

    def _upstream(self, name: str, kind: str) -> Upstream:
        provider = KINDS[kind]
        transport = self.transports[name]
        return Upstream(
            name=name,
            provider=provider,
            base_url=f"https://{name}.example/v1",
            api_key=f"sk-key-of-{name}",
            key_name="KEY",
            needs_key=True,
            transport=transport,
            public_transport=transport,
        )

    def ask_route(
        self, *headers: tuple[bytes, bytes], dialect: Dialect = OPENAI, **fields: Any
    ) -> None:
        if fields.get("stream"):
            fields = {"stream_options": {"include_usage": True}, **fields}
        body = {"model": ROUTE, "messages": [{"role": "user", "content": "Hi"}], **fields}
        self.send(ClientRequest("", headers, json.dumps(body).encode()), dialect)

    def without(self, name: str) -> Snapshot:
        """The configuration without that provider."""
        known = self.gateway.snapshot.upstreams
        kept = {each: known[each] for each in known if each != name}
        return replace(self.gateway.snapshot, upstreams=kept)

    def sent_to(self, name: str) -> list[FakeUpstreamRequest]:
        return self.transports[name].upstream_requests

    def asked(self, name: str) -> FakeUpstreamRequest:
        """The last request that a provider got."""
        return self.sent_to(name)[-1]

    @property
    def requests(self) -> tuple[int, ...]:
        """How many requests each provider got."""
        return tuple(len(one.upstream_requests) for one in self.transports.values())

    def advance(self, seconds: float) -> None:
        """Let time pass, and run the timers that are due."""
        until = self.clock.now + seconds
        while due := [one for one in self.timers if one.at <= until and not one.is_cancelled]:
            first = min(due, key=lambda one: one.at)
            self.timers.remove(first)
            self.clock.now = max(self.clock.now, first.at)
            in_loop(first.act)
        self.clock.now = until

    @property
    def pending_timers(self) -> list[FakeTimer]:
        return [one for one in self.timers if not one.is_cancelled]

    @property
    def summary(self) -> list[tuple[str | None, str, str, str | None, bool]]:
        """Of each record: provider, role, outcome, code or type of the error, whether it is the
        last."""
        return [_summary(record) for record in self.records]

    def _call_later(self, seconds: float, act: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(self.clock.now + seconds, act)
        self.timers.append(timer)
        return timer


def _summary(record: Record) -> tuple[str | None, str, str, str | None, bool]:
    what = record.error_code or record.error_type
    return record.provider, record.role, record.outcome, what, record.is_last


def _prices(upstreams: Mapping[str, Upstream]) -> Mapping[str, Mapping[str, ConfiguredPrice]]:
    """A dollar in, two out, per million tokens."""
    price = ConfiguredPrice(input=Decimal(1), output=Decimal(2))
    return {name: {f"m-{name}": price} for name in upstreams}


def several_keys(provider: str, count: int = 2, **weights: float) -> tuple[UpstreamKey, ...]:
    return tuple(
        UpstreamKey(
            id=f"{provider}#{number}",
            weight=weights.get(f"w{number}", 1.0),
            name=str(number),
            key=f"sk-secret-number-{number}",
        )
        for number in range(1, count + 1)
    )
