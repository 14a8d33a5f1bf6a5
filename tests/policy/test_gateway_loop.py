from __future__ import annotations

import pytest

from headway.errors import LoopDetected
from headway.policy.gateway_loop import MAX_GATEWAYS, find_earlier_gateways, make_id
from support.for_each import for_each

OWN, OTHER = make_id(bytes(8)), make_id(bytes(range(8)))


def lines(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"a"), *((b"cdn-loop", value.encode()) for value in values)]


def test_an_id_is_a_pseudonym_of_sixteen_digits() -> None:
    assert OTHER == "headway-0001020304050607"


@pytest.mark.parametrize(
    "values",
    [
        (OWN,),
        (f"cloudflare, {OWN}",),
        (f'{OWN}; loops=1; by="x"',),
        (f"{OTHER},{OWN},fastly",),
        (OTHER, OWN),
        ("cloudflare; loops=2", f" {OWN}\t"),
    ],
)
def test_a_request_that_came_through_this_gateway_is_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(LoopDetected, match="came back"):
        find_earlier_gateways(lines(*values), OWN)


@for_each(
    ("values", "passed_on"),
    [
        ((), ""),
        (("",), ""),
        (("cloudflare; loops=1",), ""),
        ((OTHER,), OTHER),
        ((f"fastly, {OTHER}; a=b, cloudflare",), OTHER),
        ((OTHER, OTHER), OTHER),
        ((f"{OWN}0",), ""),
        ((f"x{OWN}",), ""),
        ((f"{OWN}x, \xff",), ""),
        (("headway-XYZ, headway-",), ""),
    ],
)
def test_the_ids_of_other_gateways_are_passed_on(values: tuple[str, ...], passed_on: str) -> None:
    assert find_earlier_gateways(lines(*values), OWN) == passed_on


def test_a_request_through_very_many_gateways_is_refused() -> None:
    ids = [make_id(n.to_bytes(8)) for n in range(1, MAX_GATEWAYS + 2)]
    assert find_earlier_gateways(lines(", ".join(ids[:-1])), OWN) == ", ".join(ids[:-1])
    with pytest.raises(LoopDetected, match="more than 32"):
        find_earlier_gateways(lines(*ids), OWN)
