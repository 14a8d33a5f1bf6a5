from __future__ import annotations

from headway.pipeline.redaction import SHORTEST_SECRET, redact


def test_every_occurrence_of_every_secret_is_replaced() -> None:
    assert redact("a secret-1, secret-2, secret-1", ["secret-1", "secret-2"]) == "a ***, ***, ***"


def test_a_text_of_six_characters_is_a_secret_and_a_shorter_one_is_not() -> None:
    assert SHORTEST_SECRET == 6
    assert redact("abcdef", ["abcdef"]) == "***"
    assert redact("abcde", ["abcde"]) == "abcde"


def test_missing_secrets_are_ignored() -> None:
    assert redact("text", [None, ""]) == "text"
