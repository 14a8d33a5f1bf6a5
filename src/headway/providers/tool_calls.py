"""Tool calls in responses, as every client gets them: with an id, a name, a position that counts
from 0, and arguments that are the text of a JSON object.

What providers leave out or write differently is supplied here. Only an object that a model wrote
wrongly, or did not finish, stays as it is: its first part may have been sent already.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw

from headway.events import Event, ToolArguments, ToolStarted

EMPTY = "{}"
WRAPPED = "arguments"
"""The name that a value gets which is no object and has to be one."""

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class ToolCalls:
    """The calls of choice ``index`` of a response."""

    __slots__ = ("_calls", "_index", "seed")

    def __init__(self, index: int = 0, seed: str | None = None) -> None:
        self._index = index
        self._calls: list[OpenCall] = []
        self.seed = seed or ""
        """What distinguishes the response from others, such as its id."""

    @property
    def count(self) -> int:
        return len(self._calls)

    def start(
        self,
        call_id: str | int | float | None,
        name: str | int | float | None,
        events: list[Event],
        is_text: bool = False,
    ) -> OpenCall:
        """Begin the next call and append its event. An id is made where the provider gave none, or
        that of another call. ``is_text`` says that the tool takes free text. Raises ValueError for
        a call without a name."""
        if name is None or name == "":
            raise ValueError("a tool call without a name")
        position, used = len(self._calls), [call.call_id for call in self._calls]
        given = "" if call_id is None else str(call_id)
        if not given or given in used:
            given = make_call_id(f"{self.seed}/{name}", self._index, position)
        call = OpenCall(position, self._index, given, is_text)
        self._calls.append(call)
        events.append(ToolStarted(position, given, str(name), self._index))
        return call

    def add_whole(
        self,
        call_id: str | int | float | None,
        name: str | int | float | None,
        arguments: Raw,
        events: list[Event],
    ) -> str | None:
        """Append the events of a call that came whole, with its arguments as any JSON value.
        Returns its id; None for a call that says nothing. Raises ValueError for another one without
        a name."""
        text = msgspec.json.format(arguments, indent=-1).decode() if arguments else ""
        if not (name or call_id) and object_text(text) == EMPTY:
            return None
        call = self.start(call_id, name, events)
        call.add(text, events)
        call.close(events)
        return call.call_id

    def close(self, events: list[Event]) -> None:
        """Append what the calls still lack when the choice ends."""
        for call in self._calls:
            call.close(events)


class OpenCall:
    """A call whose arguments arrive."""

    __slots__ = ("_held", "_index", "_is_legacy", "call_id", "has_started", "position")

    def __init__(
        self,
        position: int,
        index: int,
        call_id: str,
        is_text: bool = False,
        is_legacy: bool = False,
    ) -> None:
        self.position = position
        self.call_id = call_id
        self._index = index
        self._is_legacy = is_legacy
        self.has_started = is_text
        """The beginning of the arguments was sent."""
        self._held = ""
        """Text that is not sent yet, because it may not be the beginning of an object."""

    def add(self, text: str, events: list[Event], is_start: bool = False) -> bool:
        """Append the event of a piece of the arguments. Returns False where its text differs.
        ``is_start`` says that it came with the name: some providers send ``{}`` there before the
        arguments (github.com/microsoft/autogen/pull/7549), so that it waits for what follows."""
        if self.has_started:
            events.append(self._arguments(text))
            return True
        if self._held.strip() == EMPTY and text.strip():
            self._held = ""
        whole = self._held + text
        waits = (is_start or bool(self._held)) and whole.strip() == EMPTY
        self.has_started = whole.lstrip()[:1] == "{" and not waits
        self._held = "" if self.has_started else whole
        if self.has_started:
            events.append(self._arguments(whole))
        return self.has_started and whole == text

    def close(self, events: list[Event]) -> bool:
        """Append what is still missing of the arguments. Returns whether there was anything."""
        if self.has_started:
            return False
        self.has_started = True
        events.append(self._arguments(object_text(self._held)))
        return True

    def _arguments(self, text: str) -> ToolArguments:
        return ToolArguments(self.position, text, self._index, self._is_legacy)


def make_call_id(seed: str, index: int, position: int) -> str:
    """An id of at most 40 letters, digits and underscores, the limit of OpenAI; always the same for
    the same response."""
    return f"call_{position}_{sha256(f'{seed}/{index}'.encode()).hexdigest()[:24]}"


def arguments_text(value: Any) -> str:
    """The text of arguments that came as any JSON value, decoded."""
    if isinstance(value, str):
        return value
    return "" if value is None else _encode(value).decode()


def is_object(text: str) -> bool:
    """Whether ``text`` is a whole JSON object."""
    try:
        _object(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        return False
    return True


def object_text(text: str) -> str:
    """The text of a JSON object for whole arguments: themselves, the object in a string of them,
    or, of any other value or text that says something, an object around it."""
    if is_object(text):
        return text
    try:
        value = _any(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        return _wrapped(text) if text.strip() else EMPTY
    if isinstance(value, str):
        return object_text(value)
    return _wrapped(Raw(text.encode())) if value else EMPTY


def _wrapped(value: str | Raw) -> str:
    return _encode({WRAPPED: value}).decode()
