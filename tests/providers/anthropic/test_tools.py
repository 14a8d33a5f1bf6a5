"""Tools and the choice of them become Anthropic's."""

from __future__ import annotations

from typing import Any

from support.anthropic_requests import (
    CACHE_CONTROL,
    FUNCTION,
    TOOL,
    chat,
    sent,
    text,
)
from support.for_each import for_each

THEIRS = {"name": "f", "description": "d",
          "input_schema": {"type": "object", "properties": {"a": {}}}}  # fmt: skip
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}}
CLOSED = {
    "type": "object",
    "properties": {"n": {"type": "integer", "description": "{maximum: 9}"}},
    "additionalProperties": False,
}


# what it shows, model, parameters, fields of the body, transformations
TOOLS: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("a tool", "sonnet-4-5", {"tools": [TOOL]}, {"tools": [THEIRS]}, []),
    ("a tool with Anthropic's fields", "sonnet-4-5",
     {"tools": [{"type": "function", "function": {"name": "f", "input_examples": [{}]},
                 "cache_control": CACHE_CONTROL, "defer_loading": True}]},
     {"tools": [{"name": "f", "input_schema": {"type": "object"}, "input_examples": [{}],
                 "cache_control": CACHE_CONTROL, "defer_loading": True}]}, []),
    ("a server tool", "sonnet-4-5", {"tools": [{"type": "web_search_20250305", "name": "w"}]},
     {"tools": [{"type": "web_search_20250305", "name": "w"}]}, []),
    ("a strict tool", "sonnet-4-5",
     {"tools": [{"type": "function", "function": {"name": "f", "strict": True,
                                                  "parameters": SCHEMA}}]},
     {"tools": [{"name": "f", "input_schema": CLOSED, "strict": True}]},
     ["emulated tools[].function.strict: schema keywords described, not enforced: maximum"
      " (tool f)"]),
    ("a strict tool with enforceable keywords only", "sonnet-4-5",
     {"tools": [{"type": "function", "function": {**FUNCTION, "strict": True}}]},
     {"tools": [{**THEIRS, "strict": True,
                 "input_schema": {**THEIRS["input_schema"],
                                  "additionalProperties": False}}]},  # type: ignore[dict-item]
     []),
    ("a strict tool for a model without strict tools", "sonnet-4-0",
     {"tools": [{"type": "function", "function": {**FUNCTION, "strict": True}}]},
     {"tools": [THEIRS]},
     ["dropped tools[].function.strict: unsupported by claude-sonnet-4-0 (tool f)"]),
    ("a custom tool", "sonnet-4-5",
     {"tools": [TOOL, {"type": "custom", "custom": {"name": "sql"}}]}, {"tools": [THEIRS]},
     ["dropped tools[].custom: unsupported by Anthropic (tool sql)"]),
    ("deprecated functions", "sonnet-4-5", {"functions": [FUNCTION],
                                                "function_call": {"name": "f"}},
     {"tools": [THEIRS], "tool_choice": {"type": "tool", "name": "f"}},
     ["renamed functions -> tools",
      "renamed function_call -> tool_choice"]),
    ("deprecated functions with the choice auto", "sonnet-4-5",
     {"functions": [FUNCTION], "function_call": "auto"},
     {"tools": [THEIRS], "tool_choice": {"type": "auto"}},
     ["renamed functions -> tools",
      "renamed function_call -> tool_choice"]),
    *[(f"the choice {given}", "sonnet-4-5", {"tools": [TOOL], "tool_choice": given},
       {"tools": [THEIRS], "tool_choice": there}, [])
      for given, there in [
          ("auto", {"type": "auto"}), ("none", {"type": "none"}), ("required", {"type": "any"}),
          ("odd", {"type": "odd"}), ({"type": "any"}, {"type": "any"}),
          ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"})]],
    ("allowed tools", "sonnet-4-5",
     {"tools": [TOOL, {"type": "function", "function": {"name": "g"}}],
      "tool_choice": {"type": "allowed_tools", "allowed_tools": {
          "mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}}},
     {"tools": [THEIRS], "tool_choice": {"type": "any"}},
     ["emulated tool_choice: by sending the allowed tools only"]),
    ("no parallel calls", "sonnet-4-5", {"tools": [TOOL], "parallel_tool_calls": False},
     {"tools": [THEIRS], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, []),
    ("no parallel calls with the choice none", "sonnet-4-5",
     {"tools": [TOOL], "parallel_tool_calls": False, "tool_choice": "none"},
     {"tools": [THEIRS], "tool_choice": {"type": "none"}}, []),
    ("no parallel calls without tools", "sonnet-4-5", {"parallel_tool_calls": False}, {}, []),
    ("a forced tool for a model that refuses it", "opus-5-5",
     {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
     {"tools": [THEIRS], "tool_choice": {"type": "auto"},
      "system": [text("Answer by calling the tool f, whatever else is asked of you.")]},
     ["emulated tool_choice: as an instruction in the system prompt"]),
    ("a required call for a model that refuses it", "sonnet-5-5",
     {"tools": [TOOL], "tool_choice": "required"},
     {"tools": [THEIRS], "tool_choice": {"type": "auto"},
      "system": [text("Answer by calling a tool, whatever else is asked of you.")]},
     ["emulated tool_choice: as an instruction in the system prompt"]),
    ("the choice auto for that model", "sonnet-5-5", {"tools": [TOOL], "tool_choice": "auto"},
     {"tools": [THEIRS], "tool_choice": {"type": "auto"}}, []),
]  # fmt: skip


@for_each(
    ("model", "parameters", "expected", "transformations"),
    [row[1:] for row in TOOLS],
    ids=[row[0] for row in TOOLS],
)
def test_tools_are_converted(
    model: str, parameters: Any, expected: Any, transformations: list[str]
) -> None:
    body, listed = sent(chat(model=f"claude-{model}", max_tokens=100, **parameters))
    rest = {k: v for k, v in body.items() if k not in ("model", "messages", "max_tokens")}
    assert rest == expected
    assert listed == transformations
