"""What vendors of OpenAI's wire refuse, rename and limit, each with where that is said."""

from __future__ import annotations

import re

from msgspec.structs import replace

from headway.providers.openai_compatible.request_rules import Rules
from headway.providers.openai_compatible.vendor import PENALTIES, RENAMED, STRICT_MESSAGES
from headway.providers.parameter_rules import Limits

UNKNOWN_TO_STRICT = ("audio", "modalities", "store", "verbosity", "web_search_options")
"""Words of OpenAI's that who refuses what it does not know refuses."""

# console.groq.com/docs/openai (what is a 400) and the schema of Groq's own SDK (what has no effect,
# the role developer, the names of the service tiers).
GROQ = Rules(
    limits=Limits(
        dropped={
            **dict.fromkeys(
                ("logit_bias", "logprobs", "min_p", "top_k", "top_logprobs", *UNKNOWN_TO_STRICT),
                "Groq refuses it",
            ),
            **dict.fromkeys((*PENALTIES, "metadata"), "none of Groq's models heeds it"),
        }
    ),
    messages=replace(
        STRICT_MESSAGES,
        dropped={**STRICT_MESSAGES.dropped, "name": "Groq refuses"},
        developer=None,
    ),
    neutral=dict.fromkeys(PENALTIES, 0),
    one_choice=True,
)
GROQ_TIERS = {"default": "on_demand", "priority": "performance"}

# api-docs.deepseek.com, Create chat completion and the guides; recordings show logprobs with
# thinking, by models that are told to think by a parameter. The names deepseek-chat and
# deepseek-reasoner ended in July 2026; what is said of them is for servers that keep them.
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

# The schema of docs.x.ai's REST API. That models which reason refuse ``stop`` is BerriAI/litellm
# #12635, and of grok-4.5 and grok-4.6 the same.
XAI = Rules(
    limits=Limits(dropped={"logit_bias": "xAI has no word for it"}),
    models=(
        (
            re.compile(r"grok-(?:3-mini|4|code|build|latest)(?!.*non-reasoning)"),
            Limits(dropped=dict.fromkeys((*PENALTIES, "stop"), "xAI refuses it while reasoning")),
        ),
    ),
    bounds={"top_logprobs": (0, 8)},
)

# The schema of inference-docs.cerebras.ai, Chat completions (July 2026): penalties, logit_bias,
# service_tier and parallel_tool_calls, once refused, are taken. It refuses what it does not know.
CEREBRAS = Rules(
    limits=Limits(
        dropped=dict.fromkeys(
            ("metadata", "min_p", "top_k", *UNKNOWN_TO_STRICT), "Cerebras refuses it"
        )
    ),
    messages=STRICT_MESSAGES,
    one_choice=True,
)

# The schema of docs.fireworks.ai, Create chat completion: nothing beside what it names, in a
# message either.
FIREWORKS = Rules(
    limits=Limits(
        dropped=dict.fromkeys(
            ("prompt_cache_retention", "safety_identifier", *UNKNOWN_TO_STRICT),
            "Fireworks refuses what it does not know",
        )
    ),
    messages=replace(
        STRICT_MESSAGES,
        dropped={**STRICT_MESSAGES.dropped, "name": "Fireworks refuses messages with it"},
        renamed={},
    ),
    bounds={"top_logprobs": (0, 5)},
)

# Perplexity's own SDK (its schema has stop, logprobs, tools and a JSON schema, and no JSON mode),
# and docs.perplexity.ai, Sonar.
PERPLEXITY = Rules(
    limits=Limits(
        dropped=dict.fromkeys(
            ("logit_bias", "seed", "service_tier"), "Perplexity has no word for it"
        ),
        renamed=RENAMED,
    ),
    neutral=dict.fromkeys(PENALTIES, 0),
    bounds={"temperature": (0, 1.99)},
)

# The schema of platform.kimi.ai/docs/api/chat.
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
    bounds={"n": (1, 5), "temperature": (0, 1)},
)

# docs.z.ai/api-reference/llm/chat-completion and Z.ai's own SDK.
ZAI = Rules(
    limits=Limits(
        dropped=dict.fromkeys(
            (*PENALTIES, "logit_bias", "logprobs", "top_logprobs"), "Z.ai has no word for it"
        ),
        renamed=RENAMED,
    ),
    neutral=dict.fromkeys(PENALTIES, 0),
    bounds={"temperature": (0, 1), "top_p": (0.01, 1)},
    one_choice=True,
    tells_schema=True,
)

# alibabacloud.com/help/en/model-studio/qwen-api-via-openai-chat-completions.
DASHSCOPE = Rules(
    limits=Limits(
        dropped=dict.fromkeys(("frequency_penalty", "logit_bias"), "Model Studio has no word"),
        renamed=RENAMED,
    ),
    neutral={"frequency_penalty": 0},
    bounds={
        "n": (1, 4),
        "temperature": (0, 1.99),
        "top_logprobs": (0, 5),
        "top_p": (0.001, 1),
    },
)

# platform.minimax.io/docs/api-reference/text-openai-api: these are taken and not heeded.
MINIMAX = Rules(
    limits=Limits(dropped=dict.fromkeys((*PENALTIES, "logit_bias"), "MiniMax does not heed it")),
    neutral=dict.fromkeys(PENALTIES, 0),
    bounds={"temperature": (0.01, 1)},
    one_choice=True,
)
