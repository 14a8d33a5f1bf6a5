"""What Amazon Bedrock does with what OpenAI accepts (see ``wire_rules``): Converse for every family
of models, and invoke for Claude."""

from __future__ import annotations

import re

from headway.providers.anthropic import wire_rules as anthropic
from headway.providers.anthropic.response_format import convert_response_format
from headway.providers.bedrock.media import image_block
from headway.providers.bedrock.models import family_of
from headway.providers.block_messages import convert_messages
from headway.providers.call_argument_rules import object_argument_rules
from headway.providers.call_id_rules import IdForm, call_id_rules
from headway.providers.call_result_rules import call_result_rules
from headway.providers.media_rules import add_text_to_documents, image_rules
from headway.providers.role_rules import (
    answer_tools_first,
    begin_with_user,
    last_system_as_user,
)
from headway.providers.text_rules import (
    drop_blank_stops,
    drop_empty_answers,
    drop_empty_stops,
    drop_stops,
    remove_blank_texts,
    trim_last_message,
)
from headway.providers.tool_rules import plain_object_schemas
from headway.providers.wire_rules import Adapted, Rule, allowed, mended, refused
from headway.types import ChatRequest

CONVERSE = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"
BLANK = "https://github.com/OpenHands/OpenHands/issues/5339"
INFERENCE = (
    "https://docs.aws.amazon.com/bedrock/latest/APIReference/"
    "API_runtime_InferenceConfiguration.html"
)
IMAGES = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html"
STARTS = "https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html"
PREFILL = "https://github.com/strands-agents/sdk-python/issues/1694"
DOCUMENTS = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html"
NOVA_SCHEMAS = (
    "https://docs.aws.amazon.com/nova/latest/userguide/prompting-tool-troubleshooting.html"
)
STRUCTURED = "https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html"
EMPTY = "https://github.com/langchain-ai/langchainjs/pull/11117"
STOPS = (
    "https://docs.aws.amazon.com/bedrock/latest/userguide/"
    "conversation-inference-supported-models-features.html"
)
TURNS = "https://github.com/strands-agents/harness-sdk/issues/1223"
NO_STOPS = re.compile(r"openai\.|deepseek\.|qwen\.")
"""Models that answer "This model doesn't support the stopSequences field"."""
DROP_STOPS = drop_stops("unsupported by the model")
CALL_IDS = IdForm(
    source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html",
    pattern="[a-zA-Z0-9_-]{1,64}",
    refused="[^a-zA-Z0-9_-]",
    unique_source=anthropic.CALL_IDS.unique_source,
)
RESULTS = "https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html"
CLAUDE, NOVA = "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-lite-v1:0"


def continue_for_claude(request: ChatRequest) -> Adapted:
    """From Claude 4.6 on, a last message of the assistant is a 400."""
    if family_of(request.model).is_claude:
        return anthropic.continue_unless_prefilled(request)
    return request, ()


def plain_schemas_for_nova(request: ChatRequest) -> Adapted:
    """Nova ignores tools whose schema has a title, definitions and the like at its top level.
    ``additionalProperties`` does no harm, other than the documentation says."""
    return plain_object_schemas(request) if "amazon.nova" in request.model else (request, ())


def drop_unfit_stops(request: ChatRequest) -> Adapted:
    """No family takes an empty stop sequence, and Claude none that is only white space."""
    is_claude = family_of(request.model).is_claude
    return drop_blank_stops(request) if is_claude else drop_empty_stops(request)


def drop_refused_stops(request: ChatRequest) -> Adapted:
    """Some models refuse ``stopSequences``: the ARN of an application inference profile does not
    say whether it leads to one."""
    return DROP_STOPS(request) if NO_STOPS.search(request.model.lower()) else (request, ())


def answer_tools_for_converse(request: ChatRequest) -> Adapted:
    """Only Claude takes the results of tools and other content in one turn."""
    is_claude = family_of(request.model).is_claude
    return (request, ()) if is_claude else answer_tools_first(request)


def add_text_for_converse(request: ChatRequest) -> Adapted:
    """Converse requires a text beside documents; Anthropic's format, to which invoke leads, does
    not."""
    if request.options.get("api") == "invoke":
        return request, ()
    return add_text_to_documents(request)


RULES: tuple[Rule, ...] = (
    *object_argument_rules(CONVERSE),
    *call_id_rules(CALL_IDS),
    *call_result_rules(RESULTS),
    mended("system_only", last_system_as_user, CONVERSE),
    *image_rules(IMAGES, has_documents=True),
    mended("blank_text", remove_blank_texts, BLANK),
    mended("blank_text_part", remove_blank_texts, BLANK),
    mended("empty_text", remove_blank_texts, EMPTY),
    mended("empty_answer", drop_empty_answers, EMPTY),
    mended("assistant_first", begin_with_user, STARTS),
    mended("system_later", None, CONVERSE, function=convert_messages),
    mended("trailing_whitespace", trim_last_message, anthropic.TRAILING),
    mended(
        "prefill",
        continue_for_claude,
        PREFILL,
        models="Claude from 4.6 on",
        example_model="us.anthropic.claude-opus-4-6-v1",
    ),
    mended(
        "stop",
        drop_refused_stops,
        STOPS,
        models="of OpenAI, DeepSeek and Qwen",
        example_model="openai.gpt-oss-120b-1:0",
    ),
    Rule(
        subject="stop",
        outcome="allowed",
        source=INFERENCE,
        models="others",
        example_model=NOVA,
    ),
    mended("blank_stop", drop_unfit_stops, anthropic.STOPS, models="Claude", example_model=CLAUDE),
    Rule(
        subject="blank_stop",
        outcome="allowed",
        source=INFERENCE,
        models="others",
        example_model=NOVA,
    ),
    refused("image_address", None, IMAGES, function=image_block),
    mended(
        "schema_keywords",
        plain_schemas_for_nova,
        NOVA_SCHEMAS,
        models="Nova",
        example_model=NOVA,
    ),
    Rule(
        subject="schema_keywords",
        outcome="allowed",
        source=CONVERSE,
        models="others",
        example_model=CLAUDE,
    ),
    mended(
        "schema_recursion",
        None,
        STRUCTURED,
        function=convert_response_format,
        models="with structured outputs",
        example_model=CLAUDE,
    ),
    mended(
        "user_after_tool",
        answer_tools_for_converse,
        TURNS,
        models="other than Claude",
        example_model="us.meta.llama4-maverick-17b-instruct-v1:0",
    ),
    Rule(
        subject="user_after_tool",
        outcome="allowed",
        source=CONVERSE,
        models="Claude",
        example_model=CLAUDE,
    ),
    mended("document_alone", add_text_for_converse, DOCUMENTS),
    mended("empty_stop", drop_unfit_stops, INFERENCE),
    *allowed(
        CONVERSE,
        "tools_with_json",
        "function_name_digit",
        "call_without_content",
        "image_gif",
        "user_after_user",
        "assistant_after_assistant",
        "text_parts",
        "many_stops",
    ),
)
