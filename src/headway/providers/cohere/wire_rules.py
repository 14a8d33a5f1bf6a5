"""What Cohere's v2 chat does with what OpenAI accepts (see ``wire_rules``)."""

from __future__ import annotations

from headway.providers.call_argument_rules import json_argument_rules
from headway.providers.call_id_rules import IdForm, call_id_rules
from headway.providers.call_result_rules import call_result_rules
from headway.providers.inline_files import read_file
from headway.providers.media_rules import image_rules
from headway.providers.role_rules import last_system_as_user
from headway.providers.text_rules import drop_empty_stops, fill_empty_messages, limit_stops
from headway.providers.tool_rules import json_format_as_instruction
from headway.providers.wire_rules import Rule, allowed, mended, refused

API = "https://docs.cohere.com/reference/chat"
MAX_STOPS = 5
"""``stop_sequences``: up to five."""
EMPTY = "https://github.com/kwaroran/Risuai/issues/504"
IMAGES = "https://docs.cohere.com/docs/image-inputs"

RULES: tuple[Rule, ...] = (
    *json_argument_rules(API),
    *call_id_rules(IdForm(source=API)),
    *call_result_rules(API),
    mended("system_only", last_system_as_user, EMPTY),
    mended("empty_text", fill_empty_messages, EMPTY),
    refused("document_alone", None, API, function=read_file),
    *image_rules(IMAGES, has_documents=False),
    mended("tools_with_json", json_format_as_instruction, API),
    *allowed(
        API, "blank_text", "blank_text_part", "trailing_whitespace", "prefill", "assistant_first",
        "system_later", "empty_answer", "call_without_content", "stop", "image_gif",
        "user_after_user", "assistant_after_assistant", "user_after_tool",
        "text_parts",
        "image_address", "schema_keywords", "schema_recursion", "function_name_digit",
        "blank_stop",
    ),
    mended("empty_stop", drop_empty_stops, API),
    refused("many_stops", limit_stops("Cohere", MAX_STOPS), API),
)  # fmt: skip
