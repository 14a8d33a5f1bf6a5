"""What OpenAI's Responses API does with what chat completions accept (see ``wire_rules``)."""

from __future__ import annotations

from headway.providers.call_argument_rules import text_argument_rules
from headway.providers.call_id_rules import IdForm, call_id_rules
from headway.providers.call_result_rules import RESULT_SUBJECTS
from headway.providers.media_rules import IMAGE_SUBJECTS
from headway.providers.openai_responses import parameters
from headway.providers.wire_rules import Rule, allowed

API = "https://platform.openai.com/docs/api-reference/responses/create"
MIGRATION = "https://platform.openai.com/docs/guides/migrate-to-responses"

CALL_IDS = IdForm(
    source="https://github.com/decolua/9router/issues/393",
    pattern=r"(?s).{1,64}",
    unique_source="https://github.com/NousResearch/hermes-agent/pull/111443",
)
RULES: tuple[Rule, ...] = (
    *allowed(API, *RESULT_SUBJECTS),
    *text_argument_rules(API),
    *call_id_rules(CALL_IDS),
    *allowed(
        API,
        *IMAGE_SUBJECTS,
        "image_alphabet",
        "pdf_as_image",
        "document_alone",
        "image_address",
        "schema_keywords",
        "schema_recursion",
        "tools_with_json",
        "function_name_digit",
        "blank_text",
        "empty_text",
        "empty_answer",
        "call_without_content",
        "image_gif",
        "system_later",
        "blank_text_part",
        "trailing_whitespace",
        "prefill",
        "system_only",
        "assistant_first",
        "user_after_user",
        "assistant_after_assistant",
        "user_after_tool",
        "text_parts",
    ),
    *(
        Rule(
            subject=subject,
            outcome="mended",
            source=MIGRATION,
            function=parameters.drop_unsupported,
            note="the API has no `stop`",
        )
        for subject in ("stop", "blank_stop", "empty_stop", "many_stops")
    ),
)
