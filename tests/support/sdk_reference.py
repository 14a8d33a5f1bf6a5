"""Values for comparisons with a provider's own SDK: the request, and the decoded response."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import Raw

from headway.providers.base import Provider
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Target
from support.canned_responses import Played
from support.scripted_server import Received, ThreadedServer, answer


class SentRequest(NamedTuple):
    """A request: where it went, and what it said."""

    method: str
    path: str
    key: str | None
    body: Any


class DecodedResponse(NamedTuple):
    """An answer. Finish reasons are OpenAI's; calls are id, name and arguments."""

    text: str
    thought: str
    calls: tuple[tuple[str | None, str, Any], ...]
    finish: str | None
    tokens: tuple[int | None, int | None]


def asked_by_sdk(received: Received) -> SentRequest:
    body = json.loads(received.body)
    return SentRequest(received.method, received.target, received.header("authorization"), body)


def asked_by_us(
    provider: Provider,
    base_url: str,
    model: str,
    messages: Any,
    parameters: Mapping[str, Any],
    stream: bool = False,
) -> SentRequest:
    given = {name: Raw(json.dumps(value).encode()) for name, value in parameters.items()}
    raw = Raw(json.dumps(messages).encode())
    request = ChatRequest(model=model, messages=raw, parameters=given, stream=stream)
    target = Target(provider=provider.name, base_url=base_url, api_key="k")
    http = provider.encode_request(provider.adapt(request)[0], target)
    key = dict(http.headers).get("authorization")
    return SentRequest("POST", http.url.path, key, json.loads(http.body))


def read_by_us(provider: Provider, played: Played, streamed: bool) -> DecodedResponse:
    found = ResponseAccumulator()
    if streamed:
        framer, state = provider.framer(), {}  # type: ignore[var-annotated]
        for frame in [*framer.feed(played.body), *framer.end()]:
            found.add(provider.decode_event(frame, state))
    else:
        found.add(provider.decode_response(played.body))
    assert found.failed is None
    assert found.is_finished
    choice, usage = found.choices[0], found.reported()
    calls = [(t.id, t.name, json.loads("".join(t.arguments))) for t in choice.tools.values()]
    return DecodedResponse(
        text="".join(choice.text),
        thought="".join(choice.reasoning),
        calls=tuple(calls),
        finish=choice.finish_reason,
        tokens=(usage.input_tokens, usage.output_tokens),
    )


def serving(played: Played) -> ThreadedServer:
    return ThreadedServer([answer(played.body, headers=[("content-type", played.content_type)])])
