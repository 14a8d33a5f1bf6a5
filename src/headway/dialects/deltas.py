"""Events as the ``choices`` of an OpenAI ``chat.completion.chunk``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headway.types import (
    Event,
    Extra,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Text,
    ToolArguments,
    ToolStarted,
)


def _text(event: Text) -> dict[str, Any]:
    return {"content": event.text}


def _reasoning(event: Reasoning) -> dict[str, Any]:
    return {"reasoning_content": event.text}


def _refusal(event: Refusal) -> dict[str, Any]:
    return {"refusal": event.text}


def _tool(event: ToolStarted) -> dict[str, Any]:
    function = {"name": event.name, "arguments": ""}
    if event.legacy:
        return {"function_call": function}
    call = {"index": event.tool, "id": event.id, "type": "function", "function": function}
    return {"tool_calls": [call]}


def _arguments(event: ToolArguments) -> dict[str, Any]:
    return {"tool_calls": [{"index": event.tool, "function": {"arguments": event.text}}]}


def _detail(event: ReasoningDetail) -> dict[str, Any]:
    return {"reasoning_details": [event.value]}


def _extra(event: Extra) -> dict[str, Any]:
    return dict(event.fields)


DELTAS: dict[type, Callable[[Any], dict[str, Any]]] = {
    Text: _text,
    Reasoning: _reasoning,
    Refusal: _refusal,
    ToolStarted: _tool,
    ToolArguments: _arguments,
    ReasoningDetail: _detail,
    Extra: _extra,
}


def choices(events: list[Event]) -> list[dict[str, Any]]:
    """One entry a choice that the events speak of, in the order in which they do; no finish."""
    found: dict[int, dict[str, Any]] = {}
    for event in events:
        shape = DELTAS.get(type(event))
        if shape is None and type(event) is not Logprobs:
            continue
        index: int = event.index  # type: ignore[union-attr]
        choice = found.setdefault(
            index, {"index": index, "delta": {}, "logprobs": None, "finish_reason": None}
        )
        if shape is None:
            choice["logprobs"] = event.value  # type: ignore[union-attr]
        else:
            _join(choice["delta"], shape(event))
    return list(found.values())


def _join(delta: dict[str, Any], more: dict[str, Any]) -> None:
    """Two events of one frame may speak of the same field: text joins text, calls follow calls."""
    for name, value in more.items():
        old = delta.get(name)
        delta[name] = old + value if isinstance(value, str | list) and old else value


def said(events: list[Event]) -> str:
    """The text of the first choice in these events: for a tool call, its arguments."""
    return "".join(
        event.text
        for event in events
        if isinstance(event, Text | ToolArguments | Refusal) and event.index == 0
    )
