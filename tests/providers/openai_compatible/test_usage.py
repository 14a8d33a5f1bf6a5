"""Token counts of vendors that count differently from OpenAI."""

from __future__ import annotations

from typing import Any

from support.compatible_responses import collect, counts, decoded, streamed
from support.for_each import for_each
from support.openai_completions import finish, role, text

USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


# vendor, usage, (input, output, reasoning, cached)
USAGES: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    (
        "xai",
        {**USAGE, "total_tokens": 18, "completion_tokens_details": {"reasoning_tokens": 10}},
        (5, 13, 10, None),
    ),
    (
        "xai",
        {**USAGE, "completion_tokens": 13, "total_tokens": 18,
         "completion_tokens_details": {"reasoning_tokens": 10}},
        (5, 13, 10, None),
    ),
    ("xai", {**USAGE, "completion_tokens_details": {"reasoning_tokens": 0}}, (5, 3, 0, None)),
    ("xai", {"prompt_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 4}},
     (5, None, 4, None)),
    ("perplexity", {**USAGE, "reasoning_tokens": 700}, (5, 703, 700, None)),
    ("perplexity", USAGE, (5, 3, None, None)),
    ("deepseek", {**USAGE, "prompt_cache_hit_tokens": 4}, (5, 3, None, 4)),
    ("together", {**USAGE, "cached_tokens": 0}, (5, 3, None, 0)),
    ("sglang", {**USAGE, "reasoning_tokens": 2}, (5, 3, 2, None)),
    ("mistral", {**USAGE, "num_cached_tokens": 1}, (5, 3, None, 1)),
    ("mistral", {**USAGE, "prompt_audio_seconds": 4, "total_tokens": 108}, (105, 3, None, None)),
    ("mistral", {**USAGE, "prompt_audio_seconds": 4}, (5, 3, None, None)),
    ("mistral", {**USAGE, "prompt_audio_seconds": None, "total_tokens": 108}, (5, 3, None, None)),
    ("mistral", {"prompt_tokens": 5}, (5, None, None, None)),
]  # fmt: skip


@for_each(("kind", "usage", "expected"), USAGES)
def test_usage_is_what_the_vendor_bills(
    kind: str, usage: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    found = collect(streamed(kind, role(), text("Hi"), {**finish(), "usage": usage}))
    assert counts(found) == expected
    assert counts(collect(decoded(kind, {"content": "Hi"}, usage=usage))) == expected


def test_audio_tokens_are_counted_apart() -> None:
    usage = {**USAGE, "prompt_audio_seconds": 4, "total_tokens": 108}
    assert (
        collect(decoded("mistral", {"content": "Hi"}, usage=usage)).reported().input_audio_tokens
        == 100
    )


def test_cumulative_usage_replaces_earlier_usage() -> None:
    steps = [{**text("a"), "usage": {**USAGE, "completion_tokens": n}} for n in (1, 2, 3)]
    answer = collect(streamed("databricks", role(), *steps, {**finish(), "usage": None}))
    assert counts(answer)[:2] == (5, 3)


def test_reasoning_counted_apart_from_the_completion_is_added_to_it() -> None:
    details = {"reasoning_tokens": 1081}
    usage = {"prompt_tokens": 9, "completion_tokens": 84, "completion_tokens_details": details}
    events = decoded("deepinfra", {"content": "a"}, usage=usage)
    assert counts(collect(events)) == (9, 84 + 1081, 1081, None)
