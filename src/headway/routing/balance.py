"""Put the targets of a route in the order in which a request tries them.

Pure: what was measured, the time and the random numbers are arguments. What is measured goes stale
after ``STALE_S`` (``target_state``); then a target that the order would not try first is tried
first by ``EXPLORE_SHARE`` of the requests, until it is measured again, by one request at a time.
So no target of equal standing starves, and a slow one costs one request a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, log

from msgspec import Struct

from headway.routing.route import Floors, RouteTarget, Strategy
from headway.routing.target_state import TargetState

EXPLORE_SHARE = 0.05
NO_FLOORS = Floors()


class Candidate(Struct, frozen=True, gc=False):
    """A target that could answer the request."""

    target: RouteTarget
    state: TargetState
    price_usd: float | None = None
    """What the request would cost, estimated. None: unknown, which counts as the most expensive."""


Candidates = Sequence[Candidate]


def order(
    strategy: Strategy,
    candidates: Candidates,
    *,
    stream: bool,
    now: float,
    rng: Callable[[], float],
    floors: Floors = NO_FLOORS,
) -> list[Candidate]:
    """All of ``candidates``. ``rng`` draws from [0, 1)."""
    if len(candidates) < 2 or strategy == "ordered":
        return list(candidates)
    if strategy == "weighted":
        return shuffle_by_weight(candidates, rng)
    if strategy == "least_outstanding":
        return by_outstanding(candidates, rng)
    if strategy == "lowest_latency":
        return by_latency(candidates, stream, now, rng)
    if strategy == "cheapest":
        return by_price(candidates, floors, now, rng)
    return by_rate(candidates, stream, now, rng)


def shuffle_by_weight(candidates: Candidates, rng: Callable[[], float]) -> list[Candidate]:
    """Each place goes to one of those left, with a chance in proportion to its weight (Efraimidis
    and Spirakis 2006). Weight 0 comes last."""
    waits = [
        (-log(1.0 - rng()) / weight if (weight := each.target.weight) > 0 else inf)
        for each in candidates
    ]
    places = sorted(range(len(waits)), key=waits.__getitem__)
    return [candidates[place] for place in places]


def by_outstanding(candidates: Candidates, rng: Callable[[], float]) -> list[Candidate]:
    """The fewest attempts under way, the new one included, for its weight; ties by chance."""
    loads = [(_load(each), rng()) for each in candidates]
    places = sorted(range(len(loads)), key=loads.__getitem__)
    return [candidates[place] for place in places]


def by_latency(
    candidates: Candidates, stream: bool, now: float, rng: Callable[[], float]
) -> list[Candidate]:
    """The better of two that are drawn by weight (Mitzenmacher 2001), then the others by the time
    that is expected of them."""
    times = [each.state.expected_s(stream, now) for each in candidates]
    ordered = [candidates[place] for place in sorted(range(len(times)), key=times.__getitem__)]
    if len(ordered) > 2:
        first = _best_of_two(ordered, rng)
        if first:
            ordered.insert(0, ordered.pop(first))
    return explore(ordered, ordered[1:], stream, now, rng) if rng() < EXPLORE_SHARE else ordered


def by_price(
    candidates: Candidates, floors: Floors, now: float, rng: Callable[[], float]
) -> list[Candidate]:
    """The cheapest that keeps the floors first. One that was never measured keeps them. Explored
    are those that would be first if they kept them."""
    prices = [
        (not keeps(floors, each.state), inf if each.price_usd is None else each.price_usd)
        for each in candidates
    ]
    places = sorted(range(len(prices)), key=prices.__getitem__)
    ordered = [candidates[place] for place in places]
    if rng() >= EXPLORE_SHARE:
        return ordered
    price = prices[places[0]][1]
    cheaper = [candidates[place] for place in places[1:] if prices[place][1] < price]
    return explore(ordered, cheaper, True, now, rng)


def by_rate(
    candidates: Candidates, stream: bool, now: float, rng: Callable[[], float]
) -> list[Candidate]:
    """The most tokens a second, less what fails."""
    rates = [-_rate(each.state, stream, now) for each in candidates]
    ordered = [candidates[place] for place in sorted(range(len(rates)), key=rates.__getitem__)]
    return explore(ordered, ordered[1:], stream, now, rng) if rng() < EXPLORE_SHARE else ordered


def keeps(floors: Floors, state: TargetState) -> bool:
    """What a target showed in streams."""
    speed, longest, least = state.streams, floors.time_to_first_token, floors.tokens_per_second
    is_late = longest is not None and speed.peak_s is not None and speed.peak_s > longest
    rate = speed.tokens_per_second
    return not is_late and not (least is not None and rate is not None and rate < least)


def explore(
    ordered: list[Candidate],
    unproven: list[Candidate],
    stream: bool,
    now: float,
    rng: Callable[[], float],
) -> list[Candidate]:
    """``ordered`` with one of ``unproven`` first that nobody has measured lately, and nobody is
    measuring at the moment."""
    stale = [
        each
        for each in unproven
        if not each.state.outstanding
        and each.target.weight > 0
        and each.state.speed(stream).is_stale(now)
    ]
    if not stale:
        return ordered
    chosen = stale[int(rng() * len(stale))]
    return [chosen, *(each for each in ordered if each is not chosen)]


def _best_of_two(ordered: Candidates, rng: Callable[[], float]) -> int:
    """The place of the better of two that are drawn by weight, without putting the first back."""
    weights = [each.target.weight for each in ordered]
    first = _draw(weights, rng())
    weights[first] = 0.0
    return min(first, _draw(weights, rng()))


def _draw(weights: Sequence[float], draw: float) -> int:
    """A place, with a chance in proportion to its weight; the last one where all are 0."""
    at = draw * sum(weights)
    for place, weight in enumerate(weights):
        at -= weight
        if at < 0.0:
            return place
    return len(weights) - 1


def _load(candidate: Candidate) -> float:
    weight = candidate.target.weight
    return (candidate.state.outstanding + 1) / weight if weight > 0 else inf


def _rate(state: TargetState, stream: bool, now: float) -> float:
    rate = state.speed(stream).tokens_per_second
    if rate is None:
        return 0.0 if state.outstanding else inf
    return rate * (1.0 - state.errors(now))
