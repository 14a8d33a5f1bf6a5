"""Finish reasons of vendors with OpenAI's wire format."""

from __future__ import annotations

import pytest

from headway.errors import UpstreamError
from headway.events import Failed, Finished
from headway.providers.openai.finish_reasons import read_finish_reason
from support.for_each import for_each


@for_each(
    ("reason", "expected"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "function_call"),
        ("content_filter", "content_filter"),
        ("a_new_one", "stop"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("STOP", "stop"),
        ("OTHER", "stop"),
        ("COMPLETE", "stop"),
        ("Stop", "stop"),
        ("model_length", "length"),
        ("MAX_TOKENS", "length"),
        ("LENGTH", "length"),
        ("model_context_window_exceeded", "length"),
        ("sensitive", "content_filter"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("guardrail_intervened", "content_filter"),
        ("refusal", "content_filter"),
        ("tool_use", "tool_calls"),
        ("TOOL_CALL", "tool_calls"),
    ],
)
def test_a_reason_is_given_under_the_name_that_openai_has_for_it(
    reason: str, expected: str
) -> None:
    assert read_finish_reason(reason, 2, has_tool_calls=False) == Finished(expected, 2)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("STOP", "tool_calls"),
        ("eos", "tool_calls"),
        ("a_new_one", "tool_calls"),
        ("MAX_TOKENS", "length"),
        ("stop", "stop"),  # OpenAI's own, where the request named the function
    ],
)
def test_another_word_for_a_stop_after_tool_calls_means_them(reason: str, expected: str) -> None:
    assert read_finish_reason(reason, 0, has_tool_calls=True) == Finished(expected)


@pytest.mark.parametrize("reason", [None, "", "null", "None"])
def test_no_reason_is_none(reason: str | None) -> None:
    assert read_finish_reason(reason, 0, has_tool_calls=True) is None


@pytest.mark.parametrize(
    "reason",
    [
        "abort",
        "error",
        "ERROR",
        "insufficient_system_resource",
        "network_error",
        "MALFORMED_FUNCTION_CALL",
        "malformed_tool_use",
    ],
)
def test_a_reason_that_means_a_failure_is_a_failure(reason: str) -> None:
    failed = read_finish_reason(reason, 0, has_tool_calls=False)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UpstreamError)
    assert failed.error.code == reason
    assert reason in failed.error.message
