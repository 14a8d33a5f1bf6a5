"""Ids of responses and of their items that the gateway made of a call's id."""

from __future__ import annotations

import re

_OWN = re.compile(r"[a-z]{2,6}_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})"
                  r"(?:[0-9a-f]{4}|i[0-9]+)?\Z")  # fmt: skip


def seed_of(call_id: str) -> str:
    """The part of all ids of a response that no other response has."""
    return call_id.replace("-", "")


def response_id_of(call_id: str) -> str:
    return f"resp_{seed_of(call_id)}"


def input_id_of(call_id: str, place: int) -> str:
    """Of an item of the input at ``place``, which the client gave no id."""
    return f"msg_{seed_of(call_id)}i{place}"


def call_id_of(name: str) -> str | None:
    """The call, a UUID, of whose id the id of a response or an item was made. None for an id that
    the gateway did not make."""
    found = _OWN.match(name)
    return None if found is None else "-".join(found.groups())
