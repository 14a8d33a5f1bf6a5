"""Rules about the results of tool calls: some providers require one for each call, right after it,
and take no other.

A conversation loses calls or results when a client shortens it. The ids are distinct here
(``call_id_rules``), so that a result belongs to one call.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.call_id_rules import ScannedCall, native_call_ids
from headway.providers.message_edits import Fields, Noted, edit_messages
from headway.providers.request_draft import has_any
from headway.providers.transformations import emulated
from headway.providers.wire_rules import Adapted, Rule, mended
from headway.types import ChatRequest

NO_RESULT = "(no result)"
RESULT = "Result of a tool call:"
"""Precedes the text of a result that belongs to no call."""
MARKERS = (b'"tool_calls"', b'"tool_call_id"', b'"tool"', b'"function_call"', b'"function"')
WITHOUT_CALL = emulated("messages[].tool_call_id", "a result of no call, as text of the user")
WITHOUT_RESULT = emulated("messages[].tool_calls", f"a call without a result, with {NO_RESULT!r}")
MOVED = emulated("messages", "results of tool calls moved to their calls")
RESULT_ROLES = ("tool", "function")
RESULT_SUBJECTS = ("result_without_call", "call_without_result", "result_apart")


class ScannedMessage(Struct, gc=False):
    role: str = ""
    tool_calls: list[ScannedCall] | None = None
    tool_call_id: Any = None
    function_call: Any = None


_scan = msgspec.json.Decoder(list[ScannedMessage]).decode


def call_result_rules(source: str) -> tuple[Rule, ...]:
    """The rules of a provider that requires a result right after each call."""
    return tuple(mended(subject, pair_results, source) for subject in RESULT_SUBJECTS)


def pair_results(request: ChatRequest) -> Adapted:
    """One result for each call, right after it; a result of no call becomes text of the user."""
    if not has_any(request.messages, MARKERS) or _are_paired(request.messages):
        return request, ()
    return edit_messages(request, _with_pairs)


def _are_paired(messages: Raw) -> bool:
    waiting: list[Any] = []
    try:
        scanned = _scan(messages)
    except (msgspec.MsgspecError, RecursionError):
        return False
    for message in scanned:
        if message.role in RESULT_ROLES:
            call_id = message.tool_call_id if message.role == "tool" else None
            if call_id not in waiting:
                return False
            waiting.remove(call_id)
        elif waiting:
            return False
        else:
            waiting = [call.id for call in message.tool_calls or ()]
            waiting += [] if message.function_call is None else [None]
    return not waiting


def _with_pairs(messages: list[Fields], noted: Noted) -> list[Fields] | None:
    owners = _owners(messages)
    paired: list[Fields] = []
    for place, message in enumerate(messages):
        if message.get("role") in RESULT_ROLES:
            if place not in owners:
                noted[WITHOUT_CALL] = None
                paired.append(_as_text(message))
            continue
        paired.append(message)
        own = [at for at, owner in owners.items() if owner == place]
        if own and own != list(range(place + 1, place + 1 + len(own))):
            noted[MOVED] = None
        paired += [messages[at] for at in own]
        for missing in _missing_results(message, [messages[at] for at in own], messages[place:]):
            noted[WITHOUT_RESULT] = None
            paired.append(missing)
    return paired if noted else None


def _owners(messages: list[Fields]) -> dict[int, int]:
    """Place of a result -> place of the message that calls for it."""
    calling: dict[Any, int] = {}
    owners: dict[int, int] = {}
    for place, message in enumerate(messages):
        if message.get("role") in RESULT_ROLES:
            key = message.get("tool_call_id") if message.get("role") == "tool" else None
            if isinstance(key, str | None) and key in calling:
                owners[place] = calling.pop(key)
            continue
        calling.update(dict.fromkeys(call_ids(message), place))
        calling.update(dict.fromkeys(native_call_ids(message), place))
        if message.get("role") == "assistant":
            calling.pop(None, None)
            if message.get("function_call") is not None:
                calling[None] = place
    return owners


def call_ids(message: Fields) -> list[Any]:
    calls = message.get("tool_calls")
    given = calls if isinstance(calls, list) else []
    return [call.get("id") for call in given if isinstance(call, dict)]


def _missing_results(
    message: Fields, results: list[Fields], following: list[Fields]
) -> list[Fields]:
    answered = {result.get("tool_call_id") for result in results}
    answered.update(call_id for each in following for call_id in _native_results(each))
    missing = [
        {"role": "tool", "tool_call_id": call_id, "content": NO_RESULT}
        for call_id in call_ids(message)
        if call_id not in answered
    ]
    function = message.get("function_call")
    if isinstance(function, dict) and not results:
        missing.append({"role": "function", "name": function.get("name"), "content": NO_RESULT})
    return missing


def _native_results(message: Fields) -> list[Any]:
    """The ids of calls whose results are in the content, in the provider's own format."""
    content = message.get("content")
    parts = (
        [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    )
    own = [part.get("toolResult") for part in parts]
    ids = [result.get("toolUseId") for result in own if isinstance(result, dict)]
    return [*ids, *(part["tool_use_id"] for part in parts if "tool_use_id" in part)]


def _as_text(message: Fields) -> Fields:
    content = message.get("content") or ""
    if isinstance(content, str):
        return {"role": "user", "content": f"{RESULT}\n{content}"}
    return {"role": "user", "content": [{"type": "text", "text": RESULT}, *content]}
