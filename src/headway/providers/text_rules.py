"""Transforms of wire rules about the texts of messages and stop sequences."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.message_edits import Fields, Noted, edit_messages
from headway.providers.message_scan import EMPTY, SYSTEM_ROLES
from headway.providers.transformations import dropped, emulated
from headway.providers.wire_rules import Adapt, Adapted
from headway.types import ChatRequest

BLANK_TEXT = re.compile(
    rb'"(?:text|content)"\s*:\s*(?:\[\s*\]|'
    rb'"(?: |\\[nrtf]|\\u[0-9a-fA-F]{4}|[\xc2\xe1-\xe3][\x80-\xbf]+)*")'
)
"""Text or content that may be empty or only white space: escapes and characters beyond ASCII are
judged after decoding."""
EMPTY_MESSAGE = "(empty message)"
"""Stands for a message of the user without content, so that the roles still alternate and the turn
stays the user's."""
AS_EMPTY_MESSAGE = emulated("messages[].content", f"an empty message as {EMPTY_MESSAGE!r}")
BLANK_DROPPED = dropped("messages[].content", "text that is only white space")
END_TRIMMED = dropped("messages[].content", "white space at the end of the last message")
CONTINUE = "Continue your last message exactly where it ends. Repeat nothing of it."
"""The message of the user that asks a model without prefill to continue its own message."""
PREFILL_EMULATED = emulated("messages", "the continued answer, by asking the model to continue")
JOINED = emulated("messages[].content", "text parts joined to one string")
EMPTY_DROPPED = dropped("messages[]", "a message without content")

NULL = Raw(b"null")

_encode = msgspec.json.Encoder().encode
_any = msgspec.json.Decoder().decode


# --- Blank texts ----------------------------------------------------------------------------------


def remove_blank_texts(request: ChatRequest) -> Adapted:
    """Leave out texts that are only white space. A message of the user with nothing else says that
    it is empty: without it, the turn would be the assistant's."""
    if BLANK_TEXT.search(bytes(request.messages)) is None:
        return request, ()
    return edit_messages(request, _without_blanks)


def _without_blanks(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    kept = [_without_blank_texts(message, noted) for message in messages]
    for place, message in enumerate(kept):
        if message["content"] == "" and _is_a_turn(message, kept[:place][-1:], kept[place + 1 :]):
            noted[AS_EMPTY_MESSAGE] = None
            kept[place] = {**message, "content": EMPTY_MESSAGE}
    return kept if kept != messages else None


def _without_blank_texts(message: Fields, noted: Noted) -> Fields:
    content = message.get("content")
    rest: Any = content or ""
    if isinstance(content, str):
        rest = content if content.strip() else ""
    elif content:
        rest = [part for part in content if not _is_blank(part)] or ""
    if rest != content and _has_white_space(content):
        noted[BLANK_DROPPED] = None
    return {**message, "content": rest}


def _is_a_turn(message: Fields, before: list[Fields], after: list[Fields]) -> bool:
    """Whether it is the user's, between messages of the assistant: they would be one without it."""
    neighbours = [*before, *[each for each in after if each.get("role") not in SYSTEM_ROLES][:1]]
    roles = {each.get("role") for each in neighbours}
    return message.get("role") == "user" and not roles & {"user", "tool", "function"}


def _is_blank(part: Fields) -> bool:
    return part.get("type") == "text" and not (part.get("text") or "").strip()


def _has_white_space(content: Any) -> bool:
    """An empty text says nothing, so that leaving it out is no transformation."""
    texts = [content] if isinstance(content, str) else [p.get("text") for p in content or ()]
    return any(text and not text.strip() for text in texts)


def drop_empty_answers(request: ChatRequest) -> Adapted:
    """Leave out messages of the assistant and of the system that say nothing."""
    if BLANK_TEXT.search(bytes(request.messages)) is None:
        return request, ()
    return edit_messages(request, _without_empty_answers)


def _without_empty_answers(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    kept = [message for message in messages if not _says_nothing(message)]
    if len(kept) == len(messages):
        return None
    noted[EMPTY_DROPPED] = None
    return kept


def _says_nothing(message: Fields) -> bool:
    """Any other field, such as calls, a refusal or reasoning, says something."""
    rest = (value for name, value in message.items() if name not in ("role", "name", "content"))
    has_role = message.get("role") in ("assistant", *SYSTEM_ROLES)
    return has_role and _is_empty(message.get("content")) and not any(map(_is_given, rest))


def _is_empty(content: Any) -> bool:
    if isinstance(content, list):
        return all(part.get("type") == "text" and not part.get("text") for part in content)
    return not content


def _is_given(value: Any) -> bool:
    return bytes(value) not in EMPTY if isinstance(value, Raw) else bool(value)


def fill_empty_messages(request: ChatRequest) -> Adapted:
    """A message of the user without a text says that it is empty, for providers that take no empty
    ones."""
    if BLANK_TEXT.search(bytes(request.messages)) is None:
        return request, ()
    return edit_messages(request, _with_filled_messages)


def _with_filled_messages(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    filled = [
        {**message, "content": EMPTY_MESSAGE}
        if message.get("role") == "user" and _is_empty(message.get("content"))
        else message
        for message in messages
    ]
    if filled == messages:
        return None
    noted[AS_EMPTY_MESSAGE] = None
    return filled


# --- The last message -----------------------------------------------------------------------------


def trim_last_message(request: ChatRequest) -> Adapted:
    """Remove white space from the end of the last message if it is the assistant's, and the whole
    message if it is nothing else."""
    if b'"assistant"' not in bytes(request.messages):
        return request, ()
    return edit_messages(request, _with_trimmed_end)


def _with_trimmed_end(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    place = last_assistant(messages)
    if place is None:
        return None
    message = messages[place]
    content = message.get("content")
    if isinstance(content, str):
        trimmed: Any = content.rstrip()
    elif content and content[-1].get("type") == "text":
        text = content[-1].get("text") or ""
        trimmed = [*content[:-1], {**content[-1], "text": text.rstrip()}]
    else:
        return None
    if trimmed == content:
        return None
    noted[END_TRIMMED] = None
    rest = [] if _is_empty(trimmed) else [{**message, "content": trimmed}]
    return [*messages[:place], *rest, *messages[place + 1 :]]


def last_assistant(messages: list[Fields]) -> int | None:
    """The position of the last message besides those of the system, if it is the assistant's and
    asks for no tool call."""
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if message.get("role") not in SYSTEM_ROLES:
            has_calls = message.get("tool_calls") or message.get("function_call")
            return place if message.get("role") == "assistant" and not has_calls else None
    return None


def continue_by_request(request: ChatRequest) -> Adapted:
    """Ask for the continuation of a last message of the assistant, for models that cannot continue
    it themselves. A message that is marked as the prefix of its continuation stays the last."""
    if b'"assistant"' not in bytes(request.messages):
        return request, ()
    return edit_messages(request, _with_continuation)


def _with_continuation(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    place = last_assistant(messages)
    if place is None or messages[place].get("prefix"):
        return None
    noted[PREFILL_EMULATED] = None
    return [
        *messages[: place + 1],
        {"role": "user", "content": CONTINUE},
        *messages[place + 1 :],
    ]


# --- Lists of text parts --------------------------------------------------------------------------

PARTS = re.compile(rb'"content"\s*:\s*\[')
TEXT_TYPES = ("text", "refusal")
"""The types of parts that are texts, which are also the names of the field with the text."""


def join_text_parts(request: ChatRequest) -> Adapted:
    """Content that is a list of texts and refusals alone as one string, for vendors that take
    strings only."""
    if PARTS.search(bytes(request.messages)) is None:
        return request, ()
    return edit_messages(request, _with_joined_parts)


def _with_joined_parts(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    joined = [_joined(message, noted) for message in messages]
    return joined if joined != messages else None


def _joined(message: Fields, noted: Noted) -> Fields:
    parts = message.get("content")
    if not isinstance(parts, list) or any(part.get("type") not in TEXT_TYPES for part in parts):
        return message
    noted[JOINED] = None
    for name in (name for part in parts for name in part if name not in ("type", *TEXT_TYPES)):
        noted[dropped(f"messages[].content[].{name}", "the content is sent as a string")] = None
    texts = (part.get(part["type"]) or "" for part in parts)
    return {**message, "content": "".join(texts)}


# --- Stop sequences -------------------------------------------------------------------------------


def drop_blank_stops(request: ChatRequest) -> Adapted:
    """Leave out stop sequences that are only white space."""
    return _drop_stops(request, lambda text: not text.strip(), "only white space")


def drop_empty_stops(request: ChatRequest) -> Adapted:
    """Leave out empty stop sequences, which would stop before the first token."""
    return _drop_stops(request, lambda text: not text, "empty")


def _drop_stops(request: ChatRequest, is_unfit: Callable[[str], bool], reason: str) -> Adapted:
    raw = request.parameters.get("stop")
    if raw is None:
        return request, ()
    given = _any(raw)
    stops = [given] if isinstance(given, str) else given or []
    kept = [stop for stop in stops if not (isinstance(stop, str) and is_unfit(stop))]
    if len(kept) == len(stops):
        return request, ()
    parameters = {name: value for name, value in request.parameters.items() if name != "stop"}
    if kept:
        parameters["stop"] = Raw(_encode(kept))
    return replace(request, parameters=parameters), (dropped("stop", f"a sequence is {reason}"),)


def drop_stops(reason: str) -> Adapt:
    """Leave out stop sequences, for models that have none."""

    def drop(request: ChatRequest) -> Adapted:
        if request.parameters.get("stop") in (None, NULL):
            return request, ()
        parameters = {name: raw for name, raw in request.parameters.items() if name != "stop"}
        return replace(request, parameters=parameters), (dropped("stop", reason),)

    return drop


def limit_stops(title: str, maximum: int) -> Adapt:
    """Refuse more than ``maximum`` stop sequences: without some of them, the answer would be
    another."""

    def limit(request: ChatRequest) -> Adapted:
        raw = request.parameters.get("stop")
        stops = None if raw is None else _any(raw)
        if isinstance(stops, list) and len(stops) > maximum:
            message = f"`stop`: {title} takes at most {maximum} sequences; these are {len(stops)}."
            raise RequestError(message, param="stop")
        return request, ()

    return limit
