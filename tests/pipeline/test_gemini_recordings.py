"""Recorded responses of the Gemini API and of Vertex AI, as clients of Google's format get them:
passed through, and translated as those of another format would be."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from headway.dialects.base import ClientRequest
from headway.dialects.gemini.generate import GenerateContent
from headway.providers.base import Provider
from headway.providers.gemini import provider as gemini
from headway.providers.vertex import gemini as vertex
from headway.types import HttpRequest
from headway.wire.url import join
from support.pipeline_fakes import Pipe
from support.recordings import Recording, chosen, each

PROVIDERS = {"gemini": gemini.PROVIDER, "vertex": vertex.PROVIDER}
APIS = ("generateContent", "streamGenerateContent")
NUMBERED = "enum-encoding"
"""In the address of a request that asks for the numbers of enumerations, which the gateway never
does."""
ANSWERS = chosen(
    lambda r: (
        r.provider in PROVIDERS and r.api in APIS and r.status == 200 and NUMBERED not in r.url
    )
)
SENT = HttpRequest(join("https://a.example/v1"), (), b"{}")
CONTENTS = [{"role": "user", "parts": [{"text": "Hi"}]}]
CONFIG = {"thinkingConfig": {"includeThoughts": True}}


def play(recording: Recording, provider: Provider, query: str = "alt=sse") -> list[Any]:
    """The whole response, or the elements of a stream."""
    encode = lambda *_: SENT  # noqa: E731
    native = provider.encode_native and encode
    provider = replace(provider, encode_native=native, encode_request=encode, credentials=None)
    pipe = Pipe(provider=provider)
    body = json.dumps({"contents": CONTENTS, "generationConfig": CONFIG}).encode()
    dialect = GenerateContent(is_stream=recording.stream)
    pipe.send(ClientRequest("models/openai/m", (), body, query), dialect)
    content_type = b"text/event-stream" if recording.is_sse else b"application/json"
    pipe.upstream.respond([(b"content-type", content_type)])
    for chunk in recording.chunks:
        pipe.upstream.chunk(chunk)
    pipe.upstream.end()
    assert pipe.sink.status == 200, pipe.sink.body
    return read(pipe.sink.body, recording.stream and query != "")


def read(body: bytes, is_sse: bool) -> list[Any]:
    if is_sse:
        events = body.decode().replace("\r\n", "\n").split("\n\n")
        return [json.loads(event.removeprefix("data: ")) for event in events if event.strip()]
    found = json.loads(body)
    return found if isinstance(found, list) else [found]


@each(ANSWERS)
def test_a_response_is_passed_through(recording: Recording) -> None:
    wanted = read(recording.body, recording.is_sse)
    for query in ("alt=sse", ""):
        assert play(recording, PROVIDERS[recording.provider], query) == wanted


@each(ANSWERS)
def test_a_translated_response_says_the_same(recording: Recording) -> None:
    provider = replace(PROVIDERS[recording.provider], wire="another", encode_native=None)
    found = summary(play(recording, provider))
    assert found == summary(read(recording.body, recording.is_sse))


def summary(elements: list[Any]) -> dict[str, Any]:
    """What a client reads of the first candidate. Traces of server-side tools are sealed in the
    signatures of a translated response."""
    candidates = [one for each in elements for one in each.get("candidates", ())]
    parts = [part for one in candidates for part in one.get("content", {}).get("parts", ())]
    texts = [(part["text"], part.get("thought", False)) for part in parts if part.get("text")]
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    usage = elements[-1].get("usageMetadata", {})
    finish = [one["finishReason"] for one in candidates if one.get("finishReason")][-1:]
    if not candidates:  # a blocked prompt is a candidate without content elsewhere
        finish = ["SAFETY"]
    return {
        "text": "".join(text for text, is_thought in texts if not is_thought),
        "thoughts": "".join(text for text, is_thought in texts if is_thought),
        "calls": [(call["name"], call.get("args", {})) for call in calls],
        "finish": finish,
        "thought_tokens": usage.get("thoughtsTokenCount"),
        "cached": usage.get("cachedContentTokenCount"),
        "id": elements[0].get("responseId"),
    }
