"""Drop or rename the parameters that a wire format does not carry, from tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.transformations import dropped, renamed, visible_to_client
from headway.types import ChatRequest, Transformation

NULL = b"null"
_decode = msgspec.json.Decoder().decode


class ParameterRules(Struct, frozen=True, kw_only=True):
    """How the parameters of a wire format differ from OpenAI's."""

    dropped: Mapping[str, str] = {}
    """Parameters without an equivalent -> the reason that the client reads."""
    renamed: Mapping[str, str] = {}
    """OpenAI's name -> the wire's name, for values that need no conversion."""


def value_in(parameters: Mapping[str, Raw], name: str) -> Any:
    """The parameter as parsed JSON; None where it is not given."""
    return _decode(parameters[name]) if name in parameters else None


def apply_parameter_rules(
    request: ChatRequest, rules: ParameterRules
) -> tuple[ChatRequest, tuple[Transformation, ...]]:
    """Apply ``rules``, and remove parameters that are null: they count as not given. Where a client
    gives a parameter under OpenAI's name and under the wire's, OpenAI's wins."""
    kept: dict[str, Raw] = {}
    transformations: list[Transformation] = []
    given = {name: raw for name, raw in request.parameters.items() if bytes(raw) != NULL}
    overruled = {new: name for name, new in rules.renamed.items() if name in given and new in given}
    for name, raw in given.items():
        if name in rules.dropped:
            transformations.append(dropped(name, rules.dropped[name]))
        elif name in rules.renamed:
            kept[rules.renamed[name]] = raw
            transformations.append(renamed(name, rules.renamed[name]))
        elif name not in overruled:
            kept[name] = raw
        elif bytes(raw) != bytes(given[overruled[name]]):
            transformations.append(dropped(name, f"{overruled[name]} is given too"))
    return replace(request, parameters=kept), visible_to_client(request, transformations)
