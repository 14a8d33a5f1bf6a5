"""Reasoning details inside one opaque string.

Some wire formats give a client a single string that it must return unread, such as the Responses
API's ``encrypted_content``. Details of providers with another wire format travel in it as they are:
the prefix tells them from what a provider encrypted itself. It is no encryption: a signature or
ciphertext in a detail is checked by the provider that made it.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

PREFIX = "hw1."
MARKER = b'"' + PREFIX.encode()
"""The beginning of such a string in JSON."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


def pack_details(details: Sequence[Mapping[str, Any]]) -> str:
    """``details`` have the shape of ``events.ReasoningDetail``."""
    return PREFIX + urlsafe_b64encode(_encode(details)).decode()


def unpack_details(text: str) -> list[dict[str, Any]] | None:
    """The details that ``pack_details`` put in; None for any other string."""
    if not text.startswith(PREFIX):
        return None
    try:
        return _decode(urlsafe_b64decode(text.removeprefix(PREFIX)))
    except (binascii.Error, ValueError, RecursionError):
        return None
