"""The ``response`` object, which repeats the request and has the output
(platform.openai.com/docs/api-reference/responses/object)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.dialects.base import ResponseContext
from headway.dialects.input_items.ids import response_id_of, seed_of
from headway.events import Started
from headway.response_accumulator import ResponseAccumulator
from headway.types import NativeRequest, Usage

Fields = dict[str, Any]

DEFAULTS: Fields = {
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""Fields of the request that the response repeats, with what the API shows where they are absent.
"""
TEXT: Fields = {"format": {"type": "text"}, "verbosity": "medium"}
REASONING: Fields = {"effort": None, "summary": None}
FUNCTION: Fields = {"description": None, "parameters": None, "strict": None}
TIERS = ("auto", "flex", "scale", "priority", "fast", "ultrafast")
DEFAULT_TIER = "default"
INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Finish reason -> why the response is incomplete."""
NO_FIELDS: Mapping[str, Raw] = {}
NULL = b"null"

_decode = msgspec.json.Decoder().decode


def native_of(context: ResponseContext) -> NativeRequest | None:
    """The client's request as it was sent."""
    return getattr(context.call.request, "native", None)


def request_fields(context: ResponseContext) -> Mapping[str, Raw]:
    native = native_of(context)
    return NO_FIELDS if native is None else native.fields


def repeated_fields(context: ResponseContext) -> Fields:
    """What the response repeats of the request."""
    given = {k: v for k, v in request_fields(context).items() if bytes(v) != NULL}
    repeated: Fields = {name: given.get(name, default) for name, default in DEFAULTS.items()}
    repeated["text"] = {**TEXT, **_decoded(given, "text", {})}
    repeated["reasoning"] = {**REASONING, **_decoded(given, "reasoning", {})}
    repeated["tools"] = described_tools(given)
    recall = context.call.recall
    repeated["previous_response_id"] = None if recall is None else recall.previous_response_id
    return repeated


def described_tools(given: Mapping[str, Raw]) -> list[Any]:
    """The tools of a request as a response repeats them."""
    return [_described_tool(tool) for tool in _decoded(given, "tools", [])]


def response_object(
    context: ResponseContext, started: Started, repeated: Fields, status: str
) -> Fields:
    """The response without output and usage."""
    return {
        "id": response_id(context),
        "object": "response",
        "created_at": context.created,
        "status": status,
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": started.model or context.sent.model,
        "output": [],
        "service_tier": _tier(started.service_tier),
        "store": context.is_stored,
        "usage": None,
        **repeated,
    }


def finished_object(
    response: ResponseAccumulator, first_object: Fields, output: list[Fields], now: float
) -> Fields:
    """``first_object`` with everything that is known at the end."""
    reason = INCOMPLETE.get(response.finish_reason or "")
    return {
        **first_object,
        "status": "incomplete" if reason else "completed",
        "completed_at": None if reason else int(now),
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        "service_tier": _tier(response.service_tier or first_object["service_tier"]),
        "usage": usage_object(response.reported()),
    }


def _tier(name: str | None) -> str:
    """Vendors have other names for the ordinary tier, and clients know no others than these."""
    return name if name in TIERS else DEFAULT_TIER


def usage_object(usage: Usage) -> Fields | None:
    """None where a count is unknown that every client reads. Of the others an unknown one is 0,
    because the API requires a number."""
    given, made = usage.input_tokens, usage.output_tokens
    if given is None or made is None:
        return None
    return {
        "input_tokens": given,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
        },
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": given + made,
    }


def shows_summary(context: ResponseContext) -> bool:
    """Whether the client asked for a summary of the reasoning; otherwise it gets the raw text."""
    reasoning = _decoded(request_fields(context), "reasoning", {})
    return bool(reasoning.get("summary") or reasoning.get("generate_summary"))


def response_id(context: ResponseContext) -> str:
    return response_id_of(context.id)


def id_seed(context: ResponseContext) -> str:
    """The part of all ids of a response that no other response has."""
    return seed_of(context.id)


def _described_tool(tool: Any) -> Any:
    is_function = isinstance(tool, dict) and tool.get("type") == "function"
    return {**FUNCTION, **tool} if is_function else tool


def _decoded(given: Mapping[str, Raw], name: str, default: Any) -> Any:
    """A field of the request, of which the provider judges the form; the default in place of
    another form, and of what is nested too deeply."""
    try:
        value = _decode(given[name]) if name in given else default
    except RecursionError:
        return default
    return value if type(value) is type(default) else default
