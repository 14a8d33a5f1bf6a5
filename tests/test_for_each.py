"""A test of many cases runs them all, and names those that fail."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from support.for_each import for_each


def test_tables_are_multiplied() -> None:
    called: list[Any] = []

    @for_each("a", (1, 2))
    @for_each("b, c", [("x", True), ("y", False)])
    def test(a: int, b: str, c: bool, fixture: str) -> None:
        called.append((a, b, c, fixture))

    assert list(inspect.signature(test).parameters) == ["fixture"]
    test("f")
    assert called == [
        (1, "x", True, "f"),
        (1, "y", False, "f"),
        (2, "x", True, "f"),
        (2, "y", False, "f"),
    ]


def test_every_failed_case_is_named() -> None:
    called: list[int] = []

    @for_each("a", range(20))
    def test(a: int) -> None:
        called.append(a)
        if a == 3:
            pytest.fail("three")
        assert a % 5

    with pytest.raises(BaseExceptionGroup) as caught:
        test()
    assert called == list(range(20))
    assert caught.value.message == "5 of 20 cases failed: a=0; a=3; a=5; a=10; a=15"
    assert [type(each).__name__ for each in caught.value.exceptions][:2] == [
        "AssertionError",
        "Failed",
    ]
    assert caught.value.exceptions[1].__notes__ == ["Case: a=3"]


def test_a_case_is_named_by_its_id() -> None:
    @for_each("a", [1, 2], ids=["one", "two"])
    @for_each("b", [3, 4], ids=lambda b: f"<{b}>")
    def test(a: int, b: int) -> None:
        assert (a, b) != (2, 3)

    with pytest.raises(BaseExceptionGroup, match="1 of 4 cases failed: two, <3>"):
        test()


def test_a_table_needs_rows_and_a_parameter() -> None:
    with pytest.raises(AssertionError, match="without rows"):
        for_each("a", [])
    with pytest.raises(AssertionError, match="takes no b"):
        for_each("b", [1])(lambda a: None)
