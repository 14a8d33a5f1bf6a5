"""Finish reasons of vendors with OpenAI's wire format."""

from __future__ import annotations

import pytest

from headway.errors import UpstreamError
from headway.events import Failed, Finished
from headway.providers.openai.finish_reasons import read_finish_reason


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("content_filter", "content_filter"),
        ("a_new_one", "a_new_one"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("model_length", "length"),
        ("model_context_window_exceeded", "length"),
        ("sensitive", "content_filter"),
        ("tool_use", "tool_calls"),
    ],
)
def test_a_reason_is_given_under_the_name_that_openai_has_for_it(
    reason: str, expected: str
) -> None:
    assert read_finish_reason(reason, 2) == Finished(expected, 2)


@pytest.mark.parametrize(
    "reason", ["abort", "error", "insufficient_system_resource", "network_error"]
)
def test_a_reason_that_means_a_failure_is_a_failure(reason: str) -> None:
    failed = read_finish_reason(reason, 0)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UpstreamError)
    assert failed.error.code == reason
    assert reason in failed.error.message
