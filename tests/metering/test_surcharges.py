"""Surcharges that providers publish: by condition, value, model and day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from headway.metering.price_data import PriceData, Provider, Surcharge
from headway.metering.prices import read_shipped_prices
from headway.metering.surcharges import find_surcharge, surcharges_of
from support.for_each import for_each

DATA = msgspec.json.decode(read_shipped_prices(), type=PriceData)
TODAY = date(2026, 11, 29)
CASES = [
    ("anthropic", "claude-opus-4-6", "inference_geo", "us", "1.1"),
    ("anthropic", "claude-sonnet-5-5", "inference_geo", "us", "1.1"),
    ("anthropic", "claude-sonnet-4-5", "inference_geo", "us", "1"),
    ("anthropic", "claude-3-5-sonnet", "inference_geo", "us", "1"),
    ("anthropic", "claude-opus-4-6", "inference_geo", "eu", None),
    ("anthropic", "claude-opus-4-6", "speed", "fast", None),
    ("google", "claude-sonnet-4-5", "region", "us-east5", "1.1"),
    ("google", "claude-sonnet-5", "region", "eu", "1.1"),
    ("google", "claude-4-sonnet", "region", "us-east5", "1"),
    ("google", "claude-3-5-haiku", "region", "us-east5", "1"),
    ("google", "gemini-2.5-flash", "region", "us-central1", "1"),
    ("google", "gemini-embedding-001", "region", "us-central1", "1"),
    ("google", "gemini-3.5-flash", "region", "us-central1", "1.1"),
    ("google", "gemini-3-pro-preview", "region", "us-central1", None),
    ("openai", "gpt-4o", "region", "eu", "1"),
    ("openai", "gpt-5", "region", "eu", "1"),
    ("openai", "gpt-5.3-codex", "region", "eu", "1"),
    ("openai", "gpt-5.4-mini", "region", "us", "1.1"),
    ("openai", "gpt-6.1-sol", "region", "jp", "1.1"),
    ("openai", "gpt-audio", "region", "eu", None),
    ("groq", "openai/gpt-oss-120b", "service_tier", "flex", "1"),
    ("groq", "openai/gpt-oss-120b", "service_tier", "performance", None),
    ("azure", "gpt-5.4", "region", "eu", None),
]


def published(provider: str, model: str) -> tuple[Surcharge, ...]:
    found = msgspec.json.decode(DATA.providers[provider], type=Provider)
    return surcharges_of(model, found.surcharges)


@for_each(("provider", "model", "condition", "value", "factor"), CASES)
def test_the_published_factor_is_found(
    provider: str, model: str, condition: str, value: str, factor: str | None
) -> None:
    found = find_surcharge(published(provider, model), condition, value, TODAY)
    assert (found and found.factor) == (None if factor is None else Decimal(factor))


def test_a_surcharge_applies_from_its_first_day_on() -> None:
    candidates = published("google", "gemini-3.5-flash")
    before = find_surcharge(candidates, "region", "us-east1", date(2026, 6, 30))
    after = find_surcharge(candidates, "region", "us-east1", date(2026, 7, 1))
    assert before is not None
    assert after is not None
    assert (before.factor, after.factor) == (1, Decimal("1.1"))


def test_every_surcharge_has_its_source() -> None:
    for raw in DATA.providers.values():
        provider = msgspec.json.decode(raw, type=Provider)
        assert all(each.source.startswith("https://") for each in provider.surcharges)
