"""A second request beside one that is silent for longer than is usual: the first content wins."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from headway.errors import UpstreamDisconnected
from headway.pipeline.gateway import DrainLimits
from headway.routing.route import Hedging
from support.for_each import for_each
from support.pipeline_fakes import HELLO, ROLE, WHOLE, Gate, text
from support.routed_pipe import RoutedPipe

USUAL_S = 1.0


def new_pipe(max_share: float = 0.5, **route: object) -> RoutedPipe:
    """The first target has answered after a second, 40 times; there is a budget for one hedge."""
    pipe = RoutedPipe(hedging=Hedging(max_share=max_share), **route)
    state = pipe.gateway.routing_state
    for speed in (state.target("one/m-one").streams, state.target("one/m-one").wholes):
        for _ in range(40):
            speed.observe(USUAL_S, pipe.clock())
    state.hedge_budget("smart", max_share).tokens = 1.0
    return pipe


def late(pipe: RoutedPipe) -> None:
    """Until the first target is later than usual."""
    pipe.advance(USUAL_S * 1.2)


@for_each("stream", [False, True])
def test_the_second_request_wins_where_its_content_comes_first(stream: bool) -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=stream)
    pipe.advance(USUAL_S * 0.9)
    assert pipe.requests == (1, 0, 0)
    late(pipe)
    assert pipe.requests == (1, 1, 0)
    if stream:
        pipe.asked("two").stream(ROLE)
        assert pipe.sink.got == []
        pipe.asked("two").chunk(HELLO.removeprefix(ROLE))
        assert pipe.sink.body == HELLO
    else:
        pipe.asked("two").whole(WHOLE)
        assert pipe.sink.body == WHOLE
    assert pipe.asked("one").history == ["cancel"]
    assert pipe.sink.headers[b"x-headway-served-by"] == b"two/m-two"
    assert pipe.sink.headers[b"x-headway-hedged"] == b"1"
    assert pipe.sink.headers[b"x-headway-attempts"] == b"2"
    assert pipe.summary == [
        ("one", "first", "cancelled", "hedge_lost", False),
        ("two", "hedge", "ok", None, True),
    ]
    assert [record.attempt for record in pipe.records] == [1, 2]
    assert pipe.pending_timers == []
    state = pipe.gateway.routing_state
    assert [state.target(f"{n}/m-{n}").outstanding for n in ("one", "two")] == [0, 0]


@for_each("stream", [False, True])
def test_the_first_request_wins_where_its_content_comes_first(stream: bool) -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=stream)
    late(pipe)
    if stream:
        pipe.asked("two").stream(ROLE)
        pipe.asked("one").stream(HELLO)
        assert pipe.sink.body == HELLO
    else:
        pipe.asked("one").whole(WHOLE)
        assert pipe.sink.body == WHOLE
    assert pipe.asked("two").history == ["cancel"]
    assert pipe.sink.headers[b"x-headway-served-by"] == b"one/m-one"
    assert pipe.summary == [
        ("two", "hedge", "cancelled", "hedge_lost", False),
        ("one", "first", "ok", None, True),
    ]


def test_the_prompt_of_the_loser_is_billed() -> None:
    pipe = new_pipe()
    pipe.ask_route()
    late(pipe)
    pipe.asked("two").whole(WHOLE)
    loser = pipe.records[0]
    assert (loser.tokens_source, loser.input_tokens, loser.output_tokens) == ("estimated", 8, 0)
    assert (loser.cost_usd, loser.is_last) == ("0.000008", False)


def test_no_second_request_is_sent_once_content_came_or_the_call_is_over() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Hello"))
    late(pipe)
    assert pipe.requests == (1, 0, 0)
    pipe.asked("one").fail(UpstreamDisconnected("It broke."))
    late(pipe)
    assert (pipe.requests, pipe.pending_timers) == ((1, 0, 0), [])


def test_a_hedge_needs_a_budget_which_calls_fill() -> None:
    pipe = new_pipe(max_share=0.25)
    pipe.gateway.routing_state.hedge_budget("smart", 0.25).tokens = 0.5
    for hedges in (0, 1):
        pipe.ask_route()
        late(pipe)
        assert len(pipe.sent_to("two")) == hedges
        pipe.asked("one").whole(WHOLE)


def test_the_other_request_goes_on_where_one_of_two_fails() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    late(pipe)
    pipe.asked("one").fail(UpstreamDisconnected("It broke."))
    assert pipe.requests == (1, 1, 0)
    assert pipe.sink.got == []
    pipe.asked("two").stream(HELLO)
    assert pipe.sink.body == HELLO
    assert pipe.summary == [
        ("one", "first", "error", "connection_error", False),
        ("two", "hedge", "ok", None, True),
    ]


def test_the_next_target_follows_where_both_fail() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    late(pipe)
    pipe.asked("two").fail(UpstreamDisconnected("It broke."))
    pipe.asked("one").fail(UpstreamDisconnected("It broke."))
    assert pipe.requests == (1, 1, 1)
    pipe.asked("three").stream(HELLO)
    assert pipe.sink.body == HELLO
    assert [role for _, role, *_ in pipe.summary] == ["hedge", "first", "fallback"]


def test_a_client_that_leaves_ends_both_requests() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    late(pipe)
    pipe.sink.leave()
    assert [pipe.asked(name).history for name in ("one", "two")] == [["cancel"], ["cancel"]]
    assert sorted(pipe.summary) == [
        ("one", "first", "cancelled", "client_closed_request", False),
        ("two", "hedge", "cancelled", "client_closed_request", True),
    ]
    assert pipe.gateway.active == set()
    assert pipe.pending_timers == []


def test_one_of_two_responses_is_read_on_for_a_client_that_left() -> None:
    pipe = new_pipe()
    limits = DrainLimits(bytes=1000, seconds=20.0, usd=Decimal(1))
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, drain=limits)
    pipe.ask_route(stream=True)
    late(pipe)
    pipe.asked("one").stream(ROLE)
    pipe.asked("two").stream(ROLE)
    pipe.sleeping = Gate()
    pipe.sink.leave()
    assert pipe.asked("one").history[-1:] == ["cancel"]
    assert "cancel" not in pipe.asked("two").history
    pipe.asked("two").chunk(HELLO.removeprefix(ROLE))
    pipe.sleeping.set(None)
    assert sorted(pipe.summary) == [
        ("one", "first", "cancelled", "client_closed_request", False),
        ("two", "hedge", "cancelled", "client_closed_request", True),
    ]
    assert [record.is_drained for record in pipe.records] == [False, True]


def test_a_comment_before_the_race_is_decided_does_not_repeat_the_headers() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    late(pipe)
    pipe.clock.now += 20.0
    pipe.call.keep_alive(pipe.clock(), 15.0)
    pipe.asked("one").stream(HELLO)
    assert pipe.sink.kinds.count("start") == 1
    assert pipe.sink.body.endswith(HELLO)


def test_a_slow_client_pauses_the_winner() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    late(pipe)
    pipe.asked("one").stream(ROLE, text("Hello"))
    assert pipe.sink.on_pause is not None
    pipe.sink.on_pause()
    assert (pipe.asked("one").history, pipe.asked("two").history) == (["pause"], ["cancel"])


def test_no_second_request_is_sent_where_too_little_is_known() -> None:
    pipe = RoutedPipe(hedging=Hedging(max_share=0.5))
    pipe.gateway.routing_state.hedge_budget("smart", 0.5).tokens = 1.0
    pipe.ask_route()
    pipe.advance(100.0)
    assert pipe.requests == (1, 0, 0)
