"""The `usage` of a reply: OpenAI's three counts, whatever the provider told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.dialects.openai.standard_usage import standard_usage
from headway.events import UsageReported
from headway.types import Usage
from support.for_each import for_each

COUNTS = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
SMALL_TOTAL = {"prompt_tokens": 0, "completion_tokens": 9, "total_tokens": 4}
NULL_DETAILS = {"prompt_tokens_details": {"cached_tokens": None}}


@pytest.mark.parametrize("counts", [COUNTS, {**COUNTS, "other": [1]}, {**COUNTS, **NULL_DETAILS}])
@pytest.mark.parametrize("is_raw", [False, True])
def test_complete_counts_stay_as_the_provider_told_them(counts: Any, is_raw: bool) -> None:
    told = Raw(json.dumps(counts).encode()) if is_raw else counts
    assert standard_usage(UsageReported(Usage(input_tokens=5, output_tokens=2), told)) == counts


@for_each(
    ("usage", "told", "expected"),
    [
        (
            Usage(input_tokens=5, output_tokens=2),
            {"prompt_tokens": 5, "completion_tokens": 2},
            COUNTS,
        ),
        (
            Usage(input_tokens=5, output_tokens=2),
            {"input_tokens": 5},
            {"input_tokens": 5, **COUNTS},
        ),
        (Usage(input_tokens=5), {"prompt_tokens": 5, "total_tokens": 7}, COUNTS),
        (Usage(output_tokens=2), {"completion_tokens": 2, "total_tokens": 7}, COUNTS),
        (
            Usage(input_tokens=5),
            {"total_tokens": 4},
            {**COUNTS, "completion_tokens": 0, "total_tokens": 4},
        ),
        (Usage(output_tokens=9), {"total_tokens": 4}, SMALL_TOTAL),
        (Usage(input_tokens=5, output_tokens=2), {**COUNTS, "prompt_tokens": 5.0}, COUNTS),
        (Usage(input_tokens=5, output_tokens=2), {**COUNTS, "total_tokens": True}, COUNTS),
        (Usage(input_tokens=5, output_tokens=2), {**COUNTS, "prompt_tokens_details": []}, COUNTS),
        (
            Usage(input_tokens=5, output_tokens=2),
            {"total_tokens": 7, **NULL_DETAILS},
            {**COUNTS, **NULL_DETAILS},
        ),
        (Usage(input_tokens=5, output_tokens=2), [], COUNTS),
        (Usage(input_tokens=5, output_tokens=2), None, COUNTS),
    ],
)
def test_counts_are_completed(usage: Usage, told: Any, expected: Any) -> None:
    assert standard_usage(UsageReported(usage, told)) == expected


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (Usage(), {}),
        (Usage(), {"total_tokens": 7}),
        (Usage(input_tokens=5), {"prompt_tokens": 5}),
        (Usage(output_tokens=2), {"completion_tokens": 2}),
    ],
)
def test_counts_that_are_unknown_are_no_usage(usage: Usage, told: Any) -> None:
    assert standard_usage(UsageReported(usage, told)) is None


def test_no_report_is_no_usage() -> None:
    assert standard_usage(None) is None
