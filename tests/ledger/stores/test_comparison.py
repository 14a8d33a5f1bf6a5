"""The targets of a route, compared over all databases."""

from __future__ import annotations

import random
from typing import Any

from msgspec.structs import replace
from tests.support.ledger_stores import SyncStore, make_record, uuid_of

from headway.ledger.comparison import TargetComparison, compare_targets
from headway.ledger.store import Filter
from headway.record import Feedback, Record

A, B = "openai/a", "groq/b"
CALLS = 150


def routed(number: int, **fields: Any) -> Record:
    return make_record(number, **{"provider": "openai", "model": "a", "route_name": "smart",
                                  **fields})  # fmt: skip


def copy_of(record: Record, number: int, **fields: Any) -> Record:
    return routed(number, **{"provider": "groq", "model": "b", "role": "shadow",
                             "shadow_of": record.call_id, **fields})  # fmt: skip


def ask(store: SyncStore, metric: Any, targets: Any = (), **where: Any) -> TargetComparison:
    found: TargetComparison = store.run(
        compare_targets(store.store, "smart", metric, Filter(**where), targets)
    )
    return found


def test_copies_are_compared_with_the_calls_that_they_are_copies_of(store: SyncStore) -> None:
    draw = random.Random(1)
    for at in range(CALLS):
        cost = draw.uniform(0.001, 1.0)
        call = routed(at, cost_usd=f"{cost:.6f}")
        store_cost = f"{cost - 0.001 + draw.uniform(-1e-5, 1e-5):.6f}"
        store.add([call, copy_of(call, 1000 + at, cost_usd=store_cost)])
    first, other = ask(store, "cost").targets
    assert (first.target, first.requests, first.result) == (A, CALLS, None)
    assert (other.target, other.is_paired, other.pairs, other.result) == (B, True, CALLS, "lower")
    assert other.low < other.difference < other.high < 0
    assert other.summary.startswith(f"{B} is cheaper than {A} by $0.001 a request, between $")
    assert other.summary.endswith("; this holds whenever you look.")
    assert other.more_requests is None
    turned = ask(store, "cost", (B, A)).targets
    assert [each.target for each in turned] == [B, A]
    assert not turned[1].is_paired


def test_times_are_those_of_first_attempts(store: SyncStore) -> None:
    slow = {"outcome": "ok", "latency_s": 100.0, "role": "fallback"}
    store.add([routed(at, latency_s=2.0 + at / 1000) for at in range(CALLS)])
    fast = {"provider": "groq", "model": "b"}
    store.add([routed(1000 + at, latency_s=1.0 + at / 1000, **fast) for at in range(CALLS)])
    store.add([routed(2000, **slow), routed(2001, outcome="error", latency_s=0.1)])
    store.add([replace(routed(2002, latency_s=50.0), route_name="other")])
    _, other = ask(store, "latency", (A, B)).targets
    assert (other.requests, other.result, other.is_paired) == (CALLS, "lower", False)
    assert f"{B} is faster than {A} by 1 s" in other.summary
    found = ask(store, "latency", (B, A)).targets
    assert found[1].result == "higher"
    assert f"{A} is slower than {B} by 1 s" in found[1].summary
    assert ask(store, "cost", (A,)).targets[0].requests == CALLS + 1
    assert ask(store, "latency", owner="nobody").targets == ()


def test_feedback_is_that_on_the_calls_of_each_target(store: SyncStore) -> None:
    for at in range(CALLS):
        store.add([routed(at), routed(1000 + at, provider="groq", model="b")])
        for number, score in ((at, 0.2), (at, 0.4), (1000 + at, 0.9)):
            given = {"call_id": uuid_of(number), "timestamp": 1.0, "score": score + at / 1000}
            store.add([Feedback(id=f"{number}-{score}", **given)])
    first, other = ask(store, "feedback", (A, B)).targets
    assert (first.requests, other.requests, other.result) == (CALLS, CALLS, "higher")
    assert f"{B} is rated higher than {A} by 0.6" in other.summary


def test_what_is_not_known_yet_says_how_many_more_requests_tell_it(store: SyncStore) -> None:
    store.add([routed(at, tokens_per_second=float(50 + at % 7), latency_s=4.0, output_tokens=200)
               for at in range(20)])  # fmt: skip
    other = {"provider": "groq", "model": "b", "output_tokens": 210, "latency_s": 4.0}
    store.add([routed(1000 + at, **other) for at in range(20)])
    _, found = ask(store, "tokens_per_second", (A, B)).targets
    assert (found.result, found.low, found.more_requests) == ("unknown", None, 160)
    assert "nothing is concluded from fewer than 100 requests of each" in found.summary
    assert "about 160 more requests tell" in found.summary
    more = [routed(2000 + at, latency_s=float(1 + at % 9)) for at in range(200)]
    same = [routed(3000 + at, latency_s=float(1 + at % 9), provider="groq", model="b")
            for at in range(200)]  # fmt: skip
    store.add([*more, *same])
    _, found = ask(store, "latency", (A, B)).targets
    assert found.result == "unknown"
    assert "not known yet, the difference is between -" in found.summary
    nothing = ask(store, "latency", since=9e9)
    assert (nothing.targets, nothing.note) == (
        (), "No request of this route has such a value in this time.",
    )  # fmt: skip
    [unseen] = [each for each in ask(store, "cost", (A, "xai/c")).targets if each.target != A]
    assert (unseen.requests, unseen.mean, unseen.result) == (0, None, "unknown")
