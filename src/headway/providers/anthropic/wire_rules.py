"""What Anthropic's Messages API does with what OpenAI accepts (see ``wire_rules``)."""

from __future__ import annotations

from headway.providers.anthropic.models import model_rules
from headway.providers.anthropic.response_format import convert_response_format
from headway.providers.block_messages import convert_messages
from headway.providers.call_argument_rules import object_argument_rules
from headway.providers.call_id_rules import IdForm, call_id_rules
from headway.providers.call_result_rules import call_result_rules
from headway.providers.chat_messages import value_of
from headway.providers.media_rules import image_rules
from headway.providers.role_rules import begin_with_user, last_system_as_user
from headway.providers.text_rules import (
    continue_by_request,
    drop_blank_stops,
    drop_empty_answers,
    remove_blank_texts,
    trim_last_message,
)
from headway.providers.wire_rules import Adapted, allowed, mended
from headway.types import ChatRequest

API = "https://platform.claude.com/docs/en/api/messages"
EMPTY = "https://github.com/anthropics/claude-code/issues/6774"
FIRST = "https://github.com/BerriAI/litellm/issues/5090"
BLANK = "https://github.com/home-assistant/core/issues/175637"
TRAILING = (
    "https://platform.claude.com/docs/en/build-with-claude/prompt-engineering/"
    "prefill-claudes-response"
)
STRUCTURED = "https://platform.claude.com/docs/en/build-with-claude/structured-outputs"
STOPS = "https://github.com/BerriAI/litellm/issues/3286"
IMAGES = "https://platform.claude.com/docs/en/build-with-claude/vision"
CALL_IDS = IdForm(
    source="https://github.com/anomalyco/opencode/issues/1279",
    pattern="[a-zA-Z0-9_-]+",
    refused="[^a-zA-Z0-9_-]",
    unique_source="https://github.com/anthropics/claude-code/issues/28515",
)
RESULTS = "https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use"
PREFILL = "https://platform.claude.com/docs/en/about-claude/models/migration-guide"


def continue_unless_prefilled(request: ChatRequest) -> Adapted:
    """From Claude 4.6 on, and before while it thinks or answers by a schema, a last message of the
    assistant is a 400 (.../build-with-claude/extended-thinking and .../structured-outputs, feature
    compatibility)."""
    rules = model_rules(request.model)
    may_think = rules.thinking != "none" and asks_for_reasoning(request)
    has_schema = rules.structured_outputs and asks_for_schema(request)
    if rules.prefill and not may_think and not has_schema:
        return request, ()
    return continue_by_request(request)


def asks_for_schema(request: ChatRequest) -> bool:
    wanted = value_of(request, "response_format")
    return isinstance(wanted, dict) and wanted.get("type") == "json_schema"


def asks_for_reasoning(request: ChatRequest) -> bool:
    """Whether one of the parameters turns thinking on."""
    effort = value_of(request, "reasoning_effort")
    thinking, reasoning = value_of(request, "thinking"), value_of(request, "reasoning")
    if isinstance(reasoning, dict):
        effort = effort or reasoning.get("effort") or reasoning.get("max_tokens")
        effort = effort or reasoning.get("enabled")
    is_on = isinstance(thinking, dict) and thinking.get("type") != "disabled"
    return is_on or effort not in (None, "none", False)


RULES = (
    *object_argument_rules(API),
    *call_id_rules(CALL_IDS),
    *call_result_rules(RESULTS),
    mended("system_only", last_system_as_user, API),
    *image_rules(IMAGES, has_documents=True),
    mended("blank_text", remove_blank_texts, BLANK),
    mended("blank_text_part", remove_blank_texts, BLANK),
    mended("empty_text", remove_blank_texts, EMPTY),
    mended("empty_answer", drop_empty_answers, EMPTY),
    mended("assistant_first", begin_with_user, FIRST),
    mended("system_later", None, API, function=convert_messages),
    mended("trailing_whitespace", trim_last_message, TRAILING),
    mended(
        "prefill",
        continue_unless_prefilled,
        PREFILL,
        models="from Claude 4.6 on",
        example_model="claude-sonnet-4-6",
    ),
    mended("blank_stop", drop_blank_stops, STOPS),
    mended("empty_stop", drop_blank_stops, STOPS),
    mended(
        "schema_recursion",
        None,
        STRUCTURED,
        function=convert_response_format,
        models="with structured outputs",
        example_model="claude-sonnet-4-5",
    ),
    *allowed(
        API,
        "image_address",
        "schema_keywords",
        "tools_with_json",
        "function_name_digit",
        "call_without_content",
        "image_gif",
        "stop",
        "user_after_user",
        "assistant_after_assistant",
        "user_after_tool",
        "text_parts",
        "document_alone",
        "many_stops",
    ),
)
