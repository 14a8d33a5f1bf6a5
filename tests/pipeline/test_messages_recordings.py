"""Recorded responses of the Claude API and of Vertex AI, as clients of Anthropic's format get them:
passed through, and translated as those of another format would be."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest
from headway.providers.anthropic import provider as anthropic
from headway.providers.base import Provider
from headway.providers.vertex import anthropic as vertex_anthropic
from headway.types import HttpRequest
from headway.wire.url import join
from support.pipeline_fakes import Pipe
from support.recordings import Recording, chosen, each

PROVIDERS = {
    "anthropic": anthropic.PROVIDER,
    "vertex_anthropic": vertex_anthropic.PROVIDER,
}
APIS = ("messages", "rawPredict", "streamRawPredict")
ANSWERS = chosen(
    lambda r: (
        r.provider in PROVIDERS and r.api in APIS and r.status == 200 and "-error-" not in r.name
    )
)
DIALECT = AnthropicMessages()
SENT = HttpRequest(join("https://a.example/v1"), (), b"{}")


def play(recording: Recording, provider: Provider, pieces: list[bytes] | None = None) -> Pipe:
    """A call whose response arrives in ``pieces``, or as it was recorded."""
    pipe = Pipe(
        provider=replace(
            provider,
            encode_native=provider.encode_native and (lambda *_: SENT),
            encode_request=lambda *_: SENT,
            credentials=None,
        )
    )
    body = {"model": "openai/m", "stream": recording.stream, "max_tokens": 9}
    body["messages"] = [{"role": "user", "content": "Hi"}]
    pipe.send(ClientRequest("", (), json.dumps(body).encode()), DIALECT)
    content_type = b"text/event-stream" if recording.stream else b"application/json"
    pipe.upstream.respond([(b"content-type", content_type)])
    for chunk in pieces or recording.chunks:
        if not pipe.upstream.is_over:
            pipe.upstream.chunk(chunk)
    if not pipe.upstream.is_over:
        pipe.upstream.end()
    assert pipe.sink.is_over
    return pipe


@each(ANSWERS)
def test_a_response_is_passed_through_byte_for_byte(recording: Recording) -> None:
    assert play(recording, PROVIDERS[recording.provider]).sink.body == recording.body


@each([recording for recording in ANSWERS if recording.stream])
def test_the_size_of_the_pieces_changes_nothing(recording: Recording) -> None:
    """One event, a few bytes, or all at once; what was counted and recorded is the same."""
    provider = PROVIDERS[recording.provider]
    events = [event + b"\n\n" for event in recording.body.split(b"\n\n")[:-1]]
    slow = replace(provider, read_relayed_text=None)
    wanted = play(recording, slow)
    for pieces in (events, recording.cut(7), [recording.body]):
        pipe = play(recording, provider, pieces)
        assert pipe.sink.body == recording.body
        for name in ("output_tokens", "finish_reason", "deployment", "content_events"):
            assert getattr(pipe.records[0], name) == getattr(wanted.records[0], name)
        produced = pipe.call.attempt.accumulator.produced()  # type: ignore[union-attr]
        assert produced == wanted.call.attempt.accumulator.produced()  # type: ignore[union-attr]


@each(ANSWERS)
def test_a_translated_response_says_the_same(recording: Recording) -> None:
    """The content, but for server tools' place before the texts in a whole message."""
    provider = replace(PROVIDERS[recording.provider], wire="another", encode_native=None)
    found = message(play(recording, provider).sink.body, recording.stream)
    wanted = message(recording.body, recording.stream)
    assert found["stop_reason"] == wanted["stop_reason"]
    assert found["stop_sequence"] == wanted["stop_sequence"]
    for name in ("input_tokens", "output_tokens", "cache_read_input_tokens"):
        assert found["usage"][name] == wanted["usage"].get(name, 0), name
    if recording.stream:
        assert joined(found["content"]) == joined(wanted["content"])
    else:
        assert by_type(found["content"]) == by_type(wanted["content"])


def joined(content: list[Any]) -> list[Any]:
    """Texts in a row as one: where one ends is told of those with citations only."""
    blocks: list[Any] = []
    for block in content:
        if block["type"] == "text" and blocks and blocks[-1]["type"] == "text":
            citations = [*blocks[-1].get("citations", ()), *block.get("citations", ())]
            text = blocks[-1]["text"] + block["text"]
            blocks[-1] = {"type": "text", "text": text, "citations": citations}
        else:
            blocks.append(block)
    return blocks


def by_type(content: list[Any]) -> Any:
    """The blocks of each type in their order, and all texts as one."""
    found: dict[str, Any] = {"text": ""}
    for block in content:
        if block["type"] == "text":
            found["text"] += block["text"]
            found["citations"] = [*found.get("citations", ()), *(block.get("citations") or ())]
        else:
            found.setdefault(block["type"], []).append(block)
    return found


def message(body: bytes, is_stream: bool) -> Any:
    """The whole message; that of a stream is assembled from its events."""
    if not is_stream:
        return cleaned(json.loads(body))
    whole: Any = {}
    for line in body.decode().splitlines():
        if line.startswith("data:"):
            whole = grown(whole, json.loads(line[5:]))
    return cleaned(whole)


def grown(whole: Any, event: Any) -> Any:
    kind = event["type"]
    if kind == "message_start":
        return event["message"]
    if kind == "content_block_start":
        whole["content"].append({**event["content_block"], "json": ""})
    elif kind == "content_block_delta":
        grow(whole["content"][event["index"]], event["delta"])
    elif kind == "message_delta":
        whole.update(event["delta"])
        whole["usage"].update(event["usage"])
    return whole


def grow(block: Any, delta: Any) -> None:
    kind = delta["type"]
    if kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
    elif kind == "input_json_delta":
        block["json"] += delta["partial_json"]
    else:
        name = kind.removesuffix("_delta")
        block[name] = (block.get(name) or "") + delta[name]


def cleaned(whole: Any) -> Any:
    """Without what no client needs back: the caller of a tool, and empty citations."""
    for block in whole["content"]:
        if fragments := block.pop("json", ""):
            block["input"] = json.loads(fragments)
        if block["type"] == "tool_use":
            block.pop("caller", None)
        if not block.get("citations", True):
            del block["citations"]
    return whole
