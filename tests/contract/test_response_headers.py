"""The headers of responses, as official clients see them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from support.gateway_process import HELLO, Gateway
from support.lazy_import import lazy_import
from support.openai_completions import DONE, error_body, finish, text, usage
from support.openai_upstream import Answer, Upstream

openai = lazy_import("openai")
anthropic = lazy_import("anthropic")
genai = lazy_import("google.genai")
types = lazy_import("google.genai.types")

MESSAGES: Any = [{"role": "user", "content": HELLO}]
AT_ONCE = Answer((text("Hello"), finish(), usage(), DONE))
MILLISECONDS = re.compile(r"\d+\.\d{3}")
WHOLE_TIMING = re.compile(r"upstream;dur=[\d.]+, gateway;dur=[\d.]+, ttft;dur=[\d.]+")


def check_whole(headers: Any) -> None:
    assert headers["x-headway-provider"] == "openai"
    assert headers["x-headway-attempts"] == "1"
    assert headers["x-headway-model"]
    for name in ("latency", "overhead", "ttft"):
        assert MILLISECONDS.fullmatch(headers[f"x-headway-{name}-ms"]), name
    assert WHOLE_TIMING.fullmatch(headers["server-timing"])


def check_stream(headers: Any) -> None:
    assert headers["x-headway-provider"] == "openai"
    assert headers["x-headway-attempts"] == "1"
    assert "x-headway-cost-usd" not in headers


def test_openai_shows_them(gateway: Gateway, upstream: Upstream) -> None:
    with openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key="x", max_retries=0) as sdk:
        asked: dict[str, Any] = {"model": "openai/gpt-4o", "messages": MESSAGES}
        check_whole(sdk.chat.completions.with_raw_response.create(**asked).headers)
        upstream.play(AT_ONCE)
        create = sdk.chat.completions.with_streaming_response.create
        with create(**asked, stream=True) as response:
            check_stream(response.headers)
            assert response.headers["x-headway-model"]
            for _ in response.parse():
                pass
        upstream.play(Answer((error_body("busy", "overloaded"),), status=503))
        with pytest.raises(openai.InternalServerError) as caught:
            sdk.chat.completions.create(**asked)
        assert caught.value.response.headers["x-headway-provider"] == "openai"
        assert caught.value.response.headers["x-headway-attempts"] == "1"


def test_anthropic_shows_them(gateway: Gateway, upstream: Upstream) -> None:
    with anthropic.Anthropic(base_url=gateway.base_url, api_key="x", max_retries=0) as sdk:
        asked: dict[str, Any] = {
            "model": "openai/gpt-4o", "messages": MESSAGES, "max_tokens": 9,
        }  # fmt: skip
        check_whole(sdk.messages.with_raw_response.create(**asked).headers)
        with sdk.messages.with_streaming_response.create(**asked, stream=True) as response:
            check_stream(response.headers)
            for _ in response.parse():
                pass


def test_google_shows_them(gateway: Gateway, upstream: Upstream) -> None:
    options = types.HttpOptions(base_url=gateway.base_url)
    sdk = genai.Client(api_key="x", http_options=options)
    asked: dict[str, Any] = {"model": "openai/gpt-4o", "contents": HELLO}
    check_whole(sdk.models.generate_content(**asked).sdk_http_response.headers)
    for part in sdk.models.generate_content_stream(**asked):
        check_stream(part.sdk_http_response.headers)


LIMITS = (
    ("x-ratelimit-limit-requests", "60"),
    ("x-ratelimit-remaining-requests", "59"),
    ("x-ratelimit-reset-requests", "1m30s"),
)


def test_clients_see_the_providers_limits_in_their_own_names(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.play(replace(AT_ONCE, headers=(*AT_ONCE.headers, *LIMITS)))
    with openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key="x") as sdk:
        create = sdk.chat.completions.with_streaming_response.create
        with create(model="openai/gpt-4o", messages=MESSAGES, stream=True) as response:
            assert [(name, response.headers[name]) for name, _ in LIMITS] == list(LIMITS)
    with anthropic.Anthropic(base_url=gateway.base_url, api_key="x") as sdk:
        asked: dict[str, Any] = {"model": "openai/gpt-4o", "messages": MESSAGES, "max_tokens": 9}
        with sdk.messages.with_streaming_response.create(**asked, stream=True) as response:
            headers = response.headers
    assert headers["anthropic-ratelimit-requests-remaining"] == "59"
    assert datetime.fromisoformat(headers["anthropic-ratelimit-requests-reset"]).tzinfo is not None


def test_clients_do_not_retry_what_cannot_succeed(gateway: Gateway, upstream: Upstream) -> None:
    refusal = error_body("No credit", "insufficient_quota", "insufficient_quota")
    upstream.play(Answer((refusal,), status=429))
    with (
        openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key="x", max_retries=2) as sdk,
        pytest.raises(openai.RateLimitError) as caught,
    ):
        sdk.chat.completions.create(model="openai/gpt-4o", messages=MESSAGES)
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(upstream.exchanges) == 1
