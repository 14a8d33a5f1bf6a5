"""Vendors of OpenAI's wire whose models are mostly their own, or whose ways are.

Facts: console.groq.com/docs/openai, api-docs.deepseek.com, docs.x.ai, openrouter.ai/docs,
docs.together.ai, docs.fireworks.ai, docs.perplexity.ai, inference-docs.cerebras.ai,
platform.moonshot.ai/docs, docs.z.ai, platform.minimax.io/docs,
alibabacloud.com/help/en/model-studio.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from headway.providers import listing, openai_quirks, perplexity_embeddings
from headway.providers.changes import Limits
from headway.providers.compatible_row import (
    BASIC,
    PENALTIES,
    RENAMED,
    SERVED,
    STRICT_MESSAGES,
    UNDERSTOOD,
    Row,
)
from headway.providers.compatible_rules import Rules

GROQ = Rules(
    limits=Limits(
        dropped=dict.fromkeys(
            ("logit_bias", "logprobs", "min_p", "store", "thinking", "top_k", "top_logprobs"),
            "Groq refuses it",
        )
    ),
    messages=replace(STRICT_MESSAGES, dropped={**STRICT_MESSAGES.dropped, "name": "Groq refuses"}),
    one_choice=True,
)
DEEPSEEK = Rules(
    limits=Limits(renamed=RENAMED),
    models=(
        (
            re.compile("reasoner"),
            Limits(
                dropped=dict.fromkeys(
                    ("logprobs", "top_logprobs"), "DeepSeek refuses it while reasoning"
                )
            ),
        ),
    ),
    tells_schema=True,
)
XAI = Rules(
    limits=Limits(dropped={"logit_bias": "xAI has no word for it"}),
    models=(
        (
            re.compile(r"grok-(?:3-mini|4|code|build)(?!.*non-reasoning)"),
            Limits(dropped=dict.fromkeys((*PENALTIES, "stop"), "xAI refuses it while reasoning")),
        ),
        (
            re.compile(r"grok-(?:2|3(?!-mini)|4(?!\.(?!20))|code|build)"),
            Limits(
                dropped={
                    "reasoning": "the model takes no effort",
                    "reasoning_effort": "the model takes no effort",
                }
            ),
        ),
    ),
)
CEREBRAS = Rules(
    limits=Limits(
        dropped=dict.fromkeys(
            (*PENALTIES, "logit_bias", "min_p", "store", "thinking", "top_k"), "Cerebras refuses it"
        )
    ),
    messages=STRICT_MESSAGES,
    one_choice=True,
)
FIREWORKS = Rules(
    limits=Limits(
        dropped=dict.fromkeys(
            ("audio", "modalities", "store", "verbosity", "web_search_options"),
            "Fireworks refuses what it does not know",
        )
    ),
    messages=replace(STRICT_MESSAGES, renamed={}),
)
PERPLEXITY = Rules(
    limits=Limits(
        dropped=dict.fromkeys(
            (
                "logit_bias", "logprobs", "parallel_tool_calls", "seed", "service_tier", "stop",
                "top_logprobs",
            ),
            "Perplexity does not take it",
        ),
        renamed=RENAMED,
    ),
    neutral=dict.fromkeys(PENALTIES, 0),
    bounds={"temperature": (0, 1.99)},
)  # fmt: skip
MOONSHOT = Rules(
    models=(
        (
            re.compile(r"kimi-k(?:2\.[5-9]|[3-9])"),
            Limits(
                dropped=dict.fromkeys(
                    (*PENALTIES, "n", "temperature", "top_p"), "the model has one fixed value"
                )
            ),
        ),
    ),
    bounds={"temperature": (0, 1)},
)
VENDORS = (
    Row(
        kind="groq",
        price_id="groq",
        rules=GROQ,
        readers=(openai_quirks.x_groq,),
        embeddings=False,
        features={
            **BASIC,
            "images": "native",
            "json_schema": "native",
            "reasoning": "native: an effort in, its text out",
            "caching": "partial: automatic, counts of reads out",
        },
    ),
    Row(
        kind="deepseek",
        price_id="deepseek",
        rules=DEEPSEEK,
        embeddings=False,
        features={
            **BASIC,
            "json_schema": "emulated: JSON mode, the schema told in words",
            "reasoning": "native: `thinking` or an effort in, its text out",
            "reasoning_replay": "partial: `reasoning_content` goes back as it is, unsigned",
            "caching": "partial: automatic, counts of reads out",
            "logprobs": "native",
        },
    ),
    Row(
        kind="xai",
        price_id="x-ai",
        rules=XAI,
        readers=(openai_quirks.reasoning_beside,),
        embeddings=False,
        features={
            **BASIC,
            "images": "native",
            "json_schema": "native",
            "reasoning": "native: an effort where the model takes one",
            "caching": "partial: automatic, counts of reads out",
            "citations": "partial: as the vendor writes them, to clients of the same wire",
            "logprobs": "native",
        },
    ),
    Row(
        kind="openrouter",
        price_id="openrouter",
        rules=Rules(messages=UNDERSTOOD, flat_effort=False),
        readers=(openai_quirks.reasoning_details, openai_quirks.choice_errors),
        decode_error=openai_quirks.decode_routed_error,
        wire="openai_chat_openrouter",
        features={
            **BASIC,
            "images": "native",
            "documents": "native",
            "audio": "native",
            "json_schema": "native",
            "reasoning": "native: effort or budget in, its text out",
            "reasoning_replay": "native: `reasoning_details`",
            "caching": "native: `cache_control`, counts of reads and writes out",
            "citations": "native: annotations",
            "logprobs": "native",
            "embeddings": "native",
        },
    ),
    Row(
        kind="together",
        price_id="together",
        rules=Rules(limits=Limits(renamed=RENAMED)),
        features=SERVED,
    ),
    Row(
        kind="fireworks",
        price_id="fireworks",
        rules=FIREWORKS,
        features=SERVED,
    ),
    Row(
        kind="perplexity",
        price_id="perplexity",
        list_models=listing.VERSIONED,
        rules=PERPLEXITY,
        readers=(openai_quirks.searches, openai_quirks.reasoning_beside),
        wire="openai_chat_perplexity",
        encode_embeddings=perplexity_embeddings.encode_embeddings,
        decode_embeddings=perplexity_embeddings.decode_embeddings,
        features={
            "stream": "native",
            "images": "native",
            "json_schema": "native",
            "reasoning": "partial: an effort in, its text within the answer",
            "citations": "native: annotations and `search_results`",
            "embeddings": "native: signed bytes, given as floats",
        },
    ),
    Row(
        kind="cerebras",
        price_id="cerebras",
        rules=CEREBRAS,
        embeddings=False,
        features={**BASIC, "json_schema": "native", "reasoning": "native", "logprobs": "native"},
    ),
    Row(
        kind="moonshot",
        price_id="moonshotai",
        rules=MOONSHOT,
        readers=(openai_quirks.usage_in_choice,),
        embeddings=False,
        features={
            **BASIC,
            "images": "native",
            "json_schema": "native",
            "reasoning": "native: `thinking` in, its text out",
            "reasoning_replay": "partial: `reasoning_content` goes back as it is, unsigned",
            "caching": "partial: automatic, counts of reads out",
        },
    ),
    Row(
        kind="zai",
        price_id="zai",
        rules=Rules(
            limits=Limits(renamed=RENAMED), bounds={"temperature": (0, 1)}, tells_schema=True
        ),
        features={
            **BASIC,
            "images": "native",
            "json_schema": "emulated: JSON mode, the schema told in words",
            "reasoning": "native: `thinking` in, its text out",
            "caching": "partial: automatic, counts of reads out",
            "embeddings": "native",
        },
    ),
    Row(
        kind="dashscope",
        rules=Rules(
            limits=Limits(renamed=RENAMED),
            bounds={"temperature": (0, 1.99), "top_p": (0.001, 1)},
        ),
        features={
            **BASIC,
            "images": "native",
            "audio": "native",
            "json_schema": "native",
            "reasoning": "native: `enable_thinking` in, its text out",
            "caching": "partial: automatic, counts of reads out",
            "logprobs": "native",
            "embeddings": "native",
        },
    ),
    Row(
        kind="minimax",
        price_id="minimax",
        rules=Rules(bounds={"temperature": (0.01, 1)}, one_choice=True),
        judge=openai_quirks.base_resp,
        embeddings=False,
        features={**BASIC, "reasoning": "partial: its text within the answer"},
    ),
)
