"""The parameters of a request while an adapter converts them, with the transformations so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers import transformations as made
from headway.types import ChatRequest, Transformation

MALFORMED = (LookupError, TypeError, AttributeError, RecursionError, msgspec.MsgspecError)
"""Exceptions from reading a value of the wrong shape: ``tools`` that is not a list, a tool choice
without a name, a schema that is nested too deeply."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def has_any(messages: Raw, marks: Iterable[bytes]) -> bool:
    """Whether the JSON has one of ``marks``, such as names of fields in quotes."""
    find = bytes(messages).find
    for mark in marks:  # noqa: SIM110 - a generator would take three times as long
        if find(mark) >= 0:
            return True
    return False


class RequestDraft:
    """Raw JSON values by name, decoded only on demand. A null parameter counts as not given."""

    def __init__(
        self, request: ChatRequest, transformations: Iterable[Transformation] = ()
    ) -> None:
        self.request = request
        """The request as the client sent it."""
        self.model = request.model
        self.parameters: dict[str, Raw] = {
            name: raw for name, raw in request.parameters.items() if bytes(raw) != b"null"
        }
        self.transformations: list[Transformation] = list(transformations)

    def __contains__(self, name: str) -> bool:
        return name in self.parameters

    def value(self, name: str, default: Any = None) -> Any:
        """The decoded value, or ``default`` where it is not given."""
        raw = self.parameters.get(name)
        return default if raw is None else _decode(raw)

    def take(self, name: str) -> Any:
        """Remove the parameter and return its decoded value; None where it is not given."""
        raw = self.parameters.pop(name, None)
        return None if raw is None else _decode(raw)

    def put(self, name: str, value: Any) -> None:
        """Set the parameter to ``value``, encoded."""
        self.parameters[name] = Raw(_encode(value))

    def drop(self, name: str, reason: str) -> None:
        """Remove the parameter and note it as dropped, if it is given."""
        if self.parameters.pop(name, None) is not None:
            self.note_dropped(name, reason)

    def remove_defaults(self, defaults: Mapping[str, tuple[Any, ...]]) -> None:
        """Remove each parameter whose value the provider assumes by default, without a
        transformation."""
        for name, values in defaults.items():
            if name in self.parameters and _decode(self.parameters[name]) in values:
                del self.parameters[name]

    def note_dropped(self, parameter: str, reason: str) -> None:
        self.transformations.append(made.dropped(parameter, reason))

    def note_renamed(self, parameter: str, new_name: str) -> None:
        self.transformations.append(made.renamed(parameter, new_name))

    def note_clamped(self, parameter: str, given: Any, sent: Any, reason: str) -> None:
        self.transformations.append(made.clamped(parameter, given, sent, reason))

    def note_emulated(self, parameter: str, method: str) -> None:
        self.transformations.append(made.emulated(parameter, method))


def convert_request(
    request: ChatRequest, steps: Iterable[Callable[[RequestDraft], None]]
) -> tuple[ChatRequest, tuple[Transformation, ...]]:
    """The request after all ``steps``, and the transformations that the client sees. Raises
    RequestError for a request that is not in OpenAI's chat format."""
    draft = RequestDraft(request)
    try:
        for step in steps:
            step(draft)
    except MALFORMED as exc:
        raise RequestError(f"This is no request in OpenAI's chat format: {exc}.") from exc
    visible = made.visible_to_client(request, draft.transformations)
    return replace(request, parameters=draft.parameters), visible
