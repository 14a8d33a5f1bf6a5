"""Finds the kept response to the request that is most like another one, by the vectors of their
texts.

Only requests that are the same but for their last text are compared (``group``). Of a group the
vectors with the most components of the same sign come first, which a count of bits tells for 1,000
of them in a fraction of a millisecond, and the best of those is found by their angles.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from heapq import nsmallest
from math import fsum, sqrt
from operator import mul

from headway.ports import Neighbour

PER_GROUP = 1000
"""Vectors of a group; a further one replaces the oldest."""
COMPARED = 16
"""Vectors whose angles are computed."""


class _Group:
    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.call_ids: list[str] = []
        self.vectors: list[array[float]] = []
        self.signs: list[int] = []


class SemanticIndex:
    """``limit`` is the number of vectors in all groups."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._groups: OrderedDict[bytes, _Group] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, group: bytes, vector: Sequence[float], key: bytes, call_id: str) -> None:
        """A vector without direction is left out."""
        unit = _unit(vector)
        if unit is None:
            return
        found = self._groups.setdefault(group, _Group())
        self._groups.move_to_end(group)
        if found.vectors and len(found.vectors[0]) != len(unit):
            self._forget(group)
            found = self._groups.setdefault(group, _Group())
        found.keys.append(key)
        found.call_ids.append(call_id)
        found.vectors.append(unit)
        found.signs.append(_signs(unit))
        self._size += 1
        if len(found.keys) > PER_GROUP:
            del found.keys[0], found.call_ids[0], found.vectors[0], found.signs[0]
            self._size -= 1
        while self._size > self._limit:
            self._forget(next(iter(self._groups)))

    def find(self, group: bytes, vector: Sequence[float], threshold: float) -> Neighbour | None:
        """The most similar one, if its similarity is at least ``threshold``."""
        found, unit = self._groups.get(group), _unit(vector)
        if found is None or unit is None or len(found.vectors[0]) != len(unit):
            return None
        self._groups.move_to_end(group)
        signs = _signs(unit)
        differing = [(signs ^ other).bit_count() for other in found.signs]
        nearest = nsmallest(COMPARED, range(len(differing)), key=differing.__getitem__)
        similarity, at = max((_dot(found.vectors[each], unit), each) for each in nearest)
        if similarity < threshold:
            return None
        return Neighbour(found.keys[at], min(similarity, 1.0), found.call_ids[at])

    def similarity(self, one: Sequence[float], other: Sequence[float]) -> float | None:
        """None where a vector has no direction, or they are of different lengths."""
        first, second = _unit(one), _unit(other)
        if first is None or second is None or len(first) != len(second):
            return None
        return min(_dot(first, second), 1.0)

    def _forget(self, group: bytes) -> None:
        self._size -= len(self._groups.pop(group).keys)


def _unit(vector: Sequence[float]) -> array[float] | None:
    length = sqrt(fsum(map(mul, vector, vector)))
    return array("f", [value / length for value in vector]) if length else None


def _dot(one: array[float], other: array[float]) -> float:
    return float(sum(map(mul, one, other)))


def _signs(vector: array[float]) -> int:
    """A bit for each component that is above 0."""
    return int("".join(["1" if value > 0 else "0" for value in vector]), 2)
