"""Surcharges by which providers multiply all token rates of a model, as published.

The price data has rates by model and service tier; that a provider adds a percentage for keeping a
call in a region it says once, for all models. A factor of 1 is a published fact too: the provider
says that the condition costs nothing. What is not listed is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property

from msgspec import Struct

REGION = "region"
"""The condition of calls to an endpoint that keeps them in a region."""
CLAUDE_PRICES = "https://platform.claude.com/docs/en/about-claude/pricing"
OPENAI_PRICES = "https://developers.openai.com/api/docs/pricing"
VERTEX_PRICES = "https://cloud.google.com/vertex-ai/generative-ai/pricing"
GROQ_FLEX = "https://console.groq.com/docs/flex-processing"

CLAUDE_BEFORE_4_5 = r"claude-(v|instant|[23]|[a-z]+-[23]|4-(opus|sonnet)|[a-z]+-4(-[01]|@|-20|$))"
CLAUDE_BEFORE_4_6 = rf"{CLAUDE_BEFORE_4_5}|claude-[a-z]+-4-5|claude-4[.-]5"
GPT_BEFORE_5_4 = (
    r"(ft:)?(gpt-(3|4|5($|[.-][123]($|[.-])|-(mini|nano|pro|codex|chat|search)))|o[134]|text-)"
)
NON_GLOBAL_RATES = r"gemini-3\.(1-flash-lite|5-flash|5-flash-lite)$"
BEFORE_GEMINI_3 = r"gemini-([12]|pro|flash-1|embedding-001)|gemma|text"
ANY = ""


class Surcharge(Struct, frozen=True, kw_only=True, dict=True):
    provider: str
    """Its id in the price data."""
    condition: str
    values: str = ANY
    """A regular expression that matches the beginning of the condition's values."""
    models: str = ANY
    """The same for the ids of the models in the price data."""
    factor: Decimal
    start: date | None = None
    """The first day on which it applies."""
    source: str

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        return re.compile(self.models), re.compile(self.values)

    def is_for(self, provider: str, model: str) -> bool:
        return provider == self.provider and self._patterns[0].match(model) is not None

    def applies(self, condition: str, value: str, day: date) -> bool:
        if condition != self.condition or (self.start is not None and day < self.start):
            return False
        return self._patterns[1].match(value) is not None


SAME, TENTH_MORE = Decimal(1), Decimal("1.1")
SURCHARGES = (
    # "Earlier models [...] always use standard pricing"
    Surcharge(
        provider="anthropic", condition="inference_geo", values="us$", models=CLAUDE_BEFORE_4_6,
        factor=SAME, source=CLAUDE_PRICES,
    ),
    # "For Claude 4.6 and later models [...] a 1.1x multiplier on all token pricing categories"
    Surcharge(
        provider="anthropic", condition="inference_geo", values="us$", models="claude-",
        factor=TENTH_MORE, source=CLAUDE_PRICES,
    ),
    # "Earlier models (Claude Opus 4.1 and prior releases) retain their existing pricing"
    Surcharge(
        provider="google", condition=REGION, models=CLAUDE_BEFORE_4_5, factor=SAME,
        source=CLAUDE_PRICES,
    ),
    # "Regional and multi-region endpoints include a 10% premium over global endpoints"
    Surcharge(
        provider="google", condition=REGION, models="claude-", factor=TENTH_MORE,
        source=CLAUDE_PRICES,
    ),
    # Rates in the columns "Non-global", for "Generally available Gemini 3 and later families"
    Surcharge(
        provider="google", condition=REGION, models=NON_GLOBAL_RATES, factor=TENTH_MORE,
        start=date(2026, 7, 1), source=VERTEX_PRICES,
    ),
    # "Before July 1, 2026, Global endpoint pricing applies to Non-global endpoints"
    Surcharge(
        provider="google", condition=REGION, models=NON_GLOBAL_RATES, factor=SAME,
        source=VERTEX_PRICES,
    ),
    # One rate for all endpoints
    Surcharge(
        provider="google", condition=REGION, models=BEFORE_GEMINI_3, factor=SAME,
        source=VERTEX_PRICES,
    ),
    # "a 10% uplift for models released on or after March 5, 2026"
    Surcharge(
        provider="openai", condition=REGION, models=GPT_BEFORE_5_4, factor=SAME,
        source=OPENAI_PRICES,
    ),
    Surcharge(
        provider="openai", condition=REGION, models=r"gpt-(5\.[4-9]|[6-9])", factor=TENTH_MORE,
        source=OPENAI_PRICES,
    ),
    # "Pricing matches the on-demand tier"
    Surcharge(
        provider="groq", condition="service_tier", values="flex$", factor=SAME, source=GROQ_FLEX
    ),
)  # fmt: skip
"""Of those that apply to a model and a condition, the first counts."""


def surcharges_of(provider: str, model: str) -> tuple[Surcharge, ...]:
    """Those that a model can have. Both are ids of the price data."""
    return tuple(each for each in SURCHARGES if each.is_for(provider, model))


def find_surcharge(
    candidates: Sequence[Surcharge], condition: str, value: str, day: date
) -> Surcharge | None:
    return next((each for each in candidates if each.applies(condition, value, day)), None)
