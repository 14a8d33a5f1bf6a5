"""Counts of tokens without a provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from headway.dialects.base import ClientRequest
from headway.errors import InvalidField, UpstreamUnreachable
from headway.providers import KINDS
from headway.providers.anthropic import provider as anthropic
from headway.server.api import token_counts
from headway.types import Headers
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


def ask(
    pipe: Pipe, play: Callable[[Pipe], None], body: Any = BODY
) -> tuple[dict[bytes, bytes], Any]:
    """A count during which ``play`` is the provider's part."""
    route = token_counts.find("/v1/messages/count_tokens")
    assert route is not None
    request = ClientRequest("", (), json.dumps(body).encode())

    async def main() -> tuple[Headers, bytes]:
        work = asyncio.ensure_future(token_counts.respond(pipe.gateway, route, request))
        for _ in range(5):
            await asyncio.sleep(0)
        play(pipe)
        return await work

    headers, answer = asyncio.run(main())
    return dict(headers), json.loads(answer)


def test_a_provider_of_the_clients_format_is_asked() -> None:
    pipe = Pipe(provider=anthropic.PROVIDER, base_url="https://api.anthropic.com")
    headers, answer = ask(pipe, lambda pipe: pipe.upstream.whole(b'{"input_tokens":42}'))
    assert (headers, answer) == ({b"x-headway-tokens-source": b"reported"}, {"input_tokens": 42})
    sent = pipe.upstream.request
    assert sent.url.path == "/v1/messages/count_tokens"
    assert json.loads(sent.body) == {**BODY, "model": "claude-x"}
    assert pipe.counted == []


FAILURES: list[Callable[[Pipe], None]] = [
    lambda pipe: pipe.upstream.whole(b'{"input_tokens":42}', 429),
    lambda pipe: pipe.upstream.whole(b"{}"),
    lambda pipe: pipe.upstream.fail(UpstreamUnreachable("no")),
]


@pytest.mark.parametrize("play", FAILURES)
def test_the_gateway_counts_where_the_provider_fails(play: Callable[[Pipe], None]) -> None:
    pipe = Pipe(provider=anthropic.PROVIDER)
    assert ask(pipe, play) == ({b"x-headway-tokens-source": b"counted"}, {"input_tokens": 7})


def test_the_gateway_counts_where_the_provider_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_counts, "PROVIDER_LIMIT_S", 0.01)
    pipe = Pipe(provider=anthropic.PROVIDER)
    headers, _ = ask(pipe, lambda pipe: None)
    assert headers == {b"x-headway-tokens-source": b"counted"}
    assert "cancel" in pipe.upstream.history


def test_a_provider_of_another_format_is_asked_in_its_own() -> None:
    for kind, model, path, answer in (
        ("gemini", "gemini-2.5-flash", ":countTokens", b'{"totalTokens":42}'),
        ("bedrock", "anthropic.claude-x", "/count-tokens", b'{"inputTokens":42}'),
        ("openai_responses", "gpt-5", "/responses/input_tokens", b'{"input_tokens":42}'),
    ):
        options = {"region": "us-east-1", "access_key": "a", "secret_key": "s"}
        pipe = Pipe(
            provider=KINDS[kind],
            base_url="https://a.example",
            options=options if kind == "bedrock" else {},
            api_key=None if kind == "bedrock" else "k",
            needs_key=False,
        )
        body = {**BODY, "model": f"openai/{model}"}
        headers, told = ask(pipe, lambda pipe, a=answer: pipe.upstream.whole(a), body)  # type: ignore[misc]
        assert told == {"input_tokens": 42}, kind
        assert headers == {b"x-headway-tokens-source": b"reported"}
        assert pipe.upstream.request.url.path.endswith(path), kind
        is_signed = "authorization" in {name.lower() for name, _ in pipe.upstream.request.headers}
        assert is_signed is (kind != "gemini"), kind


def test_the_gateway_counts_for_a_model_whose_tokens_its_provider_does_not() -> None:
    pipe = Pipe(provider=KINDS["bedrock"], options={"region": "us-east-1"})
    headers, _ = count(pipe, {**BODY, "model": "openai/amazon.nova-pro-v1:0"})
    assert headers == {b"x-headway-tokens-source": b"counted"}
    assert pipe.upstream_requests == []


def test_the_gateway_counts_for_a_provider_that_is_not_known() -> None:
    pipe = Pipe(provider=anthropic.PROVIDER)
    headers, _ = count(pipe, {**BODY, "model": "nobody/m"})
    assert headers == {b"x-headway-tokens-source": b"counted"}
    assert pipe.upstream_requests == []


def test_a_body_that_is_no_message_is_refused() -> None:
    with pytest.raises(InvalidField):
        count(Pipe(), {"model": "m"})


def test_the_route_is_also_below_the_dialects_prefix() -> None:
    assert token_counts.find("/anthropic/v1/messages/count_tokens") is not None
    assert token_counts.find("/v1/messages") is None
