"""What records that are stored together add to the cells, in segments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from headway.ledger.cubes import (
    DAY_US,
    FAMILIES,
    HOUR_US,
    At,
    Cube,
    Level,
    PlainPlace,
    start_of,
    widen,
)
from headway.ledger.rows import Gaps, pack_histogram
from headway.ledger.segments import NAMES_BITS, Block, Columns, columns_of, encode_groups
from headway.ledger.usage_parts import Contribution, add_counts

_Groups = Mapping[At, list[int]]
"""Address of a cell -> the numbers of records."""
_Counts = Mapping[At, dict[int, int]]
"""Address of a cell -> the gaps."""


class NewSums:
    """``add`` some records several times, and ask for their ``segments``."""

    def __init__(self) -> None:
        self._contributions: list[Contribution] = []
        self._groups: list[defaultdict[At, list[int]]] = [defaultdict(list) for _ in FAMILIES]
        self._gaps: defaultdict[At, dict[int, int]] = defaultdict(dict)

    def add(
        self,
        places: Sequence[PlainPlace],
        contributions: Sequence[Contribution],
        gaps: Sequence[Gaps | None],
    ) -> None:
        """Of some records: where they count, what they contribute, and their gaps."""
        by_model, by_key, by_user, by_tags, by_user_and_model, by_tags_and_model = self._groups
        at = len(self._contributions)
        self._contributions += contributions
        for place, contribution, counts in zip(places, contributions, gaps, strict=True):
            time_us, (model, profile, key, only_model), user, tags = place
            user, tags = user or 0, tags or 0
            hour = time_us // HOUR_US
            day = hour // 24
            by_model[hour, 0, model].append(at)
            by_key[day, 0, profile].append(at)
            by_user[day, user, key].append(at)
            by_tags[day, tags, key].append(at)
            by_user_and_model[day, user, only_model].append(at)
            by_tags_and_model[day, tags, only_model].append(at)
            if counts is not None and contribution[1]:
                add_counts(self._gaps[hour, 0, model], counts)
            at += 1

    def segments(self, rolled: int) -> Iterator[tuple[Block, bytes]]:
        """What is to be appended, and where. The database makes the cells of longer times by
        itself, from the day ``rolled`` on, so only those of earlier days are made."""
        if not self._contributions:
            return
        columns = columns_of(*zip(*self._contributions, strict=True))
        for family, groups in zip(FAMILIES, self._groups, strict=True):
            shortest = family[0].level
            gaps: _Counts = self._gaps if family[0].has_gaps else {}
            yield from _segments_of(family[0], groups, gaps, columns)
            stop = start_of(shortest, rolled * DAY_US)
            late = {address: numbers for address, numbers in groups.items() if address[0] < stop}
            for cube in family[1:] if late else ():
                yield from _segments_of(cube, *_widen(shortest, cube.level, late, gaps), columns)


def _widen(level: Level, wider: Level, groups: _Groups, gaps: _Counts) -> tuple[_Groups, _Counts]:
    """The cells of ``groups`` by a longer time, and their gaps."""
    wide: defaultdict[At, list[int]] = defaultdict(list)
    wide_gaps: defaultdict[At, dict[int, int]] = defaultdict(dict)
    for address, numbers in groups.items():
        start, name, profile = address
        at = widen(level, wider, start), name, profile
        wide[at] += numbers
        counts = gaps.get(address)
        if counts is not None:
            add_counts(wide_gaps[at], (tuple(counts), tuple(counts.values())))
    return wide, wide_gaps


def _segments_of(
    cube: Cube, groups: _Groups, gaps: _Counts, columns: Columns
) -> Iterator[tuple[Block, bytes]]:
    blocks: defaultdict[tuple[int, int], dict[tuple[int, int], list[int]]] = defaultdict(dict)
    for (start, name, profile), numbers in groups.items():
        blocks[start, name >> NAMES_BITS][name, profile] = numbers
    packed: defaultdict[int, dict[tuple[int, int], bytes]] = defaultdict(dict)
    for (start, name, profile), counts in gaps.items():
        packed[start][name, profile] = pack_histogram(counts)
    for (start, names), cells in blocks.items():
        yield (
            Block(cube.number, start, names),
            encode_groups(columns, cells, has_metrics=cube.has_metrics, gaps=packed[start]),
        )
