"""Entries of log probabilities that lack fields."""

from __future__ import annotations

from headway.providers.logprobs import read_logprobs


def test_an_entry_gets_the_fields_that_strict_clients_require() -> None:
    given = {"content": [{"token": "A", "logprob": -0.5}, None], "refusal": None}
    entry = {"token": "A", "logprob": -0.5, "bytes": [65], "top_logprobs": []}
    assert read_logprobs(given, 2).value == {"content": [entry, None], "refusal": None}
    assert read_logprobs(given, 2).index == 2


def test_complete_and_unknown_log_probabilities_stay_as_they_are() -> None:
    entry = {"token": "A", "logprob": -0.5, "bytes": [65], "top_logprobs": []}
    for given in ({"content": [entry]}, {"content": None}, {"refusal": []}):
        assert read_logprobs(given).value is given
