"""Every provider's models, remembered for a while: there are thousands, and others' to ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

from headway.catalog import live_models
from headway.catalog.model_catalog import Entry, Sheet, Shelf
from headway.pipeline.gateway import Gateway, Snapshot, Upstream
from headway.providers.model_lists import ListedModel

PERIOD_S = 1800.0
"""Prices change on the day, or by the half hour where they differ between day and night."""
LIVE_S = 60.0
AT_ONCE = 32
"""Models described, a fraction of a millisecond each, before streams get their turn again."""

Task = asyncio.Task[Shelf]


class Shelves:
    """What is remembered of one snapshot of the configuration."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.bundled: dict[str, tuple[float, Shelf]] = {}
        """By provider: the period in which it holds, and its shelf."""
        self.live: dict[str, tuple[float, Shelf]] = {}
        """By provider: until when on the gateway's clock, and its shelf."""
        self.asking: dict[str, Task] = {}


async def shelves(gateway: Gateway, names: Collection[str], is_live: bool) -> Mapping[str, Shelf]:
    """By the configured names that were asked for. With ``is_live`` each provider's own list, where
    it has one that is read: all are asked at once."""
    remembered = _remembered(gateway)
    found: dict[str, Shelf] = {}
    asked: dict[str, Upstream] = {}
    for name in names:
        upstream = remembered.snapshot.upstreams[name]  # may import an adapter
        if is_live and upstream.provider.list_models is not None:
            asked[name] = upstream
        else:
            found[name] = await _bundled(gateway, remembered, upstream)
    answers = await asyncio.gather(*(_live(gateway, remembered, one) for one in asked.values()))
    found |= zip(asked, answers, strict=True)
    return {name: found[name] for name in names}


def _remembered(gateway: Gateway) -> Shelves:
    found = gateway.catalogue
    if not isinstance(found, Shelves) or found.snapshot is not gateway.snapshot:
        found = gateway.catalogue = Shelves(gateway.snapshot)
    return found


async def _bundled(gateway: Gateway, remembered: Shelves, upstream: Upstream) -> Shelf:
    period, shelf = remembered.bundled.get(upstream.name, (-1.0, None))
    if shelf is None or period != gateway.unix_time() // PERIOD_S:
        now = gateway.unix_time()
        sheet = await _sheet(remembered, upstream, now)
        source, names = sheet.names()
        entries = await _entries(sheet, ((name, None) for name in dict.fromkeys(names)))
        shelf = Shelf(title=upstream.provider.title, source=source, entries=entries)
        remembered.bundled[upstream.name] = (now // PERIOD_S, shelf)
    return shelf


async def _sheet(remembered: Shelves, upstream: Upstream, now: float) -> Sheet:
    prices, listed = remembered.snapshot.prices, []
    for model in prices.iter_models(upstream.provider.price_id, now, provider=upstream.name):
        listed.append(model)
        if len(listed) % AT_ONCE == 0:
            await asyncio.sleep(0)
    return Sheet(upstream, prices, now, listed)


async def _entries(
    sheet: Sheet, models: Iterable[tuple[str, ListedModel | None]]
) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for name, listed in models:
        entries.append(sheet.entry(name, listed))
        if len(entries) % AT_ONCE == 0:
            await asyncio.sleep(0)
    return tuple(entries)


async def _live(gateway: Gateway, remembered: Shelves, upstream: Upstream) -> Shelf:
    """Callers that come while it is asked for wait for the same answer. A failure is not kept."""
    name = upstream.name
    until, shelf = remembered.live.get(name, (0.0, None))
    if shelf is not None and gateway.clock() < until:
        return shelf
    if name not in remembered.asking:
        task = asyncio.ensure_future(_ask(gateway, remembered, upstream))
        remembered.asking[name] = task
        task.add_done_callback(lambda _: remembered.asking.pop(name))
    # The one who asked first may leave before the others.
    return await asyncio.shield(remembered.asking[name])


async def _ask(gateway: Gateway, remembered: Shelves, upstream: Upstream) -> Shelf:
    assert upstream.provider.list_models is not None
    title = upstream.provider.title
    answer = await live_models.ask(gateway, upstream, upstream.provider.list_models)
    if isinstance(answer, dict):
        return Shelf(title=title, source="provider", entries=(), error=answer)
    sheet = await _sheet(remembered, upstream, gateway.unix_time())
    entries = await _entries(sheet, ((model.id, model) for model in answer))
    shelf = Shelf(title=title, source="provider", entries=entries)
    remembered.live[upstream.name] = (gateway.clock() + LIVE_S, shelf)
    return shelf
