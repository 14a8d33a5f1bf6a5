"""The cost of a call: by the model that answered and the conditions of the call, or the reason why
it is unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from headway.metering.configured_prices import ConfiguredPrice, ConfiguredRates
from headway.metering.cost import BilledCall, find_cost
from headway.metering.metrics import CallCost
from headway.metering.prices import PriceBook, read_shipped_prices
from headway.types import Usage
from support.for_each import for_each

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
MILLION = Usage(input_tokens=10**6, output_tokens=0)
OVERRIDES = {
    "mine": {
        "gpt-4o": ConfiguredPrice(input=Decimal(7), output=Decimal(7)),
        "alias": ConfiguredPrice(input=Decimal(8), output=Decimal(8)),
        "empty": ConfiguredPrice(cached=Decimal(1)),
    }
}
BOOK = PriceBook.load(read_shipped_prices(), OVERRIDES, {"base": "gpt-4o"})


def cost(
    price_id: str | None,
    model: str,
    answered: str | None = None,
    usage: Usage = MILLION,
    provider: str = "any",
    tier: str | None = None,
    **endpoint: str,
) -> CallCost:
    call = BilledCall(price_id, provider, model, answered, NOW, tier, endpoint)
    return find_cost(BOOK, call, usage)


def known(found: CallCost) -> Decimal:
    assert found.unknown_reason is None, found
    assert found.usd is not None
    return found.usd


# provider, the model asked for, the one that answered, dollars per million input tokens
ANSWERED = [
    ("openai", "gpt-5", "gpt-5-2025-08-07", "1.25"),
    ("openai", "gpt-5", "gpt-5-2027-01-01", "1.25"),
    ("openai", "gpt-5", "", "1.25"),
    ("openai", "gpt-5", None, "1.25"),
    ("openai", "gpt-4o", "gpt-4o-2024-05-13", "5"),
    ("openai", "gpt-4o-2024-05-13", "gpt-4o", "5"),
    ("openai", "gpt-5", "gpt-5-mini-2025-08-07", "0.25"),
    ("openai", "my-alias", "gpt-5-mini", "0.25"),
    ("azure", "production", "gpt-4o-mini-2024-07-18", "0.15"),
    ("azure", "model-router", "gpt-5-nano-2025-08-07", "0.05"),
    ("azure", "gpt-4o", "gpt-4.1-2025-04-14", "2"),
    ("openrouter", "openrouter/auto", "anthropic/claude-sonnet-4.5", "6"),
    ("openrouter", "openai/gpt-4o", "anthropic/claude-4.5-haiku-20251001", "1"),
    ("openrouter", "anthropic/claude-haiku-4.5:nitro", "anthropic/claude-haiku-4.5", "1"),
    ("openrouter", "anthropic/claude-haiku-4.5:floor", "anthropic/claude-haiku-4.5:floor", "1"),
    ("openrouter", "qwen/qwq-32b:free", "qwen/qwq-32b", "0"),
    ("google", "models/gemini-2.5-flash", "gemini-2.5-flash", "0.3"),
    ("google", "gemini-2.5-flash", "gemini-2.5-flash-001", "0.3"),
    ("google", "models/gemini-2.5-flash", None, "0.3"),
    ("google", "gemini-flash-latest", "gemini-3.8-flash", "0.75"),
    ("mistral", "mistral-large-latest", "mistral-large-2512", "0.5"),
    ("x-ai", "grok-4", "grok-4-0709", "3"),
    (
        "aws",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "claude-sonnet-4-5-20250929",
        "3",
    ),
    ("aws", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929", "3.3"),
    (
        "aws",
        "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-5",
        None,
        "5.5",
    ),
    (
        "fireworks",
        "accounts/fireworks/models/deepseek-v3p2",
        "deepseek-v3p2",
        "0.56",
    ),
]


@for_each(("price_id", "model", "answered", "dollars"), ANSWERED)
def test_the_price_is_that_of_the_model_that_answered(
    price_id: str, model: str, answered: str | None, dollars: str
) -> None:
    assert known(cost(price_id, model, answered)) == Decimal(dollars)


UNKNOWN_MODELS = [
    ("openai", "gpt-5", "gpt-99", "answered by gpt-99, for which there is no price"),
    ("openai", "gpt-99", "gpt-98", "no price for the model gpt-98"),
    ("openai", "gpt-99", None, "no price for the model gpt-99"),
    ("openrouter", "openrouter/auto", "x/y", "no price for the model x/y"),
    (None, "any", "other", "no price for the model other"),
    ("openai", "whisper-1", None, "the number of seconds of audio is unknown"),
]


@pytest.mark.parametrize(("price_id", "model", "answered", "reason"), UNKNOWN_MODELS)
def test_the_cost_of_an_unpriced_model_is_unknown(
    price_id: str | None, model: str, answered: str | None, reason: str
) -> None:
    found = cost(price_id, model, answered)
    assert (found.usd, found.source, found.unknown_reason) == (None, None, reason)


CONFIGURED = [
    ("gpt-4o", None, "7"),
    ("gpt-4o", "gpt-4o-2024-05-13", "7"),
    ("gpt-4o", "/models/some-file", "7"),
    ("gpt-5", "gpt-4o", "7"),
    ("alias", "gpt-5", "8"),
    ("gpt-4o", "alias", "8"),
    ("gpt-4o", "gpt-5-mini", "0.25"),
]


@pytest.mark.parametrize(("model", "answered", "dollars"), CONFIGURED)
def test_a_configured_price_counts_unless_another_known_model_answered(
    model: str, answered: str | None, dollars: str
) -> None:
    assert known(cost("openai", model, answered, provider="mine")) == Decimal(dollars)


def test_a_configured_price_holds_in_every_region_but_not_for_another_tier() -> None:
    assert known(cost("openai", "gpt-4o", provider="mine", region="eu")) == 7
    reason = cost("openai", "gpt-4o", provider="mine", tier="flex").unknown_reason
    assert reason == "no price for service tier flex of gpt-4o"
    assert cost("openai", "empty", provider="mine").unknown_reason == "no price for the model empty"


TIERED = ConfiguredPrice(
    input=Decimal(4),
    output=Decimal(8),
    input_audio=Decimal(9),
    output_image=Decimal(30),
    web_searches=Decimal(10),
    tiers={
        "Flex": ConfiguredRates(input=Decimal(2), output=Decimal(4)),
        "fast": ConfiguredRates(input=Decimal(12), output=Decimal(4)),
    },
)


def test_a_configured_price_may_have_tiers_and_rates_of_media() -> None:
    prices = PriceBook.load(read_shipped_prices(), {"mine": {"m": TIERED}})

    def price(usage: Usage, tier: str | None = None) -> CallCost:
        return find_cost(prices, BilledCall(None, "mine", "m", None, NOW, tier), usage)

    assert known(price(MILLION)) == 4
    assert known(price(MILLION, "FLEX")) == 2
    assert known(price(told(speed="fast"))) == 12
    assert price(MILLION, "flex").computed.price.conditions == ("Flex",)  # type: ignore[union-attr]
    assert price(told(speed="fast"), "flex").usd is None
    assert price(MILLION, "priority").unknown_reason == "no price for service tier priority of m"
    heard = Usage(input_tokens=10**6, output_tokens=0, input_audio_tokens=10**6, web_searches=100)
    assert known(price(heard)) == 10
    seen = Usage(input_tokens=0, output_tokens=10**6, output_image_tokens=10**6)
    assert known(price(seen)) == 30
    spoken = Usage(input_tokens=0, output_tokens=9, output_audio_tokens=9)
    assert price(spoken).unknown_reason == "no price for output audio tokens of m"


def test_a_deployments_base_model_counts_where_no_known_model_answered() -> None:
    assert known(cost("openai", "prod", provider="base")) == Decimal("2.5")
    assert known(cost("openai", "prod", "prod-internal", provider="base")) == Decimal("2.5")
    assert known(cost("openai", "prod", "gpt-5-mini", provider="base")) == Decimal("0.25")


def told(**conditions: str) -> Usage:
    return Usage(input_tokens=10**6, output_tokens=0, price_conditions=conditions)


STANDARD = [None, "", "default", "standard", "auto", "on_demand", "STANDARD", "unspecified",
            "SERVICE_TIER_STANDARD"]  # fmt: skip


@pytest.mark.parametrize("tier", STANDARD)
def test_standard_tiers_have_the_standard_price(tier: str | None) -> None:
    found = cost("openai", "gpt-5", tier=tier)
    assert known(found) == Decimal("1.25")
    assert found.conditions == {}


# provider, model, service tier, conditions of the endpoint, reported conditions, dollars
PRICED = [
    ("openai", "gpt-5", "flex", {}, {}, "0.625"),
    ("openai", "gpt-5", "PRIORITY", {}, {}, "2.5"),
    ("openai", "gpt-5", "SERVICE_TIER_FLEX", {}, {}, "0.625"),
    ("openai", "gpt-6.1-sol", None, {"region": "eu"}, {}, "4.4"),
    ("openai", "gpt-6.1-sol", "flex", {"region": "us"}, {}, "2.2"),
    ("openai", "gpt-5", None, {"region": "eu"}, {}, "1.25"),
    ("anthropic", "claude-opus-5", None, {}, {"speed": "fast"}, "10"),
    ("anthropic", "claude-opus-5", None, {}, {"speed": "standard"}, "5"),
    ("anthropic", "claude-opus-5", None, {}, {"inference_geo": "us"}, "5.5"),
    ("anthropic", "claude-opus-5", None, {}, {"inference_geo": "us", "speed": "fast"}, "11"),
    ("anthropic", "claude-opus-5", None, {}, {"inference_geo": "global"}, "5"),
    ("anthropic", "claude-sonnet-4-5", None, {}, {"inference_geo": "not_available"}, "6"),
    ("google", "claude-haiku-4-5", None, {"region": "us-east5"}, {}, "1.1"),
    ("google", "claude-sonnet-5", None, {"region": "eu"}, {}, "2.2"),
    ("google", "gemini-2.5-flash", None, {"region": "us-central1"}, {}, "0.3"),
    ("groq", "openai/gpt-oss-120b", "flex", {}, {}, "0.15"),
]


@for_each(("price_id", "model", "tier", "endpoint", "reported", "dollars"), PRICED)
def test_conditions_have_their_published_price(
    price_id: str,
    model: str,
    tier: str | None,
    endpoint: dict[str, str],
    reported: dict[str, str],
    dollars: str,
) -> None:
    found = cost(price_id, model, None, told(**reported), tier=tier, **endpoint)
    assert known(found) == Decimal(dollars)
    assert found.computed is not None
    assert found.source == "computed"


def test_the_price_says_which_conditions_it_has() -> None:
    found = cost("anthropic", "claude-opus-5", None, told(speed="fast", inference_geo="us"))
    assert found.computed is not None
    assert found.computed.price.conditions == ("speed: fast", "inference_geo: times 1.1")
    assert found.conditions == {"speed": "fast", "inference_geo": "us"}


UNPRICED = [
    ("openai", "gpt-5-pro", "priority", {}, {}, "service tier priority of gpt-5-pro"),
    ("openai", "gpt-5", "scale", {}, {}, "service tier scale of gpt-5"),
    ("openai", "gpt-audio", None, {"region": "eu"}, {}, "region eu of gpt-audio"),
    ("azure", "gpt-5", "priority", {}, {}, "service tier priority of gpt-5"),
    ("anthropic", "claude-opus-4-6", None, {}, {"speed": "fast"}, "speed fast of claude-opus-4-6"),
    ("anthropic", "claude-opus-5", "priority", {}, {}, "service tier priority of claude-opus-5"),
    (
        "google",
        "gemini-2.5-flash",
        None,
        {},
        {"traffic_type": "provisioned_throughput"},
        "traffic type provisioned_throughput of gemini-2.5-flash",
    ),
]


@pytest.mark.parametrize(("price_id", "model", "tier", "endpoint", "reported", "what"), UNPRICED)
def test_a_condition_without_a_price_makes_the_cost_unknown(
    price_id: str,
    model: str,
    tier: str | None,
    endpoint: dict[str, str],
    reported: dict[str, str],
    what: str,
) -> None:
    found = cost(price_id, model, None, told(**reported), tier=tier, **endpoint)
    assert (found.usd, found.unknown_reason) == (None, f"no price for {what}")


def test_a_reported_condition_counts_before_one_of_the_endpoint() -> None:
    found = cost("anthropic", "claude-opus-5", None, told(service_tier="flex"), tier="default")
    assert found.unknown_reason == "no price for service tier flex of claude-opus-5"


def test_a_reported_cost_is_shown_beside_the_reason_why_none_is_computed() -> None:
    usage = Usage(input_tokens=1, output_tokens=1, cost_usd=Decimal("0.5"))
    found = cost("openai", "gpt-99", usage=usage)
    assert (found.usd, found.source, found.computed) == (Decimal("0.5"), "provider", None)
    assert found.unknown_reason == "no price for the model gpt-99"


def test_tokens_that_are_unknown_or_without_a_rate_are_the_reason() -> None:
    assert cost("openai", "gpt-5", usage=Usage()).unknown_reason == (
        "the number of input tokens is unknown"
    )
    usage = Usage(input_tokens=9, output_tokens=9, output_audio_tokens=9)
    assert cost("openai", "gpt-4o-audio-preview", usage=usage).unknown_reason == (
        "no price for output audio tokens of gpt-4o-audio-preview"
    )
