"""Cache of model lists: half an hour for bundled data, 60 s for the providers' own lists."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

from headway.catalog.live_models import fetch_models
from headway.catalog.model_catalog import CatalogEntry, ModelDescriber, ProviderCatalog
from headway.pipeline.gateway import Gateway, Snapshot, Upstream
from headway.providers.model_lists import ListedModel

PERIOD_S = 1800.0
"""Prices change on the day, or by the half hour where they differ between day and night."""
LIVE_S = 60.0
BATCH_SIZE = 32
"""Models described, a fraction of a millisecond each, before the event loop runs other tasks."""


class _SnapshotLists:
    """The cached lists for one snapshot of the configuration, by the provider's configured name."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.bundled: dict[str, tuple[float, ProviderCatalog]] = {}
        """The number of the period in which the list is valid, and the list."""
        self.live: dict[str, tuple[float, ProviderCatalog]] = {}
        """The time of the gateway's clock until which the list is valid, and the list."""
        self.fetching: dict[str, asyncio.Task[ProviderCatalog]] = {}
        self.described: dict[tuple[str, str], tuple[float, CatalogEntry]] = {}
        """(provider, model) -> the number of the period, and what is known of the model then."""


class CatalogCache:
    """The model lists of a gateway's providers, dropped when the configuration changes."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._lists = _SnapshotLists(gateway.snapshot)

    async def get(self, names: Collection[str], is_live: bool) -> Mapping[str, ProviderCatalog]:
        """The lists of the providers with these configured names, in their order. With ``is_live``
        each provider's own list, if it has one that Headway can read; all are fetched
        concurrently."""
        lists = self._current()
        found: dict[str, ProviderCatalog] = {}
        to_fetch: dict[str, Upstream] = {}
        for name in names:
            upstream = lists.snapshot.upstreams[name]  # may import an adapter
            if is_live and upstream.provider.list_models is not None:
                to_fetch[name] = upstream
            else:
                found[name] = await self._get_bundled(lists, upstream)
        live = (self._get_live(lists, upstream) for upstream in to_fetch.values())
        found |= zip(to_fetch, await asyncio.gather(*live), strict=True)
        return {name: found[name] for name in names}

    def describe(self, provider: str, model: str) -> CatalogEntry:
        """What is known of one model by the bundled data, whether it is in a list or not. For names
        of the configuration: what clients ask for would fill the cache."""
        lists, now = self._current(), self.gateway.unix_time()
        period, entry = lists.described.get((provider, model), (-1.0, None))
        if entry is None or period != now // PERIOD_S:
            upstream = lists.snapshot.upstreams[provider]
            entry = ModelDescriber(upstream, lists.snapshot.prices, now, []).describe(model)
            lists.described[provider, model] = now // PERIOD_S, entry
        return entry

    def _current(self) -> _SnapshotLists:
        if self._lists.snapshot is not self.gateway.snapshot:
            self._lists = _SnapshotLists(self.gateway.snapshot)
        return self._lists

    async def _get_bundled(self, lists: _SnapshotLists, upstream: Upstream) -> ProviderCatalog:
        now = self.gateway.unix_time()
        period, catalog = lists.bundled.get(upstream.name, (-1.0, None))
        if catalog is None or period != now // PERIOD_S:
            describer = await _new_describer(lists.snapshot, upstream, now)
            source, names = describer.names()
            entries = await _entries(describer, ((name, None) for name in dict.fromkeys(names)))
            catalog = ProviderCatalog(title=upstream.provider.title, source=source, entries=entries)
            lists.bundled[upstream.name] = (now // PERIOD_S, catalog)
        return catalog

    async def _get_live(self, lists: _SnapshotLists, upstream: Upstream) -> ProviderCatalog:
        """Callers during a fetch wait for the same response. A failure is not cached."""
        name = upstream.name
        until, catalog = lists.live.get(name, (0.0, None))
        if catalog is not None and self.gateway.clock() < until:
            return catalog
        if name not in lists.fetching:
            task = asyncio.ensure_future(self._fetch(lists, upstream))
            lists.fetching[name] = task
            task.add_done_callback(lambda _: lists.fetching.pop(name))
        # The caller that started the fetch may be cancelled while others wait for it.
        return await asyncio.shield(lists.fetching[name])

    async def _fetch(self, lists: _SnapshotLists, upstream: Upstream) -> ProviderCatalog:
        assert upstream.provider.list_models is not None
        title = upstream.provider.title
        models = await fetch_models(self.gateway, upstream, upstream.provider.list_models)
        if isinstance(models, dict):
            return ProviderCatalog(title=title, source="provider", entries=(), error=models)
        now = self.gateway.unix_time()
        describer = await _new_describer(lists.snapshot, upstream, now)
        entries = await _entries(describer, ((model.id, model) for model in models))
        catalog = ProviderCatalog(title=title, source="provider", entries=entries)
        lists.live[upstream.name] = (self.gateway.clock() + LIVE_S, catalog)
        return catalog


async def _new_describer(snapshot: Snapshot, upstream: Upstream, now: float) -> ModelDescriber:
    prices, priced = snapshot.prices, []
    for model in prices.iter_models(upstream.provider.price_id, now, provider=upstream.name):
        priced.append(model)
        if len(priced) % BATCH_SIZE == 0:
            await asyncio.sleep(0)
    return ModelDescriber(upstream, prices, now, priced)


async def _entries(
    describer: ModelDescriber, models: Iterable[tuple[str, ListedModel | None]]
) -> tuple[CatalogEntry, ...]:
    entries: list[CatalogEntry] = []
    for name, listed in models:
        entries.append(describer.describe(name, listed))
        if len(entries) % BATCH_SIZE == 0:
            await asyncio.sleep(0)
    return tuple(entries)
