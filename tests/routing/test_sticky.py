from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.routing.balance import Candidate
from headway.routing.breaker import Breaker, BreakerRule
from headway.routing.route import RouteTarget
from headway.routing.sticky import stick
from headway.routing.target_state import TargetState

STATE = TargetState(Breaker(BreakerRule()))


def candidates(*models: str, weight: float = 1.0) -> list[Candidate]:
    targets = [RouteTarget(provider="p", model=model, weight=weight) for model in models]
    return [Candidate(target, STATE) for target in targets]


def ids(ordered: list[Candidate]) -> list[str]:
    return [each.target.model for each in ordered]


FIVE = candidates("a", "b", "c", "d", "e")


@given(st.text(), st.permutations(FIVE))
def test_the_order_depends_on_nothing_but_key_and_targets(
    key: str, shuffled: list[Candidate]
) -> None:
    assert ids(stick(key, shuffled)) == ids(stick(key, FIVE))


@given(st.text(), st.sampled_from(FIVE))
def test_when_a_target_drops_out_the_others_keep_their_order(key: str, gone: Candidate) -> None:
    left = [each for each in FIVE if each is not gone]
    assert stick(key, left) == [each for each in stick(key, FIVE) if each is not gone]


def test_targets_get_keys_by_their_weights() -> None:
    given = [*candidates("a", weight=3), *candidates("b"), *candidates("z", weight=0)]
    firsts = Counter(ids(stick(f"session-{n}", given))[0] for n in range(4000))
    assert firsts["a"] / 4000 == pytest.approx(0.75, abs=0.03)
    assert firsts["z"] == 0
    seconds = Counter(ids(stick(f"session-{n}", FIVE))[1] for n in range(4000))
    assert min(seconds.values()) / 4000 == pytest.approx(0.2, abs=0.03)


def test_a_known_order_stays_as_it_is_in_every_version() -> None:
    """Another hash would move every session to another provider's cache in an update."""
    assert ids(stick("session", FIVE)) == ["d", "b", "c", "a", "e"]
