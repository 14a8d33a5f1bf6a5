"""Which providers have a key, and which are listed because they can be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.config import Config, load
from headway.providers import FACTS
from headway.server.provider_keys import has_key, is_usable

KEYED = [kind for kind, facts in FACTS.items() if facts.key_env]
BUILT_IN = ["echo", "local"]


def read(tmp_path: Path, text: str = "", **environ: str) -> Config:
    path = tmp_path / "headway.yaml"
    path.write_text(text)
    return load(path, {"HOME": str(tmp_path), **environ}, FACTS)


def usable(config: Config) -> set[str]:
    environ = config.credential_environ
    return {name for name, one in config.providers.items() if is_usable(one, environ)}


def key_of(config: Config, name: str) -> bool | None:
    return has_key(config.providers[name], config.credential_environ)


def test_without_any_key_only_what_is_built_in_can_be_used(tmp_path: Path) -> None:
    config = read(tmp_path)
    assert usable(config) == set(BUILT_IN)
    assert [key_of(config, name) for name in BUILT_IN] == [None, None]


@pytest.mark.parametrize("kind", KEYED)
def test_a_key_in_the_environment_makes_its_kinds_usable(kind: str, tmp_path: Path) -> None:
    assert key_of(read(tmp_path), kind) is False
    variable = FACTS[kind].key_env or ""
    config = read(tmp_path, **{variable: "sk-some-key"})
    sharing = {name for name in KEYED if FACTS[name].key_env == variable}
    assert usable(config) == {*sharing, *BUILT_IN}
    assert {key_of(config, name) for name in sharing} == {True}


@pytest.mark.parametrize("kind", FACTS)
def test_whatever_the_file_names_is_listed(kind: str, tmp_path: Path) -> None:
    assert usable(read(tmp_path, f"providers: {{{kind}: }}")) == {kind, *BUILT_IN}
    assert usable(read(tmp_path, f"providers: {{only: [{kind}]}}")) == {kind}
    mine = read(tmp_path, f"providers: {{mine: {{kind: {kind}, base_url: 'http://b/v1'}}}}")
    assert usable(mine) == {"mine", *BUILT_IN}


@pytest.mark.parametrize(
    "kind", [kind for kind, facts in FACTS.items() if "base_url" in facts.environ]
)
def test_an_address_in_the_environment_makes_its_kind_usable(kind: str, tmp_path: Path) -> None:
    variable = FACTS[kind].environ["base_url"]
    found = usable(read(tmp_path, **{variable.name: "http://box:1"}))
    assert kind in found
    assert all(FACTS[name].environ.get("base_url") == variable for name in found - set(BUILT_IN))


@pytest.mark.parametrize(
    ("kind", "keys", "expected"),
    [
        ("openai", "{}", False),
        ("openai", "{api_key: k}", True),
        ("openai", "{base_url: 'http://box'}", None),
        ("vllm", "{}", None),
        ("vllm", "{api_key: k}", True),
        ("vertex", "{}", None),
        ("vertex", "{credentials_file: f}", True),
        ("bedrock", "{access_key: a, secret_key: s}", True),
        ("azure_openai", "{base_url: 'http://box', api_key: k}", True),
    ],
)
def test_a_key_is_there_or_needed_or_neither(
    kind: str, keys: str, expected: bool | None, tmp_path: Path
) -> None:
    assert key_of(read(tmp_path, f"providers: {{{kind}: {keys}}}"), kind) is expected


def test_credentials_of_a_cloud_make_its_kinds_usable(tmp_path: Path) -> None:
    aws = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}
    config = read(tmp_path, **aws)
    assert usable(config) == {"bedrock", "bedrock_mantle", *BUILT_IN}
    assert key_of(config, "bedrock") is True
    google = read(tmp_path, GOOGLE_APPLICATION_CREDENTIALS="a.json")
    assert usable(google) == {"vertex", "vertex_anthropic", *BUILT_IN}
    assert key_of(google, "bedrock") is False


def test_credentials_without_an_address_are_of_no_use(tmp_path: Path) -> None:
    azure = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
    assert usable(read(tmp_path, **azure)) == set(BUILT_IN)
    config = read(tmp_path, AZURE_OPENAI_ENDPOINT="https://a.openai.azure.com", **azure)
    assert usable(config) == {"azure_openai", "azure_openai_responses", *BUILT_IN}
    assert key_of(config, "azure_openai") is True
