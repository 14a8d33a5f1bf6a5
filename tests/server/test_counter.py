"""Tokens are counted in another process, whatever the request looks like."""

from __future__ import annotations

import asyncio
import logging

import pytest

from headway.server.counter import TokenCounter

PLAIN = b'[{"role":"user","content":"Hello! Who are you?"}]'
INDENTED = b'[\n {\r\n  "role": "user",\n  "content": "Hello! Who are you?"\n }\n]'


async def count(*questions: bytes) -> list[tuple[int | None, int | None]]:
    counter = TokenCounter()
    try:
        return [await counter.count("gpt-4o", messages, "Hi\n!") for messages in questions]
    finally:
        await counter.close()


def test_an_indented_request_is_counted_as_any_other(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        plain, indented = asyncio.run(count(PLAIN, INDENTED))
    assert plain == indented == (6, 3)
    assert caplog.records == []
