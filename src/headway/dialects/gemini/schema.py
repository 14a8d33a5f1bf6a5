"""Google's Schema (ai.google.dev/api/caching#Schema), a subset of OpenAPI 3.0, as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.dialects.gemini.names import Fields, camel_case, enum_name

TYPE_NUMBERS: Mapping[int, str] = {
    1: "STRING", 2: "NUMBER", 3: "INTEGER", 4: "BOOLEAN", 5: "ARRAY", 6: "OBJECT", 7: "NULL",
}  # fmt: skip
"""google/ai/generativelanguage/v1beta/content.proto, Type."""
UNKNOWN_TYPES = ("", "TYPE_UNSPECIFIED")
COUNTS = (
    "maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties",
)  # fmt: skip
"""Keywords of the type int64, which protobuf's JSON writes as texts."""
SCHEMAS = ("items", "additionalProperties")
LISTS = ("anyOf", "prefixItems")
MAPS = ("properties", "defs", "$defs")
OPENAPI_ONLY = ("nullable", "propertyOrdering", "example")
RENAMED = {"defs": "$defs", "ref": "$ref", "type_": "type"}


def to_json_schema(schema: Any) -> Any:
    """The schema with JSON Schema's types and keywords. What is none of Google's own stays."""
    if not isinstance(schema, dict):
        return schema
    given = {RENAMED.get(name, camel_case(name)): value for name, value in schema.items()}
    converted: Fields = {}
    for keyword, value in given.items():
        if keyword not in OPENAPI_ONLY and value is not None:
            _put(converted, keyword, value)
    _order_properties(converted, given.get("propertyOrdering"))
    if given.get("example") is not None:
        converted["examples"] = [given["example"]]
    return _nullable(converted) if given.get("nullable") else converted


def _put(converted: Fields, keyword: str, value: Any) -> None:
    if keyword == "type":
        types = [_type_name(each) for each in (value if isinstance(value, list) else [value])]
        known = [name for name in types if name]
        if known:
            converted["type"] = known if isinstance(value, list) else known[0]
    elif keyword in SCHEMAS:
        converted[keyword] = to_json_schema(value)
    elif keyword in LISTS and isinstance(value, list):
        converted[keyword] = [to_json_schema(each) for each in value]
    elif keyword in MAPS and isinstance(value, dict):
        converted[keyword] = {name: to_json_schema(each) for name, each in value.items()}
    elif keyword in COUNTS and isinstance(value, str) and value.isdigit():
        converted[keyword] = int(value)
    elif (keyword, value) != ("format", "enum"):
        converted[keyword] = value


def _type_name(value: Any) -> str:
    name = enum_name(value, TYPE_NUMBERS)
    return "" if name in UNKNOWN_TYPES else name.lower()


def _order_properties(converted: Fields, order: Any) -> None:
    properties = converted.get("properties")
    if isinstance(order, list) and isinstance(properties, dict):
        first = {name: properties[name] for name in order if name in properties}
        converted["properties"] = {**first, **properties}


def _nullable(converted: Fields) -> Fields:
    if "type" in converted:
        types = converted["type"]
        types = types if isinstance(types, list) else [types]
        found = {**converted, "type": [*types, *(() if "null" in types else ("null",))]}
        if "enum" in found and None not in found["enum"]:
            found["enum"] = [*found["enum"], None]
        return found
    if "anyOf" in converted:
        return {**converted, "anyOf": [*converted["anyOf"], {"type": "null"}]}
    return converted
