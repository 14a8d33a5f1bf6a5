"""Addresses and authentication of an Azure OpenAI resource."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from headway.errors import InvalidField
from headway.providers.azure import openai_responses as azure_openai_responses
from headway.providers.azure.openai import PROVIDER
from headway.types import (
    ChatRequest,
    EmbeddingsRequest,
    HttpRequest,
    Target,
)
from support.for_each import for_each

RESOURCE = "https://name.openai.azure.com"
DATED = "2024-10-21"
HELLO = Raw(b'[{"role":"user","content":"Hello"}]')


def target(base_url: str = RESOURCE, key: str | None = "k", **options: Any) -> Target:
    return Target(provider="azure", base_url=base_url, api_key=key, options=options)


def ask(where: Target, model: str = "my dep/1", **parameters: Any) -> HttpRequest:
    raws = {name: Raw(json.dumps(value).encode()) for name, value in parameters.items()}
    request = ChatRequest(model=model, messages=HELLO, parameters=raws)
    return PROVIDER.encode_request(request, where)


V1 = "/openai/v1/chat/completions"
DEPLOYED = "/openai/deployments/my%20dep%2F1/chat/completions"
ADDRESSES: list[tuple[str, str | None, str]] = [
    (RESOURCE, None, V1),
    (RESOURCE + "/", "v1", V1),
    (RESOURCE, "latest", V1),
    (RESOURCE, "preview", f"{V1}?api-version=preview"),
    (RESOURCE + "/openai", None, V1),
    (RESOURCE + "/openai/v1/", None, V1),
    (RESOURCE + "/openai/v1", DATED, V1),
    (RESOURCE + "/api/projects/p", None, f"/api/projects/p{V1}"),
    (RESOURCE, DATED, f"{DEPLOYED}?api-version={DATED}"),
    (RESOURCE + "/openai/", DATED, f"{DEPLOYED}?api-version={DATED}"),
    (
        RESOURCE + "/openai/deployments/d",
        DATED,
        f"/openai/deployments/d/chat/completions?api-version={DATED}",
    ),
    (
        RESOURCE + f"/openai/deployments/d/chat/completions?api-version={DATED}",
        None,
        f"/openai/deployments/d/chat/completions?api-version={DATED}",
    ),
    (RESOURCE + "/openai/deployments/d", None, "/openai/deployments/d/chat/completions"),
    (RESOURCE + "/models", None, "/models/chat/completions?api-version=2024-05-01-preview"),
    (RESOURCE + "/models", DATED, f"/models/chat/completions?api-version={DATED}"),
]


@for_each(("base_url", "version", "path"), ADDRESSES)
def test_a_deployment_is_found_from_any_address_of_its_resource(
    base_url: str, version: str | None, path: str
) -> None:
    http = ask(target(base_url, api_version=version))
    assert (http.url.host, http.url.path) == ("name.openai.azure.com", path)
    assert json.loads(http.body) == {"model": "my dep/1", "messages": json.loads(bytes(HELLO))}


def test_a_missing_address_names_the_setting() -> None:
    with pytest.raises(InvalidField, match=r"providers\.azure\.base_url") as caught:
        ask(target(""))
    assert caught.value.param == "base_url"


def test_a_key_is_sent_as_api_key_and_a_token_as_bearer() -> None:
    assert dict(ask(target()).headers)["api-key"] == "k"
    assert "authorization" not in dict(ask(target()).headers)
    token = msgspec.structs.replace(target(key=None), credentials={"access_token": "t"})
    assert dict(ask(token).headers)["authorization"] == "Bearer t"
    assert "api-key" not in dict(ask(token).headers)
    both = msgspec.structs.replace(token, api_key="k")
    assert "authorization" not in dict(ask(both).headers)
    assert set(dict(ask(target(key=None)).headers)) == {"content-type", "accept"}
    own = msgspec.structs.replace(target(), headers={"x-own": "1", "api-key": "other"})
    assert dict(ask(own).headers)["api-key"] == "other"


def test_embeddings_have_the_addresses_of_chat() -> None:
    assert PROVIDER.encode_embeddings is not None
    request = EmbeddingsRequest(model="embed", input=Raw(b'"a"'))
    http = PROVIDER.encode_embeddings(request, target(api_version=DATED))
    path = f"/openai/deployments/embed/embeddings?api-version={DATED}"
    assert http.url.path == path
    assert json.loads(http.body) == {"model": "embed", "input": "a"}
    http = PROVIDER.encode_embeddings(request, target(RESOURCE + path, api_version=None))
    assert http.url.path == path


@pytest.mark.parametrize(
    ("version", "path"),
    [
        (None, "/openai/v1/responses"),
        ("preview", "/openai/v1/responses?api-version=preview"),
        ("2025-04-01-preview", "/openai/responses?api-version=2025-04-01-preview"),
    ],
)
def test_the_responses_api_has_the_address_of_the_resource(version: str | None, path: str) -> None:
    provider = azure_openai_responses.PROVIDER
    request = ChatRequest(model="gpt-5", messages=HELLO)
    http = provider.encode_request(request, target(api_version=version))
    assert http.url.path == path
    assert dict(http.headers)["api-key"] == "k"
    body = json.loads(http.body)
    assert (body["model"], body["include"]) == ("gpt-5", ["reasoning.encrypted_content"])
    named = target(model_name="gpt-4o")
    assert "include" not in json.loads(provider.encode_request(request, named).body)
    assert provider.decode_error(404, (), b"").status == 404
