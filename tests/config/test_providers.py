from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from headway.config import Price, Provider
from headway.config.schema import TierPrice, TokenPrice
from headway.types import Timeouts
from support.for_each import for_each


def test_a_kinds_own_provider_has_its_address_and_its_standard_key(read) -> None:
    assert read(None, VENDOR_API_KEY="sk-planted\n").providers["vendor"] == Provider(
        name="vendor",
        kind="vendor",
        base_url="https://api.vendor.example/v1",
        api_key="sk-planted",  # type: ignore[arg-type]
        key_env="VENDOR_API_KEY",
        needs_key=True,
    )


def test_a_kind_without_address_and_key_needs_neither(read) -> None:
    assert read().providers["here"] == Provider(name="here", kind="here")


def test_several_providers_of_one_kind_have_different_names(read) -> None:
    providers = read(
        """
providers:
  gpu-1: {kind: vendor, base_url: "http://gpu-1:8000/v1/"}
  gpu-2: {kind: vendor, base_url: "unix:/run/model.sock:/v1", models: [small, "4"]}
  vendor:
  no: {kind: vendor}
""",
        VENDOR_API_KEY="sk-standard",
    ).providers
    assert list(providers) == ["vendor", "cloud", "here", "gpu-1", "gpu-2", "no"]
    assert providers["gpu-1"].base_url == "http://gpu-1:8000/v1"
    assert providers["gpu-2"].base_url == "unix:/run/model.sock:/v1"
    assert providers["gpu-2"].models == ("small", "4")
    assert providers["gpu-2"].kind == "vendor"


@for_each(
    ("keys", "api_key", "needs_key"),
    [
        ("{kind: vendor}", "sk-standard", True),
        ("{kind: vendor, base_url: 'https://api.vendor.example/v1/'}", "sk-standard", True),
        ("{kind: vendor, base_url: 'http://gpu:8000'}", None, False),
        ("{kind: vendor, base_url: 'http://gpu:8000', api_key: sk-own}", "sk-own", False),
        ("{kind: vendor, api_key: sk-own}", "sk-own", True),
        ("{kind: vendor, api_key: ''}", None, True),
        ("{kind: vendor, api_key: '${NOT_THERE:-}'}", None, True),
        ("{kind: vendor, api_key: null}", "sk-standard", True),
        ("{kind: cloud, base_url: 'https://mine.cloud.example'}", "sk-cloud", True),
        ("{kind: here}", None, False),
    ],
)
def test_the_standard_key_goes_to_the_kinds_own_address_only(
    read, keys: str, api_key: str | None, needs_key: bool
) -> None:
    environ = {"VENDOR_API_KEY": "sk-standard", "CLOUD_API_KEY": "sk-cloud"}
    provider = read(f"providers: {{mine: {keys}}}", **environ).providers["mine"]
    assert (provider.api_key, provider.needs_key) == (api_key, needs_key)


def test_a_providers_timeouts_override_the_general_ones(read) -> None:
    providers = read(
        "timeouts: {connect: 1, idle: 2}\nproviders: {vendor: {timeouts: {idle: 3m}}}"
    ).providers
    assert providers["vendor"].timeouts == Timeouts(connect=1.0, idle=180.0)
    assert providers["here"].timeouts == Timeouts(connect=1.0, idle=2.0)


def test_options_of_a_kind_are_handed_on_as_they_are_written(read) -> None:
    options = "{api_version: 2024-06-01, region: [eu, 1, 010, 1:30, 0.5, .inf, no, ~, {a: 'b'}]}"
    provider = read(f"providers: {{cloud: {options}}}").providers["cloud"]
    assert provider.options == {
        "api_version": "2024-06-01",
        "region": ["eu", 1, "010", "1:30", 0.5, ".inf", False, None, {"a": "b"}],
    }


@pytest.mark.parametrize(
    ("written", "secret"),
    [
        ("plain", "plain"),
        ("'two words'", "two words"),
        ("'007'", "007"),
        ("2024-06-01", "2024-06-01"),
        ("'${PASSWORD}'", "1234\r5"),
        ("'${NOT_THERE:-}'", None),
        ("''", None),
        ("null", None),
    ],
)
def test_a_secret_option_is_a_text_that_is_never_shown(
    read, written: str, secret: str | None
) -> None:
    text = f"providers: {{cloud: {{region: eu, password: {written}}}}}"
    provider = read(text, PASSWORD="1234\r5\r\n").providers["cloud"]
    assert provider.options == {"region": "eu"} | ({} if secret is None else {"password": secret})
    if secret is not None:
        assert repr(provider.options) == "{'region': 'eu', 'password': ***}"


@pytest.mark.parametrize("written", ["007", "[a]", "{a: b}", "true"])
def test_a_secret_option_that_is_no_text_is_refused_without_quoting_it(
    refused, written: str
) -> None:
    line, *more = refused(f"providers:\n  cloud:\n    password: {written}")
    assert not more
    assert line.startswith("headway.yaml:3: providers.cloud.password: must be a secret: text")
    assert written not in line.partition("text")[2]


def test_headers_proxy_and_tls_are_read(read, tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("")
    provider = read(
        f"""
providers:
  vendor:
    headers: {{X-Team: blue, X-Empty: ""}}
    proxy: http://user:planted@proxy:3128/
    ca_file: ca.pem
    client_cert: {tmp_path}/cert.pem
    client_key: key.pem
    verify: off
"""
    ).providers["vendor"]
    assert provider.headers == {"X-Team": "blue", "X-Empty": ""}
    assert provider.proxy == "http://user:planted@proxy:3128"
    assert provider.ca_file == str(tmp_path / "ca.pem")
    assert provider.client_cert == str(tmp_path / "cert.pem")
    assert provider.client_key == str(tmp_path / "key.pem")
    assert provider.verify is False


def test_an_empty_proxy_differs_from_none_and_uses_no_proxy(read) -> None:
    providers = read("providers: {vendor: {proxy: ''}}").providers
    assert providers["vendor"].proxy == ""
    assert providers["here"].proxy is None


def test_prices_have_rates_of_media_and_prices_of_tiers(read) -> None:  # type: ignore[no-untyped-def]
    config = read(
        """
prices:
  vendor:
    small:
      input: 1
      output_image: 30
      web_searches: 10
      tiers: {flex: {input: 0.5}, priority: {input: 2, input_audio: 4}}
"""
    )
    assert config.prices["vendor"]["small"] == Price(
        input=Decimal(1),
        output_image=Decimal(30),
        web_searches=Decimal(10),
        tiers={
            "flex": TierPrice(input=Decimal("0.5")),
            "priority": TierPrice(input=Decimal(2), input_audio=Decimal(4)),
        },
    )


def test_prices_have_rates_above_numbers_of_tokens_and_of_other_units(read) -> None:
    config = read(
        """
prices:
  vendor:
    small:
      input: 1
      search_units: 2
      audio_hours: 0.36
      above: {200000: {input: 2, cached: 0.2}}
      tiers: {flex: {input: 0.5, above: {200000: {input: 1}}}}
"""
    )
    assert config.prices["vendor"]["small"] == Price(
        input=Decimal(1),
        search_units=Decimal(2),
        audio_hours=Decimal("0.36"),
        above={200_000: TokenPrice(input=Decimal(2), cached=Decimal("0.2"))},
        tiers={
            "flex": TierPrice(input=Decimal("0.5"), above={200_000: TokenPrice(input=Decimal(1))})
        },
    )


def test_prices_stand_with_all_or_with_their_provider(read) -> None:
    config = read(
        """
prices: {vendor: {small: {input: 1}}}
providers:
  vendor: {prices: {large: {output: 0.1}}}
  gpu: {kind: vendor, prices: {gpt-4.1: {input: "0"}}}
"""
    )
    assert config.prices == {
        "vendor": {"small": Price(input=Decimal(1)), "large": Price(output=Decimal("0.1"))},
        "gpu": {"gpt-4.1": Price(input=Decimal(0))},
    }


@for_each(
    ("text", "line"),
    [
        (
            "providers:\n  gpu:\n    kind: vendro",
            "3: providers.gpu.kind: unknown kind; did you mean vendor? known: cloud, here, vendor",
        ),
        (
            "providers:\n  gpu:\n    kind: qqq",
            "3: providers.gpu.kind: unknown kind; known: cloud, here, vendor",
        ),
        (
            "providers:\n  gpu: {base_url: 'http://x'}",
            "2: providers.gpu: has no kind; give it one of: cloud, here, vendor",
        ),
        (
            "providers:\n  gpu:",
            "2: providers.gpu: has no kind; give it one of: cloud, here, vendor",
        ),
        (
            "providers:\n  vendor:\n    base_ur: x",
            "3: providers.vendor.base_ur: unknown key; did you mean base_url?",
        ),
        (
            "providers:\n  cloud:\n    api_versoin: x",
            "3: providers.cloud.api_versoin: unknown key; did you mean api_version?",
        ),
        (
            "prices:\n  vendor: {a: {above: {200_000: {input: 1}}}}",
            "2: prices.vendor.a.above.200_000: must be named by a number of tokens",
        ),
        (
            "prices:\n  vendor: {a: {above: {200000: {inptu: 1}}}}",
            "2: prices.vendor.a.above.200000.inptu: unknown key; did you mean input?",
        ),
        (
            "providers:\n  vendor:\n    ca_file: none.pem",
            "3: providers.vendor.ca_file: names no file that can be read",
        ),
        (
            "providers:\n  vendor: {client_key: headway.yaml}",
            "2: providers.vendor.client_key: needs client_cert too",
        ),
        ("prices:\n  vendro: {}", "2: prices.vendro: unknown provider; did you mean vendor?"),
        (
            "prices: {vendor: {a: {input: 1}}}\nproviders: {vendor: {prices: {a: {input: 2}}}}",
            "2: providers.vendor.prices.a: is also given as prices.vendor.a; keep one",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_its_line(refused, text: str, line: str) -> None:
    assert refused(text) == [f"headway.yaml:{line}"]


def test_an_unreadable_kind_is_reported_once(refused) -> None:
    assert len(refused("providers: {gpu: {kind: '${NOT_THERE}'}}")) == 1
    assert len(refused("providers: {gpu: {kind: [vendor]}}")) == 1
