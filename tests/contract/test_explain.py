"""What ``POST /api/explain`` says is what a call then does, and nothing is sent for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contract.conftest import UNREACHABLE
from support.for_each import for_each
from support.gateway_process import SERVER_KEY, Gateway
from support.openai_upstream import Upstream

ASKED = [{"role": "user", "content": "Hello"}]
Launch = Callable[..., Gateway]


@pytest.fixture
def routed(lasting: Launch, upstream: Upstream) -> Gateway:
    url = upstream.base_url
    providers = {
        "one": {"kind": "openai", "base_url": url, "api_key": SERVER_KEY},
        "two": {"kind": "openai", "base_url": url, "api_key": SERVER_KEY},
        "keyless": {"kind": "groq"},
        "away": {"kind": "openai", "base_url": UNREACHABLE, "api_key": SERVER_KEY},
    }
    models = {
        "smart": [
            {"model": "one/vip", "when": {"tags": "vip"}},
            {"model": "two/short", "when": "tokens < 50"},
            "keyless/m",
            "one/long",
        ],
        "broken": ["away/m", "one/m"],
    }
    return lasting({"providers": providers, "models": models})


REQUESTS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("two/short", {"messages": ASKED}, {}),
    ("one/vip", {"messages": ASKED}, {"x-headway-tags": "vip"}),
    ("one/long", {"messages": [{"role": "user", "content": "word " * 100}]}, {}),
    ("one/long", {"messages": ASKED, "provider": {"ignore": ["two"]}}, {}),
    ("two/x", {"messages": ASKED, "model": "two/x", "models": ["smart"]}, {}),
]


@for_each(("served", "fields", "headers"), REQUESTS)
def test_a_call_goes_where_the_explanation_says(
    routed: Gateway,
    upstream: Upstream,
    served: str,
    fields: dict[str, Any],
    headers: dict[str, str],
) -> None:
    body = {"model": "smart", **fields}
    before = len(upstream.exchanges)
    explained = routed.client.call("POST", "/api/explain", body, headers)
    assert explained.status == 200, explained
    assert explained.json["order"][0] == served
    assert len(upstream.exchanges) == before
    called = routed.client.call("POST", "/v1/chat/completions", body, headers)
    assert called.headers["x-headway-served-by"] == served


def test_routes_are_among_the_models(routed: Gateway) -> None:
    ids = [model["id"] for model in routed.client.get("/v1/models").json["data"]]
    assert {"smart", "broken"} <= set(ids)
    error = routed.client.call("POST", "/v1/chat/completions", {"model": "smrt", "messages": ASKED})
    assert "did you mean smart?" in error.json["error"]["message"]


def test_a_target_that_failed_is_told_with_when_it_is_tried_again(
    routed: Gateway, upstream: Upstream
) -> None:
    body = {"model": "broken", "messages": ASKED}
    for _ in range(6):
        assert routed.client.call("POST", "/v1/chat/completions", body).status == 200
    found = routed.client.call("POST", "/api/explain", body).json
    assert found["order"] == ["one/m"]
    away = found["targets"][0]
    assert away["state"]["breaker"] == "open"
    assert 0 < away["state"]["rests_s"] <= 15
    assert away["skipped"].startswith("failed lately: rests for ")


def test_an_explanation_is_in_no_log_and_on_no_record(routed: Gateway, upstream: Upstream) -> None:
    before = routed.client.get("/api/usage").json["total"]["calls"]
    assert (
        routed.client.call("POST", "/api/explain", {"model": "smart", "messages": ASKED}).status
        == 200
    )
    assert routed.client.get("/api/usage").json["total"]["calls"] == before
    assert upstream.exchanges == []
