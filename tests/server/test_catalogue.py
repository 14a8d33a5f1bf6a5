from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from headway.errors import InvalidField, UnknownProvider
from headway.metering.prices import PriceBook, shipped
from headway.pipeline.gateway import Gateway
from headway.providers import KINDS
from headway.server import catalogue
from pipeline_fakes import Pipe


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    """With the shipped prices, and one provider a kind besides ``mine``, which lists its models."""
    gateway = Pipe().gateway
    openai = gateway.snapshot.upstreams["openai"]
    upstreams = {
        "openai": openai,
        "mine": replace(openai, name="mine", models=("b", "a")),
        "echo": replace(openai, name="echo", provider=KINDS["echo"]),
        "cohere": replace(
            openai, name="cohere", provider=replace(KINDS["openai"], price_id="cohere")
        ),
    }
    prices = PriceBook.load(shipped())
    gateway.snapshot = replace(gateway.snapshot, upstreams=upstreams, prices=prices)
    return gateway


def answer(gateway: Gateway, path: str, **query: str) -> Any:
    return json.loads(catalogue.answer(gateway, path, query))


def test_health_says_that_it_is_healthy(gateway: Gateway) -> None:
    health = answer(gateway, "/health")
    assert list(health) == ["status", "message"]
    assert health["status"] == "healthy"


def test_providers_are_listed_by_their_configured_names(gateway: Gateway) -> None:
    assert answer(gateway, "/api/engine/providers") == ["openai", "mine", "echo", "cohere"]


def test_models_are_listed_by_provider(gateway: Gateway) -> None:
    models = answer(gateway, "/api/engine/models")
    assert list(models) == ["openai", "mine", "echo", "cohere"]
    assert models["openai"]["name"] == "OpenAI"
    assert "gpt-4o-mini" in models["openai"]["models"]
    assert models["echo"] == {"name": "Echo", "models": ["echo"]}


def test_configured_models_are_those_of_the_provider(gateway: Gateway) -> None:
    listed = answer(gateway, "/api/engine/models", provider="mine")
    assert listed == {"name": "OpenAI", "models": ["b", "a"]}


def test_models_that_are_no_more_are_not_listed(gateway: Gateway) -> None:
    listed = answer(gateway, "/api/engine/models", provider="cohere")["models"]
    known = gateway.snapshot.prices.models("cohere", gateway.wall())
    gone = {model.id for model in known if model.deprecated}
    assert gone
    assert listed
    assert not gone & set(listed)


def test_parameters_are_listed_in_the_contracts_shape(gateway: Gateway) -> None:
    first = answer(gateway, "/api/engine/parameters", provider="openai")[0]
    assert list(first) == ["id", "name", "type", "default", "min", "max", "step"]
    assert first["id"] == "temperature"


def test_parameters_of_a_model_are_those_that_it_takes(gateway: Gateway) -> None:
    listed = answer(gateway, "/api/engine/parameters", provider="openai", model="o3")
    assert [spec["id"] for spec in listed] == ["max_completion_tokens"]


def test_openais_list_names_each_model_behind_its_provider(gateway: Gateway) -> None:
    listed = answer(gateway, "/v1/models")
    assert listed["object"] == "list"
    assert {"id": "mine/a", "object": "model", "created": 0, "owned_by": "mine"} in listed["data"]
    assert any(model["id"] == "openai/gpt-4o" for model in listed["data"])


@pytest.mark.parametrize("path", ["/api/engine/models", "/api/engine/parameters"])
def test_an_unknown_provider_is_told_the_configured_ones(gateway: Gateway, path: str) -> None:
    with pytest.raises(UnknownProvider) as caught:
        answer(gateway, path, provider="nobody")
    assert caught.value.message == (
        "No provider is called 'nobody'; configured are: cohere, echo, mine, openai."
    )
    assert (caught.value.status, caught.value.param) == (404, "provider")


def test_parameters_of_no_provider_are_asked_for_in_vain(gateway: Gateway) -> None:
    with pytest.raises(InvalidField) as caught:
        answer(gateway, "/api/engine/parameters")
    assert caught.value.param == "provider"


def test_only_health_is_open(gateway: Gateway) -> None:
    assert set(catalogue.OPEN) == {"/health"}
    assert set(catalogue.ROUTES) > catalogue.OPEN
