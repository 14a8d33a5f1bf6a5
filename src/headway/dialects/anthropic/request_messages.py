"""Anthropic's system prompt and messages in OpenAI's format.

Results of tools are messages of their own there, which directly follow the calls. Thinking becomes
``reasoning_details`` in OpenRouter's form, with the text as ``reasoning_content``: a provider that
cannot take one of them says so.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.anthropic.request_blocks import (
    Block,
    Noted,
    Part,
    blocks_of,
    content_of,
    convert_blocks,
    is_given,
    malformed,
    note_dropped,
    text_of,
    text_part,
)
from headway.dialects.anthropic.tool_names import short_name
from headway.errors import InvalidField
from headway.types import NO_RAW
from headway.wire.sealed_reasoning import is_sealed, unseal

CLAUDE = "anthropic-claude-v1"
"""The ``format`` of reasoning that Claude signed, as OpenRouter names it."""

Message = dict[str, Any]

_encode = msgspec.json.Encoder().encode


class WireMessage(Struct, gc=False):
    role: str
    content: Raw = NO_RAW


_text = msgspec.json.Decoder(str).decode
_messages = msgspec.json.Decoder(list[WireMessage]).decode


def convert_messages(system: Raw | None, messages: Raw, noted: Noted) -> Raw:
    """Raises InvalidField for messages that are not in Anthropic's format."""
    converted: list[Message] = []
    try:
        if system is not None and is_given(system):
            converted += _system_messages(system, noted)
        for message in _messages(messages):
            converted += _convert(message, noted)
    except (msgspec.MsgspecError, KeyError, RecursionError) as exc:
        raise malformed(exc) from exc
    return Raw(_encode(converted))


def _convert(message: WireMessage, noted: Noted) -> list[Message]:
    if message.role == "system":
        return _system_messages(message.content, noted)
    if message.role == "assistant":
        return [_assistant_message(blocks_of(message.content), noted)]
    if message.role != "user":
        raise InvalidField(f"`messages`: there is no role {message.role!r}.", param="messages")
    return _user_messages(blocks_of(message.content), noted)


def _system_messages(content: Raw, noted: Noted) -> list[Message]:
    parts = convert_blocks(blocks_of(content), noted)
    return [{"role": "system", "content": content_of(parts)}] if parts else []


def _user_messages(blocks: list[Block], noted: Noted) -> list[Message]:
    """First the results of tools, in their order, then everything else."""
    messages: list[Message] = []
    rest: list[Block] = []
    for block in blocks:
        if bytes(block.get("type", NO_RAW)) == b'"tool_result"':
            messages.append(_tool_message(block, noted))
        else:
            rest.append(block)
    if rest or not messages:
        content = content_of(convert_blocks(rest, noted))
        messages.append({"role": "user", "content": content})
    return messages


def _tool_message(block: Block, noted: Noted) -> Message:
    content = content_of(convert_blocks(blocks_of(block.get("content", NO_RAW)), noted))
    message = {"role": "tool", "tool_call_id": block["tool_use_id"], "content": content}
    if bytes(block.get("is_error", NO_RAW)) == b"true":
        message["is_error"] = True
    if is_given(block.get("cache_control")):
        message["cache_control"] = block["cache_control"]
    return message


# --- The assistant's messages ---------------------------------------------------------------------


class Turn:
    """The parts of one message of the assistant."""

    def __init__(self) -> None:
        self.texts: list[Part] = []
        self.calls: list[Part] = []
        self.thoughts: list[str] = []
        self.details: list[Part] = []

    def message(self) -> Message:
        content = content_of(self.texts) if self.texts or not self.calls else None
        message: Message = {"role": "assistant", "content": content}
        if self.calls:
            message["tool_calls"] = self.calls
        if self.thoughts:
            message["reasoning_content"] = "\n\n".join(self.thoughts)
        if self.details:
            message["reasoning_details"] = self.details
        return message


def _assistant_message(blocks: list[Block], noted: Noted) -> Message:
    turn = Turn()
    for index, block in enumerate(blocks):
        kind = text_of(block, "type")
        if kind == "text":
            turn.texts += text_part(block, noted)
        elif kind == "tool_use":
            turn.calls.append(_call(block))
        elif kind == "thinking":
            _add_thinking(turn, block, index)
        elif kind == "redacted_thinking":
            _add_redacted(turn, text_of(block, "data"), index)
        else:
            note_dropped(noted, f"messages[].content[].{kind}")
    return turn.message()


def _call(block: Block) -> Part:
    arguments = bytes(block.get("input", NO_RAW)).decode() or "{}"
    function = {"name": short_name(_text(block["name"])), "arguments": arguments}
    call: Part = {"id": block["id"], "type": "function", "function": function}
    if is_given(block.get("cache_control")):
        call["cache_control"] = block["cache_control"]
    return call


def _add_thinking(turn: Turn, block: Block, index: int) -> None:
    text, signature = text_of(block, "thinking"), text_of(block, "signature")
    if text:
        turn.thoughts.append(text)
    if is_sealed(signature):
        turn.details += unseal(signature).details
    elif signature:
        value = {"type": "reasoning.text", "text": text, "signature": signature}
        turn.details.append({**value, "format": CLAUDE, "index": index})


def _add_redacted(turn: Turn, data: str, index: int) -> None:
    if is_sealed(data):
        turn.details += unseal(data).details
    elif data:
        value = {"type": "reasoning.encrypted", "data": data, "format": CLAUDE, "index": index}
        turn.details.append(value)
