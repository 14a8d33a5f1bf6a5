from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway import errors
from headway.ports import AttemptKind, AttemptObserver, RoutingState
from headway.routing.breaker import BreakerRule
from headway.routing.provider_keys import ProviderKey, choose_key
from headway.routing_state.memory import (
    FORBIDDEN_S,
    MAX_TARGETS,
    REFUSAL_RULE,
    Change,
    MemoryRoutingState,
)
from support.for_each import for_each

TARGET, KEY = "openai/gpt-5", "openai#a"
RULE = BreakerRule(failures=2, cool_down_s=10.0)
BUSY = errors.UpstreamOverloaded("x")


class Known:
    """A state that remembers what it would tell other processes."""

    def __init__(self) -> None:
        self.told: list[Change] = []
        self.state = MemoryRoutingState(RULE, on_change=self.told.append)
        self.target = self.state.target(TARGET)

    def begin(
        self, now: float = 0.0, *, stream: bool = True, kind: AttemptKind = "first"
    ) -> AttemptObserver:
        return self.state.begin(TARGET, KEY, now, stream, kind)

    def blocked_s(self, now: float, target: str = TARGET) -> float:
        return self.state.key_blocked_s(target, KEY, now)


@pytest.fixture
def known() -> Known:
    return Known()


def test_it_is_what_the_ports_ask_for(known: Known) -> None:
    state: RoutingState = known.state
    observer: AttemptObserver = state.begin(TARGET, KEY, 0.0, stream=True)
    observer.on_cancel(0.0)
    state.close()


def test_a_stream_is_measured_to_its_first_token_and_by_its_rate(known: Known) -> None:
    attempt = known.begin(10.0)
    assert known.target.outstanding == 1
    attempt.on_content(10.5)
    attempt.on_content(11.0)
    attempt.on_success(12.5, 100)
    assert known.target.outstanding == 0
    assert known.target.streams.peak_s == 0.5
    assert known.target.streams.tokens_per_second == 50.0
    assert known.target.wholes.peak_s is None


def test_a_whole_answer_is_measured_to_its_end(known: Known) -> None:
    attempt = known.begin(10.0, stream=False)
    attempt.on_content(12.0)
    attempt.on_success(12.0, 100)
    assert known.target.wholes.peak_s == 2.0
    assert known.target.wholes.tokens_per_second == 50.0
    assert known.target.streams.peak_s is None


def test_an_answer_without_tokens_or_content_has_no_rate(known: Known) -> None:
    known.begin(10.0).on_success(11.0)
    known.begin(10.0).on_success(11.0, 100)
    assert known.target.streams.tokens_per_second is None


def test_only_the_first_end_counts(known: Known) -> None:
    attempt = known.begin()
    attempt.on_failure(BUSY, 1.0)
    attempt.on_failure(BUSY, 1.0)
    attempt.on_success(1.0, 100)
    attempt.on_cancel(1.0)
    attempt.on_content(1.0)
    assert known.target.outstanding == 0
    assert known.target.breaker.failures_in_row == 1
    assert known.target.streams.recent.percentile(50, 1.0) is None


def test_failures_open_the_target_and_others_are_told(known: Known) -> None:
    known.begin().on_failure(BUSY, 1.0)
    assert known.target.admits(1.0)
    known.begin().on_failure(BUSY, 1.0)
    assert not known.target.admits(10.9)
    assert known.told == [Change("open", TARGET, "", 10.0)]
    assert known.blocked_s(1.0) == 0.0, "the key is not to blame"


def test_the_provider_says_how_long_it_needs(known: Known) -> None:
    for _ in range(2):
        known.begin().on_failure(errors.UpstreamOverloaded("x", retry_after_s=42.0), 0.0)
    assert known.told == [Change("open", TARGET, "", 42.0)]


def test_the_probe_closes_the_target_with_its_first_content(known: Known) -> None:
    for _ in range(2):
        known.begin().on_failure(BUSY, 0.0)
    probe = known.begin(10.0)
    assert not known.target.admits(10.0)
    probe.on_content(11.0)
    assert known.target.admits(11.0)
    assert known.told[1:] == [Change("probe", TARGET, ""), Change("close", TARGET, "")]
    probe.on_failure(BUSY, 12.0)
    assert known.target.breaker.failures_in_row == 1, "it broke afterwards"


def test_a_probe_that_fails_opens_the_target_for_longer(known: Known) -> None:
    for _ in range(2):
        known.begin().on_failure(BUSY, 0.0)
    known.begin(10.0).on_failure(BUSY, 10.0)
    assert known.told[1:] == [Change("probe", TARGET, ""), Change("open", TARGET, "", 20.0)]


@for_each(
    "error",
    [
        None,
        errors.UpstreamRejected("x"),
        errors.UpstreamContextWindow("x"),
        errors.UpstreamUnsupported("x"),
        errors.UpstreamRateLimited("x"),
        errors.UpstreamAuth("x"),
        errors.ClientGone("x"),
    ],
)
def test_a_probe_that_says_nothing_about_the_target_is_given_back(
    error: errors.HeadwayError | None,
) -> None:
    known = Known()
    for _ in range(2):
        known.begin().on_failure(BUSY, 0.0)
    probe = known.begin(10.0)
    if error is None:
        probe.on_cancel(11.0)
    else:
        probe.on_failure(error, 11.0)
    assert known.told[1:3:1][0] == Change("probe", TARGET, "")
    assert known.told[-1] == Change("release", TARGET, "")
    assert known.target.breaker.state(11.0) == "half_open"
    assert known.target.admits(11.0)


@for_each(
    "error, counts",
    [
        (BUSY, True),
        (errors.UpstreamTimeout("x", code="first_token_timeout"), True),
        (errors.UpstreamNotFound("x"), True),
        (errors.UpstreamRejected("x"), False),
        (errors.UpstreamContentPolicy("x"), False),
        (errors.UpstreamUnsupported("x"), False),
        (errors.UpstreamRateLimited("x"), False),
        (errors.UpstreamQuota("x"), False),
        (errors.InvalidField("x"), False),
    ],
)
def test_only_a_fault_of_the_target_counts_against_it(
    error: errors.HeadwayError, counts: bool
) -> None:
    known = Known()
    known.begin(kind="further").on_failure(error, 1.0)
    assert known.target.breaker.failures_in_row == counts
    assert (known.target.errors(1.0) > 0) is counts
    assert (known.target.budget.tokens < known.target.budget.floor) is counts


def test_an_attempt_that_ends_in_silence_makes_its_target_slow(known: Known) -> None:
    known.begin(0.0).on_cancel(5.0)
    assert known.target.streams.peak_s == 5.0
    heard = known.begin(0.0)
    heard.on_content(1.0)
    heard.on_cancel(60.0)
    assert known.target.streams.peak_s == pytest.approx(5.0)


def expired() -> errors.LimitExceeded:
    return errors.LimitExceeded("x", code="deadline_exceeded")


@for_each("stream, late_s", [(True, 20.0), (False, 120.0)])
def test_only_a_deadline_that_is_long_is_a_fault_of_the_target(stream: bool, late_s: float) -> None:
    known = Known()
    known.begin(0.0, stream=stream).on_failure(expired(), late_s - 1)
    assert known.target.breaker.failures_in_row == 0
    known.begin(0.0, stream=stream).on_failure(expired(), late_s)
    assert known.target.breaker.failures_in_row == 1
    assert known.target.speed(stream).peak_s == late_s


def test_a_deadline_is_compared_with_what_is_usual(known: Known) -> None:
    for _ in range(30):
        quick = known.begin(0.0)
        quick.on_content(0.5)
        quick.on_success(0.6)
    known.begin(0.0).on_failure(expired(), 0.4)
    assert known.target.breaker.failures_in_row == 0
    known.begin(0.0).on_failure(expired(), 0.6)
    assert known.target.breaker.failures_in_row == 1
    heard = known.begin(0.0)
    heard.on_content(0.5)
    heard.on_failure(expired(), 300.0)
    assert known.target.breaker.failures_in_row == 1


def test_a_limited_key_cools_down_on_its_target_only(known: Known) -> None:
    known.begin().on_failure(errors.UpstreamRateLimited("x", retry_after_s=7.0), 1.0)
    assert known.blocked_s(1.0) == 7.0
    assert known.blocked_s(1.0, "openai/other") == 0.0
    assert known.state.key_blocked_s(TARGET, "openai#b", 1.0) == 0.0
    assert known.blocked_s(8.0) == 0.0
    assert known.told == [Change("open", TARGET, KEY, 7.0)]


def test_without_a_time_the_cool_downs_of_a_limited_key_grow(known: Known) -> None:
    now, waits = 0.0, []
    for _ in range(4):
        known.begin(now).on_failure(errors.UpstreamRateLimited("x"), now)
        waits.append(known.blocked_s(now))
        now += waits[-1]
    assert waits == [1.0, 2.0, 4.0, 8.0]
    known.begin(now).on_success(now)
    assert known.blocked_s(now) == 0.0
    assert known.told[-1] == Change("close", TARGET, KEY)


def test_a_refused_key_is_set_aside_for_all_targets(known: Known) -> None:
    known.begin().on_failure(errors.UpstreamAuth("x"), 0.0)
    assert known.blocked_s(0.0) == REFUSAL_RULE.cool_down_s
    assert known.blocked_s(0.0, "openai/other") == REFUSAL_RULE.cool_down_s
    assert known.told == [Change("open", "", KEY, REFUSAL_RULE.cool_down_s)]
    paid = known.state.begin("openai/other", KEY, 61.0, stream=False)
    assert known.blocked_s(61.0) == 1.0, "somebody is trying it"
    paid.on_success(62.0)
    assert known.blocked_s(62.0) == 0.0


@for_each("error", [errors.UpstreamForbidden("x"), errors.UpstreamQuota("x")])
def test_a_key_that_may_not_use_one_model_may_use_others(error: errors.HeadwayError) -> None:
    known = Known()
    known.begin().on_failure(error, 0.0)
    assert known.blocked_s(0.0) == FORBIDDEN_S
    assert known.blocked_s(0.0, "openai/other") == 0.0


def test_calls_add_to_the_budget_of_a_target_and_retries_do_not(known: Known) -> None:
    known.target.budget.tokens = 0.0
    for kind in ("first", "further", "retry"):
        known.begin(kind=kind).on_cancel(0.0)
    assert known.target.budget.calls == 2


def test_the_log_says_which_target_and_key_are_set_aside(
    known: Known, caplog: pytest.LogCaptureFixture
) -> None:
    known.begin().on_failure(errors.UpstreamAuth("x"), 0.0)
    known.begin().on_failure(errors.UpstreamForbidden("x"), 0.0)
    known.begin().on_failure(errors.UpstreamForbidden("x"), 0.0)
    for _ in range(4):
        known.begin().on_failure(BUSY, 0.0)
    assert [record.message for record in caplog.records] == [
        "key openai#a is set aside for 60 s on all models: the provider refused it "
        "(authentication_error)",
        "key openai#a is set aside for 60 s on openai/gpt-5: the provider refused it "
        "(authentication_error)",
        "target openai/gpt-5 failed too often, and gets no requests for 10 s: overloaded_error",
    ]


def test_each_route_has_one_budget_of_hedges(known: Known) -> None:
    budget = known.state.hedge_budget("smart", 0.05)
    assert known.state.hedge_budget("smart", 0.02) is budget
    assert budget.share == 0.02
    assert known.state.hedge_budget("other", 0.05) is not budget


def test_the_hedges_of_all_routes_share_what_the_configuration_allows(known: Known) -> None:
    known.state.configure(RULE, 0.1, 0.5)
    one, two = known.state.hedge_budget("one", 1.0), known.state.hedge_budget("two", 1.0)
    one.count_call()
    assert not one.allows
    two.count_call()
    assert one.allows
    one.pay()
    assert not two.allows
    known.state.configure(RULE, 0.1, 1.0)
    two.count_call()
    assert two.allows


def test_what_another_process_observed_counts_here(known: Known) -> None:
    known.state.apply(Change("open", TARGET, "", 30.0), 100.0)
    known.state.apply(Change("open", "", KEY, 20.0), 100.0)
    known.state.apply(Change("open", "openai/other", KEY, 60.0), 100.0)
    assert not known.target.admits(129.0)
    assert known.blocked_s(100.0) == 20.0
    assert known.blocked_s(100.0, "openai/other") == 60.0
    known.state.apply(Change("close", TARGET, ""), 101.0)
    assert known.target.admits(101.0)
    assert known.told == [], "it is not told again"


def test_a_new_configuration_applies_to_what_is_known(known: Known) -> None:
    known.state.configure(BreakerRule(failures=1), 0.5, 0.05)
    known.begin().on_failure(BUSY, 0.0)
    assert not known.target.admits(0.0)
    assert known.target.budget.share == 0.5
    assert known.state.target("new/one").budget.share == 0.5


def test_names_that_clients_invent_do_not_fill_the_memory(known: Known) -> None:
    busy = known.state.begin("openai/busy", KEY, 0.0, stream=True)
    for number in range(2 * MAX_TARGETS):
        known.state.begin(f"openai/{number}", KEY, float(number), stream=True).on_cancel(0.0)
    assert len(known.state.targets) <= MAX_TARGETS
    assert known.state.target("openai/busy").outstanding == 1
    busy.on_success(0.0)
    for number in range(2 * MAX_TARGETS):
        known.state.begin(TARGET, f"openai#{number}", 0.0, stream=True).on_failure(
            errors.UpstreamAuth("x"), 0.0
        )
    assert len(known.state.keys) <= MAX_TARGETS


@given(st.randoms(use_true_random=False))
def test_whatever_happens_every_target_and_key_recovers(chance: random.Random) -> None:
    state, now = MemoryRoutingState(RULE), 0.0
    keys = [ProviderKey("p#a"), ProviderKey("p#b")]
    failures = [BUSY, errors.UpstreamRateLimited("x", retry_after_s=400.0),
                errors.UpstreamRateLimited("x"), errors.UpstreamAuth("x"),
                errors.UpstreamForbidden("x"), errors.UpstreamRejected("x")]  # fmt: skip
    running: list[AttemptObserver] = []
    for _ in range(60):
        now += chance.choice([0.0, 0.5, 20.0, -5.0, 1000.0])
        target = chance.choice(["p/x", "p/y"])
        blocked = {key.id for key in keys if state.key_blocked_s(target, key.id, now)}
        key = choose_key(keys, lambda _: True, chance.random(), blocked)
        if key is not None and state.target(target).admits(now):
            running.append(state.begin(target, key.id, now, stream=chance.random() < 0.5))
        if running and chance.random() < 0.8:
            attempt = running.pop(chance.randrange(len(running)))
            outcome = chance.randrange(4)
            if outcome == 0:
                attempt.on_content(now)
                attempt.on_success(now, 10)
            elif outcome == 1:
                attempt.on_cancel(now)
            else:
                attempt.on_failure(chance.choice(failures), now)
    for attempt in running:
        attempt.on_cancel(now)
    now += 2000.0
    for target in ("p/x", "p/y"):
        for each in keys:
            assert state.target(target).admits(now)
            assert state.key_blocked_s(target, each.id, now) == 0.0
            state.begin(target, each.id, now, stream=True).on_success(now)
        assert state.target(target).outstanding == 0


def test_a_target_is_not_quiet_while_it_or_one_of_its_keys_is_left_alone(known: Known) -> None:
    state, now = known.state, 0.0
    limited, refused = errors.UpstreamRateLimited("x"), errors.UpstreamAuth("x")
    for error, is_for_all in ((BUSY, False), (limited, False), (refused, True)):
        assert state.is_quiet((TARGET, "openai/other"))
        for _ in range(RULE.failures):
            known.begin(now).on_failure(error, now)
        assert not state.is_quiet((TARGET, "openai/other"))
        assert state.is_quiet(("openai/other",)) is not is_for_all
        now += 1000.0
        known.begin(now).on_content(now)
    assert state.is_quiet((TARGET,))
