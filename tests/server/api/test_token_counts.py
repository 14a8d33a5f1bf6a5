"""Counts of tokens without a provider."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from headway.dialects.base import ClientRequest
from headway.errors import InvalidField
from headway.server.api import token_counts
from support.pipeline_fakes import Pipe

BODY = {
    "model": "openai/claude-x",
    "system": "Be kind.",
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    "tools": [{"name": "f", "input_schema": {"type": "object"}}],
}


def count(pipe: Pipe, body: Any = BODY) -> tuple[dict[bytes, bytes], Any]:
    route = token_counts.find("/v1/messages/count_tokens")
    assert route is not None
    request = ClientRequest("", (), json.dumps(body).encode())
    headers, answer = asyncio.run(token_counts.respond(pipe.gateway, route, request))
    return dict(headers), json.loads(answer)


def test_the_prompt_and_the_tools_are_counted() -> None:
    pipe = Pipe()
    assert count(pipe) == ({b"x-headway-tokens-source": b"counted"}, {"input_tokens": 7})
    [(model, messages, tools)] = pipe.counted
    assert model == "claude-x"
    assert json.loads(messages) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
    ]
    assert json.loads(tools)[0]["function"]["name"] == "f"
    assert pipe.upstream_requests == []
    assert pipe.records == []


def test_a_count_that_fails_or_is_late_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = Pipe()
    pipe.counts = (None, None)
    headers, answer = count(pipe)
    assert headers == {b"x-headway-tokens-source": b"estimated"}
    assert 10 < answer["input_tokens"] < 60

    async def never(model: str, messages: bytes, produced: str) -> tuple[int, int]:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(pipe.gateway, "count", never)
    assert count(pipe) == (headers, answer)


def test_a_body_that_is_no_message_is_refused() -> None:
    with pytest.raises(InvalidField):
        count(Pipe(), {"model": "m"})


def test_the_route_is_also_below_the_dialects_prefix() -> None:
    assert token_counts.find("/anthropic/v1/messages/count_tokens") is not None
    assert token_counts.find("/v1/messages") is None
