from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.providers.function_tools import (
    ToolChoice,
    convert_tools,
    decode_messages,
    parts_of,
)
from headway.providers.request_draft import RequestDraft
from support.adapter_requests import chat, raw
from support.for_each import for_each

PARAMETERS = {"type": "object", "properties": {}}
F = {"type": "function", "function": {"name": "f", "parameters": PARAMETERS}}
G = {"type": "function", "function": {"name": "g", "parameters": PARAMETERS}}
NAMED = {"type": "function", "function": {"name": "g"}}
ALLOWED = {
    "type": "allowed_tools",
    "allowed_tools": {
        "mode": "required",
        "tools": [{"type": "function", "function": {"name": "g"}}],
    },
}
BY_NAMES = "emulated tool_choice: by offering only the tools that it names"

# given parameters, the tools to offer, the choice among them, transformations
TOOLS: list[tuple[dict[str, Any], Any, ToolChoice, list[str]]] = [
    ({}, None, ToolChoice(), []),
    ({"tools": [F, G]}, [F, G], ToolChoice(), []),
    ({"tools": [F], "tool_choice": "required"}, [F], ToolChoice("required"), []),
    ({"tools": [F], "tool_choice": "any"}, [F], ToolChoice("required"), []),
    ({"tool_choice": "none"}, None, ToolChoice("none"), []),
    ({"tools": [F, G], "tool_choice": NAMED}, [G], ToolChoice("required", ("g",)), [BY_NAMES]),
    ({"tools": [F, G], "tool_choice": ALLOWED}, [G], ToolChoice("required", ("g",)), [BY_NAMES]),
    ({"tools": [F], "parallel_tool_calls": False}, [F], ToolChoice(),
     ["dropped parallel_tool_calls: the model may always call several at once"]),
    ({"tools": [{"type": "web_search"}, F]}, [F], ToolChoice(),
     ["dropped tools: unsupported type web_search"]),
    ({"tools": [{"type": "web_search"}]}, None, ToolChoice(),
     ["dropped tools: unsupported type web_search"]),
    ({"tools": [{**F, "cache_control": {}}]}, [F], ToolChoice(),
     ["dropped cache_control: the provider has no cache markers"]),
    ({"tools": [{"type": "function", "function": {"name": "f", "description": None}}]}, [F],
     ToolChoice(), []),
    ({"functions": [F["function"]], "function_call": "auto"}, [F], ToolChoice(),
     ["renamed functions -> tools", "renamed function_call -> tool_choice"]),
    ({"functions": [F["function"], G["function"]], "function_call": {"name": "g"}}, [G],
     ToolChoice("required", ("g",)),
     ["renamed functions -> tools", "renamed function_call -> tool_choice", BY_NAMES]),
    ({"tools": [F], "tool_choice": "auto", "functions": [G["function"]], "function_call": "none"},
     [F], ToolChoice(), []),
]  # fmt: skip


@for_each(("given", "tools", "choice", "said"), TOOLS)
def test_functions_to_offer_and_the_choice_among_them(
    given: dict[str, Any], tools: Any, choice: ToolChoice, said: list[str]
) -> None:
    draft = RequestDraft(chat("m", [], **given))
    assert convert_tools(draft) == choice
    assert draft.value("tools") == tools
    assert [str(each) for each in draft.transformations] == said
    assert set(draft.parameters) <= {"tools"}


def test_a_deprecated_call_and_its_result_share_an_id() -> None:
    call = {"name": "f", "arguments": "{}"}
    given = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": "f", "content": "1"},
        {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": "f", "content": "2"},
    ]
    user, first, first_result, second, second_result = decode_messages(raw(given))
    assert user == given[0]
    assert [call["id"] for call in first["tool_calls"]] == [first_result["tool_call_id"]]
    assert [call["id"] for call in second["tool_calls"]] == [second_result["tool_call_id"]]
    assert first["tool_calls"][0]["function"] == call
    assert first_result["role"] == "tool"
    assert first_result["tool_call_id"] != second_result["tool_call_id"]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("a", [{"type": "text", "text": "a"}]),
        ("", []),
        (None, []),
        ([{"type": "x"}], [{"type": "x"}]),
    ],
)
def test_content_is_a_list_of_parts(content: Any, parts: list[Any]) -> None:
    assert parts_of(content) == parts


def test_tools_keep_the_order_of_their_fields() -> None:
    function = {"strict": True, "parameters": PARAMETERS, "name": "f"}
    given = json.dumps([{"type": "function", "function": function}]).encode()
    draft = RequestDraft(chat("m", []))
    draft.parameters["tools"] = Raw(given)
    convert_tools(draft)
    assert list(draft.value("tools")[0]["function"]) == ["name", "parameters", "strict"]
