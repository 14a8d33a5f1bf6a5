"""The flat list of models, with the names of the configuration."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from catalog.canned import Canned
from catalog.gateways import NOW, four_providers, make, upstream
from headway.catalog import model_rows
from headway.catalog.catalog_cache import CatalogCache
from headway.catalog.model_rows import ModelRow, ModelRows, TierPrices, is_usable
from headway.pipeline.gateway import Gateway
from headway.routing.model_aliases import ModelAliases
from headway.routing.route import Route, RouteTarget
from headway.routing.route_table import RouteTable


def target(provider: str, model: str, **more: object) -> RouteTarget:
    return RouteTarget(provider=provider, model=model, **more)  # type: ignore[arg-type]


def with_names(gateway: Gateway, aliases: dict[str, str], *routes: Route) -> Gateway:
    first = {route.name: route.targets[0].id for route in routes}
    gateway.snapshot = replace(
        gateway.snapshot,
        aliases=ModelAliases.from_table({**aliases, **first}),
        routes=RouteTable.from_names([(route.name, route) for route in routes]),
    )
    return gateway


def listed(rows: ModelRows, *names: str) -> dict[str, ModelRow]:
    found, errors = asyncio.run(rows.of_providers(names, is_live=False))
    assert errors == {}
    return {row.id: row for row in found}


def test_a_model_has_its_facts_from_the_price_data_its_abilities_and_its_adapter() -> None:
    row = listed(ModelRows(CatalogCache(four_providers())), "openai")["openai/o3"]
    assert (row.provider, row.provider_name, row.model, row.name) == (
        "openai", "OpenAI", "o3", "o3",
    )  # fmt: skip
    assert (row.kind, row.context_window, row.max_output) == ("chat", 200_000, 100_000)
    assert row.prices is not None
    assert (row.prices.input, row.prices.output, row.prices.tiers) == (2.0, 8.0, ())
    assert row.prices.further == {"web_searches": 10.0, "file_searches": 2.5}
    assert row.abilities == {
        "tools": True,
        "images": True,
        "documents": None,
        "audio": False,
        "json_schema": True,
        "json_object": None,
        "reasoning": True,
        "logprobs": None,
    }
    assert set(row.refuses) > {"temperature", "top_p"}
    assert list(row.parameters) == ["max_completion_tokens"]
    ranges = row.parameters["max_completion_tokens"]
    assert (ranges.name, ranges.type, ranges.minimum, ranges.maximum) == (
        "Maximum tokens", "integer", 1, None,
    )  # fmt: skip
    assert (row.usable, row.is_alias, row.is_route, row.targets) == (True, False, False, ())


def test_a_server_of_ones_own_is_asked_for_its_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_rows, "BRIEF_S", 0.05)
    answering, silent = Canned(models=(200, {"data": [{"id": "own"}]})), Canned(models=None)
    refusing = Canned(models=(401, {"error": {"message": "No."}}))
    gateway = make(
        {
            "gpu": upstream("gpu", "vllm", "http://gpu", transport=answering),
            "slow": upstream("slow", "vllm", "http://slow", transport=silent),
            "away": upstream("away", "vllm", "http://away", transport=refusing),
            "keyless": upstream("keyless", "vllm", "http://own", transport=answering,
                                has_key=False),
            "openai": upstream("openai", transport=answering),
        }
    )  # fmt: skip
    rows = ModelRows(CatalogCache(gateway))

    async def ask() -> None:
        found, errors = await rows.of_providers(list(gateway.snapshot.upstreams), is_live=False)
        assert {row.id for row in found if row.provider != "openai"} == {"gpu/own"}
        assert list(errors) == ["away"]
        again, _ = await rows.of_providers(["gpu"], is_live=False)
        assert [row.id for row in again] == ["gpu/own"]

    asyncio.run(ask())
    assert len(answering.requests) == 1


def test_a_price_in_tiers_has_each_of_them() -> None:
    gateway = make({"gemini": upstream("gemini")})
    row = listed(ModelRows(CatalogCache(gateway)), "gemini")["gemini/gemini-2.5-pro"]
    assert row.prices is not None
    assert row.prices.input == 1.25
    assert row.prices.tiers == (
        TierPrices(above=200_000, input=2.5, output=15.0, cached=row.prices.tiers[0].cached,
                   cache_write=None),
    )  # fmt: skip


def test_of_an_unknown_model_nothing_is_known() -> None:
    row = listed(ModelRows(CatalogCache(four_providers())), "mine")["mine/b"]
    assert (row.name, row.context_window, row.max_output, row.prices) == (None, None, None, None)
    assert set(row.abilities.values()) <= {None, False}


def test_rows_are_made_once_for_each_list() -> None:
    gateway = four_providers()
    rows = ModelRows(CatalogCache(gateway))
    assert listed(rows, "openai")["openai/o3"] is listed(rows, "openai")["openai/o3"]
    first = listed(rows, "openai")["openai/o3"]
    gateway.snapshot = replace(gateway.snapshot)
    assert listed(rows, "openai")["openai/o3"] is not first


def test_an_alias_is_the_model_that_it_means_listed_or_not() -> None:
    aliases = {"best": "openai/o3", "other": "mine/unlisted", "lost": "nobody/m", "g*": "openai/g*"}
    gateway = with_names(four_providers(), aliases)
    rows = ModelRows(CatalogCache(gateway))
    best, other = rows.of_configuration()
    assert best == replace(
        listed(rows, "openai")["openai/o3"], id="best", is_alias=True, targets=("openai/o3",)
    )
    assert (other.id, other.provider, other.model) == ("other", "mine", "unlisted")


def test_what_is_known_of_a_named_model_changes_with_its_price() -> None:
    gateway = with_names(four_providers(), {"best": "openai/o3"})
    catalog = CatalogCache(gateway)
    first = catalog.describe("openai", "o3")
    assert catalog.describe("openai", "o3") is first
    gateway.unix_time = lambda: NOW + 3600
    assert catalog.describe("openai", "o3") is not first


def test_a_route_can_do_what_one_of_its_targets_can() -> None:
    route = Route(
        name="smart",
        targets=(
            target("openai", "gpt-3.5-turbo", supports=frozenset({"logprobs"})),
            target("mine", "b", context_window=500_000),
            target("nobody", "m"),
        ),
    )
    gateway = with_names(four_providers(), {}, route)
    [row] = ModelRows(CatalogCache(gateway)).of_configuration()
    assert (row.id, row.is_route, row.is_alias, row.kind) == ("smart", True, False, "chat")
    assert (row.provider, row.model, row.prices) == (None, None, None)
    assert (row.context_window, row.max_output) == (500_000, 4096)
    assert (row.abilities["logprobs"], row.abilities["images"]) == (True, None)
    assert row.targets == ("openai/gpt-3.5-turbo", "mine/b", "nobody/m")
    assert "temperature" in row.parameters
    assert row.usable


def test_a_route_none_of_whose_providers_exists_cannot_be_used() -> None:
    route = Route(name="my-embedder", targets=(target("nobody", "m"),))
    [row] = ModelRows(CatalogCache(with_names(four_providers(), {}, route))).of_configuration()
    assert (row.usable, row.kind, row.refuses, row.parameters) == (False, "embedding", (), {})
    assert set(row.abilities.values()) == {None}


def test_a_route_of_one_target_lacks_what_that_lacks() -> None:
    route = Route(name="old", targets=(target("openai", "gpt-3.5-turbo"),))
    [row] = ModelRows(CatalogCache(with_names(four_providers(), {}, route))).of_configuration()
    assert row.abilities["images"] is False


def test_what_has_no_key_cannot_be_used() -> None:
    gateway = four_providers()
    upstreams = dict(gateway.snapshot.upstreams)
    upstreams["openai"] = replace(upstreams["openai"], has_key=False)
    upstreams["mine"] = replace(upstreams["mine"], lacks_address=True)
    gateway.snapshot = replace(
        gateway.snapshot, upstreams=upstreams, unlisted=frozenset({"cohere"})
    )
    usable = [name for name in upstreams if is_usable(gateway.snapshot, name)]
    assert usable == ["echo"]
    assert not listed(ModelRows(CatalogCache(gateway)), "openai")["openai/o3"].usable
