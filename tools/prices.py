"""Refreshes the price data that ships: ``python tools/prices.py``.

Compiles what the pinned genai-prices package bundles into ``src/headway/metering/prices.json``.
Upgrade the pin, run this, read the difference, commit both. Nothing is downloaded.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from genai_prices import types as genai
from genai_prices.data import providers as bundled

from headway.metering.price_data import (
    DatedRates,
    Model,
    ModelMatcher,
    OneRate,
    Rate,
    Rates,
    RateVariant,
    Surcharge,
    Tiered,
)

SOURCE = "genai-prices"
FILE = Path(__file__).parents[1] / "src/headway/metering/prices.json"

KEPT = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "input_image_mtok": "input_image",
    "input_video_mtok": "input_video",
    "cache_audio_read_mtok": "cache_audio_read",
    "cache_image_read_mtok": "cache_image_read",
    "output_mtok": "output",
    "output_audio_mtok": "output_audio",
    "output_image_mtok": "output_image",
    "output_video_mtok": "output_video",
    "output_reasoning_mtok": "reasoning",
    "output_citation_mtok": "citations",
    "requests_kcount": "requests",
    "web_searches_kcount": "web_searches",
    "storage_searches_kcount": "file_searches",
    "input_audio_hours": "audio_hours",
    "input_mchars": "characters",
}

LEFT_OUT = {
    "audio_hours": "for live sessions; that of a recording is `input_audio_hours`",
    "input_document_kpages": "document reading is no chat",
    "input_annotated_document_kpages": "document reading is no chat",
    "input_text_messages_kcount": "for live sessions",
}
"""Prices that no call's usage can use, and why. A key in neither table stops the tool."""

GEMINI_PRICES = "https://ai.google.dev/gemini-api/docs/pricing"
VERTEX_PRICES = "https://cloud.google.com/vertex-ai/generative-ai/pricing"
NO_MEDIA_MODEL = r"(?!.*(tts|live|embedding|image|realtime|audio|transcribe))"
PLAIN_GEMINI = rf"{NO_MEDIA_MODEL}gemini-[234]"
ALL_INPUT = r"2\.5-pro|3-pro|3\.1-pro|3\.[568]-flash|4-argon|omni"

ONE_RATE: tuple[tuple[str, str, OneRate, str], ...] = (
    # "Input (text, image, video, audio)" is one row
    (
        "google",
        rf"{NO_MEDIA_MODEL}gemini-({ALL_INPUT})",
        OneRate(input=["audio", "image", "video"]),
        VERTEX_PRICES,
    ),
    # "(text / image / video)" has one price, audio another
    ("google", PLAIN_GEMINI, OneRate(input=["image", "video"]), GEMINI_PRICES),
    ("google", r"gemini-3-pro-image", OneRate(input=["audio", "image", "video"]), VERTEX_PRICES),
    ("google", r"gemini-.*(image|banana)", OneRate(input=["image"]), GEMINI_PRICES),
    # the output price is that of audio
    ("google", r"gemini-.*-tts", OneRate(output=["audio"]), GEMINI_PRICES),
    # the output price is that of images
    (
        "openai",
        r"gpt-image-(1(-mini)?$|2)",
        OneRate(output=["image"]),
        "https://developers.openai.com/api/docs/pricing",
    ),
    # "Image inputs are metered and charged in tokens, just as text inputs are"
    (
        "openai",
        rf"{NO_MEDIA_MODEL}(ft:)?(gpt-4o|gpt-4[.-]|gpt-[56]|o[134]|chatgpt-4o|gpt-chat)",
        OneRate(input=["image"]),
        "https://developers.openai.com/api/docs/guides/images-vision",
    ),
)
"""Provider, a pattern of the beginning of its models' ids, the media that cost what text costs, and
the page that says so: the package does not tell a rate that is the same from one that it does not
know. The first that matches counts."""

CLAUDE_PRICES = "https://platform.claude.com/docs/en/about-claude/pricing"
OPENAI_PRICES = "https://developers.openai.com/api/docs/pricing"
PERPLEXITY_PRICES = "https://docs.perplexity.ai/docs/getting-started/pricing"
GROQ_FLEX = "https://console.groq.com/docs/flex-processing"

CLAUDE_BEFORE_4_5 = r"claude-(v|instant|[23]|[a-z]+-[23]|4-(opus|sonnet)|[a-z]+-4(-[01]|@|-20|$))"
CLAUDE_BEFORE_4_6 = rf"{CLAUDE_BEFORE_4_5}|claude-[a-z]+-4-5|claude-4[.-]5"
GPT_BEFORE_5_4 = (
    r"(ft:)?(gpt-(3|4|5($|[.-][123]($|[.-])|-(mini|nano|pro|codex|chat|search)))|o[134]|text-)"
)
NON_GLOBAL_RATES = r"gemini-3\.(1-flash-lite|5-flash|5-flash-lite|8-flash)$"
BEFORE_GEMINI_3 = r"gemini-([12]|pro|flash-1|embedding-001)|gemma|text"

REGION = "region"
SAME, TENTH_MORE = Decimal(1), Decimal("1.1")
SURCHARGES: dict[str, list[Surcharge]] = {
    "anthropic": [
        # "Earlier models [...] always use standard pricing"
        Surcharge(
            condition="inference_geo", values="us$", models=CLAUDE_BEFORE_4_6,
            factor=SAME, source=CLAUDE_PRICES,
        ),
        # "For Claude 4.6 and later models [...] a 1.1x multiplier on all token pricing categories"
        Surcharge(
            condition="inference_geo", values="us$", models="claude-",
            factor=TENTH_MORE, source=CLAUDE_PRICES,
        ),
    ],
    "google": [
        # "Earlier models (Claude Opus 4.1 and prior releases) retain their existing pricing"
        Surcharge(
            condition=REGION, models=CLAUDE_BEFORE_4_5, factor=SAME,
            source=CLAUDE_PRICES,
        ),
        # "Regional and multi-region endpoints include a 10% premium over global endpoints"
        Surcharge(
            condition=REGION, models="claude-", factor=TENTH_MORE,
            source=CLAUDE_PRICES,
        ),
        # Rates in the columns "Non-global", for "Generally available Gemini 3 and later families"
        Surcharge(
            condition=REGION, models=NON_GLOBAL_RATES, factor=TENTH_MORE,
            start=date(2026, 7, 1), source=VERTEX_PRICES,
        ),
        # "Before July 1, 2026, Global endpoint pricing applies to Non-global endpoints"
        Surcharge(
            condition=REGION, models=NON_GLOBAL_RATES, factor=SAME,
            source=VERTEX_PRICES,
        ),
        # One rate for all endpoints
        Surcharge(
            condition=REGION, models=BEFORE_GEMINI_3, factor=SAME,
            source=VERTEX_PRICES,
        ),
    ],
    "openai": [
        # "a 10% uplift for models released on or after March 5, 2026"
        Surcharge(
            condition=REGION, models=GPT_BEFORE_5_4, factor=SAME,
            source=OPENAI_PRICES,
        ),
        Surcharge(
            condition=REGION, models=r"gpt-(5\.[4-9]|[6-9])", factor=TENTH_MORE,
            source=OPENAI_PRICES,
        ),
    ],
    "perplexity": [
        # The package has the highest price of a request; it has none here
        Surcharge(
            condition="search_context_size", values="high$", factor=SAME, source=PERPLEXITY_PRICES
        ),
        Surcharge(
            condition="search_context_size", models="sonar-deep-research$|pplx", factor=SAME,
            source=PERPLEXITY_PRICES,
        ),
    ],
    "groq": [
        # "Pricing matches the on-demand tier"
        Surcharge(
            condition="service_tier", values="flex$", factor=SAME, source=GROQ_FLEX
        ),
    ],
}  # fmt: skip
"""By the provider's id."""

FREE_CALLS = {
    # "The moderations endpoint is free to use"
    ("openai", "moderation"): "https://developers.openai.com/api/docs/guides/moderation",
}
"""Models whose calls cost nothing, whatever they report, and the page that says so."""
SAYS_FREE = ("free of charge", "included in the subscription")
"""The package lists no rate both for what is free and for what it does not know. Free is what its
name (``:free``) or its comment says is free; the rest stays unknown."""

CLAUSES = {
    genai.ClauseEquals: "equals",
    genai.ClauseStartsWith: "starts_with",
    genai.ClauseEndsWith: "ends_with",
    genai.ClauseContains: "contains",
}


def main() -> int:
    """Writes the file and says what it holds."""
    installed = version(SOURCE)
    FILE.write_bytes(compiled(installed, taken(installed)))
    models = sum(len(provider.models) for provider in bundled)
    sys.stdout.write(f"{FILE.name}: {SOURCE} {installed}, {models} models\n")
    return 0


def taken(installed: str) -> date:
    """The date of the data: that of the present file while the version stays, else today."""
    present = json.loads(FILE.read_bytes()) if FILE.exists() else {}
    if present.get("version") == installed:
        return date.fromisoformat(present["date"])
    return datetime.now(UTC).date()


def compiled(installed: str, day: date) -> bytes:
    """The whole file. Models keep the package's order where names could match several."""
    head = _json({"source": SOURCE, "version": installed, "date": day})[:-1]
    parts = ",\n".join(_provider(one) for one in sorted(bundled, key=lambda one: one.id))
    return f'{head},"providers":{{\n{parts}\n}}}}\n'.encode()


def _provider(provider: genai.Provider) -> str:
    head: dict[str, Any] = {"name": provider.name}
    if provider.fallback_model_providers:
        head["fallback"] = provider.fallback_model_providers
    if provider.id in SURCHARGES:
        head["surcharges"] = SURCHARGES[provider.id]
    models = ",\n".join(_json(_model(provider.id, one)) for one in provider.models)
    return f'{_json(provider.id)}:{_json(head)[:-1]},"models":[\n{models}\n]}}'


def _model(provider: str, model: genai.ModelInfo) -> Model:
    variants = [_variant(one) for one in model.price_variants or []]
    return Model(
        id=model.id,
        match=_clause(model.match),
        name=model.name,
        context_window=model.context_window,
        deprecated=bool(model.deprecated),
        prices=list(_prices(provider, model)),
        variants=[one for one in variants if one.rates != Rates()],
        one_rate=_one_rate(provider, model.id),
    )


def _one_rate(provider: str, model: str) -> OneRate | None:
    """For tokens of a medium that have no rate of their own."""
    return next(
        (
            one_rate
            for name, pattern, one_rate, _ in ONE_RATE
            if name == provider and re.match(pattern, model)
        ),
        None,
    )


def _prices(provider: str, model: genai.ModelInfo) -> Iterator[DatedRates]:
    if (provider, model.id) in FREE_CALLS:
        yield DatedRates(rates=Rates(requests=Decimal(0)))
    elif isinstance(model.prices, list):
        for one in model.prices:
            yield DatedRates(rates=_rates(one.prices), **_term(one.constraint))
    elif is_free(model):
        yield DatedRates(rates=Rates(input=Decimal(0), output=Decimal(0)))
    elif (rates := _rates(model.prices)) != Rates():
        yield DatedRates(rates=rates)


def is_free(model: genai.ModelInfo) -> bool:
    """No rate is listed, and the data says that there is nothing to pay."""
    comment = (model.price_comments or "").lower()
    said = model.id.endswith(":free") or any(words in comment for words in SAYS_FREE)
    return said and not vars(model.prices)


def _variant(variant: genai.PriceVariant) -> RateVariant:
    rates = _rates(variant.prices)
    return RateVariant(when=variant.when, rates=rates, **_term(variant.constraint))


def _term(constraint: Any) -> dict[str, Any]:
    if constraint is None:
        return {}
    if isinstance(constraint, genai.StartDateConstraint):
        return {"start": constraint.start_date}
    return {"between": (_utc(constraint.start_time), _utc(constraint.end_time))}


def _utc(moment: time) -> time:
    day = datetime.combine(date(2000, 1, 1), moment, moment.tzinfo or UTC)
    return day.astimezone(UTC).timetz()


def _rates(prices: genai.ModelPrice) -> Rates:
    given = {key: value for key, value in vars(prices).items() if value is not None}
    if unknown := given.keys() - KEPT.keys() - LEFT_OUT.keys():
        raise SystemExit(f"new kinds of price, keep them or leave them out: {sorted(unknown)}")
    return Rates(**{KEPT[key]: _rate(value) for key, value in given.items() if key in KEPT})


def _rate(value: Any) -> Rate:
    if isinstance(value, genai.TieredPrices):
        return Tiered(value.base, [(tier.start, tier.price) for tier in value.tiers])
    amount: Decimal = value
    return amount


def _clause(match: Any) -> ModelMatcher:
    """In lower case, but for patterns: those are matched against the name in lower case as is."""
    match match:
        case genai.ClauseOr():
            return ModelMatcher(any_of=[_clause(one) for one in match.or_])
        case genai.ClauseAnd():
            return ModelMatcher(all_of=[_clause(one) for one in match.and_])
        case genai.ClauseRegex():
            return ModelMatcher(regex=match.regex)
    field = CLAUSES[type(match)]
    return ModelMatcher(**{field: getattr(match, field).lower()})


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


if __name__ == "__main__":
    sys.exit(main())
