"""Columns are added up as if each number were added alone, whatever the numbers are."""

from __future__ import annotations

import random

from headway.ledger.column_sums import IntegerColumns, merge_groups

GROUPS = [[0, 3], [1], [2, 4, 5], [6, 7, 8, 9]]


def add_plainly(columns: list[list[int]]) -> list[list[int]]:
    return [[sum(column[at] for at in group) for group in GROUPS] for column in columns]


def test_groups_are_added_up_column_by_column() -> None:
    rng = random.Random(1)
    for low, high in ((0, 9), (0, 2**40), (-5, 5), (2**60, 2**62), (-(2**63), 2**63)):
        columns = [[rng.randint(low, high) for _ in range(10)] for _ in range(4)]
        found = IntegerColumns(columns).add_up(GROUPS)
        assert [list(column) for column in found] == add_plainly(columns), (low, high)


def test_empty_columns_stay_empty_and_some_may_be_left_out() -> None:
    column = list(range(10))
    columns = IntegerColumns([(), column, (), column, column])
    expected = add_plainly([column])[0]
    for width, found in ((None, [[], expected, [], expected, expected]), (2, [[], expected])):
        assert [list(each) for each in columns.add_up(GROUPS, width)] == found
        single = [list(each) for each in columns.add_up([[4], [2]], width)]
        assert single == [[4, 2] if each else [] for each in found]
    assert IntegerColumns([(), ()]).add_up(GROUPS) == [(), ()]
    assert IntegerColumns([column, ()]).add_up([]) == [(), ()]


def test_other_columns_are_merged_where_a_group_has_several_rows() -> None:
    assert merge_groups([b"a", b"b", b"c"], [[2, 0], [1]], b"".join) == [b"ca", b"b"]
    assert merge_groups([], GROUPS, b"".join) == ()
