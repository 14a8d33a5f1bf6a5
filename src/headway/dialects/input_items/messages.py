"""The input items of a Responses request as chat messages.

The items of one answer (reasoning, texts, calls) become one assistant's message. The result of a
call follows the message that has the call, wherever its item is: chat requires that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from headway.dialects.input_items.content import convert_content
from headway.dialects.input_items.notes import Notes
from headway.dialects.input_items.reasoning import details_of, text_of
from headway.dialects.input_items.tools import SAME_FORMAT, chat_name
from headway.errors import RequestError
from headway.wire.custom_tools import INPUT

Item = dict[str, Any]
Message = dict[str, Any]

ROLES = ("user", "system", "developer", "assistant")
COMPACTED = (
    "`{path}`: only a provider with OpenAI's Responses API compacts a conversation, and only the "
    "one that did can read the result. Choose such a provider, or send the conversation itself."
)
STORED = (
    "`{path}` refers to an item that neither the gateway nor this provider keeps. Send the item "
    "itself (clients do so with `store: false`)."
)
REFUSED = {
    "compaction": COMPACTED,
    "compaction_summary": COMPACTED,
    "compaction_trigger": COMPACTED,
    "item_reference": STORED,
}
"""Items without which the conversation would mean something else."""

_encode = msgspec.json.Encoder().encode


class Conversation:
    """The messages so far."""

    __slots__ = ("_answer", "_calls", "_messages", "_results", "_size", "added_tools", "notes")

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.added_tools: list[Item] = []
        """Tools that items add."""
        self._messages: list[Message] = []
        self._answer: Message | None = None
        """The assistant's message to which the next item of an answer belongs."""
        self._size = 0
        """Number of the items in it."""
        self._calls: dict[str, int] = {}
        """The position of the message that has a call, by the call's id."""
        self._results: dict[int, list[Message]] = {}
        """By the position of the message that they follow."""

    def add(self, message: Message) -> None:
        """A message of anyone but the assistant."""
        self._answer = None
        self._messages.append(message)

    def answer(self) -> Message:
        """The assistant's message for one more item, and count it."""
        if self._answer is None:
            self._answer = {"role": "assistant", "content": None}
            self._size = 0
            self._messages.append(self._answer)
        self._size += 1
        return self._answer

    @property
    def position(self) -> int:
        """The place of the last item in its answer."""
        return self._size - 1

    def add_call(self, call_id: str, name: str, arguments: str) -> None:
        function = {"name": name, "arguments": arguments}
        call = {"id": call_id, "type": "function", "function": function}
        self.answer().setdefault("tool_calls", []).append(call)
        self._calls[call_id] = len(self._messages) - 1

    def add_result(self, call_id: str, content: Any) -> None:
        message = {"role": "tool", "tool_call_id": call_id, "content": content}
        place = self._calls.get(call_id)
        if place is None:
            self.add(message)
        else:
            self._answer = None
            self._results.setdefault(place, []).append(message)

    def messages(self) -> Iterator[Message]:
        for place, message in enumerate(self._messages):
            yield message
            yield from self._results.get(place, ())


def convert_items(items: Iterable[Item], conversation: Conversation) -> None:
    """Raises RequestError, which names the item."""
    for place, item in enumerate(items):
        kind, path = item.get("type"), f"input[{place}]"
        if kind in REFUSED:
            raise RequestError(REFUSED[kind].format(path=path), param=path, code="unsupported_item")
        convert = CONVERTERS.get(kind)
        if convert is None and kind is None:
            convert = _message
        if convert is None:
            conversation.notes.drop(f"input[].{kind}", SAME_FORMAT.replace("tool", "item"))
        else:
            convert(item, path, conversation)


def _message(item: Item, path: str, conversation: Conversation) -> None:
    role = item.get("role")
    if role not in ROLES:
        message = f"`{path}.role` must be one of {', '.join(ROLES)}."
        raise RequestError(message, param=f"{path}.role")
    content = convert_content(item.get("content"), f"{path}.content")
    if role != "assistant":
        conversation.add({"role": role, "content": content or ""})
    elif content:
        _add_text(conversation.answer(), content)


def _add_text(answer: Message, content: Any) -> None:
    """Several messages of one answer become several parts of its text."""
    before = answer["content"]
    answer["content"] = content if not before else [*_parts(before), *_parts(content)]


def _parts(content: Any) -> list[Item]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _reasoning(item: Item, path: str, conversation: Conversation) -> None:
    answer = conversation.answer()
    if text := text_of(item):
        before = answer.get("reasoning_content")
        answer["reasoning_content"] = f"{before}\n\n{text}" if before else text
    if details := details_of(item, conversation.position):
        answer["reasoning_details"] = [*answer.get("reasoning_details", ()), *details]


def _function_call(item: Item, path: str, conversation: Conversation) -> None:
    name = chat_name(_text(item, "name", path), item.get("namespace"))
    conversation.add_call(_text(item, "call_id", path), name, item.get("arguments") or "{}")


def _custom_call(item: Item, path: str, conversation: Conversation) -> None:
    name = chat_name(_text(item, "name", path), item.get("namespace"))
    arguments = _encode({INPUT: item.get("input") or ""}).decode()
    conversation.add_call(_text(item, "call_id", path), name, arguments)


def _local_call(item: Item, path: str, conversation: Conversation) -> None:
    """The call of a tool of OpenAI's that the client runs, such as its shell."""
    kind = item["type"]
    conversation.notes.emulate(f"input[].{kind}", "as a function call")
    arguments = _encode(item.get("action") or item.get("operation") or {}).decode()
    conversation.add_call(_call_id(item, path), kind.removesuffix("_call"), arguments)


def _result(item: Item, path: str, conversation: Conversation) -> None:
    content = convert_content(item.get("output"), f"{path}.output")
    conversation.add_result(_text(item, "call_id", path), content or "")


def _local_result(item: Item, path: str, conversation: Conversation) -> None:
    output = item.get("output") or item.get("status") or ""
    content = output if isinstance(output, str) else _encode(output).decode()
    conversation.add_result(_call_id(item, path), content)


def _added_tools(item: Item, path: str, conversation: Conversation) -> None:
    conversation.added_tools += item.get("tools") or ()


def _call_id(item: Item, path: str) -> str:
    """The result of a local shell has it as ``id``."""
    return _text(item, "call_id" if "call_id" in item else "id", path)


def _text(item: Item, name: str, path: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not value:
        raise RequestError(f"`{path}.{name}` must be a text.", param=f"{path}.{name}")
    return value


CONVERTERS: dict[Any, Callable[[Item, str, Conversation], None]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "function_call_output": _result,
    "custom_tool_call": _custom_call,
    "custom_tool_call_output": _result,
    "additional_tools": _added_tools,
    "local_shell_call": _local_call,
    "local_shell_call_output": _local_result,
    "shell_call": _local_call,
    "shell_call_output": _local_result,
    "apply_patch_call": _local_call,
    "apply_patch_call_output": _local_result,
}
"""Converters by the item's type."""
