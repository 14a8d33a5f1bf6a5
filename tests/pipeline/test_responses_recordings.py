"""Recorded traffic through the whole pipeline, as a client of the Responses API asks for it and
reads it: requests and answers of the same wire format are not changed, and answers of every other
one become events that OpenAI's SDK takes."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from msgspec.structs import replace
from pydantic import TypeAdapter

from headway.dialects.base import ClientRequest
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.providers import KINDS
from headway.providers.base import Provider, unchanged
from headway.providers.openai.request import encode_request
from support.for_each import for_each
from support.lazy_import import lazy_import
from support.pipeline_fakes import Pipe
from support.recordings import Recording, chosen, each
from support.responses_samples import read_events

types = lazy_import("openai.types.responses")

DIALECT = OpenAIResponses()
KIND_OF = {
    ("anthropic", "messages"): "anthropic",
    ("bedrock", "converse"): "bedrock",
    ("bedrock", "converse-stream"): "bedrock",
    ("cohere", "chat_v2"): "cohere",
    ("deepseek", "chat"): "deepseek",
    ("gemini", "generateContent"): "gemini",
    ("gemini", "streamGenerateContent"): "gemini",
    ("groq", "chat"): "groq",
    ("mistral", "chat"): "mistral",
    ("ollama", "api_chat"): "ollama",
    ("openai", "chat"): "openai",
    ("openrouter", "chat"): "openrouter",
    ("perplexity", "chat"): "perplexity",
    ("xai", "chat"): "xai",
}
NATIVE = chosen(lambda r: (r.provider, r.api) == ("openai", "responses"))
ANSWERS = [recording for recording in NATIVE if recording.status == 200]
REQUESTS = [recording for recording in NATIVE if "model" in (recording.request or ())]
FOREIGN = chosen(lambda r: (r.provider, r.api) in KIND_OF and r.status == 200)
NOT_SENT = ("background", "conversation", "previous_response_id")
ENDS = ("response.completed", "response.incomplete", "response.failed")


def new_pipe(provider: Provider) -> Pipe:
    pipe = Pipe(provider=provider)
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, body_limit=1 << 24)
    return pipe


def ask(pipe: Pipe, **fields: Any) -> None:
    body = {"input": "Hi", **fields, "model": f"openai/{fields.get('model') or 'm'}"}
    pipe.send(ClientRequest("", (), json.dumps(body).encode()), DIALECT)


def decoder(kind: str) -> Provider:
    """The provider's decoders, with requests that need neither credentials nor options."""
    return replace(
        KINDS[kind], encode_request=encode_request, adapt=unchanged, sign=None, credentials=None
    )


def answer(pipe: Pipe, recording: Recording) -> bytes:
    pipe.upstream.respond(recording.headers)
    for piece in recording.chunks:
        if not pipe.upstream.is_over:
            pipe.upstream.chunk(piece)
    if not pipe.upstream.is_over:
        pipe.upstream.end()
    assert pipe.sink.is_over
    return pipe.sink.body


# --- The same wire format -------------------------------------------------------------------------


@each(REQUESTS)
def test_a_request_reaches_the_provider_as_the_client_wrote_it(recording: Recording) -> None:
    fields = {k: v for k, v in recording.request.items() if k not in NOT_SENT}
    pipe = new_pipe(KINDS["openai_responses"])
    ask(pipe, **fields)
    sent = json.loads(pipe.upstream.request.body)
    assert sent.pop("stream", False) == fields.pop("stream", False)
    assert sent == fields


@each(REQUESTS)
def test_a_request_is_converted_for_others_or_refused(recording: Recording) -> None:
    fields = {k: v for k, v in recording.request.items() if k not in NOT_SENT}
    for kind in ("openai", "anthropic", "gemini"):
        pipe = new_pipe(KINDS[kind])
        ask(pipe, **fields)
        assert pipe.upstream_requests or pipe.sink.status in (400, 422), pipe.sink.body


@each(ANSWERS)
def test_an_answer_reaches_the_client_byte_for_byte(recording: Recording) -> None:
    pipe = new_pipe(KINDS["openai_responses"])
    ask(pipe, stream=recording.stream)
    got = answer(pipe, recording)
    assert got.strip() == recording.body.strip()
    (record,) = pipe.records
    assert record.input_tokens is not None
    assert record.output_tokens is not None


# --- Other wire formats ---------------------------------------------------------------------------


@cache
def adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(getattr(types, name))


@each(recording for recording in FOREIGN if recording.stream)
def test_a_stream_becomes_events_that_the_sdk_takes(recording: Recording) -> None:
    pipe = new_pipe(decoder(KIND_OF[recording.provider, recording.api]))
    ask(pipe, stream=True)
    body = answer(pipe, recording)
    if pipe.sink.kinds == ["whole"]:  # it failed before there was anything to stream
        assert pipe.sink.json["error"]["message"]
        return
    events = read_events(body)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    for event in events:
        if event["type"] != "response.failed":  # the SDK lacks some of the codes that OpenAI sends
            adapter("ResponseStreamEvent").validate_python(event)
    assert events[-1]["type"] in ENDS
    assert_nested(events)


@each(recording for recording in FOREIGN if not recording.stream)
def test_a_whole_answer_becomes_a_response_that_the_sdk_takes(recording: Recording) -> None:
    pipe = new_pipe(decoder(KIND_OF[recording.provider, recording.api]))
    ask(pipe)
    answer(pipe, recording)
    if pipe.sink.status == 200:
        adapter("Response").validate_python(pipe.sink.json)
    else:
        assert pipe.sink.json["error"]["message"]


def assert_nested(events: list[Any]) -> None:
    """Each item begins at the next place, and is written until it is done."""
    done: dict[int, Any] = {}
    opened: dict[int, str] = {}
    for event in events:
        place = event.get("output_index")
        if event["type"] == "response.output_item.added":
            assert place == len(opened)
            opened[place] = event["item"]["id"]
        elif event["type"] == "response.output_item.done":
            assert event["item"]["id"] == opened[place]
            done[place] = event["item"]
        elif place is not None:
            assert place not in done
            assert event["item_id"] == opened[place]
    if events[-1]["type"] != "response.failed":
        assert events[-1]["response"]["output"] == [done[place] for place in sorted(done)]
        assert opened.keys() == done.keys()


@for_each("kind", sorted(set(KIND_OF.values())))
def test_every_kind_here_exists(kind: str) -> None:
    assert kind in KINDS
