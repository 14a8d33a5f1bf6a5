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

_PRIME = (1 << 61) - 1
"""A Mersenne prime: hashes of the form ``a * key + b`` modulo it (Carter and Wegman 1979)."""
_TO_UNIT = 1.0 / _PRIME


def stick(key: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """All of ``candidates``, in an order that depends on ``key`` and on their ids and weights
    alone: not on the process, and not on the order in which they are given. In proportion to its
    weight, a target is the first of as many keys."""
    seed, _ = _numbers(key)
    scored = []
    for each in candidates:
        target = each.target
        factor, offset = _numbers_of_target(target.provider, target.model)
        draw = ((factor * seed + offset) % _PRIME + 0.5) * _TO_UNIT
        weight = target.weight
        scored.append((-log(draw) / weight if weight > 0 else inf, offset, each))
    scored.sort(key=_place)
    return [each for _, _, each in scored]


def _place(scored: tuple[float, int, Candidate]) -> tuple[float, int]:
    return scored[:2]


def _numbers(text: str) -> tuple[int, int]:
    """Two numbers below the prime."""
    digest = blake2b(text.encode(), digest_size=16).digest()
    first, second = int.from_bytes(digest[:8]), int.from_bytes(digest[8:])
    return first % _PRIME, second % _PRIME


@lru_cache(maxsize=4096)
def _numbers_of_target(provider: str, model: str) -> tuple[int, int]:
    return _numbers(f"{provider}/{model}")
