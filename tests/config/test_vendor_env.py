"""Addresses and options that stand in the variables of vendors' own SDKs."""

from __future__ import annotations

import pytest

from headway.config import Overrides

USUAL = "https://api.vendor.example/v1"
ELSEWHERE = "https://proxy.example/v1"
KEY = "sk-standard"


def test_a_variable_sets_a_providers_address_and_is_listed_with_it(read) -> None:
    for text in (None, "providers: {vendor: {timeouts: {idle: 3}, models: [a]}}"):
        provider = read(text, VENDOR_BASE_URL=f" {ELSEWHERE}/ ").providers["vendor"]
        assert provider.base_url == ELSEWHERE
        assert provider.sources == {"base_url": "VENDOR_BASE_URL"}
    assert read().providers["vendor"].sources == {}


def test_the_key_from_the_environment_is_sent_to_an_address_from_the_environment(read) -> None:
    environ = {"VENDOR_BASE_URL": ELSEWHERE, "VENDOR_API_KEY": KEY}
    provider = read("providers: {mine: {kind: vendor}}", **environ).providers["mine"]
    assert (provider.base_url, provider.api_key, provider.needs_key) == (ELSEWHERE, KEY, False)


def test_without_configured_keys_no_key_is_required(read) -> None:
    provider = read(VENDOR_BASE_URL=ELSEWHERE).providers["vendor"]
    assert (provider.api_key, provider.needs_key) == (None, False)
    assert read(VENDOR_BASE_URL=USUAL).providers["vendor"].needs_key is True


@pytest.mark.parametrize(
    "keys",
    [
        "api_key: sk-of-the-file",
        "headers: {x-key: sk-of-the-file}",
        "client_cert: headway.yaml",
        "beta: sk-of-the-file",
    ],
)
def test_settings_for_the_vendors_address_are_not_sent_to_an_address_from_the_environment(
    read, keys: str
) -> None:
    provider = read(f"providers: {{vendor: {{{keys}}}}}", VENDOR_BASE_URL=ELSEWHERE)
    assert provider.providers["vendor"].base_url == USUAL
    assert provider.providers["vendor"].sources == {}


def test_an_address_in_the_file_wins(read) -> None:
    text = "providers: {vendor: {base_url: 'http://box/v1'}, cloud: {base_url: 'http://cloud'}}"
    environ = {"VENDOR_BASE_URL": ELSEWHERE, "CLOUD_ENDPOINT": ELSEWHERE, "CLOUD_REGION": "eu"}
    providers = read(text, VENDOR_API_KEY=KEY, **environ).providers
    assert (providers["vendor"].base_url, providers["vendor"].api_key) == ("http://box/v1", None)
    assert (providers["cloud"].base_url, providers["cloud"].options) == ("http://cloud", {})
    assert providers["vendor"].sources == providers["cloud"].sources == {}


def test_a_kind_without_an_address_takes_the_variables_whatever_the_file_says(read) -> None:
    text = "providers: {cloud: {api_key: k, password: p}}"
    provider = read(text, CLOUD_ENDPOINT=ELSEWHERE, CLOUD_REGION="eu").providers["cloud"]
    assert provider.base_url == ELSEWHERE
    assert provider.options == {"region": "eu", "password": "p"}
    assert provider.sources == {"base_url": "CLOUD_ENDPOINT", "region": "CLOUD_REGION"}


def test_an_option_in_the_file_wins(read) -> None:
    provider = read("providers: {cloud: {region: us}}", CLOUD_REGION="eu").providers["cloud"]
    assert (provider.options, provider.sources) == ({"region": "us"}, {})


def test_an_empty_variable_is_ignored(read) -> None:
    providers = read(VENDOR_BASE_URL=" ", CLOUD_REGION="").providers
    assert providers["vendor"].base_url == USUAL
    assert providers["cloud"].options == {}


@pytest.mark.parametrize(
    ("host", "given", "is_ours"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/v1", True),
        ("127.0.0.1", "http://localhost:8000/v1", True),
        ("127.0.0.1", "http://[::1]:8000", True),
        ("127.0.0.1", "http://0.0.0.0:8000", True),
        ("10.1.2.3", "http://10.1.2.3:8000/v1", True),
        ("127.0.0.1", "http://10.1.2.3:8000/v1", False),
        ("127.0.0.1", "http://127.0.0.1:8001/v1", False),
        ("127.0.0.1", "http://127.0.0.1/v1", False),
        ("127.0.0.1", "unix:/run/model.sock:/v1", False),
    ],
)
def test_the_gateways_own_address_is_passed_over(read, host, given, is_ours) -> None:
    text = f"server: {{host: {host}, insecure: true}}"
    provider = read(text, VENDOR_BASE_URL=given).providers["vendor"]
    assert (provider.base_url == USUAL) is is_ours
    assert bool(provider.sources) is not is_ours


def test_the_gateways_own_address_is_that_of_the_command_line(read) -> None:
    there = "http://127.0.0.1:7000/v1"
    moved = read(None, Overrides(port=7000), VENDOR_BASE_URL=there)
    assert moved.providers["vendor"].base_url == USUAL
    assert read(VENDOR_BASE_URL=there).providers["vendor"].base_url == there


def test_a_text_is_read_as_its_sdk_reads_it(read) -> None:
    assert read(HERE_HOST="box:1").providers["here"].base_url == "http://box:1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VENDOR_BASE_URL", "sk-planted"),
        ("VENDOR_BASE_URL", "http://user:sk-planted@host"),
        ("CLOUD_ENDPOINT", "ftp://sk-planted"),
        ("HERE_HOST", "unreadable"),
    ],
)
def test_a_wrong_variable_is_named_once_and_not_shown(refused, name: str, value: str) -> None:
    line, *more = refused("providers: {mine: {kind: vendor}, cloud: {}, here: {}}", **{name: value})
    assert line.startswith(f"environment: {name}: must ")
    assert value not in line
    assert not more


def test_a_wrong_variable_that_is_not_used_is_no_error(read) -> None:
    text = "providers: {vendor: {base_url: 'http://box'}}"
    assert read(text, VENDOR_BASE_URL="nonsense").providers["vendor"].base_url == "http://box"
