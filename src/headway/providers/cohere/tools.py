"""OpenAI's tools and tool choice as Cohere's (docs.cohere.com/reference/chat, tools, tool_choice,
strict_tools)."""

from __future__ import annotations

from headway.providers import function_tools
from headway.providers.cohere.models import supports_tool_choice
from headway.providers.request_draft import RequestDraft


def convert_tools(draft: RequestDraft) -> None:
    choice = function_tools.convert_tools(draft)
    if "tools" not in draft:
        return
    _convert_strict(draft)
    if choice.mode == "auto":
        return
    if supports_tool_choice(draft.model):
        draft.put("tool_choice", choice.mode.upper())
    else:
        draft.note_dropped("tool_choice", f"unsupported by {draft.model}")


def _convert_strict(draft: RequestDraft) -> None:
    """Cohere enforces the schemas of all tools, or of none: ``strict_tools``."""
    tools = draft.value("tools")
    strict = [tool["function"].pop("strict", False) for tool in tools]
    draft.put("tools", tools)
    if any(strict):
        draft.put("strict_tools", draft.value("strict_tools") is not False)
        draft.note_renamed("tools[].function.strict", "strict_tools")
