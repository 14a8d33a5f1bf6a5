"""The routes on which clients ask how many tokens a request has. Nothing is billed or recorded.

A provider that counts is asked, whatever the client's wire format is. Otherwise, and where it fails
or is late, the gateway counts; and a count that takes longer than a client should wait is answered
with an estimate by length. The response's header says which of these it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, DecodedRequest, Dialect
from headway.dialects.gemini.count_tokens import CountTokens
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.errors import HeadwayError
from headway.pipeline import history, model_names, provider_calls, targets
from headway.pipeline.gateway import Gateway
from headway.pipeline.request_body import decode_request
from headway.policy.keys import ANONYMOUS
from headway.transport.fetch import fetch
from headway.types import ChatRequest, Headers, Timeouts

SOURCE_HEADER = b"x-headway-tokens-source"
PROVIDER_LIMIT_S = 2.0
"""Seconds to wait for a provider's own count."""
TIMEOUTS = Timeouts(connect=2.0, first_byte=2.0, idle=2.0, total=2.0)
WAIT_S = 0.06
"""Seconds to wait for a count of a small request."""
BYTES_PER_SECOND = 2_000_000
"""A long request may take longer, as its count does."""
BYTES_PER_TOKEN = 4
TEXTS = ("tools", "response_format")
"""Parameters whose JSON is part of the prompt."""


COUNT = ":countTokens"
MODELS = ("/v1beta/", "/v1/", "/gemini/v1beta/", "/gemini/v1/")
"""The beginnings of Google's paths, which have a model between them and ``COUNT``."""


class CountRoute(NamedTuple):
    """One such route: the dialect of its requests and errors, and the shape of its response."""

    dialect: Dialect
    encode: Callable[[int], bytes]
    argument: str = ""
    """The parameter in the path."""


def _encode_anthropic(tokens: int) -> bytes:
    return msgspec.json.encode({"input_tokens": tokens})


def _encode_responses(tokens: int) -> bytes:
    return msgspec.json.encode({"object": "response.input_tokens", "input_tokens": tokens})


_MESSAGES = CountRoute(AnthropicMessages(), _encode_anthropic)
_RESPONSES = CountRoute(OpenAIResponses(), _encode_responses)
ROUTES: Mapping[str, CountRoute] = {
    "/v1/messages/count_tokens": _MESSAGES,
    "/v1/responses/input_tokens": _RESPONSES,
}
PREFIXED: Mapping[str, CountRoute] = {
    "/anthropic/v1/messages/count_tokens": _MESSAGES,
    "/openai/v1/responses/input_tokens": _RESPONSES,
}
"""The same routes below the dialect's own prefix."""


def _encode_gemini(tokens: int) -> bytes:
    details = [{"modality": "TEXT", "tokenCount": tokens}]
    return msgspec.json.encode({"totalTokens": tokens, "promptTokensDetails": details})


_CONTENTS = CountRoute(CountTokens(), _encode_gemini)


def find(path: str) -> CountRoute | None:
    found = ROUTES.get(path) or PREFIXED.get(path)
    start = next((start for start in MODELS if path.startswith(start)), None)
    if found is not None or start is None:
        return found
    name = unquote(path)
    if not name.endswith(COUNT):
        return None
    return _CONTENTS._replace(argument=name.removeprefix(start).removesuffix(COUNT))


async def respond(
    gateway: Gateway, route: CountRoute, request: ClientRequest, key_id: str = ANONYMOUS
) -> tuple[Headers, bytes]:
    """Further headers, and the body. ``key_id`` says whose earlier responses the request may refer
    to. Raises HeadwayError for a wrong request."""
    snapshot = gateway.snapshot
    decoded = decode_request(route.dialect, request, snapshot.body_limit, snapshot.json_limit)
    if decoded.recall is not None:
        upstream, decoded = model_names.find_upstream(snapshot, decoded, route.dialect.wire)
        decoded = await history.recall(gateway, snapshot, upstream, decoded, key_id)
    assert isinstance(decoded.request, ChatRequest)
    exact = await _ask_provider(gateway, route.dialect, decoded)
    if exact is not None:
        return [(SOURCE_HEADER, b"reported")], route.encode(exact)
    messages, texts = _prompt_of(route.dialect, decoded.request)
    tokens = await _count(gateway, decoded.request.model, messages, texts)
    source = b"counted"
    if tokens is None:
        tokens, source = (len(messages) + len(texts)) // BYTES_PER_TOKEN, b"estimated"
    return [(SOURCE_HEADER, source)], route.encode(tokens)


async def count_prompt(
    gateway: Gateway, dialect: Dialect, model: str, request: ChatRequest
) -> int | None:
    """The gateway's own count of a prompt with its tools, by the vocabulary of ``model``. None if
    it cannot be counted in a short time. Raises RequestError for a malformed request."""
    return await _count(gateway, model, *_prompt_of(dialect, request))


def _prompt_of(dialect: Dialect, request: ChatRequest) -> tuple[bytes, str]:
    """The messages in OpenAI's format, and the other texts that are part of the prompt."""
    converted, _ = dialect.convert_request(request)
    given = [converted.parameters[name] for name in TEXTS if name in converted.parameters]
    return bytes(converted.messages), "\n".join(bytes(raw).decode() for raw in given)


async def _ask_provider(gateway: Gateway, dialect: Dialect, decoded: DecodedRequest) -> int | None:
    """The provider's own count; None if it has none, or fails, or is late."""
    try:
        upstream, decoded = model_names.find_upstream(gateway.snapshot, decoded, dialect.wire)
        provider, request = upstream.provider, decoded.request
        if provider.token_count is None:
            return None
        adapted, _ = provider_calls.adapt_client_request(upstream, dialect, request)
        assert isinstance(adapted, ChatRequest)
        async with asyncio.timeout(PROVIDER_LIMIT_S):
            target = await targets.resolve(gateway, upstream, decoded)
            target = targets.with_chosen_key(gateway, upstream, decoded, target)
            asked = provider.token_count.encode(adapted, target)
            if provider.sign is not None:
                asked = provider.sign(asked, target, gateway.unix_time())
            status, _, body = await fetch(upstream.transport, asked, TIMEOUTS)
        return provider.token_count.decode(body) if status == 200 else None
    except (HeadwayError, TimeoutError, *provider_calls.MALFORMED):
        return None


async def _count(gateway: Gateway, model: str, messages: bytes, texts: str) -> int | None:
    """None if the count failed, or takes too long; it goes on then, for the next one's sake."""

    async def count() -> tuple[int | None, int | None]:
        return await gateway.count(model, messages, texts)

    counting = gateway.share(count())
    size = len(messages) + len(texts)
    done, _ = await asyncio.wait({counting}, timeout=WAIT_S + size / BYTES_PER_SECOND)
    if not done:
        return None
    first, second = counting.result()
    return None if first is None or second is None else first + second
