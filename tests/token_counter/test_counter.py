"""Tokens are counted in another process."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

import pytest

from headway.token_counter.counter import TokenCounter

PLAIN = b'[{"role":"user","content":"Hello! Who are you?"}]'
INDENTED = b'[\n {\r\n  "role": "user",\n  "content": "Hello! Who are you?"\n }\n]'


async def count(*questions: bytes) -> list[tuple[int | None, int | None]]:
    counter = TokenCounter()
    try:
        return [await counter.count("gpt-4o", messages, "Hi\n!") for messages in questions]
    finally:
        await counter.close()


def test_an_indented_request_is_counted_like_any_other(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        plain, indented = asyncio.run(count(PLAIN, INDENTED))
    assert plain == indented == (6, 3)
    assert caplog.records == []


def test_a_terminal_interrupt_does_not_reach_the_counting_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    groups: list[int] = []
    start = asyncio.create_subprocess_exec

    async def watched(*args: Any, **kwargs: Any) -> Any:
        child = await start(*args, **kwargs)
        groups.append(os.getpgid(child.pid))
        return child

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    asyncio.run(count(PLAIN))
    assert len(groups) == 1
    assert groups[0] != os.getpgid(0)
