"""The output items of a response, from their beginning to their end.

The end of an item repeats all of it. Its events are what the deltas before it did not give:
annotations, the details of reasoning, and everything if there were no deltas. Items of types that
chat does not have (searches, code, images) are kept whole with their position, so that clients can
send them back; so are the positions and lengths (``output_messages``) of several messages, whose
texts chat joins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.events import (
    Event,
    ExtraFields,
    Reasoning,
    Refusal,
    Text,
)
from headway.providers.citations import url_citation
from headway.providers.logprobs import read_logprobs
from headway.providers.openai_responses.reasoning_items import to_details
from headway.providers.openai_responses.response_state import ItemState, ResponseState
from headway.providers.tool_calls import arguments_text
from headway.wire.lenient_json import Words, as_count, lenient_decoder


class OutputPart(Struct):
    """A part of a message, of reasoning or of its summary."""

    text: str | None = None
    refusal: Words | None = None
    annotations: list[dict[str, Any]] | None = None
    logprobs: list[dict[str, Any]] | None = None


class OutputItem(Struct):
    """The fields of messages, reasoning and calls that are read."""

    type: Words = ""
    id: str | None = None
    call_id: str | int | float | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: str | dict[str, Raw] | list[Any] | int | float | bool | None = None
    """Of a function call the JSON text; of OpenAI's own tools, which are kept unchanged, an
    object."""
    input: str | None = None
    content: list[OutputPart] | None = None
    summary: list[OutputPart] | None = None
    encrypted_content: str | None = None
    phase: str | None = None
    action: Any = None


FREE_ACTIONS = ("open_page", "find_in_page")
_decode_item = lenient_decoder(OutputItem)
_decode_any = msgspec.json.Decoder().decode


def open_item(index: int, raw: Raw, state: ResponseState) -> list[Event]:
    item = _read_item(raw)
    state.indexes[item.id or ""] = index
    is_call = item.type in CALL_TYPES and item.name
    return _read_call(item, state.item(index), state) if is_call else []


def _read_item(raw: Raw) -> OutputItem:
    """An item without a type where ``raw`` is no object."""
    if bytes(raw)[:1] != b"{":
        return OutputItem()
    item = _decode_item(raw)
    item.type = item.type or _type_of(item)
    return item


def _type_of(item: OutputItem) -> str:
    """The type of an item that does not tell it."""
    if item.arguments is not None:
        return "function_call"
    if item.summary is not None or item.encrypted_content is not None:
        return "reasoning"
    return "" if item.content is None else "message"


def close_item(index: int | None, raw: Raw, state: ResponseState) -> list[Event]:
    """``index`` is the position in the response's output, None where the event lacks it."""
    item = _read_item(raw)
    if index is None:
        index = state.indexes.get(item.id or "", 0)
    item_state = state.item(index)
    if not item.type:
        return []
    state.closed_items.add(index)
    close = CLOSERS.get(item.type)
    position = index - state.empty_items
    if close is None:
        _count_use(item, state)
        return [ExtraFields({"output_items": [{**_decode_any(raw), "index": position}]})]
    events = close(item, item_state, position, state)
    del state.open_items[index]
    return events


def _count_use(item: OutputItem, state: ResponseState) -> None:
    """Of the actions of a web search only ``search`` is charged
    (platform.openai.com/docs/guides/tools-web-search)."""
    tool, _, ending = item.type.rpartition("_")
    action = item.action if isinstance(item.action, dict) else {}
    if ending == "call" and action.get("type") not in FREE_ACTIONS:
        state.tool_uses[tool] = state.tool_uses.get(tool, 0) + 1


def _read_call(item: OutputItem, item_state: ItemState, state: ResponseState) -> list[Event]:
    """The events of the call's start and of its arguments, as far as they have arrived, each
    once. Raises ValueError for a call without a name."""
    events: list[Event] = []
    is_custom = item.type == "custom_tool_call"
    call = item_state.call
    if call is None:
        call_id = item.call_id or item.id
        call = item_state.call = state.calls.start(call_id, item.name, events, is_text=is_custom)
        if item.namespace is not None:
            events.append(ExtraFields({"tool_namespaces": {call.call_id: item.namespace}}))
        if item_state.early_arguments:
            call.add(item_state.early_arguments, events)
    text = item.input if is_custom else arguments_text(item.arguments)
    if text and not item_state.has_arguments:
        item_state.has_arguments = True
        call.add(text, events)
    return events


def _close_call(
    item: OutputItem, item_state: ItemState, position: int, state: ResponseState
) -> list[Event]:
    events = _read_call(item, item_state, state)
    if item_state.call is not None:
        item_state.call.close(events)
    return events


def _close_message(
    item: OutputItem, item_state: ItemState, position: int, state: ResponseState
) -> list[Event]:
    events: list[Event] = []
    parts = item.content or []
    state.empty_items += not any(part.text or part.refusal for part in parts)
    annotations: list[Any] = []
    start = state.text_length
    for part in parts:
        text = part.text or ""
        if text and item_state.text_length == 0:
            events.append(Text(text))
        if part.refusal and not item_state.has_refusal:
            events.append(Refusal(part.refusal))
        if part.logprobs and not item_state.has_logprobs:
            events.append(read_logprobs({"content": part.logprobs}))
        annotations += [_annotation(each, state.text_length) for each in part.annotations or ()]
        state.text_length += len(text)
    spans = _message_spans(item, position, state.text_length - start, state)
    fields = {"annotations": annotations, "phase": item.phase, "output_messages": spans}
    if given := {name: value for name, value in fields.items() if value}:
        events.append(ExtraFields(given))
    return events


def _message_spans(
    item: OutputItem, position: int, length: int, state: ResponseState
) -> list[dict[str, Any]]:
    """The spans of the messages so far that chat joins to one text, so that they can be sent back
    one by one. A first message before all calls is reported with the next one, if there is one."""
    is_first = not (state.calls.count or state.has_message)
    state.has_message = True
    span: dict[str, Any] = {"index": position, "length": length, "phase": item.phase}
    state.unreported_messages.append({k: v for k, v in span.items() if v is not None})
    if is_first:
        return []
    spans, state.unreported_messages = state.unreported_messages, []
    return spans


def _annotation(annotation: dict[str, Any], start: int) -> dict[str, Any]:
    """With positions that count from the start of the joined text instead of the part's, and a
    citation of a web page in the shape of chat completions."""
    moved = {
        name: count + start
        if name in ("start_index", "end_index") and (count := as_count(value)) is not None
        else value
        for name, value in annotation.items()
    }
    if annotation.get("type") != "url_citation":
        return moved
    del moved["type"]
    required = url_citation(str(moved.get("url") or ""), "")["url_citation"]
    return {"type": "url_citation", "url_citation": {**required, **moved}}


def _close_reasoning(
    item: OutputItem, item_state: ItemState, position: int, state: ResponseState
) -> list[Event]:
    events: list[Event] = []
    texts = [
        *(("summary", part.text) for part in item.summary or () if part.text),
        *(("text", part.text) for part in item.content or () if part.text),
    ]
    if texts and item_state.paragraph is None:
        events.append(Reasoning("\n\n".join(text for _, text in texts)))
    details = to_details(item.id, position, texts, item.encrypted_content)
    state.empty_items += not details
    return [*events, *details]


CALL_TYPES = ("function_call", "custom_tool_call")
CLOSERS: dict[str, Callable[[OutputItem, ItemState, int, ResponseState], list[Event]]] = {
    "message": _close_message,
    "reasoning": _close_reasoning,
    "function_call": _close_call,
    "custom_tool_call": _close_call,
}
"""Functions by the item's type; an item of another type is kept unchanged."""
