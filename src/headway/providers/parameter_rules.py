"""Drop or rename the parameters that a wire format does not carry, from tables."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.transformations import dropped, renamed, visible_to_caller
from headway.types import ChatRequest, Transformation

NULL = b"null"


class Limits(Struct, frozen=True, kw_only=True):
    """What a wire does otherwise than OpenAI's. Values are reasons, in words."""

    dropped: Mapping[str, str] = {}
    """Parameters that it has no word for."""
    renamed: Mapping[str, str] = {}
    """OpenAI's name -> its own name, for values that need no translation."""


def limit(request: ChatRequest, limits: Limits) -> tuple[ChatRequest, tuple[Transformation, ...]]:
    """The request without what the wire cannot carry. A null parameter is one that was not given.
    Where a parameter is given under both of its names, the one that the wire renames counts: it is
    OpenAI's word of today."""
    kept: dict[str, Raw] = {}
    transformations: list[Transformation] = []
    given = {name: raw for name, raw in request.parameters.items() if bytes(raw) != NULL}
    overruled = {
        own: name for name, own in limits.renamed.items() if name in given and own in given
    }
    for name, raw in given.items():
        if name in limits.dropped:
            transformations.append(dropped(name, limits.dropped[name]))
        elif name in limits.renamed:
            kept[limits.renamed[name]] = raw
            transformations.append(renamed(name, limits.renamed[name]))
        elif name not in overruled:
            kept[name] = raw
        elif bytes(raw) != bytes(given[overruled[name]]):
            transformations.append(dropped(name, f"{overruled[name]} is given too"))
    return replace(request, parameters=kept), visible_to_caller(request, transformations)
