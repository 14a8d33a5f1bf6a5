"""Requests with custom tools, for providers that have functions only."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from headway.providers import KINDS
from headway.providers.custom_tools import custom_as_functions
from headway.types import ChatRequest

GRAMMAR = {"type": "grammar", "grammar": {"syntax": "regex", "definition": "a+"}}
CUSTOM = {"type": "custom", "custom": {"name": "patch", "description": "It", "format": GRAMMAR}}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALLS = [
    {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": 'a"b'}},
    {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{}"}},
]
MESSAGES = [
    {"role": "user", "content": "custom"},
    {"role": "assistant", "tool_calls": CALLS},
    {"role": "tool", "tool_call_id": "c1", "content": "done"},
    {"role": "assistant", "tool_calls": CALLS[1:]},
]


def request(messages: Any = MESSAGES, **parameters: Any) -> ChatRequest:
    raw = {name: Raw(json.dumps(value).encode()) for name, value in parameters.items()}
    return ChatRequest(model="m", messages=Raw(json.dumps(messages).encode()), parameters=raw)


def converted(asked: ChatRequest) -> tuple[Any, dict[str, Any], list[str]]:
    adapted, noted = custom_as_functions(asked)
    parameters = {name: json.loads(bytes(raw)) for name, raw in adapted.parameters.items()}
    return json.loads(bytes(adapted.messages)), parameters, [str(each) for each in noted]


def test_a_custom_tool_and_its_calls_become_a_functions() -> None:
    messages, parameters, noted = converted(request(tools=[FUNCTION, CUSTOM]))
    first, second = parameters["tools"]
    assert first == FUNCTION
    assert (second["type"], second["function"]["name"]) == ("function", "patch")
    assert second["function"]["description"].endswith("regex grammar:\na+")
    called = {"name": "patch", "arguments": '{"input":"a\\"b"}'}
    assert messages == [
        MESSAGES[0],
        {
            "role": "assistant",
            "tool_calls": [{"id": "c1", "type": "function", "function": called}, CALLS[1]],
        },
        *MESSAGES[2:],
    ]
    assert noted == [
        "emulated tools[].custom: as a function with one string `input` (patch)",
        "emulated tools[].custom.format: the grammar in the description, which the model may not "
        "keep (patch)",
    ]


def test_a_choice_of_a_custom_tool_is_one_of_its_function() -> None:
    chosen = {"type": "custom", "custom": {"name": "patch"}}
    function = {"type": "function", "function": {"name": "patch"}}
    for given, wanted in (
        (chosen, function),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [chosen]}},
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [function]}},
        ),
        ({"type": "custom"}, {"type": "custom"}),
        ("custom", "custom"),
        ("auto", "auto"),
    ):
        sent = converted(request(MESSAGES[:1], tools=[CUSTOM], tool_choice=given))[1]
        assert sent["tool_choice"] == wanted, given


def test_a_request_without_custom_tools_is_the_same_object() -> None:
    for asked in (request(), request(tools=[FUNCTION])):
        assert custom_as_functions(asked) == (asked, ())


def test_only_openai_takes_custom_tools() -> None:
    having = {name for name, provider in KINDS.items() if provider.has_custom_tools}
    assert having == {
        "openai",
        "openai_responses",
        "azure_openai",
        "azure_openai_responses",
        "echo",
    }
