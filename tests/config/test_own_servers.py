"""Kinds of servers of one's own are there when they are configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.config import Config, load
from headway.providers import FACTS

OWN = [kind for kind, facts in FACTS.items() if "127.0.0.1" in (facts.base_url or "")]
WITH_VARIABLE = {kind: facts for kind in OWN if (facts := FACTS[kind]).environ}


def read(tmp_path: Path, text: str = "", **environ: str) -> Config:
    path = tmp_path / "headway.yaml"
    path.write_text(text)
    return load(path, {"HOME": str(tmp_path), **environ}, FACTS)


def test_these_are_the_kinds_of_servers_of_ones_own() -> None:
    assert set(OWN) == {"llamacpp", "llamafile", "lmstudio", "ollama", "sglang", "tgi", "vllm"}


def test_only_these_lack_an_address_without_configuration(tmp_path: Path) -> None:
    providers = read(tmp_path).providers
    assert [name for name, one in providers.items() if one.lacks_address] == OWN
    assert not [name for name, one in providers.items() if one.is_configured]


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("entry", ["", "{}", "{models: [a]}", "{base_url: 'http://box:1/v1'}"])
def test_an_entry_in_the_file_configures_one(kind: str, entry: str, tmp_path: Path) -> None:
    provider = read(tmp_path, f"providers:\n  {kind}: {entry}\n").providers[kind]
    assert (provider.is_configured, provider.lacks_address) == (True, False)
    assert provider.base_url == ("http://box:1/v1" if "box" in entry else FACTS[kind].base_url)


@pytest.mark.parametrize("kind", OWN)
def test_an_entry_under_another_name_configures_that_name_only(kind: str, tmp_path: Path) -> None:
    providers = read(tmp_path, f"providers: {{gpu: {{kind: {kind}}}}}").providers
    assert (providers["gpu"].is_configured, providers["gpu"].lacks_address) == (True, False)
    assert providers[kind].lacks_address


@pytest.mark.parametrize("kind", WITH_VARIABLE)
def test_its_own_variable_configures_one(kind: str, tmp_path: Path) -> None:
    name = WITH_VARIABLE[kind].environ["base_url"].name
    provider = read(tmp_path, **{name: "http://127.0.0.1:9999"}).providers[kind]
    assert (provider.is_configured, provider.lacks_address) == (True, False)
    assert provider.base_url == "http://127.0.0.1:9999"


@pytest.mark.parametrize("value", ["", " ", "http://127.0.0.1:8000", "not an address!"])
def test_a_variable_that_is_not_used_configures_none(value: str, tmp_path: Path) -> None:
    assert read(tmp_path, OLLAMA_HOST=value).providers["ollama"].lacks_address


def test_a_variable_of_any_kind_counts_as_configuration(tmp_path: Path) -> None:
    providers = read(tmp_path, OPENAI_BASE_URL="http://box/v1").providers
    assert providers["openai"].is_configured
    assert not providers["anthropic"].is_configured


@pytest.mark.parametrize("kind", OWN)
def test_the_gateways_own_address_is_warned_of(kind: str, tmp_path: Path) -> None:
    config = read(tmp_path, f"providers: {{{kind}: {{base_url: 'http://localhost:8000/v1'}}}}")
    [warning] = config.warnings
    assert warning.startswith(f"providers.{kind}: its address is the gateway's own")


def test_the_default_address_of_a_server_may_be_the_gateways_own(tmp_path: Path) -> None:
    [warning] = read(tmp_path, "providers: {vllm: }").warnings
    assert warning.startswith("providers.vllm: its address is the gateway's own")
    assert read(tmp_path, "server: {port: 9000}\nproviders: {vllm: }").warnings == ()
