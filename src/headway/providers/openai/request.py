"""Requests to OpenAI's chat completions (platform.openai.com/docs/api-reference/chat/create)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from headway.providers.http_headers import bearer_headers
from headway.types import NO_RAW, ChatRequest, HttpRequest, Target
from headway.wire.url import join

TRUE = Raw(b"true")
INCLUDE_USAGE = Raw(b'{"include_usage":true}')

_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """The client's own JSON with the model's name put in. A stream always asks for usage. Raises
    msgspec.DecodeError for ``stream_options`` that are no object."""
    parameters, stream = request.parameters, request.stream
    body: dict[str, Any] = {"model": request.model, "messages": request.messages, **parameters}
    if stream:
        body["stream"] = TRUE
        body["stream_options"] = with_usage(parameters.get("stream_options", NO_RAW))
    extra = tuple(target.headers.items()) if target.headers else ()
    headers = bearer_headers(target.api_key, extra, stream)
    return HttpRequest(join(target.base_url, "/chat/completions"), headers, _encode(body))


def with_usage(stream_options: Raw) -> Raw:
    """The client's ``stream_options``, with a request for usage."""
    if bytes(stream_options) in (b"", b"null"):
        return INCLUDE_USAGE
    return Raw(_encode({**_decode_object(stream_options), "include_usage": TRUE}))
