"""JSON Schema reduced to the subset of OpenAPI 3.0 that Google's older models take.

The API rejects an unknown keyword with 400: such keywords are removed and reported, unless known
ones can express the same (https://ai.google.dev/api/caching#Schema lists the known ones).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KNOWN = frozenset(
    {
        "anyOf", "default", "description", "enum", "example", "format", "items", "maxItems",
        "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties",
        "minimum", "nullable", "pattern", "properties", "propertyOrdering", "required", "title",
        "type",
    }
)  # fmt: skip
IRRELEVANT = frozenset({"$schema", "$id", "$comment", "$anchor", "$defs", "definitions"})
"""Removed without a report: they do not restrict a value, or are resolved."""
FORMATS = {
    "string": frozenset({"date-time", "enum"}),
    "number": frozenset({"float", "double"}),
    "integer": frozenset({"int32", "int64"}),
}
MAX_REFERENCES = 1000
"""Resolved in one schema: definitions that each use the next one twice grow exponentially."""


def to_openapi_schema(schema: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The reduced schema, and the removed keywords that restricted values."""
    converter = _Converter(schema)
    return converter.convert(schema), converter.removed


class _Converter:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._definitions = {**(root.get("definitions") or {}), **(root.get("$defs") or {})}
        self._resolved = 0
        self.removed: set[str] = set()

    def convert(self, schema: Any, within: tuple[str, ...] = ()) -> dict[str, Any]:
        """``within``: the references that are being resolved."""
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            return self._resolve(schema, within)
        given = _simplify(schema)
        if "$ref" in given:  # from an anyOf or allOf of which one option is left
            return self._resolve(given, within)
        converted: dict[str, Any] = {}
        for keyword, value in given.items():
            if keyword in KNOWN:
                converted[keyword] = self._value(keyword, value, within)
            elif keyword not in IRRELEVANT:
                self.removed.add(keyword)
        self._remove_unsupported_values(converted)
        return converted

    def _value(self, keyword: str, value: Any, within: tuple[str, ...]) -> Any:
        if keyword == "properties" and isinstance(value, dict):
            return {name: self.convert(schema, within) for name, schema in value.items()}
        if keyword == "items":
            return self.convert(value, within)
        if keyword == "anyOf" and isinstance(value, list):
            return [self.convert(schema, within) for schema in value]
        return value

    def _resolve(self, schema: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        """Put the definition in place of its reference; an object in place of one that is unknown,
        or refers to itself."""
        reference = str(schema["$ref"])
        definition = self._definitions.get(reference.rpartition("/")[2])
        siblings = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
        self._resolved += 1
        if definition is None or reference in within or self._resolved > MAX_REFERENCES:
            self.removed.add("$ref")
            return self.convert({"type": "object", **siblings}, within)
        return self.convert({**definition, **siblings}, (*within, reference))

    def _remove_unsupported_values(self, converted: dict[str, Any]) -> None:
        value_type = str(converted.get("type")).lower()
        if "format" in converted and converted["format"] not in FORMATS.get(value_type, ()):
            del converted["format"]
            self.removed.add("format")
        if "enum" in converted and not all(isinstance(value, str) for value in converted["enum"]):
            del converted["enum"]
            self.removed.add("enum")


def _simplify(schema: dict[str, Any]) -> dict[str, Any]:
    """Express ``const``, ``oneOf`` and an ``allOf`` of one schema by known keywords."""
    simple = dict(schema)
    if "const" in simple:
        simple["enum"] = [simple.pop("const")]
    if "oneOf" in simple and "anyOf" not in simple:
        simple["anyOf"] = simple.pop("oneOf")
    parts = simple.get("allOf")
    if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], dict):
        del simple["allOf"]
        return _simplify({**parts[0], **simple})
    return _without_null(simple)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Express a value, type or option of null by ``nullable``."""
    simple = dict(schema)
    values = simple.get("enum")
    if isinstance(values, list) and None in values and len(values) > 1:
        simple["enum"] = [value for value in values if value is not None]
        simple["nullable"] = True
    types = simple.get("type")
    if isinstance(types, list):
        non_null = [each for each in types if each != "null"]
        if non_null and len(non_null) < len(types):
            simple["nullable"] = True
        if len(non_null) < 2:
            simple["type"] = (non_null or ["null"])[0]
        else:
            del simple["type"]
            simple["anyOf"] = [{"type": each} for each in non_null]
    options = simple.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        simple["nullable"] = True
        rest = [option for option in options if option != {"type": "null"}]
        if len(rest) == 1 and isinstance(rest[0], dict):
            del simple["anyOf"]
            return _simplify({**rest[0], **simple})
        simple["anyOf"] = rest
    return simple
