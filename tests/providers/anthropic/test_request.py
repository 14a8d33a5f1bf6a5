"""The address, the headers and the fields of a request to the Claude API."""

from __future__ import annotations

import msgspec
import pytest

from headway.providers.anthropic.provider import PROVIDER
from headway.types import Target
from support.anthropic_requests import (
    TARGET,
    chat,
    sent,
)


@pytest.mark.parametrize(
    ("base_url", "path"),
    [
        ("https://api.anthropic.com", "/v1/messages"),
        ("https://api.anthropic.com/", "/v1/messages"),
        ("http://127.0.0.1:9/v1", "/v1/messages"),
        ("http://127.0.0.1:9/proxy/v1/", "/proxy/v1/messages"),
    ],
)
def test_the_base_url_may_end_with_the_version(base_url: str, path: str) -> None:
    http = PROVIDER.encode_request(chat(), Target(provider="a", base_url=base_url))
    assert http.url.path == path
    assert "x-api-key" not in dict(http.headers)


def test_headers_have_the_key_the_version_the_betas_and_configured_headers() -> None:
    target = msgspec.structs.replace(
        TARGET,
        options={"api_version": "2026-10-21", "beta": "a-1, b-2"},
        headers={"x-team": "blue"},
    )
    http = PROVIDER.encode_request(chat(stream=True), target)
    assert http.headers == (
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("anthropic-version", "2026-10-21"),
        ("x-api-key", "sk-planted"),
        ("anthropic-beta", "a-1,b-2"),
        ("x-team", "blue"),
    )


def test_headers_without_options_have_the_default_version_only() -> None:
    headers = dict(PROVIDER.encode_request(chat(), TARGET).headers)
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["accept"] == "application/json"
    assert "anthropic-beta" not in headers


@pytest.mark.parametrize(("stream", "asked"), [(True, True), (False, None)])
def test_the_field_stream_is_sent_for_streams_only(stream: bool, asked: bool | None) -> None:
    body, _ = sent(chat(stream=stream))
    assert body["model"] == "claude-sonnet-4-5"
    assert body.get("stream") is asked
