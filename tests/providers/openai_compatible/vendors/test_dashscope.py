"""Model Studio's tokens that were written to a cache."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.events import UsageReported
from headway.providers import KINDS
from headway.types import Frame

USAGE = {"prompt_tokens": 90, "completion_tokens": 5, "total_tokens": 95}
# what stands in prompt_tokens_details, the tokens written, the tokens read
CACHED: list[tuple[dict[str, Any], int | None, int | None]] = [
    ({"cached_tokens": 40, "cache_creation_input_tokens": 30, "cache_type": "ephemeral"}, 30, 40),
    ({"cached_tokens": 40}, None, 40),
    ({"cache_creation_input_tokens": None}, None, None),
]


@pytest.mark.parametrize(("details", "written", "read"), CACHED)
def test_tokens_written_to_an_explicit_cache_are_counted(
    details: dict[str, Any], written: int | None, read: int | None
) -> None:
    usage = {**USAGE, "prompt_tokens_details": details}
    chunk = json.dumps({"id": "1", "choices": [], "usage": usage}).encode()
    events = KINDS["dashscope"].decode_event(Frame(chunk, None, chunk), {})
    (seen,) = [event.usage for event in events if isinstance(event, UsageReported)]
    assert (seen.cache_write_tokens, seen.cache_read_tokens, seen.input_tokens) == (
        written, read, 90,
    )  # fmt: skip


def test_cache_counts_outside_of_the_prompt_details_are_ignored() -> None:
    usage = {**USAGE, "cache_creation_input_tokens": 3}
    said = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": usage}
    events = KINDS["dashscope"].decode_response(json.dumps(said).encode())
    (seen,) = [event.usage for event in events if isinstance(event, UsageReported)]
    assert seen.cache_write_tokens is None
