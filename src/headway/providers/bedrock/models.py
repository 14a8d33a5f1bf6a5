"""What the families of models on Bedrock take otherwise than each other, told by the model's id.

Sources: docs.aws.amazon.com/bedrock/latest/userguide: structured-output.html (which models keep to
a schema), model-parameters-*.html (what each takes beside the common parameters), and the guide of
Nova 2. The id of an application inference profile tells nothing: it gets what all take.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from msgspec import Struct

Fields = dict[str, Any]
"""Of ``additionalModelRequestFields``."""


class Family(Struct, frozen=True, kw_only=True):
    is_claude: bool = False
    top_k: Callable[[Any], Fields] | None = lambda value: {"top_k": value}
    """Where it takes top_k. None: it takes none."""
    think: Callable[[str], Fields] | None = None
    """How it is told an effort. None: there is no documented way."""
    efforts: tuple[str, ...] = ("none", "low", "medium", "high")
    """Those that it knows."""
    forced_tools: bool = True
    """A call can be demanded of it."""
    takes_openai: bool = False
    """It takes OpenAI's further parameters among the additional fields."""
    high_stands_alone: bool = False
    """At the highest effort it takes neither sampling nor a limit."""


def _nova_top_k(value: Any) -> Fields:
    return {"inferenceConfig": {"topK": value}}


def _nova_think(effort: str) -> Fields:
    if effort == "none":
        return {"reasoningConfig": {"type": "disabled"}}
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}


def _flat_effort(effort: str) -> Fields:
    return {"reasoning_effort": effort}


def _nested_effort(effort: str) -> Fields:
    return {"reasoning": {"effort": effort}}


FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"claude", Family(is_claude=True)),
    (r"amazon\.nova-2", Family(top_k=_nova_top_k, think=_nova_think, high_stands_alone=True)),
    (r"amazon\.nova", Family(top_k=_nova_top_k)),
    (r"amazon\.", Family(top_k=None, forced_tools=False)),
    (
        r"openai\.gpt-oss",
        Family(
            top_k=None, think=_flat_effort, efforts=("low", "medium", "high"), takes_openai=True
        ),
    ),
    (
        r"openai\.",
        Family(
            top_k=None,
            think=_nested_effort,
            efforts=("none", "minimal", "low", "medium", "high", "xhigh"),
            takes_openai=True,
        ),
    ),
    (r"meta\.", Family(top_k=None, forced_tools=False)),
    (r"cohere\.", Family(top_k=lambda value: {"k": value}, forced_tools=False)),
    (r"ai21\.", Family(top_k=None, forced_tools=False)),
    (r"deepseek\.", Family(top_k=None)),
)
"""The first whose pattern is found in the model's id."""
KEEPS_TO_SCHEMAS = re.compile(
    r"claude-(?:sonnet|haiku|opus)-4-[56](?!\d)|qwen\.qwen3|openai\.|deepseek\.v3|google\.gemma-3"
    r"|minimax\.|moonshot|nvidia\.|mistral\.(?:magistral|ministral|voxtral|mistral-large-3)"
)
"""structured-output.html, "Supported models", as of 2026. Others are told in words, which they all
understand, where a schema would be a ValidationException."""


@lru_cache(maxsize=1024)
def family_of(model: str) -> Family:
    name = model.lower()
    return next((family for pattern, family in FAMILIES if re.search(pattern, name)), Family())


@lru_cache(maxsize=1024)
def keeps_to_schemas(model: str) -> bool:
    return KEEPS_TO_SCHEMAS.search(model.lower()) is not None
