"""Our prices against the package that they come from, model by model."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from headway.metering.line_items import LEAST
from headway.metering.prices import PriceBook, read_shipped_prices
from headway.types import Usage
from support.lazy_import import lazy_import

genai_prices = lazy_import("genai_prices")


def providers() -> list[Any]:
    return list(importlib.import_module("genai_prices.data").providers)


@cache
def snapshot() -> Any:
    module = importlib.import_module("genai_prices.data_snapshot")
    return module.DataSnapshot(providers=providers(), from_auto_update=False)


@cache
def models() -> list[tuple[str, Any]]:
    return [(provider.id, model) for provider in providers() for model in provider.models]


ROOT = Path(__file__).parents[2]
BOOK = PriceBook.load(read_shipped_prices())
MOMENTS = [
    datetime(2025, 5, 1, 2, tzinfo=UTC),
    datetime(2026, 10, 13, 17, tzinfo=UTC),
    datetime(2026, 11, 23, 2, tzinfo=UTC),
    datetime(2027, 6, 1, 8, tzinfo=UTC),
]
CONTEXTS: list[dict[str, str]] = [
    {},
    {"service_tier": "priority"},
    {"service_tier": "flex"},
    {"service_tier": "fast"},
    {"processing": "batch"},
    {"speed": "fast"},
    {"service_tier": "flex", "processing": "batch"},
    {"route": "mistral/eu"},
]
NAMES = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "reasoning_tokens": "output_reasoning_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "input_image_tokens": "input_image_tokens",
    "output_image_tokens": "output_image_tokens",
    "input_video_tokens": "input_video_tokens",
    "output_video_tokens": "output_video_tokens",
    "citation_tokens": "output_citation_tokens",
    "web_searches": "web_searches",
    "file_searches": "storage_searches",
    "input_characters": "input_characters",
}
BY_UNIT = {"input_audio_hours", "input_mchars"}
MEDIA = [
    f"{direction}_{medium}"
    for direction in ("input", "output")
    for medium in ("audio", "image", "video")
]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """tools/prices.py."""
    spec = importlib.util.spec_from_file_location("prices_tool", ROOT / "tools" / "prices.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shipped_file_is_what_the_pinned_package_compiles_to(tool: ModuleType) -> None:
    present = msgspec.json.decode(read_shipped_prices())
    installed = version("genai-prices")
    assert present["version"] == installed, "run tools/prices.py"
    day = date.fromisoformat(present["date"])
    assert read_shipped_prices() == tool.compiled(installed, day), "run tools/prices.py"


def test_refreshing_keeps_the_date_while_the_version_stays(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "FILE", tmp_path / "prices.json")
    today = datetime.now(UTC).date()
    assert tool.taken("0") >= today
    assert tool.main() == 0
    installed = version("genai-prices")
    old = tool.FILE.read_bytes().replace(tool.taken(installed).isoformat().encode(), b"2020-01-02")
    tool.FILE.write_bytes(old)
    assert tool.main() == 0
    assert tool.FILE.read_bytes() == old
    assert tool.taken("another version") >= today


def test_a_new_kind_of_price_stops_the_refresh(tool: ModuleType) -> None:
    with pytest.raises(SystemExit, match="moods_mtok"):
        tool._rates(genai_prices.types.ModelPrice(moods_mtok=Decimal(1)))


def random_usage(chance: random.Random, rates: set[str]) -> Usage:
    priced_output = "output_mtok" in rates
    is_hour_priced = "cache_write_mtok" not in rates or "cache_write_1h_mtok" in rates
    into = chance.choice([0, 1, 17, 1000, 32_001, 128_001, 200_000, 200_001, 272_001, 10**6])
    into += chance.randrange(50)
    out = chance.randrange(5000) if priced_output else 0
    read = chance.choice([0, chance.randint(0, into)])
    write = chance.choice([0, chance.randint(0, into - read)])
    return Usage(
        input_tokens=into,
        output_tokens=out,
        cache_read_tokens=read or None,
        cache_write_tokens=write or None,
        cache_write_1h_tokens=chance.choice([None, chance.randint(0, write * is_hour_priced)]),
        reasoning_tokens=chance.choice([None, chance.randint(0, out)]),
    )


def media_usage(chance: random.Random, rates: set[str]) -> Usage:
    """With tokens of those media only that have a rate: we know no price for others."""
    into, out = chance.randrange(5000), chance.randrange(5000) if "output_mtok" in rates else 0
    left, counts = {"input": into, "output": out}, dict[str, int]()
    for part in MEDIA:
        if f"{part}_mtok" in rates:
            direction = part.partition("_")[0]
            counts[f"{part}_tokens"] = number = chance.randint(0, left[direction])
            left[direction] -= number
    return Usage(input_tokens=into, output_tokens=out, **counts)


def fitting_usage(chance: random.Random, rates: set[str]) -> Usage:
    """A usage that the rates can price whole."""
    if "input_mchars" in rates:
        return Usage(input_characters=chance.randrange(5000))
    if "input_audio_hours" in rates and "input_mtok" not in rates:
        return Usage(audio_seconds=Decimal(chance.randrange(10, 5000)))
    if any(f"{part}_mtok" in rates for part in MEDIA):
        usage = media_usage(chance, rates)
    else:
        usage = random_usage(chance, rates)
    if "web_searches_kcount" in rates:
        usage = replace(usage, web_searches=chance.randrange(4))
    if "storage_searches_kcount" in rates:
        usage = replace(usage, file_searches=chance.randrange(4))
    if "input_mtok" in rates:
        return usage
    return Usage(input_tokens=0, output_tokens=usage.output_tokens)


def is_priced_under(model: Any, at: datetime, context: dict[str, str]) -> bool:
    """The package has a variant for all of the context. Where it has none, it takes the standard
    price, and we know no price."""
    priced = set[str]()
    for variant in model.price_variants or ():
        start = getattr(variant.constraint, "start_date", date.min)
        has_rates = bool(vars(variant.prices))
        if has_rates and variant.when.items() <= context.items() and start <= at.date():
            priced |= variant.when.keys()
    return priced == context.keys()


def theirs(usage: Usage, provider: str, model: str, at: datetime, context: Any) -> Decimal:
    known = {
        name: value for ours, name in NAMES.items() if (value := getattr(usage, ours)) is not None
    }
    if usage.audio_seconds is not None:
        known["audio_seconds"] = known["input_audio_seconds"] = usage.audio_seconds
    return genai_prices.calc_price(
        genai_prices.types.Usage(**known),
        model,
        provider_id=provider,
        genai_request_timestamp=at,
        price_context=context or None,
    ).total_price


def spellings(match: Any) -> Iterator[str]:
    """Names that a rule was written for."""
    for part in getattr(match, "or_", None) or getattr(match, "and_", None) or []:
        yield from spellings(part)
    yield from (text for key, text in vars(match).items() if key not in ("or_", "and_", "regex"))


def name_of(provider: str, model: Any) -> str:
    """A name that the package resolves to this model: its id, or one that its rule names."""
    names = (model.id, *spellings(model.match))
    return next(name for name in names if their_model(provider, name) == model.id)


def their_model(provider: str, name: str) -> str | None:
    try:
        return snapshot().find_provider_model(name, None, provider, None)[1].id
    except LookupError:
        return None


NO_RATE = {
    "cerebras/qwen-3-coder-480b",
    "google/gemma-3",
    "google/gemma-3n",
    "huggingface_together/ServiceNow-AI/Apriel-1.6-15b-Thinker",
    "huggingface_together/prism-ml/Ternary-Bonsai-27B-AWQ-4bit",
    "huggingface_together/prism-ml/Ternary-Bonsai-27B-gguf",
    "openrouter/gemini-2.5-pro-exp-03-25",
    "openrouter/google/gemini-flash-1.5-8b-exp",
    "openrouter/google/lyria-3-clip-preview",
    "openrouter/google/lyria-3-pro-preview",
    "openrouter/stealth/crouton-alpha",
}
"""The package lists no rate for them and computes zero; nothing says that they are free, so with us
their price is unknown."""


def listed_rates(model: Any, at: datetime) -> set[str]:
    return set(vars(model.get_prices(at)))


def is_left_out(provider: str, model: Any, at: datetime) -> bool:
    """On purpose: those without a rate, and those priced by pages, messages, searches or hours of a
    session only, of which no call's usage knows anything."""
    rates = listed_rates(model, at)
    is_known = bool(rates & {"input_mtok", "output_mtok", *BY_UNIT})
    return f"{provider}/{model.id}" in NO_RATE or (bool(rates) and not is_known)


def test_every_model_costs_what_the_package_says() -> None:
    chance = random.Random(20261123)
    compared, skipped = 0, set[str]()
    for provider, model in models():
        name = name_of(provider, model)
        for at in MOMENTS:
            context = chance.choice(CONTEXTS)
            if not is_priced_under(model, at, context):
                assert not BOOK.find(provider, name, at.timestamp(), conditions=context) or (
                    provider == "groq"  # one of its tiers is published to cost the same
                )
                context = {}
            price = BOOK.find(provider, name, at.timestamp(), conditions=context)
            if is_left_out(provider, model, at):
                skipped.add(f"{provider}/{model.id}")
                assert price is None, (provider, name)
                continue
            assert price is not None, (provider, name, at)
            usage = fitting_usage(chance, listed_rates(model, at))
            expected = theirs(usage, provider, name, at, context)
            if usage.audio_seconds is not None:
                expected = expected.quantize(LEAST)
            assert price.cost(usage) == expected, (provider, name, at, context, usage)
            compared += 1
    assert compared > 4 * 2200
    assert skipped >= NO_RATE
    assert len(skipped - NO_RATE) < 40, skipped


def test_models_that_price_sound_cost_the_same_with_cached_text() -> None:
    chance = random.Random(5)
    sounding = [
        (provider, model)
        for provider, model in models()
        if "input_audio_mtok" in listed_rates(model, MOMENTS[2])
    ]
    assert len(sounding) > 15
    for provider, model in sounding:
        usage = random_usage(chance, listed_rates(model, MOMENTS[2]))
        name = name_of(provider, model)
        price = BOOK.find(provider, name, MOMENTS[2].timestamp())
        assert price is not None
        assert price.cost(usage) == theirs(usage, provider, name, MOMENTS[2], None)


def our_model(provider: str, name: str) -> str | None:
    listing = BOOK._cached_search(provider, name)
    return None if listing is None else listing.model.id


SPELLINGS = [
    "{}",
    "{}",
    "{}",
    "{}-20251211",
    "{}-2025-12-11",
    "{}:free",
    "x/{}",
    "{}-latest",
    "{}@001",
]


def test_names_find_the_model_that_the_package_finds() -> None:
    chance = random.Random(9)
    ids = [provider.id for provider in providers()]
    hits = 0
    for _ in range(2000):
        home, model = chance.choice(models())
        provider = chance.choice([home, home, "azure", "google", chance.choice(ids)])
        name = chance.choice(SPELLINGS).format(model.id)
        if chance.random() < 0.3:
            name = name.upper()
        expected = their_model(provider, name)
        assert our_model(provider, name) == expected, (provider, name)
        hits += expected is not None
    assert 300 < hits < 1700
