"""Reasoning of other vendors in an opaque field."""

from __future__ import annotations

import base64

import pytest

from headway.wire.sealed_reasoning import PREFIX, is_sealed, seal, unseal

DETAILS = [{"type": "reasoning.encrypted", "data": "é+/=", "format": "f", "index": 0}]


@pytest.mark.parametrize("details", [[], DETAILS, [*DETAILS, {"type": "x"}]])
def test_what_is_sealed_comes_out_as_it_was(details: list[dict[str, object]]) -> None:
    sealed = seal(details)
    assert is_sealed(sealed)
    assert unseal(sealed) == details
    assert seal(details) == sealed  # the same bytes on every turn, for prompt caches


@pytest.mark.parametrize("text", ["", "EqkECkYIBxgCKkA8AZ4noDfV", None, 7])
def test_a_vendors_own_signature_is_not_sealed(text: object) -> None:
    assert not is_sealed(text)


@pytest.mark.parametrize(
    "data", ["%%%", "AAA", base64.b64encode(b"{}").decode(), base64.b64encode(b"[1]").decode()]
)
def test_a_damaged_seal_is_empty(data: str) -> None:
    assert unseal(PREFIX + data) == []
