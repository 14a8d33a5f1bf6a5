"""Environment variables of vendors' SDKs as settings, compared with the SDKs."""

from __future__ import annotations

import pytest

from headway.config import load
from headway.providers import FACTS, KINDS
from headway.providers.sdk_env import google_base, host_name, ollama_host, with_path
from support.for_each import for_each
from support.lazy_import import lazy_import

ollama = lazy_import("ollama")

HOSTS = [
    ("localhost", "http://localhost:11434"),
    (":1234", "http://127.0.0.1:1234"),
    ("box:1234", "http://box:1234"),
    ("box/path/", "http://box:11434/path"),
    ("http://box", "http://box"),
    ("https://box/", "https://box"),
    ("https://box:1/p", "https://box:1/p"),
    ("10.0.0.1", "http://10.0.0.1:11434"),
    ("[fe80::1]", "http://[fe80::1]:11434"),
    ("[fe80::1]:5", "http://[fe80::1]:5"),
]


@for_each(("text", "url"), HOSTS)
def test_ollama_host_is_parsed_as_ollamas_client_parses_it(text: str, url: str) -> None:
    assert ollama_host(text) == url
    by_client = str(ollama.Client(text)._client.base_url)
    assert by_client.rstrip("/") == url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:1", "http://127.0.0.1:1"),
        ("[::]:1", "http://[::1]:1"),
        ("http://0.0.0.0:1", "http://127.0.0.1:1"),
    ],
)
def test_an_address_of_all_interfaces_becomes_the_loopback_address(text: str, url: str) -> None:
    assert ollama_host(text) == url


@pytest.mark.parametrize("text", ["box:port", "box:99999", "http://[::1"])
def test_an_invalid_host_raises(text: str) -> None:
    with pytest.raises(ValueError, match=r"Port|IPv6"):
        ollama_host(text)


@pytest.mark.parametrize(
    "text", ["https://h/p/v1", "https://h/p/v1/", "https://h/p", "https://h/p/"]
)
def test_a_missing_path_is_added(text: str) -> None:
    assert with_path("/v1")(text) == "https://h/p/v1"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://h", "https://h/v1beta"),
        ("https://h/", "https://h/v1beta"),
        ("https://h/p", "https://h/p/v1beta"),
        ("https://h/v1", "https://h/v1"),
        ("https://h/v1alpha/", "https://h/v1alpha"),
        ("https://h/v1beta", "https://h/v1beta"),
    ],
)
def test_a_missing_version_is_added_to_googles_address(text: str, url: str) -> None:
    assert google_base(text) == url


@pytest.mark.parametrize("text", ["w.example", "https://w.example", "https://w.example/"])
def test_the_host_name_of_an_address(text: str) -> None:
    assert host_name(text) == "w.example"


@for_each("kind", FACTS)
def test_a_variable_is_for_the_base_url_or_a_public_option(kind: str) -> None:
    facts = FACTS[kind]
    assert set(facts.environ) <= {"base_url", *KINDS[kind].options}
    assert not set(facts.environ) & facts.secrets
    names = [variable.name for variable in facts.environ.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("kind", "environ", "base_url", "options"),
    [
        ("openai", {"OPENAI_BASE_URL": "http://h/v1"}, "http://h/v1", {}),
        ("openai_responses", {"OPENAI_BASE_URL": "http://h/v1"}, "http://h/v1", {}),
        (
            "azure",
            {"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/", "OPENAI_API_VERSION": "v1"},
            "https://r.openai.azure.com",
            {"api_version": "v1"},
        ),
        (
            "azure_openai_responses",
            {"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/", "OPENAI_API_VERSION": "v1"},
            "https://r.openai.azure.com",
            {},
        ),
        ("anthropic", {"ANTHROPIC_BASE_URL": "http://h"}, "http://h", {}),
        ("gemini", {"GOOGLE_GEMINI_BASE_URL": "http://h"}, "http://h/v1beta", {}),
        (
            "vertex",
            {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "eu"},
            "https://aiplatform.googleapis.com",
            {"project": "p", "region": "eu"},
        ),
        (
            "vertex_anthropic",
            {"ANTHROPIC_VERTEX_PROJECT_ID": "p", "CLOUD_ML_REGION": "us-east5"},
            "https://aiplatform.googleapis.com",
            {"project": "p", "region": "us-east5"},
        ),
        ("bedrock", {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://h"}, "http://h", {}),
        ("cohere", {"CO_API_URL": "http://h"}, "http://h", {}),
        ("ollama", {"OLLAMA_HOST": "0.0.0.0:1"}, "http://127.0.0.1:1", {}),
        ("groq", {"GROQ_BASE_URL": "http://h"}, "http://h/openai/v1", {}),
        ("together", {"TOGETHER_BASE_URL": "http://h/v1"}, "http://h/v1", {}),
        ("cerebras", {"CEREBRAS_BASE_URL": "http://h"}, "http://h/v1", {}),
        (
            "databricks",
            {"DATABRICKS_HOST": "https://dbc-1.cloud.databricks.com/"},
            None,
            {"workspace": "dbc-1.cloud.databricks.com"},
        ),
        ("cloudflare", {"CLOUDFLARE_ACCOUNT_ID": "a1"}, None, {"account_id": "a1"}),
    ],
)
def test_the_variables_of_each_vendor_are_read(tmp_path, kind, environ, base_url, options) -> None:
    path = tmp_path / "headway.yaml"
    path.write_text(f"providers: {{mine: {{kind: {kind}}}}}")
    provider = load(path, {"HOME": str(tmp_path), **environ}, FACTS).providers["mine"]
    assert (provider.base_url, provider.options) == (base_url, options)
    assert set(provider.sources.values()) <= set(environ)
