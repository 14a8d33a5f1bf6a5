"""Under faults, the calls of a route over virtual time: no retry storm, and no request lost that a
healthy target could have answered."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Callable

from headway import errors
from headway.errors import UpstreamError
from headway.ports import AttemptKind
from headway.routing.balance import Candidate, order
from headway.routing.retry import Situation, decide_next
from headway.routing.route import RouteTarget, Strategy
from headway.routing_state.memory import MemoryRoutingState
from support.for_each import for_each

RATE, SECONDS, FAULT_FROM, FAULT_TO = 40.0, 60.0, 10.0, 40.0
BUSY = errors.UpstreamOverloaded("x")
Behaviour = Callable[[str, float, random.Random], tuple[float, UpstreamError | None]]
"""Target and time -> seconds to the first content or the error, and the error."""


class Play:
    """Calls that arrive by chance, ``RATE`` a second."""

    def __init__(self, targets: str, strategy: Strategy, behaviour: Behaviour) -> None:
        self.targets = [RouteTarget(provider="p", model=name) for name in targets]
        self.strategy = strategy
        self.behaviour = behaviour
        self.rng = random.Random(3)
        self.state = MemoryRoutingState()
        self.calls: list[float] = []
        self.loads: dict[str, list[float]] = defaultdict(list)
        self.lost: list[float] = []
        self.queue: list[tuple[float, int, Callable[[float], None]]] = []
        self.number = 0
        at = 0.0
        while at < SECONDS:
            at += self.rng.expovariate(RATE)
            self.do_at(at, Call(self).start)
        while self.queue:
            now, _, action = heapq.heappop(self.queue)
            action(now)

    def do_at(self, at: float, action: Callable[[float], None]) -> None:
        self.number += 1
        heapq.heappush(self.queue, (at, self.number, action))

    def load(self, name: str) -> int:
        return sum(FAULT_FROM <= at < FAULT_TO for at in self.loads[f"p/{name}"])

    @property
    def offered(self) -> int:
        return sum(FAULT_FROM <= at < FAULT_TO for at in self.calls)


class Call:
    def __init__(self, play: Play) -> None:
        self.play, self.failures, self.attempts = play, 0, 0
        self.waiting: list[str] = []
        self.current = ""

    def start(self, now: float) -> None:
        play = self.play
        play.calls.append(now)
        all_of_them = [Candidate(each, play.state.target(each.id)) for each in play.targets]
        admitted = [each for each in all_of_them if each.state.admits(now)] or all_of_them
        rng = play.rng.random
        ordered = order(play.strategy, admitted, stream=True, now=now, rng=rng)
        self.waiting = [each.target.id for each in ordered]
        self.send(now, "first")

    def send(self, now: float, kind: AttemptKind) -> None:
        play = self.play
        if kind != "retry":
            self.current = self.waiting.pop(0)
            self.failures = 0
        self.attempts += 1
        play.loads[self.current].append(now)
        attempt = play.state.begin(self.current, "k", now, True, kind)
        seconds, error = play.behaviour(self.current, now, play.rng)

        def end(now: float) -> None:
            if error is None:
                attempt.on_content(now)
                attempt.on_success(now, 100)
            else:
                attempt.on_failure(error, now)
                self.go_on(error, now)

        play.do_at(now + seconds, end)

    def go_on(self, error: UpstreamError, now: float) -> None:
        play, budget = self.play, self.play.state.target(self.current).budget
        self.failures += 1
        decision = decide_next(
            error,
            Situation(
                failures=self.failures,
                attempts=self.attempts,
                retries=1,
                has_next_target=bool(self.waiting),
                may_retry=budget.allows(now),
            ),
            play.rng.random(),
        )
        if decision.step == "same":
            budget.pay()
            play.do_at(now + decision.delay_s, self.send_again)
        elif decision.step == "next_target":
            self.send(now, "further")
        else:
            play.lost.append(now)

    def send_again(self, now: float) -> None:
        self.send(now, "retry")


def failing(names: str, share: float = 1.0, seconds: float = 0.05) -> Behaviour:
    """``seconds`` pass until an error of these targets."""

    def behave(target: str, now: float, rng: random.Random) -> tuple[float, UpstreamError | None]:
        is_faulty = FAULT_FROM <= now < FAULT_TO and target[-1] in names
        return (seconds, BUSY) if is_faulty and rng.random() < share else (0.3, None)

    return behave


@for_each(
    "targets, strategy, behaviour, faulty",
    [
        ("a", "ordered", failing("a"), "a"),
        ("a", "ordered", failing("a", 0.3), "a"),
        ("ab", "ordered", failing("a"), "a"),
        ("ab", "ordered", failing("a", 0.3), "a"),
        ("ab", "ordered", failing("a", seconds=5.0), "a"),
        ("ab", "ordered", failing("ab"), "ab"),
        ("ab", "ordered", failing("ab", 0.3), "ab"),
        ("ab", "ordered", failing("ab", seconds=5.0), "ab"),
        ("ab", "weighted", failing("a"), "a"),
        ("abc", "lowest_latency", failing("ab"), "ab"),
        ("abc", "least_outstanding", failing("ab", 0.5), "ab"),
    ],
)
def test_a_target_that_fails_gets_no_more_than_is_offered_and_a_tenth(
    targets: str, strategy: Strategy, behaviour: Behaviour, faulty: str
) -> None:
    play = Play(targets, strategy, behaviour)
    assert play.offered > 1000
    for name in faulty:
        budget = play.state.target(f"p/{name}").budget
        most = 1.1 * play.offered + budget.floor + budget.floor_per_s * (FAULT_TO - FAULT_FROM)
        assert play.load(name) <= most, name
    if set(targets) != set(faulty):
        assert play.lost == [], "a healthy target was there"
    assert all(at < FAULT_TO + 6 for at in play.lost), "it has recovered"
    for name in targets:
        assert play.state.target(f"p/{name}").outstanding == 0


def test_a_target_that_is_dead_is_left_alone() -> None:
    play = Play("ab", "ordered", failing("a"))
    assert play.load("a") < 0.05 * play.offered
    late = [at for at in play.loads["p/a"] if at > FAULT_TO]
    assert late[0] < FAULT_TO + 60, "it is tried again"
    assert len(late) > 100, "and used again"
