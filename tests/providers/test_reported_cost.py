"""The cost that a provider reports with its usage, on every wire format that can carry it."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from headway.events import Event, UsageReported
from headway.providers.anthropic import response as anthropic
from headway.providers.openai import response as openai
from headway.providers.openai.embeddings import decode_embeddings
from headway.providers.openai.fast_path import summarize
from headway.providers.openai_responses import response as responses
from headway.types import Frame
from support.for_each import for_each

COSTS: list[tuple[dict[str, Any], str | None]] = [
    ({"cost": 0.00014}, "0.00014"),
    ({"cost": 0}, "0"),
    ({"cost": 1e-07}, "1E-7"),
    ({"cost": {"input_tokens_cost": 0.001, "request_cost": 0.005, "total_cost": 0.006}}, "0.006"),
    ({"cost": {"currency": "USD", "total_cost": 0.25}}, "0.25"),
    ({"cost": {"currency": "EUR", "total_cost": 0.25}}, None),
    ({"cost_in_usd_ticks": 37756000}, "0.0037756"),
    ({"estimated_cost": 2.5e-05}, "0.000025"),
    ({"cost": None, "estimated_cost": None}, None),
    ({"cost": "0.1"}, "0.1"),
    ({"cost": "4.2e-05"}, "0.000042"),
    ({"cost": "-0.1"}, None),
    ({"cost": "NaN"}, None),
    ({"cost": "1 USD"}, None),
    ({"cost": -1}, None),
    ({"cost": True}, None),
    ({"cost": []}, None),
]
BYOK: list[tuple[dict[str, Any], str]] = [
    ({"cost": 0.5, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.25}}, "0.75"),
    ({"cost": 0.5, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, "0.5"),
    ({"cost": 0.5, "is_byok": True}, "0.5"),
    ({"cost": 0.5, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.25}}, "0.5"),
]
CHAT_COUNTS = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
COUNTS = {"input_tokens": 3, "output_tokens": 2}


def frame(value: Any) -> Frame:
    return Frame(json.dumps(value).encode(), None, b"")


def told(events: list[Event]) -> Decimal | None:
    (usage,) = [event.usage for event in events if type(event) is UsageReported]
    return usage.cost_usd


def completion(cost: dict[str, Any]) -> bytes:
    message = {"role": "assistant", "content": "Hi"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    head = {"id": "1", "object": "chat.completion", "created": 7, "model": "m"}
    return json.dumps({**head, "choices": [choice], "usage": {**CHAT_COUNTS, **cost}}).encode()


def whole_chat(cost: dict[str, Any]) -> Decimal | None:
    return told(openai.decode_response(completion(cost)))


def summarized_chat(cost: dict[str, Any]) -> Decimal | None:
    summary = summarize(completion(cost))
    assert summary is not None
    return summary.usage.cost_usd


def streamed_chat(cost: dict[str, Any]) -> Decimal | None:
    chunk = {"id": "1", "model": "m", "choices": [], "usage": {**CHAT_COUNTS, **cost}}
    return told(openai.decode_event(frame(chunk), {}))


def whole_response(cost: dict[str, Any]) -> Decimal | None:
    body = {"id": "1", "status": "completed", "output": [], "usage": {**COUNTS, **cost}}
    return told(responses.decode_response(json.dumps(body).encode()))


def streamed_response(cost: dict[str, Any]) -> Decimal | None:
    body = {"id": "1", "status": "completed", "output": [], "usage": {**COUNTS, **cost}}
    return told(responses.decode_event(frame({"type": "response.completed", "response": body}), {}))


@for_each(("cost", "expected"), [*COSTS, *BYOK])
@for_each("read", [whole_chat, summarized_chat, streamed_chat, whole_response, streamed_response])
def test_the_cost_that_a_provider_reports_is_read(
    read: Callable[[dict[str, Any]], Decimal | None], cost: dict[str, Any], expected: str | None
) -> None:
    assert read(cost) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(("cost", "expected"), BYOK)
def test_the_cost_is_read_in_anthropics_format(cost: dict[str, Any], expected: str) -> None:
    usage = {**COUNTS, **cost}
    body = {"id": "1", "model": "m", "content": [], "stop_reason": "end_turn", "usage": usage}
    assert told(anthropic.decode_response(json.dumps(body).encode())) == Decimal(expected)
    delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}
    assert told(anthropic.decode_event(frame(delta), {})) == Decimal(expected)


@for_each(("cost", "expected"), [*COSTS, *BYOK])
def test_the_cost_of_embeddings_is_read(cost: dict[str, Any], expected: str | None) -> None:
    usage = {"prompt_tokens": 3, "total_tokens": 3, **cost}
    body = {"data": [{"index": 0, "embedding": [0.5]}], "model": "m", "usage": usage}
    found = decode_embeddings(json.dumps(body).encode()).usage.cost_usd
    assert found == (None if expected is None else Decimal(expected))
