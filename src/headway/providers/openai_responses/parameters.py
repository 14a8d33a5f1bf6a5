"""What the Responses API takes otherwise than chat completions, by tables and by the model.

``adapt`` leaves a request whose parameters are the Responses API's, values too, and whose messages
are still chat's.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.base import Adapted
from headway.providers.openai import parameters as openai_parameters
from headway.providers.openai_responses.output_items import FORMAT
from headway.providers.openai_responses.tools import (
    flat_choice,
    flat_format,
    flat_tool,
    search_tool,
)
from headway.providers.parameter_rules import Limits, limit
from headway.providers.request_draft import RequestDraft
from headway.providers.transformations import visible_to_caller
from headway.types import NO_RAW, ChatRequest

ABSENT = "the Responses API has no such parameter"
LIMITS = Limits(
    dropped=dict.fromkeys(
        (
            "audio", "frequency_penalty", "logit_bias", "min_p", "modalities", "n", "prediction",
            "presence_penalty", "repetition_penalty", "seed", "stop", "top_k",
        ),
        ABSENT,
    )
)  # fmt: skip
ASKS_FOR_NOTHING: dict[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "repetition_penalty": (1,),
    "min_p": (0,),
    "logit_bias": ({},),
    "n": (1,),
    "stop": ([],),
    "logprobs": (False,),
    "modalities": (["text"],),
}
"""Values that say what happens anyway: to leave them out is no change."""
LEAST_LIMIT = 16
"""Of ``max_output_tokens``: less is refused (integer_below_min_value)."""
LOGPROBS = "message.output_text.logprobs"
UNREASONING = re.compile(r"(?:.*/)?(?:ft:)?(?:gpt-[34]|chatgpt-|gpt-5.*chat)")
"""OpenAI's models that refuse ``reasoning``; others may or may not reason."""
EFFORTS = ((2048, "low"), (8192, "medium"))
"""Up to so many tokens of budget, this effort; there is no official table."""
UNREADABLE = (LookupError, TypeError, AttributeError, msgspec.MsgspecError)

_encode = msgspec.json.Encoder().encode
_any = msgspec.json.Decoder().decode


class ResponsesDraft(RequestDraft):
    """A draft with what only this API's nested parameters need."""

    def extend(self, name: str, fields: dict[str, Any]) -> None:
        """Set fields of an object; those that the caller set stay."""
        self.put(name, {**fields, **(self.take(name) or {})})

    def append(self, name: str, *values: Any) -> None:
        given = self.take(name) or []
        self.put(name, [*given, *(value for value in values if value not in given)])


def adapt(request: ChatRequest) -> Adapted:
    """The request in parameters of this API's, and what was changed. Raises RequestError for what
    cannot be read as a request in OpenAI's chat format."""
    try:
        return _adapted(request)
    except UNREADABLE as exc:
        raise RequestError(f"This is no request in OpenAI's chat format: {exc}.") from exc


def _adapted(request: ChatRequest) -> Adapted:
    limited, early = limit(_without_void(request), LIMITS)
    draft = ResponsesDraft(limited, early)
    for step in (_equip, _choose, _search, _format, _bound, _sample, _reason, _measure, _stream):
        step(draft)
    if not request.stream and draft.take("background"):
        draft.note("dropped", "background", "an answer is waited for here")
    for reason in _losses(request.messages):
        draft.note("dropped", "messages", reason)
    return replace(limited, parameters=draft.parameters), visible_to_caller(
        request, draft.transformations
    )


def _without_void(request: ChatRequest) -> ChatRequest:
    kept = {
        name: raw
        for name, raw in request.parameters.items()
        if name not in ASKS_FOR_NOTHING or _any(raw) not in ASKS_FOR_NOTHING[name]
    }
    return replace(request, parameters=kept)


# --- Parameters, one at a time --------------------------------------------------------------------


def _equip(draft: ResponsesDraft) -> None:
    tools, functions = draft.take("tools"), draft.take("functions")
    if functions is not None:
        tools = [*(tools or ()), *({"type": "function", "function": f} for f in functions)]
        draft.note("renamed", "functions", "they are tools there")
    if tools is None:
        return
    if any("cache_control" in tool for tool in tools):
        draft.note("dropped", "tools", "caching is automatic there, without cache_control")
    draft.put("tools", [flat_tool(tool) for tool in tools])


def _choose(draft: ResponsesDraft) -> None:
    choice, call = draft.take("tool_choice"), draft.take("function_call")
    if call is not None:
        choice = {"type": "function", "function": call} if isinstance(call, dict) else call
        draft.note("renamed", "function_call", "it is tool_choice there")
    if choice is not None:
        draft.put("tool_choice", flat_choice(choice))


def _search(draft: ResponsesDraft) -> None:
    options = draft.take("web_search_options")
    if options is not None:
        draft.append("tools", search_tool(options))
        draft.note("emulated", "web_search_options", "they are those of a tool, web_search")


def _format(draft: ResponsesDraft) -> None:
    wanted, verbosity = draft.take("response_format"), draft.take("verbosity")
    if wanted is not None and wanted.get("type") != "text":
        draft.extend("text", {"format": flat_format(wanted)})
    if verbosity is not None:
        draft.extend("text", {"verbosity": verbosity})


def _bound(draft: ResponsesDraft) -> None:
    short, given = draft.take("max_tokens"), draft.take("max_completion_tokens")
    name = "max_tokens" if given is None else "max_completion_tokens"
    bound = short if given is None else given
    if bound is None:
        return
    draft.note("renamed", name, "it is max_output_tokens there")
    if isinstance(bound, int) and bound < LEAST_LIMIT:
        draft.note("clamped", name, f"{LEAST_LIMIT} is the least there")
        bound = LEAST_LIMIT
    if "max_output_tokens" not in draft.parameters:
        draft.put("max_output_tokens", bound)


def _sample(draft: ResponsesDraft) -> None:
    """By the rules that chat completions have for OpenAI's models."""
    probe = ChatRequest(model=draft.model, messages=NO_RAW, parameters=draft.parameters)
    adapted, changes = openai_parameters.adapt(probe)
    draft.parameters = dict(adapted.parameters)
    draft.transformations += changes


def _reason(draft: ResponsesDraft) -> None:
    """``reasoning: {effort, summary}``, from every name that a caller may have for it."""
    native, effort = draft.take("thinking") or {}, draft.take("reasoning_effort")
    given = draft.take("reasoning") or {}
    name = "reasoning_effort" if effort else "reasoning" if given else "thinking"
    budget = given.pop("max_tokens", None) or native.get("budget_tokens")
    is_off = given.pop("enabled", None) is False or native.get("type") == "disabled"
    if given.pop("exclude", False):
        given.pop("summary", None)
    if effort is not None:
        given["effort"] = effort
    if is_off:
        given["effort"] = "none"
    elif budget is not None:
        level = given.setdefault("effort", _effort(budget))
        draft.note("emulated", name, f"there is no budget; the effort is {level}")
    if not given:
        return
    if UNREASONING.match(draft.model):
        if given.get("effort") != "none":
            draft.note("dropped", name, f"{draft.model} does not reason")
        return
    draft.put("reasoning", given)


def _effort(budget: int) -> str:
    return next((level for most, level in EFFORTS if budget <= most), "high")


def _measure(draft: ResponsesDraft) -> None:
    """``top_logprobs`` has the same name, and what it counts is to be included."""
    if draft.take("logprobs"):
        draft.append("include", LOGPROBS)


def _stream(draft: ResponsesDraft) -> None:
    """Usage always comes; ``include_obfuscation`` is known here too."""
    options = draft.take("stream_options") or {}
    options.pop("include_usage", None)
    if options:
        draft.put("stream_options", options)


# --- Messages, at a glance ------------------------------------------------------------------------


class Glimpse(Struct):
    """What of a message tells whether something of it will be lost; the rest is skipped."""

    role: str
    name: Raw = NO_RAW
    content: Raw = NO_RAW
    cache_control: Raw = NO_RAW
    is_error: bool | None = None
    reasoning_content: Raw = NO_RAW
    reasoning_details: Raw = NO_RAW


VOID = (b"", b"null", b'""', b"[]")
TOOLS = ("tool", "function")
REPLAYED = (b"reasoning.encrypted", b"reasoning.text")
_glimpses = msgspec.json.Decoder(list[Glimpse]).decode


def _losses(messages: Raw) -> list[str]:
    """Each once, in the order of the messages."""
    found: dict[str, None] = {}
    for glimpse in _glimpses(messages):
        for is_lost, reason in LOSSES:
            if is_lost(glimpse):
                found[reason] = None
    return list(found)


def _has_name(glimpse: Glimpse) -> bool:
    return glimpse.role not in TOOLS and bytes(glimpse.name) not in VOID


def _has_mark(glimpse: Glimpse) -> bool:
    content = bytes(glimpse.content)
    in_parts = content.startswith(b"[") and b'"cache_control"' in content
    return in_parts or bytes(glimpse.cache_control) not in VOID


def _has_thought(glimpse: Glimpse) -> bool:
    """A summary alone is not sent back either."""
    details = bytes(glimpse.reasoning_details)
    own = FORMAT.encode() in details and any(kind in details for kind in REPLAYED)
    return bytes(glimpse.reasoning_content) not in VOID and not own


def _has_error(glimpse: Glimpse) -> bool:
    return bool(glimpse.is_error)


LOSSES = (
    (_has_name, "speakers have no name there"),
    (_has_mark, "caching is automatic there, without cache_control"),
    (_has_thought, "reasoning that is not this API's own cannot be sent back"),
    (_has_error, "results are not marked as errors there"),
)
