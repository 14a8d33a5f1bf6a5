"""Adapt a request to what a wire can carry, and say what was changed: tables in, changes out."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.types import Change, ChatRequest

NULL = b"null"


class Limits(Struct, frozen=True, kw_only=True):
    """What a wire does otherwise than OpenAI's. Values are reasons, in words."""

    dropped: Mapping[str, str] = {}
    """Parameters that it has no word for."""
    renamed: Mapping[str, str] = {}
    """OpenAI's name -> its own name, for values that need no translation."""


def limit(request: ChatRequest, limits: Limits) -> tuple[ChatRequest, tuple[Change, ...]]:
    """The request without what the wire cannot carry. A null parameter is one that was not given.
    Our own defaults go without a word."""
    kept: dict[str, Raw] = {}
    changes: list[Change] = []
    for name, raw in request.parameters.items():
        if bytes(raw) == NULL:
            continue
        if name in limits.dropped:
            changes.append(Change("dropped", name, limits.dropped[name]))
        elif name in limits.renamed:
            kept[limits.renamed[name]] = raw
            changes.append(Change("renamed", name, f"it is {limits.renamed[name]} there"))
        else:
            kept[name] = raw
    adapted = replace(request, parameters=kept)
    return adapted, () if request.defaulted else tuple(changes)
