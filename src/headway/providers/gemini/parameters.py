"""OpenAI's parameters as those of Google's generateContent (ai.google.dev/api/generate-content).

``adapt`` leaves the messages as they are. A parameter whose value needs no conversion keeps
OpenAI's name, and the encoder renames it; one with a converted value has Google's name
(``thinkingConfig``, ``serviceTier``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from headway.providers.base import Adapted
from headway.providers.chat_messages import messages_of
from headway.providers.function_tools import convert_functions
from headway.providers.gemini.messages import UNSUPPORTED, unsupported_content
from headway.providers.gemini.models import supports_json_schema
from headway.providers.gemini.reasoning import convert_reasoning
from headway.providers.gemini.tools import convert_tools, convert_web_search, reduce_schema
from headway.providers.request_draft import RequestDraft, convert_request
from headway.types import ChatRequest

UNSUPPORTED_PARAMETERS = (
    "logit_bias", "metadata", "min_p", "prediction", "prompt_cache_key", "prompt_cache_retention",
    "repetition_penalty", "safety_identifier", "top_a", "user", "verbosity",
)  # fmt: skip
DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "repetition_penalty": (1,),
    "min_p": (0,),
    "parallel_tool_calls": (True,),
    "logprobs": (False,),
    "modalities": (["text"],),
    "verbosity": ("medium",),
    "service_tier": ("auto",),
}
"""Values that equal Google's default behaviour: removing them is no transformation."""
SERVICE_TIERS = {
    "default": "standard",
    "standard": "standard",
    "flex": "flex",
    "priority": "priority",
}
"""OpenAI's service tiers -> Google's."""
PENALTIES = ("frequency_penalty", "presence_penalty")

# "Penalty is not enabled for this model", the 400 that both services return.
STUDIO_PENALTIES = re.compile(r"gemini-(?:1|2\.0)|tunedModels/")
VERTEX_PENALTIES = re.compile(r"^(?!.*gemini-(?:[3-9]|[\w-]+-latest))")


class Service(Struct, frozen=True, kw_only=True):
    """What differs between AI Studio and Vertex AI."""

    penalties: re.Pattern[str]
    """The models that take penalties."""
    has_store: bool
    """Whether it knows ``store``."""


AI_STUDIO = Service(penalties=STUDIO_PENALTIES, has_store=True)
VERTEX_AI = Service(penalties=VERTEX_PENALTIES, has_store=False)


def adapt(service: Service, request: ChatRequest) -> Adapted:
    """The request as this model can take it, with the transformations. Raises RequestError for a
    request that is not in OpenAI's chat format."""
    return convert_request(request, (partial(_drop_unsupported, service), *STEPS))


def _drop_unsupported(service: Service, draft: RequestDraft) -> None:
    draft.take("stream_options")  # handled by the gateway: usage is always reported
    draft.remove_defaults(DEFAULTS)
    for name in UNSUPPORTED_PARAMETERS:
        draft.drop(name, UNSUPPORTED)
    if not service.penalties.search(draft.model):
        for name in PENALTIES:
            draft.drop(name, f"unsupported by {draft.model}")
    if not service.has_store:
        draft.drop("store", "unsupported by Vertex AI")
    draft.drop("parallel_tool_calls", "the model may always call several at once")


def _convert_service_tier(draft: RequestDraft) -> None:
    given = draft.take("service_tier")
    if given is None:
        return
    tier = SERVICE_TIERS.get(given)
    if tier is None:
        draft.note_dropped("service_tier", f"unsupported tier {given}")
    else:
        draft.put("serviceTier", tier)


def _choose_token_limit(draft: RequestDraft) -> None:
    if "max_completion_tokens" in draft:
        draft.drop("max_tokens", "max_completion_tokens is given too")


def _note_audio_format(draft: RequestDraft) -> None:
    audio = draft.value("audio")
    if audio is not None and audio.get("format") not in (None, "pcm16"):
        draft.note_dropped("audio.format", f"{UNSUPPORTED}, which sends 16-bit PCM at 24 kHz")


def _convert_response_format(draft: RequestDraft) -> None:
    wanted = draft.value("response_format")
    described = (wanted or {}).get("json_schema") or {}
    if described.get("schema") is None:
        return
    schema = described["schema"]
    if described.get("description"):
        schema = {"description": described["description"], **schema}
    if not supports_json_schema(draft.model):
        schema = reduce_schema(schema, draft, "response_format.json_schema.schema")
    draft.put("response_format", {**wanted, "json_schema": {**described, "schema": schema}})


def _note_unsupported_content(draft: RequestDraft) -> None:
    """Note each transformation once."""
    found = dict.fromkeys(unsupported_content(messages_of(draft.request), draft.model))
    draft.transformations += [each for each in found if each not in draft.transformations]


STEPS: tuple[Callable[[RequestDraft], None], ...] = (
    _convert_service_tier,
    _choose_token_limit,
    _note_audio_format,
    convert_functions,
    convert_web_search,
    convert_tools,
    _convert_response_format,
    convert_reasoning,
    _note_unsupported_content,
)
