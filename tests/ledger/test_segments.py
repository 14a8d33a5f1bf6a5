"""Segments: what they keep of cells is what was added, before and after they are merged."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tests.support.ledger_stores import make_record

from headway.ledger.cubes import DAY_US, FAMILIES, Cube
from headway.ledger.new_sums import NewSums
from headway.ledger.rows import encode_rows, gaps_of, keys_of
from headway.ledger.segments import CUBES, Block, decode, encode_parts, join, merge
from headway.ledger.store import HISTOGRAM_METRICS, Usage
from headway.ledger.usage_parts import Cell, contributions_of, correct_call_cost, flags_of
from headway.record import Record

DAY = 20_000
Segments = dict[Block, list[bytes]]


def sum_up(*batches: Sequence[Record], rolled: int = 0) -> Segments:
    """All records are of the day ``DAY``, and their place among the names and profiles is that in
    their batch modulo 3."""
    found: Segments = {}
    for records in batches:
        keys = [keys_of(record) for record in records]
        gaps = [gaps_of(record) for record in records]
        rows = encode_rows(records, [[None] * len(records)] * 6, gaps)
        flags = [flags_of(each.profile, each.terms) for each in keys]
        costs = [row[17] for row in rows]
        places = [(DAY * DAY_US, (at % 3,) * 4, at % 3, None) for at in range(len(records))]
        sums = NewSums()
        sums.add(places, contributions_of(rows, flags, costs, gaps), gaps)
        for block, body in sums.segments(rolled):
            found.setdefault(block, []).append(body)
    return found


def cells_of(bodies: Sequence[bytes]) -> dict[tuple[int, int], Cell]:
    cells: dict[tuple[int, int], Cell] = {}
    for segment in map(decode, bodies):
        addresses = zip(segment.names, segment.profiles, strict=True)
        groups = [(cells.setdefault(key, Cell()), [at]) for at, key in enumerate(addresses)]
        join([segment]).add_to(groups)
    return cells


def usage_of(cube: Cube, bodies: Sequence[bytes]) -> dict[tuple[int, int], Usage]:
    metrics = HISTOGRAM_METRICS if cube.has_metrics else ()
    return {key: cell.to_usage({}, metrics) for key, cell in cells_of(bodies).items()}


def merged(block: Block, bodies: Sequence[bytes]) -> bytes:
    return merge(bodies, has_metrics=CUBES[block.cube].has_metrics)


def test_segments_add_up_to_the_records_before_and_after_they_are_merged() -> None:
    records = [
        make_record(
            at, latency_s=at / 7, cost_usd=f"0.{at}", gap_counts=((at, at + 1), (900, 1)),
            saved_usd="0.01" if at % 5 == 0 else None, is_last=at % 7 > 0,
            status=200 if at % 11 else 500,
        )
        for at in range(1, 900)
    ]  # fmt: skip
    whole = sum_up(records)
    assert {block.cube for block in whole} == {family[0].number for family in FAMILIES}
    for size in (3, 150, 450):
        parts = sum_up(*[records[at : at + size] for at in range(0, len(records), size)])
        for block, bodies in parts.items():
            cube = CUBES[block.cube]
            expected = usage_of(cube, whole[block])
            assert usage_of(cube, bodies) == expected, (size, block)
            once = merged(block, bodies)
            assert usage_of(cube, [once]) == expected, (size, block)
            some = merged(block, bodies[:1]), merged(block, bodies[1:])
            assert usage_of(cube, [merged(block, some)]) == expected, (size, block)


def test_late_records_are_in_the_cells_of_longer_times_too() -> None:
    records = [make_record(at, gap_counts=((700, 2),)) for at in range(10)]
    found = sum_up(records, rolled=DAY + 1)
    assert {block.cube for block in found} == set(CUBES)
    for family in FAMILIES:
        one, *others = [
            usage_of(cube, bodies)
            for cube in family
            for block, bodies in found.items()
            if block.cube == cube.number
        ]
        assert all(other == one for other in others)
    assert list(NewSums().segments(DAY)) == []


def test_sums_of_nonsense_are_the_largest_number() -> None:
    for tokens, largest in ((2**62, 2**63 - 1), (-(2**62), -(2**63 - 1))):
        found = sum_up([make_record(at, input_tokens=tokens) for at in range(15)])
        for block, bodies in found.items():
            for each in (bodies, [merged(block, bodies * 3)]):
                usages = usage_of(CUBES[block.cube], each).values()
                assert {usage.input_tokens for usage in usages} == {largest}


def test_costs_are_exact_beyond_what_an_integer_of_the_database_holds() -> None:
    costs = ("4000000", "4000000.000000000000000001", "0.0000000000000000002")
    found = sum_up([make_record(at * 3, cost_usd=cost) for at, cost in enumerate(costs)] * 4)
    for block, bodies in found.items():
        usages = usage_of(CUBES[block.cube], [merged(block, bodies * 2)]).values()
        assert sum(usage.cost_usd for usage in usages) == 8 * sum(map(Decimal, costs))


def test_a_correction_replaces_the_cost_of_a_call() -> None:
    part = correct_call_cost(5 * 10**11, 75 * 10**10)
    correction = encode_parts([(0, 0, part)], has_metrics=True)
    for block, bodies in sum_up([make_record(1, cost_usd="0.5")]).items():
        if CUBES[block.cube].has_metrics:
            for each in ([*bodies, correction], [merged(block, [*bodies, correction])]):
                (usage,) = usage_of(CUBES[block.cube], each).values()
                histogram = usage.histograms["cost_usd"]
                assert (histogram.count, histogram.total) == (1, 0.75)


def test_what_is_not_asked_for_is_not_added() -> None:
    ((_, (body,)), *_) = sum_up([make_record(1, gap_counts=((700, 2),))]).items()
    cell = Cell()
    join([decode(body)], (), has_gaps=False).add_to([(cell, [0])])
    assert (cell.places, cell.gaps, cell.numbers[0]) == ([], {}, 1)


def test_cells_are_counted_again_where_a_metric_has_no_value() -> None:
    """A cell of 300 records, which are counted, and twice 200 more, which are listed until they are
    added up; and no record has a time to first token."""
    records = [make_record(at, latency_s=at / 7, time_to_first_token_s=None) for at in range(2100)]
    whole = sum_up(records)
    parts = sum_up(records[:900], records[900:1500], records[1500:])
    for block, bodies in parts.items():
        expected = usage_of(CUBES[block.cube], whole[block])
        assert usage_of(CUBES[block.cube], [merged(block, bodies)]) == expected
