"""What a provider reports that decides the price: read alike from whole responses and streams, by
every adapter whose wire format can tell it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from headway.providers import KINDS
from headway.response_accumulator import ResponseAccumulator
from headway.types import Usage
from support.event_stream_messages import encode_message
from support.for_each import for_each
from support.recording_decoder import fold, streamed

Json = dict[str, Any]
HEAD = {"id": "1", "object": "chat.completion", "created": 7, "model": "m"}
COUNTS = {"prompt_tokens": 90, "completion_tokens": 80}


def sse(*events: Json) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def of_chat(kind: str, is_streamed: bool, usage: Json, **more: Json) -> ResponseAccumulator:
    choice: Json = {"index": 0, "finish_reason": "stop"}
    told = {"usage": {**COUNTS, **usage}, **more}
    if not is_streamed:
        message = {"role": "assistant", "content": "Hi"}
        body = {**HEAD, "choices": [{**choice, "message": message}], **told}
        return fold(KINDS[kind].decode_response(json.dumps(body).encode()))
    first = {**HEAD, "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
    last = {**HEAD, "choices": [{**choice, "delta": {}}]}
    return fold(streamed(KINDS[kind], sse(first, last, {**HEAD, "choices": [], **told})))


def of_responses(kind: str, is_streamed: bool, usage: Json, **more: Any) -> ResponseAccumulator:
    counts = {"input_tokens": 90, "output_tokens": 80, **usage}
    text = {"type": "output_text", "text": "Hi", "annotations": []}
    message = {"type": "message", "role": "assistant", "content": [text]}
    output = [*more.pop("output", ()), message]
    body = {"id": "1", "model": "m", "status": "completed", "output": output, "usage": counts}
    body |= more
    if not is_streamed:
        return fold(KINDS[kind].decode_response(json.dumps(body).encode()))
    events: list[Json] = [{"type": "response.created", "response": {"id": "1", "model": "asked"}}]
    for index, item in enumerate(output):
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    events.append({"type": "response.completed", "response": body})
    return fold(streamed(KINDS[kind], sse(*events)))


def of_messages(kind: str, is_streamed: bool, usage: Json, **more: Any) -> ResponseAccumulator:
    counts = {"input_tokens": 90, "output_tokens": 80}
    head = {"id": "1", "type": "message", "role": "assistant", "model": "m"}
    if not is_streamed:
        content = [{"type": "text", "text": "Hi"}]
        body = {**head, "content": content, "stop_reason": "end_turn", "usage": counts | usage}
        return fold(KINDS[kind].decode_response(json.dumps(body).encode()))
    first = {name: value for name, value in usage.items() if name != "server_tool_use"}
    stop = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage | counts}
    events = [
        {"type": "message_start", "message": {**head, "content": [], "usage": counts | first}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        stop,
        {"type": "message_stop"},
    ]
    if kind == "bedrock":
        return fold(streamed(KINDS[kind], b"".join(map(invoke_chunk, events))))
    return fold(streamed(KINDS[kind], sse(*events)))


def invoke_chunk(event: Json) -> bytes:
    from base64 import b64encode

    payload = {"bytes": b64encode(json.dumps(event).encode()).decode()}
    return converse_event("chunk", payload)


def converse_event(name: str, payload: Json) -> bytes:
    headers = {":message-type": "event", ":event-type": name, ":content-type": "application/json"}
    return encode_message(headers, json.dumps(payload).encode())


def of_converse(kind: str, is_streamed: bool, usage: Json, **more: Any) -> ResponseAccumulator:
    counts = {"inputTokens": 90, "outputTokens": 80, "totalTokens": 170, **usage}
    if not is_streamed:
        message = {"role": "assistant", "content": [{"text": "Hi"}]}
        body = {"output": {"message": message}, "stopReason": "end_turn", "usage": counts, **more}
        return fold(KINDS[kind].decode_response(json.dumps(body).encode()))
    events = [
        converse_event("messageStart", {"role": "assistant"}),
        converse_event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}}),
        converse_event("contentBlockStop", {"contentBlockIndex": 0}),
        converse_event("messageStop", {"stopReason": "end_turn"}),
        converse_event("metadata", {"usage": counts, **more}),
    ]
    return fold(streamed(KINDS[kind], b"".join(events)))


def of_gemini(kind: str, is_streamed: bool, usage: Json, **more: Any) -> ResponseAccumulator:
    counts = {"promptTokenCount": 90, "candidatesTokenCount": 80, "totalTokenCount": 170, **usage}
    content = {"role": "model", "parts": [{"text": "Hi"}]}
    grounding = {"groundingMetadata": more.pop("grounding")} if "grounding" in more else {}
    last = {"finishReason": "STOP", "index": 0, **grounding}
    told = {"usageMetadata": counts, "modelVersion": "gemini-3.5-flash", **more}
    if not is_streamed:
        body = {"candidates": [{"content": content, **last}], **told}
        return fold(KINDS[kind].decode_response(json.dumps(body).encode()))
    first = {"candidates": [{"content": content, "index": 0}], "modelVersion": "asked"}
    return fold(streamed(KINDS[kind], sse(first, {"candidates": [last], **told})))


def of_cohere(kind: str, is_streamed: bool, usage: Json, **more: Any) -> ResponseAccumulator:
    told = {"billed_units": {"input_tokens": 90, "output_tokens": 80, **usage}}
    if not is_streamed:
        message = {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}
        body = {"id": "1", "finish_reason": "COMPLETE", "message": message, "usage": told}
        return fold(KINDS[kind].decode_response(json.dumps(body).encode()))
    text = {"message": {"content": {"type": "text", "text": "Hi"}}}
    events = [
        {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant"}}},
        {"type": "content-start", "index": 0, "delta": text},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": told}},
    ]
    return fold(streamed(KINDS[kind], sse(*events)))


Answer = Callable[..., ResponseAccumulator]
CHAT_DETAILS = {
    "prompt_tokens_details": {
        "cached_tokens": 5, "audio_tokens": 10, "image_tokens": 20, "video_tokens": 30
    },
    "completion_tokens_details": {"audio_tokens": 1, "image_tokens": 2, "video_tokens": 3},
}  # fmt: skip
CHAT_MEDIA = {
    "input_audio_tokens": 10, "input_image_tokens": 20, "input_video_tokens": 30,
    "output_audio_tokens": 1, "output_image_tokens": 2, "output_video_tokens": 3,
}  # fmt: skip
GEMINI_DETAILS = {
    "promptTokensDetails": [
        {"modality": "TEXT", "tokenCount": 5}, {"modality": "AUDIO", "tokenCount": 10},
        {"modality": "IMAGE", "tokenCount": 20}, {"modality": "DOCUMENT", "tokenCount": 7},
        {"modality": "VIDEO", "tokenCount": 30},
    ],
    "cachedContentTokenCount": 9,
    "cacheTokensDetails": [
        {"modality": "AUDIO", "tokenCount": 4}, {"modality": "IMAGE", "tokenCount": 5}
    ],
    "candidatesTokensDetails": [
        {"modality": "TEXT", "tokenCount": 10}, {"modality": "IMAGE", "tokenCount": 70}
    ],
}  # fmt: skip
GEMINI_MEDIA = {
    "input_audio_tokens": 10, "input_image_tokens": 27, "input_video_tokens": 30,
    "cache_read_audio_tokens": 4, "cache_read_image_tokens": 5, "output_image_tokens": 70,
}  # fmt: skip
SEARCHED = {"server_tool_use": {"web_search_requests": 2}}
GROUNDED = {"grounding": {"webSearchQueries": ["", "a", "b", "a"]}}
MAPS = {"grounding": {"groundingChunks": [{"maps": {"uri": "u", "title": "t"}}]}}


def web(action: str) -> Json:
    return {"type": "web_search_call", "id": "w", "action": {"type": action}}


ITEMS = {"output": [web("search"), web("open_page"), {"type": "file_search_call", "id": "f"}]}
CODE = {"output": [{"type": "code_interpreter_call", "id": "c"}, {"type": "mcp_call", "id": "m"}]}

CHAT_KINDS = ("openai", "azure_openai", "openrouter", "vllm", "mistral", "bedrock_mantle")
# how it answers, kinds, fields of its usage, further fields, what is read
FACTS: list[tuple[Answer, Sequence[str], Json, Json, Json]] = [
    (of_chat, CHAT_KINDS, CHAT_DETAILS, {}, CHAT_MEDIA),
    (of_chat, ["openrouter"], SEARCHED, {}, {"web_searches": 2}),
    (
        of_chat,
        ["openrouter"],
        {"server_tool_use_details": {"web_search_requests": 1}},
        {},
        {"web_searches": 1},
    ),
    (of_chat, ["xai", "azure_openai"], {"num_sources_used": 3}, {}, {"web_searches": 3}),
    (
        of_chat,
        ["xai"],
        {"server_side_tool_usage_details": {"x_search_calls": 1}},
        {},
        {"price_conditions": {"tool": "x_search"}},
    ),
    (
        of_chat,
        ["perplexity"],
        {"search_context_size": "low", "num_search_queries": 4, "citation_tokens": 50},
        {},
        {
            "price_conditions": {"search_context_size": "low"},
            "web_searches": 4,
            "citation_tokens": 50,
        },
    ),
    (of_responses, ["openai_responses"], {}, ITEMS, {"web_searches": 1, "file_searches": 1}),
    (
        of_responses,
        ["openai_responses", "azure_openai_responses"],
        {},
        CODE,
        {"price_conditions": {"tool": "code_interpreter"}},
    ),
    (
        of_responses,
        ["openai_responses"],
        {
            "input_tokens_details": {"audio_tokens": 3, "image_tokens": 4},
            "output_tokens_details": {"audio_tokens": 5, "image_tokens": 6},
        },
        {},
        {
            "input_audio_tokens": 3,
            "input_image_tokens": 4,
            "output_audio_tokens": 5,
            "output_image_tokens": 6,
        },
    ),
    (
        of_responses,
        ["openai_responses"],
        {"server_side_tool_usage_details": {"web_search_calls": 3}},
        ITEMS,
        {"web_searches": 3},
    ),
    (
        of_messages,
        ["anthropic", "vertex_anthropic", "bedrock"],
        {"speed": "fast", "inference_geo": "us", **SEARCHED},
        {},
        {"price_conditions": {"speed": "fast", "inference_geo": "us"}, "web_searches": 2},
    ),
    (
        of_messages,
        ["anthropic"],
        {"server_tool_use": {"code_execution_requests": 1}},
        {},
        {"price_conditions": {"tool": "code_execution"}},
    ),
    (
        of_messages,
        ["anthropic"],
        {"server_tool_use": {"code_execution_requests": 1, "web_fetch_requests": 1}},
        {},
        {"price_conditions": {}},
    ),
    (
        of_converse,
        ["bedrock"],
        {"serverToolUsage": {"webSearchRequests": 1}},
        {"performanceConfig": {"latency": "optimized"}},
        {"price_conditions": {"latency": "optimized"}, "web_searches": 1},
    ),
    (of_converse, ["bedrock"], {}, {"performanceConfig": {}}, {"price_conditions": {}}),
    (of_gemini, ["gemini", "vertex"], GEMINI_DETAILS, {}, GEMINI_MEDIA),
    (of_gemini, ["gemini", "vertex"], {}, GROUNDED, {"web_searches": 2}),
    (
        of_gemini,
        ["gemini"],
        {},
        {**GROUNDED, "modelVersion": "gemini-2.5-flash"},
        {"web_searches": 1},
    ),
    (of_gemini, ["gemini"], {}, MAPS, {"price_conditions": {"tool": "google_maps"}}),
    (of_gemini, ["vertex"], {"trafficType": "ON_DEMAND"}, {}, {"price_conditions": {}}),
    (
        of_gemini,
        ["vertex"],
        {"trafficType": "ON_DEMAND_FLEX"},
        {},
        {"price_conditions": {"service_tier": "flex"}},
    ),
    (
        of_gemini,
        ["vertex"],
        {"trafficType": "ON_DEMAND_PRIORITY"},
        {},
        {"price_conditions": {"service_tier": "priority"}},
    ),
    (
        of_gemini,
        ["vertex"],
        {"trafficType": "PROVISIONED_THROUGHPUT"},
        {},
        {"price_conditions": {"traffic_type": "PROVISIONED_THROUGHPUT"}},
    ),
    (of_cohere, ["cohere"], {"search_units": 2}, {}, {"web_searches": 2}),
]
CASES = [
    (answer, kind, usage, more, facts)
    for answer, kinds, usage, more, facts in FACTS
    for kind in kinds
]


@for_each("is_streamed", [False, True])
@for_each(("answer", "kind", "usage", "more", "facts"), CASES)
def test_what_decides_the_price_is_read(
    answer: Answer, kind: str, usage: Json, more: Json, facts: Json, is_streamed: bool
) -> None:
    found = answer(kind, is_streamed, usage, **more).reported()
    assert (found.input_tokens, found.output_tokens) == (90, 80)
    names = {*facts, "web_searches", "file_searches", "price_conditions"}
    expected = {name: facts.get(name, getattr(Usage(), name)) for name in names}
    assert {name: getattr(found, name) for name in names} == expected


ROUTED = {"trace": {"promptRouter": {"invokedModelId": "arn:aws:bedrock:::model/claude"}}}
ANSWERED: list[tuple[Answer, str, Json, str]] = [
    (of_converse, "bedrock", ROUTED, "arn:aws:bedrock:::model/claude"),
    (of_responses, "openai_responses", {"model": "told-at-the-end"}, "told-at-the-end"),
    (of_gemini, "gemini", {"modelVersion": "told-at-the-end"}, "told-at-the-end"),
    (of_chat, "openai", {"model": "told-at-the-end"}, "told-at-the-end"),
    (of_chat, "openrouter", {"model": "told-at-the-end"}, "told-at-the-end"),
]


@for_each("is_streamed", [False, True])
@for_each(("answer", "kind", "more", "model"), ANSWERED)
def test_the_model_that_answered_is_the_one_that_is_told_last(
    answer: Answer, kind: str, more: Json, model: str, is_streamed: bool
) -> None:
    assert answer(kind, is_streamed, {}, **more).summary().model == model


@pytest.mark.parametrize("trace", [None, [], {}, {"promptRouter": []}, {"promptRouter": {}}])
def test_a_trace_without_a_router_names_no_model(trace: Any) -> None:
    for is_streamed in (False, True):
        assert of_converse("bedrock", is_streamed, {}, trace=trace).summary().model is None


def test_a_search_that_is_told_after_the_counts_is_counted() -> None:
    counts = {"promptTokenCount": 9, "candidatesTokenCount": 8, "totalTokenCount": 17}
    content = {"parts": [{"text": "Hi"}]}
    grounded = {"finishReason": "STOP", "groundingMetadata": {"webSearchQueries": ["a"]}}
    first = {"candidates": [{"content": content}], "usageMetadata": counts, "modelVersion": "m"}
    found = fold(streamed(KINDS["gemini"], sse(first, {"candidates": [grounded]})))
    assert found.reported().web_searches == 1


ADDRESSES = [
    ("openai", "https://api.openai.com/v1", {}, "gpt-5", {}),
    ("openai", "https://eu.api.openai.com/v1", {}, "gpt-5", {"region": "eu"}),
    ("openai_responses", "https://us.api.openai.com/v1", {}, "gpt-5", {"region": "us"}),
    ("openai", "https://eu.api.openai.com.evil.example/v1", {}, "gpt-5", {}),
    ("openai", "http://127.0.0.1:8000/v1", {}, "gpt-5", {}),
    ("openai", "", {}, "gpt-4o-search-preview", {"tool": "web_search"}),
    ("openrouter", "", {}, "openai/gpt-4o:online", {"tool": "web_search"}),
    ("openrouter", "", {}, "openai/gpt-4o:nitro", {}),
    ("vertex", "https://aiplatform.googleapis.com", {}, "gemini-3.5-flash", {}),
    ("vertex", "https://aiplatform.googleapis.com", {"region": "us"}, "m", {"region": "us"}),
    ("vertex_anthropic", "", {"region": "us-east5"}, "m", {"region": "us-east5"}),
    ("vertex", "https://us-east1-aiplatform.googleapis.com", {}, "m", {"region": "us-east1"}),
    ("vertex", "https://aiplatform.eu.rep.googleapis.com", {}, "m", {"region": "eu"}),
    (
        "vertex",
        "",
        {"region": "global"},
        "projects/p/locations/europe-west4/publishers/google/models/m",
        {"region": "europe-west4"},
    ),
    ("groq", "https://api.groq.com/openai/v1", {}, "m", {}),
    ("anthropic", "https://api.anthropic.com", {}, "m", {}),
]


@for_each(("kind", "address", "options", "model", "expected"), ADDRESSES)
def test_the_address_and_the_model_asked_for_decide_the_price_too(
    kind: str, address: str, options: Json, model: str, expected: Json
) -> None:
    assert KINDS[kind].price_conditions(address, options, model) == expected
