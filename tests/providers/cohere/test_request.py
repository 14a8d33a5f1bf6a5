"""The HTTP request to Cohere's chat."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.providers.cohere.provider import PROVIDER
from headway.types import ChatRequest, Target
from support.adapter_requests import raw

OLD, NEW, REASONING = "command-r-plus-08-2024", "command-a-03-2025", "command-a-reasoning-08-2025"
USER: list[Any] = [{"role": "user", "content": "a"}]


@pytest.mark.parametrize("base", ["http://h", "http://h/", "http://h/v1", "http://h/v2/"])
def test_the_base_url_may_end_in_a_version_or_not(base: str) -> None:
    target = Target(provider="cohere", base_url=base, api_key="k", headers={"x-client-name": "us"})
    request = ChatRequest(model=NEW, messages=raw(USER), stream=True)
    http = PROVIDER.encode_request(request, target)
    assert http.url.path == "/v2/chat"
    assert json.loads(http.body)["stream"] is True
    assert http.headers == (
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("authorization", "Bearer k"),
        ("x-client-name", "us"),
    )
