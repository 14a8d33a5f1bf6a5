"""Which data is only a sign of life."""

from __future__ import annotations

import pytest

from headway.wire.keep_alive import is_keep_alive
from support.for_each import for_each

SIGNS = [b"null", b"{ }", b"[]", b'""', b"-1", b" ping ", b"PONG", b'"ping"', b"[PING]", b"(ping)"]
SIGNS += [b"keepalive", b"keep-alive", b"Keep alive", b"keep_alive...", b"[heart-beat]", b"false"]
OTHERS = [b"", b"[DONE]", b"{", b"error", b"1.5 tokens", b"ping failed", b'{"a": 1}', b"0" * 41]


@for_each("data", SIGNS)
def test_a_word_or_an_empty_value_is_a_sign_of_life(data: bytes) -> None:
    assert is_keep_alive(data)


@pytest.mark.parametrize("data", OTHERS)
def test_other_data_is_none(data: bytes) -> None:
    assert not is_keep_alive(data)
