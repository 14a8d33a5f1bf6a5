"""Requests to Cohere's v2 chat (docs.cohere.com/reference/chat)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from headway.providers.cohere.messages import convert_messages
from headway.providers.cohere.parameters import NAMES
from headway.providers.http_headers import bearer_headers
from headway.providers.model_lists import root_of
from headway.types import ChatRequest, HttpRequest, Target
from headway.wire.url import join

PENALTIES = ("frequency_penalty", "presence_penalty")
"""Some models refuse a request with both (docs.cohere.com/reference/errors): one that is 0 is not
sent."""

_decode = msgspec.json.Decoder().decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises RequestError for messages that Cohere cannot take."""
    messages, documents = convert_messages(request)
    body: dict[str, Any] = {"model": request.model, "messages": messages, "stream": request.stream}
    body.update(
        (NAMES.get(name, name), raw)
        for name, raw in request.parameters.items()
        if name not in PENALTIES or _decode(raw) != 0
    )
    if documents:
        given = _decode_list(request.parameters.get("documents", b"[]"))
        body["documents"] = [*given, *documents]
    return post(target, "/v2/chat", body, stream=request.stream)


def post(target: Target, path: str, body: Any, *, stream: bool) -> HttpRequest:
    """``Target.base_url`` may end in a version (``/v1``, ``/v2``) or not; ``path`` has one."""
    url = join(root_of(target.base_url, "/v1", "/v2"), path)
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), stream)
    return HttpRequest(url, headers, _encode(body))
