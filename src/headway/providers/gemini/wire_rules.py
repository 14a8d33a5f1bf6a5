"""What Google's generateContent does with what OpenAI accepts (see ``wire_rules``)."""

from __future__ import annotations

from headway.providers.call_argument_rules import object_argument_rules
from headway.providers.call_id_rules import IdForm, call_id_rules
from headway.providers.call_result_rules import call_result_rules
from headway.providers.gemini.messages import MessageConverter
from headway.providers.gemini.models import version_of
from headway.providers.media_rules import image_rules, refuse_image_types
from headway.providers.role_rules import begin_with_user, last_system_as_user
from headway.providers.text_rules import (
    drop_empty_answers,
    drop_empty_stops,
    fill_empty_messages,
    limit_stops,
)
from headway.providers.tool_rules import json_format_as_instruction, prefix_function_names
from headway.providers.wire_rules import Adapted, Rule, allowed, mended, override, refused
from headway.types import ChatRequest

API = "https://ai.google.dev/api/generate-content"
MAX_STOPS = 5
"""GenerationConfig.stopSequences."""
IMAGES = "https://ai.google.dev/gemini-api/docs/image-understanding"

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
EMPTY = "https://github.com/vercel/ai/issues/3775"
FIRST = "https://github.com/google-gemini/gemini-cli/issues/26956"
"""A function call that no message of the user precedes is a 400."""
TOOLS_WITH_JSON = "https://github.com/googleapis/python-genai/issues/867"
FUNCTIONS = "https://ai.google.dev/api/caching#FunctionDeclaration"


def json_format_without_tools(request: ChatRequest) -> Adapted:
    """Before Gemini 3, a JSON format together with tools is a 400."""
    version = version_of(request.model)
    if version is None or version >= (3, 0):
        return request, ()
    return json_format_as_instruction(request)


CALL_IDS = IdForm(source="https://ai.google.dev/api/caching#FunctionCall")
RESULTS = "https://github.com/microsoft/vscode/issues/299295"


RULES: tuple[Rule, ...] = (
    *object_argument_rules(API),
    *call_id_rules(CALL_IDS),
    *call_result_rules(RESULTS),
    mended("system_only", last_system_as_user, API),
    mended("empty_text", fill_empty_messages, EMPTY),
    mended("empty_answer", drop_empty_answers, EMPTY),
    mended("assistant_first", begin_with_user, FIRST),
    mended("system_later", None, API, function=MessageConverter),
    *override(
        image_rules(IMAGES, has_documents=True),
        *allowed("https://protobuf.dev/programming-guides/json/", "image_alphabet"),
    ),
    refused("image_gif", refuse_image_types("Gemini", *IMAGE_TYPES), IMAGES),
    mended(
        "tools_with_json",
        json_format_without_tools,
        TOOLS_WITH_JSON,
        models="before Gemini 3",
        example_model="gemini-2.5-flash",
    ),
    mended("function_name_digit", prefix_function_names, FUNCTIONS),
    *allowed(
        API, "blank_text", "blank_text_part", "trailing_whitespace", "prefill",
        "call_without_content", "stop",
        "user_after_user", "assistant_after_assistant", "user_after_tool",
        "text_parts",
        "image_address", "schema_keywords", "schema_recursion",
        "document_alone", "blank_stop",
    ),
    mended("empty_stop", drop_empty_stops, API),
    refused("many_stops", limit_stops("Gemini", MAX_STOPS), API),
)  # fmt: skip
