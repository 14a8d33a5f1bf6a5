"""Ollama's embeddings, in both formats."""

from __future__ import annotations

import json

from headway.providers.ollama.embeddings import decode_embeddings, encode_embeddings
from headway.types import EmbeddingsRequest, Target, Usage
from support.adapter_requests import raw

BASE = "http://127.0.0.1:11434"
NATIVE = Target(provider="ollama", base_url=BASE)
OPENAI = Target(provider="ollama", base_url=f"{BASE}/v1")


def test_embeddings_are_requested_from_either_api() -> None:
    parameters = {"dimensions": 8, "encoding_format": "float", "user": "u", "keep_alive": "5m"}
    request = EmbeddingsRequest(
        model="m",
        input=raw(["a"]),
        parameters={name: raw(value) for name, value in parameters.items()},
    )
    native, copy = encode_embeddings(request, NATIVE), encode_embeddings(request, OPENAI)
    assert (native.url.path, copy.url.path) == ("/api/embed", "/v1/embeddings")
    body = {"model": "m", "input": ["a"], "dimensions": 8, "keep_alive": "5m"}
    assert json.loads(native.body) == body
    assert json.loads(copy.body) == {"model": "m", "input": ["a"], **parameters}


def test_embeddings_of_either_api_are_decoded() -> None:
    native = decode_embeddings(b'{"model":"m","embeddings":[[1.5]],"prompt_eval_count":4}')
    copy = decode_embeddings(
        b'{"model":"m","data":[{"index":0,"embedding":[1.5]}],"usage":{"prompt_tokens":4}}'
    )
    assert native == copy
    assert native.vectors == [[1.5]]
    assert native.usage == Usage(input_tokens=4)
