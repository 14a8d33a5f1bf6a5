"""JSON Schema reduced for Google's older models."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import RequestError
from headway.providers.gemini import provider as gemini
from headway.providers.gemini.json_schema import to_openapi_schema
from headway.types import ChatRequest
from support.for_each import for_each
from support.gemini_wire import FLASH, HI, adapt

OLD, FLASH3 = "gemini-2.0-flash", "gemini-3-flash-preview"


SCHEMAS: list[tuple[str, Any, Any, set[str]]] = [
    ("known keywords stay", {"type": "string", "minLength": 1}, None, set()),
    (
        "irrelevant keywords are removed",
        {"type": "object", "$schema": "s", "$id": "i", "$comment": "c"},
        {"type": "object"},
        set(),
    ),
    (
        "removed keywords are reported",
        {"type": "object", "additionalProperties": False, "patternProperties": {}},
        {"type": "object"},
        {"additionalProperties", "patternProperties"},
    ),
    ("const becomes enum", {"const": "a"}, {"enum": ["a"]}, set()),
    (
        "oneOf becomes anyOf",
        {"oneOf": [{"type": "string", "x": 1}, {"type": "integer"}]},
        {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        {"x"},
    ),
    (
        "allOf of one schema is that schema",
        {"allOf": [{"type": "string"}], "title": "t"},
        {"type": "string", "title": "t"},
        set(),
    ),
    (
        "allOf of several is removed",
        {"allOf": [{"type": "string"}, {"minLength": 1}]},
        {},
        {"allOf"},
    ),
    (
        "type null becomes nullable",
        {"type": ["string", "null"]},
        {"type": "string", "nullable": True},
        set(),
    ),
    (
        "several types become anyOf",
        {"type": ["string", "integer", "null"]},
        {"nullable": True, "anyOf": [{"type": "string"}, {"type": "integer"}]},
        set(),
    ),
    (
        "option null becomes nullable",
        {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "t"},
        {"type": "string", "nullable": True, "title": "t"},
        set(),
    ),
    (
        "other options stay",
        {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
        {"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True},
        set(),
    ),
    (
        "properties and items are reduced",
        {"properties": {"title": {"type": "string", "x": 1}}, "items": {"y": 1}},
        {"properties": {"title": {"type": "string"}}, "items": {}},
        {"x", "y"},
    ),
    (
        "references are resolved",
        {
            "properties": {"a": {"$ref": "#/$defs/A", "description": "d"}},
            "$defs": {"A": {"type": "string"}},
        },
        {"properties": {"a": {"type": "string", "description": "d"}}},
        set(),
    ),
    (
        "optional references are resolved",
        {
            "properties": {
                "a": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
                "b": {"allOf": [{"$ref": "#/$defs/A"}], "title": "t"},
            },
            "$defs": {"A": {"type": "string"}},
        },
        {
            "properties": {
                "a": {"type": "string", "nullable": True},
                "b": {"type": "string", "title": "t"},
            }
        },
        set(),
    ),
    (
        "optional const",
        {"anyOf": [{"const": "a", "type": "string"}, {"type": "null"}]},
        {"type": "string", "enum": ["a"], "nullable": True},
        set(),
    ),
    (
        "enum value null becomes nullable",
        {"enum": ["a", None], "type": ["string", "null"]},
        {"type": "string", "enum": ["a"], "nullable": True},
        set(),
    ),
    ("null alone stays a type", {"type": ["null"]}, {"type": "null"}, set()),
    (
        "definitions are resolved",
        {"$ref": "#/definitions/A", "definitions": {"A": {"type": "string"}}},
        {"type": "string"},
        set(),
    ),
    (
        "recursive reference becomes an object",
        {"$ref": "#/$defs/A", "$defs": {"A": {"items": {"$ref": "#/$defs/A"}}}},
        {"items": {"type": "object"}},
        {"$ref"},
    ),
    ("unknown reference becomes an object", {"$ref": "#/$defs/A"}, {"type": "object"}, {"$ref"}),
    ("date-time stays a format", {"type": "string", "format": "date-time"}, None, set()),
    ("uri is no format", {"type": "string", "format": "uri"}, {"type": "string"}, {"format"}),
    ("formats of numbers stay", {"type": "INTEGER", "format": "int32"}, None, set()),
    ("enum of numbers is removed", {"type": "integer", "enum": [1]}, {"type": "integer"}, {"enum"}),
    ("true becomes an empty schema", {"items": True}, {"items": {}}, set()),
    ("malformed values stay", {"properties": 1, "anyOf": 2}, None, set()),
]


@for_each(("name", "schema", "reduced", "removed"), SCHEMAS, ids=[case[0] for case in SCHEMAS])
def test_a_schema_is_reduced_to_what_is_known(
    name: str, schema: Any, reduced: Any, removed: set[str]
) -> None:
    expected = schema if reduced is None else reduced
    assert to_openapi_schema(schema) == (expected, removed)


def test_definitions_that_double_each_other_stay_small() -> None:
    twice = {
        str(i): {"properties": {name: {"$ref": f"#/$defs/{i + 1}"} for name in "ab"}}
        for i in range(60)
    }
    reduced, removed = to_openapi_schema({"$ref": "#/$defs/0", "$defs": twice})
    assert removed == {"$ref"}
    assert len(str(reduced)) < 100_000


def test_a_schema_nested_too_deep_raises_request_error() -> None:
    schema = '{"items":' * 900 + "{}" + "}" * 900
    tools = f'[{{"type":"function","function":{{"name":"f","parameters":{schema}}}}}]'
    request = ChatRequest(
        model=OLD,
        messages=Raw(json.dumps(HI).encode()),
        parameters={"tools": Raw(tools.encode())},
    )
    with pytest.raises(RequestError):
        gemini.PROVIDER.adapt(request)


@pytest.mark.parametrize(("model", "is_reduced"), [(OLD, True), (FLASH, False), (FLASH3, False)])
def test_schemas_of_tools_and_responses_are_reduced_for_older_models(
    model: str, is_reduced: bool
) -> None:
    schema = {"type": "object", "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    kept, noted = adapt({"tools": [tool]}, model)
    parameters = kept["tools"][0]["function"]["parameters"]
    kept, more = adapt({"response_format": wanted}, model)
    noted += more
    answer = kept["response_format"]["json_schema"]["schema"]
    assert parameters == answer == ({"type": "object"} if is_reduced else schema)
    assert noted == (
        [
            "dropped tools[].function.parameters: additionalProperties in f, unsupported by"
            f" {model}",
            "dropped response_format.json_schema.schema: additionalProperties, unsupported by"
            f" {model}",
        ]
        if is_reduced
        else []
    )
