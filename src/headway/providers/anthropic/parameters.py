"""What Anthropic's Messages API takes otherwise than OpenAI's, by tables and by the model.

``adapt`` leaves a request whose parameters are Anthropic's, values too, and whose messages are
still OpenAI's. Platforms that serve the same API (Vertex AI, Amazon Bedrock) share it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.anthropic.messages import FORMAT
from headway.providers.anthropic.reasoning import think
from headway.providers.anthropic.request_draft import AnthropicDraft
from headway.providers.anthropic.tools import equip
from headway.providers.base import Adapted
from headway.providers.chat_messages import JsonSchema, ResponseFormat
from headway.providers.json_schema import closed
from headway.providers.parameter_rules import Limits, limit
from headway.providers.transformations import visible_to_caller
from headway.types import NO_RAW, ChatRequest

ABSENT = "the Messages API has no such parameter"
LIMITS = Limits(
    dropped=dict.fromkeys(
        (
            "audio", "frequency_penalty", "logit_bias", "logprobs", "min_p", "modalities", "n",
            "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_retention",
            "repetition_penalty", "seed", "store", "top_logprobs", "verbosity",
            "web_search_options",
        ),
        ABSENT,
    )
)  # fmt: skip
ASKS_FOR_NOTHING = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "repetition_penalty": (1,),
    "min_p": (0,),
    "n": (1,),
    "logprobs": (False,),
    "store": (False,),
    "modalities": (["text"],),
    "verbosity": ("medium",),
}
"""Values that say what happens anyway: to leave them out is no change."""
OURS = ("stream_options",)
"""Answered by the gateway itself: usage always comes."""
DEFAULT_LIMIT = 16_384
"""``max_tokens`` where none was given: the API wants one. Enough for long answers, and within what
a whole answer can take under ten minutes; models that write less get their own limit."""
TIERS = {"auto": "auto", "standard_only": "standard_only", "default": "standard_only",
         "priority": "auto"}  # fmt: skip
"""OpenAI's service tiers in Anthropic's (platform.claude.com/docs/en/api/service-tiers): auto uses
priority capacity where there is any."""
JSON_ONLY = "Answer with one JSON object and nothing else: no Markdown fence, no text around it."
SCHEMA_ONLY = (
    "Answer with JSON that is valid against this JSON schema and with nothing else: no Markdown"
    " fence, no text around it.\n"
)
LEAST_TOP_P_OF_THOUGHT = 0.95
UNREADABLE = (LookupError, TypeError, AttributeError, msgspec.MsgspecError)
"""What values of the wrong shape come to: tools that are no list, a choice without a name."""

_encode = msgspec.json.Encoder().encode
_raws = msgspec.json.Decoder(list[Raw]).decode


def adapt(request: ChatRequest) -> Adapted:
    """The request in parameters that this model of Anthropic's takes, and what was changed.
    Raises RequestError for what cannot be read as a request in OpenAI's format."""
    try:
        return _adapted(request)
    except UNREADABLE as exc:
        raise RequestError(f"This is no request in OpenAI's chat format: {exc}.") from exc


def _adapted(request: ChatRequest) -> Adapted:
    limited, early = limit(_without_void(request), LIMITS)
    draft = AnthropicDraft(limited)
    draft.transformations += early
    glance = _glance(request.messages)
    for step in (_stop, _name_user, _choose_tier, equip, _format, _bound):
        step(draft)
    think(draft, glance.replays_thinking)
    _default_limit(draft)
    _sample(draft)
    for reason in glance.losses:
        draft.note("dropped", "messages", reason)
    if glance.moves_system:
        draft.note("emulated", "messages", "system messages stand before all others")
    adapted = replace(limited, parameters=draft.parameters)
    if draft.instructions:
        adapted = replace(adapted, messages=_instructed(request.messages, draft.instructions))
    return adapted, visible_to_caller(request, draft.transformations)


def _without_void(request: ChatRequest) -> ChatRequest:
    kept = {
        name: raw
        for name, raw in request.parameters.items()
        if name not in OURS
        and (name not in ASKS_FOR_NOTHING or msgspec.json.decode(raw) not in ASKS_FOR_NOTHING[name])
    }
    return replace(request, parameters=kept)


def _instructed(messages: Raw, instructions: list[str]) -> Raw:
    """System messages are hoisted in their order, so that one at the end is the last word."""
    told = [Raw(_encode({"role": "system", "content": text})) for text in instructions]
    return Raw(_encode([*_raws(messages), *told]))


# --- Parameters, one at a time --------------------------------------------------------------------


def _stop(draft: AnthropicDraft) -> None:
    stop = draft.take("stop")
    if stop:
        draft.put("stop_sequences", [stop] if isinstance(stop, str) else stop)
        draft.note("renamed", "stop", "it is stop_sequences there")


def _name_user(draft: AnthropicDraft) -> None:
    """``metadata`` holds a user_id and nothing else, and not what OpenAI would store."""
    metadata = draft.take_object("metadata")
    user_id = metadata.get("user_id")
    for name in ("safety_identifier", "user"):
        user = draft.take(name)
        if user is not None:
            user_id = user
            draft.note("renamed", name, "it is metadata.user_id there")
    if lost := sorted(set(metadata) - {"user_id"}):
        draft.note("dropped", "metadata", f"only user_id is taken there, not {', '.join(lost)}")
    if user_id is not None:
        draft.put("metadata", {"user_id": user_id})


def _choose_tier(draft: AnthropicDraft) -> None:
    given = draft.take("service_tier")
    if given is None:
        return
    tier = TIERS.get(given)
    if tier is None:
        draft.note("dropped", "service_tier", f"there is no tier {given}")
        return
    if tier != given:
        draft.note("renamed", "service_tier", f"{given} is {tier} there")
    draft.put("service_tier", tier)


def _format(draft: AnthropicDraft) -> None:
    raw = draft.parameters.pop("response_format", None)
    wanted = None if raw is None else msgspec.json.decode(raw, type=ResponseFormat)
    if wanted is None or wanted.type == "text":
        return
    described = wanted.json_schema or JsonSchema()
    if described.schema is None:
        draft.instructions.append(JSON_ONLY)
        draft.note("emulated", "response_format", "the model is told in words to answer in JSON")
    elif draft.rules.schemas:
        _enforce(draft, described, described.schema)
    else:
        draft.instructions.append(SCHEMA_ONLY + _encode(described.schema).decode())
        reason = f"{draft.model} has no structured outputs; it is told the schema in words"
        draft.note("emulated", "response_format", reason)


def _enforce(draft: AnthropicDraft, described: JsonSchema, given: dict[str, Any]) -> None:
    """Structured outputs. OpenAI's description of the whole goes into the schema."""
    told: set[str] = set()
    if described.description is not None:
        given = {"description": described.description, **given}
    draft.configure("format", {"type": "json_schema", "schema": closed(given, told)})
    if told:
        reason = f"told in words and not enforced: {', '.join(sorted(told))}"
        draft.note("emulated", "response_format", reason)


def _bound(draft: AnthropicDraft) -> None:
    limit = draft.parameters.pop("max_completion_tokens", None)
    if limit is not None:
        draft.parameters["max_tokens"] = limit
        draft.note("renamed", "max_completion_tokens", "it is max_tokens there")


def _default_limit(draft: AnthropicDraft) -> None:
    if "max_tokens" in draft:
        return
    budget = draft.value("thinking", {}).get("budget_tokens") or 0
    limit = min(draft.rules.limit, DEFAULT_LIMIT + budget)
    draft.put("max_tokens", limit)
    draft.note("emulated", "max_tokens", f"the API wants one; it is {limit}")


def _sample(draft: AnthropicDraft) -> None:
    """Temperature goes from 0 to 1 there, and not with everything."""
    rules = draft.rules
    temperature, top_p = draft.value("temperature"), draft.value("top_p")
    if rules.samples == "none":
        for name in ("temperature", "top_p", "top_k"):
            draft.drop(name, f"{draft.model} does not take it")
    elif draft.value("thinking", {}).get("type") in ("enabled", "adaptive"):
        _sample_thoughtfully(draft, temperature, top_p)
    if rules.samples == "one" and "temperature" in draft:
        draft.drop("top_p", f"{draft.model} takes temperature or top_p, not both")
    if "temperature" in draft and isinstance(temperature, int | float) and temperature > 1:
        draft.put("temperature", 1)
        draft.note("clamped", "temperature", "1 is the most there")


def _sample_thoughtfully(draft: AnthropicDraft, temperature: Any, top_p: Any) -> None:
    """While it thinks, only a temperature of 1 and a top_p of 0.95 and more are taken
    (build-with-claude/extended-thinking, feature compatibility)."""
    reason = f"{draft.model} does not take it while it thinks"
    draft.drop("top_k", reason)
    if temperature != 1:
        draft.drop("temperature", reason)
    if not isinstance(top_p, int | float) or top_p < LEAST_TOP_P_OF_THOUGHT:
        draft.drop("top_p", reason)


# --- Messages, at a glance ------------------------------------------------------------------------


class Glimpse(Struct):
    """What of a message tells whether something of it will be lost; the rest is skipped."""

    role: str
    name: Raw = NO_RAW
    content: Raw = NO_RAW
    tool_calls: Raw = NO_RAW
    reasoning_content: Raw = NO_RAW
    reasoning_details: Raw = NO_RAW

    @property
    def thinks(self) -> bool:
        """Signed thinking that can be replayed, among the details or in the content itself."""
        own = FORMAT.encode() in bytes(self.reasoning_details)
        return own or b'thinking"' in bytes(self.content)


class Glance(Struct):
    losses: list[str] = []
    moves_system: bool = False
    replays_thinking: bool = True


class Part(Struct):
    type: str = ""
    image_url: Raw = NO_RAW


SYSTEM = ("system", "developer")
VOID = (b"", b"null", b'""', b"[]")
_glimpses = msgspec.json.Decoder(list[Glimpse]).decode
_parts = msgspec.json.Decoder(list[Part]).decode


def _glance(messages: Raw) -> Glance:
    losses: dict[str, None] = {}
    glance = Glance()
    begun = False
    for message in _glimpses(messages):
        if message.role in SYSTEM:
            glance.moves_system |= begun
            continue
        begun = True
        for reason in _losses(message):
            losses[reason] = None
        if message.role == "user":
            glance.replays_thinking = True
        elif message.role == "assistant" and bytes(message.tool_calls) not in VOID:
            glance.replays_thinking &= message.thinks
    glance.losses = list(losses)
    return glance


def _losses(message: Glimpse) -> list[str]:
    losses = []
    if message.role in ("user", "assistant") and bytes(message.name) not in VOID:
        losses.append("speakers have no name there")
    if bytes(message.reasoning_content) not in VOID and not message.thinks:
        losses.append("reasoning without Claude's signature cannot be sent back")
    content = bytes(message.content)
    if b'"detail"' in content and content.startswith(b"["):
        details = [_detail(part) for part in _parts(content)]
        if any(detail not in (None, "auto") for detail in details):
            losses.append("images have no detail there")
    return losses


def _detail(part: Part) -> Any:
    if part.type != "image_url":
        return None
    image = msgspec.json.decode(part.image_url) if part.image_url else None
    return image.get("detail") if isinstance(image, dict) else None
