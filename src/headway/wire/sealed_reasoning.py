"""Reasoning of one vendor inside a field that another vendor's wire format has for its own.

Clients send back the signature or the encrypted data of reasoning as they got it, and read neither.
So a dialect whose format has such a field puts ``reasoning_details`` (``events.ReasoningDetail``)
of any vendor into it, and finds them again on the next turn. A provider of that format would refuse
such a field as a forgery, and is not sent it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec

PREFIX = "headway-reasoning-v1."
"""No vendor's signature has a full stop: they are base64."""
MARKER = PREFIX.encode()

Detail = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


def seal(details: Sequence[Any]) -> str:
    """The details as one text: the prefix, and their JSON in base64 for URLs."""
    return PREFIX + base64.urlsafe_b64encode(_encode(list(details))).decode().rstrip("=")


def is_sealed(text: object) -> bool:
    return isinstance(text, str) and text.startswith(PREFIX)


def unseal(text: str) -> list[Detail]:
    """The details in a text that ``is_sealed``; none if it was damaged."""
    data = text.removeprefix(PREFIX)
    try:
        return _decode(base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)))
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return []
