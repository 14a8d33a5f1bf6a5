"""OpenRouter, a router to the models of other vendors.

Sources: openrouter.ai/docs, Completions, Errors and Reasoning tokens; recordings (headers).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import UpstreamContentPolicy, UpstreamError
from headway.events import Event, Failed
from headway.providers import model_lists
from headway.providers.call_id_rules import call_id_rules
from headway.providers.capabilities import native
from headway.providers.http_errors import (
    INVALID_JSON,
    MAX_MESSAGE_LENGTH,
    decode_error,
    error_from_body,
)
from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.message_rules import DEVELOPER_SUPPORTED
from headway.providers.openai_compatible.request_rules import RequestRules
from headway.providers.openai_compatible.response_transforms import (
    REASONING_DETAILS,
    EventTransform,
    Memory,
    is_present,
)
from headway.providers.openai_compatible.vendor import TOOLS, Vendor
from headway.providers.openai_compatible.wire_rules import OPENAI_CALL_IDS
from headway.providers.rejections import specify
from headway.providers.rerank import RERANK
from headway.types import NO_RAW, Headers, HttpRequest, Target
from headway.wire.lenient_json import lenient_decoder


class Choice(Struct):
    error: Raw = NO_RAW


class Chunk(Struct):
    choices: list[Choice] = []


class Metadata(Struct):
    raw: str | None = None
    provider_name: str | None = None
    reasons: list[str] | None = None


class Error(Struct):
    metadata: Metadata | None = None


class ErrorBody(Struct):
    error: Error | None = None


NO_METADATA = Metadata()
_chunk = lenient_decoder(Chunk)
_error_body = lenient_decoder(ErrorBody)
_any = msgspec.json.Decoder().decode


def _choice_errors(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """The error of one choice, which has the finish reason ``error``."""
    if not any(isinstance(event, Failed) for event in events) or b'"error"' not in data:
        return events
    errors = [choice.error for choice in _chunk(data).choices if is_present(choice.error)]
    return [*events, *(Failed(error_from_body(_any(raw), None)) for raw in errors)]


def _decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """``metadata.raw`` has the response of the routed provider. A 403 with a provider's name or
    reasons of moderation is about the prompt; any other is a key that has reached its limit."""
    error = decode_error(status, headers, body)
    metadata = _metadata(body)
    if metadata.raw:
        error.message = f"{error.message}: {_routed_message(metadata.raw)}"[:MAX_MESSAGE_LENGTH]
    found = dict(headers).get(b"x-generation-id")
    if error.request_id is None and found is not None:
        error.request_id = found.decode("latin-1")
    if status != 403 or not (metadata.provider_name or metadata.reasons):
        return specify(error)
    policy = UpstreamContentPolicy(error.message, code=error.code, request_id=error.request_id)
    return specify(policy)


def _metadata(body: bytes) -> Metadata:
    try:
        error = _error_body(body).error
    except INVALID_JSON:
        return NO_METADATA
    return error.metadata or NO_METADATA if error is not None else NO_METADATA


def _routed_message(raw: str) -> str:
    try:
        return error_from_body(_any(raw), None).message
    except INVALID_JSON:
        return raw


def _price_conditions(base_url: str, options: Mapping[str, Any], model: str) -> Mapping[str, str]:
    """``:online`` searches the web for an additional fee
    (openrouter.ai/docs/guides/routing/model-variants/online)."""
    return {"tool": "web_search"} if model.endswith(":online") else {}


def _key_check(target: Target) -> HttpRequest:
    """Everybody gets the list of models (openrouter.ai/docs/api/reference/limits)."""
    return model_lists.get(target, target.base_url, "/key", *model_lists.bearer(target))


VENDOR = Vendor(
    title="OpenRouter",
    order=40,
    base_url="https://openrouter.ai/api/v1",
    key_env="OPENROUTER_API_KEY",
    price_id="openrouter",
    price_conditions=_price_conditions,
    wire="openai_chat_openrouter",
    request_rules=RequestRules(messages=DEVELOPER_SUPPORTED, flatten_reasoning=False),
    event_transforms=(REASONING_DETAILS, EventTransform(_choice_errors)),
    wire_rules=call_id_rules(OPENAI_CALL_IDS),
    decode_error=_decode_error,
    completions=Completions(),
    operations=RERANK,
    key_check=_key_check,
    takes_routing_fields=True,
    capabilities={
        **TOOLS,
        **native("images", "documents", "audio", "json_schema", "logprobs", "embeddings"),
        "reasoning": "native: effort or budget; returns the text",
        "reasoning_replay": "native: `reasoning_details`",
        "caching": "native: `cache_control`; reports tokens read and written",
        "citations": "native: annotations",
    },
)
