"""Requests in Anthropic's Messages format, for every platform that serves it.

``request_body`` is for every platform: the Claude API adds model and stream, Vertex AI and Amazon
Bedrock an ``anthropic_version`` (with the model in the URL). The request must have been through
``anthropic.parameters.adapt``, which converts the parameters; only messages are converted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from headway.providers.anthropic.messages import convert_messages
from headway.providers.http_headers import Pairs, request_headers
from headway.types import ChatRequest, HttpRequest, Target
from headway.wire.url import join

API_VERSION = "2023-06-01"
"""The one after it, 2026-10-21, only removes features, temperature among them."""

encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """A request to the Claude API. Raises what ``request_body`` raises."""
    fields = {"model": request.model, **request_body(request)}
    if request.stream:
        fields["stream"] = True
    # Anthropic's SDKs take a base URL without the version, OpenAI's with one: both work here.
    path = "/messages" if target.base_url.rstrip("/").endswith("/v1") else "/v1/messages"
    version = str(target.options.get("api_version") or API_VERSION)
    beta = ",".join(beta_features(target.options))
    extra = tuple(target.headers.items())
    headers = _headers(target.api_key, version, beta, request.stream, extra)
    return HttpRequest(join(target.base_url, path), headers, encode(fields))


def request_body(request: ChatRequest) -> dict[str, Any]:
    """The body without model, stream and version, ready for ``encode``. Unknown parameters stand at
    its top level, as given.

    Raises msgspec.ValidationError for invalid messages, and RequestError for content that Claude
    does not take (audio)."""
    system, messages = convert_messages(request)
    fields: dict[str, Any] = {"messages": messages, **request.parameters}
    if system:
        given = request.parameters.get("system")
        fields["system"] = system if given is None else [*_system_blocks(given), *system]
    return fields


def beta_features(options: Mapping[str, Any]) -> list[str]:
    """The option ``beta``: names of beta features, in a list or separated by commas."""
    given = options.get("beta") or ()
    names = given.split(",") if isinstance(given, str) else given
    return [name.strip() for name in names]


def _system_blocks(given: Raw) -> list[Any]:
    """Anthropic's own parameter ``system``, a text or blocks, which precedes system messages."""
    value = msgspec.json.decode(given)
    return [{"type": "text", "text": value}] if isinstance(value, str) else value


@lru_cache(maxsize=256)
def _headers(api_key: str | None, version: str, beta: str, stream: bool, extra: Pairs) -> Pairs:
    given = (("anthropic-version", version), ("x-api-key", api_key), ("anthropic-beta", beta))
    known = tuple((name, value) for name, value in given if value)
    return request_headers(known, extra, stream)
