"""Build the transformations that a reply lists, each in the grammar of ``types.Transformation``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from headway.types import ChatRequest, Request, Transformation

DEFAULT_PARAMETERS = frozenset(
    ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty")
)
"""The parameters that the gateway sets for a client that gives none."""


ONLY_ITS_PROVIDER = "only the provider that made it can read it"
"""Why signed and encrypted reasoning is dropped."""
ROOT = re.compile(r"[.\[]")
"""Ends the name of the parameter in a path such as ``messages[].name``."""


def dropped(parameter: str, reason: str) -> Transformation:
    """``dropped messages[].name: unsupported by Cohere``"""
    return Transformation("dropped", parameter, reason)


def renamed(parameter: str, new_name: str) -> Transformation:
    """``renamed stop -> stop_sequences``; ``new_name`` may be a path such as ``a.b``."""
    return Transformation("renamed", parameter, new_name)


def clamped(parameter: str, given: Any, sent: Any, reason: str) -> Transformation:
    """``clamped temperature: 1.4 -> 1 (maximum)``"""
    return Transformation("clamped", parameter, f"{given} -> {sent} ({reason})")


def emulated(parameter: str, method: str) -> Transformation:
    """``emulated response_format: as a tool call``"""
    return Transformation("emulated", parameter, method)


def changes(request: Request, transformations: Iterable[Transformation]) -> list[Transformation]:
    """Those of ``transformations`` that change what the client sent: all but the emulated ones of a
    parameter that it left out, which get a default."""
    sent = {"messages", *request.parameters}
    return [
        each
        for each in transformations
        if each.action != "emulated" or ROOT.split(each.parameter, maxsplit=1)[0] in sent
    ]


def visible_to_client(
    request: ChatRequest, transformations: Iterable[Transformation]
) -> tuple[Transformation, ...]:
    """``transformations`` without those of default parameters, which the client did not set."""
    return tuple(
        each
        for each in transformations
        if not (request.uses_default_parameters and each.parameter in DEFAULT_PARAMETERS)
    )
