"""Tools, tool choice and response format in the Responses API's flatter shapes
(platform.openai.com/docs/guides/migrate-to-responses, "Additional differences")."""

from __future__ import annotations

from typing import Any

Fields = dict[str, Any]

NO_PARAMETERS = {"type": "object", "properties": {}}
NESTED_TYPES = ("function", "custom")
"""Tools of these types have their fields in an object of the type's name in chat."""


def convert_tool(tool: Fields) -> Fields:
    """A function gets ``strict``, which is true by default here and false in chat. The API's own
    tools (web_search, mcp, ...) are unchanged."""
    tool_type = tool.get("type", "function")
    inner = tool.get(tool_type)
    unmarked = {name: value for name, value in tool.items() if name != "cache_control"}
    if tool_type not in NESTED_TYPES or not isinstance(inner, dict):
        return unmarked
    rest = {name: value for name, value in unmarked.items() if name not in ("type", tool_type)}
    if tool_type == "custom":
        return {"type": tool_type, **inner, **_custom_format(inner), **rest}
    converted = {"type": tool_type, **inner, **rest}
    converted["parameters"] = inner.get("parameters") or NO_PARAMETERS
    converted["strict"] = bool(inner.get("strict"))
    return converted


def _custom_format(custom: Fields) -> Fields:
    """The fields of a grammar are in ``format`` itself here, and in ``format.grammar`` in chat."""
    given = custom.get("format") or {}
    if not isinstance(given.get("grammar"), dict):
        return {}
    return {"format": {"type": "grammar", **given["grammar"]}}


def convert_tool_choice(choice: Any) -> Any:
    """``{"type": "function", "function": {"name"}}`` -> ``{"type": "function", "name"}``."""
    if not isinstance(choice, dict):
        return choice
    choice_type = choice.get("type")
    if choice_type == "allowed_tools":
        allowed = choice.get("allowed_tools") or choice
        tools = [convert_tool_choice(tool) for tool in allowed.get("tools") or ()]
        return {"type": choice_type, "mode": allowed.get("mode", "auto"), "tools": tools}
    inner = choice.get(choice_type) if choice_type in NESTED_TYPES else None
    return {"type": choice_type, **inner} if isinstance(inner, dict) else choice


def convert_response_format(response_format: Fields) -> Fields:
    """``response_format`` as ``text.format``."""
    inner = response_format.get("json_schema")
    if not isinstance(inner, dict):
        return response_format
    return {"type": "json_schema", "name": "answer", **inner}


def web_search_tool(options: Fields) -> Fields:
    """The tool that does what chat's ``web_search_options`` ask for."""
    tool = {"type": "web_search", **options}
    location = options.get("user_location") or {}
    if isinstance(location.get("approximate"), dict):
        tool["user_location"] = {"type": "approximate", **location["approximate"]}
    return tool
