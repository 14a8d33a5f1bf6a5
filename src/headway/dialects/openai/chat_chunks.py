"""Encode events as the ``choices`` of an OpenAI ``chat.completion.chunk``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headway.events import (
    Event,
    ExtraFields,
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
    function = {"arguments": event.text}
    if event.legacy:
        return {"function_call": function}
    return {"tool_calls": [{"index": event.tool, "function": function}]}


def _detail(event: ReasoningDetail) -> dict[str, Any]:
    return {"reasoning_details": [event.value]}


def _extra(event: ExtraFields) -> dict[str, Any]:
    return dict(event.fields)


DELTAS: dict[type, Callable[[Any], dict[str, Any]]] = {
    Text: _text,
    Reasoning: _reasoning,
    Refusal: _refusal,
    ToolStarted: _tool,
    ToolArguments: _arguments,
    ReasoningDetail: _detail,
    ExtraFields: _extra,
}


WITH_LISTS = frozenset({ReasoningDetail, ExtraFields})
Counts = dict[tuple[int, str], int]
"""(choice, field) -> how many entries of a list were sent."""


def encode_choices(events: list[Event], counts: Counts | None = None) -> list[dict[str, Any]]:
    """One entry for each choice that the events belong to, in order; without finish reasons.
    ``counts`` is kept from chunk to chunk of a stream, whose lists are then numbered."""
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
            continue
        fields = shape(event)
        if counts is not None and type(event) in WITH_LISTS:
            fields = {
                name: _numbered(value, (index, name), counts) for name, value in fields.items()
            }
        _merge(choice["delta"], fields)
    return list(found.values())


def _numbered(value: Any, key: tuple[int, str], counts: Counts) -> Any:
    """A list whose objects have the ``index`` by which OpenAI's clients join what arrives in
    several chunks (openai-python, lib/streaming/_deltas.py); one with another meaning becomes
    ``output_index``."""
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        return value
    start = counts.get(key, 0)
    counts[key] = start + len(value)
    return [_with_index(entry, number) for number, entry in enumerate(value, start)]


def _with_index(entry: Mapping[str, Any], number: int) -> dict[str, Any]:
    given = entry.get("index", number)
    kept = {} if given == number else {"output_index": given}
    return {**entry, **kept, "index": number}


CONCATENATED = frozenset(
    {"content", "reasoning_content", "refusal", "arguments", "data", "transcript"}
)
"""Fields whose pieces are concatenated; of any other field the last value is kept."""


def _merge(delta: dict[str, Any], more: dict[str, Any]) -> None:
    """Merge ``more`` into ``delta``: two events of one frame may set the same field."""
    for name, value in more.items():
        delta[name] = _merged_value(name, delta[name], value) if name in delta else value


def _merged_value(name: str, old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        merged = dict(old)
        _merge(merged, new)
        return merged
    if isinstance(old, list) and isinstance(new, list):
        return _merge_calls(old, new) if name == "tool_calls" else [*old, *new]
    return old + new if name in CONCATENATED and isinstance(old, str) else new


def _merge_calls(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A tool call and its arguments become one entry, as a provider writes it."""
    by_index = {call["index"]: call for call in old}
    for call in new:
        index = call["index"]
        by_index[index] = _merged_value("", by_index.get(index, {}), call)
    return list(by_index.values())


def output_text(events: list[Event]) -> str:
    """The output text of the first choice in these events: content, refusal or tool arguments."""
    return "".join(
        event.text
        for event in events
        if isinstance(event, Text | ToolArguments | Refusal) and event.index == 0
    )
