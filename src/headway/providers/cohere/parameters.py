"""What Cohere's v2 chat takes otherwise than OpenAI's (docs.cohere.com/reference/chat).

``adapt`` leaves OpenAI's names where only the spelling differs: the encoder knows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.base import Adapted
from headway.providers.chat_messages import messages_of
from headway.providers.cohere.messages import losses, reasons
from headway.providers.function_tools import equip
from headway.providers.request_draft import RequestDraft
from headway.providers.transformations import visible_to_caller
from headway.types import ChatRequest

ABSENT = "Cohere's chat has no such parameter"
DROPPED = (
    "audio", "logit_bias", "metadata", "min_p", "modalities", "n", "prediction", "prompt_cache_key",
    "prompt_cache_retention", "repetition_penalty", "safety_identifier", "service_tier", "store",
    "top_a", "top_logprobs", "user", "verbosity", "web_search_options",
)  # fmt: skip
ASKS_FOR_NOTHING: Mapping[str, tuple[Any, ...]] = {
    "min_p": (0,),
    "modalities": (["text"],),
    "n": (1,),
    "repetition_penalty": (1,),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "top_logprobs": (0,),
    "verbosity": ("medium",),
}
"""Values that say what happens anyway: to leave them out is no change."""
OURS = ("stream_options",)
"""Answered by the gateway itself: usage always comes."""
SPELLING = {"top_p": "p", "top_k": "k", "stop": "stop_sequences"}
"""OpenAI's name, and Cohere's for the same."""
UNREADABLE = (LookupError, TypeError, AttributeError, RecursionError, msgspec.MsgspecError)
"""What values of the wrong shape come to."""
NO_CHOICE = re.compile(r"(?:.*/)?(?:command(?:$|-light|-nightly|-r(?!7b))|.*aya)")
"""tool_choice is known to command-r7b and what came after it."""


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
"""Outside of these the answer is 400 (docs.cohere.com/reference/errors)."""
BUDGETS = {"minimal": 512, "low": 2048, "medium": 8192}
"""Tokens for an effort. More than that is no limit, which is what Cohere advises
(docs.cohere.com/docs/reasoning)."""


def adapt(request: ChatRequest) -> Adapted:
    """The request as this model can take it, and what was changed. Raises RequestError for what
    cannot be read as a request in OpenAI's format."""
    try:
        messages_of(request)
        draft = RequestDraft(request)
        for step in (_leave_out, _bound, _limit, _spell, _choose, _format, _think):
            step(draft)
        for name, reason in sorted(set(losses(request))):
            draft.note("dropped", name, reason)
    except UNREADABLE as exc:
        raise RequestError(f"This is no request in OpenAI's chat format: {exc}.") from exc
    return replace(request, parameters=draft.parameters), visible_to_caller(
        request, draft.transformations
    )


def _leave_out(draft: RequestDraft) -> None:
    for name in OURS:
        draft.take(name)
    for name, values in ASKS_FOR_NOTHING.items():
        if name in draft and draft.value(name) in values:
            draft.take(name)
    for name in DROPPED:
        if draft.take(name) is not None:
            draft.note("dropped", name, ABSENT)


def _bound(draft: RequestDraft) -> None:
    limit = draft.take("max_completion_tokens")
    if limit is not None:
        draft.put("max_tokens", limit)
        draft.note("renamed", "max_completion_tokens", "it is max_tokens there")


def _limit(draft: RequestDraft) -> None:
    for name, allowed in RANGES.items():
        value = draft.value(name)
        if isinstance(value, int | float):
            nearest = min(max(value, allowed.low), allowed.high)
            if nearest != value:
                draft.put(name, nearest)
                draft.note("clamped", name, f"{nearest} is the nearest to {value} there")


def _spell(draft: RequestDraft) -> None:
    stop = draft.value("stop")
    if isinstance(stop, str):
        draft.put("stop", [stop])
    for name, other in SPELLING.items():
        if name in draft:
            draft.note("renamed", name, f"it is {other} there")


def _choose(draft: RequestDraft) -> None:
    choice = equip(draft)
    if "tools" not in draft:
        return
    _be_strict(draft)
    if choice.mode == "auto":
        return
    if NO_CHOICE.match(draft.model):
        draft.note("dropped", "tool_choice", f"{draft.model} does not take it")
    else:
        draft.put("tool_choice", choice.mode.upper())


def _be_strict(draft: RequestDraft) -> None:
    """Strictness is of all tools or of none there."""
    tools = draft.value("tools")
    strict = [tool["function"].pop("strict", False) for tool in tools]
    draft.put("tools", tools)
    if any(strict):
        draft.put("strict_tools", draft.value("strict_tools") is not False)
        draft.note("renamed", "tools[].function.strict", "it is strict_tools there, for all tools")


def _format(draft: RequestDraft) -> None:
    wanted = draft.take("response_format")
    if wanted is None or wanted["type"] == "text":
        return
    given = wanted.get("json_schema") or {}
    is_openai = wanted["type"] == "json_schema"
    schema = given.get("schema") if is_openai else given  # Cohere's own is the schema itself
    made = {"type": "json_object"}
    draft.put("response_format", {**made, "json_schema": schema} if schema else made)
    if is_openai and given.get("description"):
        reason = "the schema stands alone there"
        draft.note("dropped", "response_format.json_schema.description", reason)


def _think(draft: RequestDraft) -> None:
    effort, reasoning = draft.take("reasoning_effort"), draft.take("reasoning") or {}
    native = draft.take("thinking")
    named = "reasoning_effort" if effort is not None else "reasoning"
    effort = effort or reasoning.get("effort")
    budget = reasoning.get("max_tokens")
    if effort is None and budget is None and reasoning.get("enabled") is False:
        effort = "none"
    if native is not None:
        named, wanted = "thinking", _native(draft, native)
    elif effort is not None or budget is not None:
        wanted = _wanted(draft, named, effort, budget)
    else:
        return
    if reasons(draft.model):
        draft.put("thinking", wanted)
    elif wanted["type"] != "disabled":
        draft.note("dropped", named, f"{draft.model} does not reason")


def _native(draft: RequestDraft, given: dict[str, Any]) -> dict[str, Any]:
    """Cohere's own, or Anthropic's, which calls the budget otherwise."""
    wanted = {"type": "enabled", **given}
    budget = wanted.pop("budget_tokens", None)
    if budget is not None:
        wanted["token_budget"] = budget
        draft.note("renamed", "thinking.budget_tokens", "it is thinking.token_budget there")
    return wanted


def _wanted(
    draft: RequestDraft, named: str, effort: str | None, budget: int | None
) -> dict[str, Any]:
    if effort == "none":
        draft.note("renamed", named, "it is thinking there: disabled")
        return {"type": "disabled"}
    tokens = BUDGETS.get(effort or "") if budget is None else budget
    if tokens is None:
        draft.note("emulated", named, "it is thinking there, with no limit")
        return {"type": "enabled"}
    draft.note("emulated", named, f"it is thinking there, of at most {tokens} tokens")
    return {"type": "enabled", "token_budget": tokens}
