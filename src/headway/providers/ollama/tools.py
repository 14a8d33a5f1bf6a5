"""OpenAI's tools and tool choice as Ollama's (docs.ollama.com/api/chat, tools).

Ollama has no choice of a tool: the tools that may not be called are not sent.
"""

from __future__ import annotations

from headway.providers import function_tools
from headway.providers.ollama.messages import UNSUPPORTED
from headway.providers.request_draft import RequestDraft


def convert_tools(draft: RequestDraft) -> None:
    mode = function_tools.convert_tools(draft).mode
    if "tools" not in draft:
        return
    _drop_strict(draft)
    if mode == "none":
        draft.take("tools")
        draft.note_emulated("tool_choice", "by sending no tools")
    elif mode != "auto":
        draft.note_dropped("tool_choice", UNSUPPORTED)


def _drop_strict(draft: RequestDraft) -> None:
    tools = draft.value("tools")
    strict = [tool["function"].pop("strict", False) for tool in tools]
    draft.put("tools", tools)
    if any(strict):
        draft.note_dropped("tools[].function.strict", UNSUPPORTED)
