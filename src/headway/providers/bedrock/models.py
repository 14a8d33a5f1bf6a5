"""Differences between the families of models on Bedrock in their parameters, by the model's id.

Sources: docs.aws.amazon.com/bedrock/latest/userguide: structured-output.html (which models enforce
a schema), model-parameters-*.html (what each takes in addition to the common parameters), and the
guide of Nova 2. The ARN of an application inference profile does not name the model: it gets what
all of them take.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from msgspec import Struct

Fields = dict[str, Any]
"""Fields of ``additionalModelRequestFields``."""


class Family(Struct, frozen=True, kw_only=True):
    is_claude: bool = False
    top_k_fields: Callable[[Any], Fields] | None = lambda value: {"top_k": value}
    """The fields for a top_k. None: the family takes none."""
    effort_fields: Callable[[str], Fields] | None = None
    """The fields for a reasoning effort. None: there is no documented way."""
    efforts: tuple[str, ...] = ("none", "low", "medium", "high")
    """The efforts that it takes."""
    forced_tools: bool = True
    """``toolChoice`` may require a call."""
    openai_parameters: bool = False
    """It takes OpenAI's further parameters among the additional fields."""
    high_effort_only: bool = False
    """At high effort it takes neither sampling parameters nor a maximum of tokens."""


def _nova_top_k(value: Any) -> Fields:
    return {"inferenceConfig": {"topK": value}}


def _nova_effort(effort: str) -> Fields:
    if effort == "none":
        return {"reasoningConfig": {"type": "disabled"}}
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}


def _flat_effort(effort: str) -> Fields:
    return {"reasoning_effort": effort}


def _nested_effort(effort: str) -> Fields:
    return {"reasoning": {"effort": effort}}


FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"claude", Family(is_claude=True)),
    (
        r"amazon\.nova-2",
        Family(top_k_fields=_nova_top_k, effort_fields=_nova_effort, high_effort_only=True),
    ),
    (r"amazon\.nova", Family(top_k_fields=_nova_top_k)),
    (r"amazon\.", Family(top_k_fields=None, forced_tools=False)),
    (
        r"openai\.gpt-oss",
        Family(
            top_k_fields=None,
            effort_fields=_flat_effort,
            efforts=("low", "medium", "high"),
            openai_parameters=True,
        ),
    ),
    (
        r"openai\.",
        Family(
            top_k_fields=None,
            effort_fields=_nested_effort,
            efforts=("none", "minimal", "low", "medium", "high", "xhigh"),
            openai_parameters=True,
        ),
    ),
    (r"meta\.", Family(top_k_fields=None, forced_tools=False)),
    (r"cohere\.", Family(top_k_fields=lambda value: {"k": value}, forced_tools=False)),
    (r"ai21\.", Family(top_k_fields=None, forced_tools=False)),
    (r"deepseek\.", Family(top_k_fields=None)),
)
"""The first counts whose pattern is found in the model's id."""
STRUCTURED_OUTPUTS = re.compile(
    r"claude-(?:sonnet|haiku|opus)-4-[56](?!\d)|qwen\.qwen3|openai\.|deepseek\.v3|google\.gemma-3"
    r"|minimax\.|moonshot|nvidia\.|mistral\.(?:magistral|ministral|voxtral|mistral-large-3)"
)
"""structured-output.html, "Supported models", as of 2026. A schema for another model would be a
ValidationException, so the schema becomes an instruction, which all models understand."""


@lru_cache(maxsize=1024)
def family_of(model: str) -> Family:
    name = model.lower()
    return next((family for pattern, family in FAMILIES if re.search(pattern, name)), Family())


@lru_cache(maxsize=1024)
def has_structured_outputs(model: str) -> bool:
    return STRUCTURED_OUTPUTS.search(model.lower()) is not None
