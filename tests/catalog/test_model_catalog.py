"""Models from the bundled price data and the configuration."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from catalog.gateways import NOTHING_KNOWN, answer, four_providers, listed, make, upstream
from headway.catalog import model_catalog
from headway.catalog.catalog_cache import CatalogCache
from headway.metering.prices import PriceBook, read_shipped_prices
from headway.pipeline.gateway import Gateway
from headway.providers import KINDS
from support.for_each import for_each
from support.pipeline_fakes import Pipe


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return four_providers()


def test_models_are_listed_by_provider(gateway: Gateway) -> None:
    found = answer(gateway, "/api/engine/models")
    assert list(found) == ["openai", "mine", "echo", "cohere"]
    assert list(found["openai"]) == ["name", "models", "details", "source"]
    assert found["openai"]["name"] == "OpenAI"
    assert "gpt-4o-mini" in found["openai"]["models"]
    assert list(found["openai"]["details"]) == found["openai"]["models"]
    assert found["echo"] == {
        "name": "Echo",
        "models": ["echo"],
        "details": {"echo": NOTHING_KNOWN},
        "source": "bundled",
    }


def test_configured_models_are_those_of_the_provider(gateway: Gateway) -> None:
    found = listed(gateway, "mine")
    assert (found["models"], found["source"]) == (["b", "a", "o3"], "configuration")


def test_a_model_has_its_context_window_its_prices_and_the_parameters_it_rejects(
    gateway: Gateway,
) -> None:
    assert listed(gateway, "openai")["details"]["o3"] == {
        "context_window": 200_000,
        "prices": {"input": 2.0, "output": 8.0, "cached": 0.5, "cache_write": None},
        "refuses": ["temperature", "top_p", "frequency_penalty", "presence_penalty"],
        "deprecated": False,
    }


def test_a_configured_model_has_the_configured_price_and_the_bundled_details(
    gateway: Gateway,
) -> None:
    details = listed(gateway, "mine")["details"]
    assert details["a"]["prices"] == {
        "input": 1.0,
        "output": None,
        "cached": 0.5,
        "cache_write": None,
    }
    assert details["b"] == NOTHING_KNOWN
    assert details["o3"]["context_window"] == 200_000


def test_deprecated_models_are_not_listed(gateway: Gateway) -> None:
    found = listed(gateway, "cohere")["models"]
    known = gateway.snapshot.prices.models("cohere", gateway.unix_time())
    gone = {model.id for model in known if model.deprecated}
    assert gone
    assert found
    assert not gone & set(found)


def test_a_configured_model_that_is_deprecated_is_marked() -> None:
    known = PriceBook.load(read_shipped_prices()).models("cohere", 1_800_000_000)
    gone = next(model.id for model in known if model.deprecated)
    own = make({"cohere": upstream("cohere", models=(gone,))})
    assert listed(own, "cohere")["details"][gone]["deprecated"] is True


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        ("gemini", ("gemini", "gemma")),
        ("vertex", ("gemini",)),
        ("vertex_anthropic", ("claude",)),
        ("bedrock_mantle", ("openai.",)),
    ],
)
def test_kinds_that_share_a_price_list_show_the_models_that_they_serve(
    kind: str, begins: tuple[str, ...]
) -> None:
    found = listed(make({kind: upstream(kind)}), kind)["models"]
    assert found
    assert [name for name in found if not name.startswith(begins)] == []


@for_each(
    ("name", "kind", "base_url", "has_vendor_models"),
    [
        ("mine", "openai", None, True),
        ("mine", "openai", "https://api.openai.com/v1/", True),
        ("mine", "openai", "https://eu.api.openai.com/v1", True),
        ("openai", "openai", "http://127.0.0.1:9/v1", True),
        ("mine", "openai", "http://127.0.0.1:9/v1", False),
        ("mine", "openai", "https://api.openai.com.evil.example/v1", False),
        ("mine", "openrouter", "https://eu.openrouter.ai/api/v1", True),
        ("mine", "openrouter", "https://not-openrouter.ai/api/v1", False),
        ("mine", "vertex", "https://us-central1-aiplatform.googleapis.com", True),
        ("mine", "bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com", True),
        ("mine", "bedrock", "http://own", False),
        ("mine", "azure_openai", "https://own.openai.azure.com", False),
        ("mine", "openai", "unix:/run/model.sock", False),
    ],
)
def test_a_self_hosted_server_does_not_list_the_vendors_models(
    name: str, kind: str, base_url: str | None, has_vendor_models: bool
) -> None:
    one = upstream(name, kind, base_url)
    assert model_catalog.serves_vendor_models(one) == has_vendor_models
    assert bool(listed(make({name: one}), name)["models"]) == has_vendor_models


def test_a_list_is_cached_until_its_prices_may_change() -> None:
    pipe = Pipe()
    own, prices = pipe.gateway, PriceBook.load(read_shipped_prices())
    only = {"deepseek": upstream("deepseek")}
    own.snapshot = replace(own.snapshot, prices=prices, upstreams=only)
    catalog = CatalogCache(own)
    seen: set[str] = set()
    for _ in range(48):
        found = asyncio.run(catalog.get(only, is_live=False))["deepseek"]
        assert asyncio.run(catalog.get(only, is_live=False))["deepseek"] is found
        seen.add(str([entry.details.prices for entry in found.entries]))
        pipe.clock.now += 1800
    assert len(seen) > 1  # by day and by night


def test_a_new_configuration_empties_the_cache() -> None:
    own = make({"openai": upstream("openai", models=("a",))})
    assert listed(own, "openai")["models"] == ["a"]
    again = {"openai": upstream("openai", models=("b",))}
    own.snapshot = replace(own.snapshot, upstreams=again)
    assert listed(own, "openai")["models"] == ["b"]


@for_each("kind", KINDS)
def test_any_model_name_can_be_printed(kind: str) -> None:
    names = ("", "a/b:c", "gpt-5 ü", "x" * 999, "claude-", "gemini-9.9-x")
    assert tuple(listed(make({kind: upstream(kind, models=names)}), kind)["details"]) == names
