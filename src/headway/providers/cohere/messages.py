"""OpenAI's messages as Cohere's v2 chat takes them (docs.cohere.com/reference/chat).

The two are near: what differs are documents, which stand beside the messages, and what a model
thought, which is a ``thinking`` part to those that reason and a ``tool_plan`` to the older ones.
Fields and parts that are not known here stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from headway.errors import RequestError
from headway.providers.function_tools import Fields, parts_of, turns
from headway.providers.inline_files import opened
from headway.types import ChatRequest

PLAIN = re.compile(
    r"(?:.*/)?(?:command-?(?:$|light|nightly|r)|command-a(?:$|-\d|-vision|-translate)|.*aya)"
)
"""Models that do not reason; of those to come it is more likely that they do."""
ROLES = {"developer": "system"}
KNOWN = ("assistant", "system", "tool", "user")
NOT_SENT = frozenset(
    {
        "annotations", "audio", "cache_control", "citations", "content", "is_error", "name",
        "reasoning", "reasoning_content", "reasoning_details", "refusal", "role", "tool_calls",
    }
)  # fmt: skip
"""Fields of a message that Cohere has no word for, or that are made anew."""

Documents = list[Fields]


def reasons(model: str) -> bool:
    return PLAIN.match(model) is None


def conversation(request: ChatRequest) -> tuple[list[Fields], Documents]:
    """The messages, and the documents that stood in them. Raises RequestError for what Cohere
    cannot be given."""
    documents: Documents = []
    thinks = reasons(request.model)
    return [_turn(turn, thinks, documents) for turn in turns(request.messages)], documents


def losses(request: ChatRequest) -> Iterator[tuple[str, str]]:
    """What of the messages does not reach the model: the field, and why."""
    thinks = reasons(request.model)
    for turn in turns(request.messages):
        if turn.get("name") and turn["role"] != "tool":
            yield "messages[].name", "there are no names of speakers"
        if turn.get("is_error"):
            yield "messages[].is_error", "a result is not marked as an error there"
        if turn.get("audio"):
            yield "messages[].audio", "there is no sound there"
        if _has_marker(turn):
            yield "cache_control", "there are no markers for a cache: it is kept by itself"
        if turn.get("reasoning_content") and not (thinks or turn.get("tool_calls")):
            yield "messages[].reasoning_content", f"{request.model} takes no thoughts back"


def _has_marker(turn: Fields) -> bool:
    parts = parts_of(turn.get("content"))
    return any(holder.get("cache_control") for holder in (turn, *parts))


def _turn(turn: Fields, thinks: bool, documents: Documents) -> Fields:
    role = ROLES.get(turn["role"], turn["role"])
    if role not in KNOWN:
        raise RequestError(f"`messages`: there is no role {role!r}.", param="messages")
    content = _content(turn.get("content"), documents)
    if role == "assistant":
        made = _assistant(turn, content, thinks)
    else:
        made = {"content": content}
    kept = {name: value for name, value in turn.items() if name not in NOT_SENT}
    return {"role": role, **made, **kept}


def _assistant(turn: Fields, content: Any, thinks: bool) -> Fields:
    made: Fields = {}
    content = content or turn.get("refusal") or ""
    thought = turn.get("reasoning_content") or turn.get("reasoning")
    calls = turn.get("tool_calls")
    if thought and thinks:
        content = [{"type": "thinking", "thinking": thought}, *parts_of(content)]
    elif thought and calls:
        made["tool_plan"] = thought
    if content or not calls:
        made["content"] = content
    if calls:
        made["tool_calls"] = [_call(call) for call in calls]
    return made


def _call(call: Fields) -> Fields:
    function = call["function"]
    said = {"name": function["name"], "arguments": function.get("arguments") or "{}"}
    return {"id": call["id"], "type": "function", "function": said}


def _content(content: Any, documents: Documents) -> Any:
    """A text stays one: both forms are Cohere's too."""
    if content is None or isinstance(content, str):
        return content or ""
    made = (PARTS.get(part["type"], _as_it_is)(part, documents) for part in content)
    return [part for part in made if part is not None]


def _as_it_is(part: Fields, documents: Documents) -> Fields:
    return {name: value for name, value in part.items() if name != "cache_control"}


def _refusal(part: Fields, documents: Documents) -> Fields:
    return {"type": "text", "text": part["refusal"]}


def _image(part: Fields, documents: Documents) -> Fields:
    image = part.get("image_url")
    made = {"url": image} if isinstance(image, str) else image
    return {"type": "image_url", "image_url": made}


def _file(part: Fields, documents: Documents) -> Fields | None:
    file = part.get("file") or {}
    media, text = opened(file, "Cohere")
    if text is None:
        url = f"data:{media.media_type};base64,{media.data}"
        return {"type": "image_url", "image_url": {"url": url}}
    title = {"title": file["filename"]} if file.get("filename") else {}
    documents.append({"id": f"doc:{len(documents)}", "data": {**title, "text": text}})
    return None


def _sound(part: Fields, documents: Documents) -> Fields:
    message = f"`messages`: Cohere's chat takes no {part['type']}."
    raise RequestError(message, param="messages")


PARTS: dict[str, Callable[[Fields, Documents], Fields | None]] = {
    "refusal": _refusal,
    "image_url": _image,
    "file": _file,
    "input_audio": _sound,
    "video_url": _sound,
}
"""By type; others stay as they are."""
