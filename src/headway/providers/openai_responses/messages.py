"""OpenAI's chat messages as input items of the Responses API
(platform.openai.com/docs/guides/migrate-to-responses).

A message becomes an item. An assistant's message becomes one or several: its reasoning, its tool
calls and the items of other types that came with it, in their original order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from headway.errors import RequestError
from headway.providers.openai_responses.content_blocks import (
    Content,
    convert_assistant_content,
    convert_content,
    without,
)
from headway.providers.openai_responses.reasoning_items import is_summary_only, to_items
from headway.types import ChatRequest

Item = dict[str, Any]


class MessageSpan(Struct, frozen=True):
    """A chat message may join several messages of a response: the position of one of them in the
    output, and the length of its part of the text in characters."""

    index: int
    length: int
    phase: str | None = None


class InputMessage(Struct, frozen=True):
    """A chat message. Content parts and calls are converted as they are."""

    role: str
    content: Content = None
    tool_calls: list[Item] | None = None
    tool_call_id: str | None = None
    function_call: Item | None = None
    refusal: str | None = None
    reasoning_details: list[Item] | None = None
    output_items: list[Item] | None = None
    """Items of types that chat does not have, each with its ``index``, as responses give them."""
    output_messages: list[MessageSpan] | None = None
    tool_namespaces: dict[str, str] = {}
    phase: str | None = None


class ConversationState:
    """The state of converting the messages of a request."""

    __slots__ = ("custom_tools", "function_calls")

    def __init__(self, custom_tools: frozenset[str]) -> None:
        self.custom_tools = custom_tools
        """Names of the tools that take free text, and ids of the calls of such tools."""
        self.function_calls = 0
        """Deprecated function calls so far. They have no ids: a result belongs to the last one."""


_decode_messages = msgspec.json.Decoder(list[InputMessage]).decode
_decode_tools = msgspec.json.Decoder(list[Item]).decode


def convert_messages(request: ChatRequest) -> tuple[str | None, list[Item]]:
    """``instructions`` (a system message at the start) and ``input``. Raises
    msgspec.ValidationError, which names the place, or RequestError for an invalid message."""
    messages = _decode_messages(request.messages)
    instructions = _instructions(messages, request)
    state = ConversationState(_custom_tools(request))
    items: list[Item] = []
    for message in messages if instructions is None else messages[1:]:
        convert = CONVERTERS.get(message.role)
        if convert is None:
            raise RequestError(f"`messages`: there is no role {message.role!r}.", param="messages")
        items += convert(message, state)
    return instructions, items


def _instructions(messages: list[InputMessage], request: ChatRequest) -> str | None:
    if not messages or messages[0].role != "system" or "instructions" in request.parameters:
        return None
    content = messages[0].content
    return content if isinstance(content, str) and len(messages) > 1 else None


def _custom_tools(request: ChatRequest) -> frozenset[str]:
    raw = request.parameters.get("tools")
    tools = [] if raw is None else _decode_tools(raw)
    return frozenset(tool["name"] for tool in tools if tool.get("type") == "custom")


def _convert_message(message: InputMessage, state: ConversationState) -> list[Item]:
    """An empty message of the user stays: the input may consist of it. Those of other roles were
    left out before (``wire_rules``)."""
    content = convert_content(message.content) or ""
    return [{"type": "message", "role": message.role, "content": content}]


def _convert_result(message: InputMessage, state: ConversationState) -> list[Item]:
    call_id = message.tool_call_id or f"function_call_{state.function_calls}"
    is_custom = call_id in state.custom_tools
    item_type = "custom_tool_call_output" if is_custom else "function_call_output"
    output = convert_content(message.content) or ""
    return [{"type": item_type, "call_id": call_id, "output": output}]


# --- Assistants' messages -------------------------------------------------------------------------


def _convert_assistant(message: InputMessage, state: ConversationState) -> list[Item]:
    """Reasoning, other items and the messages of ``output_messages`` know their positions. The text
    without a position, and then the tool calls, fill the positions between them. The API rejects
    reasoning that does not stand directly before what it led to."""
    split = list(_split_messages(message))
    positioned = [*to_items(message.reasoning_details or ()), *(message.output_items or ()), *split]
    positioned.sort(key=_index)
    text = [] if split else _assistant_items(message.content, message.refusal, message.phase)
    remaining = [*text, *_convert_calls(message, state)]
    items: list[Item] = []
    while positioned:
        if remaining and _index(positioned[0]) > len(items):
            items.append(remaining.pop(0))
        else:
            items.append(without(positioned.pop(0), "index"))
    return [item for item in items if not is_summary_only(item)] + remaining


def _index(item: Item) -> int:
    return item.get("index") or 0


def _split_messages(message: InputMessage) -> Iterator[Item]:
    """The messages that the text was joined from, each with its ``index``; none if the text is not
    the joined one. The refusal is the end of the last message."""
    text, spans = message.content or "", message.output_messages or []
    if not isinstance(text, str) or sum(span.length for span in spans) != len(text):
        return
    start = 0
    for span in spans:
        refusal = message.refusal if span is spans[-1] else None
        for item in _assistant_items(text[start : start + span.length], refusal, span.phase):
            yield {**item, "index": span.index}
        start += span.length


def _assistant_items(content: Content, refusal: str | None, phase: str | None) -> list[Item]:
    """At most one item."""
    converted = convert_assistant_content(content, refusal)
    if not converted:
        return []
    item = {"type": "message", "role": "assistant", "content": converted}
    return [item if phase is None else {**item, "phase": phase}]


def _convert_calls(message: InputMessage, state: ConversationState) -> Iterator[Item]:
    for call in message.tool_calls or ():
        yield _convert_call(call, message, state)
    if message.function_call is not None:
        state.function_calls += 1
        made = {"id": f"function_call_{state.function_calls}", "function": message.function_call}
        yield _convert_call(made, message, state)


def _convert_call(call: Item, message: InputMessage, state: ConversationState) -> Item:
    called = call.get("custom") or call["function"]
    name, call_id = called["name"], call["id"]
    if "custom" in call or name in state.custom_tools:
        state.custom_tools |= {call_id}
        text = called.get("input", called.get("arguments"))
        return {"type": "custom_tool_call", "call_id": call_id, "name": name, "input": text}
    arguments = called.get("arguments") or "{}"
    item = {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
    namespace = message.tool_namespaces.get(call_id)
    return item if namespace is None else {**item, "namespace": namespace}


CONVERTERS: dict[str, Callable[[InputMessage, ConversationState], list[Item]]] = {
    "system": _convert_message,
    "developer": _convert_message,
    "user": _convert_message,
    "assistant": _convert_assistant,
    "tool": _convert_result,
    "function": _convert_result,
}
"""Converters by the message's role."""
