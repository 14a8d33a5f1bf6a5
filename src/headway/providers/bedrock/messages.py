"""OpenAI's chat messages as Bedrock's: a system prompt, and turns made of content blocks
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html).

Rules of this file: system and developer messages are hoisted in their order; neighbours of one role
become one turn, because turns must alternate; a mark for the cache is a block of its own, behind
what it marks; a part without a ``type`` is Bedrock's own block and goes through as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.bedrock.media import audio_block, document_block, image_block, video_block
from headway.providers.bedrock.reasoning_blocks import thoughts
from headway.providers.chat_messages import Message, ToolCall
from headway.types import ChatRequest

Block = dict[str, Any]

NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_.:-]")
LONGEST_ID = 64
NO_OUTPUT: Block = {"text": "(no output)"}
"""What a tool said that said nothing: some models refuse a result without content
(github.com/strands-agents/sdk-python/issues/2122), and all refuse an empty text."""


class Turn(Message, frozen=True):
    """A message whose parts are left as they came, and with what we gave out beside its text."""

    content: str | list[Block] | None = None  # type: ignore[assignment]
    content_blocks: list[Block] | None = None
    """Blocks that OpenAI's format has no word for, each with its ``index``, as in answers."""

    @property
    def blocks(self) -> list[Block]:
        if isinstance(self.content, str):
            return [{"text": self.content}] if self.content else []
        return [block for part in self.content or () for block in _part(part)]


_turns = msgspec.json.Decoder(list[Turn]).decode
_arguments = msgspec.json.Decoder(dict[str, Raw]).decode


def conversation(request: ChatRequest) -> tuple[list[Block], list[Block]]:
    """The system prompt's blocks, and the turns. Raises msgspec.ValidationError, which names the
    place, or RequestError for what Bedrock cannot be told."""
    system: list[Block] = []
    turns: list[Block] = []
    calls = 0
    for turn in _turns(request.messages):
        if turn.role not in ROLES:
            raise RequestError(f"`messages`: there is no role {turn.role!r}.", param="messages")
        calls += turn.function_call is not None
        role, read = ROLES[turn.role]
        blocks = read(_numbered(turn, calls))
        if role is None:
            system += blocks
        elif turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    _tell_apart(turns)
    return system, turns


def cache_point(mark: Any) -> Block:
    """Anthropic's ``cache_control``, ``{"type": "ephemeral", "ttl": "1h"}``, in Bedrock's words."""
    ttl = mark.get("ttl") if isinstance(mark, dict) else None
    return {"cachePoint": {"type": "default", **({"ttl": ttl} if ttl else {})}}


def _numbered(turn: Turn, calls: int) -> Turn:
    """OpenAI's deprecated function calls have no ids: a result belongs to the call before it."""
    if turn.function_call is not None:
        call = ToolCall(f"function_call_{calls}", turn.function_call)
        return replace(turn, tool_calls=[call], function_call=None)
    return replace(turn, tool_call_id=f"function_call_{calls}") if turn.role == "function" else turn


def _tell_apart(turns: list[Block]) -> None:
    """No two documents of a conversation may have one name."""
    seen: dict[str, int] = {}
    for turn in turns:
        for block in turn["content"]:
            for inner in (block, *block.get("toolResult", {}).get("content", ())):
                document = inner.get("document")
                if document is None:
                    continue
                count = seen[document["name"]] = seen.get(document["name"], 0) + 1
                if count > 1:
                    inner["document"] = {**document, "name": f"{document['name']} {count}"}


# --- Turns ----------------------------------------------------------------------------------------


def _said(turn: Turn) -> list[Block]:
    return _marked(turn.blocks, turn)


def _answered(turn: Turn) -> list[Block]:
    """An assistant's turn: what it thought and did, what it said, then the calls it made."""
    said = turn.blocks
    if turn.refusal:
        said.append({"text": turn.refusal})
    done = [*thoughts(turn.reasoning_details or ()), *_own_blocks(turn)]
    done.sort(key=lambda pair: pair[0])
    calls = [_tool_use(call) for call in turn.tool_calls or ()]
    return _marked([*(block for _, block in done), *said, *calls], turn)


def _own_blocks(turn: Turn) -> list[tuple[int, Block]]:
    """Bedrock's own blocks that we gave out; those of other vendors have a ``type``."""
    return [
        (block.get("index") or 0, {k: v for k, v in block.items() if k != "index"})
        for block in turn.content_blocks or ()
        if "type" not in block
    ]


def _tool_use(call: ToolCall) -> Block:
    arguments = call.function.arguments
    given = _arguments(arguments) if arguments.strip() else {}
    return {"toolUse": {"toolUseId": _safe(call.id), "name": call.function.name, "input": given}}


def _resulted(turn: Turn) -> list[Block]:
    """A tool's result; marks for the cache stand behind the result and not inside it."""
    blocks = turn.blocks
    marks = [block for block in blocks if "cachePoint" in block]
    content = [block for block in blocks if "cachePoint" not in block] or [NO_OUTPUT]
    result: Block = {"toolUseId": _safe(turn.tool_call_id or ""), "content": content}
    if turn.is_error:
        result["status"] = "error"
    return _marked([{"toolResult": result}, *marks[-1:]], turn)


def _marked(blocks: list[Block], turn: Turn) -> list[Block]:
    if turn.cache_control and blocks:
        return [*blocks, cache_point(turn.cache_control)]
    return blocks


def _safe(call_id: str) -> str:
    """Ids match [a-zA-Z0-9_.:-]{1,64}; the same id always becomes the same."""
    if len(call_id) > LONGEST_ID:
        return sha256(call_id.encode()).hexdigest()
    return NOT_IN_AN_ID.sub("_", call_id)


ROLES: dict[str, tuple[str | None, Callable[[Turn], list[Block]]]] = {
    "system": (None, _said),
    "developer": (None, _said),
    "user": ("user", _said),
    "assistant": ("assistant", _answered),
    "tool": ("user", _resulted),
    "function": ("user", _resulted),
}
"""What each of OpenAI's roles is there, and how its content is read. None: the system prompt."""


# --- Parts ----------------------------------------------------------------------------------------


def _part(part: Block) -> list[Block]:
    kind = part.get("type")
    if kind is None:
        return [part]
    if kind not in PARTS:
        raise RequestError(f"`messages`: Bedrock takes no {kind} parts.", param="messages")
    block = PARTS[kind](part)
    found = [] if block is None else [block]
    return [*found, cache_point(part["cache_control"])] if part.get("cache_control") else found


def _text(part: Block) -> Block | None:
    """Empty texts are refused, so they are not sent."""
    return {"text": part["text"]} if part.get("text") else None


def _refusal(part: Block) -> Block | None:
    return {"text": part["refusal"]} if part.get("refusal") else None


def _search_result(part: Block) -> Block:
    """Anthropic's search results, which Claude can cite."""
    content = [{"text": piece["text"]} for piece in part.get("content") or ()]
    rest = {name: part[name] for name in ("source", "title", "citations") if name in part}
    return {"searchResult": {**rest, "content": content}}


PARTS: dict[str, Callable[[Block], Block | None]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": image_block,
    "file": document_block,
    "input_audio": audio_block,
    "video_url": video_block,
    "search_result": _search_result,
}
