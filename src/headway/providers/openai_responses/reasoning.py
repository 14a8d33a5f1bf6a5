"""The Responses API's ``reasoning``, from the parameters of chat completions and of other vendors,
and what a request asks for by configuration (platform.openai.com/docs/guides/reasoning)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headway.providers.openai_responses.models import rejects_reasoning
from headway.providers.request_draft import RequestDraft
from headway.types import ChatRequest

EFFORT_BY_BUDGET = ((2048, "low"), (8192, "medium"))
"""(largest budget in tokens, effort); a larger budget is "high". OpenAI has no such table."""
ENCRYPTED = "reasoning.encrypted_content"
"""In ``include``: asks for reasoning in the form in which it can be sent back."""

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_decode_strings = msgspec.json.Decoder(list[str]).decode


def convert_reasoning(draft: RequestDraft) -> None:
    """Set ``reasoning`` from ``reasoning_effort``, from OpenRouter's ``reasoning`` (enabled,
    max_tokens, exclude) or from Anthropic's ``thinking``."""
    thinking, effort = draft.take("thinking") or {}, draft.take("reasoning_effort")
    reasoning = draft.take("reasoning") or {}
    name = "reasoning_effort" if effort else "reasoning" if reasoning else "thinking"
    budget = reasoning.pop("max_tokens", None) or thinking.get("budget_tokens")
    is_off = reasoning.pop("enabled", None) is False or thinking.get("type") == "disabled"
    if reasoning.pop("exclude", False):
        reasoning.pop("summary", None)
    if effort is not None:
        reasoning["effort"] = effort
    if is_off:
        reasoning["effort"] = "none"
    elif budget is not None:
        given_effort = reasoning.setdefault("effort", _effort_for(budget))
        draft.note_emulated(name, f"as effort {given_effort}")
    if not reasoning:
        return
    if not rejects_reasoning(draft.model):
        draft.put("reasoning", reasoning)
    elif reasoning.get("effort") != "none":
        draft.note_dropped(name, f"unsupported by {draft.model}")


def _effort_for(budget: int) -> str:
    return next((effort for largest, effort in EFFORT_BY_BUDGET if budget <= largest), "high")


def reasoning_with_summary(
    request: ChatRequest, options: Mapping[str, Any], is_reasoning_model: bool
) -> dict[str, Any] | None:
    """``reasoning`` with the summary that the option ``reasoning_summary`` asks for. None: the
    request keeps what it has, because there is no such option or the model may not reason."""
    given = request.parameters.get("reasoning")
    summary = options.get("reasoning_summary")
    if summary is None or (given is None and not is_reasoning_model):
        return None
    return {"summary": summary, **({} if given is None else _decode_object(given))}


def include_encrypted(
    request: ChatRequest, options: Mapping[str, Any], is_reasoning_model: bool
) -> list[str] | None:
    """``include`` with ``ENCRYPTED``. None: it is not asked for. Models that do not reason reject
    it, so by default an unknown model is asked only if the request asks for reasoning."""
    wanted = options.get("encrypted_reasoning")
    if wanted is None:
        wanted = "reasoning" in request.parameters or is_reasoning_model
    if not wanted:
        return None
    given = request.parameters.get("include")
    names = [] if given is None else _decode_strings(given)
    return names if ENCRYPTED in names else [*names, ENCRYPTED]
