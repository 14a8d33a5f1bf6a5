"""Requests that were converted from another wire format, without what OpenAI refuses as unknown
(platform.openai.com/docs/api-reference/chat/create). A client of OpenAI's own format is told that
by OpenAI itself."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.converted_messages import drop_all_details, fit_media
from headway.providers.openai.models import is_reasoning_model, samples_without_effort
from headway.providers.openai.parameters import adapt as adapt_parameters
from headway.providers.parameter_rules import value_in
from headway.providers.request_draft import has_any
from headway.providers.transformations import ONLY_ITS_PROVIDER, clamped, dropped, emulated, renamed
from headway.types import ChatRequest, Transformation

UNSUPPORTED = "unsupported by OpenAI"
NO_MARKERS = f"{UNSUPPORTED}, which caches automatically"
DROPPED = {
    **dict.fromkeys(
        ("citations", "content_blocks", "context", "is_error", "reasoning_content"), UNSUPPORTED
    ),
    "cache_control": NO_MARKERS,
    "reasoning_details": ONLY_ITS_PROVIDER,
}
"""Fields of messages, of parts of their contents and of calls -> the reason."""
MARKERS = tuple(f'"{name}"'.encode() for name in DROPPED)
LISTS = ("content", "tool_calls")
FOREIGN_SAMPLING = ("top_k", "min_p", "repetition_penalty")
"""Parameters of other formats that OpenAI refuses as unknown."""
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
BUDGETS = {"low": 2048, "medium": 8192}
"""The largest budget, in tokens, that is an effort; there is no official table."""

_encode = msgspec.json.Encoder().encode
_objects = msgspec.json.Decoder(list[dict[str, Raw]]).decode


def adapt(request: ChatRequest) -> Adapted:
    """OpenAI's ``adapt``, for requests of either origin."""
    fitted, first = _fit_converted(request) if request.is_converted else drop_all_details(request)
    adapted, then = adapt_parameters(fitted)
    return adapted, first + then


def _fit_converted(request: ChatRequest) -> Adapted:
    request, first = fit_media(request)
    request, then = _fit_messages(request)
    parameters = dict(request.parameters)
    more = [*_fit_objects(parameters), *_fit_reasoning(request.model, parameters)]
    foreign = [name for name in FOREIGN_SAMPLING if parameters.pop(name, None) is not None]
    more += [dropped(name, UNSUPPORTED) for name in foreign]
    if "search" not in request.model and parameters.pop("web_search_options", None) is not None:
        more.append(dropped("web_search_options", f"unsupported by {request.model}"))
    return replace(request, parameters=parameters), (*first, *then, *more)


def _fit_messages(request: ChatRequest) -> Adapted:
    if not has_any(request.messages, MARKERS):
        return request, ()
    noted: dict[Transformation, None] = {}
    messages = [
        _without_dropped(message, "messages[]", noted) for message in _objects(request.messages)
    ]
    return replace(request, messages=Raw(_encode(messages))), tuple(noted)


def _without_dropped(
    fields: dict[str, Raw], path: str, noted: dict[Transformation, None]
) -> dict[str, Raw]:
    kept: dict[str, Raw] = {}
    for name, raw in fields.items():
        if name in DROPPED:
            noted[dropped(f"{path}.{name}", DROPPED[name])] = None
        elif name in LISTS and bytes(raw).startswith(b"["):
            inner = [_without_dropped(one, f"{path}.{name}[]", noted) for one in _objects(raw)]
            kept[name] = Raw(_encode(inner))
        else:
            kept[name] = raw
    return kept


def _fit_objects(parameters: dict[str, Raw]) -> list[Transformation]:
    if b'"cache_control"' not in bytes(parameters.get("tools", b"")):
        return []
    tools = _objects(parameters["tools"])
    kept = [{k: v for k, v in tool.items() if k != "cache_control"} for tool in tools]
    if kept == tools:
        return []
    parameters["tools"] = Raw(_encode(kept))
    return [dropped("tools[].cache_control", NO_MARKERS)]


def _fit_reasoning(model: str, parameters: dict[str, Raw]) -> list[Transformation]:
    """``reasoning_effort`` of OpenRouter's ``reasoning``, with a value that OpenAI has."""
    asked, effort = value_in(parameters, "reasoning"), value_in(parameters, "reasoning_effort")
    parameters.pop("reasoning", None)
    if asked is None and effort is None:
        return []
    if not is_reasoning_model(model):
        parameters.pop("reasoning_effort", None)
        is_off = asked is not None and asked.get("enabled") is False
        name = "reasoning" if effort is None else "reasoning_effort"
        return [] if is_off else [dropped(name, f"unsupported by {model}")]
    sent, noted = _effort(model, asked or {}, effort)
    if sent is not None:
        parameters["reasoning_effort"] = Raw(_encode(sent))
    return noted


def _effort(
    model: str, asked: dict[str, Any], effort: str | None
) -> tuple[str | None, list[Transformation]]:
    given, budget = effort or asked.get("effort"), asked.get("max_tokens")
    if given is not None:
        if given in EFFORTS:
            return given, []
        return "high", [clamped("reasoning_effort", given, "high", "nearest supported")]
    if isinstance(budget, int):
        sent = next((name for name, limit in BUDGETS.items() if budget <= limit), "high")
        return sent, [renamed("reasoning.max_tokens", "reasoning_effort")]
    if asked.get("enabled") is not False:
        return None, []
    sent = "none" if samples_without_effort(model) else "low"
    return sent, [] if sent == "none" else [emulated("reasoning", f"as effort low for {model}")]
