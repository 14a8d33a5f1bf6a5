"""Values that vendors of OpenAI's wire have other words for, or none: mends that rows can name."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.chat_messages import value_of
from headway.providers.openai_compatible.request_transforms import Mend
from headway.types import ChatRequest, Transformation

_encode = msgspec.json.Encoder().encode


def _without(request: ChatRequest, *names: str) -> dict[str, Raw]:
    return {name: raw for name, raw in request.parameters.items() if name not in names}


def worded(name: str, words: Mapping[str, str]) -> Mend:
    """OpenAI's values of a parameter, by their own."""

    def mend(request: ChatRequest) -> Adapted:
        given = value_of(request, name)
        word = words.get(given) if isinstance(given, str) else None
        if word is None:
            return request, ()
        parameters = {**request.parameters, name: Raw(_encode(word))}
        change = Transformation("renamed", name, f"{given} is {word} there")
        return replace(request, parameters=parameters), (change,)

    return mend


def chooses_itself(request: ChatRequest) -> Adapted:
    """``tool_choice`` is ``auto`` and nothing else. ``none`` is a request without tools."""
    choice = value_of(request, "tool_choice")
    if choice is None or choice == "auto":
        return request, ()
    if choice != "none":
        change = Transformation(
            "dropped", "tool_choice", "the model always chooses for itself there"
        )
        return replace(request, parameters=_without(request, "tool_choice")), (change,)
    change = Transformation("emulated", "tool_choice", "the tools are left out")
    return replace(request, parameters=_without(request, "tool_choice", "tools")), (change,)


def counted_logprobs(request: ChatRequest) -> Adapted:
    """``logprobs`` is how many tokens are told at each place, where OpenAI's is yes or no beside
    ``top_logprobs``."""
    asked = value_of(request, "logprobs")
    if not isinstance(asked, bool):
        return request, ()
    parameters = _without(request, "logprobs", "top_logprobs")
    if not asked:
        return replace(request, parameters=parameters), ()
    count = value_of(request, "top_logprobs")
    parameters["logprobs"] = Raw(_encode(max(1, count) if isinstance(count, int) else 1))
    change = Transformation("renamed", "logprobs", "it is the number of tokens there")
    return replace(request, parameters=parameters), (change,)
