"""``GET /api/models``: every model, and every name of the configuration, in one flat list."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, get_args

from msgspec import Struct

from headway.catalog.model_kinds import ModelKind
from headway.catalog.model_rows import ModelRow, is_usable
from headway.errors import RequestError
from headway.pipeline.gateway import Snapshot
from headway.pipeline.unknown_names import unknown_provider
from headway.server.api.entity_tags import tag
from headway.server.api.ledger_requests import (
    Answer,
    Ledger,
    LedgerRequest,
    answer,
    read_switch,
)

KINDS: tuple[ModelKind, ...] = get_args(ModelKind)


class ModelList(Struct, frozen=True, kw_only=True):
    """The names of the configuration, then the models of the providers in their order."""

    data: tuple[ModelRow, ...]
    errors: Mapping[str, Any]
    """The errors of the providers whose own list could not be fetched, by name."""


async def models(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Raises RequestError, UnknownProvider."""
    given = request.read_texts("usable", "provider", "kind", "live")
    usable, is_live = read_switch(given, "usable"), bool(read_switch(given, "live"))
    provider, kind = given.get("provider"), given.get("kind")
    if kind is not None and kind not in KINDS:
        known = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"
        raise RequestError(f"`kind` is wrong: it takes {known}.", param="kind")
    names = _provider_names(ledger.gateway.snapshot, provider, usable)
    rows, errors = await ledger.models.of_providers(names, is_live=is_live)
    own = [row for row in ledger.models.of_configuration() if provider in (None, row.provider)]
    data = [
        row for row in (*own, *rows) if usable in (None, row.usable) and kind in (None, row.kind)
    ]
    listed = ModelList(data=tuple(data), errors=errors)
    return await asyncio.to_thread(lambda: tag(answer(listed), request.headers))


def _provider_names(snapshot: Snapshot, provider: str | None, usable: bool | None) -> list[str]:
    """Adapters are imported for these alone. Raises UnknownProvider."""
    if provider is None:
        every = snapshot.names(lists_all=usable is not True)
        return [name for name in every if usable in (None, is_usable(snapshot, name))]
    found = snapshot.upstreams.get(provider)
    if found is None or found.lacks_address:
        raise unknown_provider(snapshot, provider)
    return [found.name]
