from __future__ import annotations

import json
from typing import Any

import pytest

from headway.dialects.input_items.notes import Notes
from headway.dialects.input_items.tools import (
    ToolName,
    chat_name,
    convert_tool_choice,
    convert_tools,
    read_names,
)
from headway.errors import RequestError
from support.for_each import for_each

FOREIGN = {"type": "web_search_20250305", "name": "w"}
NESTED: Any = {"type": "allowed_tools", "allowed_tools": {}}
SCHEMA = {"type": "object", "properties": {"b": {}, "a": {}}}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: X"}


def function(name: str, **more: Any) -> Any:
    return {"type": "function", "function": {"name": name, **more}}


def convert(*tools: Any) -> tuple[list[Any], list[str]]:
    notes = Notes()
    return convert_tools(tools, notes), [str(each) for each in notes.transformations]


@pytest.mark.parametrize(
    ("tool", "converted"),
    [
        (
            {"type": "function", "name": "f", "description": "D", "parameters": SCHEMA},
            function("f", description="D", parameters=SCHEMA),
        ),
        ({"type": "function", "name": "f", "strict": True}, function("f", strict=True)),
        ({"type": "function", "name": "f", "strict": None, "parameters": None}, function("f")),
        ({"name": "f"}, function("f")),
        (
            {"type": "function", "name": "f", "cache_control": {"type": "ephemeral"}},
            {**function("f"), "cache_control": {"type": "ephemeral"}},
        ),
        (function("f"), function("f")),
        (
            {"type": "web_search_20250305", "name": "w"},
            {"type": "web_search_20250305", "name": "w"},
        ),
    ],
)
def test_a_function_has_chats_shape(tool: Any, converted: Any) -> None:
    assert convert(tool) == ([converted], [])


def test_the_order_of_tools_and_of_their_keys_stays() -> None:
    tools = [{"type": "function", "name": name, "parameters": SCHEMA} for name in "cab"]
    found, _ = convert(*tools)
    assert [each["function"]["name"] for each in found] == ["c", "a", "b"]
    assert json.dumps(found[0]["function"]["parameters"]) == json.dumps(SCHEMA)


def test_fields_that_chat_does_not_have_are_said() -> None:
    tool = {"type": "function", "name": "f", "defer_loading": True, "allowed_callers": ["direct"]}
    found, notes = convert({**tool, "output_schema": None})
    assert found == [function("f")]
    assert sorted(notes) == [
        "dropped tools[].allowed_callers: only providers with OpenAI's Responses API have this "
        "field",
        "dropped tools[].defer_loading: all tools are loaded at once",
    ]


HOSTED = (
    "apply_patch code_interpreter computer computer_use_preview file_search image_generation"
    " local_shell mcp programmatic_tool_calling shell tool_search web_search web_search_2025_08_26"
    " web_search_preview web_search_preview_2025_03_11"
)


@for_each("kind", HOSTED.split())
def test_a_tool_that_openai_runs_is_left_out_and_said(kind: str) -> None:
    found, notes = convert({"type": kind}, {"type": "function", "name": "f"})
    assert found == [function("f")]
    assert notes == [
        f"dropped tools[].{kind}: only providers with OpenAI's Responses API have this tool"
    ]


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "custom", "name": "patch", "description": "Patches.", "format": GRAMMAR},
        {
            "type": "custom",
            "custom": {
                "name": "patch",
                "description": "Patches.",
                "format": {"type": "grammar", "grammar": GRAMMAR},
            },
        },
    ],
)
def test_a_custom_tool_becomes_a_function_with_one_text(tool: Any) -> None:
    (found,), notes = convert(tool)
    assert found["function"]["name"] == "patch"
    assert found["function"]["description"] == (
        "Patches.\n\n`input` must match this lark grammar:\nstart: X"
    )
    assert found["function"]["parameters"]["required"] == ["input"]
    assert notes == [
        "emulated tools[].custom: as a function with one string `input` (patch)",
        "emulated tools[].custom.format: the grammar in the description, which the model may not "
        "keep (patch)",
    ]


def test_a_custom_tool_for_any_text_has_its_own_description_only() -> None:
    (found,), _ = convert({"type": "custom", "name": "say", "format": {"type": "text"}})
    assert found["function"]["description"] == ""


NAMESPACE = {
    "type": "namespace",
    "name": "crm",
    "tools": [
        {"type": "function", "name": "find", "parameters": SCHEMA},
        {"type": "custom", "name": "note"},
        {"type": "other"},
    ],
}


def test_a_namespace_becomes_functions_with_its_name() -> None:
    found, notes = convert(NAMESPACE)
    assert [each.get("function", each).get("name") for each in found] == [
        "crm__find",
        "crm__note",
        None,
    ]
    assert notes[0] == "emulated tools[].namespace: by functions whose names begin with crm"


@pytest.mark.parametrize(
    ("tool", "named"),
    [
        ({"type": "function"}, "tools[0].name"),
        ({"type": "custom", "name": ""}, "tools[0].name"),
        ({"type": "namespace", "name": "n", "tools": [{"name": 7}]}, "tools[0].tools[0].name"),
    ],
)
def test_a_tool_without_a_name_is_refused(tool: Any, named: str) -> None:
    with pytest.raises(RequestError) as caught:
        convert(tool)
    assert caught.value.param == named


# --- Choice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "converted"),
    [
        ("auto", "auto"),
        ("required", "required"),
        ({"type": "function", "name": "f"}, function("f")),
        ({"type": "custom", "name": "f"}, function("f")),
        ({"type": "function", "name": "f", "namespace": "crm"}, function("crm__f")),
        (function("f"), function("f")),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}],
            },
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [function("f")]},
            },
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {}},
            {"type": "allowed_tools", "allowed_tools": {}},
        ),
    ],
)
def test_a_choice_has_chats_shape(choice: Any, converted: Any) -> None:
    assert convert_tool_choice(choice) == converted


def test_a_choice_of_a_tool_that_openai_runs_is_refused() -> None:
    with pytest.raises(RequestError, match="asks for web_search, but only") as caught:
        convert_tool_choice({"type": "web_search"})
    assert caught.value.param == "tool_choice"


# --- Names ----------------------------------------------------------------------------------------


def test_the_names_by_which_calls_find_back() -> None:
    tools = [NAMESPACE, {"type": "custom", "name": "patch"}, {"type": "function", "name": "f"}]
    assert read_names(json.dumps(tools).encode(), b'[{"type":"web_search"}]', b"7") == {
        "crm__find": ToolName("find", "crm"),
        "crm__note": ToolName("note", "crm", True),
        "patch": ToolName("patch", None, True),
    }


@pytest.mark.parametrize(
    ("namespace", "name"),
    [(None, "f"), ("", "f"), ("mcp__a", "mcp__a__f"), ("mcp__a__", "mcp__a__f")],
)
def test_a_namespace_stands_before_a_name(namespace: str | None, name: str) -> None:
    assert chat_name("f", namespace) == name
