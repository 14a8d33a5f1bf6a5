"""Reasoning of one vendor inside a field that another vendor's wire format has for its own.

Clients send back the signature or the encrypted data of reasoning as they got it, and read neither
(ai.google.dev/gemini-api/docs/thought-signatures; platform.claude.com, Extended thinking;
platform.openai.com/docs/guides/reasoning, Encrypted reasoning items). So a dialect puts what the
provider of a message needs back on the next turn (``events.ReasoningDetail``) into such a field,
behind a mark by which it is recognized: a provider of the field's own format would refuse it as a
forgery, and is not sent it. The text is base64, because Google's clients decode signatures.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

PREFIX = b"headway-reasoning:v1:"
"""Its length is a multiple of three, so that its base64 is the beginning of the sealed text's."""
MARK = b64encode(PREFIX).decode()
"""The beginning of a sealed text. It is the same in the alphabet for URLs, in which some clients
return what they got in the standard one."""
MARKER = MARK.encode()
ALPHABET = str.maketrans("-_", "+/")


class SealedReasoning(Struct, frozen=True, omit_defaults=True):
    """The reasoning of one message, or of a part of it."""

    details: list[dict[str, Any]] = []
    """As in ``events.ReasoningDetail``."""
    text: str = ""
    """Reasoning text that the client does not see."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SealedReasoning).decode


def seal(details: Iterable[Mapping[str, Any]], text: str = "") -> str:
    """The same bytes for the same reasoning, so that prompt caches hit."""
    sealed = SealedReasoning([dict(each) for each in details], text)
    return b64encode(PREFIX + _encode(sealed)).decode()


def is_sealed(text: object) -> bool:
    return isinstance(text, str) and text.startswith(MARK)


def unseal(text: str) -> SealedReasoning:
    """The contents of a text that ``is_sealed``; empty where it was changed or cut."""
    try:
        return _decode(b64decode(padded_base64(text))[len(PREFIX) :])
    except (msgspec.MsgspecError, Error, RecursionError):
        return SealedReasoning()


def padded_base64(text: str) -> str:
    """Base64 in the standard alphabet and with padding, of any that protobuf's JSON accepts
    (protobuf.dev/programming-guides/json)."""
    text = text.translate(ALPHABET).rstrip("=")
    return text + "=" * (-len(text) % 4)
