"""Requests to the Responses API (platform.openai.com/docs/api-reference/responses/create).

The API's memory is not used: every request has the whole conversation, and the provider stores
nothing unless the client asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.providers.http_headers import bearer_headers
from headway.providers.openai.models import is_reasoning_model
from headway.providers.openai_responses.messages import convert_messages
from headway.providers.openai_responses.reasoning import include_encrypted, reasoning_with_summary
from headway.providers.token_counts import fields_of, moved, whole_request
from headway.types import ChatRequest, HttpRequest, Target
from headway.wire.url import join

PATH = "/responses"
COUNTED = (
    "input", "instructions", "model", "parallel_tool_calls", "reasoning", "text", "tool_choice",
    "tools", "truncation",
)  # fmt: skip
"""The fields that have tokens; others are refused there."""
FALSE, TRUE = Raw(b"false"), Raw(b"true")

_encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises msgspec.ValidationError or RequestError for invalid messages."""
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), request.stream)
    body = _encode(_body(request, target.options))
    return HttpRequest(join(target.base_url, PATH), headers, body)


def encode_native(request: ChatRequest, target: Target) -> HttpRequest:
    """A client's request in this format, with the model's name put in."""
    assert request.native is not None
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), request.stream)
    body: dict[str, Any] = {"model": request.model, **request.native.fields}
    if request.stream:
        body["stream"] = TRUE
    sent = {name.lower() for name, _ in headers}
    client = tuple(pair for pair in request.native.headers if pair[0] not in sent)
    return HttpRequest(join(target.base_url, PATH), (*headers, *client), _encode(body))


def encode_count(request: ChatRequest, target: Target) -> HttpRequest:
    """A request for the number of its tokens
    (platform.openai.com/docs/api-reference/responses/input-tokens)."""
    sent = whole_request(request, target, encode_request, encode_native)
    return moved(sent, f"{sent.url.path}/input_tokens", fields_of(sent, COUNTED))


def _body(request: ChatRequest, options: Mapping[str, Any]) -> dict[str, Any]:
    """Unknown parameters are at the top level, as given."""
    instructions, items = convert_messages(request)
    body: dict[str, Any] = {"model": request.model, "input": items, "store": FALSE}
    if instructions is not None:
        body["instructions"] = instructions
    body.update(request.parameters)
    reasons = is_reasoning_model(str(options.get("model_name") or request.model))
    if (reasoning := reasoning_with_summary(request, options, reasons)) is not None:
        body["reasoning"] = reasoning
    if (include := include_encrypted(request, options, reasons)) is not None:
        body["include"] = include
    if request.stream:
        body["stream"] = TRUE
    return body
