"""What vendors of OpenAI-compatible APIs do with what OpenAI accepts (see ``wire_rules``): what
OpenAI does, with the differences that a vendor's module declares."""

from __future__ import annotations

from headway.providers.media_rules import refuse_image_addresses
from headway.providers.openai_compatible.request_rules import CompiledRules
from headway.providers.text_rules import join_text_parts, limit_stops
from headway.providers.tool_rules import json_format_as_instruction
from headway.providers.wire_rules import Rule, mended, refused

SCHEMA_IN_PROMPT = tuple(
    Rule(
        subject=subject,
        outcome="mended",
        source="https://platform.openai.com/docs/guides/structured-outputs",
        function=CompiledRules.apply,
        note="JSON mode, with the schema in the prompt",
    )
    for subject in ("schema_recursion", "tools_with_json")
)
"""The rules of a vendor that has JSON mode and no schemas."""


def strings_only(source: str) -> tuple[Rule, ...]:
    """The rules of a vendor whose messages have strings as content, as far as they are texts."""
    return (
        mended("text_parts", join_text_parts, source),
        mended("blank_text_part", join_text_parts, source, note="joined with the others"),
    )


def json_without_tools(source: str) -> Rule:
    """The rule of a vendor that takes a JSON format only in requests without tools."""
    return mended("tools_with_json", json_format_as_instruction, source)


def image_data_only(title: str, source: str) -> Rule:
    """The rule of a vendor that fetches no images."""
    return refused("image_address", refuse_image_addresses(title), source)


def at_most_stops(title: str, maximum: int, source: str) -> Rule:
    return refused("many_stops", limit_stops(title, maximum), source)
