"""The routes beside the engine's: providers, models, parameters, health, and the documentation."""

from __future__ import annotations

import re
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from contract.shapes import DEFAULTS, error_of
from support.gateway_process import Gateway
from support.waiting import PATIENCE_S

PARAMETER_KEYS = ["id", "name", "type", "default", "min", "max", "step"]
CONFIGURED = {"openai", "keyless", "needy", "unreachable", "hasty", "echo"}


def get(server: Gateway, path: str) -> Any:
    reply = server.client.get(path)
    assert reply.status == 200, reply
    assert reply.headers["content-type"].startswith("application/json")
    return reply.json


def test_providers_is_a_list_of_names(gateway: Gateway) -> None:
    names = get(gateway, "/api/engine/providers")
    assert all(isinstance(name, str) for name in names)
    assert set(names) >= CONFIGURED


def test_models_shows_each_provider_with_its_name_and_models(gateway: Gateway) -> None:
    shown = get(gateway, "/api/engine/models")
    assert set(shown) >= CONFIGURED
    for inner in shown.values():
        assert isinstance(inner["name"], str)
        assert all(isinstance(model, str) for model in inner["models"])
    assert shown["openai"]["name"] == "OpenAI"
    assert "gpt-4o" in shown["openai"]["models"]


@pytest.mark.parametrize("provider", ["openai", "echo"])
def test_models_of_one_provider_is_the_inner_object(server: Gateway, provider: str) -> None:
    inner = get(server, f"/api/engine/models?provider={provider}")
    assert inner == get(server, "/api/engine/models")[provider]


@pytest.mark.parametrize("route", ["models", "parameters"])
def test_an_unknown_provider_is_404_naming_those_configured(server: Gateway, route: str) -> None:
    error = error_of(server.client.get(f"/api/engine/{route}?provider=nobody"), 404)
    assert "openai" in error["message"]


def test_parameters_without_a_provider_is_422_naming_it(server: Gateway) -> None:
    error = error_of(server.client.get("/api/engine/parameters"), 422)
    assert "provider" in error["param"]


def test_parameters_are_listed_with_their_bounds(gateway: Gateway) -> None:
    listed = get(gateway, "/api/engine/parameters?provider=openai")
    for one in listed:
        assert list(one) == PARAMETER_KEYS
    by_id = {one["id"]: one for one in listed}
    assert {k: by_id[k]["default"] for k in DEFAULTS} == DEFAULTS
    assert (by_id["temperature"]["min"], by_id["temperature"]["max"]) == (0, 2)
    assert (by_id["top_p"]["min"], by_id["top_p"]["max"]) == (0, 1)
    assert (by_id["presence_penalty"]["min"], by_id["presence_penalty"]["max"]) == (-2, 2)


def test_parameters_of_a_reasoning_model_lack_those_that_it_rejects(server: Gateway) -> None:
    listed = get(server, "/api/engine/parameters?provider=openai&model=o3")
    assert "temperature" not in {one["id"] for one in listed}
    plain = get(server, "/api/engine/parameters?provider=openai&model=gpt-4o")
    assert "temperature" in {one["id"] for one in plain}


def test_health_says_that_it_is_healthy(gateway: Gateway) -> None:
    health = get(gateway, "/health")
    assert health["status"] == "healthy"
    assert isinstance(health["message"], str)


# --- Documentation --------------------------------------------------------------------------------

ROUTES = {
    "/api/engine/chat/{provider}": "post",
    "/api/engine/providers": "get",
    "/api/engine/models": "get",
    "/api/engine/parameters": "get",
    "/health": "get",
    "/v1/chat/completions": "post",
    "/v1/models": "get",
}


def test_openapi_describes_every_route_with_schemas_and_examples(gateway: Gateway) -> None:
    described = get(gateway, "/openapi.json")["paths"]
    for path, method in ROUTES.items():
        operation = described[path][method]
        assert operation["responses"]["200"]["content"], path
        if method == "post":
            media = operation["requestBody"]["content"]["application/json"]
            assert "schema" in media
            assert "example" in str(media), path


def test_docs_load_nothing_from_other_hosts(gateway: Gateway) -> None:
    page = gateway.client.get("/docs")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    links = re.findall(
        r"""<(?:script|link|img)[^>]*?(?:src|href)=["']([^"']+)""", page.body.decode()
    )
    for link in links:
        assert not re.match(r"(https?:)?//", link), link
        if not link.startswith("data:"):
            asset = gateway.client.get("/" + link.removeprefix("./").lstrip("/"))
            assert asset.status == 200, link
            assert not re.search(rb"(?:src=|@import|url\()\s*[\"']?https?://", asset.body), link


def test_a_response_before_the_body_says_that_the_connection_ends(gateway: Gateway) -> None:
    address = urlsplit(gateway.base_url)
    for path, status in (("/v1/nowhere", 404), ("/health", 405)):
        connection = HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE_S)
        connection.putrequest("POST", path)
        connection.putheader("content-length", "6")
        connection.endheaders()
        reply = connection.getresponse()
        assert (reply.status, reply.getheader("connection")) == (status, "close")
        assert b"error" in reply.read()
        connection.close()
