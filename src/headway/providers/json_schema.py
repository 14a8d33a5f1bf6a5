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


# --- References -----------------------------------------------------------------------------------

DEFINITIONS = ("$defs", "definitions")
MAX_REFERENCES = 1000
"""Resolved in one schema: definitions that each use the next one twice grow exponentially."""


def inline_references(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with each definition in place of its references, and without the definitions. A
    reference that is unknown, or within itself, becomes any object."""
    definitions = _definitions(schema)
    budget = [MAX_REFERENCES]

    def inline(value: Any, within: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [inline(each, within) for each in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return {name: inline(inner, within) for name, inner in value.items()}
        budget[0] -= 1
        siblings = {name: inner for name, inner in value.items() if name != "$ref"}
        if reference not in definitions or reference in within or budget[0] < 0:
            return {"type": "object", **siblings}
        resolved = inline(definitions[reference], (*within, reference))
        return {**resolved, **siblings}

    rest = {name: value for name, value in schema.items() if name not in DEFINITIONS}
    inlined: dict[str, Any] = inline(rest, ("#",))
    return inlined


def is_recursive(schema: dict[str, Any]) -> bool:
    """Whether a definition, or the schema itself, refers to itself, through others or directly."""
    definitions = {**_definitions(schema), "#": schema}
    edges = {name: set(_references(value)) for name, value in definitions.items()}
    return any(_reaches(name, name, edges, set()) for name in edges)


def _definitions(schema: dict[str, Any]) -> dict[str, Any]:
    """The definitions by the references to them."""
    return {
        f"#/{keyword}/{name}": value
        for keyword in DEFINITIONS
        for name, value in (schema.get(keyword) or {}).items()
    }


def _references(value: Any) -> list[str]:
    """The references within a schema, besides those of its definitions."""
    if isinstance(value, list):
        return [found for each in value for found in _references(each)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    inner = (_references(each) for name, each in value.items() if name not in DEFINITIONS)
    return own + [found for each in inner for found in each]


def _reaches(start: str, end: str, edges: dict[str, set[str]], seen: set[str]) -> bool:
    for name in edges.get(start, set()) - seen:
        seen.add(name)
        if name == end or _reaches(name, end, edges, seen):
            return True
    return False
