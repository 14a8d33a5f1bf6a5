from __future__ import annotations

from headway.providers.openai_usage import openai_counts, openai_usage
from headway.types import Usage


def test_counts_are_in_openais_format_with_their_total() -> None:
    counts = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    assert openai_counts(Usage(input_tokens=5, output_tokens=3)) == counts


def test_an_unknown_count_is_none_and_so_is_the_total() -> None:
    usage = openai_usage(Usage(input_tokens=5, cache_read_tokens=2))
    assert usage == {
        "prompt_tokens": 5,
        "completion_tokens": None,
        "total_tokens": None,
        "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": None},
    }
