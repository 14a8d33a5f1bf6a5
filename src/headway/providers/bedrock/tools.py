"""Adjust tools, in Anthropic's format, to what Converse takes
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.anthropic.request_draft import AnthropicDraft
from headway.providers.prompt_instructions import AS_INSTRUCTION
from headway.providers.request_draft import has_any

CALL_FIELDS = (b'"tool_calls"', b'"function_call"')
NO_CALLS = "Answer without calling a tool."
TOOL_FIELDS = frozenset({"name", "description", "input_schema", "strict", "cache_control", "type"})
"""The fields of a tool that Converse has."""


class CallingMessage(Struct):
    """The fields of a message that name the tools it calls."""

    tool_calls: list[dict[str, Any]] | None = None
    function_call: dict[str, Any] | None = None


_messages = msgspec.json.Decoder(list[CallingMessage]).decode


def adjust_tools(draft: AnthropicDraft) -> None:
    """Converse has no choice of none, and requires the tools of every call in the conversation
    ("The toolConfig field must be defined when using toolUse and toolResult content blocks")."""
    called = _called_tools(draft.request.messages)
    if not draft.value("tools"):
        draft.parameters.pop("tool_choice", None)
        if called:
            _declare_again(draft, called)
        return
    if (draft.value("tool_choice") or {}).get("type") == "none":
        draft.parameters.pop("tool_choice", None)
        if not called:
            draft.parameters.pop("tools")
            draft.note_emulated("tool_choice", "by sending no tools")
            return
        draft.instructions.append(NO_CALLS)
        draft.note_emulated("tool_choice", AS_INSTRUCTION)
    draft.put("tools", [_supported_fields(draft, tool) for tool in draft.value("tools")])


def _declare_again(draft: AnthropicDraft, called: list[str]) -> None:
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in called]
    draft.put("tools", tools)
    draft.instructions.append(NO_CALLS)
    draft.note_emulated("tools", "by declaring again the tools that messages call")


def _supported_fields(draft: AnthropicDraft, tool: dict[str, Any]) -> dict[str, Any]:
    if "input_schema" not in tool:
        return tool
    for name in sorted(set(tool) - TOOL_FIELDS):
        draft.note_dropped(f"tools[].{name}", f"unsupported by {draft.title} (tool {tool['name']})")
    return {name: value for name, value in tool.items() if name in TOOL_FIELDS}


def _called_tools(messages: Raw) -> list[str]:
    """The names of the tools that the messages call, each once. Texts and images are not
    decoded."""
    if not has_any(messages, CALL_FIELDS):
        return []
    names: dict[str, None] = {}
    for message in _messages(messages):
        calls = [call.get("function") or {} for call in message.tool_calls or ()]
        for function in (*calls, message.function_call or {}):
            if function.get("name"):
                names[function["name"]] = None
    return list(names)
