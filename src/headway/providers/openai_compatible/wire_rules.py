"""What vendors of OpenAI-compatible APIs do with what OpenAI accepts (see ``wire_rules``): what
OpenAI does, with the differences that a vendor's module declares."""

from __future__ import annotations

from headway.providers.text_rules import join_text_parts, limit_stops
from headway.providers.wire_rules import Rule, mended, refused


def strings_only(source: str) -> tuple[Rule, ...]:
    """The rules of a vendor whose messages have strings as content, as far as they are texts."""
    return (
        mended("text_parts", join_text_parts, source),
        mended("blank_text_part", join_text_parts, source, note="joined with the others"),
    )


def at_most_stops(title: str, maximum: int, source: str) -> Rule:
    return refused("many_stops", limit_stops(title, maximum), source)
