"""What Ollama takes otherwise than OpenAI (docs.ollama.com/api/chat; its own translation from
OpenAI's wire is openai/openai.go).

``adapt`` leaves OpenAI's names where only the place and the spelling differ: the encoder knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.base import Adapted
from headway.providers.chat_messages import messages_of
from headway.providers.function_tools import equip
from headway.providers.ollama.messages import conversation, losses
from headway.providers.request_draft import RequestDraft
from headway.providers.transformations import visible_to_caller
from headway.types import ChatRequest

ABSENT = "Ollama has no such parameter"
DROPPED = (
    "audio", "logit_bias", "metadata", "modalities", "n", "prediction", "prompt_cache_key",
    "prompt_cache_retention", "safety_identifier", "service_tier", "store", "top_a", "user",
    "verbosity", "web_search_options",
)  # fmt: skip
ASKS_FOR_NOTHING: Mapping[str, tuple[Any, ...]] = {
    "modalities": (["text"],),
    "n": (1,),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "verbosity": ("medium",),
}
"""Values that say what happens anyway: to leave them out is no change."""
OURS = ("stream_options",)
"""Answered by the gateway itself: usage always comes."""
OPTIONS = {
    "max_completion_tokens": "num_predict",
    "frequency_penalty": "frequency_penalty",
    "max_tokens": "num_predict",
    "min_p": "min_p",
    "presence_penalty": "presence_penalty",
    "repetition_penalty": "repeat_penalty",
    "seed": "seed",
    "stop": "stop",
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
}
"""What stands in ``options`` there, and its name."""
OWN_OPTIONS = (
    "draft_num_predict", "main_gpu", "mirostat", "mirostat_eta", "mirostat_tau", "num_batch",
    "num_ctx", "num_gpu", "num_keep", "num_predict", "num_thread", "penalize_newline",
    "repeat_last_n", "repeat_penalty", "tfs_z", "typical_p", "use_mmap",
)  # fmt: skip
"""Ollama's own, which may be given beside the others (api/types.go, Options)."""
THINK = {"none": False, "minimal": "low", "xhigh": "max", "ultra": "max"}
"""Efforts that go by another word; low, medium, high and max are Ollama's too."""
UNREADABLE = (LookupError, TypeError, AttributeError, RecursionError, msgspec.MsgspecError)
"""What values of the wrong shape come to."""


def adapt(request: ChatRequest) -> Adapted:
    """The request as Ollama can take it, and what was changed. Raises RequestError for what cannot
    be read as a request in OpenAI's format, or holds what Ollama cannot be given."""
    try:
        messages_of(request)
        conversation(request.messages)
        draft = RequestDraft(request)
        for step in (_leave_out, _bound, _choose, _think, _spell):
            step(draft)
        for action, name, reason in sorted(set(losses(request.messages))):
            draft.note("emulated" if action == "emulated" else "dropped", name, reason)
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
    if "max_completion_tokens" in draft:
        draft.take("max_tokens")


def _choose(draft: RequestDraft) -> None:
    """There is no choice of a tool: what can be done is to offer none, or only some."""
    mode = equip(draft).mode
    if "tools" not in draft:
        return
    _be_lenient(draft)
    if mode == "auto":
        return
    if mode == "none":
        draft.take("tools")
        draft.note("emulated", "tool_choice", "the tools are not sent")
    else:
        draft.note("dropped", "tool_choice", "whether it calls a tool is the model's own choice")


def _be_lenient(draft: RequestDraft) -> None:
    tools = draft.value("tools")
    strict = [tool["function"].pop("strict", False) for tool in tools]
    draft.put("tools", tools)
    if any(strict):
        draft.note("dropped", "tools[].function.strict", "arguments are not held to the schema")


def _think(draft: RequestDraft) -> None:
    effort, reasoning = draft.take("reasoning_effort"), draft.take("reasoning") or {}
    native = draft.take("thinking") or {}
    named = "reasoning" if effort is None else "reasoning_effort"
    effort = effort or reasoning.get("effort")
    if reasoning.get("max_tokens") or native.get("budget_tokens"):
        draft.note("dropped", "thinking" if native else named, "thought has no budget there")
    if "think" in draft:
        return
    if effort is not None:
        _set(draft, named, THINK.get(effort, effort))
    elif native:
        _set(draft, "thinking", native.get("type") != "disabled")
    elif reasoning:
        _set(draft, named, reasoning.get("enabled") is not False)


def _set(draft: RequestDraft, named: str, value: Any) -> None:
    draft.put("think", value)
    shown = value if isinstance(value, str) else str(value).lower()
    draft.note("renamed", named, f"it is think there: {shown}")


def _spell(draft: RequestDraft) -> None:
    stop = draft.value("stop")
    if isinstance(stop, str):
        draft.put("stop", [stop])
    for name, other in OPTIONS.items():
        if name in draft and name != other:
            draft.note("renamed", name, f"it is options.{other} there")
