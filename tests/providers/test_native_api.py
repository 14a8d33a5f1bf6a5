"""How each kind's own API is called, and which of its routes can be read."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from headway.errors import HeadwayError
from headway.providers import KINDS
from headway.providers.native_api import find_route
from headway.types import Target

KEYED = Target(provider="p", base_url="https://host/v1", api_key="sk-1")


def test_every_kind_authenticates_as_its_api_wants() -> None:
    odd = {
        "anthropic": ("x-api-key", "sk-1"),
        "azure_openai": ("api-key", "sk-1"),
        "azure_openai_responses": ("api-key", "sk-1"),
        "gemini": ("x-goog-api-key", "sk-1"),
        "vertex": ("x-goog-api-key", "sk-1"),
    }
    for kind, provider in KINDS.items():
        expected = odd.get(kind, ("authorization", "Bearer sk-1"))
        assert provider.native.headers(KEYED) == (expected,), kind
        assert provider.native.headers(replace(KEYED, api_key=None)) == (), kind


def test_clouds_authenticate_with_their_tokens() -> None:
    token = replace(KEYED, api_key=None, credentials={"access_token": "t"})
    for kind in ("azure_openai", "vertex", "vertex_anthropic"):
        assert KINDS[kind].native.headers(token) == (("authorization", "Bearer t"),), kind


def test_every_kind_is_called_at_its_address() -> None:
    for kind, provider in KINDS.items():
        expected = "https://host/v1"
        if kind.startswith("azure"):
            expected = "https://host"
        assert provider.native.base_url(KEYED) == expected, kind

    def base_url(kind: str, url: str, **options: str) -> str:
        return KINDS[kind].native.base_url(Target(provider="p", base_url=url, options=options))

    regional = "https://bedrock-runtime.{region}.amazonaws.com"
    assert base_url("bedrock", regional, region="eu-west-1").count("eu-west-1") == 1
    vertex = "https://aiplatform.googleapis.com"
    assert base_url("vertex", vertex, region="us-east1") == (
        "https://us-east1-aiplatform.googleapis.com"
    )
    assert base_url("cloudflare", "", account_id="a1").endswith("/accounts/a1/ai/v1")
    resource = "https://r.openai.azure.com"
    for address in (resource, f"{resource}/openai/v1", f"{resource}/openai/deployments/d"):
        assert base_url("azure_openai", address) == resource, address
    dated = base_url("azure_openai", resource, api_version="2024-10-21")
    assert dated == f"{resource}?api-version=2024-10-21"
    with pytest.raises(HeadwayError, match="resource"):
        base_url("azure_openai", "")


def test_routes_that_adapters_know_are_found_with_their_model() -> None:
    known = {
        ("openai", "/v1/chat/completions"): (None, False, None),
        ("openai", "/chat/completions"): (None, False, None),
        ("openai", "/v1/completions"): (None, False, None),
        ("openai", "/v1/responses"): ("openai_responses", False, None),
        ("groq", "/openai/v1/embeddings"): (None, True, None),
        ("openai_responses", "/v1/responses"): (None, False, None),
        ("openai_responses", "/v1/chat/completions"): ("openai", False, None),
        ("azure_openai", "/openai/deployments/d/chat/completions"): (None, False, None),
        ("anthropic", "/v1/messages"): (None, False, None),
        ("gemini", "/v1beta/models/g-1:streamGenerateContent"): (None, False, "g-1"),
        ("gemini", "/v1beta/models/g-1:batchEmbedContents"): (None, True, "g-1"),
        ("vertex", "/v1/projects/p/locations/l/publishers/google/models/g:generateContent"): (
            None,
            False,
            "g",
        ),
        ("vertex", "/v1/projects/p/publishers/anthropic/models/c@1:streamRawPredict"): (
            "vertex_anthropic",
            False,
            "c@1",
        ),
        ("vertex_anthropic", "/v1/publishers/anthropic/models/c:rawPredict"): (None, False, "c"),
        ("bedrock", "/model/a%3A0/converse-stream"): (None, False, "a%3A0"),
        ("cohere", "/v2/chat"): (None, False, None),
        ("cohere", "/v2/embed"): (None, True, None),
        ("ollama", "/api/chat"): (None, False, None),
        ("ollama", "/v1/chat/completions"): ("openai", False, None),
    }
    for (kind, path), expected in known.items():
        found = find_route(KINDS[kind].native, path)
        assert found is not None, path
        assert (found[0].kind, found[0].is_embeddings, found[1]) == expected, path
        assert found[0].kind is None or found[0].kind in KINDS

    for kind, path in (
        ("openai", "/v1/files"),
        ("openai", "/v1/responses/resp_1"),
        ("anthropic", "/v1/messages/batches"),
        ("gemini", "/v1beta/models/g:countTokens"),
        ("bedrock", "/model/m/invoke"),
    ):
        assert find_route(KINDS[kind].native, path) is None, path
