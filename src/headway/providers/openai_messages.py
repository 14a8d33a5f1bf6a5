"""Messages as vendors of OpenAI's wire want them, where they refuse a field that others take.

Messages that hold none of the words in question stay the bytes that they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.provider import Adapted
from headway.types import Change, ChatRequest

NULL = b"null"
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
    changes: dict[Change, None] = {}
    messages = [_message(message, rules, changes) for message in _messages(raw)]
    return replace(request, messages=Raw(_encode(messages))), tuple(changes)


def _message(
    message: Mapping[str, Raw], rules: MessageRules, changes: dict[Change, None]
) -> dict[str, Raw]:
    kept: dict[str, Raw] = {}
    for name, value in _kept(message, rules, changes).items():
        if name in rules.renamed:
            changes[Change("renamed", name, f"it is {rules.renamed[name]} there")] = None
            kept[rules.renamed[name]] = value
        elif name == "role" and rules.developer and bytes(value) == b'"developer"':
            changes[Change("renamed", "developer", f"it is {rules.developer} there")] = None
            kept[name] = Raw(_encode(rules.developer))
        elif name == "content" and bytes(value)[:1] == b"[":
            kept[name] = _content(value, rules, changes)
        else:
            kept[name] = value
    return kept


def _content(value: Raw, rules: MessageRules, changes: dict[Change, None]) -> Raw:
    return Raw(_encode([_kept(part, rules, changes) for part in _parts(value)]))


def _kept(
    fields: Mapping[str, Raw], rules: MessageRules, changes: dict[Change, None]
) -> dict[str, Raw]:
    """Without what is refused. A null is dropped without a word."""
    kept: dict[str, Raw] = {}
    for name, value in fields.items():
        if name not in rules.dropped:
            kept[name] = value
        elif bytes(value) != NULL:
            changes[Change("dropped", name, rules.dropped[name])] = None
    return kept
