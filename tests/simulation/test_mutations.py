"""The simulator finds what it is there to find."""

from __future__ import annotations

from simulation.mutations import MUTATIONS, find
from support.for_each import for_each


@for_each("title", [each.title for each in MUTATIONS])
def test_a_defect_that_is_put_into_the_gateway_is_found(title: str) -> None:
    mutation = next(each for each in MUTATIONS if each.title == title)

    assert find(mutation) is not None
