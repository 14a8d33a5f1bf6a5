"""Convert JSON schemas to the subset of JSON Schema that Anthropic's structured outputs accept.

Rules (platform.claude.com/docs/en/build-with-claude/structured-outputs, JSON Schema limitations):
every object needs ``additionalProperties: false``, numbers and lengths cannot be constrained, a few
formats are known. Constraints that cannot be enforced are appended to the description, as
Anthropic's own SDKs do.
"""

from __future__ import annotations

from typing import Any

import msgspec

SCHEMAS_BY_NAME = frozenset({"properties", "$defs", "definitions"})
"""Keywords that hold an object of schemas."""
SCHEMA_LISTS = {"anyOf": "anyOf", "allOf": "allOf", "oneOf": "anyOf"}
"""Keywords that hold a list of schemas -> the keyword to send."""
NOT_ENFORCED = frozenset(
    {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
        "minLength", "maxLength", "maxItems", "uniqueItems", "minProperties", "maxProperties",
    }
)  # fmt: skip
FORMATS = frozenset(
    {
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
    }
)  # fmt: skip
MAX_MIN_ITEMS = 1
"""The largest ``minItems`` that is enforced."""


def to_strict_schema(schema: Any, described: set[str]) -> Any:
    """``schema`` in the accepted subset. Adds to ``described`` the keywords that moved into a
    description."""
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    moved: dict[str, Any] = {}
    for key, value in schema.items():
        if not _is_enforced(key, value):
            moved[key] = value
        elif key in SCHEMAS_BY_NAME and isinstance(value, dict):
            kept[key] = {name: to_strict_schema(inner, described) for name, inner in value.items()}
        elif key in SCHEMA_LISTS and isinstance(value, list):
            kept[SCHEMA_LISTS[key]] = [to_strict_schema(inner, described) for inner in value]
        else:
            kept[key] = to_strict_schema(value, described) if key == "items" else value
    if _is_object(schema):
        kept["additionalProperties"] = False
    if moved:
        described.update(moved)
        kept["description"] = _description(kept.get("description"), moved)
    return kept


def _is_enforced(key: str, value: Any) -> bool:
    if key == "additionalProperties":
        return value is False
    if key == "minItems":
        return isinstance(value, int) and value <= MAX_MIN_ITEMS
    if key == "format":
        return value in FORMATS
    return key not in NOT_ENFORCED


def _is_object(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _description(given: Any, moved: dict[str, Any]) -> str:
    rules = ", ".join(f"{key}: {msgspec.json.encode(moved[key]).decode()}" for key in moved)
    return f"{given}\n\n{{{rules}}}" if given else f"{{{rules}}}"
