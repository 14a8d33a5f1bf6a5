"""Convert OpenAI's chat messages to Anthropic's: a system prompt, and messages of content blocks
(platform.claude.com/docs/en/api/messages).

Rules of this file: system and developer messages move into the system prompt, in their order;
adjacent messages of one role are merged; a part of a type that OpenAI does not define is an
Anthropic block and is sent unchanged, in its place, so that native conversations work.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Raw

from headway.errors import RequestError
from headway.providers import block_messages
from headway.providers.anthropic.media import document_block, image_block
from headway.providers.anthropic.reasoning_blocks import THINKING_TYPES, thinking_blocks
from headway.providers.block_messages import Block, BlockMessage, Roles
from headway.providers.chat_messages import ToolCall
from headway.types import ChatRequest

_arguments = msgspec.json.Decoder(dict[str, Raw]).decode


def convert_messages(request: ChatRequest) -> tuple[list[Block], list[Block]]:
    """The blocks of the system prompt, and the messages. Raises msgspec.ValidationError, which says
    where, for invalid messages, and RequestError for content that Anthropic does not take."""
    return block_messages.convert_messages(request.messages, ROLES)


def _content(message: BlockMessage) -> list[Block]:
    if isinstance(message.content, str):
        return [{"type": "text", "text": message.content}] if message.content else []
    found = (PARTS.get(part.get("type", ""), _unchanged)(part) for part in message.content or ())
    return [block for block in found if block is not None]


# --- Roles ----------------------------------------------------------------------------------------


def _user_blocks(message: BlockMessage) -> list[Block]:
    return _with_cache_control(_content(message), message.cache_control)


def _assistant_blocks(message: BlockMessage) -> list[Block]:
    """In this order: thinking and server tools, text, tool calls."""
    content = _content(message)
    if message.refusal:
        content.append({"type": "text", "text": message.refusal})
    # Thinking within the content is in its own order there, and not repeated.
    has_thinking = any(block["type"] in THINKING_TYPES for block in content)
    thinking = [] if has_thinking else thinking_blocks(message.reasoning_details or ())
    indexed = [*thinking, *(message.content_blocks or ())]
    indexed.sort(key=lambda block: block.get("index", 0))
    first = [{k: v for k, v in block.items() if k != "index"} for block in indexed]
    calls = [_tool_use(call) for call in message.tool_calls or ()]
    return _with_cache_control([*first, *content, *calls], message.cache_control)


def _tool_use(call: ToolCall) -> Block:
    """The arguments are an object's text (``call_argument_rules``)."""
    given = _arguments(call.function.arguments)
    return {"type": "tool_use", "id": call.id, "name": call.function.name, "input": given}


def _tool_result(message: BlockMessage) -> list[Block]:
    """The result of a tool; ``cache_control`` is a field of the result and not of its blocks."""
    result: Block = {"type": "tool_result", "tool_use_id": message.tool_call_id or ""}
    cache_control = message.cache_control
    if isinstance(message.content, str):
        if message.content:
            result["content"] = message.content
    else:
        blocks = _content(message)
        marks = [block["cache_control"] for block in blocks if block.get("cache_control")]
        cache_control = cache_control or (marks[-1] if marks else None)
        result["content"] = [
            {k: v for k, v in block.items() if k != "cache_control"} for block in blocks
        ]
    if message.is_error:
        result["is_error"] = True
    return _with_cache_control([result], cache_control)


def _with_cache_control(blocks: list[Block], cache_control: object) -> list[Block]:
    """A message's own ``cache_control`` becomes that of its last block."""
    if cache_control and blocks and blocks[-1]["type"] not in THINKING_TYPES:
        blocks[-1] = {**blocks[-1], "cache_control": cache_control}
    return blocks


ROLES: Roles = {
    "system": (None, _user_blocks),
    "developer": (None, _user_blocks),
    "user": ("user", _user_blocks),
    "assistant": ("assistant", _assistant_blocks),
    "tool": ("user", _tool_result),
    "function": ("user", _tool_result),
}


# --- Parts ----------------------------------------------------------------------------------------


def _unchanged(part: Block) -> Block:
    return part


def _text(part: Block) -> Block | None:
    """The same in both formats. Anthropic refuses empty texts, so they are left out."""
    return part if part.get("text") else None


def _refusal(part: Block) -> Block | None:
    return _text({"type": "text", "text": part.get("refusal")})


def _audio(part: Block) -> Block:
    raise RequestError("`messages`: Claude takes no input_audio.", param="messages")


PARTS: dict[str, Callable[[Block], Block | None]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": image_block,
    "file": document_block,
    "input_audio": _audio,
}
