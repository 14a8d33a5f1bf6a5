from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from headway.config import Config, load
from headway.pipeline.gateway import DrainLimits, Snapshot
from headway.policy.keys import authorize
from headway.providers import FACTS, KINDS
from headway.server import composition
from headway.server.transports import Transports
from headway.token_counter.counter import TokenCounter
from headway.transport.client import HttpTransport
from headway.transport.echo import EchoTransport
from headway.types import Timeouts, Usage
from support.pipeline_fakes import GATEWAY_ID, ListSpool

FILE = """
server:
  {api_keys: [gw-secret-key, gw-boss], admin_keys: [gw-boss], body_limit: 12345, json_limit: 6789}
providers:
  openai: {api_key: sk-secret, headers: {x-team: a}, timeouts: {connect: 3}}
  box: {kind: openai, base_url: http://gpu-box:8000/v1, models: [m1, m2]}
  other: {kind: openai, base_url: http://other:8000/v1}
  proxied: {kind: openai, base_url: http://far:1/v1, proxy: http://proxy:3128}
  bare: {kind: openai}
  echo: {}
  local: {}
  here: {kind: local, base_url: http://127.0.0.1:9/v1}
  cloud: {kind: azure_openai, base_url: http://r, api_key: k, model_name: gpt-4o}
prices:
  box: {m1: {input: 1, output: 2}}
"""


class Launcher:
    async def base_url(self) -> str:
        return "http://127.0.0.1:1/v1"

    async def close(self) -> None:
        """Nothing to stop."""


LAUNCHER = Launcher()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "headway.yaml"
    path.write_text(FILE)
    return load(path, {"HOME": str(tmp_path)}, FACTS)


def composed(config: Config, check: Callable[[Snapshot], Any]) -> Any:
    """What ``check`` makes of the snapshot, inside a loop: transports are made in one."""

    async def main() -> Any:
        transports = Transports(config, GATEWAY_ID)
        try:
            return check(composition.new_snapshot(config, transports, {"llama": LAUNCHER}))
        finally:
            await transports.close()

    return asyncio.run(main())


def test_every_configured_provider_is_an_upstream(config: Config) -> None:
    snapshot = composed(config, lambda snapshot: snapshot)
    known = [name for name, one in config.providers.items() if not one.lacks_address]
    assert list(snapshot.upstreams) == known
    assert len(snapshot.upstreams) == len(known) < len(config.providers)
    assert all(upstream.name == name for name, upstream in snapshot.upstreams.items())
    assert (snapshot.body_limit, snapshot.json_limit) == (12345, 6789)
    assert authorize([(b"x-api-key", b"gw-secret-key")], snapshot.keys)
    assert snapshot.admins == {authorize([(b"x-api-key", b"gw-boss")], snapshot.keys)}


def test_an_upstream_has_what_is_configured_of_it(config: Config) -> None:
    upstreams = composed(config, lambda snapshot: snapshot.upstreams)
    openai, box = upstreams["openai"], upstreams["box"]
    assert openai.base_url == "https://api.openai.com/v1"
    assert (openai.api_key, openai.key_name, openai.needs_key) == (
        "sk-secret",
        "OPENAI_API_KEY",
        True,
    )
    assert openai.headers == {"x-team": "a"}
    assert openai.timeouts == Timeouts(connect=3)
    assert (box.base_url, box.api_key, box.needs_key) == ("http://gpu-box:8000/v1", None, False)
    assert box.models == ("m1", "m2")
    assert box.provider is KINDS["openai"]


def test_secrets_are_plain_text_only_where_they_are_sent(config: Config) -> None:
    upstreams = composed(config, lambda snapshot: snapshot.upstreams)
    assert type(upstreams["openai"].api_key) is str
    assert all(type(value) is str for value in upstreams["openai"].headers.values())


def test_a_target_is_built_in_advance_if_all_of_it_is_configured(config: Config) -> None:
    upstreams = composed(config, lambda snapshot: snapshot.upstreams)
    made = {name for name, upstream in upstreams.items() if upstream.target is not None}
    assert {"openai", "box", "other", "proxied", "echo", "here"} <= made
    assert not made & {"bare", "local", "anthropic", "vertex"}
    for name in made:
        target = upstreams[name].target
        assert (target.provider, target.base_url) == (name, upstreams[name].base_url)
        assert target.api_key == upstreams[name].api_key


def test_a_provider_without_an_address_gets_a_launcher(config: Config) -> None:
    upstreams = composed(config, lambda snapshot: snapshot.upstreams)
    assert upstreams["local"].launcher is LAUNCHER
    assert upstreams["local"].base_url is None
    assert upstreams["here"].launcher is None
    assert upstreams["openai"].launcher is None


def test_providers_reached_the_same_way_share_a_transport(config: Config) -> None:
    upstreams = composed(config, lambda snapshot: snapshot.upstreams)
    assert isinstance(upstreams["echo"].transport, EchoTransport)
    assert isinstance(upstreams["box"].transport, HttpTransport)
    assert upstreams["box"].transport is upstreams["other"].transport
    assert upstreams["box"].transport is not upstreams["proxied"].transport


def test_a_deployment_is_priced_as_the_model_that_is_configured_for_it(config: Config) -> None:
    prices = composed(config, lambda snapshot: snapshot.prices)
    named = prices.find("azure", "gpt-4o", 2e9)
    assert named is not None
    assert prices.find("azure", "smart", 2e9, provider="cloud") == named
    assert prices.find("azure", "smart", 2e9, provider="azure_openai") is None


def test_only_the_adapters_of_likely_providers_are_imported_at_the_start(config: Config) -> None:
    upstreams = composed(config, lambda snapshot: set(snapshot.upstreams._made))
    assert upstreams == {"openai", "box", "other", "proxied", "bare", "here", "cloud"}


def test_an_alias_is_found_and_not_listed(config: Config) -> None:
    upstreams = composed(
        config, lambda snapshot: (snapshot.upstreams, snapshot.upstreams["vertex"])
    )
    assert upstreams[0].get("vertexai") is upstreams[1]
    assert upstreams[0]["vertexai"] is upstreams[1]
    assert "vertexai" not in list(upstreams[0])
    assert upstreams[0].get("nonesuch") is None
    assert len(upstreams[0]) == len(list(upstreams[0]))


def test_a_provider_with_credentials_has_a_source_and_needs_no_key(config: Config) -> None:
    upstreams = composed(config, lambda snapshot: dict(snapshot.upstreams))
    sources = {name: type(one.credentials).__name__ for name, one in upstreams.items()}
    assert sources["vertex"] == sources["vertex_anthropic"] == "GoogleCredentials"
    assert (sources["bedrock"], sources["bedrock_mantle"]) == ("AwsCredentials", "AwsCredentials")
    assert sources["openai"] == "NoneType"
    assert not upstreams["bedrock"].needs_key
    assert upstreams["anthropic"].needs_key


def test_configured_prices_win(config: Config) -> None:
    prices = composition.new_price_book(config)
    price = prices.find("openai", "m1", 0.0, provider="box")
    assert price is not None
    cost = price.charge(Usage(input_tokens=1_000_000, output_tokens=1_000_000))
    assert cost is not None
    assert cost.usd == Decimal(3)
    assert prices.find("openai", "gpt-4o", 1_700_000_000.0, provider="openai") is not None


def test_configured_prices_have_tiers_and_units(tmp_path: Path) -> None:
    path = tmp_path / "headway.yaml"
    path.write_text(
        "prices: {openai: {m: {input: 1, output: 2, above: {100: {input: 3}}, "
        "tiers: {flex: {input: 0.5, output: 1, above: {100: {output: 4}}}}}}}"
    )
    prices = composition.new_price_book(load(path, {"HOME": str(tmp_path)}, FACTS))
    usage = Usage(input_tokens=1000, output_tokens=1000)
    for conditions, thousandths in (({}, 5), ({"service_tier": "flex"}, Decimal("4.5"))):
        price = prices.find("openai", "m", 0.0, provider="openai", conditions=conditions)
        assert price is not None
        assert price.charge(usage).usd == Decimal(thousandths) / 1000


def test_a_response_is_drained_where_that_is_configured(tmp_path: Path) -> None:
    def drain(ledger: str) -> Any:
        path = tmp_path / "headway.yaml"
        path.write_text(f"ledger: {{{ledger}}}")
        config = load(path, {"HOME": str(tmp_path)}, FACTS)
        return composed(config, lambda snapshot: snapshot.drain)

    limits = "drain_bytes: 5, drain_seconds: 2, drain_usd: 0.5"
    assert drain(limits) is None
    assert drain(f"drain_on_disconnect: true, {limits}") == DrainLimits(5, 2.0, Decimal("0.5"))


def test_a_gateway_is_ready_to_take_requests(config: Config, tmp_path: Path) -> None:
    ledger = msgspec.structs.replace(config.ledger, url=f"sqlite:///{tmp_path}/ledger.db")
    config = msgspec.structs.replace(config, ledger=ledger)

    async def main() -> None:
        transports = Transports(config, GATEWAY_ID)
        made = composition.new_gateway(
            config, transports, {"llama": LAUNCHER}, TokenCounter(), GATEWAY_ID, ListSpool()
        )
        assert made.gateway_id == GATEWAY_ID
        assert UUID(made.new_id()).version == 4
        assert 0 <= made.rng() < 1
        assert made.clock() <= made.clock()
        assert made.unix_time() > 1_700_000_000
        await made.sleep(0)
        assert made.active == set()
        await transports.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"XDG_CACHE_HOME": "/var/cache"}, "/var/cache/headway"),
        ({"XDG_CACHE_HOME": ""}, str(Path.home() / ".cache" / "headway")),
        ({}, str(Path.home() / ".cache" / "headway")),
    ],
)
def test_launchers_keep_their_files_in_the_users_cache_directory(
    environ: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []
    monkeypatch.setattr(composition, "LocalModel", lambda folder, progress: seen.append(folder))
    assert list(composition.new_launchers(environ)) == ["llama"]
    assert seen == [Path(folder)]
