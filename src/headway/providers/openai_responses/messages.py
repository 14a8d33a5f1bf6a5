"""OpenAI's chat messages as input items of its Responses API
(platform.openai.com/docs/guides/migrate-to-responses).

Rules of this file: a message becomes an item, an assistant's also one for each thought, call and
item of another kind that it was given out with, in their order; parts of a type that chat does not
have go through as they are. Nothing refers to what the provider stored: thoughts go back whole, or
not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from headway.errors import RequestError
from headway.providers.openai_responses.output_items import FORMAT
from headway.types import ChatRequest

Item = dict[str, Any]


class Words(Struct, frozen=True):
    """Where one of several messages stood in an answer, and how much of its text is this one's."""

    index: int
    length: int
    phase: str | None = None


class Turn(Struct, frozen=True):
    """A message; its parts and calls are left as they came."""

    role: str
    content: str | list[Item] | None = None
    tool_calls: list[Item] | None = None
    tool_call_id: str | None = None
    function_call: Item | None = None
    refusal: str | None = None
    reasoning_details: list[Item] | None = None
    output_items: list[Item] | None = None
    """Items that chat has no word for, each with its ``index``, as in answers."""
    output_messages: list[Words] | None = None
    tool_namespaces: dict[str, str] = {}
    phase: str | None = None


class Place:
    """Where in the conversation we are."""

    __slots__ = ("calls", "custom")

    def __init__(self, custom: frozenset[str]) -> None:
        self.custom = custom
        """The names of tools that take free text; then the ids of their calls as well."""
        self.calls = 0
        """OpenAI's deprecated function calls, which have no ids: a result belongs to the last."""


_turns = msgspec.json.Decoder(list[Turn]).decode
_tools = msgspec.json.Decoder(list[Item]).decode


def conversation(request: ChatRequest) -> tuple[str | None, list[Item]]:
    """The instructions, which are a system message that stands first, and the input items. Raises
    msgspec.ValidationError, which names the place, or RequestError for what is no message."""
    turns = _turns(request.messages)
    instructions = _instructions(turns, request)
    place = Place(_custom(request))
    items: list[Item] = []
    for turn in turns if instructions is None else turns[1:]:
        read = ROLES.get(turn.role)
        if read is None:
            raise RequestError(f"`messages`: there is no role {turn.role!r}.", param="messages")
        items += read(turn, place)
    return instructions, items


def _instructions(turns: list[Turn], request: ChatRequest) -> str | None:
    if not turns or turns[0].role != "system" or "instructions" in request.parameters:
        return None
    content = turns[0].content
    return content if isinstance(content, str) and len(turns) > 1 else None


def _custom(request: ChatRequest) -> frozenset[str]:
    raw = request.parameters.get("tools")
    tools = [] if raw is None else _tools(raw)
    return frozenset(tool["name"] for tool in tools if tool.get("type") == "custom")


# --- Turns ----------------------------------------------------------------------------------------


def _said(turn: Turn, place: Place) -> list[Item]:
    content = _content(turn.content)
    return [{"type": "message", "role": turn.role, "content": content}] if content else []


def _answered(turn: Turn, place: Place) -> list[Item]:
    """An assistant's turn. Thoughts and other items know their places, and so do messages where
    there were several; what else it said, and then the calls that it made, take those that are
    left. A thought must stand right before what it led to, or the API refuses it."""
    words = list(_placed_words(turn))
    placed = [*_thoughts(turn.reasoning_details or ()), *(turn.output_items or ()), *words]
    placed.sort(key=_index)
    rest = [
        *([] if words else _words(turn.content, turn.refusal, turn.phase)),
        *_calls(turn, place),
    ]
    items: list[Item] = []
    while placed:
        if rest and _index(placed[0]) > len(items):
            items.append(rest.pop(0))
        else:
            items.append(_without(placed.pop(0), "index"))
    return [item for item in items if not _is_mere_summary(item)] + rest


def _index(item: Item) -> int:
    return item.get("index") or 0


def _thoughts(details: Iterable[Item]) -> list[Item]:
    """Thoughts of this API's, each put together again from its parts."""
    found: dict[Any, Item] = {}
    for detail in details:
        add = DETAILS.get(detail.get("type"))
        if detail.get("format") != FORMAT or add is None:
            continue
        key = (detail.get("index"), detail.get("id"))
        if key not in found:
            found[key] = {"type": "reasoning", "id": key[1], "summary": [], "index": _index(detail)}
        add(found[key], detail)
    return [{k: v for k, v in item.items() if v is not None} for item in found.values()]


def _is_mere_summary(item: Item) -> bool:
    """A thought like that keeps its place, but is not sent back: without its encrypted or its plain
    text there is nothing to go on from."""
    return item.get("type") == "reasoning" and not {"encrypted_content", "content"} & item.keys()


def _add_summary(item: Item, detail: Item) -> None:
    item["summary"].append({"type": "summary_text", "text": detail.get("summary")})


def _add_text(item: Item, detail: Item) -> None:
    text = {"type": "reasoning_text", "text": detail.get("text")}
    item.setdefault("content", []).append(text)


def _add_encrypted(item: Item, detail: Item) -> None:
    item["encrypted_content"] = detail.get("data")


DETAILS: dict[Any, Callable[[Item, Item], None]] = {
    "reasoning.summary": _add_summary,
    "reasoning.text": _add_text,
    "reasoning.encrypted": _add_encrypted,
}


def _placed_words(turn: Turn) -> Iterator[Item]:
    """The text cut into the messages that it came in, unless it is another one now. A refusal is
    the last thing said."""
    text, places = turn.content or "", turn.output_messages or []
    if not isinstance(text, str) or sum(place.length for place in places) != len(text):
        return
    start = 0
    for place in places:
        refusal = turn.refusal if place is places[-1] else None
        for message in _words(text[start : start + place.length], refusal, place.phase):
            yield {**message, "index": place.index}
        start += place.length


def _words(content: str | list[Item] | None, refusal: str | None, phase: str | None) -> list[Item]:
    if refusal:
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        content = [*parts, {"type": "refusal", "refusal": refusal}]
    if isinstance(content, list):
        content = [_output(part) for part in content if part.get("text") or part.get("refusal")]
    if not content:
        return []
    message = {"type": "message", "role": "assistant", "content": content}
    return [message if phase is None else {**message, "phase": phase}]


def _output(part: Item) -> Item:
    """A part of what the assistant said, which has types of its own here."""
    is_text = part.get("type") == "text"
    return {"type": "output_text", "text": part["text"]} if is_text else _as_it_is(part)


def _calls(turn: Turn, place: Place) -> Iterator[Item]:
    for call in turn.tool_calls or ():
        yield _call(call, turn, place)
    if turn.function_call is not None:
        place.calls += 1
        made = {"id": f"function_call_{place.calls}", "function": turn.function_call}
        yield _call(made, turn, place)


def _call(call: Item, turn: Turn, place: Place) -> Item:
    said = call.get("custom") or call["function"]
    name, call_id = said["name"], call["id"]
    if "custom" in call or name in place.custom:
        place.custom |= {call_id}
        text = said.get("input", said.get("arguments"))
        return {"type": "custom_tool_call", "call_id": call_id, "name": name, "input": text}
    arguments = said.get("arguments") or "{}"
    item = {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
    space = turn.tool_namespaces.get(call_id)
    return item if space is None else {**item, "namespace": space}


def _resulted(turn: Turn, place: Place) -> list[Item]:
    call_id = turn.tool_call_id or f"function_call_{place.calls}"
    kind = "custom_tool_call_output" if call_id in place.custom else "function_call_output"
    return [{"type": kind, "call_id": call_id, "output": _content(turn.content) or ""}]


ROLES: dict[str, Callable[[Turn, Place], list[Item]]] = {
    "system": _said,
    "developer": _said,
    "user": _said,
    "assistant": _answered,
    "tool": _resulted,
    "function": _resulted,
}


# --- Parts ----------------------------------------------------------------------------------------


def _content(content: str | list[Item] | None) -> str | list[Item] | None:
    if not isinstance(content, list):
        return content
    return [PARTS.get(part.get("type"), _as_it_is)(part) for part in content]


def _as_it_is(part: Item) -> Item:
    return _without(part, "cache_control")


def _text(part: Item) -> Item:
    return {**_rest(part), "type": "input_text"}


def _image(part: Item) -> Item:
    image = part.get("image_url")
    fields = {"image_url": image} if isinstance(image, str) else dict(image or {})
    if "url" in fields:
        fields["image_url"] = fields.pop("url")
    if not isinstance(fields.get("image_url"), str):
        raise RequestError("`messages`: an image_url part has no url.", param="messages")
    return {**_rest(part, "image_url"), "type": "input_image", **fields}


def _file(part: Item) -> Item:
    """A document by its id, in base64, or where it is."""
    fields = dict(part.get("file") or {})
    data = fields.get("file_data")
    if isinstance(data, str) and data.startswith(("http://", "https://")):
        fields["file_url"] = fields.pop("file_data")
        fields.pop("filename", None)  # only goes with data
    return {**_rest(part, "file"), "type": "input_file", **fields}


def _rest(part: Item, *names: str) -> Item:
    """Without marks for other vendors' caches: here caching is automatic."""
    return _without(part, "type", "cache_control", *names)


def _without(part: Item, *names: str) -> Item:
    return {k: v for k, v in part.items() if k not in names}


PARTS: dict[Any, Callable[[Item], Item]] = {
    "text": _text,
    "image_url": _image,
    "file": _file,
}
