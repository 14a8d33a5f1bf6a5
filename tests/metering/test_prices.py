from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from headway.metering.configured_prices import ConfiguredPrice
from headway.metering.price_data import (
    DatedRates,
    Model,
    ModelMatcher,
    PriceData,
    Provider,
    Rates,
    RateVariant,
)
from headway.metering.prices import (
    MAX_CACHED_LOOKUPS,
    MAX_NAME_LENGTH,
    CatalogModel,
    PriceBook,
    read_shipped_prices,
)
from headway.types import Usage
from support.for_each import for_each


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOW = unix("2026-11-23T12:00:00")
BOOK = PriceBook.load(read_shipped_prices())


def used(into: int, out: int, **more: int) -> Usage:
    return Usage(input_tokens=into, output_tokens=out, **more)


WRITTEN = {"cache_write_tokens": 4000, "cache_read_tokens": 7000}

# provider, model, day, usage, dollars
GOLDEN = [
    ("openai", "gpt-3.5-turbo", "2026-11-23", used(6, 26), "0.000042"),
    ("openai", "gpt-4o", "2026-11-23", used(10_000, 500, cache_read_tokens=8000), "0.020"),
    ("openai", "gpt-4o-2024-08-06", "2026-11-23", used(10_000, 0), "0.025"),
    ("anthropic", "claude-sonnet-4-5", "2026-11-23", used(12_000, 300, **WRITTEN), "0.0246"),
    (
        "anthropic",
        "claude-sonnet-4-5",
        "2026-11-23",
        used(12_000, 300, cache_write_1h_tokens=4000, **WRITTEN),
        "0.0336",
    ),
    ("google", "gemini-2.5-pro", "2026-11-23", used(250_000, 1000), "0.640"),
    ("google", "gemini-2.5-pro", "2026-11-23", used(150_000, 1000), "0.1975"),
    ("openai", "o3", "2025-05-01", used(10**6, 10**6), "50"),
    ("openai", "o3", "2025-06-09T23:59:59", used(10**6, 10**6), "50"),
    ("openai", "o3", "2025-06-10", used(10**6, 10**6), "10"),
    ("openai", "o3", "2026-11-23", used(10**6, 10**6), "10"),
    ("openai", "o3", "2026-11-23", used(10**6, 10**6, reasoning_tokens=900_000), "10"),
    ("openrouter", "qwen/qwq-32b:free", "2026-11-23", used(1000, 1000), "0"),
]


@for_each(("provider", "model", "day", "usage", "dollars"), GOLDEN)
def test_golden_costs(provider: str, model: str, day: str, usage: Usage, dollars: str) -> None:
    price = BOOK.find(provider, model, unix(day))
    assert price is not None
    assert price.cost(usage) == Decimal(dollars)


def test_a_price_has_its_source_and_date() -> None:
    dated = BOOK.find("openai", "o3", NOW)
    plain = BOOK.find("openai", "gpt-4o", NOW)
    assert dated is not None
    assert plain is not None
    assert (dated.source, dated.date) == (BOOK.source, "2025-06-10")
    assert BOOK.source.startswith("genai-prices ")
    assert plain.date == msgspec.json.decode(read_shipped_prices())["date"]
    assert (plain.origin.model, plain.tiered) == ("gpt-4o", False)
    tiered = BOOK.find("google", "gemini-2.5-pro", NOW)
    assert tiered is not None
    assert tiered.tiered


NOT_FOUND = [
    (None, "gpt-4o"),
    ("no-such-provider", "gpt-4o"),
    ("openai", "no-such-model"),
    ("openai", ""),
    ("anthropic", "claude-sonnet-4-5-".ljust(MAX_NAME_LENGTH + 1, "x")),
    ("openai", "gpt-live-1"),
]


@pytest.mark.parametrize(("price_id", "model"), NOT_FOUND)
def test_an_unknown_price_is_none(price_id: str | None, model: str) -> None:
    assert BOOK.find(price_id, model, NOW) is None


def test_a_name_of_the_maximum_length_is_looked_up() -> None:
    longest = "claude-sonnet-4-5-".ljust(MAX_NAME_LENGTH, "x")
    assert BOOK.find("anthropic", longest, NOW) is not None
    assert BOOK.describe("anthropic", longest, NOW).input == 3


def test_names_match_in_any_case_and_any_spelling_of_their_date() -> None:
    assert BOOK.find("openai", "GPT-4o", NOW) is not None
    dashed = BOOK.find("openai", "gpt-5.4-2026-03-05", NOW)
    assert dashed is not None
    assert BOOK.find("openai", "gpt-5.4-20260305", NOW) == dashed
    assert BOOK.find("openai", "gpt-5.4-20261399", NOW) is None


# --- A book of our own, small enough to see -------------------------------------------------------


def model(name: str, rate: int, **more: object) -> Model:
    prices = [DatedRates(rates=Rates(input=Decimal(rate), output=Decimal(rate)))]
    plain = {"id": name, "match": ModelMatcher(equals=name), "prices": prices}
    return Model(**{**plain, **more})  # type: ignore[arg-type]


def book(**providers: Provider) -> bytes:
    raw = {name: msgspec.Raw(msgspec.json.encode(one)) for name, one in providers.items()}
    day = datetime(2026, 1, 2, tzinfo=UTC).date()
    return msgspec.json.encode(PriceData(source="test", version="1", date=day, providers=raw))


def rate(found: PriceBook, price_id: str, name: str, at: float = NOW, **conditions: str) -> object:
    price = found.find(price_id, name, at, conditions=conditions)
    return None if price is None else price.cost(used(10**6, 0))


def test_a_provider_falls_back_on_those_whose_models_it_offers_one_step_deep() -> None:
    first = Provider(name="A", fallback=["b", "missing"], models=[model("own", 1)])
    second = Provider(name="B", fallback=["c"], models=[model("own", 2), model("theirs", 2)])
    third = Provider(name="C", models=[model("far", 3)])
    found = PriceBook.load(book(a=first, b=second, c=third))
    assert rate(found, "a", "own") == 1
    assert rate(found, "a", "theirs") == 2
    assert rate(found, "a", "far") is None
    assert rate(found, "b", "far") == 3


def test_the_first_model_that_matches_counts() -> None:
    either = model("general", 1, match=ModelMatcher(contains="x"))
    found = PriceBook.load(book(a=Provider(name="A", models=[either, model("x", 2)])))
    assert rate(found, "a", "x") == 1


def dated(day: str, amount: int) -> DatedRates:
    start = datetime.fromisoformat(day).date()
    return DatedRates(start=start, rates=Rates(input=Decimal(amount), output=Decimal(0)))


def test_of_the_prices_in_force_the_last_counts_and_the_first_if_none_is() -> None:
    prices = [dated("2025-01-01", 1), dated("2025-06-01", 2), dated("2026-01-01", 3)]
    found = PriceBook.load(book(a=Provider(name="A", models=[model("m", 0, prices=prices)])))
    days = ["2020-01-01", "2025-02-01", "2025-06-01", "2025-12-31T23:59:59", "2026-01-01"]
    assert [rate(found, "a", "m", unix(day)) for day in days] == [1, 1, 2, 2, 3]


def variant(amount: str, day: str | None = None, **when: str) -> RateVariant:
    start = datetime.fromisoformat(day).date() if day else None
    return RateVariant(when=when, start=start, rates=Rates(input=Decimal(amount)))


def test_variants_replace_rates_under_their_conditions() -> None:
    variants = [
        variant("7", "2026-01-01", service_tier="priority"),
        variant("6", service_tier="priority"),
        variant("3", service_tier="flex", processing="batch"),
        variant("5", service_tier="flex"),
    ]
    found = PriceBook.load(book(a=Provider(name="A", models=[model("m", 4, variants=variants)])))
    assert rate(found, "a", "m") == 4
    assert rate(found, "a", "m", service_tier="nonsense") is None
    assert rate(found, "a", "m", service_tier="flex", region="eu") is None
    assert rate(found, "a", "m", service_tier="priority") == 7
    assert rate(found, "a", "m", unix("2025-12-31"), service_tier="priority") == 6
    assert rate(found, "a", "m", service_tier="flex") == 5
    assert rate(found, "a", "m", service_tier="flex", processing="batch") == 3
    price = found.find("a", "m", NOW, conditions={"service_tier": "priority"})
    assert price is not None
    assert price.date == "2026-01-01"
    assert price.origin.conditions == ("service_tier: priority",)
    assert price.cost(used(0, 10**6)) == 4


def test_variants_apply_at_the_original_provider_only() -> None:
    maker = Provider(name="B", models=[model("m", 4, variants=[variant("7", speed="fast")])])
    found = PriceBook.load(book(a=Provider(name="A", fallback=["b"], models=[]), b=maker))
    assert rate(found, "b", "m", speed="fast") == 7
    assert rate(found, "a", "m", speed="fast") is None
    assert rate(found, "a", "m") == 4


def test_a_model_without_rates_for_tokens_has_no_price() -> None:
    bare = [model("none", 0, prices=[]), model("empty", 0, prices=[DatedRates(rates=Rates())])]
    found = PriceBook.load(book(a=Provider(name="A", models=bare)))
    assert found.find("a", "none", NOW) is None
    assert found.find("a", "empty", NOW) is None


# --- Configured prices ----------------------------------------------------------------------------

OVERRIDES = {
    "mine": {
        "gpt-4o": ConfiguredPrice(
            input=Decimal("0.5"), output=Decimal(1), cached=Decimal("0.1"), cache_write=Decimal(2)
        ),
        "own": ConfiguredPrice(input=Decimal(0), output=Decimal(0)),
        "o3": ConfiguredPrice(output=Decimal(1)),
        "o4-mini": ConfiguredPrice(cached=Decimal(1)),
    }
}


def test_a_configured_price_wins_for_its_provider_and_model_alone() -> None:
    found = PriceBook.load(read_shipped_prices(), OVERRIDES)
    price = found.find("openai", "gpt-4o", NOW, provider="mine")
    assert price is not None
    assert (price.source, price.date, price.origin.model) == ("configured", None, "gpt-4o")
    usage = used(10, 10, cache_read_tokens=4, cache_write_tokens=1)
    assert price.cost(usage) == Decimal("14.9") / 10**6
    for provider, name in [("other", "gpt-4o"), (None, "gpt-4o"), ("mine", "gpt-4o-mini")]:
        elsewhere = found.find("openai", name, NOW, provider=provider)
        assert elsewhere is not None
        assert elsewhere.source == found.source


def test_a_configured_price_replaces_the_whole_and_leaves_the_rest_unknown() -> None:
    found = PriceBook.load(read_shipped_prices(), OVERRIDES)
    half = found.find("openai", "o3", NOW, provider="mine")
    assert half is not None
    assert half.cost(used(10, 10)) is None
    assert half.cost(used(0, 10)) == Decimal("0.00001")
    assert found.find("openai", "o4-mini", NOW, provider="mine") is None


@for_each("kind", ["input_image_tokens", "input_video_tokens"])
def test_images_and_video_cost_the_configured_rate_of_input(kind: str) -> None:
    price = PriceBook.load(read_shipped_prices(), OVERRIDES).find(
        "x", "gpt-4o", NOW, provider="mine"
    )
    assert price is not None
    assert price.cost(used(10, 0, **{kind: 4})) == Decimal("0.000005")


def test_a_configured_price_needs_no_data_and_may_be_zero() -> None:
    price = PriceBook.load(read_shipped_prices(), OVERRIDES).find(None, "own", NOW, provider="mine")
    assert price is not None
    assert price.cost(used(10, 10, cache_read_tokens=10)) == 0


def test_a_deployment_has_the_price_of_its_model() -> None:
    overrides = {"mine": {"priced": ConfiguredPrice(input=Decimal(7))}}
    found = PriceBook.load(read_shipped_prices(), overrides, {"mine": "gpt-4o", "lost": "nonesuch"})
    base_models = BOOK.find("openai", "gpt-4o", NOW)
    for _ in range(2):  # the second time it is remembered
        assert found.find("openai", "smart", NOW, provider="mine") == base_models
        assert found.find("openai", "smart", NOW, provider="other") is None
        assert found.find("openai", "smart", NOW) is None
        assert found.find("openai", "smart", NOW, provider="lost") is None
        assert found.find("openai", "gpt-4o-mini", NOW, provider="mine") == BOOK.find(
            "openai", "gpt-4o-mini", NOW
        ), "a name that the data knows says more"
        priced = found.find("openai", "priced", NOW, provider="mine")
        assert priced is not None
        assert priced.rates.input == Decimal(7), "what is configured of it says most"
    shown = found.describe("openai", "smart", NOW, provider="mine")
    assert shown.context_window == BOOK.describe("openai", "gpt-4o", NOW).context_window
    assert shown.id == "smart"
    assert found.describe("openai", "smart", NOW, provider="lost").context_window is None


# --- Memory and laziness --------------------------------------------------------------------------


def test_model_names_that_clients_choose_do_not_pile_up() -> None:
    found = PriceBook.load(book(a=Provider(name="A", models=[model("m", 1)])))
    for number in range(MAX_CACHED_LOOKUPS + 100):
        assert found.find("a", f"made-up-{number}", NOW) is None
        assert found.find("b", f"made-up-{number}", NOW, conditions={"k": str(number)}) is None
    assert len(found._searches) == MAX_CACHED_LOOKUPS
    assert rate(found, "a", "m") == 1
    for number in range(MAX_CACHED_LOOKUPS + 1):
        assert found.find("a", "m", NOW, provider=f"p-{number}") is not None
    assert len(found._constant) < MAX_CACHED_LOOKUPS
    for number in range(100):
        assert rate(found, "a", "m", service_tier=str(number)) is None
    assert len(found._cached_search("a", "m")._compiled) == 1  # type: ignore[union-attr]


def test_a_price_is_compiled_once() -> None:
    assert BOOK.find("openai", "gpt-4o", NOW) is BOOK.find("openai", "gpt-4o", NOW + 60)


def test_a_provider_is_read_only_when_asked_for() -> None:
    broken = book(a=Provider(name="A", models=[model("m", 1)])).replace(b"}}}", b'},"b":{"x":1}}}')
    found = PriceBook.load(broken)
    assert rate(found, "a", "m") == 1
    with pytest.raises(msgspec.ValidationError):
        found.find("b", "m", NOW)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"source":1}'])
def test_data_that_is_no_price_book_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        PriceBook.load(data)


# --- The catalogue --------------------------------------------------------------------------------


def test_the_catalogue_lists_models_with_their_window_and_price_of_the_day() -> None:
    by_id = {one.id: one for one in BOOK.models("openai", NOW)}
    assert by_id["o3"] == CatalogModel(
        id="o3",
        name="o3",
        context_window=200_000,
        input=Decimal(2),
        output=Decimal(8),
        cached=Decimal("0.5"),
        cache_write=None,
        deprecated=False,
        rates=Rates(
            input=Decimal(2),
            output=Decimal(8),
            cache_read=Decimal("0.5"),
            web_searches=Decimal(10),
            file_searches=Decimal("2.5"),
        ),
    )
    then = {one.id: one for one in BOOK.models("openai", unix("2025-05-01"))}
    assert (then["o3"].input, then["o3"].output) == (10, 40)
    assert by_id["moderation"].input is None
    assert list(by_id) == sorted(by_id)


def test_the_catalogue_shows_a_tiered_price_below_its_first_tier() -> None:
    by_id = {one.id: one for one in BOOK.models("google", NOW)}
    assert by_id["gemini-2.5-pro"].input == Decimal("1.25")


def test_the_catalogue_shows_the_name_to_call_a_model_by() -> None:
    rule = ModelMatcher(any_of=[ModelMatcher(contains="x."), ModelMatcher(equals="path/to/label")])
    models = [
        model("Plain", 1, match=ModelMatcher(equals="plain")),
        model("label", 2, match=rule),
        model("other label", 3, match=ModelMatcher(equals="whole name")),
        model("no name", 4, match=ModelMatcher(contains="eu.")),
    ]
    found = PriceBook.load(book(a=Provider(name="A", models=models)))
    assert [(one.id, one.input) for one in found.models("a", NOW)] == [
        ("Plain", 1),
        ("path/to/label", 2),
        ("whole name", 3),
    ]


def test_the_names_to_call_models_by_leave_out_what_is_deprecated() -> None:
    models = [
        model("Plain", 1, match=ModelMatcher(equals="plain")),
        msgspec.structs.replace(model("old", 1), deprecated=True),
        model("no name", 4, match=ModelMatcher(contains="eu.")),
    ]
    found = PriceBook.load(book(a=Provider(name="A", models=models)))
    assert list(found.iter_names("a")) == ["Plain"]
    live = [one.id for one in BOOK.models("openai", NOW) if not one.deprecated]
    assert list(BOOK.iter_names("openai")) == live


def test_a_configured_price_is_shown_in_the_place_of_the_datas() -> None:
    own = {"mine": {"o3": ConfiguredPrice(input=Decimal(7), cached=Decimal(1))}}
    found = PriceBook.load(read_shipped_prices(), own)
    for one in (
        next(one for one in found.models("openai", NOW, provider="mine") if one.id == "o3"),
        found.describe("openai", "o3", NOW, provider="mine"),
    ):
        assert (one.input, one.output, one.cached) == (7, None, 1)
        assert one.context_window == 200_000


def test_one_model_is_described_by_any_of_its_names() -> None:
    one = BOOK.describe("openai", "O3-2025-04-16", NOW)
    assert (one.id, one.name, one.output) == ("O3-2025-04-16", "o3", 8)


@pytest.mark.parametrize(
    ("price_id", "name"),
    [
        (None, "o3"),
        ("openai", "no such model"),
        ("anthropic", "claude-sonnet-4-5-".ljust(MAX_NAME_LENGTH + 1, "x")),
        ("nobody", "o3"),
    ],
)
def test_a_model_that_the_data_lacks_has_unknown_details(price_id: str | None, name: str) -> None:
    one = BOOK.describe(price_id, name, NOW)
    assert one.id == name
    assert (one.context_window, one.input, one.deprecated) == (None, None, None)


@pytest.mark.parametrize("price_id", [None, "no-such-provider"])
def test_the_catalogue_of_an_unknown_provider_is_empty(price_id: str | None) -> None:
    assert BOOK.models(price_id, NOW) == []
    assert list(BOOK.iter_names(price_id)) == []
