"""Tools and the choice of them, in Anthropic's words
(platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools)."""

from __future__ import annotations

from typing import Any

from headway.providers.anthropic.request_draft import AnthropicDraft
from headway.providers.json_schema import closed

Tool = dict[str, Any]

CHOICES: dict[str, Tool] = {
    "auto": {"type": "auto"},
    "none": {"type": "none"},
    "required": {"type": "any"},
}
FUNCTION = ("name", "description", "parameters", "strict")
"""What OpenAI's functions have; further fields are Anthropic's (``defer_loading``)."""


def equip(draft: AnthropicDraft) -> None:
    """Put ``tools`` and ``tool_choice``. Raises msgspec.ValidationError or a like error for what is
    no list of tools."""
    _modernise(draft)
    given = draft.take("tools")
    if given is not None:
        tools = [_tool(draft, tool) for tool in given]
        draft.put("tools", [tool for tool in tools if tool is not None])
    choice = _choice(draft, draft.take("tool_choice"))
    parallel = draft.take("parallel_tool_calls")
    if parallel is not None and given:
        choice = choice or dict(CHOICES["auto"])
        if choice.get("type") != "none":
            choice["disable_parallel_tool_use"] = not parallel
    if choice is not None:
        draft.put("tool_choice", choice)


def _modernise(draft: AnthropicDraft) -> None:
    """OpenAI's deprecated functions and function_call, as tools and tool_choice."""
    functions, call = draft.take("functions"), draft.take("function_call")
    if functions is not None:
        tools = [{"type": "function", "function": function} for function in functions]
        draft.put("tools", [*draft.value("tools", ()), *tools])
        draft.note("renamed", "functions", "they are tools there")
    if call is not None:
        choice = {"type": "function", "function": call} if isinstance(call, dict) else call
        draft.put("tool_choice", choice)
        draft.note("renamed", "function_call", "it is tool_choice there")


def _tool(draft: AnthropicDraft, tool: Tool) -> Tool | None:
    """A function as a tool; Anthropic's own tools (web_search_20250305, ...) stay as they are."""
    if "custom" in tool:
        name = tool["custom"].get("name")
        draft.note("dropped", "tools", f"{name}: there are no tools with free input")
        return None
    function = tool.get("function")
    if function is None:
        return tool
    made: Tool = {"name": function["name"]}
    if function.get("description") is not None:
        made["description"] = function["description"]
    made["input_schema"] = {"type": "object", **(function.get("parameters") or {})}
    if function.get("strict"):
        _make_strict(draft, made)
    made.update((k, v) for k, v in function.items() if k not in FUNCTION)
    made.update((k, v) for k, v in tool.items() if k not in ("type", "function"))
    return made


def _make_strict(draft: AnthropicDraft, tool: Tool) -> None:
    if not draft.rules.schemas:
        reason = f"{tool['name']}: {draft.model} knows no strict tools"
        draft.note("dropped", "tools", reason)
        return
    told: set[str] = set()
    tool["input_schema"] = closed(tool["input_schema"], told)
    tool["strict"] = True
    if told:
        reason = f"{tool['name']}: told in words and not enforced: {', '.join(sorted(told))}"
        draft.note("emulated", "tools", reason)


def _choice(draft: AnthropicDraft, given: Any) -> Tool | None:
    if given is None:
        return None
    if isinstance(given, str):
        choice = dict(CHOICES.get(given) or {"type": given})
    elif given.get("type") == "function":
        choice = {"type": "tool", "name": given["function"]["name"]}
    elif given.get("type") == "allowed_tools":
        choice = _only(draft, given.get("allowed_tools") or given)
    else:
        choice = dict(given)
    return choice if draft.rules.forced_tools else _unforced(draft, choice)


def _only(draft: AnthropicDraft, given: Tool) -> Tool:
    """A choice among some of the tools: the others are not sent."""
    names = {_name(tool) for tool in given.get("tools") or ()}
    draft.put("tools", [tool for tool in draft.value("tools", ()) if tool.get("name") in names])
    draft.note("emulated", "tool_choice", "only the allowed tools are sent")
    return dict(CHOICES.get(given.get("mode") or "auto", CHOICES["auto"]))


def _name(tool: Tool) -> Any:
    return (tool.get("function") or tool).get("name")


def _unforced(draft: AnthropicDraft, choice: Tool) -> Tool:
    """From 5.5 on most models refuse a request that forces a call; they can be told to make one."""
    if choice.get("type") not in ("any", "tool"):
        return choice
    named = f"the tool {choice['name']}" if "name" in choice else "a tool"
    draft.instructions.append(f"Answer by calling {named}, whatever else is asked of you.")
    draft.note("emulated", "tool_choice", f"{draft.model} cannot be forced; it is told in words")
    return {k: v for k, v in {**choice, "type": "auto"}.items() if k != "name"}
