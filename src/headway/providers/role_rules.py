"""Transforms of wire rules about the order of roles in a conversation."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from headway.providers.message_edits import Fields, Noted, edit_messages
from headway.providers.message_scan import SYSTEM_ROLES
from headway.providers.transformations import emulated
from headway.providers.wire_rules import Adapted
from headway.types import ChatRequest

TOOL_ROLES = ("tool", "function")
TOOL_ROLE = re.compile(rb'"(?:tool|function)"')
FIRST_ROLES = (*SYSTEM_ROLES, "user")
"""The roles that a system message may follow."""
START = "(start of the conversation)"
START_MESSAGE: Fields = {"role": "user", "content": START}
ACKNOWLEDGED = "Understood."
SYSTEM_AS_USER = emulated("messages", "a system message alone, as the user's")
STARTED = emulated("messages", f"a conversation that begins with the assistant, after {START!r}")
MERGED = emulated("messages", "messages of one role in a row, as one message")
SEPARATED = emulated("messages", f"the user's message after a tool's, behind {ACKNOWLEDGED!r}")
SYSTEM_FIRST = emulated("messages", "system messages moved before all others")


def last_system_as_user(request: ChatRequest) -> Adapted:
    """The last message as the user's where all are the system's, for providers that take no
    conversation without a message of the user."""
    raw = bytes(request.messages)
    if b'"user"' in raw or b'"assistant"' in raw:
        return request, ()
    return edit_messages(request, _with_user)


def _with_user(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    if not messages or any(message.get("role") not in SYSTEM_ROLES for message in messages):
        return None
    noted[SYSTEM_AS_USER] = None
    return [*messages[:-1], {**messages[-1], "role": "user"}]


def begin_with_user(request: ChatRequest) -> Adapted:
    """A message of the user before an assistant's that is the first."""
    if b'"assistant"' not in bytes(request.messages):
        return request, ()
    return edit_messages(request, _with_start)


def _with_start(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    for place, message in enumerate(messages):
        if message.get("role") == "assistant":
            noted[STARTED] = None
            return [*messages[:place], START_MESSAGE, *messages[place:]]
        if message.get("role") not in SYSTEM_ROLES:
            return None
    return None


def alternate_roles(request: ChatRequest) -> Adapted:
    """System messages first, and adjacent messages of the user, or of the assistant without tool
    calls, as one."""
    return edit_messages(request, _alternating)


def _alternating(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    is_system = [message.get("role") in SYSTEM_ROLES for message in messages]
    ordered = [m for m in messages if m.get("role") in SYSTEM_ROLES]
    if sorted(is_system, reverse=True) != is_system:
        noted[SYSTEM_FIRST] = None
    for message in (m for m in messages if m.get("role") not in SYSTEM_ROLES):
        if ordered and _may_be_one(ordered[-1], message):
            noted[MERGED] = None
            content = _joined(ordered[-1].get("content"), message.get("content"))
            ordered[-1] = {**ordered[-1], "content": content}
        else:
            ordered.append(message)
    return ordered if noted else None


def _may_be_one(first: Fields, second: Fields) -> bool:
    same = first.get("role") == second.get("role") in ("user", "assistant")
    return same and not (first.get("tool_calls") or second.get("tool_calls"))


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def move_system_first(request: ChatRequest) -> Adapted:
    """System messages before all others, where one comes after the assistant's or a tool's."""
    raw = bytes(request.messages)
    if b'"assistant"' not in raw or (b'"system"' not in raw and b'"developer"' not in raw):
        return request, ()
    return edit_messages(request, _with_system_first)


def _with_system_first(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    roles = [message.get("role") for message in messages]
    pairs = pairwise(roles)
    if not any(later in SYSTEM_ROLES and first not in FIRST_ROLES for first, later in pairs):
        return None
    noted[SYSTEM_FIRST] = None
    return sorted(messages, key=lambda message: message.get("role") not in SYSTEM_ROLES)


def answer_tools_first(request: ChatRequest) -> Adapted:
    """A message of the assistant between a tool's and the user's."""
    if TOOL_ROLE.search(bytes(request.messages)) is None:
        return request, ()
    return edit_messages(request, _with_answers)


def _with_answers(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    separated: list[Fields] = []
    for message in messages:
        after_tool = bool(separated) and separated[-1].get("role") in TOOL_ROLES
        if after_tool and message.get("role") == "user":
            noted[SEPARATED] = None
            separated.append({"role": "assistant", "content": ACKNOWLEDGED})
        separated.append(message)
    return separated if noted else None
