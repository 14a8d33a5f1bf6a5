"""Drop and rename message fields that a vendor of an OpenAI-compatible API rejects.

Messages without any of these fields stay the bytes that the client sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.request_draft import has_any
from headway.providers.transformations import dropped, emulated, renamed
from headway.types import ChatRequest, Transformation

NULL = b"null"
ABSENT = Raw(NULL)
EMPTY_VALUES = (NULL, b'""', b"[]")
TEXT_TYPE = Raw(b'"text"')
REFUSAL_EMULATED = emulated("messages[].refusal", "as the message's content")
Fields = dict[str, Raw]
Noted = dict[Transformation, None]
"""Transformations in the order in which they were made, each once."""
_messages = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_parts = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_encode = msgspec.json.Encoder().encode


class MessageRules(Struct, frozen=True, kw_only=True, dict=True):
    """How the messages of a vendor differ from OpenAI's."""

    dropped: Mapping[str, str] = {}
    """Fields of a message, or of a part of its content, that are rejected -> the reason that the
    client reads."""
    renamed: Mapping[str, str] = {}
    """Fields of a message: OpenAI's name -> the vendor's."""
    developer: str | None = None
    """The role that replaces ``developer``. None: the vendor supports ``developer``."""

    @cached_property
    def markers(self) -> tuple[bytes, ...]:
        """The JSON strings of which one must be in the messages for a rule to apply."""
        roles = ("developer",) if self.developer else ()
        return tuple(f'"{name}"'.encode() for name in (*self.dropped, *self.renamed, *roles))


def apply_message_rules(
    request: ChatRequest, rules: MessageRules
) -> tuple[ChatRequest, tuple[Transformation, ...]]:
    """The request with its messages by ``rules``; equal transformations are listed once."""
    if not has_any(request.messages, rules.markers):
        return request, ()
    noted: Noted = {}
    messages = [_message(message, rules, noted) for message in _messages(request.messages)]
    return replace(request, messages=Raw(_encode(messages))), tuple(noted)


def _message(message: Mapping[str, Raw], rules: MessageRules, noted: Noted) -> Fields:
    result: Fields = {}
    fields = _refusal_as_content(message, rules, noted)
    for name, value in _without_dropped(fields, rules, "messages[]", noted).items():
        if name in rules.renamed:
            _rename(name, value, rules.renamed[name], message, result, noted)
        elif name == "role" and rules.developer and bytes(value) == b'"developer"':
            noted[renamed("developer", rules.developer)] = None
            result[name] = Raw(_encode(rules.developer))
        elif name == "content" and bytes(value)[:1] == b"[":
            result[name] = Raw(_encode([_part(part, rules, noted) for part in _parts(value)]))
        elif name not in result or bytes(value) not in EMPTY_VALUES:  # the target of a rename
            result[name] = value
    return result


def _rename(
    name: str, value: Raw, new: str, message: Mapping[str, Raw], result: Fields, noted: Noted
) -> None:
    """The vendor's own field wins where a message has both."""
    path = f"messages[].{name}"
    if bytes(message.get(new, ABSENT)) in EMPTY_VALUES:
        result[new] = value
        if bytes(value) != NULL:
            noted[renamed(path, new)] = None
    elif bytes(value) not in (NULL, bytes(message[new])):
        noted[dropped(path, f"{new} is given too")] = None


def _refusal_as_content(
    message: Mapping[str, Raw], rules: MessageRules, noted: Noted
) -> Mapping[str, Raw]:
    """Send a refusal as the content of a message without other content, for vendors without a field
    for it."""
    refusal = message.get("refusal", ABSENT)
    has_content = bytes(message.get("content", ABSENT)) not in EMPTY_VALUES
    if "refusal" not in rules.dropped or bytes(refusal) in EMPTY_VALUES or has_content:
        return message
    noted[REFUSAL_EMULATED] = None
    return {**message, "content": refusal, "refusal": ABSENT}


def _part(part: Mapping[str, Raw], rules: MessageRules, noted: Noted) -> Mapping[str, Raw]:
    if "refusal" in rules.dropped and bytes(part.get("type", ABSENT)) == b'"refusal"':
        noted[REFUSAL_EMULATED] = None
        return {"type": TEXT_TYPE, "text": part["refusal"]}
    return _without_dropped(part, rules, "messages[].content[]", noted)


def _without_dropped(
    fields: Mapping[str, Raw], rules: MessageRules, path: str, noted: Noted
) -> Fields:
    """A null is dropped without a transformation."""
    kept: Fields = {}
    for name, value in fields.items():
        if name not in rules.dropped:
            kept[name] = value
        elif bytes(value) != NULL:
            noted[dropped(f"{path}.{name}", rules.dropped[name])] = None
    return kept


STRICT_FIELDS = (
    "annotations", "audio", "cache_control", "is_error", "reasoning_details", "refusal",
)  # fmt: skip
"""Message fields that vendors reject if they validate strictly."""


def strict_messages(
    title: str,
    *,
    also: Iterable[str] = (),
    renamed: Mapping[str, str] | None = None,
    developer: str | None = "system",
) -> MessageRules:
    """Rules for a vendor that rejects ``STRICT_FIELDS`` and ``also``. ``reasoning_content`` is
    called ``reasoning`` unless ``renamed`` says otherwise."""
    return MessageRules(
        dropped=dict.fromkeys((*STRICT_FIELDS, *also), f"unsupported by {title}"),
        renamed={"reasoning_content": "reasoning"} if renamed is None else renamed,
        developer=developer,
    )


DEVELOPER_SUPPORTED = MessageRules()
"""For vendors that support the role ``developer``, such as routers to OpenAI's models."""
