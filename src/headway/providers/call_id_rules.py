"""Rules about the ids of tool calls in a conversation, which another provider, or a client, made.

Ids are changed in order, from the messages before them alone: the beginning of a conversation is
sent the same on each turn, as prompt caches need it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.message_edits import Fields, Noted, edit_messages
from headway.providers.request_draft import has_any
from headway.providers.transformations import emulated
from headway.providers.wire_rules import Adapt, Adapted, Outcome, Rule
from headway.types import ChatRequest

CHANGED = emulated("messages[].tool_calls[].id", "as ids that the provider takes, each once")
MARKERS = (b'"tool_calls"', b'"tool_call_id"')
SAMPLES = {
    "call_id_other": "call_AbCdEfGhIjKlMnOpQrStUvWx",
    "call_id_characters": "functions.f:0",
    "call_ids_alike": "f:1",
    "call_id_long": "a" * 70,
}
"""Subject -> an id; a form that it fits allows the subject."""


class ScannedCall(Struct, gc=False):
    id: Any = None


class ScannedMessage(Struct, gc=False):
    role: str = ""
    tool_calls: list[ScannedCall] | None = None
    tool_call_id: Any = None


class IdForm(Struct, frozen=True, kw_only=True):
    """The ids that a wire format takes."""

    source: str
    pattern: str = r"(?s).+"
    """A regular expression that the whole id matches."""
    refused: str = ""
    """A regular expression of the characters that an underscore replaces."""
    made_length: int = 24
    """Digits of an id that is made."""
    made_prefix: str = "call_"
    is_unique: bool = True
    """An id may occur in one turn only; never twice in one."""
    unique_source: str = ""
    """Where it is another than ``source``."""

    def fits(self, call_id: str) -> bool:
        return re.fullmatch(self.pattern, call_id) is not None

    def fit(self, call_id: str) -> str:
        """The id itself, or one that resembles it, or one made of it."""
        if self.fits(call_id):
            return call_id
        cleaned = re.sub(self.refused, "_", call_id) if self.refused else ""
        return cleaned if self.fits(cleaned) else self.make(call_id)

    def make(self, seed: str) -> str:
        digits = sha256(seed.encode()).hexdigest()[: self.made_length]
        return self.made_prefix + digits


_scan = msgspec.json.Decoder(list[ScannedMessage]).decode
_any = msgspec.json.Decoder().decode


def call_id_rules(form: IdForm) -> tuple[Rule, ...]:
    """What a wire format does with ids that are not of its ``form``."""
    transform = partial(fit_call_ids, form)
    unique_source = form.unique_source or form.source
    rules = {subject: (not form.fits(sample), form.source) for subject, sample in SAMPLES.items()}
    rules["call_id_empty"] = (True, unique_source)
    rules["call_ids_repeated"] = (form.is_unique, unique_source)
    return tuple(_rule(subject, *rule, transform) for subject, rule in rules.items())


def _rule(subject: str, is_mended: bool, source: str, transform: Adapt) -> Rule:
    outcome: Outcome = "mended" if is_mended else "allowed"
    return Rule(
        subject=subject,
        outcome=outcome,
        source=source,
        transform=transform if is_mended else None,
        marks=MARKERS,
    )


def fit_call_ids(form: IdForm, request: ChatRequest) -> Adapted:
    """Ids of the ``form``, each once; a result refers to the same call as before."""
    if not has_any(request.messages, MARKERS) or _is_fit(form, request.messages):
        return request, ()
    return edit_messages(request, partial(_with_fit_ids, form))


def _is_fit(form: IdForm, messages: Raw) -> bool:
    """Whether all ids are of the form, distinct, and results refer to calls before them."""
    known: set[str] = set()
    try:
        scanned = _scan(messages)
    except (msgspec.MsgspecError, RecursionError):
        return False
    for message in scanned:
        turn: set[str] = set()
        for call in message.tool_calls or ():
            if type(call.id) is not str or not form.fits(call.id):
                return False
            if call.id in (known if form.is_unique else turn):
                return False
            known.add(call.id)
            turn.add(call.id)
        if message.role == "tool" and message.tool_call_id not in known:
            return False
    return True


def _with_fit_ids(form: IdForm, messages: list[Fields], noted: Noted) -> list[Fields] | None:
    renaming = Renaming(form)
    changed = [renaming.apply(message) for message in messages]
    if changed == messages:
        return None
    noted[CHANGED] = None
    return changed


class Renaming:
    """The ids of a conversation, and those that are sent for them."""

    def __init__(self, form: IdForm) -> None:
        self._form = form
        self._used: set[str] = set()
        self._sent: dict[str, str] = {}
        """The client's id -> what was sent for it last."""
        self._waiting: list[tuple[str, str]] = []
        """(the client's id, the sent one) of the last calls whose results have not come yet."""

    def apply(self, message: Fields) -> Fields:
        for call_id in native_call_ids(message):
            self._used.add(call_id)
            self._sent[call_id] = call_id
        calls = message.get("tool_calls")
        if isinstance(calls, list) and calls:
            self._waiting = []
            changed = [self._with_id(call) for call in calls]
            by_given = dict(reversed(self._waiting))
            return _with_references({**message, "tool_calls": changed}, by_given)
        if message.get("role") == "tool":
            given = message.get("tool_call_id")
            sent = self._of_result(_text(given))
            return message if given == sent else {**message, "tool_call_id": sent}
        return message

    def _with_id(self, call: Any) -> Any:
        if not isinstance(call, dict):
            return call
        given = _text(call.get("id"))
        sent = self._free_id(given)
        self._used.add(sent)
        self._sent[given] = sent
        self._waiting.append((given, sent))
        return call if call.get("id") == sent else {**call, "id": sent}

    def _free_id(self, given: str) -> str:
        fitted = self._form.fit(given) if given else ""
        is_of_this_turn = any(sent == fitted for _, sent in self._waiting)
        is_again = self._sent.get(given) == fitted and not (self._form.is_unique or is_of_this_turn)
        if given and (fitted not in self._used or is_again):
            return fitted
        count = 1
        while (made := self._form.make(f"{given}/{count}")) in self._used:
            count += 1
        return made

    def _of_result(self, given: str) -> str:
        """The id that was sent for the call: of the last calls first that with the same id, then
        one without an id, or any for a result without one."""
        for known, sent in self._waiting:
            if known == given or not given or (not known and given not in self._sent):
                self._waiting.remove((known, sent))
                return sent
        return self._sent.get(given) or (self._free_id(given) if given else "")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def native_call_ids(message: Fields) -> Iterator[str]:
    """The ids of calls that the client sends in the content, in the provider's own format."""
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict):
            use = part.get("toolUse")
            call_id = use.get("toolUseId") if isinstance(use, dict) else part.get("id")
            if isinstance(call_id, str) and (use or part.get("type") == "tool_use"):
                yield call_id


def _with_references(message: Fields, sent: dict[str, str]) -> Fields:
    """The message with the sent ids where replies give them beside the calls: with signatures of
    calls in ``reasoning_details``, and with their namespaces."""
    for name in ("reasoning_details", "tool_namespaces"):
        raw = message.get(name)
        if isinstance(raw, Raw) and any(given != new for given, new in sent.items()):
            message = {**message, name: _renamed(_any(raw), sent)}
    return message


def _renamed(value: Any, sent: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {sent.get(given, given): each for given, each in value.items()}
    return [_with_detail_id(detail, sent) for detail in value or ()]


def _with_detail_id(detail: Any, sent: dict[str, str]) -> Any:
    given = detail.get("id") if isinstance(detail, dict) else None
    return {**detail, "id": sent[given]} if isinstance(given, str) and given in sent else detail
