"""Recorded responses of the Gemini API and of Vertex AI, as clients of Google's format get them:
passed through, and translated as those of another format would be."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from headway.dialects.base import ClientRequest
from headway.dialects.gemini.generate import GenerateContent
from headway.events import Event
from headway.providers.base import Provider
from headway.providers.gemini import provider as gemini
from headway.providers.vertex import gemini as vertex
from headway.record import decode
from headway.types import Frame, HttpRequest
from headway.wire.sse import SseFramer
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


def frame_of(text: str, usage: dict[str, Any] | None, **more: Any) -> bytes:
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    found = {"candidates": [{**candidate, **more}], "modelVersion": "m", "responseId": "r"}
    if usage is not None:
        found["usageMetadata"] = usage
    return b"data: " + json.dumps(found).encode() + b"\r\n\r\n"


def usage_of(output: int, **more: Any) -> dict[str, Any]:
    total = 7 + output
    return {"promptTokenCount": 7, "candidatesTokenCount": output, "totalTokenCount": total, **more}


STREAMS = [
    [frame_of(f"{n}", usage_of(n, thoughtsTokenCount=n)) for n in range(1, 5)],
    [frame_of("a", None), frame_of("b", usage_of(2)), frame_of("c", None)],
    [frame_of("a", {"trafficType": "ON_DEMAND_FLEX"}), frame_of("b", usage_of(2))],
    [*(frame_of(f"{n}", usage_of(n)) for n in range(1, 5)), frame_of("", {"promptTokenCount": 9})],
    [frame_of("a", usage_of(1)), frame_of("b", usage_of(2, serviceTier="priority"))],
    [frame_of("a", usage_of(1)), frame_of("b", usage_of(2)).replace(b'"m"', b'"n"')],
    [frame_of("a", usage_of(1)), frame_of("b", usage_of(2)), frame_of("c", usage_of(3), index=1)],
    [frame_of("a", usage_of(1)), frame_of("b", usage_of(2)), frame_of("é\\u2028", usage_of(3))],
    [*(frame_of(f"{n}", usage_of(n)).replace(b"\r", b"") for n in range(1, 12))],
    [frame_of("a", usage_of(1)), frame_of("b", usage_of(2)), frame_of("c", usage_of(3)) * 3],
]
LAST = frame_of("!", usage_of(20), finishReason="STOP")


def relay(frames: list[bytes], provider: Provider, query: str) -> tuple[bytes, list[bytes]]:
    """What the client gets of a stream, and what is on record."""
    encode = lambda *_: SENT  # noqa: E731
    provider = replace(provider, encode_native=encode, encode_request=encode, other_wires={})
    pipe = Pipe(provider=provider)
    body = json.dumps({"contents": CONTENTS}).encode()
    dialect = GenerateContent(is_stream=True)
    pipe.send(ClientRequest("models/openai/m", (), body, query), dialect)
    pipe.upstream.respond([(b"content-type", b"text/event-stream")])
    for frame in frames:
        pipe.clock.now += 0.25
        pipe.upstream.chunk(frame)
    if not pipe.upstream.is_over:
        pipe.upstream.end()
    return pipe.sink.body, pipe.spool.lines


def test_a_stream_whose_texts_alone_are_read_is_relayed_and_recorded_as_one_that_is_decoded() -> (
    None
):
    recorded = [SseFramer().feed(recording.body) for recording in ANSWERS if recording.is_sse]
    streams = [*STREAMS, *([frame.raw for frame in frames] for frames in recorded)]
    assert len(streams) > len(STREAMS)
    decoding = replace(gemini.PROVIDER, read_relayed_text=None)
    for stream in streams:
        for length in range(1, len(stream) + 1):
            for frames in (stream[:length], [*stream[:length], LAST]):
                for query in ("alt=sse", ""):
                    found = relay(frames, gemini.PROVIDER, query)
                    assert found == relay(frames, decoding, query), (frames, query)


def test_the_usage_of_a_stream_that_is_cut_is_that_of_its_last_event() -> None:
    decoded = []

    def decode_event(frame: Frame, state: dict[str, Any]) -> list[Event]:
        decoded.append(frame.raw)
        return gemini.PROVIDER.decode_event(frame, state)

    provider = replace(gemini.PROVIDER, decode_event=decode_event)
    _, (line,) = relay(STREAMS[0], provider, "alt=sse")
    record = decode(line)
    assert (record.outcome, record.input_tokens, record.output_tokens) == ("error", 7, 8)
    assert decoded == [STREAMS[0][0], STREAMS[0][-1]]
