from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Raw, Struct

from headway.types import NO_RAW
from headway.wire.lenient_json import (
    Count,
    Position,
    Words,
    as_count,
    as_text,
    cleaner,
    lenient_decoder,
)
from support.for_each import for_each


class Details(Struct):
    cached: Count | None = None


class Item(Struct):
    name: str
    size: int | None = None


class Answer(Struct, rename="camel"):
    id: str | None = None
    created_at: int | None = None
    index: Position = 0
    tokens: Count | None = None
    ratio: Annotated[float, Meta(le=100)] | None = None
    done: bool = False
    kind: Literal["a", "b"] | None = None
    details: Details | None = None
    items: list[Item] | None = None
    either: list[Item] | Item | None = None
    content: str | list[Any] | None = None
    vector: list[float] | str | None = None
    counts: dict[str, Count] = {}
    raw: Raw = NO_RAW
    anything: Any = None
    words: Words | None = None
    pair: tuple[int, str] | None = None
    day: date | None = None


decode = lenient_decoder(Answer)

# a field's JSON, the attribute, and its value
VALUES: list[tuple[str, str, Any]] = [
    ('"id": 12', "id", "12"),
    ('"id": 1.5', "id", "1.5"),
    ('"id": true', "id", None),
    ('"id": []', "id", None),
    ('"id": {}', "id", None),
    ('"createdAt": 1757876416.56', "created_at", 1757876416),
    ('"createdAt": "1757876416"', "created_at", 1757876416),
    ('"createdAt": "2026-01-01"', "created_at", None),
    ('"createdAt": 1e30', "created_at", None),
    ('"createdAt": "1e999"', "created_at", None),
    ('"createdAt": false', "created_at", None),
    ('"index": null', "index", 0),
    ('"index": -1', "index", 0),
    ('"index": "2"', "index", 2),
    ('"tokens": 12.0', "tokens", 12),
    ('"tokens": 12.5', "tokens", 12),
    ('"tokens": "12"', "tokens", 12),
    ('"tokens": " 12.7e1 "', "tokens", 127),
    ('"tokens": "x"', "tokens", None),
    ('"tokens": ""', "tokens", None),
    ('"tokens": -1', "tokens", None),
    ('"tokens": 1e20', "tokens", None),
    ('"tokens": []', "tokens", None),
    ('"tokens": 99999999999999999999999', "tokens", None),
    ('"ratio": "0.5"', "ratio", 0.5),
    ('"ratio": "half"', "ratio", None),
    ('"ratio": true', "ratio", None),
    ('"ratio": 101', "ratio", None),
    ('"done": "true"', "done", True),
    ('"done": "FALSE"', "done", False),
    ('"done": 1', "done", True),
    ('"done": 2', "done", False),
    ('"done": null', "done", False),
    ('"done": "yes"', "done", False),
    ('"done": []', "done", False),
    ('"kind": "c"', "kind", None),
    ('"kind": 1', "kind", None),
    ('"kind": {}', "kind", None),
    ('"kind": "a", "id": 1', "kind", "a"),
    ('"details": []', "details", None),
    ('"details": ""', "details", None),
    ('"details": {"cached": "x"}', "details", Details()),
    ('"details": {"cached": -1, "other": 1}', "details", Details()),
    ('"items": {}', "items", None),
    ('"items": ""', "items", None),
    ('"items": 0', "items", None),
    ('"items": {"name": "a"}', "items", [Item("a")]),
    ('"items": [null, {"name": 1, "size": "x"}, {}, 7]', "items", [Item("1")]),
    ('"either": {"name": 1}', "either", Item("1")),
    ('"either": [{"name": 1}]', "either", [Item("1")]),
    ('"either": 1', "either", None),
    ('"content": 42', "content", "42"),
    ('"content": [1], "id": 1', "content", [1]),
    ('"content": {"type": "text"}', "content", None),
    ('"vector": [1, "2"]', "vector", [1.0, 2.0]),
    ('"vector": [1, null]', "vector", None),
    ('"vector": 1', "vector", "1"),
    ('"counts": {"a": 1.0, "b": -1}', "counts", {"a": 1}),
    ('"counts": []', "counts", {}),
    ('"anything": [1], "id": 1', "anything", [1]),
    ('"pair": ["1", 2]', "pair", (1, "2")),
    ('"pair": [1]', "pair", None),
    ('"pair": [null, 2]', "pair", None),
    ('"pair": "x"', "pair", None),
    ('"day": "2026-01-01"', "day", date(2026, 1, 1)),
    ('"day": 7', "day", None),
    ('"index": 1.5', "index", 0),
    ('"index": 1.0', "index", 1),
    ('"words": 0', "words", None),
    ('"words": "0", "id": 1', "words", "0"),
    ('"unknown": 1, "id": "a"', "id", "a"),
]


@for_each(("field", "name", "value"), VALUES, ids=[row[0] for row in VALUES])
def test_a_field_is_converted_or_as_if_it_were_absent(field: str, name: str, value: Any) -> None:
    assert getattr(decode(f"{{{field}}}"), name) == value


def test_the_other_fields_are_as_they_are() -> None:
    found = decode(b'{"id": 1, "raw": {"a": [1.5, "x"]}, "ratio": 2, "tokens": 3}')
    assert (found.ratio, found.tokens, bytes(found.raw)) == (2.0, 3, b'{"a":[1.5,"x"]}')


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Answer, b"[]"),
        (Answer, b"1"),
        (Item, b"{}"),
        (Item, b'{"name": null}'),
        (list[Item], b"null"),
        (list[int], b'[1, "x"]'),
    ],
)
def test_what_cannot_be_converted_at_all_is_an_error(kind: Any, data: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        lenient_decoder(kind)(data)


@pytest.mark.parametrize("data", [b"", b"{", b'{"id": 1', b'{"id": 1, x}'], ids=range(4))
def test_what_is_no_json_is_an_error(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(data)


def test_known_fields_are_cleaned_and_others_kept() -> None:
    clean = cleaner(Answer)
    data = b'{"id": 1, "tokens": -1, "details": {"cached": 2.0, "more": -1}, "x": [-1], "items": 5}'
    assert clean(data) == {
        "id": "1",
        "tokens": None,
        "details": {"cached": 2, "more": -1},
        "x": [-1],
        "items": None,
    }
    assert clean(b'{"details": [1]}') == {"details": None}


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (1, "1"), (1.5, "1.5"), (None, ""), (True, ""), ([], ""), ({"a": 1}, "")],
)
def test_a_value_as_text(value: Any, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("value", "count"),
    [(1, 1), (0, 0), (1.5, 1), ("7", 7), (-1, None), ("x", None), (None, None), (True, None)],
)
def test_a_value_as_a_count(value: Any, count: int | None) -> None:
    assert as_count(value) == count


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = [field.encode_name for field in msgspec.structs.fields(Answer)]


@given(st.dictionaries(st.sampled_from(names), json_values))
def test_whatever_the_fields_are_the_object_is_decoded(fields: dict[str, Any]) -> None:
    found = decode(msgspec.json.encode({"raw": None, **fields}))
    msgspec.json.decode(msgspec.json.encode(found), type=Answer)  # all fields are of their types
