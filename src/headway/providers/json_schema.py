"""JSON schemas in the dialect of JSON Schema that Anthropic's structured outputs take.

Rules (platform.claude.com/docs/en/build-with-claude/structured-outputs, JSON Schema limitations):
every object is closed, numbers and lengths cannot be constrained, a few formats are known. What
cannot be enforced is told to the model in the description, as Anthropic's own SDKs do.
"""

from __future__ import annotations

from typing import Any

import msgspec

TABLES = frozenset({"properties", "$defs", "definitions"})
"""Keywords that hold schemas by name."""
LISTS = {"anyOf": "anyOf", "allOf": "allOf", "oneOf": "anyOf"}
"""Keywords that hold a list of schemas, and what each becomes."""
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
MOST_MIN_ITEMS = 1


def closed(schema: Any, told: set[str]) -> Any:
    """``schema`` as Anthropic takes it; ``told`` gathers the keywords that are told in words."""
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    words: dict[str, Any] = {}
    for key, value in schema.items():
        if not _is_enforced(key, value):
            words[key] = value
        elif key in TABLES and isinstance(value, dict):
            kept[key] = {name: closed(inner, told) for name, inner in value.items()}
        elif key in LISTS and isinstance(value, list):
            kept[LISTS[key]] = [closed(inner, told) for inner in value]
        else:
            kept[key] = closed(value, told) if key == "items" else value
    if _is_object(schema):
        kept["additionalProperties"] = False
    if words:
        told.update(words)
        kept["description"] = _described(kept.get("description"), words)
    return kept


def _is_enforced(key: str, value: Any) -> bool:
    if key == "additionalProperties":
        return value is False
    if key == "minItems":
        return isinstance(value, int) and value <= MOST_MIN_ITEMS
    if key == "format":
        return value in FORMATS
    return key not in NOT_ENFORCED


def _is_object(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _described(description: Any, words: dict[str, Any]) -> str:
    rules = ", ".join(f"{key}: {msgspec.json.encode(words[key]).decode()}" for key in words)
    return f"{description}\n\n{{{rules}}}" if description else f"{{{rules}}}"
