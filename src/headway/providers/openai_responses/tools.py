"""Tools, the choice of them and the format of answers, in the Responses API's flatter shapes
(platform.openai.com/docs/guides/migrate-to-responses, "Additional differences")."""

from __future__ import annotations

from typing import Any

Tool = dict[str, Any]

EMPTY = {"type": "object", "properties": {}}
NESTED = ("function", "custom")
"""Types of tool whose fields chat keeps under the type's own name."""


def flat_tool(tool: Tool) -> Tool:
    """Functions are strict here unless they say otherwise, in chat they are not; so they say it.
    The API's own tools (web_search, mcp, ...) stay as they are."""
    kind = tool.get("type", "function")
    inner = tool.get(kind)
    unmarked = {k: v for k, v in tool.items() if k != "cache_control"}
    if kind not in NESTED or not isinstance(inner, dict):
        return unmarked
    rest = {k: v for k, v in unmarked.items() if k not in ("type", kind)}
    if kind == "custom":
        return {"type": kind, **inner, **_format(inner), **rest}
    made = {"type": kind, **inner, **rest}
    made["parameters"] = inner.get("parameters") or EMPTY
    made["strict"] = bool(inner.get("strict"))
    return made


def _format(custom: Tool) -> Tool:
    """A grammar's fields stand beside its type here, and one level down in chat."""
    given = custom.get("format") or {}
    if not isinstance(given.get("grammar"), dict):
        return {}
    return {"format": {"type": "grammar", **given["grammar"]}}


def flat_choice(choice: Any) -> Any:
    """``{"type": "function", "function": {"name"}}`` -> ``{"type": "function", "name"}``."""
    if not isinstance(choice, dict):
        return choice
    kind = choice.get("type")
    if kind == "allowed_tools":
        allowed = choice.get("allowed_tools") or choice
        tools = [flat_choice(tool) for tool in allowed.get("tools") or ()]
        return {"type": kind, "mode": allowed.get("mode", "auto"), "tools": tools}
    inner = choice.get(kind) if kind in NESTED else None
    return {"type": kind, **inner} if isinstance(inner, dict) else choice


def flat_format(given: Tool) -> Tool:
    """``response_format`` as ``text.format``."""
    inner = given.get("json_schema")
    if not isinstance(inner, dict):
        return given
    return {"type": "json_schema", "name": "answer", **inner}


def search_tool(options: Tool) -> Tool:
    """Chat's ``web_search_options``, which are a tool here."""
    tool = {"type": "web_search", **options}
    place = options.get("user_location") or {}
    if isinstance(place.get("approximate"), dict):
        tool["user_location"] = {"type": "approximate", **place["approximate"]}
    return tool
