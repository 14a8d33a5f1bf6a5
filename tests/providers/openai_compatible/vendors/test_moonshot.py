"""Moonshot's usage inside the choice that finishes."""

from __future__ import annotations

from support.compatible_responses import collect, counts, streamed
from support.openai_completions import chunk, finish, role, text

USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


def test_usage_in_the_choice_counts_unless_the_chunk_has_other_usage() -> None:
    last = chunk({}, finish="stop")
    last["choices"][0]["usage"] = {**USAGE, "cached_tokens": 2}
    assert counts(collect(streamed("moonshot", role(), text("Hi"), last))) == (5, 3, None, 2)
    beside = {**last, "usage": {**USAGE, "prompt_tokens": 6}}
    assert counts(collect(streamed("moonshot", role(), text("Hi"), beside)))[:2] == (6, 3)
    plain = {**finish(), "usage": None}
    assert collect(streamed("moonshot", role(), text("Hi"), plain)).usage is None
