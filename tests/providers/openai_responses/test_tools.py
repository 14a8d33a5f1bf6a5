"""Tools and tool choice in the Responses API's shapes."""

from __future__ import annotations

from typing import Any

import pytest

from support.responses_requests import request, sent, transformations

WEATHER = {"name": "weather", "description": "of a city", "parameters": {"type": "object"}}
TOOLS: list[tuple[Any, Any]] = [
    (
        {"type": "function", "function": WEATHER},
        {"type": "function", **WEATHER, "strict": False},
    ),
    (
        {"type": "function", "function": {**WEATHER, "strict": True}, "defer_loading": True},
        {"type": "function", **WEATHER, "strict": True, "defer_loading": True},
    ),
    (
        {"function": {"name": "now"}},
        {
            "type": "function",
            "name": "now",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        },
    ),
    (
        {"type": "custom", "custom": {"name": "sql", "description": "a query"}},
        {"type": "custom", "name": "sql", "description": "a query"},
    ),
    (
        {
            "type": "custom",
            "custom": {
                "name": "sql",
                "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}},
            },
        },
        {
            "type": "custom",
            "name": "sql",
            "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
        },
    ),
    ({"type": "web_search"}, {"type": "web_search"}),
    ({"type": "function", "name": "flat"}, {"type": "function", "name": "flat"}),
]


@pytest.mark.parametrize(("given", "expected"), TOOLS)
def test_tools_are_flattened_and_strict_only_if_given(given: Any, expected: Any) -> None:
    asked = request(tools=[given])
    assert sent(asked)["tools"] == [expected]
    assert transformations(asked) == []


CHOICES: list[tuple[Any, Any]] = [
    ("required", "required"),
    ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
    ({"type": "custom", "custom": {"name": "c"}}, {"type": "custom", "name": "c"}),
    ({"type": "function", "name": "f"}, {"type": "function", "name": "f"}),
    ({"type": "web_search"}, {"type": "web_search"}),
    (
        {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "required",
                "tools": [{"type": "function", "function": {"name": "f"}}],
            },
        },
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
    ),
]


@pytest.mark.parametrize(("given", "expected"), CHOICES)
def test_tool_choice_is_flattened(given: Any, expected: Any) -> None:
    assert sent(request(tool_choice=given))["tool_choice"] == expected
