"""OpenAI's tools and tool choice as Google's."""

from __future__ import annotations

from typing import Any

import pytest

from support.gemini_wire import body

SPEC = {"name": "f", "description": "d", "parameters": {"type": "object", "$defs": {}}}


def test_functions_are_declared_in_one_tool_with_unchanged_schemas() -> None:
    tools = [
        {"googleSearch": {}},
        {"type": "function", "function": SPEC},
        {"type": "function", "function": {"name": "g"}},
        {"type": "function", "function": None},
    ]
    assert body(tools=tools)["tools"] == [
        {"googleSearch": {}},
        {
            "functionDeclarations": [
                {"name": "f", "description": "d", "parametersJsonSchema": SPEC["parameters"]},
                {"name": "g"},
            ]
        },
    ]


def test_the_schema_field_of_functions_depends_on_the_model() -> None:
    tools = [{"type": "function", "function": SPEC}]
    declared = body(tools=tools, model="gemini-2.0-flash")["tools"][0]["functionDeclarations"]
    assert declared[0]["parameters"] == SPEC["parameters"]


NAMED = {"type": "function", "function": {"name": "f"}}
CHOICES: list[tuple[Any, Any]] = [
    ("auto", {"mode": "AUTO"}),
    ("none", {"mode": "NONE"}),
    ("required", {"mode": "ANY"}),
    ("validated", {"mode": "VALIDATED"}),
    (NAMED, {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    (
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}},
        {"mode": "ANY", "allowedFunctionNames": ["f"]},
    ),
    (
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}},
        {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
    ),
]


@pytest.mark.parametrize(("choice", "calling"), CHOICES, ids=[str(case[0]) for case in CHOICES])
def test_tool_choice_becomes_a_mode(choice: Any, calling: Any) -> None:
    assert body(tool_choice=choice)["toolConfig"] == {"functionCallingConfig": calling}


def test_a_given_tool_config_is_merged() -> None:
    config = {"retrievalConfig": {"languageCode": "de"}}
    assert body(tool_choice="auto", toolConfig=config)["toolConfig"] == {
        "functionCallingConfig": {"mode": "AUTO"},
        **config,
    }
