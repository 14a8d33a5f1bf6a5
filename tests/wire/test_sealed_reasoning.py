"""Reasoning of other vendors in an opaque field."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode

import pytest

from headway.wire.sealed_reasoning import SealedReasoning, is_sealed, padded_base64, seal, unseal

DETAILS = [{"type": "reasoning.text", "text": "ü>?", "signature": "S", "format": "x"}]


@pytest.mark.parametrize(("details", "text"), [(DETAILS, ""), ([], "Hm~ü?>"), (DETAILS * 3, "a")])
def test_what_is_sealed_comes_back_in_either_alphabet(details: list, text: str) -> None:
    signature = seal(details, text)
    for_urls = urlsafe_b64encode(b64decode(signature)).decode()
    for each in (signature, for_urls, for_urls.rstrip("=")):
        assert is_sealed(each)
        assert unseal(each) == SealedReasoning(details, text)
    assert seal(details, text) == signature  # the same bytes on every turn, for prompt caches


@pytest.mark.parametrize(
    "rest", ["", "e30", "bnVsbA==", "!!!", "W10=", "eyJkZXRhaWxzIjpbMV19", "e"]
)
def test_a_changed_signature_is_empty(rest: str) -> None:
    assert unseal(seal([])[:28] + rest) == SealedReasoning()


def test_other_signatures_are_not_sealed() -> None:
    assert not is_sealed("EpMCCpAC")
    for other in ("", None, 7):
        assert not is_sealed(other)


@pytest.mark.parametrize(
    ("given", "standard"), [("-_8", "+/8="), ("YQ==", "YQ=="), ("YQ", "YQ=="), ("YWJj", "YWJj")]
)
def test_base64_for_urls_becomes_standard(given: str, standard: str) -> None:
    assert padded_base64(given) == standard
