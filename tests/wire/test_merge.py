"""Of two reports of the same facts, each field has the last value that tells something."""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct

from headway.types import Usage
from headway.wire.merge import merge_known
from support.for_each import for_each


class Other(Struct):
    count: int | None = None


@for_each(
    ("old", "new", "expected"),
    [
        (1, 2, 2),
        (1, 0, 1),
        (1, 0.0, 1),
        (1, None, 1),
        (None, 0, 0),
        (0, 0, 0),
        ("a", "", "a"),
        ([1], [], [1]),
        ([1], [2], [2]),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1, "b": {"c": 2}}, {"b": {"c": 0, "d": 3}}, {"a": 1, "b": {"c": 2, "d": 3}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": {"b": 1}}),
        (
            Usage(input_tokens=5, output_tokens=2),
            Usage(output_tokens=3, cache_read_tokens=0),
            Usage(input_tokens=5, output_tokens=3, cache_read_tokens=0),
        ),
        (Usage(input_tokens=5), None, Usage(input_tokens=5)),
        (Other(1), {"count": 2}, {"count": 2}),
        (Other(1), Raw(b"1"), Raw(b"1")),
    ],
)
def test_a_value_that_tells_nothing_replaces_nothing(old: Any, new: Any, expected: Any) -> None:
    assert merge_known(old, new) == expected
