"""Ids of requests."""

from __future__ import annotations

from uuid import UUID

from headway.server.request_ids import IdSource


def test_ids_are_random_uuids_and_all_different() -> None:
    new_id = IdSource()
    found = [new_id() for _ in range(1000)]  # some pools of randomness long
    assert len(set(found)) == 1000
    assert all(str(UUID(each)) == each and UUID(each).version == 4 for each in found)
    assert {each[19] for each in found} == set("89ab")
    assert len({each[:8] for each in found}) == 1000
    for at, digits in enumerate(zip(*found, strict=True)):
        assert len(set(digits)) == {8: 1, 13: 1, 14: 1, 18: 1, 19: 4, 23: 1}.get(at, 16)
