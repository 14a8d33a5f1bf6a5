"""Requests of Ollama's own clients to Ollama."""

from __future__ import annotations

import json

import pytest
from msgspec import Raw

from headway.events import Finished, Reasoning, Text
from headway.providers.ollama.provider import PROVIDER
from headway.types import ChatRequest, EmbeddingsRequest, Frame, NativeRequest, Target

FIELDS = {"messages": Raw(b'[{"role": "user"}]'), "options": Raw(b'{"num_ctx":1.50}')}


@pytest.mark.parametrize("base_url", ["http://o.test:11434", "http://o.test:11434/v1"])
@pytest.mark.parametrize(("stream", "text"), [(False, b"false"), (True, b"true")])
def test_the_fields_are_sent_as_they_are(base_url: str, stream: bool, text: bytes) -> None:
    native = NativeRequest("ollama_chat", FIELDS)
    request = ChatRequest(model="llama", messages=FIELDS["messages"], native=native, stream=stream)
    assert PROVIDER.encode_native is not None
    sent = PROVIDER.encode_native(request, Target(provider="ollama", base_url=base_url))
    assert sent.url.path == "/api/chat"
    assert sent.body == (
        b'{"model":"llama","stream":%b,"messages":[{"role": "user"}],"options":{"num_ctx":1.50}}'
        % text
    )


def test_embeddings_keep_their_fields() -> None:
    native = NativeRequest("ollama_chat", {"truncate": Raw(b"true")})
    request = EmbeddingsRequest(model="e", input=Raw(b'"a"'), native=native)
    assert PROVIDER.encode_embeddings is not None
    target = Target(provider="ollama", base_url="http://o.test:11434")
    sent = PROVIDER.encode_embeddings(request, target)
    assert json.loads(sent.body) == {"model": "e", "input": "a", "truncate": True}


def test_a_prompt_goes_to_its_own_route_and_comes_back_as_text() -> None:
    other = PROVIDER.other_wires["ollama_generate"]
    assert other.serves("any", {})
    assert other.provider.encode_native is not None
    fields = {"prompt": Raw(b'"Hi"'), "raw": Raw(b"true"), "context": Raw(b"[1]")}
    native = NativeRequest("ollama_generate", fields)
    request = ChatRequest(model="llama", messages=Raw(b"[]"), native=native)
    sent = other.provider.encode_native(
        request, Target(provider="o", base_url="http://box:11434/v1")
    )
    assert sent.url.path == "/api/generate"
    assert json.loads(sent.body) == {
        "model": "llama",
        "stream": False,
        "prompt": "Hi",
        "raw": True,
        "context": [1],
    }
    body = b'{"model":"llama","response":"Hello","thinking":"Hm","done":true,"done_reason":"stop"}'
    events = other.provider.decode_response(body)
    assert events[1:] == [Reasoning("Hm"), Text("Hello"), Finished("stop")]
    frame = Frame(body, None, body + b"\n")
    assert other.provider.decode_event(frame, {})[1:] == events[1:]
