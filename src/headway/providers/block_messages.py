"""Convert OpenAI's chat messages to a system prompt and messages of content blocks, for wire
formats that have these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.chat_messages import Message, ToolCall

Block = dict[str, Any]


class BlockMessage(Message, frozen=True):
    """A message whose parts are left undecoded, with the blocks that an earlier reply gave out."""

    content: str | list[Block] | None = None  # type: ignore[assignment]
    content_blocks: list[Block] | None = None
    """Blocks that OpenAI's format does not define, each with its ``index``, as in replies."""


Roles = Mapping[str, tuple[str | None, Callable[[BlockMessage], list[Block]]]]
"""OpenAI's role -> the wire's role (None: the system prompt) and the function that makes blocks."""

_decode = msgspec.json.Decoder(list[BlockMessage]).decode


def convert_messages(given: Raw, roles: Roles) -> tuple[list[Block], list[Block]]:
    """The blocks of the system prompt, and the messages. System messages move into the system
    prompt, in their order; adjacent messages of one role are merged; messages without blocks are
    left out. Raises msgspec.ValidationError, which says where, for invalid messages, and
    RequestError for an unknown role."""
    system: list[Block] = []
    messages: list[Block] = []
    for message in _with_call_ids(_decode(given)):
        if message.role not in roles:
            raise RequestError(f"`messages`: there is no role {message.role!r}.", param="messages")
        role, blocks_of = roles[message.role]
        blocks = blocks_of(message)
        if role is None:
            system += blocks
        elif messages and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks
        elif blocks:
            messages.append({"role": role, "content": blocks})
    return system, messages


def _with_call_ids(messages: list[BlockMessage]) -> Iterator[BlockMessage]:
    """OpenAI's deprecated function calls have no ids: a result belongs to the call before it."""
    count = 0
    for message in messages:
        if message.function_call is not None:
            count += 1
            call = ToolCall(f"function_call_{count}", message.function_call)
            yield replace(message, tool_calls=[call], function_call=None)
        elif message.role == "function":
            yield replace(message, tool_call_id=f"function_call_{count}")
        else:
            yield message
