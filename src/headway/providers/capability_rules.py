"""Transforms for what a provider lacks by its ``capabilities``: such a parameter is dropped and
listed, such content is refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from headway.errors import RequestError
from headway.providers.capabilities import unsupported_parameters
from headway.providers.message_edits import Fields, Noted, edit_messages
from headway.providers.parameter_rules import ParameterRules, apply_parameter_rules
from headway.providers.wire_rules import Adapt, Adapted
from headway.types import ChatRequest

CONTENT: dict[str, tuple[str, str]] = {
    "image_url": ("images", "images"),
    "file": ("documents", "documents"),
    "input_audio": ("audio", "audio"),
}
"""Type of a content part -> the capability, and the plural for the message."""


def drop_unsupported(title: str, capabilities: Mapping[str, str]) -> Adapt:
    """Drop the parameters that ask for what the provider ``title`` lacks."""
    names = unsupported_parameters(capabilities)
    rules = ParameterRules(dropped=dict.fromkeys(names, f"unsupported by {title}"))
    return partial(drop_parameters, frozenset(names), rules)


def drop_parameters(names: frozenset[str], rules: ParameterRules, request: ChatRequest) -> Adapted:
    if names.isdisjoint(request.parameters):
        return request, ()
    return apply_parameter_rules(request, rules)


def refuse_content(title: str, capabilities: Mapping[str, str]) -> Adapt:
    """Raise RequestError for images, documents and audio if the provider ``title`` lacks them."""
    return partial(check_content, title, capabilities)


def check_content(title: str, capabilities: Mapping[str, str], request: ChatRequest) -> Adapted:
    return edit_messages(request, partial(_check_messages, title, capabilities))


def _check_messages(
    title: str, capabilities: Mapping[str, str], messages: list[Fields], noted: Noted
) -> None:
    for at, message in enumerate(messages):
        content = message.get("content")
        for part_at, part in enumerate(content if isinstance(content, list) else ()):
            capability, plural = CONTENT.get(_type_of(part), ("", ""))
            if capability and capability not in capabilities:
                raise RequestError(
                    f"{title} takes no {plural}.", param=f"messages[{at}].content[{part_at}]"
                )


def _type_of(part: Any) -> str:
    return str(part.get("type")) if isinstance(part, dict) else ""
