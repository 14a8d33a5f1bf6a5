"""Builds the gateway and its snapshots from a configuration: the one place where the parts meet."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from msgspec import convert
from msgspec.structs import replace

from headway.config import Cache as CacheConfig
from headway.config import Config, SemanticCache
from headway.config import Ledger as LedgerConfig
from headway.config import Provider as ProviderConfig
from headway.config import Server as ServerConfig
from headway.credentials import credential_source
from headway.ledger.shipper_process import ShipperProcess, ShipperSettings
from headway.ledger.spool import FileSpool, find_old_file
from headway.ledger.store import Store
from headway.local.launcher import LocalModel
from headway.local.shared_model import SharedModel
from headway.metering.configured_prices import ConfiguredPrice
from headway.metering.prices import PriceBook, read_shipped_prices
from headway.pipeline import targets
from headway.pipeline.cache_policy import CachePolicy, SemanticRules
from headway.pipeline.gateway import DrainLimits, Gateway, Snapshot, Upstream, UpstreamKey
from headway.policy import gateway_loop
from headway.policy.base_urls import BaseUrlPolicy
from headway.policy.keys import KeyRing
from headway.ports import Launcher, ResponseCache, Spool
from headway.providers import KINDS
from headway.response_cache.memory import MemoryCache
from headway.server import logs
from headway.server.model_routes import new_aliases, new_routes
from headway.server.provider_keys import has_key, is_usable
from headway.server.recording import Recording
from headway.server.redaction_hook import new_content_rules
from headway.server.request_ids import IdSource
from headway.server.routing_states import new_routing_state
from headway.server.transports import Transports
from headway.server.upstreams import Upstreams
from headway.token_counter.counter import TokenCounter
from headway.transport.fetch import fetch


def new_gateway(
    config: Config,
    transports: Transports,
    launchers: Mapping[str, Launcher],
    token_counter: TokenCounter,
    gateway_id: str,
    spool: Spool,
    shared: Path | None = None,
) -> Gateway:
    """Call it inside the event loop that will serve. ``shared`` is a directory of the server's
    workers, None for a single one."""
    gateway = Gateway(
        new_snapshot(config, transports, launchers),
        gateway_id=gateway_id,
        spool=spool,
        clock=time.perf_counter,
        unix_time=time.time,
        new_id=IdSource(),
        rng=random.random,
        count=token_counter.count,
        sleep=asyncio.sleep,
        routing_state=new_routing_state(config, shared, time.perf_counter),
    )
    set_cache(gateway, config.cache)
    return gateway


def new_recording(config: Config, *, runs_shipper: bool) -> Recording:
    ledger = config.ledger
    return Recording(
        FileSpool(ledger.spool, fsync=ledger.fsync, limit=ledger.spool_limit),
        new_shipper(config) if runs_shipper else None,
        refuses_on_failure=ledger.on_failure == "refuse",
        syncs=ledger.fsync == "interval",
    )


def new_shipper(config: Config) -> ShipperProcess:
    ledger, log = config.ledger, config.server.log
    settings = ShipperSettings(
        url=str(ledger.url),
        directory=ledger.spool,
        old_file=find_old_file(str(ledger.url)),
        retention=ledger.retention,
        content_retention=ledger.content_retention,
        archive=ledger.archive,
        log_format=log.format,
        log_level=logs.LEVELS[log.level],
    )
    return ShipperProcess(settings)


def new_store(config: Config) -> Store:
    """The database of records, which is not open yet. Raises StoreError."""
    from headway.ledger import stores  # a gateway that nobody asks needs no database library

    return stores.new_store(str(config.ledger.url))


def new_snapshot(
    config: Config, transports: Transports, launchers: Mapping[str, Launcher]
) -> Snapshot:
    """Raises ConfigError where ``ledger.redact`` names no function."""
    environ = config.credential_environ

    def new_upstream(configured: ProviderConfig) -> Upstream:
        return _new_upstream(configured, transports, launchers, environ)

    providers = config.providers
    return Snapshot(
        upstreams=Upstreams(providers, new_upstream),
        unlisted=frozenset(name for name, one in providers.items() if not is_usable(one, environ)),
        keys=KeyRing.from_keys(config.server.api_keys),
        admins=KeyRing.from_keys(config.server.admin_keys).ids,
        prices=new_price_book(config),
        aliases=new_aliases(config),
        routes=new_routes(config),
        body_limit=config.server.body_limit,
        json_limit=config.server.json_limit,
        base_urls=new_base_url_policy(config.server),
        strict=config.server.strict,
        passthrough=config.server.passthrough,
        content=new_content_rules(config.ledger),
        cache=new_cache_policy(config.cache),
        drain=_drain_limits(config.ledger),
    )


def new_cache_policy(cache: CacheConfig) -> CachePolicy:
    return CachePolicy(
        ttl_s=cache.ttl,
        per_key=cache.tenant == "key",
        response_limit=cache.response_limit,
        with_tools=cache.tools,
        replays_pace=cache.pace == "recorded",
        coalesce=cache.coalesce,
        semantic=None if cache.semantic is None else _semantic_rules(cache.semantic),
    )


def _semantic_rules(semantic: SemanticCache) -> SemanticRules:
    return SemanticRules(
        model=semantic.model,
        threshold=semantic.threshold,
        serves=semantic.mode == "serve",
    )


def set_cache(gateway: Gateway, cache: CacheConfig) -> None:
    """Give ``gateway`` an empty cache."""
    gateway.response_cache = new_response_cache(cache)
    gateway.semantic_index = gateway.embed = None
    if cache.semantic is not None:
        # others need neither of them
        from headway.pipeline.embedding_call import embed
        from headway.response_cache.semantic import SemanticIndex

        gateway.semantic_index = SemanticIndex(cache.semantic.entries)
        gateway.embed = partial(embed, gateway)


def needs_new_cache(old: CacheConfig, new: CacheConfig) -> bool:
    """Whether responses are to be kept elsewhere; the rules are those of the snapshot."""
    kept = (old.memory, old.file, old.file_limit, old.semantic)
    return kept != (new.memory, new.file, new.file_limit, new.semantic)


def new_response_cache(cache: CacheConfig) -> ResponseCache:
    if cache.file is None:
        return MemoryCache(cache.memory)
    from headway.response_cache.sqlite import SqliteCache  # others need no database library

    return SqliteCache(Path(cache.file), limit=cache.file_limit, memory_limit=cache.memory)


def _drain_limits(ledger: LedgerConfig) -> DrainLimits | None:
    if not ledger.drain_on_disconnect:
        return None
    return DrainLimits(ledger.drain_bytes, ledger.drain_seconds, ledger.drain_usd)


def new_base_url_policy(server: ServerConfig) -> BaseUrlPolicy:
    """Without ``server.allow_base_url`` a gateway is open where it has no keys of its own."""
    is_open = server.allow_base_url
    return BaseUrlPolicy(
        not server.api_keys if is_open is None else is_open,
        KeyRing.from_keys(server.base_url_keys).ids,
    )


def new_price_book(config: Config) -> PriceBook:
    overrides = {
        provider: {
            model: convert(price, ConfiguredPrice, from_attributes=True)
            for model, price in models.items()
        }
        for provider, models in config.prices.items()
    }
    base_models = {
        name: str(provider.options["model_name"])
        for name, provider in config.providers.items()
        if provider.options.get("model_name")
    }
    return PriceBook.load(read_shipped_prices(), overrides, base_models)


def _new_upstream(
    configured: ProviderConfig,
    transports: Transports,
    launchers: Mapping[str, Launcher],
    environ: Mapping[str, str],
) -> Upstream:
    provider = KINDS[configured.kind]
    options = configured.options
    launch = provider.launch if configured.base_url is None else None
    base_url = configured.base_url or provider.base_url
    api_key = None if configured.api_key is None else str(configured.api_key)
    headers = {name: str(value) for name, value in configured.headers.items()}
    public = transports.public(configured)
    upstream = Upstream(
        name=configured.name,
        provider=provider,
        base_url=base_url,
        lacks_address=configured.lacks_address,
        is_configured=configured.is_configured,
        has_key=has_key(configured, environ),
        api_key=api_key,
        keys=tuple(
            UpstreamKey(
                id=f"{configured.name}#{each.name}",
                weight=each.weight,
                name=each.name,
                key=str(each.key),
            )
            for each in configured.api_keys
        ),
        key_name=configured.key_env or "api_key",
        needs_key=configured.needs_key and provider.credentials is None,
        headers=headers,
        options=options,
        models=configured.models,
        timeouts=configured.timeouts,
        transport=transports.of(configured),
        public_transport=public,
        launcher=None if launch is None else launchers[launch],
        credentials=credential_source(
            provider.credentials, options, environ, partial(fetch, public), time.time
        ),
    )
    return replace(upstream, target=targets.fixed(upstream))


def new_gateway_id() -> str:
    """For one run of the server, with all its workers."""
    return gateway_loop.make_id(os.urandom(gateway_loop.ID_SIZE))


def new_launchers(
    environ: Mapping[str, str] = os.environ,
    shared: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Launcher]:
    """Launchers of servers on this machine, by the name that providers use. The workers that share
    the directory ``shared`` start it once. ``progress`` gets a line about a download (default:
    stderr)."""
    model = LocalModel(_cache_directory(environ), progress=progress)
    return {"llama": model if shared is None else SharedModel(shared / "llama", model)}


def _cache_directory(environ: Mapping[str, str]) -> Path | None:
    """None for a user without a home directory, as containers often have."""
    try:
        return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headway"
    except RuntimeError:
        return None
