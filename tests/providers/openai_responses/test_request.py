"""Requests to the Responses API."""

from __future__ import annotations

import json

from headway.providers.openai_responses.provider import PROVIDER
from support.responses_requests import SAID, TARGET, request, sent


def test_a_request_is_posted_to_responses_and_not_stored() -> None:
    http = PROVIDER.encode_request(request(), TARGET)
    assert (http.method, http.url.host, http.url.path) == (
        "POST",
        "api.openai.com",
        "/v1/responses",
    )
    assert dict(http.headers)["authorization"] == "Bearer sk-x"
    assert json.loads(http.body) == {"model": "gpt-4o", "input": [SAID], "store": False}


def test_a_stream_needs_no_stream_options_for_usage() -> None:
    body = sent(request(stream=True, stream_options={"include_usage": True}))
    assert body == {"model": "gpt-4o", "input": [SAID], "store": False, "stream": True}
    body = sent(request(stream=True, stream_options={"include_obfuscation": False}))
    assert body["stream_options"] == {"include_obfuscation": False}


def test_the_provider_supports_embeddings() -> None:
    assert PROVIDER.encode_embeddings is not None
    assert PROVIDER.decode_embeddings is not None
