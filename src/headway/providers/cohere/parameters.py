"""OpenAI's parameters as those of Cohere's v2 chat (docs.cohere.com/reference/chat).

A parameter in ``NAMES``, whose value needs no conversion, keeps OpenAI's name in ``adapt``: the
encoder renames it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from headway.providers.base import Adapted
from headway.providers.chat_messages import messages_of
from headway.providers.cohere.messages import UNSUPPORTED, unsupported_content
from headway.providers.cohere.reasoning import convert_reasoning
from headway.providers.cohere.tools import convert_tools
from headway.providers.request_draft import RequestDraft, convert_request
from headway.types import ChatRequest

UNSUPPORTED_PARAMETERS = (
    "audio", "logit_bias", "metadata", "min_p", "modalities", "n", "prediction", "prompt_cache_key",
    "prompt_cache_retention", "repetition_penalty", "safety_identifier", "service_tier", "store",
    "top_a", "top_logprobs", "user", "verbosity", "web_search_options",
)  # fmt: skip
DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "min_p": (0,),
    "modalities": (["text"],),
    "n": (1,),
    "repetition_penalty": (1,),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "top_logprobs": (0,),
    "verbosity": ("medium",),
}
"""Values that equal Cohere's default behaviour: removing them is no transformation."""
NAMES = {"top_p": "p", "top_k": "k", "stop": "stop_sequences"}
"""OpenAI's name to Cohere's."""


class Range(Struct, frozen=True):
    low: float | int
    high: float | int


RANGES = {
    "frequency_penalty": Range(0, 1),
    "presence_penalty": Range(0, 1),
    "temperature": Range(0, 1),
    "top_k": Range(0, 500),
    "top_p": Range(0.01, 0.99),
}
"""Cohere rejects a value outside of these with 400 (docs.cohere.com/reference/errors)."""


def adapt(request: ChatRequest) -> Adapted:
    """The request as this model can take it, with the transformations. Raises RequestError for a
    request that is not in OpenAI's chat format."""
    return convert_request(request, STEPS)


def _check_messages(draft: RequestDraft) -> None:
    messages_of(draft.request)


def _drop_unsupported(draft: RequestDraft) -> None:
    draft.take("stream_options")  # handled by the gateway: usage is always reported
    draft.remove_defaults(DEFAULTS)
    for name in UNSUPPORTED_PARAMETERS:
        draft.drop(name, UNSUPPORTED)


def _convert_token_limit(draft: RequestDraft) -> None:
    limit = draft.take("max_completion_tokens")
    if limit is not None:
        draft.put("max_tokens", limit)
        draft.note_renamed("max_completion_tokens", "max_tokens")


def _clamp(draft: RequestDraft) -> None:
    for name, allowed in RANGES.items():
        value = draft.value(name)
        if isinstance(value, int | float):
            nearest = min(max(value, allowed.low), allowed.high)
            if nearest != value:
                draft.put(name, nearest)
                bound = "maximum" if nearest == allowed.high else "minimum"
                draft.note_clamped(name, value, nearest, bound)


def _note_renamed(draft: RequestDraft) -> None:
    stop = draft.value("stop")
    if isinstance(stop, str):
        draft.put("stop", [stop])
    for name, new_name in NAMES.items():
        if name in draft:
            draft.note_renamed(name, new_name)


def _convert_response_format(draft: RequestDraft) -> None:
    wanted = draft.take("response_format")
    if wanted is None or wanted["type"] == "text":
        return
    given = wanted.get("json_schema") or {}
    is_openai = wanted["type"] == "json_schema"
    schema = given.get("schema") if is_openai else given  # Cohere's own is the schema itself
    converted = {"type": "json_object"}
    draft.put("response_format", {**converted, "json_schema": schema} if schema else converted)
    if is_openai and given.get("description"):
        draft.note_dropped("response_format.json_schema.description", UNSUPPORTED)


def _note_unsupported_content(draft: RequestDraft) -> None:
    found = set(unsupported_content(draft.request))
    draft.transformations += sorted(found, key=lambda each: each.parameter)


STEPS = (
    _check_messages,
    _drop_unsupported,
    _convert_token_limit,
    _clamp,
    _note_renamed,
    convert_tools,
    _convert_response_format,
    convert_reasoning,
    _note_unsupported_content,
)
