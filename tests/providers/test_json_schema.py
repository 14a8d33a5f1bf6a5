"""Schemas are converted to the strict subset; keywords outside of it move to descriptions."""

from __future__ import annotations

from typing import Any

import pytest

from headway.providers.json_schema import inline_references, is_recursive, to_strict_schema
from support.for_each import for_each

OBJECT = {"type": "object", "additionalProperties": False}

# what it shows, the schema, what becomes of it, what is told
SCHEMAS: list[tuple[str, Any, Any, set[str]]] = [
    ("true", True, True, set()),
    ("what can be kept to", {"type": "string", "format": "date", "pattern": "a", "enum": ["x"]},
     {"type": "string", "format": "date", "pattern": "a", "enum": ["x"]}, set()),
    ("an open object", {"type": "object"}, OBJECT, set()),
    ("an object or nothing", {"type": ["object", "null"]}, {**OBJECT, "type": ["object", "null"]},
     set()),
    ("what may stand beside it", {"type": "object", "additionalProperties": {"type": "string"}},
     {**OBJECT, "description": '{additionalProperties: {"type":"string"}}'},
     {"additionalProperties"}),
    ("limits beside a description", {"type": "string", "description": "A name", "minLength": 1,
                                     "format": "iri"},
     {"type": "string", "description": 'A name\n\n{minLength: 1, format: "iri"}'},
     {"minLength", "format"}),
    ("a list that is not empty", {"type": "array", "minItems": 1, "items": {"maximum": 2}},
     {"type": "array", "minItems": 1, "items": {"description": "{maximum: 2}"}}, {"maximum"}),
    ("a list of two", {"type": "array", "minItems": 2},
     {"type": "array", "description": "{minItems: 2}"}, {"minItems"}),
    ("one of several", {"oneOf": [{"type": "object"}, {"$ref": "#/$defs/a"}],
                        "$defs": {"a": {"type": "object"}}},
     {"anyOf": [OBJECT, {"$ref": "#/$defs/a"}], "$defs": {"a": OBJECT}}, set()),
    ("properties that are named like rules", {"type": "object", "properties": {"maximum": {}}},
     {**OBJECT, "properties": {"maximum": {}}}, set()),
]  # fmt: skip


@for_each(
    ("schema", "expected", "told"), [row[1:] for row in SCHEMAS], ids=[row[0] for row in SCHEMAS]
)
def test_a_schema_is_converted_to_the_strict_subset(
    schema: Any, expected: Any, told: set[str]
) -> None:
    found: set[str] = set()
    assert to_strict_schema(schema, found) == expected
    assert found == told


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def test_references_are_replaced_by_their_definitions() -> None:
    schema = {
        "properties": {"a": {**ref("x"), "description": "d"}, "b": [ref("x"), ref("unknown")]},
        "$defs": {"x": {"type": "string"}},
    }
    assert inline_references(schema) == {
        "properties": {
            "a": {"type": "string", "description": "d"},
            "b": [{"type": "string"}, {"type": "object"}],
        }
    }


def test_a_schema_within_itself_ends_in_any_object() -> None:
    tree = {"properties": {"root": {"$ref": "#"}, "node": ref("node")}}
    node = {"items": ref("node")}
    assert inline_references({**tree, "$defs": {"node": node}}) == {
        "properties": {"root": {"type": "object"}, "node": {"items": {"type": "object"}}}
    }


def test_schemas_that_would_grow_without_end_are_cut() -> None:
    definitions: dict[str, Any] = {
        f"d{i}": {"properties": {"a": ref(f"d{i + 1}"), "b": ref(f"d{i + 1}")}} for i in range(40)
    }
    schema = {"properties": {"a": ref("d0")}, "$defs": definitions}
    assert len(str(inline_references(schema))) < 200_000
    assert not is_recursive(schema)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"properties": {"a": ref("x")}, "$defs": {"x": {"items": ref("x")}}}, True),
        ({"properties": {"a": ref("x")}, "$defs": {"x": ref("y"), "y": [ref("x")]}}, True),
        ({"properties": {"a": {"$ref": "#"}}}, True),
        ({"properties": {"a": ref("x"), "b": ref("x")}, "$defs": {"x": {"type": "null"}}}, False),
        ({"properties": {"a": ref("x"), "b": ref("y")}, "definitions": {"x": {}}}, False),
        ({"properties": {"$ref": {"type": "string"}}}, False),
        ({}, False),
    ],
)
def test_a_schema_is_recursive_if_a_definition_reaches_itself(schema: Any, expected: bool) -> None:
    assert is_recursive(schema) is expected
