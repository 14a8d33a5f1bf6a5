"""What Ollama's /api/chat does with what OpenAI accepts (see ``wire_rules``)."""

from __future__ import annotations

from headway.providers.call_argument_rules import object_argument_rules
from headway.providers.call_id_rules import IdForm, call_id_rules
from headway.providers.call_result_rules import RESULT_SUBJECTS
from headway.providers.inline_files import read_file
from headway.providers.media_rules import image_rules
from headway.providers.ollama.messages import convert_messages
from headway.providers.text_rules import drop_empty_stops
from headway.providers.wire_rules import Rule, allowed, mended, refused

API = "https://docs.ollama.com/api/chat"

RULES: tuple[Rule, ...] = (
    *object_argument_rules(API),
    *call_id_rules(IdForm(source=API, is_unique=False)),
    *allowed(API, *RESULT_SUBJECTS),
    refused("document_alone", None, API, function=read_file),
    *image_rules(API, has_documents=False),
    refused("image_address", None, API, function=convert_messages),
    *allowed(
        API, "blank_text", "blank_text_part", "trailing_whitespace", "prefill",
        "system_only", "assistant_first", "system_later",
        "empty_text", "empty_answer", "call_without_content", "stop", "image_gif",
        "user_after_user", "assistant_after_assistant", "user_after_tool",
        "text_parts",
        "schema_keywords", "schema_recursion", "tools_with_json", "function_name_digit",
        "blank_stop", "many_stops",
    ),
    mended("empty_stop", drop_empty_stops, API),
)  # fmt: skip
