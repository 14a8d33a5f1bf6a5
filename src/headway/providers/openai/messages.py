"""Messages as vendors of OpenAI's wire want them, where they refuse a field that others take.

Messages that hold none of the words in question stay the bytes that they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.types import ChatRequest, Transformation

NULL = b"null"
NOTHING = Raw(NULL)
SILENT = (NULL, b'""', b"[]")
TEXT = Raw(b'"text"')
Fields = dict[str, Raw]
Changes = dict[Transformation, None]
"""In the order in which they were made, each once."""
_messages = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_parts = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_encode = msgspec.json.Encoder().encode


class MessageRules(Struct, frozen=True, kw_only=True, dict=True):
    dropped: Mapping[str, str] = {}
    """Fields of a message or of a part of it that are refused, and why, in words."""
    renamed: Mapping[str, str] = {}
    """Fields of a message that have another name."""
    developer: str | None = None
    """What the role ``developer`` is called. None: it is known."""

    @cached_property
    def words(self) -> tuple[bytes, ...]:
        roles = ("developer",) if self.developer else ()
        return tuple(f'"{name}"'.encode() for name in (*self.dropped, *self.renamed, *roles))


def ruled(request: ChatRequest, rules: MessageRules) -> Adapted:
    """The request with its messages by these rules, and what was changed, each change once."""
    raw = bytes(request.messages)
    if not any(word in raw for word in rules.words):
        return request, ()
    changes: Changes = {}
    messages = [_message(message, rules, changes) for message in _messages(raw)]
    return replace(request, messages=Raw(_encode(messages))), tuple(changes)


def _message(message: Mapping[str, Raw], rules: MessageRules, changes: Changes) -> Fields:
    kept: Fields = {}
    for name, value in _kept(_said(message, rules, changes), rules, changes).items():
        if name in rules.renamed:
            _rename(name, value, rules.renamed[name], message, kept, changes)
        elif name == "role" and rules.developer and bytes(value) == b'"developer"':
            changes[Transformation("renamed", "developer", f"it is {rules.developer} there")] = None
            kept[name] = Raw(_encode(rules.developer))
        elif name == "content" and bytes(value)[:1] == b"[":
            kept[name] = _content(value, rules, changes)
        elif name not in kept or bytes(value) not in SILENT:  # a renamed field may stand there
            kept[name] = value
    return kept


def _rename(
    name: str, value: Raw, new: str, message: Mapping[str, Raw], kept: Fields, changes: Changes
) -> None:
    """The wire's own word counts, where a message has both."""
    if bytes(message.get(new, NOTHING)) in SILENT:
        kept[new] = value
        if bytes(value) != NULL:
            changes[Transformation("renamed", name, f"it is {new} there")] = None
    elif bytes(value) not in (NULL, bytes(message[new])):
        changes[Transformation("dropped", name, f"{new} is given too")] = None


def _said(message: Mapping[str, Raw], rules: MessageRules, changes: Changes) -> Mapping[str, Raw]:
    """A refusal is what was said, where nothing else was and there is no word for one."""
    refusal = message.get("refusal", NOTHING)
    is_silent = bytes(message.get("content", NOTHING)) in SILENT
    if "refusal" not in rules.dropped or bytes(refusal) in SILENT or not is_silent:
        return message
    changes[Transformation("emulated", "refusal", "it is the message's text there")] = None
    return {**message, "content": refusal, "refusal": NOTHING}


def _content(value: Raw, rules: MessageRules, changes: Changes) -> Raw:
    return Raw(_encode([_part(part, rules, changes) for part in _parts(value)]))


def _part(part: Mapping[str, Raw], rules: MessageRules, changes: Changes) -> Mapping[str, Raw]:
    if "refusal" in rules.dropped and bytes(part.get("type", NOTHING)) == b'"refusal"':
        changes[Transformation("emulated", "refusal", "it is the message's text there")] = None
        return {"type": TEXT, "text": part["refusal"]}
    return _kept(part, rules, changes)


def _kept(fields: Mapping[str, Raw], rules: MessageRules, changes: Changes) -> Fields:
    """Without what is refused. A null is dropped without a word."""
    kept: Fields = {}
    for name, value in fields.items():
        if name not in rules.dropped:
            kept[name] = value
        elif bytes(value) != NULL:
            changes[Transformation("dropped", name, rules.dropped[name])] = None
    return kept
