"""The cost of a call from what the provider's response and its address tell, in the reply and in
the record; streamed and whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from headway.dialects.base import ClientRequest
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.metering.prices import PriceBook, read_shipped_prices
from headway.providers import KINDS
from headway.record import Record
from support.for_each import for_each
from support.pipeline_fakes import JSON, Pipe

BOOK = PriceBook.load(read_shipped_prices())
NOW = datetime(2026, 11, 29, tzinfo=UTC).timestamp()
Fields = dict[str, Any]


def call(kind: str, model: str, is_streamed: bool, **upstream: Any) -> Pipe:
    pipe = Pipe(provider=KINDS[kind], **upstream)
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, prices=BOOK)
    pipe.gateway.unix_time = lambda: NOW
    pipe.ask(model=model, is_stream=is_streamed)
    return pipe


def sse(*events: Fields) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def answer_chat(pipe: Pipe, is_streamed: bool, model: str, usage: Fields, **more: Any) -> None:
    head = {"id": "1", "object": "chat.completion", "created": 7, "model": model}
    counts = {"prompt_tokens": 1000, "completion_tokens": 100, **usage}
    choice = {"index": 0, "finish_reason": "stop"}
    if is_streamed:
        first = {**head, "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
        last = {**head, "choices": [{**choice, "delta": {}}], "usage": counts, **more}
        pipe.upstream.stream(sse(first, last) + b"data: [DONE]\n\n")
        return
    message = {"role": "assistant", "content": "Hi"}
    body = {**head, "choices": [{**choice, "message": message}], "usage": counts, **more}
    pipe.upstream.whole(json.dumps(body).encode())


def answer_message(pipe: Pipe, is_streamed: bool, model: str, usage: Fields) -> None:
    counts = {"input_tokens": 1000, "output_tokens": 100, **usage}
    head = {"id": "1", "type": "message", "role": "assistant", "model": model}
    if not is_streamed:
        content = [{"type": "text", "text": "Hi"}]
        body = {**head, "content": content, "stop_reason": "end_turn", "usage": counts}
        pipe.upstream.whole(json.dumps(body).encode())
        return
    text = {"type": "text_delta", "text": "Hi"}
    pipe.upstream.stream(
        sse(
            {"type": "message_start", "message": {**head, "content": [], "usage": counts}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
            {"type": "content_block_delta", "index": 0, "delta": text},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": counts},
            {"type": "message_stop"},
        )
    )


def answer_gemini(pipe: Pipe, is_streamed: bool, model: str, usage: Fields) -> None:
    counts = {
        "promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100, **usage
    }  # fmt: skip
    content = {"role": "model", "parts": [{"text": "Hi"}]}
    body = {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": counts,
        "modelVersion": model,
    }
    if is_streamed:
        pipe.upstream.stream(sse(body))
        pipe.upstream.end()
    else:
        pipe.upstream.whole(json.dumps(body).encode())


ANSWERS = {
    "openai": answer_chat,
    "azure_openai": answer_chat,
    "openrouter": answer_chat,
    "groq": answer_chat,
    "anthropic": answer_message,
    "vertex_anthropic": answer_message,
    "gemini": answer_gemini,
    "vertex": answer_gemini,
}
EU = {"base_url": "https://eu.api.openai.com/v1"}
AZURE = {"base_url": "https://r.openai.azure.com/openai/v1"}
VERTEX = {"options": {"project": "p", "region": "us-east5"}, "base_url": ""}
GLOBAL = {"options": {"project": "p"}, "base_url": ""}
PICTURE = {"candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 90}]}
SEARCHES = {"server_tool_use": {"web_search_requests": 3}}

# kind, its configuration, the model asked for, the one that answers, its usage, dollars
PRICED: list[tuple[str, Fields, str, str, Fields, str]] = [
    ("openai", {}, "gpt-5", "gpt-5-2025-08-07", {}, "0.00225"),
    ("openai", {}, "gpt-5", "gpt-5-mini-2025-08-07", {}, "0.00045"),
    ("openai", EU, "gpt-5", "gpt-5-2025-08-07", {}, "0.00225"),
    ("openai", EU, "gpt-6.1-sol", "gpt-6.1-sol-2026-09-29", {}, "0.0033"),
    ("azure_openai", AZURE, "prod", "gpt-4o-mini-2024-07-18", {}, "0.00021"),
    ("openrouter", {}, "openrouter/auto", "anthropic/claude-4.5-haiku-20251001", {}, "0.0015"),
    ("openrouter", {}, "anthropic/claude-haiku-4.5:nitro", "anthropic/claude-haiku-4.5", {},
     "0.0015"),
    ("anthropic", {}, "claude-opus-5", "claude-opus-5", {"speed": "fast"}, "0.015"),
    ("anthropic", {}, "claude-opus-5", "claude-opus-5", {"inference_geo": "us"}, "0.00825"),
    ("anthropic", {}, "claude-opus-5", "claude-opus-5", SEARCHES, "0.0375"),
    ("vertex_anthropic", VERTEX, "claude-haiku-4-5@20251001", "claude-haiku-4-5-20251001", {},
     "0.00165"),
    ("vertex_anthropic", GLOBAL, "claude-haiku-4-5@20251001", "claude-haiku-4-5-20251001", {},
     "0.0015"),
    ("gemini", {}, "gemini-2.5-flash-image", "gemini-2.5-flash-image", PICTURE, "0.003025"),
    ("vertex", VERTEX, "gemini-3.5-flash", "gemini-3.5-flash", {}, "0.00264"),
    ("vertex", GLOBAL, "gemini-3.5-flash", "gemini-3.5-flash", {"trafficType": "ON_DEMAND"},
     "0.0024"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answering", "cost", "reason"),
    [
        ("text-embedding-3-small", "0.00002", None),
        ("text-embedding-3-large", "0.00013", None),
        ("brand-new", None, "answered by brand-new, for which there is no price"),
    ],
)
def test_embeddings_cost_what_the_model_that_answered_costs(
    answering: str, cost: str | None, reason: str | None
) -> None:
    pipe = Pipe()
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, prices=BOOK)
    asked = {"model": "openai/text-embedding-3-small", "input": "Hello"}
    pipe.send(ClientRequest("", (), json.dumps(asked).encode()), OpenAIEmbeddings())
    body = {
        "data": [{"index": 0, "embedding": [0.5]}],
        "model": answering,
        "usage": {"prompt_tokens": 1000, "total_tokens": 1000},
    }
    pipe.upstream.whole(json.dumps(body).encode())
    (record,) = pipe.records
    assert (record.cost_usd and float(record.cost_usd)) == (cost and float(cost))
    assert (record.cost_unknown_reason, record.deployment) == (reason, answering)


def answered(
    kind: str, upstream: Fields, model: str, answering: str, usage: Fields, is_streamed: bool
) -> tuple[Record, Fields]:
    """The record and the metrics."""
    pipe = call(kind, model, is_streamed, **upstream)
    ANSWERS[kind](pipe, is_streamed, answering, usage)
    (record,) = pipe.records
    reply = pipe.sink.lines[-1] if is_streamed else pipe.sink.json
    return record, reply["metrics"]


@for_each("is_streamed", [True, False])
@for_each(("kind", "upstream", "model", "answering", "usage", "dollars"), PRICED)
def test_the_cost_is_that_of_the_model_and_the_conditions(
    kind: str, upstream: Fields, model: str, answering: str, usage: Fields, dollars: str,
    is_streamed: bool,
) -> None:  # fmt: skip
    record, metrics = answered(kind, upstream, model, answering, usage, is_streamed)
    assert record.cost_unknown_reason is None
    assert float(record.cost_usd or "nan") == float(dollars) == metrics["cost_usd"]
    assert (record.model, record.deployment) == (model, answering)
    assert (metrics["model"], metrics["deployment"]) == (model, answering)
    assert (metrics["cost_source"], metrics["cost_computed_usd"]) == ("computed", None)


@for_each("is_streamed", [True, False])
@for_each(("kind", "upstream", "model", "answering", "usage", "dollars"), PRICED)
def test_a_relayed_answer_costs_the_same(
    kind: str, upstream: Fields, model: str, answering: str, usage: Fields, dollars: str,
    is_streamed: bool,
) -> None:  # fmt: skip
    pipe = Pipe(provider=KINDS[kind], **upstream)
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, prices=BOOK)
    pipe.gateway.unix_time = lambda: NOW
    pipe.ask_openai(model=f"openai/{model}", stream=is_streamed)
    ANSWERS[kind](pipe, is_streamed, answering, usage)
    (record,) = pipe.records
    assert float(record.cost_usd or "nan") == float(dollars)
    assert (record.model, record.deployment) == (model, answering)


ROUTER = "arn:aws:bedrock:us-east-1:1:default-prompt-router/anthropic.claude:1"
ROUTED = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"


def test_a_prompt_router_costs_what_the_model_that_it_chose_costs() -> None:
    pipe = call("bedrock", ROUTER, False, base_url="https://b.example", options={"region": "r"})
    body = {
        "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1000, "outputTokens": 100, "totalTokens": 1100},
        "trace": {"promptRouter": {"invokedModelId": ROUTED}},
    }
    pipe.upstream.whole(json.dumps(body).encode())
    (record,) = pipe.records
    assert (record.model, record.deployment) == (ROUTER, ROUTED)
    assert float(record.cost_usd or "nan") == 0.000375


SOUND = {"completion_tokens_details": {"audio_tokens": 90}}
HEARD = {"prompt_tokens_details": {"audio_tokens": 90, "cached_tokens": 0}}
PTU = {"trafficType": "PROVISIONED_THROUGHPUT"}
SPOKEN = {"promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 900}]}

UNPRICED: list[tuple[str, Fields, str, str, Fields, str]] = [
    ("openai", {}, "gpt-5", "brand-new", {}, "answered by brand-new, for which there is no price"),
    ("openrouter", {}, "openrouter/auto", "a/b", {}, "no price for the model a/b"),
    ("openrouter", {}, "openai/gpt-4o:online", "openai/gpt-4o", {},
     "no price for tool web_search of openai/gpt-4o"),
    ("openai", {}, "gpt-4o-audio-preview", "gpt-4o-audio-preview-2025-06-03", SOUND,
     "no price for output audio tokens of gpt-4o-audio-preview"),
    ("openai", {}, "gpt-4o-audio-preview", "gpt-4o-audio-preview-2025-06-03", HEARD,
     "no price for input audio tokens of gpt-4o-audio-preview"),
    ("gemini", {}, "gemini-2.5-flash", "gemini-2.5-flash", PICTURE,
     "no price for output image tokens of gemini-2.5-flash"),
    ("gemini", {}, "gemini-3.7-flash", "gemini-3.7-flash", SPOKEN,
     "no price for input audio tokens of gemini-3.7-flash"),
    ("vertex", GLOBAL, "gemini-2.5-flash", "gemini-2.5-flash", PTU,
     "no price for traffic type provisioned_throughput of gemini-2.5-flash"),
    ("vertex", VERTEX, "gemini-3-flash-preview", "gemini-3-flash-preview", {},
     "no price for region us-east5 of gemini-3-flash-preview"),
    ("anthropic", {}, "claude-opus-4-6", "claude-opus-4-6", {"speed": "fast"},
     "no price for speed fast of claude-opus-4-6"),
    ("anthropic", {}, "claude-opus-5", "claude-opus-5", {"service_tier": "priority"},
     "no price for service tier priority of claude-opus-5"),
]  # fmt: skip


@for_each("is_streamed", [True, False])
@for_each(("kind", "upstream", "model", "answering", "usage", "reason"), UNPRICED)
def test_the_cost_is_null_with_the_reason_where_the_price_is_unknown(
    kind: str, upstream: Fields, model: str, answering: str, usage: Fields, reason: str,
    is_streamed: bool,
) -> None:  # fmt: skip
    record, metrics = answered(kind, upstream, model, answering, usage, is_streamed)
    assert (record.cost_usd, record.cost_source) == (None, None)
    assert record.cost_unknown_reason == reason == metrics["cost_unknown_reason"]
    assert (metrics["cost_usd"], metrics["price"]) == (None, None)
    assert (record.model, record.deployment) == (model, answering)


@pytest.mark.parametrize("tier", ["scale", "priority"])
@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_tier_without_a_price_makes_the_cost_unknown(tier: str, is_streamed: bool) -> None:
    for kind, upstream in (("openai", {}), ("azure_openai", AZURE), ("groq", {})):
        model = "openai/gpt-oss-120b" if kind == "groq" else "gpt-5-pro"
        pipe = call(kind, model, is_streamed, **upstream)
        answer_chat(pipe, is_streamed, model, {}, service_tier=tier)
        (record,) = pipe.records
        assert record.cost_unknown_reason == f"no price for service tier {tier} of {model}"
        assert record.price_conditions == {"service_tier": tier}


@pytest.mark.parametrize("is_streamed", [True, False])
def test_the_providers_own_cost_is_shown_with_the_reason_why_none_is_computed(
    is_streamed: bool,
) -> None:
    usage = {"cost": 0.25}
    record, metrics = answered("openrouter", {}, "openrouter/auto", "a/b", usage, is_streamed)
    assert (record.cost_usd, record.cost_source) == ("0.25", "provider")
    assert (metrics["cost_usd"], metrics["cost_computed_usd"]) == (0.25, None)
    assert metrics["cost_unknown_reason"] == "no price for the model a/b"


HEADERS = [
    ((b"x-amzn-bedrock-service-tier", b"flex"), "no price for service tier flex of {}"),
    ((b"x-amzn-bedrock-service-tier", b"default"), None),
    (
        (b"x-amzn-bedrock-performanceconfig-latency", b"optimized"),
        "no price for latency optimized of {}",
    ),
    ((b"x-other", b"flex"), None),
]


@pytest.mark.parametrize(("header", "reason"), HEADERS)
def test_headers_of_the_response_tell_conditions(
    header: tuple[bytes, bytes], reason: str | None
) -> None:
    model = "amazon.nova-lite-v1:0"
    pipe = call("bedrock", model, False, base_url="https://b.example", options={"region": "r"})
    message = {"role": "assistant", "content": [{"text": "Hi"}]}
    usage = {"inputTokens": 1000, "outputTokens": 100, "totalTokens": 1100}
    body = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
    pipe.upstream.whole(json.dumps(body).encode(), 200, header)
    (record,) = pipe.records
    assert record.cost_unknown_reason == (reason and reason.format(model))
    assert (record.cost_usd is None) is (reason is not None)


def test_a_failed_call_has_no_cost_and_no_reason() -> None:
    pipe = call("openai", "gpt-5", False)
    pipe.upstream.respond(JSON, 400)
    pipe.upstream.chunk(b'{"error":{"message":"no"}}')
    pipe.upstream.end()
    (record,) = pipe.records
    assert (record.cost_usd, record.cost_unknown_reason) == (None, None)
