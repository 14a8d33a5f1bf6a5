from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import Raw

from headway.config import Config, ConfigError, load
from headway.config.route_settings import TARGET
from headway.providers import FACTS
from headway.routing.cel import VARIABLES
from headway.routing.route import CacheRule, Floors, Hedging, Limits, Route, RouteTarget, Shadow
from headway.routing.routed_request import RoutedRequest
from headway.server.model_routes import new_aliases, new_routes

FILE = """
models:
  fast: openai/gpt-4o-mini
  "claude-*": [anthropic/claude-*, openrouter/anthropic/claude-*]
  safe: [openai/gpt-5, fast]
  smart:
    targets:
      - {model: openai/gpt-5, weight: 2, parameters: {temperature: 0, stop: null},
         supports: [tools], context_window: 9}
      - {model: fast, when: {hours: 08:00-09:00, time_zone: Asia/Tokyo}}
    strategy: cheapest
    sticky: prefix
    retries: 1
    max_attempts: 3
    limits: {time_to_first_token: 5, idle: 20, tokens_per_second: 5, total: 60}
    cheapest_with: {time_to_first_token: 2, tokens_per_second: 30}
    on_context_window: [gemini/gemini-2.5-pro]
    on_content_policy: [mistral/mistral-large]
    fail_on: [empty]
    hedge: {}
    continue_streams: true
    cache: {ttl: 60, coalesce: all, pace: recorded, tools: true}
    shadow: {model: groq/llama, share: 0.1}
  unknown: echo/echo
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "headway.yaml"
    path.write_text(FILE)
    return load(path, {"HOME": str(tmp_path)}, FACTS)


def test_for_what_can_use_one_model_a_route_is_its_first_target(config: Config) -> None:
    aliases = new_aliases(config)
    assert dict(aliases.exact) == {
        "fast": "openai/gpt-4o-mini",
        "safe": "openai/gpt-5",
        "smart": "openai/gpt-5",
    }
    assert aliases.match("claude-x") == "anthropic/claude-x"
    assert aliases.unknown == "echo/echo"


def target(provider: str, model: str) -> RouteTarget:
    return RouteTarget(provider=provider, model=model)


def test_a_list_is_an_ordered_route(config: Config) -> None:
    targets = (target("openai", "gpt-5"), target("openai", "gpt-4o-mini"))
    assert new_routes(config).exact["safe"] == Route(name="safe", targets=targets)


def test_a_pattern_is_a_route_for_all_that_it_matches(config: Config) -> None:
    _, found = new_routes(config).match("claude-3")
    assert found is not None
    assert [each.id for each in found.targets] == [
        "anthropic/claude-3",
        "openrouter/anthropic/claude-3",
    ]


def test_all_keys_of_a_route_are_read(config: Config) -> None:
    found = new_routes(config).exact["smart"]
    first, second = found.targets
    assert first == RouteTarget(
        provider="openai",
        model="gpt-5",
        weight=2.0,
        parameters={"temperature": Raw(b"0"), "stop": Raw(b"null")},
        supports=frozenset({"tools"}),
        context_window=9,
    )
    assert second.condition is not None
    assert found == Route(
        name="smart",
        targets=(first, second),
        strategy="cheapest",
        sticky="prefix",
        retries=1,
        max_attempts=3,
        limits=Limits(time_to_first_token=5, idle=20, tokens_per_second=5, total=60),
        floors=Floors(time_to_first_token=2, tokens_per_second=30),
        on_context_window=(target("gemini", "gemini-2.5-pro"),),
        on_content_policy=(target("mistral", "mistral-large"),),
        fail_on=frozenset({"empty"}),
        hedging=Hedging(max_share=0.05),
        continues_streams=True,
        cache=CacheRule(
            ttl_s=60,
            coalesces=True,
            coalesces_always=True,
            replays_pace=True,
            with_tools=True,
        ),
        shadow=Shadow(target=target("groq", "llama"), share=0.1),
    )


def test_a_condition_s_hours_are_those_of_its_zone(config: Config) -> None:
    condition = new_routes(config).exact["smart"].targets[1].condition
    assert condition is not None
    for hour, unmet in ((23, None), (8, "hours 08:00-09:00")):
        moment = datetime(2026, 11, 27, hour, 30, tzinfo=UTC).timestamp()
        request = RoutedRequest(model="smart", dialect="openai", now=moment)
        assert condition.unmet(request) == unmet


def test_what_a_route_says_not_of_its_cache_is_as_for_all(tmp_path: Path) -> None:
    path = tmp_path / "headway.yaml"
    route = "models: {r: {targets: [openai/gpt-5], cache: {}}}\n"
    general = "cache: {ttl: 7, tools: true, pace: recorded, coalesce: off}"
    for text, rule in (
        (route, CacheRule(ttl_s=300.0)),
        (
            route + general,
            CacheRule(ttl_s=7.0, coalesces=False, replays_pace=True, with_tools=True),
        ),
    ):
        path.write_text(text)
        config = load(path, {"HOME": str(tmp_path)}, FACTS)
        assert new_routes(config).exact["r"].cache == rule


def test_the_help_names_all_that_a_condition_may_read() -> None:
    text = TARGET.keys["when"].help
    assert set(re.findall(r"`(\w+)`", text)) == set(VARIABLES)


def test_a_condition_in_cel_is_compiled(tmp_path: Path) -> None:
    path = tmp_path / "headway.yaml"
    path.write_text("models: {r: [{model: openai/gpt-5, when: tokens < 5}]}")
    config = load(path, {"HOME": str(tmp_path)}, FACTS)
    condition = new_routes(config).exact["r"].targets[0].condition
    assert condition is not None
    assert condition.unmet(RoutedRequest(model="r", dialect="openai", input_tokens=5)) is not None
    assert condition.unmet(RoutedRequest(model="r", dialect="openai", input_tokens=4)) is None


def test_a_wrong_condition_that_nobody_checked_is_an_error_of_the_configuration(
    tmp_path: Path,
) -> None:
    path = tmp_path / "headway.yaml"
    path.write_text("models: {r: [{model: openai/gpt-5, when: tokens <}]}")
    config = load(path, {"HOME": str(tmp_path)}, FACTS)
    message = "configuration: models: a condition column 9: the expression ends too early"
    with pytest.raises(ConfigError, match=message):
        new_routes(config)


def test_a_rule_that_needs_a_package_is_refused_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "headway.yaml"
    path.write_text("models: {r: {targets: [openai/gpt-5], fail_on: [invalid_schema]}}")
    config = load(path, {"HOME": str(tmp_path)}, FACTS)
    assert new_routes(config).exact["r"].fail_on == {"invalid_schema"}
    monkeypatch.setattr("headway.server.model_routes.is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"models.r.fail_on: .*pip install 'headway\[schema\]'"):
        new_routes(config)
