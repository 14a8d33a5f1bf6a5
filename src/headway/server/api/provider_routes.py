"""``GET /api/providers``: what is configured, and how each provider has behaved here lately.
``POST /api/providers/NAME/check``: whether its keys work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

from headway.catalog.model_catalog import ProviderCatalog
from headway.catalog.model_rows import is_usable
from headway.errors import HeadwayError, NotFound
from headway.ledger.json_views import iso_time
from headway.ledger.store import Filter, Usage
from headway.ledger.usage_views import Distribution, distribution, merge
from headway.pipeline.gateway import Gateway, Upstream
from headway.pipeline.unknown_names import unknown_provider
from headway.routing.breaker import BreakerState
from headway.routing.provider_keys import ProviderKey
from headway.routing.target_state import TargetState
from headway.server.api.ledger_requests import (
    Answer,
    Ledger,
    LedgerRequest,
    answer,
    read_switch,
)

PATH, END = "/api/providers/", "/check"
RECENT_S, HOUR_S = 86_400, 3600
WAIT_S = 2.0
"""How long the ledger is waited for: the rest is known without it."""
METRICS = ("time_to_first_token_s", "inter_token_latency_s", "latency_s", "tokens_per_second")
NO_LEDGER = "The ledger does not answer at the moment, so `recent` is unknown."
STATES: Sequence[BreakerState] = ("open", "half_open", "closed")
"""The worst first."""
ByProvider = Mapping[str, Sequence[Usage]]


class KeyNow(Struct, frozen=True, kw_only=True):
    """A key of the provider, as this worker of the server sees it."""

    name: str
    """Its name or number, or the variable or setting that holds it; never the key."""
    is_left_alone: bool
    """The provider refused it lately, for all models."""
    left_alone_s: float
    """Seconds until it is used again."""
    until: str | None
    """The same as a time: ISO 8601, in UTC."""
    limited: Mapping[str, float]
    """The targets (`provider/model`) for which the provider limits it, or does not admit it, and
    the seconds until it is used for them again."""


class TargetLeftAlone(Struct, frozen=True, kw_only=True):
    """A target of a route that failed too often."""

    target: str
    state: BreakerState
    left_alone_s: float
    """Seconds until a request tries it again."""
    error_share: float
    """Of the attempts that failed lately, from 0 to 1."""


class RecentUse(Struct, frozen=True, kw_only=True):
    """The attempts that ended since `since`, by the ledger. A key of the gateway sees its own."""

    since: str
    """ISO 8601, in UTC: the beginning of an hour, a day ago."""
    attempts: int
    errors: int
    """Attempts that failed."""
    cancelled: int
    """Attempts whose client left, or beside which another one answered first."""
    error_rate: float | None
    """`errors` by `attempts`; null without any."""
    calls: int
    """Calls of clients that ended here."""
    output_tokens: int
    cost_usd: float
    """US dollars, of the attempts with a known cost."""
    metrics: Mapping[str, Distribution]
    """`time_to_first_token_s`, `inter_token_latency_s`, `latency_s` and `tokens_per_second`, with
    one value a call."""


class ProviderRow(Struct, frozen=True, kw_only=True):
    name: str
    """The configured name."""
    title: str
    """The name to show."""
    kind: str
    wire: str
    """The name of its wire format."""
    host: str | None
    """The host of its base address, with the port if one is given. Null: it has none yet."""
    is_local: bool
    """It runs in the gateway, or on the same machine."""
    is_configured: bool
    """The configuration names it, or has its address."""
    usable: bool
    """A request needs no key of its own for it."""
    has_key: bool | None
    """Whether the gateway has a key or credentials. Null: it needs none, or they may be on a
    metadata server."""
    key_variable: str | None
    """The environment variable that holds the key by convention."""
    keys: tuple[KeyNow, ...]
    """Credentials of a cloud are no keys."""
    can_check: bool
    """Whether `POST /api/providers/{name}/check` can find out more than that."""
    models: int | None
    """The number of models in its list. Null: nobody has configured any, and only the provider
    knows (`/api/models?live=1`)."""
    models_source: str
    """`configuration`, or `bundled` with the gateway."""
    breaker: BreakerState | None
    """The worst state of its targets: `closed` (used), `half_open` (the next request tries it),
    `open` (left alone). Null where no route has used it."""
    targets_left_alone: tuple[TargetLeftAlone, ...]
    """Those whose state is another than `closed`."""
    outstanding: int
    """Attempts of routes under way."""
    recent: RecentUse | None
    """Null where the ledger does not answer."""


class ProviderList(Struct, frozen=True, kw_only=True):
    """The providers, in the order of the configuration."""

    data: tuple[ProviderRow, ...]
    note: str | None
    """Says so where something is unknown at the moment."""


async def providers(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Raises RequestError."""
    lists_all = bool(read_switch(request.read_texts("all"), "all"))
    gateway = ledger.gateway
    names = gateway.snapshot.names(lists_all=lists_all)
    since = gateway.unix_time() // HOUR_S * HOUR_S - RECENT_S
    catalogs, usage = await asyncio.gather(
        ledger.catalog.get(names, is_live=False), _recent_usage(ledger, since, request.owner)
    )
    rows = tuple(_row(gateway, name, catalogs[name], usage, since) for name in names)
    return answer(ProviderList(data=rows, note=NO_LEDGER if usage is None else None))


async def check(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Raises NotFound for another path, RequestError, UnknownProvider."""
    name = request.argument.removesuffix(END)
    if name == request.argument or not name:
        raise NotFound(f"There is nothing at {PATH}{request.argument[:80]}; there is NAME{END}.")
    request.read_texts()
    snapshot = ledger.gateway.snapshot
    upstream = snapshot.upstreams.get(name)
    if upstream is None or upstream.lacks_address:
        raise unknown_provider(snapshot, name)
    return answer(await ledger.key_checks.check(upstream))


# --- One provider ---------------------------------------------------------------------------------


def _row(
    gateway: Gateway, name: str, catalog: ProviderCatalog, usage: ByProvider | None, since: float
) -> ProviderRow:
    snapshot = gateway.snapshot
    upstream = snapshot.upstreams[name]
    provider, host = upstream.provider, _host(upstream.base_url)
    targets = list(_known_targets(gateway, name))
    now = gateway.clock()
    states = {target.breaker.state(now) for _, target in targets}
    return ProviderRow(
        name=name,
        title=provider.title,
        kind=provider.name,
        wire=provider.wire,
        host=host,
        is_local=_is_local(upstream, host),
        is_configured=upstream.is_configured,
        usable=is_usable(snapshot, name),
        has_key=upstream.has_key,
        key_variable=provider.key_env,
        keys=tuple(_keys(gateway, upstream, [target_id for target_id, _ in targets])),
        can_check=provider.list_models is not None or provider.key_check is not None,
        models=len(catalog.entries) or None,
        models_source=catalog.source,
        breaker=next((state for state in STATES if state in states), None),
        targets_left_alone=tuple(
            TargetLeftAlone(
                target=target_id,
                state=target.breaker.state(now),
                left_alone_s=target.breaker.blocked_s(now),
                error_share=target.errors(now),
            )
            for target_id, target in targets
            if target.breaker.state(now) != "closed"
        ),
        outstanding=sum(target.outstanding for _, target in targets),
        recent=None if usage is None else _recent(usage.get(name, ()), since),
    )


def _known_targets(gateway: Gateway, name: str) -> Iterator[tuple[str, TargetState]]:
    for target_id, target in gateway.routing_state.known_targets().items():
        if target_id.startswith(f"{name}/"):
            yield target_id, target


def _keys(gateway: Gateway, upstream: Upstream, targets: Sequence[str]) -> Iterator[KeyNow]:
    state, now = gateway.routing_state, gateway.clock()
    named: list[tuple[str, ProviderKey]] = [(key.name, key) for key in upstream.keys]
    if not named and upstream.api_key is not None:
        named = [(upstream.key_name, ProviderKey(upstream.name))]
    for name, key in named:
        refused_s = state.key_blocked_s("", key.id, now)
        waits = {each: state.key_blocked_s(each, key.id, now) for each in targets}
        yield KeyNow(
            name=name,
            is_left_alone=refused_s > 0,
            left_alone_s=refused_s,
            until=iso_time(gateway.unix_time() + refused_s) if refused_s else None,
            limited={each: wait_s for each, wait_s in waits.items() if wait_s > refused_s},
        )


def _host(base_url: str | None) -> str | None:
    """Without a path, which may have a name of an account in it."""
    try:
        split = urlsplit(base_url or "")
        name = f"[{split.hostname}]" if ":" in (split.hostname or "") else split.hostname
        return name if split.port is None else f"{name}:{split.port}"
    except ValueError:
        return None


def _is_local(upstream: Upstream, host: str | None) -> bool:
    """In this process, started by it, or at an address of this machine."""
    scheme = urlsplit(upstream.base_url or "").scheme
    if upstream.launcher is not None or scheme not in ("http", "https", ""):
        return True
    name = (urlsplit(upstream.base_url or "").hostname or "").rstrip(".")
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


# --- The ledger -----------------------------------------------------------------------------------


async def _recent_usage(ledger: Ledger, since: float, owner: str | None) -> ByProvider | None:
    """By provider; each with a row for each outcome. None where the ledger does not answer."""
    where = Filter(since=since, owner=owner)
    try:
        async with asyncio.timeout(WAIT_S):
            rows = await ledger.reader.ask(
                lambda store: store.usage(where, ("provider", "outcome"), metrics=METRICS)
            )
    except (HeadwayError, TimeoutError):
        return None
    found: dict[str, list[Usage]] = {}
    for row in rows:
        found.setdefault(row.group["provider"] or "", []).append(row)
    return found


def _recent(rows: Sequence[Usage], since: float) -> RecentUse:
    total = merge(rows)
    ended = {row.group["outcome"]: row.attempts for row in rows}
    errors = ended.get("error", 0)
    return RecentUse(
        since=iso_time(since),
        attempts=total.attempts,
        errors=errors,
        cancelled=ended.get("cancelled", 0),
        error_rate=errors / total.attempts if total.attempts else None,
        calls=total.calls,
        output_tokens=total.output_tokens,
        cost_usd=float(total.cost_usd),
        metrics={name: distribution(each) for name, each in total.histograms.items()},
    )
