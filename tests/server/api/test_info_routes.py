"""The read-only routes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from catalog.gateways import NOTHING_KNOWN, answer, four_providers
from headway.errors import InvalidField, RequestError, UnknownProvider
from headway.pipeline.gateway import Gateway, LedgerHealth
from headway.routing.model_aliases import ModelAliases
from headway.server.api import info_routes


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return four_providers()


def test_health_says_that_it_is_healthy(gateway: Gateway) -> None:
    health = answer(gateway, "/health")
    assert list(health) == ["status", "message", "ledger"]
    assert health["status"] == "healthy"


def test_health_is_degraded_while_records_are_not_stored(gateway: Gateway) -> None:
    gateway.ledger_health = lambda: LedgerHealth(store="failing", unstored_bytes=7)
    try:
        health = answer(gateway, "/health")
    finally:
        gateway.ledger_health = LedgerHealth
    assert health["status"] == "degraded"
    assert "its log says why" in health["message"]
    assert health["ledger"] == {
        "spool": "ok",
        "store": "failing",
        "lost": 0,
        "held": 0,
        "unstored_bytes": 7,
    }


def test_providers_are_listed_by_their_configured_names(gateway: Gateway) -> None:
    assert answer(gateway, "/api/engine/providers") == ["openai", "mine", "echo", "cohere"]


def test_details_of_providers_have_no_secrets(gateway: Gateway) -> None:
    found = answer(gateway, "/api/engine/providers", details="1")
    assert list(found) == ["openai", "mine", "echo", "cohere"]
    assert found["mine"] == {
        "name": "OpenAI",
        "kind": "openai",
        "has_key": None,
        "key_variable": "OPENAI_API_KEY",
        "is_configured": True,
    }


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_a_query_parameter_can_be_switched_off(gateway: Gateway, value: str) -> None:
    assert answer(gateway, "/api/engine/providers", details=value, all=value) == [
        "openai",
        "mine",
        "echo",
        "cohere",
    ]


def test_what_only_a_callers_key_can_use_is_listed_on_request() -> None:
    gateway = four_providers()
    gateway.snapshot = replace(gateway.snapshot, unlisted=frozenset({"openai", "mine"}))
    every = ["openai", "mine", "echo", "cohere"]
    assert answer(gateway, "/api/engine/providers") == ["echo", "cohere"]
    assert answer(gateway, "/api/engine/providers", all="1") == every
    assert list(answer(gateway, "/api/engine/models")) == ["echo", "cohere"]
    assert list(answer(gateway, "/api/engine/models", all="1")) == every
    owners = {model["owned_by"] for model in answer(gateway, "/v1/models")["data"]}
    assert owners == {"echo", "cohere"}
    assert answer(gateway, "/api/engine/models", provider="mine")["models"] == ["b", "a", "o3"]


# --- OpenAI's list --------------------------------------------------------------------------------


def test_openais_list_names_each_model_as_provider_and_model(gateway: Gateway) -> None:
    found = answer(gateway, "/v1/models")
    assert list(found) == ["object", "data"]
    by_id = {model["id"]: model for model in found["data"]}
    four = {"id": "mine/b", "object": "model", "created": 0, "owned_by": "mine"}
    assert by_id["mine/b"] == {**four, **NOTHING_KNOWN}
    assert by_id["openai/o3"]["prices"]["input"] == 2
    assert "openai/gpt-4o" in by_id


def test_openais_list_can_be_limited_to_one_provider(gateway: Gateway) -> None:
    found = answer(gateway, "/v1/models", provider="echo")
    assert [model["id"] for model in found["data"]] == ["echo/echo"]


# --- Parameters, and what is asked in vain --------------------------------------------------------


def test_parameters_are_listed_in_the_contracts_shape(gateway: Gateway) -> None:
    first = answer(gateway, "/api/engine/parameters", provider="openai")[0]
    assert list(first) == ["id", "name", "type", "default", "min", "max", "step"]
    assert first["id"] == "temperature"


def test_parameters_of_a_model_are_those_that_it_takes(gateway: Gateway) -> None:
    found = answer(gateway, "/api/engine/parameters", provider="openai", model="o3")
    assert [spec["id"] for spec in found] == ["max_completion_tokens"]


@pytest.mark.parametrize("path", ["/api/engine/models", "/api/engine/parameters", "/v1/models"])
def test_the_error_for_an_unknown_provider_names_the_configured_ones(
    gateway: Gateway, path: str
) -> None:
    with pytest.raises(UnknownProvider) as caught:
        answer(gateway, path, provider="nobody")
    assert caught.value.message == (
        "No provider is called 'nobody'; configured are: cohere, echo, mine, openai."
    )
    assert (caught.value.status, caught.value.param) == (404, "provider")


def test_parameters_without_a_provider_are_an_error(gateway: Gateway) -> None:
    with pytest.raises(InvalidField) as caught:
        answer(gateway, "/api/engine/parameters")
    assert caught.value.param == "provider"


def test_only_health_is_open(gateway: Gateway) -> None:
    assert set(info_routes.OPEN) == {"/health"}
    assert set(info_routes.ROUTES) > info_routes.OPEN


# --- Models for other clients ---------------------------------------------------------------------

ANTHROPIC = [(b"anthropic-version", b"2023-06-01")]


@pytest.mark.parametrize("prefix", ["", "/openai"])
@pytest.mark.parametrize("name", ["openai/o3", "cohere/command-r", "best"])
def test_one_model_is_found_by_each_of_its_names(gateway: Gateway, prefix: str, name: str) -> None:
    gateway = with_aliases(best="openai/o3")
    listed = answer(gateway, f"{prefix}/v1/models")["data"]
    found = answer(gateway, f"{prefix}/v1/models/{name}")
    meant = "openai/o3" if name == "best" else name
    (row,) = [row for row in listed if row["id"] == meant]
    assert found == {**row, "id": name}


def with_aliases(**table: str) -> Gateway:
    gateway = four_providers()
    aliases = ModelAliases.from_table(table)
    gateway.snapshot = replace(gateway.snapshot, aliases=aliases)
    return gateway


def test_names_of_the_configuration_are_listed_first() -> None:
    gateway = with_aliases(best="openai/o3", new="openai/gpt-99")
    first, second, third, *_ = answer(gateway, "/v1/models")["data"]
    assert (first["id"], second["id"], third["id"]) == ("best", "new", "openai/ada")
    assert (first["owned_by"], second["owned_by"]) == ("openai", "openai")
    assert first["context_window"] is not None
    assert second["context_window"] is None
    owners = {row["id"] for row in answer(gateway, "/v1/models", provider="openai")["data"]}
    assert "best" not in owners


@pytest.mark.parametrize("name", ["openai/gpt-99", "nobody/m", "gpt-99"])
def test_a_model_that_is_not_listed_is_not_found(gateway: Gateway, name: str) -> None:
    with pytest.raises(RequestError, match=r"gpt-99|nobody"):
        answer(gateway, f"/v1/models/{name}")


def test_anthropics_clients_get_anthropics_shape() -> None:
    gateway = with_aliases(best="openai/o3")
    for path in ("/v1/models", "/anthropic/v1/models"):
        listed = answer(gateway, path, ANTHROPIC)
        assert list(listed) == ["data", "has_more", "first_id", "last_id"]
        assert (listed["has_more"], listed["first_id"]) == (False, "best")
        assert listed["last_id"] == listed["data"][-1]["id"]
    assert answer(gateway, "/v1/models/openai/o3", ANTHROPIC) == {
        "type": "model",
        "id": "openai/o3",
        "display_name": "openai/o3",
        "created_at": "1970-01-01T00:00:00Z",
    }
    assert info_routes._anthropic_list([]) == {
        "data": [],
        "has_more": False,
        "first_id": None,
        "last_id": None,
    }


@pytest.mark.parametrize("path", ["/v1/models/", "/v1/modelsx", "/v1/model"])
def test_other_paths_are_none_of_these_routes(path: str) -> None:
    assert info_routes.find(path) is None


# --- Google's shape -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1beta/models", "/gemini/v1/models", "/gemini/models"])
def test_google_lists_in_its_own_shape(gateway: Gateway, path: str) -> None:
    listed = answer(gateway, path)["models"]
    ids = [model["id"] for model in answer(gateway, "/v1/models")["data"]]
    assert [model["name"] for model in listed] == [f"models/{each}" for each in ids]
    for name in (ids[0], f"models/{ids[0]}"):
        assert answer(gateway, f"{path}/{name}") == listed[0]


def test_google_lists_in_pages(gateway: Gateway) -> None:
    every = answer(gateway, "/v1beta/models")["models"]
    first = answer(gateway, "/v1beta/models", pageSize="2")
    assert (first["models"], first["nextPageToken"]) == (every[:2], "2")
    rest = answer(gateway, "/v1beta/models", pageToken="2")
    assert rest == {"models": every[2:]}
    with pytest.raises(InvalidField, match="pageSize"):
        answer(gateway, "/v1beta/models", pageSize="-1")


def test_googles_models_say_what_they_do(gateway: Gateway) -> None:
    listed = {model["name"]: model for model in answer(gateway, "/v1beta/models")["models"]}
    methods = {name: model["supportedGenerationMethods"][0] for name, model in listed.items()}
    assert {methods[name] for name in methods if "embed" in name} <= {"embedContent"}
    assert "generateContent" in methods.values()
    assert any("inputTokenLimit" in model for model in listed.values())
