"""Counting the values of calls."""

from __future__ import annotations

from headway.ledger.rows import PROFILE_FIELDS
from headway.ledger.store import ValueCounts
from headway.ledger.value_counts import MAX_VALUES, Group, count_values, facets_view


def profile(**fields: object) -> tuple[object, ...]:
    return tuple(fields.get(name) for name in PROFILE_FIELDS)


def test_calls_count_once_for_each_value_and_in_each_of_their_tags() -> None:
    found = count_values(
        [
            Group(profile(provider="a", status=200, key_id="k"), "u", ("x", "y"), 3),
            Group(profile(provider="b", status=200), None, (), 2),
        ]
    )
    assert found["provider"] == {"a": 3, "b": 2}
    assert found["status"] == {"200": 5}
    assert found["key"] == {"k": 3, None: 2}
    assert found["user"] == {"u": 3, None: 2}
    assert found["tag"] == {"x": 3, "y": 3, None: 2}
    assert found["cache"] == {None: 5}


def test_the_most_frequent_values_come_first_and_the_rest_is_counted() -> None:
    counts: dict[str | None, int] = {f"m{at:02}": at for at in range(1, 31)}
    view = facets_view(
        ValueCounts(calls=9, is_all=False, since=0.0, counts={"model": counts, "user": {None: 1}})
    )
    assert (view.of, view.is_all, view.since) == (9, False, "1970-01-01T00:00:00.000000Z")
    models = view.facets["model"]
    assert (models.values, len(models.top)) == (30, MAX_VALUES)
    assert [(each.value, each.count) for each in models.top[:2]] == [("m30", 30), ("m29", 29)]
    assert view.facets["user"].top[0].value is None
    assert facets_view(ValueCounts(calls=0, is_all=True, since=None, counts={})).since is None


def test_equal_counts_are_in_the_order_of_their_values() -> None:
    counts: dict[str | None, int] = {"b": 1, "a": 1, None: 1}
    found = facets_view(ValueCounts(calls=1, is_all=True, since=None, counts={"model": counts}))
    assert [each.value for each in found.facets["model"].top] == [None, "a", "b"]
