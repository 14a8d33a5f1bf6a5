"""Tool calls in responses with OpenAI's wire format.

OpenAI sends a call in fragments keyed by ``index``: the first with id and name, the others with
pieces of the arguments. Vendors with the same format differ:

- they omit the index, or give every call the same one: a call ends where its arguments are whole
  (github.com/open-webui/open-webui/pull/22235);
- they tell the name and the id again in every fragment (NVIDIA, Fireworks:
  github.com/NousResearch/hermes-agent/pull/12230), later than the arguments, or not at all;
- they write the arguments as an object, or as null.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct

from headway.events import Event, ToolArguments, ToolStarted
from headway.providers.tool_calls import EMPTY, OpenCall, ToolCalls, arguments_text, is_object

Scalar = str | int | float | bool | None
Arguments = str | dict[str, Raw] | list[Any] | int | float | bool | None
"""The JSON text; some vendors send the object itself."""


class CalledFunction(Struct):
    name: Scalar = None
    arguments: Arguments = None


class CalledCustomTool(Struct):
    """A custom tool takes free text instead of JSON."""

    name: Scalar = None
    input: Arguments = None


class ToolCallDelta(Struct):
    """A fragment of a tool call, or the whole call."""

    index: Scalar = None
    id: Scalar = None
    type: Scalar = None
    function: CalledFunction | list[Any] | Scalar = None
    custom: CalledCustomTool | list[Any] | Scalar = None


class Fragment(Struct, gc=False):
    """What a fragment says, whatever its form. Texts are empty where it says nothing."""

    call_id: str
    name: str
    text: str
    is_text: bool = False
    """The tool takes free text."""
    is_plain: bool = True
    """The arguments are a text, as OpenAI's are, or absent."""

    @property
    def says_anything(self) -> bool:
        return bool(self.call_id or self.name or self.text)


class CallDraft:
    """A call while its fragments arrive. It begins for the client when id and name are known."""

    __slots__ = ("call_id", "is_legacy", "is_text", "name", "opened", "texts")

    def __init__(self, is_text: bool = False, name: str = "", is_legacy: bool = False) -> None:
        self.call_id = ""
        self.name = name
        self.is_text = is_text
        self.is_legacy = is_legacy
        """It is OpenAI's deprecated ``function_call``, which has no id."""
        self.texts: list[str] = []
        """The arguments so far."""
        self.opened: OpenCall | None = None

    def continues(self, fragment: Fragment) -> bool:
        """Whether ``fragment`` belongs to this call, and does not begin the next one."""
        call_id, name, text = fragment.call_id, fragment.name, fragment.text
        has_other_id = bool(call_id and self.call_id and call_id != self.call_id)
        has_other_name = bool(name and self.name and name != self.name)
        if self.is_text or (has_other_id and has_other_name):
            return not (has_other_id or has_other_name)
        if not (call_id or name):
            return text.lstrip()[:1] != "{" or self.is_empty() or not self.is_whole()
        if self.texts and not self.is_whole():
            return True
        if text and self.texts:
            is_same = bool(call_id) and call_id == self.call_id
            return is_same and (self.is_empty() or text == "".join(self.texts))
        return not (has_other_name or (has_other_id and name))

    def is_whole(self) -> bool:
        """Whether the arguments so far are a whole object."""
        last = self.texts[-1].rstrip() if self.texts else ""
        return last[-1:] == "}" and is_object("".join(self.texts))

    def is_empty(self) -> bool:
        return "".join(self.texts).strip() == EMPTY


class ChoiceCalls:
    """The tool calls of one choice. ``seed`` distinguishes the response from others."""

    __slots__ = ("_by_place", "_calls", "_drafts", "_growing", "_index")

    def __init__(self, index: int, seed: str) -> None:
        self._index = index
        self._calls = ToolCalls(index, seed)
        self._by_place: dict[int, CallDraft] = {}
        """By the index on the wire, or by the place in the list."""
        self._drafts: list[CallDraft] = []
        self._growing: dict[int, list[str]] = {}
        """Index on the wire, where the client's is the same -> the arguments so far of a call that
        has some."""

    @property
    def has_calls(self) -> bool:
        return any(draft.opened is not None for draft in self._drafts)

    def read_delta(
        self,
        fragments: list[ToolCallDelta] | None,
        function: CalledFunction | None,
        events: list[Event],
    ) -> bool:
        """Append the events of a delta's ``tool_calls`` and ``function_call``. Returns whether they
        say what the delta says."""
        says_same = True
        is_alone = fragments is not None and len(fragments) == 1
        for place, delta in enumerate(fragments or ()):
            if not self._continue(delta, events):
                says_same &= self._read(delta, place, is_alone, events)
        if function is not None:
            says_same &= self._read_function(function, events)
        return says_same

    def read_message(
        self,
        given: list[ToolCallDelta] | None,
        function: CalledFunction | None,
        events: list[Event],
    ) -> None:
        """Append the events of a whole message's ``tool_calls`` and ``function_call``."""
        for fragment in map(read_fragment, given or ()):
            if fragment.says_anything:
                draft = self._add(fragment)
                _fill(draft, fragment)
                if draft.name:
                    self._open(draft, events).close(events)
        if function is not None:
            self._read_function(function, events)

    def close(self, events: list[Event], is_cut: bool = False) -> bool:
        """Append what is missing of the calls when the choice ends. Returns whether there was
        anything. ``is_cut`` says that the model was stopped. Raises ValueError for arguments of a
        call that never got a name."""
        size = len(events)
        before: CallDraft | None = None
        for draft in self._drafts:
            if draft.name:
                before = draft
                if draft.opened is None:
                    self._open(draft, events)
            else:
                text = "" if is_cut else "".join(draft.texts)
                draft.texts = []
                _give(text, before, events)
        for draft in self._drafts:
            if draft.opened is not None:
                draft.opened.close(events)
        return len(events) > size

    def _continue(self, delta: ToolCallDelta, events: list[Event]) -> bool:
        """Read what most fragments are: a piece of arguments for a call that has some already.
        Returns False for any other."""
        function, index = delta.function, delta.index
        if delta.id is not None or type(function) is not CalledFunction or type(index) is not int:
            return False
        text, texts = function.arguments, self._growing.get(index)
        if texts is None or function.name is not None or type(text) is not str:
            return False
        if not text or text[0] in "{ \t\r\n":
            return False
        texts.append(text)
        events.append(ToolArguments(index, text, self._index))
        return True

    def _read(self, delta: ToolCallDelta, place: int, is_alone: bool, events: list[Event]) -> bool:
        """Append the events of a fragment to ``events``. ``place`` is its position in its list,
        ``is_alone`` says that it is the only one. Returns whether the events say what it says."""
        fragment = read_fragment(delta)
        index = _index(delta.index)
        draft = self._find(fragment, index, place, is_alone)
        if draft is not None and draft.continues(fragment):
            is_repeated = bool(fragment.call_id or fragment.name)
            says_same = _fill(draft, fragment) and fragment.is_plain and not is_repeated
        elif fragment.says_anything:
            name = "" if draft is None or fragment.call_id or fragment.name else draft.name
            at = place if index is None else index
            self._growing.pop(at, None)
            draft = self._by_place[at] = self._add(fragment, name)
            _fill(draft, fragment)
            says_same = fragment.is_plain and _is_standard_start(delta)
        else:
            return False
        says_same &= self._send(draft, fragment, events)
        opened = draft.opened
        if opened is None or opened.position != index or type(delta.index) is not int:
            return False
        if opened.has_started and not draft.is_text:
            self._growing[opened.position] = draft.texts
        return says_same

    def _read_function(self, function: CalledFunction, events: list[Event]) -> bool:
        """As ``read_delta``, of the deprecated ``function_call``; some servers send it beside
        ``tool_calls``."""
        fragment = _fragment(None, function.name, function.arguments)
        if any(not draft.is_legacy for draft in self._drafts):
            return False
        is_new = not self._drafts
        draft = CallDraft(is_legacy=True) if is_new else self._drafts[0]
        self._drafts[:] = [draft]
        _fill(draft, fragment)
        says_same = self._send(draft, fragment, events) and fragment.is_plain
        return says_same and (is_new or not fragment.name)

    def _find(
        self, fragment: Fragment, index: int | None, place: int, is_alone: bool
    ) -> CallDraft | None:
        """The call that the fragment may belong to."""
        if index is not None:
            return self._by_place.get(index)
        if is_alone and self._drafts and not (fragment.call_id or fragment.name):
            return self._drafts[-1]
        same = [draft for draft in self._drafts if draft.call_id == fragment.call_id]
        return same[-1] if same and fragment.call_id else self._by_place.get(place)

    def _add(self, fragment: Fragment, name: str = "") -> CallDraft:
        draft = CallDraft(fragment.is_text, name)
        self._drafts.append(draft)
        return draft

    def _send(self, draft: CallDraft, fragment: Fragment, events: list[Event]) -> bool:
        """Append the events of what is known of the call now. Returns False where they say less
        than the fragment, or more."""
        if draft.opened is not None:
            return not fragment.text or draft.opened.add(fragment.text, events)
        if not draft.name or not (draft.call_id or draft.is_legacy):
            return False
        opened = self._open(draft, events)
        is_held = bool(fragment.text) and not opened.has_started
        has_id = draft.is_legacy or opened.call_id == draft.call_id
        return has_id and not is_held and "".join(draft.texts) == fragment.text

    def _open(self, draft: CallDraft, events: list[Event]) -> OpenCall:
        if draft.is_legacy:
            events.append(ToolStarted(0, "", draft.name, self._index, legacy=True))
            draft.opened = OpenCall(0, self._index, "", is_legacy=True)
        else:
            draft.opened = self._calls.start(draft.call_id, draft.name, events, draft.is_text)
        if draft.texts:
            draft.opened.add("".join(draft.texts), events, is_start=True)
        return draft.opened


def read_fragment(delta: ToolCallDelta) -> Fragment:
    """What a fragment says."""
    function, custom = delta.function, delta.custom
    if isinstance(function, CalledFunction):
        return _fragment(delta.id, function.name, function.arguments)
    if isinstance(custom, CalledCustomTool):
        return _fragment(delta.id, custom.name, custom.input, is_text=True)
    return _fragment(delta.id, None, None)


def _fragment(
    call_id: Scalar, name: Scalar, arguments: Arguments, is_text: bool = False
) -> Fragment:
    is_plain = arguments is None or type(arguments) is str
    return Fragment(_text(call_id), _text(name), arguments_text(arguments), is_text, is_plain)


def _index(value: Scalar) -> int | None:
    """The position that ``index`` tells, in whatever form; None if none."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    is_position = isinstance(value, int | float) and value >= 0 and not isinstance(value, bool)
    return int(value) if is_position else None  # type: ignore[arg-type]


def _text(value: Scalar) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _fill(draft: CallDraft, fragment: Fragment) -> bool:
    """Add to the call what the fragment says, and remove from the fragment what is told again.
    Returns whether all was new."""
    draft.call_id = draft.call_id or fragment.call_id
    draft.name = draft.name or fragment.name
    if not fragment.text:
        return True
    if fragment.call_id and draft.is_whole() and fragment.text == "".join(draft.texts):
        fragment.text = ""
        return False
    draft.texts.append(fragment.text)
    return True


def _give(text: str, before: CallDraft | None, events: list[Event]) -> None:
    """Add arguments of a call without a name to the call before it, if that lacks some: they had
    another index."""
    if not text.strip():
        return
    if before is None or before.opened is None or before.is_whole():
        raise ValueError("a tool call without a name")
    before.texts.append(text)
    before.opened.add(text, events)


def _is_standard_start(delta: ToolCallDelta) -> bool:
    """Whether the first fragment has all that OpenAI's have: clients read no less."""
    function, custom = delta.function, delta.custom
    if isinstance(function, CalledFunction):
        given: tuple[Any, ...] = (delta.id, function.name, function.arguments)
    elif isinstance(custom, CalledCustomTool):
        given = (delta.id, custom.name, custom.input)
    else:
        return False
    return delta.type in ("function", "custom") and all(type(each) is str for each in given)
