"""What vendors of OpenAI-compatible APIs do with what OpenAI accepts (see ``wire_rules``): what
OpenAI does, with the differences that a vendor's module declares."""

from __future__ import annotations

from headway.providers.call_argument_rules import json_argument_rules
from headway.providers.call_id_rules import IdForm, call_id_rules
from headway.providers.media_rules import (
    IMAGE_SUBJECTS,
    correct_image_types,
    image_rules,
    refuse_image_addresses,
    refuse_image_types,
    refuse_pdf_images,
    use_plain_alphabet,
)
from headway.providers.openai_compatible.request_rules import CompiledRules
from headway.providers.text_rules import drop_empty_stops, join_text_parts, limit_stops
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


EMPTY_STOPS = "https://github.com/mlc-ai/mlc-llm/pull/2070"
"""Servers of open models refuse an empty string, or stop at once."""
SERVERS = "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server-common.cpp"
"""Servers of open models, which many vendors run, compare the beginning of a data URL and its
``base64`` letter by letter."""


CALL_IDS = IdForm(source="https://github.com/NousResearch/hermes-agent/pull/11722")
"""Of any form: some servers keep more in an id than its name."""
OPENAI_CALL_IDS = IdForm(
    source="https://github.com/openclaw/openclaw/pull/875", pattern=r"(?s).{1,40}"
)
"""Of a vendor that sends requests on to OpenAI."""
ARGUMENTS = "https://github.com/ggml-org/llama.cpp/pull/25583"
"""The templates of open models read the arguments, and fail where they are no object."""
CALL_RULES = (*json_argument_rules(ARGUMENTS), *call_id_rules(CALL_IDS))


def default_rules(title: str, *, has_documents: bool) -> tuple[Rule, ...]:
    """The rules of every vendor: they do no harm where a vendor needs none."""
    stops = mended("empty_stop", drop_empty_stops, EMPTY_STOPS)
    return (*CALL_RULES, stops, *media_rules_of(title, has_documents=has_documents))


def media_rules_of(title: str, *, has_documents: bool) -> tuple[Rule, ...]:
    if has_documents:
        return image_rules(SERVERS, has_documents=True)
    return (
        refused("pdf_as_image", refuse_pdf_images(title), SERVERS),
        *(mended(subject, correct_image_types, SERVERS) for subject in IMAGE_SUBJECTS),
        mended("image_alphabet", use_plain_alphabet, SERVERS),
    )


def content_required(source: str) -> Rule:
    """The rule of a vendor that refuses null as the content of a message."""
    return Rule(
        subject="call_without_content",
        outcome="allowed",
        source=source,
        note="as an empty string",
    )


def image_types(title: str, source: str, *types: str) -> Rule:
    """The rule of a vendor that takes images of ``types`` only."""
    return refused("image_gif", refuse_image_types(title, *types), source)


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
