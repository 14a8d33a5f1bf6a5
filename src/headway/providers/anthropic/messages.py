"""OpenAI's chat messages as Anthropic's: a system prompt, and turns made of content blocks
(platform.claude.com/docs/en/api/messages).

Rules of this file: system and developer messages are hoisted in their order; neighbours of one role
become one turn; parts of a type that OpenAI does not have are Anthropic's own blocks and go through
as they are, in their place, so that nothing of a native conversation is lost on the way.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.chat_messages import File, Media, Message, ToolCall, media_of
from headway.types import ChatRequest

Block = dict[str, Any]

FORMAT = "anthropic-claude-v1"
"""The ``format`` of our reasoning details, as OpenRouter names it: signatures are of one vendor."""
NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")
"""Ids of tool calls must match ^[a-zA-Z0-9_-]+$; other vendors' have dots and colons."""
MEDIA_TYPES = {"image/jpg": "image/jpeg"}
"""Names that are common and that Anthropic does not take."""
TEXTS = re.compile(r"text/|application/(?:json|xml|x-yaml|yaml)$")
TEXT_FILES = (".txt", ".md", ".csv", ".json", ".xml", ".yaml", ".yml", ".html")
PDF = "application/pdf"
THINKING = ("thinking", "redacted_thinking")
"""Blocks that take no cache_control."""


class Turn(Message, frozen=True):
    """A message whose parts are left as they came, and with what we gave out beside its text."""

    content: str | list[Block] | None = None  # type: ignore[assignment]
    content_blocks: list[Block] | None = None
    """Blocks that OpenAI's format has no word for, each with its ``index``, as in answers."""

    @property
    def blocks(self) -> list[Block]:
        if isinstance(self.content, str):
            return [{"type": "text", "text": self.content}] if self.content else []
        found = (PARTS.get(part.get("type", ""), _as_it_is)(part) for part in self.content or ())
        return [block for block in found if block is not None]


_turns = msgspec.json.Decoder(list[Turn]).decode
_arguments = msgspec.json.Decoder(dict[str, Raw]).decode


def conversation(request: ChatRequest) -> tuple[list[Block], list[Block]]:
    """The system prompt's blocks, and the turns. Raises msgspec.ValidationError, which names the
    place, or RequestError for what Anthropic cannot be told."""
    system: list[Block] = []
    turns: list[Block] = []
    for turn in _numbered(_turns(request.messages)):
        if turn.role not in ROLES:
            raise RequestError(f"`messages`: there is no role {turn.role!r}.", param="messages")
        role, read = ROLES[turn.role]
        blocks = read(turn)
        if role is None:
            system += blocks
        elif turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    return system, turns


def _numbered(turns: list[Turn]) -> Iterator[Turn]:
    """OpenAI's deprecated function calls have no ids: a result belongs to the call before it."""
    count = 0
    for turn in turns:
        if turn.function_call is not None:
            count += 1
            call = ToolCall(f"function_call_{count}", turn.function_call)
            yield replace(turn, tool_calls=[call], function_call=None)
        elif turn.role == "function":
            yield replace(turn, tool_call_id=f"function_call_{count}")
        else:
            yield turn


# --- Turns ----------------------------------------------------------------------------------------


def _said(turn: Turn) -> list[Block]:
    return _marked(turn.blocks, turn.cache_control)


def _answered(turn: Turn) -> list[Block]:
    """An assistant's turn: what it thought and did, what it said, then the calls it made."""
    said = turn.blocks
    if turn.refusal:
        said.append({"type": "text", "text": turn.refusal})
    # Thinking that stands among the content already is there in its own order.
    thought = [] if any(b["type"] in THINKING for b in said) else _thoughts(turn)
    done = [*thought, *(turn.content_blocks or ())]
    done.sort(key=lambda block: block.get("index", 0))
    before = [{k: v for k, v in block.items() if k != "index"} for block in done]
    calls = [_tool_use(call) for call in turn.tool_calls or ()]
    return _marked([*before, *said, *calls], turn.cache_control)


def _thoughts(turn: Turn) -> list[Block]:
    """Signed and encrypted thoughts of Claude's; those of other vendors mean nothing to it."""
    found: list[Block] = []
    for detail in turn.reasoning_details or ():
        if detail.get("format") != FORMAT:
            continue
        if detail.get("type") == "reasoning.encrypted":
            block = {"type": "redacted_thinking", "data": detail.get("data")}
        elif detail.get("signature"):
            text = detail.get("text") or ""
            block = {"type": "thinking", "thinking": text, "signature": detail["signature"]}
        else:
            continue
        found.append({**block, "index": detail.get("index") or 0})
    return found


def _tool_use(call: ToolCall) -> Block:
    arguments = call.function.arguments
    return {
        "type": "tool_use",
        "id": _safe(call.id),
        "name": call.function.name,
        "input": _arguments(arguments) if arguments.strip() else {},
    }


def _resulted(turn: Turn) -> list[Block]:
    """A tool's result; marks for the cache stand on the result and not inside it."""
    result: Block = {"type": "tool_result", "tool_use_id": _safe(turn.tool_call_id or "")}
    mark = turn.cache_control
    if isinstance(turn.content, str):
        if turn.content:
            result["content"] = turn.content
    else:
        blocks = turn.blocks
        marks = [block["cache_control"] for block in blocks if block.get("cache_control")]
        mark = mark or (marks[-1] if marks else None)
        result["content"] = [
            {k: v for k, v in block.items() if k != "cache_control"} for block in blocks
        ]
    if turn.is_error:
        result["is_error"] = True
    return _marked([result], mark)


def _marked(blocks: list[Block], mark: Any) -> list[Block]:
    """A message's own mark for the cache stands on its last block."""
    if mark and blocks and blocks[-1]["type"] not in THINKING:
        blocks[-1] = {**blocks[-1], "cache_control": mark}
    return blocks


def _safe(call_id: str) -> str:
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


def _as_it_is(part: Block) -> Block:
    return part


def _text(part: Block) -> Block | None:
    """The same in both formats. Empty texts are refused, so they are not sent."""
    return part if part.get("text") else None


def _refusal(part: Block) -> Block | None:
    return _text({"type": "text", "text": part.get("refusal")})


def _image(part: Block) -> Block:
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str):
        raise RequestError("`messages`: an image_url part has no url.", param="messages")
    return {"type": "image", "source": _source(media_of(url)), **_rest(part, "image_url")}


def _document(part: Block) -> Block:
    """OpenAI's file parts; ``title``, ``context`` and ``citations`` beside ``file`` are kept."""
    file = msgspec.convert(part.get("file"), File)
    rest = _rest(part, "file")
    if file.filename:
        rest = {"title": file.filename, **rest}
    if file.file_id:
        return {"type": "document", "source": {"type": "file", "file_id": file.file_id}, **rest}
    if not file.file_data:
        message = "`messages`: a file part has neither file_id nor file_data."
        raise RequestError(message, param="messages")
    media = _media_of_file(file.file_data, file.filename or "")
    if (media.media_type or "").startswith("image/"):
        rest.pop("title", None)
        return {"type": "image", "source": _source(media), **rest}
    return {"type": "document", "source": _source(media), **rest}


def _media_of_file(data: str, filename: str) -> Media:
    """A data URL, a web address, or bare base64 whose kind the file's name tells."""
    media = media_of(data)
    if media.url is None or media.url.startswith(("http://", "https://")):
        return media
    kind = "text/plain" if filename.lower().endswith(TEXT_FILES) else PDF
    return Media(kind, data)


def _source(media: Media) -> Block:
    if media.url is not None:
        return {"type": "url", "url": media.url}
    kind = media.media_type or "application/octet-stream"
    if TEXTS.match(kind):
        return {"type": "text", "media_type": "text/plain", "data": _decoded(media.data or "")}
    return {"type": "base64", "media_type": MEDIA_TYPES.get(kind, kind), "data": media.data}


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data).decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        message = f"`messages`: a text file is not UTF-8 in base64: {exc}."
        raise RequestError(message, param="messages") from exc


def _audio(part: Block) -> Block:
    raise RequestError("`messages`: Claude takes no input_audio.", param="messages")


def _rest(part: Block, name: str) -> Block:
    return {k: v for k, v in part.items() if k not in ("type", name)}


PARTS: dict[str, Callable[[Block], Block | None]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "file": _document,
    "input_audio": _audio,
}
