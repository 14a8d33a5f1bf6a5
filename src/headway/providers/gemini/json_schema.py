"""JSON Schema cut to the selection of OpenAPI 3.0 that Google's older models take.

A keyword that the API does not know is a 400 there, so it goes, and its name is reported. What can
be said otherwise is (https://ai.google.dev/api/caching#Schema lists what is known).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KNOWN = frozenset(
    {
        "anyOf",
        "default",
        "description",
        "enum",
        "example",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "nullable",
        "pattern",
        "properties",
        "propertyOrdering",
        "required",
        "title",
        "type",
    }
)
MEANINGLESS = frozenset({"$schema", "$id", "$comment", "$anchor", "$defs", "definitions"})
"""They say nothing of a value, or are resolved: they go without a word."""
FORMATS = {
    "string": frozenset({"date-time", "enum"}),
    "number": frozenset({"float", "double"}),
    "integer": frozenset({"int32", "int64"}),
}
MOST_REFERENCES = 1000
"""Resolved in one schema: definitions that use one another twice grow without end."""


class Cleaner:
    """Cleans one schema; ``lost`` names the keywords that went and meant something."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._definitions = {**(root.get("definitions") or {}), **(root.get("$defs") or {})}
        self._resolved = 0
        self.lost: set[str] = set()

    def clean(self, schema: Any, within: tuple[str, ...] = ()) -> dict[str, Any]:
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            return self._resolve(schema, within)
        given = _simplify(schema)
        if "$ref" in given:  # the only one of several, and null
            return self._resolve(given, within)
        cleaned: dict[str, Any] = {}
        for keyword, value in given.items():
            if keyword in KNOWN:
                cleaned[keyword] = self._value(keyword, value, within)
            elif keyword not in MEANINGLESS:
                self.lost.add(keyword)
        self._restrict(cleaned)
        return cleaned

    def _value(self, keyword: str, value: Any, within: tuple[str, ...]) -> Any:
        if keyword == "properties" and isinstance(value, dict):
            return {name: self.clean(schema, within) for name, schema in value.items()}
        if keyword == "items":
            return self.clean(value, within)
        if keyword == "anyOf" and isinstance(value, list):
            return [self.clean(schema, within) for schema in value]
        return value

    def _resolve(self, schema: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        """What a reference refers to stands in its place; one inside itself cannot."""
        reference = str(schema["$ref"])
        target = self._definitions.get(reference.rpartition("/")[2])
        beside = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
        self._resolved += 1
        if target is None or reference in within or self._resolved > MOST_REFERENCES:
            self.lost.add("$ref")
            return self.clean({"type": "object", **beside}, within)
        return self.clean({**target, **beside}, (*within, reference))

    def _restrict(self, cleaned: dict[str, Any]) -> None:
        kind = str(cleaned.get("type")).lower()
        if "format" in cleaned and cleaned["format"] not in FORMATS.get(kind, ()):
            del cleaned["format"]
            self.lost.add("format")
        if "enum" in cleaned and not all(isinstance(value, str) for value in cleaned["enum"]):
            del cleaned["enum"]
            self.lost.add("enum")


def _simplify(schema: dict[str, Any]) -> dict[str, Any]:
    """What has another word there, in that word."""
    simple = dict(schema)
    if "const" in simple:
        simple["enum"] = [simple.pop("const")]
    if "oneOf" in simple and "anyOf" not in simple:
        simple["anyOf"] = simple.pop("oneOf")
    whole = simple.get("allOf")
    if isinstance(whole, list) and len(whole) == 1 and isinstance(whole[0], dict):
        del simple["allOf"]
        return _simplify({**whole[0], **simple})
    return _without_null(simple)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """``nullable`` says what JSON Schema says with a second type."""
    simple = dict(schema)
    values = simple.get("enum")
    if isinstance(values, list) and None in values and len(values) > 1:
        simple["enum"] = [value for value in values if value is not None]
        simple["nullable"] = True
    kinds = simple.get("type")
    if isinstance(kinds, list):
        others = [kind for kind in kinds if kind != "null"]
        if others and len(others) < len(kinds):
            simple["nullable"] = True
        if len(others) < 2:
            simple["type"] = (others or ["null"])[0]
        else:
            del simple["type"]
            simple["anyOf"] = [{"type": kind} for kind in others]
    options = simple.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        simple["nullable"] = True
        rest = [option for option in options if option != {"type": "null"}]
        if len(rest) == 1 and isinstance(rest[0], dict):
            del simple["anyOf"]
            return _simplify({**rest[0], **simple})
        simple["anyOf"] = rest
    return simple
