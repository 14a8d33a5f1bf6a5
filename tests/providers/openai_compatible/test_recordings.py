"""Recorded traffic of OpenAI-compatible vendors, decoded and encoded by their adapters."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamNotFound,
    UpstreamRateLimited,
    UpstreamRejected,
)
from headway.events import Event
from headway.providers import KINDS
from headway.providers.openai.finish_reasons import FINISH_REASONS
from headway.types import ChatRequest, EmbeddingsRequest, Target
from support.recording_decoder import fold, read
from support.recordings import Recording, chosen, each, require_recordings
from support.reference_decoder import finishes, objects, texts, thoughts, tools, usages

VENDORS = frozenset(
    {
        "groq", "deepseek", "xai", "together", "openrouter", "mistral", "perplexity",
        "huggingface", "llamacpp", "bedrock_mantle",
    }
)  # fmt: skip
BOTH_SHAPES = frozenset({"groq", "deepseek", "xai", "openrouter", "mistral", "llamacpp"})
PROVOKING = {
    "deepseek/chat-sync-error-400-invalid-request-error-tools-deepseek": (
        "it forces a tool call during reasoning, which is dropped here"
    ),
    "xai/chat-sync-error-400-client-specified-an-invalid-ar-grok": (
        "it has an effort that the model does not support, which is dropped here"
    ),
}
"""Recorded requests that Headway sends differently, and why."""


def is_chat(recording: Recording) -> bool:
    return recording.provider in VENDORS and recording.api == "chat"


CHATS = chosen(is_chat)
ANSWERS = [one for one in CHATS if one.status == 200 and "error-in" not in one.name]
STREAMS = [one for one in ANSWERS if one.stream]
FAILURES = [one for one in CHATS if one.status == 200 and "error-in" in one.name]
REFUSALS = [one for one in CHATS if one.status != 200]


def events(recording: Recording, *pieces: bytes) -> list[Event]:
    return read(KINDS[recording.provider], recording, *pieces)


# --- Answers --------------------------------------------------------------------------------------


@each(ANSWERS)
def test_the_text_of_a_recorded_response_is_decoded(recording: Recording) -> None:
    answer = fold(events(recording))
    assert answer.failed is None
    assert answer.is_finished
    assert {i: "".join(choice.text) for i, choice in answer.choices.items()} == texts(recording)
    reasoned = {i: "".join(choice.reasoning) for i, choice in answer.choices.items()}
    assert reasoned == thoughts(recording) or not any(thoughts(recording).values())


@each(ANSWERS)
def test_tool_calls_and_finish_reasons_are_decoded(
    recording: Recording,
) -> None:
    answer = fold(events(recording))
    made = {
        index: [(tool.name, "".join(tool.arguments)) for tool in choice.tools.values()]
        for index, choice in answer.choices.items()
    }
    assert made == tools(recording)
    ended = {i: FINISH_REASONS.get(reason, "stop") for i, reason in finishes(recording).items()}
    assert {i: choice.finish_reason for i, choice in answer.choices.items()} == ended
    assert set(ended.values()) <= {"stop", "length", "tool_calls", "content_filter"}


def billed(provider: str, last: Mapping[str, Any]) -> tuple[int, int]:
    """Tokens in and out: everything that the total has, where its parts leave something out."""
    read, written, total = (
        last["prompt_tokens"],
        last["completion_tokens"],
        last.get("total_tokens"),
    )
    if provider == "xai":
        return read, total - read
    if provider == "mistral":
        return total - written, written
    return read, written


@each(ANSWERS)
def test_the_usage_of_a_recorded_response_is_decoded(recording: Recording) -> None:
    reported, answer = usages(recording), fold(events(recording))
    if not reported:
        assert answer.usage is None
        return
    assert answer.usage is not None
    usage, last = answer.usage.usage, reported[-1]
    assert (usage.input_tokens, usage.output_tokens) == billed(recording.provider, last)
    assert json.loads(bytes(answer.usage.openai_usage)) == last
    details = last.get("prompt_tokens_details") or {}
    places = (details, last)
    names_of_cached = ("cached_tokens", "prompt_cache_hit_tokens", "num_cached_tokens")
    said = [place[name] for place in places for name in names_of_cached if place.get(name)]
    assert (usage.cache_read_tokens or None) == (said[0] if said else None)


@each(STREAMS)
def test_a_recorded_stream_decodes_the_same_wherever_it_is_cut(recording: Recording) -> None:
    expected = events(recording)
    assert events(recording, *recording.cut()) == expected
    assert events(recording, *recording.chunks) == expected


@pytest.mark.parametrize("provider", sorted(BOTH_SHAPES))
def test_streams_and_bodies_decode_to_the_same_kinds_of_events(provider: str) -> None:
    """The same kinds of event, in as far as both were recorded."""
    require_recordings()
    found = {
        stream: {type(event).__name__ for one in ANSWERS
                 if one.provider == provider and one.stream is stream
                 for event in events(one)}
        for stream in (True, False)
    }  # fmt: skip
    core = {
        "Started",
        "Text",
        "ToolStarted",
        "ToolArguments",
        "Finished",
        "UsageReported",
        "StreamEnd",
    }
    assert found[True] & core == found[False] & core


# --- Fields of some vendors -----------------------------------------------------------------------


def named(*words: str) -> list[Recording]:
    return [one for one in ANSWERS if all(word in one.name for word in words)]


CITING = named("perplexity")
DETAILED = [one for one in named("openrouter") if b'"reasoning_details":[{' in one.body]


@each(CITING)
def test_sources_are_reported_once(recording: Recording) -> None:
    extra = fold(events(recording)).choices[0].extra
    last = list(objects(recording))[-1]
    assert extra["citations"] == last["citations"]
    assert extra["search_results"] == last["search_results"]
    cited = [note["url_citation"]["url"] for note in extra["annotations"]]
    assert cited == [result["url"] for result in last["search_results"]]


@each(DETAILED)
def test_reasoning_details_are_whole_blocks(recording: Recording) -> None:
    answer = fold(events(recording))
    blocks = answer.choices[0].extra["reasoning_details"]
    assert len({(block["type"], block["index"]) for block in blocks}) == len(blocks)
    told = "".join(block.get("text") or block.get("summary") or "" for block in blocks)
    assert told == "".join(answer.choices[0].reasoning)


# --- Failures -------------------------------------------------------------------------------------


@each(FAILURES)
def test_a_recorded_failure_in_a_response_of_status_200_is_a_failure(recording: Recording) -> None:
    answer = fold(events(recording))
    assert isinstance(answer.failed, UpstreamError)
    assert answer.failed.message
    assert answer.failed.retryable
    assert not answer.is_finished


CLASSES = {
    401: UpstreamAuth,
    403: UpstreamRejected,  # of a prompt, by a provider behind a router
    404: UpstreamNotFound,
    429: UpstreamRateLimited,
}


@each(REFUSALS)
def test_a_recorded_error_has_its_class_and_the_vendors_message(
    recording: Recording,
) -> None:
    provider = KINDS[recording.provider]
    error = provider.decode_error(recording.status, recording.headers, recording.body)
    assert isinstance(error, CLASSES.get(recording.status, UpstreamError))
    assert error.retryable == (recording.status in (429, 500, 502, 503))
    said = json.dumps(json.loads(recording.body))
    own, _, routed = error.message.partition("Provider returned error: ")
    assert json.dumps(own)[1:-1] in said
    assert routed.partition("\n")[0] in said


# --- Requests -------------------------------------------------------------------------------------

SENT = [one for one in CHATS if one.request is not None and one.name not in PROVOKING]


def canonical(recording: Recording) -> ChatRequest:
    """The request of OpenAI's that this one is the equivalent of."""
    fields = dict(recording.request)
    stream = bool(fields.pop("stream", False))
    model, messages = fields.pop("model"), fields.pop("messages")
    if recording.provider == "mistral":
        fields, messages = _of_mistral(fields, messages)
    parameters = {name: Raw(json.dumps(value).encode()) for name, value in fields.items()}
    raw = Raw(json.dumps(messages).encode())
    return ChatRequest(model=model, messages=raw, parameters=parameters, stream=stream)


def _of_mistral(fields: dict[str, Any], messages: list[Any]) -> tuple[dict[str, Any], list[Any]]:
    renamed = {{"random_seed": "seed"}.get(name, name): value for name, value in fields.items()}
    return renamed, [_message_of_mistral(message) for message in messages]


def _message_of_mistral(message: dict[str, Any]) -> dict[str, Any]:
    """Its ``thinking`` parts are what others call ``reasoning_content``."""
    content = message.get("content")
    if not isinstance(content, list) or content[0]["type"] != "thinking":
        return message
    thought = "".join(part["text"] for part in content[0]["thinking"])
    return {**message, "reasoning_content": thought, "content": content[1:]}


def target(recording: Recording) -> Target:
    options = {"region": "us-east-1"}
    base_url = KINDS[recording.provider].base_url or ""
    return Target(provider=recording.provider, base_url=base_url, api_key="k", options=options)


@each(SENT)
def test_the_recorded_request_is_sent_for_its_canonical_form(recording: Recording) -> None:
    provider = KINDS[recording.provider]
    adapted, changes = provider.adapt(canonical(recording))
    sent = json.loads(provider.encode_request(adapted, target(recording)).body)
    wanted = {name: value for name, value in recording.request.items() if value is not None}
    if not wanted.get("stream"):
        wanted.pop("stream", None)
    elif recording.provider != "mistral":
        wanted["stream_options"] = {**(wanted.get("stream_options") or {}), "include_usage": True}
    assert sent == wanted
    assert {change.action for change in changes} <= {"renamed"}


@each([one for one in CHATS if one.name in PROVOKING])
def test_a_request_that_is_sent_differently_lists_a_transformation(recording: Recording) -> None:
    adapted, changes = KINDS[recording.provider].adapt(canonical(recording))
    assert changes
    assert set(adapted.parameters) < set(recording.request)


# --- Embeddings -----------------------------------------------------------------------------------

EMBEDDERS = VENDORS | {"openai"}
VECTORS = chosen(lambda one: one.provider in EMBEDDERS and one.api == "embeddings")
EMBEDDED = [one for one in VECTORS if one.status == 200]
UNEMBEDDED = [one for one in VECTORS if one.status != 200]


@each(EMBEDDED)
def test_recorded_embeddings_are_decoded_in_order_with_usage(recording: Recording) -> None:
    decode = KINDS[recording.provider].decode_embeddings
    assert decode is not None
    found, body = decode(recording.body), json.loads(recording.body)
    ordered = sorted(body["data"], key=lambda datum: datum["index"])
    if recording.provider == "perplexity":
        plain = [b64decode(datum["embedding"]) for datum in ordered]
        assert [[value % 256 for value in one] for one in found.vectors] == [[*p] for p in plain]
    else:
        assert found.vectors == [datum["embedding"] for datum in ordered]
    assert found.usage.input_tokens == body["usage"]["prompt_tokens"]
    assert found.model == body["model"]


@each(VECTORS)
def test_a_recorded_embeddings_request_is_sent(recording: Recording) -> None:
    encode = KINDS[recording.provider].encode_embeddings
    assert encode is not None
    fields = {name: Raw(json.dumps(value).encode()) for name, value in recording.request.items()}
    text, model = fields.pop("input"), json.loads(bytes(fields.pop("model")))
    request = EmbeddingsRequest(model=model, input=text, parameters=fields)
    sent = encode(request, target(recording))
    assert json.loads(sent.body) == recording.request
    assert sent.url.path.endswith("/embeddings")


@each(UNEMBEDDED)
def test_a_recorded_embeddings_error_has_the_vendors_message(recording: Recording) -> None:
    provider = KINDS[recording.provider]
    error = provider.decode_error(recording.status, recording.headers, recording.body)
    assert json.dumps(error.message) in json.dumps(json.loads(recording.body))
    is_rejected = isinstance(error, UpstreamRejected)  # llama.cpp's have the statuses 500 and 501
    assert error.retryable == (recording.status >= 500 and not is_rejected)
