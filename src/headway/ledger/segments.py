"""Cells in columns (``usage_parts`` says what a cell is).

A *segment* has cells of one cube and one time, for a range of names. A batch of records makes a few
of them, which a database appends as they are. To merge segments means to add up the cells with one
name and profile. Columns make both cheap, and questions too: what a question does not ask for is
not decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct

from headway.ledger.column_sums import IntegerColumns, merge_groups
from headway.ledger.cubes import FAMILIES, Address, Cube
from headway.ledger.money import MAX_INTEGER, join_usd, split_usd
from headway.ledger.store import HISTOGRAM_METRICS
from headway.ledger.usage_parts import (
    LARGEST_SUM,
    MOST_LISTED,
    SUMS,
    Cell,
    Numbers,
    Rests,
    add_packed,
    count_places,
    decode_parts,
    pack_counts,
)

NAMES_BITS = 10
"""Of a name, that the number of its range leaves out."""
CUBES: Mapping[int, Cube] = {cube.number: cube for cube in chain.from_iterable(FAMILIES)}
_METRICS = len(HISTOGRAM_METRICS)
_COST, _PLAIN = len(SUMS), len(SUMS) + 2
_SAVED = _PLAIN + _METRICS + 1
"""In the numbers of a contribution, where it is last, as it is rare. In segments it follows the
costs, so that those of a cube without histograms end with it."""
_encode = msgspec.msgpack.Encoder().encode
_T = TypeVar("_T")


class Block(NamedTuple):
    """Where a segment belongs."""

    cube: int
    start: int
    """As ``cubes.start_of`` gives it."""
    names: int
    """The range: names without their last ``NAMES_BITS``."""


def block_of(address: Address) -> Block:
    cube, start, name, _ = address
    return Block(cube, start, name >> NAMES_BITS)


class Columns(Struct):
    """What some cells, or parts of cells, consist of. A column without values is empty."""

    numbers: IntegerColumns
    """``SUMS``, cost, estimated cost and savings; with histograms then the sums of the metrics, and
    of the gaps."""
    places: Sequence[bytes] = ()
    """As in contributions: of several records one after the other, while they are few."""
    histograms: Sequence[Sequence[bytes | None]] = ()
    """``usage_parts.pack_counts``, a column for each metric; of what is not in ``places``."""
    gaps: Sequence[bytes | None] = ()
    """``rows.pack_histogram``."""
    rests: Sequence[Rests | None] = ()
    """As in contributions."""

    def add_up(self, groups: Sequence[Sequence[int]], *, has_metrics: bool) -> Columns:
        """The cells of some groups, which are given by places in the columns."""
        width = None if has_metrics else _PLAIN + 1
        added = Columns(
            IntegerColumns(self.numbers.add_up(groups, width)),
            rests=merge_groups(self.rests, groups, _add_rests),
        )
        if has_metrics:
            added.places = merge_groups(self.places, groups, b"".join)
            added.histograms = [
                merge_groups(column, groups, _merge_histograms) for column in self.histograms
            ]
            added.gaps = merge_groups(self.gaps, groups, _merge_histograms)
        added.fit()
        return added

    def add_to(self, groups: Sequence[tuple[Cell, Sequence[int]]]) -> None:
        """Add the rows of each group to a cell, which is given with their numbers."""
        if not groups:
            return
        rows = [numbers for _, numbers in groups]
        for (cell, _), numbers in zip(groups, self._add_numbers(rows), strict=True):
            cell.add_numbers((numbers,))
        for cell, rest in _each_value(self.rests, groups):
            cell.add_rests((rest,))
        listed = merge_groups(self.places, rows, b"".join)
        for (cell, _), places in zip(groups, listed, strict=False):
            cell.places.append(places)
        for metric, column in enumerate(self.histograms):
            for cell, packed in _each_value(column, groups):
                add_packed(cell.counts[metric], packed)
        for cell, packed in _each_value(self.gaps, groups):
            add_packed(cell.gaps, packed)

    def _add_numbers(self, groups: Sequence[Sequence[int]]) -> Iterable[Numbers]:
        """Of each group, in the order of those of contributions."""
        columns = self.numbers.add_up(groups)
        saved = columns.pop(_PLAIN)
        columns += [()] * (_SAVED - len(columns))
        if saved:
            columns.append(saved)
        zeros = [0] * len(groups)
        return zip(*[column or zeros for column in columns], strict=True)

    def fit(self) -> None:
        """Count places of many records, and move what of costs is no integer of a database."""
        if any(len(each) > MOST_LISTED for each in self.places):
            nothing = [None] * len(self.places)
            columns = [column or nothing for column in self.histograms or [()] * _METRICS]
            rows = list(zip(*columns, strict=True))
            for at, listed in enumerate(self.places):
                if len(listed) > MOST_LISTED:
                    rows[at] = _count(listed, rows[at])
            self.histograms = list(zip(*rows, strict=True))
            self.places = [b"" if len(each) > MOST_LISTED else each for each in self.places]
        costs = self.numbers.columns[_COST]
        if costs and max(costs) >= MAX_INTEGER:
            self._split_costs()

    def _split_costs(self) -> None:
        numbers = self.numbers.columns
        rests = list(self.rests) or [None] * len(numbers[_COST])
        columns = [list(column) or [0] * len(rests) for column in numbers[_COST:_PLAIN]]
        for at, rest in enumerate(rests):
            pairs = zip(columns, rest or (None, None), strict=True)
            split = [split_usd(join_usd(column[at], each)) for column, each in pairs]
            for column, (picodollars, _) in zip(columns, split, strict=True):
                column[at] = picodollars
            cost, estimated = [each for _, each in split]
            rests[at] = (cost, estimated) if cost or estimated else None
        self.numbers = IntegerColumns([*numbers[:_COST], *columns, *numbers[_PLAIN:]])
        self.rests = rests

    def encode(self, names: Sequence[int], profiles: Sequence[int]) -> bytes:
        """A segment: the addresses of the cells, and the columns."""
        numbers = [column if any(column) else () for column in self.numbers.columns]
        columns = (
            self.places if any(self.places) else (),
            [column if any(column) else () for column in self.histograms],
            self.gaps if any(self.gaps) else (),
            self.rests if any(self.rests) else (),
        )
        try:
            return _encode((names, profiles, numbers, *columns))
        except OverflowError:  # sums of nonsense
            fitted = [[max(-LARGEST_SUM, min(n, LARGEST_SUM)) for n in each] for each in numbers]
            return _encode((names, profiles, fitted, *columns))


def _add_rests(rests: Sequence[Rests | None]) -> Rests | None:
    known = [rest for rest in rests if rest is not None]
    if not known:
        return None
    cell = Cell()
    cell.add_rests(known)
    return f"{cell.cost_rest:f}", f"{cell.estimated_rest:f}"


def _merge_histograms(several: Sequence[bytes | None]) -> bytes | None:
    known = [each for each in several if each is not None]
    if len(known) < 2:
        return known[0] if known else None
    counts: dict[int, int] = {}
    for packed in known:
        add_packed(counts, packed)
    return pack_counts(counts)


def _count(listed: bytes, histograms: Sequence[bytes | None]) -> tuple[bytes | None, ...]:
    counts: list[dict[int, int]] = [{} for _ in range(_METRICS)]
    for found, packed in zip(counts, histograms, strict=True):
        if packed is not None:
            add_packed(found, packed)
    count_places(listed, counts)
    return tuple(map(pack_counts, counts))


def _each_value(
    column: Sequence[_T | None], groups: Sequence[tuple[Cell, Sequence[int]]]
) -> Iterator[tuple[Cell, _T]]:
    for cell, numbers in groups if column else ():
        for at in numbers:
            value = column[at]
            if value is not None:
                yield cell, value


def columns_of(
    numbers: Sequence[Numbers], places: Sequence[bytes], rests: Sequence[Rests | None]
) -> Columns:
    """Those of contributions, or of parts of cells."""
    columns: list[Sequence[int]] = list(zip_longest(*numbers, fillvalue=0))
    columns += [()] * (_SAVED + 1 - len(columns))
    columns.insert(_PLAIN, columns.pop())
    columns = [column if any(column) else () for column in columns]
    return Columns(IntegerColumns(columns), places, rests=rests if any(rests) else ())


def encode_parts(cells: Sequence[tuple[int, int, bytes]], *, has_metrics: bool) -> bytes:
    """A segment of cells as ``usage_parts`` encodes them: name, profile and parts."""
    parts = [
        ((name, profile), part) for name, profile, parts in cells for part in decode_parts(parts)
    ]
    plain = [(part.numbers, part.places, part.rests) for _, part in parts]
    columns = columns_of(*zip(*plain, strict=True))
    histograms = [part.histograms or [_NOTHING] * _METRICS for _, part in parts]
    columns.histograms = [
        list(map(_decode_packed, column)) for column in zip(*histograms, strict=True)
    ]
    columns.gaps = [part.gaps for _, part in parts]
    return encode_groups(columns, _group([key for key, _ in parts]), has_metrics=has_metrics)


_NOTHING = Raw(_encode(None))
_decode_packed = msgspec.msgpack.Decoder(bytes | None).decode


def _group(keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], list[int]]:
    groups: dict[tuple[int, int], list[int]] = {}
    for at, key in enumerate(keys):
        if key in groups:
            groups[key].append(at)
        else:
            groups[key] = [at]
    return groups


def encode_groups(
    columns: Columns,
    groups: Mapping[tuple[int, int], Sequence[int]],
    *,
    has_metrics: bool,
    gaps: Mapping[tuple[int, int], bytes] | None = None,
) -> bytes:
    """A segment of cells, each of some places in the columns; by name and profile. ``gaps``: those
    of the cells that have some, which are not in the columns."""
    added = columns.add_up(list(groups.values()), has_metrics=has_metrics)
    if gaps:
        added.gaps = list(map(gaps.get, groups))
    return added.encode([name for name, _ in groups], [profile for _, profile in groups])


# --- Reading segments -----------------------------------------------------------------------------


class Segment(Struct, array_like=True):
    """A segment of which the addresses are decoded."""

    names: list[int]
    profiles: list[int]
    numbers: list[Raw]
    """As in ``Columns``."""
    places: Raw
    histograms: list[Raw]
    gaps: Raw
    rests: Raw


decode = msgspec.msgpack.Decoder(Segment).decode
_decode_integers = msgspec.msgpack.Decoder(list[int]).decode
_decode_bytes: Callable[[Raw], list[Any]] = msgspec.msgpack.Decoder(list[bytes | None]).decode
_decode_rests = msgspec.msgpack.Decoder(list[Rests | None]).decode


def join(
    segments: Sequence[Segment],
    metrics: Collection[int] = range(_METRICS),
    *,
    has_gaps: bool = True,
) -> Columns:
    """The cells of all, one segment after the other. Of the histograms only those of ``metrics``
    (numbers of ``HISTOGRAM_METRICS``) are decoded, and the gaps only with ``has_gaps``."""
    sizes = [len(segment.names) for segment in segments]
    asked = {*range(_PLAIN + 1), *[_PLAIN + 1 + metric for metric in metrics]}
    if has_gaps:
        asked.add(_SAVED)
    numbers = [
        [_decode_integers(raw) if at in asked else () for at, raw in enumerate(each.numbers)]
        for each in segments
    ]
    joined = Columns(
        IntegerColumns(_join_all(numbers, sizes, 0)),
        rests=_join([_decode_rests(each.rests) for each in segments], sizes, None),
    )
    if metrics:
        joined.places = _join([_decode_bytes(each.places) for each in segments], sizes, b"")
        histograms = [
            [_decode_bytes(raw) if at in metrics else () for at, raw in enumerate(each.histograms)]
            for each in segments
        ]
        joined.histograms = _join_all(histograms, sizes, None)
    if has_gaps:
        joined.gaps = _join([_decode_bytes(each.gaps) for each in segments], sizes, None)
    return joined


def merge(bodies: Sequence[bytes], *, has_metrics: bool) -> bytes:
    """Add segments up."""
    segments = list(map(decode, bodies))
    keys = chain.from_iterable(
        zip(segment.names, segment.profiles, strict=True) for segment in segments
    )
    return encode_groups(join(segments), _group(keys), has_metrics=has_metrics)


def _join_all(
    several: Sequence[Sequence[Sequence[_T]]], sizes: Sequence[int], default: _T
) -> list[Sequence[_T]]:
    return [_join(columns, sizes, default) for columns in zip_longest(*several, fillvalue=())]


def _join(columns: Sequence[Sequence[_T]], sizes: Sequence[int], default: _T) -> Sequence[_T]:
    """One column of several; of those that are empty with ``default`` for each value."""
    if not any(columns):
        return ()
    parts = [column or [default] * size for column, size in zip(columns, sizes, strict=True)]
    return list(chain.from_iterable(parts))
