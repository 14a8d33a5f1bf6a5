"""Shapes of the API's document, made from the structs that are sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from headway.server.openapi.schemas.from_structs import shape_of


class Item(Struct, array_like=True):
    kind: str
    count: int


class Base(Struct, kw_only=True):
    name: str
    """What it is
    called."""


class Inner(Struct):
    """An inner one."""

    value: Literal["a", "b"] | None


class Outer(Base, kw_only=True):
    """A struct with a field of each kind."""

    inner: Inner
    items: tuple[Item, ...]
    pairs: tuple[tuple[int, int], ...]
    counts: Mapping[str, int]
    raw: Raw
    inners: Mapping[str, Inner | None]
    optional: float | None
    """Seconds."""


OUTER = Outer(
    name="n",
    inner=Inner("a"),
    items=(Item("k", 1),),
    pairs=((1, 2),),
    counts={"x": 1},
    raw=Raw(b'{"any": [1]}'),
    inners={"y": None},
    optional=None,
)


def test_a_shape_takes_what_is_sent() -> None:
    sent = msgspec.json.encode(OUTER)
    read = shape_of(Outer).model_validate_json(sent, strict=True)
    assert json.loads(read.model_dump_json()) == json.loads(sent)


def test_a_shape_is_described_as_its_struct() -> None:
    schema = shape_of(Outer).model_json_schema(mode="serialization")
    assert schema["description"] == "A struct with a field of each kind."
    assert schema["properties"]["name"]["description"] == "What it is\ncalled."
    assert schema["properties"]["optional"]["description"] == "Seconds."
    assert "description" not in schema["properties"]["counts"]
    assert schema["$defs"]["Inner"]["description"] == "An inner one."
    assert list(schema["properties"]) == list(Outer.__struct_fields__)
    assert set(schema["required"]) == set(Outer.__struct_fields__)


def test_a_struct_has_one_shape() -> None:
    assert shape_of(Inner) is shape_of(Inner)
    assert "description" not in shape_of(Base).model_json_schema()
