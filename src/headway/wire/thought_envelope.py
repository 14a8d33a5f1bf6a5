"""Reasoning of any provider inside a thought signature, for clients of Google's wire format.

A client returns a signature unread, in base64 (ai.google.dev/gemini-api/docs/thought-signatures).
What another provider needs back on the next turn (signed or encrypted reasoning) is put into one,
behind a mark by which it is recognized: Google's own services must not be sent it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

PREFIX = b"headway-reasoning:v1:"
"""Its length is a multiple of three, so that its base64 is the beginning of the signature's."""
MARK = b64encode(PREFIX).decode()
"""The beginning of such a signature. It is the same in the alphabet for URLs, in which some clients
return what they got in the standard one."""
ALPHABET = str.maketrans("-_", "+/")


class Envelope(Struct, frozen=True, omit_defaults=True):
    """The reasoning of one message, or of a part of it."""

    details: list[dict[str, Any]] = []
    """As in ``events.ReasoningDetail``."""
    text: str = ""
    """Reasoning text that the client does not see."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Envelope).decode


def seal(details: list[Mapping[str, Any]], text: str = "") -> str:
    """The signature."""
    return b64encode(PREFIX + _encode(Envelope([dict(each) for each in details], text))).decode()


def is_sealed(signature: str) -> bool:
    return signature.startswith(MARK)


def unseal(signature: str) -> Envelope:
    """The contents of a signature that ``is_sealed``; empty where it was changed or cut."""
    try:
        return _decode(b64decode(padded_base64(signature))[len(PREFIX) :])
    except (msgspec.MsgspecError, Error, RecursionError):
        return Envelope()


def padded_base64(text: str) -> str:
    """Base64 in the standard alphabet and with padding, of any that protobuf's JSON accepts
    (protobuf.dev/programming-guides/json)."""
    text = text.translate(ALPHABET).rstrip("=")
    return text + "=" * (-len(text) % 4)
