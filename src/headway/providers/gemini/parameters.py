"""What Google's generateContent takes otherwise than OpenAI's chat, by tables and by the model.

``adapt`` leaves OpenAI's messages as they are, and of the parameters those that can be carried:
under OpenAI's names where only the spelling differs (the encoder knows it), under Google's where
the value was made anew (``thinkingConfig``, ``serviceTier``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.base import Adapted
from headway.providers.chat_messages import ImageUrl, Message, messages_of
from headway.providers.gemini.json_schema import Cleaner
from headway.providers.gemini.media import READERS
from headway.providers.gemini.messages import (
    SYSTEM,
    TOOL,
    current_turn,
    has_thoughts,
    lacks_signature,
    stands_inside,
)
from headway.providers.gemini.models import (
    checks_signatures,
    sees_tool_media,
    takes_json_schema,
)
from headway.providers.gemini.reasoning import think
from headway.providers.request_draft import RequestDraft
from headway.providers.transformations import visible_to_caller
from headway.types import ChatRequest

ABSENT = "generateContent has no such parameter"
DROPPED = (
    "logit_bias", "metadata", "min_p", "prediction", "prompt_cache_key", "prompt_cache_retention",
    "repetition_penalty", "safety_identifier", "top_a", "user", "verbosity",
)  # fmt: skip
ASKS_FOR_NOTHING: Mapping[str, tuple[Any, ...]] = {
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
"""Values that say what happens anyway: to leave them out is no change."""
OURS = ("stream_options",)
"""Answered by the gateway itself: usage always comes."""
TIERS = {"default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"}
SERVER_TOOLS: Mapping[str, str] = {
    "code_execution": "codeExecution",
    "code_interpreter": "codeExecution",
    "google_search": "googleSearch",
    "url_context": "urlContext",
    "web_search": "googleSearch",
    "web_search_preview": "googleSearch",
}
"""Types of tools that run on the provider's side, and who does the same at Google."""
UNREADABLE = (LookupError, TypeError, AttributeError, RecursionError, msgspec.MsgspecError)
"""What values of the wrong shape come to: tools that are no list, schemas without a floor."""

# "Penalty is not enabled for this model", which both services answer with 400.
STUDIO_PENALTIES = re.compile(r"gemini-(?:1|2\.0)|tunedModels/")
VERTEX_PENALTIES = re.compile(r"^(?!.*gemini-(?:[3-9]|[\w-]+-latest))")


class Service(Struct, frozen=True, kw_only=True):
    """Where AI Studio and Vertex AI part."""

    penalties: re.Pattern[str]
    """The models that take penalties."""
    stores: bool
    """Whether it knows ``store``."""


STUDIO = Service(penalties=STUDIO_PENALTIES, stores=True)
VERTEX = Service(penalties=VERTEX_PENALTIES, stores=False)


def adapt(service: Service, request: ChatRequest) -> Adapted:
    """The request as this model can take it, and what was changed. Raises RequestError for what
    cannot be read as a request in OpenAI's format."""
    try:
        draft = RequestDraft(request)
        _leave_out(draft, service)
        for step in STEPS:
            step(draft)
        _look_at(messages_of(request), draft)
    except UNREADABLE as exc:
        raise RequestError(f"This is no request in OpenAI's chat format: {exc}.") from exc
    return replace(request, parameters=draft.parameters), visible_to_caller(
        request, draft.transformations
    )


def _leave_out(draft: RequestDraft, service: Service) -> None:
    for name in OURS:
        draft.take(name)
    for name, values in ASKS_FOR_NOTHING.items():
        if name in draft and draft.value(name) in values:
            draft.take(name)
    for name in DROPPED:
        if draft.take(name) is not None:
            draft.note("dropped", name, ABSENT)
    if not service.penalties.search(draft.model):
        for name in ("frequency_penalty", "presence_penalty"):
            if draft.take(name) is not None:
                draft.note("dropped", name, f"{draft.model} does not take it")
    if not service.stores and draft.take("store") is not None:
        draft.note("dropped", "store", "it is not known to Vertex AI")
    if draft.take("parallel_tool_calls") is not None:
        draft.note("dropped", "parallel_tool_calls", "the model may always call several at once")


# --- Parameters, one at a time --------------------------------------------------------------------


def _tier(draft: RequestDraft) -> None:
    given = draft.take("service_tier")
    if given is None:
        return
    tier = TIERS.get(given)
    if tier is None:
        draft.note("dropped", "service_tier", f"there is no tier {given}")
        return
    draft.put("serviceTier", tier)


def _limits(draft: RequestDraft) -> None:
    """The newer of two names for the same wins."""
    if "max_completion_tokens" in draft and draft.take("max_tokens") is not None:
        draft.note("dropped", "max_tokens", "max_completion_tokens is given, too")


def _sound(draft: RequestDraft) -> None:
    audio = draft.value("audio")
    if audio is not None and audio.get("format") not in (None, "pcm16"):
        draft.note("dropped", "audio", "the format is always 16 bit PCM, 24 kHz")


def _functions(draft: RequestDraft) -> None:
    """OpenAI's deprecated words for tools."""
    functions, call = draft.take("functions"), draft.take("function_call")
    if functions is not None and "tools" not in draft:
        draft.put("tools", [{"type": "function", "function": spec} for spec in functions])
        draft.note("renamed", "functions", "they are tools there")
    if call is not None and "tool_choice" not in draft:
        named = isinstance(call, dict)
        draft.put("tool_choice", {"type": "function", "function": call} if named else call)
        draft.note("renamed", "function_call", "it is the choice of a tool there")


def _search(draft: RequestDraft) -> None:
    """OpenAI's search is Google's: what narrows it has no word there."""
    options = draft.take("web_search_options")
    if options is not None:
        draft.put("tools", [*(draft.value("tools") or ()), {"googleSearch": {}}])
        draft.note("emulated", "web_search_options", "Google Search grounds the answer")


def _tools(draft: RequestDraft) -> None:
    tools = draft.value("tools")
    if tools is None:
        return
    taken = [fit for tool in tools if (fit := _fit(tool, draft)) is not None]
    draft.put("tools", taken)


def _fit(tool: dict[str, Any], draft: RequestDraft) -> dict[str, Any] | None:
    if "cache_control" in tool:
        tool = {name: value for name, value in tool.items() if name != "cache_control"}
        draft.note("dropped", "tools", MARKERS)
    if "function" in tool:
        return _fit_function(tool, draft)
    kind = tool.get("type")
    if kind is None:
        return tool  # Google's own
    if kind not in SERVER_TOOLS:
        draft.note("dropped", "tools", f"there is no tool of type {kind}")
        return None
    if kind != _snake(SERVER_TOOLS[kind]):
        draft.note("emulated", "tools", f"{kind} is {SERVER_TOOLS[kind]} there")
    return {SERVER_TOOLS[kind]: {}}


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name)


def _fit_function(tool: dict[str, Any], draft: RequestDraft) -> dict[str, Any]:
    spec = dict(tool["function"])
    if spec.pop("strict", None):
        draft.note("dropped", "tools", f"{spec['name']}: strict has no word there")
    if spec.get("parameters") and not takes_json_schema(draft.model):
        spec["parameters"] = _clean(spec["parameters"], "tools", spec["name"], draft)
    return {**tool, "function": spec}


def _format(draft: RequestDraft) -> None:
    wanted = draft.value("response_format")
    described = (wanted or {}).get("json_schema") or {}
    if described.get("schema") is None:
        return
    schema = described["schema"]
    if described.get("description"):
        schema = {"description": described["description"], **schema}
    if not takes_json_schema(draft.model):
        schema = _clean(schema, "response_format", "schema", draft)
    draft.put("response_format", {**wanted, "json_schema": {**described, "schema": schema}})


def _clean(
    schema: dict[str, Any], parameter: str, name: str, draft: RequestDraft
) -> dict[str, Any]:
    cleaner = Cleaner(schema)
    cleaned = cleaner.clean(schema)
    if cleaner.lost:
        words = ", ".join(sorted(cleaner.lost))
        draft.note("dropped", parameter, f"{name}: {draft.model} takes no {words}")
    return cleaned


STEPS: tuple[Callable[[RequestDraft], None], ...] = (
    _tier,
    _limits,
    _sound,
    _functions,
    _search,
    _tools,
    _format,
    think,
)


# --- Messages -------------------------------------------------------------------------------------

Action = Literal["dropped", "emulated"]
MARKERS = "there are no caching markers; caching is implicit"


def _look_at(messages: list[Message], draft: RequestDraft) -> None:
    """What of the messages the encoder carries otherwise or not at all, each said once."""
    found = [
        *(loss for message in messages for loss in _losses(message)),
        *_moves(messages),
        *_makeshifts(messages, draft.model),
    ]
    for action, reason in dict.fromkeys(found):
        draft.note(action, "messages", reason)


def _losses(message: Message) -> Iterator[tuple[Action, str]]:
    if message.cache_control is not None or any(part.cache_control for part in message.parts):
        yield "dropped", MARKERS
    if message.name is not None and message.role not in TOOL:
        yield "dropped", "a name has no place in a message"
    if message.reasoning_content and not has_thoughts(message):
        yield "dropped", "reasoning that Google did not sign cannot be sent back"
    for part in message.parts:
        if part.type not in READERS:
            yield "dropped", f"there is no part of type {part.type}"
        if isinstance(part.image_url, ImageUrl) and part.image_url.detail not in (None, "auto"):
            yield "dropped", "an image has no detail; mediaResolution is for all of them"


def _moves(messages: list[Message]) -> Iterator[tuple[Action, str]]:
    roles = [message.role in SYSTEM for message in messages]
    if sorted(roles, reverse=True) != roles:
        yield "emulated", "system messages stand before all others"


def _makeshifts(messages: list[Message], model: str) -> Iterator[tuple[Action, str]]:
    turn = messages[current_turn(messages) :]
    if checks_signatures(model) and any(lacks_signature(message) for message in turn):
        yield "emulated", "a tool call without a thought signature of Google's goes unchecked"
    for message in messages:
        if message.role in TOOL and not stands_inside(message, sees_tool_media(model)):
            yield "emulated", "media of a tool's result stand behind it"
