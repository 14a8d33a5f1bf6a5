from __future__ import annotations

import random
from collections import Counter

import pytest

from headway.routing.provider_keys import ProviderKey, choose_key

A, B, C = ProviderKey("p#a", 2.0), ProviderKey("p#b"), ProviderKey("p#c", 0.0)


def usable(_: str) -> bool:
    return True


def test_keys_are_chosen_by_weight() -> None:
    rng = random.Random(5)
    found = Counter(choose_key([A, B, C], usable, rng.random()) for _ in range(6000))
    assert found[A] / 6000 == pytest.approx(2 / 3, abs=0.03)
    assert found[C] == 0


def test_a_key_that_was_tried_or_is_set_aside_is_not_chosen() -> None:
    for draw in (0.0, 0.5, 0.999):
        assert choose_key([A, B], usable, draw, tried={"p#a"}) is B
        assert choose_key([A, B], lambda key: key == "p#a", draw) is A


def test_weight_zero_is_the_last_resort() -> None:
    assert choose_key([C, B], usable, 0.0) is B
    assert choose_key([A, B, C], usable, 0.9999999999999999) is B
    assert choose_key([A, B, C], usable, 0.0, tried=("p#a", "p#b")) is C


def test_there_may_be_none() -> None:
    assert choose_key([], usable, 0.5) is None
    assert choose_key([A, B], lambda _: False, 0.5) is None
