"""The texts of a stream that is passed through."""

from __future__ import annotations

import pytest

from headway.providers.anthropic.relayed_text import read_relayed_text

DELTA = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}  }'

CASES: list[tuple[bytes, str | None]] = [
    (DELTA, "Hi"),
    (DELTA.replace(b"Hi", "hé".encode()), "hé"),
    (DELTA.replace(b"Hi", b""), None),
    (DELTA.replace(b"Hi", b"\xff"), None),
    (DELTA.replace(b'"Hi"', b"7"), None),
    (DELTA.replace(b"content_block_delta", b"other"), None),
    (DELTA.replace(b"text_delta", b"thinking_delta"), None),
    (DELTA[:-1], None),
    (b"", None),
]


@pytest.mark.parametrize(("data", "text"), CASES, ids=range(len(CASES)))
def test_a_text_alone_is_read(data: bytes, text: str | None) -> None:
    assert read_relayed_text(data) == text
