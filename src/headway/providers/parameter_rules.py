"""Adapt a request to what a wire can carry, and say what was changed: tables in, changes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.types import ChatRequest, Transformation

NULL = b"null"
DEFAULTED = frozenset(
    ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty")
)
"""The parameters that are given for a caller who gives none."""


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
    changes: list[Transformation] = []
    given = {name: raw for name, raw in request.parameters.items() if bytes(raw) != NULL}
    overruled = {
        own: name for name, own in limits.renamed.items() if name in given and own in given
    }
    for name, raw in given.items():
        if name in limits.dropped:
            changes.append(Transformation("dropped", name, limits.dropped[name]))
        elif name in limits.renamed:
            kept[limits.renamed[name]] = raw
            changes.append(Transformation("renamed", name, f"it is {limits.renamed[name]} there"))
        elif name not in overruled:
            kept[name] = raw
        elif bytes(raw) != bytes(given[overruled[name]]):
            changes.append(Transformation("dropped", name, f"{overruled[name]} is given too"))
    return replace(request, parameters=kept), news(request, changes)


def news(request: ChatRequest, changes: Iterable[Transformation]) -> tuple[Transformation, ...]:
    """Without what was done to our own defaults: of those the caller knows nothing. What it gave
    beside them (tools, a format, its messages) is its own."""
    return tuple(
        change
        for change in changes
        if not (request.uses_default_parameters and change.parameter in DEFAULTED)
    )
