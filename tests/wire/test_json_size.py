from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headway.wire.json_size import has_more_items

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('a"\\[{:,é'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('b"\\]}'), inner),
)


def count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + len(value) + sum(map(count, value.values()))
    if isinstance(value, list):
        return 1 + sum(map(count, value))
    return int(isinstance(value, str))


@given(VALUES, st.booleans())
def test_strings_names_objects_and_lists_are_counted(value: Any, is_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii).encode()
    most = count(value)
    assert not has_more_items(text, most)
    assert most == 0 or has_more_items(text + b" " * most, most - 1)


def test_a_text_that_is_no_json_is_read_once() -> None:
    for piece in (b'"', b'\\"', b'"\\', b'"{', b"[", b'"a', b"\\", b'{"a":'):
        for end in (b"", b"\\", b'"'):
            text = piece * 1_000_000 + end
            has_more_items(text, 10**6 - 1)
            has_more_items(b'"' + text, 100)


def test_numbers_are_not_counted() -> None:
    assert not has_more_items(b"[" + b"1," * 1000 + b"1]", 1)


def test_a_short_text_has_at_most_as_many_items_as_bytes() -> None:
    assert not has_more_items(b"[{}]", 4)
    assert has_more_items(b"[{}]", 1)
