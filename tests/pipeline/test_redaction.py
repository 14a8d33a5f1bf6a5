from __future__ import annotations

from headway.errors import UpstreamRejected
from headway.pipeline.redaction import SHORTEST_SECRET, redact, redact_error


def test_every_occurrence_of_every_secret_is_replaced() -> None:
    assert redact("a secret-1, secret-2, secret-1", ["secret-1", "secret-2"]) == "a ***, ***, ***"


def test_a_text_of_six_characters_is_a_secret_and_a_shorter_one_is_not() -> None:
    assert SHORTEST_SECRET == 6
    assert redact("abcdef", ["abcdef"]) == "***"
    assert redact("abcde", ["abcde"]) == "abcde"


def test_missing_secrets_are_ignored() -> None:
    assert redact("text", [None, ""]) == "text"


def test_every_text_of_an_error_is_redacted() -> None:
    error = UpstreamRejected("key secret-1", param="secret-1", code="secret-1")
    error.details = '{"error_code":"secret-1"}'
    redact_error(error, ["secret-1"])
    assert (error.message, error.param, error.code) == ("key ***", "***", "***")
    assert error.details == '{"error_code":"***"}'
