"""Recorded responses of OpenAI-compatible vendors, Claude, Cohere and Ollama, as clients of
Google's and Ollama's formats get them: what they read is what the adapter read."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.ollama.chat import OllamaChat
from headway.providers import KINDS
from headway.response_accumulator import ChoiceAccumulator
from headway.types import HttpRequest
from headway.wire.url import join
from support.lazy_import import lazy_import
from support.pipeline_fakes import Pipe
from support.recordings import Recording, chosen, each, require_recordings

ollama = lazy_import("ollama")
types = lazy_import("google.genai.types")

KINDS_OF_APIS = {"chat": "", "messages": "anthropic", "chat_v2": "cohere", "api_chat": "ollama"}
"""The API of a recording -> the kind that reads it; empty: the kind of the recording's provider."""
ANSWERS = chosen(
    lambda r: (
        r.api in KINDS_OF_APIS
        and r.status == 200
        and "-error-" not in r.name
        and (KINDS_OF_APIS[r.api] or r.provider) in KINDS
    )
)
SENT = HttpRequest(join("https://a.example/v1"), (), b"{}")
GOOGLE = {
    "contents": [{"parts": [{"text": "Hi"}]}],
    "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
}
OLLAMA = {"model": "openai/m", "messages": [{"role": "user", "content": "Hi"}]}


def play(recording: Recording, dialect: Dialect, body: Any, argument: str = "") -> Pipe:
    kind = KINDS_OF_APIS[recording.api] or recording.provider
    provider = replace(
        KINDS[kind], wire="another", encode_request=lambda *_: SENT, credentials=None
    )
    pipe = Pipe(provider=provider)
    pipe.send(ClientRequest(argument, (), json.dumps(body).encode(), "alt=sse"), dialect)
    content_type = dict(recording.headers).get(b"content-type", b"application/json")
    if recording.is_sse:
        content_type = b"text/event-stream"
    pipe.upstream.respond([(b"content-type", content_type)])
    for chunk in recording.chunks:
        if not pipe.upstream.is_over:
            pipe.upstream.chunk(chunk)
    if not pipe.upstream.is_over:
        pipe.upstream.end()
    assert pipe.sink.status == 200, pipe.sink.body
    return pipe


def first_choice(pipe: Pipe) -> ChoiceAccumulator:
    attempt = pipe.call.attempt
    assert attempt is not None
    return attempt.accumulator.choices[0]


def names_of(choice: ChoiceAccumulator) -> list[str]:
    return [tool.name for tool in choice.tools.values()]


@each(ANSWERS)
def test_a_client_of_googles_format_reads_the_same(recording: Recording) -> None:
    dialect = GenerateContent(is_stream=recording.stream)
    pipe = play(recording, dialect, GOOGLE, "models/openai/m")
    text = pipe.sink.body.decode()
    elements = text.split("\r\n\r\n")[:-1] if recording.stream else [text]
    parsed = [json.loads(element.removeprefix("data: ")) for element in elements]
    candidates = [
        types.Candidate.model_validate(one)
        for element in parsed
        for one in element["candidates"]
        if one["index"] == 0
    ]
    parts = [part for one in candidates for part in one.content.parts]
    choice = first_choice(pipe)
    said = "".join(part.text or "" for part in parts if not part.thought)
    assert said == "".join([*choice.text, *choice.refusal])
    assert "".join(p.text or "" for p in parts if p.thought) == "".join(choice.reasoning)
    assert [p.function_call.name for p in parts if p.function_call] == names_of(choice)
    assert [bool(one.finish_reason) for one in candidates].count(True) == 1
    assert "usageMetadata" in parsed[-1]


@each(ANSWERS)
def test_a_client_of_ollamas_format_reads_the_same(recording: Recording) -> None:
    pipe = play(recording, OllamaChat(), {**OLLAMA, "stream": recording.stream})
    lines = pipe.sink.lines if recording.stream else [pipe.sink.json]
    read = [ollama.ChatResponse.model_validate(line) for line in lines]
    choice = first_choice(pipe)
    said = "".join(each.message.content or "" for each in read)
    assert said == "".join([*choice.text, *choice.refusal])
    assert "".join(each.message.thinking or "" for each in read) == "".join(choice.reasoning)
    calls = [call.function.name for each in read for call in each.message.tool_calls or ()]
    assert calls == names_of(choice)
    assert [each.done for each in read] == [False] * (len(read) - 1) + [True]


def test_there_are_answers_of_each_api() -> None:
    found = {recording.api for recording in ANSWERS}
    require_recordings()
    assert found == set(KINDS_OF_APIS)
