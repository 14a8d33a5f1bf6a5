"""Send what belongs together to the same target, so that its provider finds the prompt in its
cache.

Weighted rendezvous hashing (Thaler and Ravishankar 1998; Schindelhauer and Schomaker 2005): every
process finds the same order without a word between them, and when a target drops out, only what
was on it moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from math import inf, log

from headway.routing.balance import Candidate

_MASK = (1 << 64) - 1
_UNIT = 2.0**-64


def stick(key: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """All of ``candidates``, in an order that depends on ``key`` and on their ids and weights
    alone: not on the process, and not on the order in which they are given. In proportion to its
    weight, a target is the first of as many keys."""
    seed = _hash(key)
    scored = []
    for each in candidates:
        target = each.target
        draw = (_mix(seed ^ _hash_of_target(target.id)) + 0.5) * _UNIT
        wait = -log(draw) / target.weight if target.weight > 0 else inf
        scored.append((wait, target.id, each))
    scored.sort(key=_place)
    return [each for _, _, each in scored]


def _place(scored: tuple[float, str, Candidate]) -> tuple[float, str]:
    return scored[:2]


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


_hash_of_target = lru_cache(maxsize=4096)(_hash)


def _mix(number: int) -> int:
    """The finalizer of splitmix64 (Steele, Lea, Flood 2014)."""
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & _MASK
    return number ^ (number >> 31)
