"""Convert OpenAI's chat messages to Bedrock's: a system prompt, and messages of content blocks
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html).

Rules of this file: system and developer messages move into the system prompt, in their order;
adjacent messages of one role are merged, because roles must alternate; a ``cache_control`` becomes
a separate block after the marked one; a part without a ``type`` is a Bedrock block and is sent
unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from headway.errors import RequestError
from headway.providers import block_messages
from headway.providers.bedrock.media import audio_block, document_block, image_block, video_block
from headway.providers.bedrock.reasoning_blocks import reasoning_blocks
from headway.providers.block_messages import Block, BlockMessage, Roles
from headway.providers.chat_messages import ToolCall
from headway.types import ChatRequest

NO_OUTPUT: Block = {"text": "(no output)"}
"""The content of an empty tool result: some models refuse a result without content
(github.com/strands-agents/sdk-python/issues/2122), and all refuse an empty text."""


_arguments = msgspec.json.Decoder(dict[str, Raw]).decode


def convert_messages(request: ChatRequest) -> tuple[list[Block], list[Block]]:
    """The blocks of the system prompt, and the messages. Raises msgspec.ValidationError, which says
    where, for invalid messages, and RequestError for content that Bedrock does not take."""
    system, messages = block_messages.convert_messages(request.messages, ROLES)
    _make_document_names_unique(messages)
    return system, messages


def _content(message: BlockMessage) -> list[Block]:
    if isinstance(message.content, str):
        return [{"text": message.content}] if message.content else []
    return [block for part in message.content or () for block in _part_blocks(part)]


def cache_point(cache_control: Any) -> Block:
    """The block for Anthropic's ``cache_control``, such as ``{"type": "ephemeral", "ttl":
    "1h"}``."""
    ttl = cache_control.get("ttl") if isinstance(cache_control, dict) else None
    return {"cachePoint": {"type": "default", **({"ttl": ttl} if ttl else {})}}


def _make_document_names_unique(messages: list[Block]) -> None:
    """Bedrock refuses two documents of the same name in one conversation."""
    seen: dict[str, int] = {}
    for message in messages:
        for block in message["content"]:
            for inner in (block, *block.get("toolResult", {}).get("content", ())):
                document = inner.get("document")
                if document is None:
                    continue
                count = seen[document["name"]] = seen.get(document["name"], 0) + 1
                if count > 1:
                    inner["document"] = {**document, "name": f"{document['name']} {count}"}


# --- Roles ----------------------------------------------------------------------------------------


def _user_blocks(message: BlockMessage) -> list[Block]:
    return _with_cache_point(_content(message), message)


def _assistant_blocks(message: BlockMessage) -> list[Block]:
    """In this order: reasoning and server tools, text, tool calls."""
    content = _content(message)
    if message.refusal:
        content.append({"text": message.refusal})
    reasoning = reasoning_blocks(message.reasoning_details or ())
    indexed = [*reasoning, *_bedrock_blocks(message)]
    indexed.sort(key=lambda pair: pair[0])
    calls = [_tool_use(call) for call in message.tool_calls or ()]
    return _with_cache_point([*(block for _, block in indexed), *content, *calls], message)


def _bedrock_blocks(message: BlockMessage) -> list[tuple[int, Block]]:
    """The blocks of an earlier reply that are Bedrock's, with their index; those of other vendors
    have a ``type``."""
    return [
        (block.get("index") or 0, {k: v for k, v in block.items() if k != "index"})
        for block in message.content_blocks or ()
        if "type" not in block
    ]


def _tool_use(call: ToolCall) -> Block:
    """The arguments are an object's text (``call_argument_rules``)."""
    given = _arguments(call.function.arguments)
    use = {"toolUseId": call.id, "name": call.function.name, "input": given}
    return {"toolUse": use}


def _tool_result(message: BlockMessage) -> list[Block]:
    """The result of a tool; cache points follow the result and are not inside it."""
    blocks = _content(message)
    cache_points = [block for block in blocks if "cachePoint" in block]
    content = [block for block in blocks if "cachePoint" not in block] or [NO_OUTPUT]
    result: Block = {"toolUseId": message.tool_call_id or "", "content": content}
    if message.is_error:
        result["status"] = "error"
    return _with_cache_point([{"toolResult": result}, *cache_points[-1:]], message)


def _with_cache_point(blocks: list[Block], message: BlockMessage) -> list[Block]:
    if message.cache_control and blocks:
        return [*blocks, cache_point(message.cache_control)]
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


def _part_blocks(part: Block) -> list[Block]:
    kind = part.get("type")
    if kind is None:
        return [part]
    if kind not in PARTS:
        raise RequestError(f"`messages`: Bedrock takes no {kind} parts.", param="messages")
    block = PARTS[kind](part)
    blocks = [] if block is None else [block]
    return [*blocks, cache_point(part["cache_control"])] if part.get("cache_control") else blocks


def _text(part: Block) -> Block | None:
    """Bedrock refuses empty texts, so they are left out."""
    return {"text": part["text"]} if part.get("text") else None


def _refusal(part: Block) -> Block | None:
    return {"text": part["refusal"]} if part.get("refusal") else None


def _search_result(part: Block) -> Block:
    """Anthropic's search results, which Claude can cite."""
    content = [{"text": piece["text"]} for piece in part.get("content") or ()]
    fields = {name: part[name] for name in ("source", "title", "citations") if name in part}
    return {"searchResult": {**fields, "content": content}}


PARTS: dict[str, Callable[[Block], Block | None]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": image_block,
    "file": document_block,
    "input_audio": audio_block,
    "video_url": video_block,
    "search_result": _search_result,
}
