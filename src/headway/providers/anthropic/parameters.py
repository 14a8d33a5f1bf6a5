"""Convert OpenAI's parameters to those of Anthropic's Messages API, by tables and by the model.

After ``adapt`` the parameters of a request are Anthropic's, names and values, and its messages are
still OpenAI's. Platforms that serve the same API (Vertex AI, Amazon Bedrock) share it.
"""

from __future__ import annotations

from collections.abc import Set

from headway.providers.anthropic.reasoning import convert_reasoning
from headway.providers.anthropic.reasoning_blocks import has_signed_thinking
from headway.providers.anthropic.request_draft import AnthropicDraft, convert_draft
from headway.providers.anthropic.response_format import convert_response_format
from headway.providers.anthropic.tools import convert_tools
from headway.providers.base import Adapted
from headway.providers.message_scan import unsupported_content
from headway.types import ChatRequest

UNSUPPORTED = frozenset(
    {
        "audio", "frequency_penalty", "logit_bias", "logprobs", "min_p", "modalities", "n",
        "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_retention",
        "repetition_penalty", "seed", "store", "top_logprobs", "verbosity", "web_search_options",
    }
)  # fmt: skip
NO_EFFECT = {
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
"""Values that equal the API's default behaviour: removing them is no transformation."""
GATEWAY_PARAMETERS = ("stream_options",)
"""Parameters that the gateway handles itself: it always reports usage."""
DEFAULT_MAX_TOKENS = 16_384
"""``max_tokens`` where the client gives none: the API requires it. Enough for long responses, and
few enough for a whole response to take less than ten minutes; models with a lower maximum get
that."""
SERVICE_TIERS = {"auto": "auto", "standard_only": "standard_only", "default": "standard_only",
                 "priority": "auto"}  # fmt: skip
"""OpenAI's service tiers to Anthropic's (platform.claude.com/docs/en/api/service-tiers): auto uses
priority capacity where the account has it."""
MIN_TOP_P_WITH_THINKING = 0.95


def adapt(request: ChatRequest) -> Adapted:
    """The request with the parameters that this Claude model takes, and the transformations.
    Raises RequestError for a request that is malformed in OpenAI's format."""
    return convert_draft(AnthropicDraft(request), convert_parameters)


def convert_parameters(draft: AnthropicDraft) -> None:
    """Raises RequestError or one of ``MALFORMED`` for malformed values."""
    remove_parameters(draft, UNSUPPORTED)
    convert_stop(draft, "stop_sequences")
    _convert_user(draft)
    _convert_service_tier(draft)
    convert_tools(draft)
    convert_response_format(draft, draft.rules.structured_outputs)
    convert_max_tokens(draft, "max_tokens")
    convert_reasoning(draft)
    _set_default_max_tokens(draft)
    _drop_unsupported_sampling(draft)
    clamp_temperature(draft)
    messages = draft.request.messages
    draft.transformations += unsupported_content(messages, draft.title, has_signed_thinking)


def remove_parameters(draft: AnthropicDraft, unsupported: Set[str]) -> None:
    """Remove the gateway's parameters and those without effect, which is no transformation, and
    drop the ``unsupported`` ones."""
    for name in GATEWAY_PARAMETERS:
        draft.parameters.pop(name, None)
    draft.remove_defaults(NO_EFFECT)
    for name in tuple(draft.parameters):
        if name in unsupported:
            draft.drop(name, f"unsupported by {draft.title}")


def convert_stop(draft: AnthropicDraft, new_name: str) -> None:
    """Set ``stop_sequences``; ``new_name`` is the name in the transformation."""
    stop = draft.take("stop")
    if stop:
        draft.put("stop_sequences", [stop] if isinstance(stop, str) else stop)
        draft.note_renamed("stop", new_name)


def convert_max_tokens(draft: AnthropicDraft, new_name: str) -> None:
    """Set ``max_tokens``; ``new_name`` is the name in the transformation."""
    limit = draft.parameters.pop("max_completion_tokens", None)
    if limit is not None:
        draft.parameters["max_tokens"] = limit
        draft.note_renamed("max_completion_tokens", new_name)


def clamp_temperature(draft: AnthropicDraft) -> None:
    """Anthropic's and Bedrock's range ends at 1, OpenAI's at 2."""
    temperature = draft.value("temperature")
    if isinstance(temperature, int | float) and temperature > 1:
        draft.put("temperature", 1)
        draft.note_clamped("temperature", temperature, 1, "maximum")


def _convert_user(draft: AnthropicDraft) -> None:
    """Anthropic's ``metadata`` holds only a user_id; OpenAI's is stored with the response."""
    metadata = draft.take_object("metadata")
    user_id = metadata.get("user_id")
    for name in ("safety_identifier", "user"):
        user = draft.take(name)
        if user is not None:
            user_id = user
            draft.note_renamed(name, "metadata.user_id")
    for name in sorted(set(metadata) - {"user_id"}):
        draft.note_dropped(f"metadata.{name}", f"unsupported by {draft.title}")
    if user_id is not None:
        draft.put("metadata", {"user_id": user_id})


def _convert_service_tier(draft: AnthropicDraft) -> None:
    given = draft.take("service_tier")
    if given is None:
        return
    tier = SERVICE_TIERS.get(given)
    if tier is None:
        draft.note_dropped("service_tier", f"{given} is unsupported by {draft.title}")
        return
    if tier != given:
        draft.note_renamed("service_tier", f"{given} -> {tier}")
    draft.put("service_tier", tier)


def _set_default_max_tokens(draft: AnthropicDraft) -> None:
    if "max_tokens" in draft:
        return
    budget = draft.value("thinking", {}).get("budget_tokens") or 0
    limit = min(draft.rules.max_output_tokens, DEFAULT_MAX_TOKENS + budget)
    draft.put("max_tokens", limit)
    draft.note_emulated("max_tokens", f"as the default {limit}")


def _drop_unsupported_sampling(draft: AnthropicDraft) -> None:
    sampling = draft.rules.sampling
    if sampling == "none":
        for name in ("temperature", "top_p", "top_k"):
            draft.drop(name, f"unsupported by {draft.model}")
    elif draft.value("thinking", {}).get("type") in ("enabled", "adaptive"):
        _drop_sampling_with_thinking(draft)
    if sampling == "one" and "temperature" in draft:
        draft.drop("top_p", f"unsupported by {draft.model} together with temperature")


def _drop_sampling_with_thinking(draft: AnthropicDraft) -> None:
    """With thinking, Claude takes only a temperature of 1 and a top_p of 0.95 and more
    (build-with-claude/extended-thinking, feature compatibility)."""
    top_p = draft.value("top_p")
    reason = f"unsupported by {draft.model} with thinking"
    draft.drop("top_k", reason)
    if draft.value("temperature") != 1:
        draft.drop("temperature", reason)
    if not isinstance(top_p, int | float) or top_p < MIN_TOP_P_WITH_THINKING:
        draft.drop("top_p", reason)
