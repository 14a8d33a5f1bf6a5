"""Convert OpenAI's ``tools`` and ``tool_choice`` to Anthropic's
(platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools)."""

from __future__ import annotations

from typing import Any

from headway.providers.anthropic.request_draft import AnthropicDraft
from headway.providers.json_schema import is_recursive, to_strict_schema
from headway.providers.prompt_instructions import AS_INSTRUCTION

Tool = dict[str, Any]

CHOICES: dict[str, Tool] = {
    "auto": {"type": "auto"},
    "none": {"type": "none"},
    "required": {"type": "any"},
}
FUNCTION_FIELDS = ("name", "description", "parameters", "strict")
"""The fields of OpenAI's functions; further ones are Anthropic's (``defer_loading``)."""


def convert_tools(draft: AnthropicDraft) -> None:
    """Set ``tools`` and ``tool_choice``. Raises LookupError, TypeError, AttributeError or
    msgspec.ValidationError for a value that is no list of tools or no choice."""
    _convert_functions(draft)
    given = draft.take("tools")
    if given is not None:
        tools = [_tool(draft, tool) for tool in given]
        draft.put("tools", [tool for tool in tools if tool is not None])
    choice = _tool_choice(draft, draft.take("tool_choice"))
    parallel = draft.take("parallel_tool_calls")
    if parallel is not None and given:
        choice = choice or dict(CHOICES["auto"])
        if choice.get("type") != "none":
            choice["disable_parallel_tool_use"] = not parallel
    if choice is not None:
        draft.put("tool_choice", choice)


def unenforced(keywords: set[str]) -> str:
    """The reason of a transformation, for keywords of a JSON schema that cannot be enforced."""
    return f"schema keywords described, not enforced: {', '.join(sorted(keywords))}"


def _convert_functions(draft: AnthropicDraft) -> None:
    """OpenAI's deprecated ``functions`` and ``function_call``."""
    functions, call = draft.take("functions"), draft.take("function_call")
    if functions is not None:
        tools = [{"type": "function", "function": function} for function in functions]
        draft.put("tools", [*draft.value("tools", ()), *tools])
        draft.note_renamed("functions", "tools")
    if call is not None:
        choice = {"type": "function", "function": call} if isinstance(call, dict) else call
        draft.put("tool_choice", choice)
        draft.note_renamed("function_call", "tool_choice")


def _tool(draft: AnthropicDraft, tool: Tool) -> Tool | None:
    """A function as a tool; Anthropic's own tools (web_search_20250305, ...) are unchanged."""
    if "custom" in tool:
        reason = f"unsupported by {draft.title} (tool {tool['custom'].get('name')})"
        draft.note_dropped("tools[].custom", reason)
        return None
    function = tool.get("function")
    if function is None:
        return tool
    converted: Tool = {"name": function["name"]}
    if function.get("description") is not None:
        converted["description"] = function["description"]
    converted["input_schema"] = {"type": "object", **(function.get("parameters") or {})}
    if function.get("strict"):
        _make_strict(draft, converted)
    converted.update((k, v) for k, v in function.items() if k not in FUNCTION_FIELDS)
    converted.update((k, v) for k, v in tool.items() if k not in ("type", "function"))
    return converted


def _make_strict(draft: AnthropicDraft, tool: Tool) -> None:
    if not draft.rules.structured_outputs:
        reason = f"unsupported by {draft.model} (tool {tool['name']})"
        draft.note_dropped("tools[].function.strict", reason)
        return
    if is_recursive(tool["input_schema"]):
        draft.note_dropped("tools[].function.strict", f"recursive schema (tool {tool['name']})")
        return
    keywords: set[str] = set()
    tool["input_schema"] = to_strict_schema(tool["input_schema"], keywords)
    tool["strict"] = True
    if keywords:
        reason = f"{unenforced(keywords)} (tool {tool['name']})"
        draft.note_emulated("tools[].function.strict", reason)


def _tool_choice(draft: AnthropicDraft, given: Any) -> Tool | None:
    if given is None:
        return None
    if isinstance(given, str):
        choice = dict(CHOICES.get(given) or {"type": given})
    elif given.get("type") == "function":
        choice = {"type": "tool", "name": given["function"]["name"]}
    elif given.get("type") == "allowed_tools":
        choice = _keep_allowed_tools(draft, given.get("allowed_tools") or given)
    else:
        choice = dict(given)
    return choice if draft.rules.forced_tools else _without_force(draft, choice)


def _keep_allowed_tools(draft: AnthropicDraft, given: Tool) -> Tool:
    """Remove the tools that are not allowed; return the choice among the others."""
    names = {_name(tool) for tool in given.get("tools") or ()}
    draft.put("tools", [tool for tool in draft.value("tools", ()) if tool.get("name") in names])
    draft.note_emulated("tool_choice", "by sending the allowed tools only")
    return dict(CHOICES.get(given.get("mode") or "auto", CHOICES["auto"]))


def _name(tool: Tool) -> Any:
    return (tool.get("function") or tool).get("name")


def _without_force(draft: AnthropicDraft, choice: Tool) -> Tool:
    """Most models from 5.5 on refuse a request that forces a call: an instruction asks for it."""
    if choice.get("type") not in ("any", "tool"):
        return choice
    tool = f"the tool {choice['name']}" if "name" in choice else "a tool"
    draft.instructions.append(f"Answer by calling {tool}, whatever else is asked of you.")
    draft.note_emulated("tool_choice", AS_INSTRUCTION)
    return {k: v for k, v in {**choice, "type": "auto"}.items() if k != "name"}
