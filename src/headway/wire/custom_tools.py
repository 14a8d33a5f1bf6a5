"""OpenAI's custom tools, which take free text, as functions with one string, for wire formats that
have only functions (platform.openai.com/docs/guides/function-calling, Custom tools)."""

from __future__ import annotations

from typing import Any

INPUT = "input"
"""The argument of a function that stands for a custom tool."""


CUSTOM_TOOLS = "tools[].custom"
"""The parameter of the transformation."""


def as_function(name: str, custom: dict[str, Any]) -> dict[str, Any]:
    """The ``function`` of the tool. ``custom`` has its description and format."""
    texts = (custom.get("description"), grammar_of(custom.get("format")))
    return {
        "name": name,
        "description": "\n\n".join(text for text in texts if text),
        "parameters": {
            "type": "object",
            "properties": {INPUT: {"type": "string", "description": "The tool's whole input."}},
            "required": [INPUT],
            "additionalProperties": False,
        },
    }


def grammar_of(format_: Any) -> str:
    """The grammar as part of a description; empty where the format has none."""
    if not isinstance(format_, dict) or format_.get("type") != "grammar":
        return ""
    rules = format_.get("grammar") or format_
    return f"`{INPUT}` must match this {rules.get('syntax')} grammar:\n{rules.get('definition')}"


def changes(name: str, custom: dict[str, Any]) -> list[tuple[str, str]]:
    """What is emulated: parameters and how."""
    found = [(CUSTOM_TOOLS, f"as a function with one string `{INPUT}` ({name})")]
    if grammar_of(custom.get("format")):
        how = f"the grammar in the description, which the model may not keep ({name})"
        found.append(("tools[].custom.format", how))
    return found
