"""Names of fields and enumerations in requests of Google's clients.

Fields are accepted in camel case and in snake case, enumerations by name and by number
(protobuf.dev/programming-guides/json; clients that use ``$alt=json;enum-encoding=int`` send
numbers). An object may stand for a list with one element, as in Google's own examples.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Fields = dict[str, Any]

RESOURCE = re.compile(
    r"(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/(?P<publisher>[^/]+)/)?(?:models/)*(?P<name>.*)",
    re.DOTALL,
)
"""A model's name in a path: with or without ``models/``, and as Vertex AI's clients write it."""
OWN_PUBLISHER = "google"
"""The publisher that clients put before a name that has none."""


def model_of(argument: str) -> str:
    """``provider/model`` for the name in a path."""
    found = RESOURCE.fullmatch(argument)
    assert found is not None  # the pattern matches any text
    publisher = found["publisher"]
    return found["name"] if publisher in (None, OWN_PUBLISHER) else f"{publisher}/{found['name']}"


def camel_case(name: str) -> str:
    if "_" not in name:
        return name
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def read_object(value: Any) -> Fields:
    """The fields of an object by their names in camel case, without those that are null. Raises
    TypeError for any other value but None."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError(f"{_describe(value)} where an object belongs")
    return {camel_case(name): each for name, each in value.items() if each is not None}


def read_list(value: Any) -> list[Any]:
    """A list; of any other value but None, a list with it alone."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def enum_name(value: Any, numbers: Mapping[int, str]) -> str:
    """The name of an enumeration's value in capitals; empty where it is none."""
    if isinstance(value, int):
        return numbers.get(value, "")
    return value.upper() if isinstance(value, str) else ""


def _describe(value: Any) -> str:
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else f"{value!r:.20}"
