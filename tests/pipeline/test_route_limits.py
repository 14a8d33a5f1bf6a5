"""The limits of a route: the next target before the first content, an honest error after it."""

from __future__ import annotations

import pytest

from headway.routing.route import Limits
from support.for_each import for_each
from support.pipeline_fakes import HELLO, ROLE, WHOLE, event, text
from support.routed_pipe import RoutedPipe

PING = b": ping\n\n"


def new_pipe(**limits: float) -> RoutedPipe:
    return RoutedPipe(limits=Limits(**limits))


def test_a_target_without_content_in_time_is_followed_by_the_next_one() -> None:
    pipe = new_pipe(time_to_first_token=5.0)
    pipe.ask_route(stream=True)
    pipe.advance(2.0)
    pipe.asked("one").stream(ROLE, PING)
    pipe.advance(2.9)
    assert pipe.requests == (1, 0, 0)
    pipe.advance(0.2)
    assert (pipe.asked("one").history, pipe.requests) == (["cancel"], (1, 1, 0))
    pipe.asked("two").stream(HELLO)
    assert pipe.sink.body == HELLO
    assert pipe.summary == [
        ("one", "first", "error", "first_token_timeout", False),
        ("two", "fallback", "ok", None, True),
    ]
    assert pipe.pending_timers == []


def test_the_prompt_of_an_attempt_that_was_ended_is_billed() -> None:
    pipe = new_pipe(time_to_first_token=5.0)
    pipe.counts = (3, 0)
    pipe.ask_route(stream=True)
    pipe.advance(5.1)
    pipe.asked("two").stream(HELLO)
    first = pipe.records[0]
    assert (first.upstream_status, first.tokens_source) == (None, "estimated")
    assert (first.input_tokens, first.output_tokens, first.cost_usd) == (3, 0, "0.000003")


def test_a_whole_answer_need_not_begin_in_that_time() -> None:
    pipe = new_pipe(time_to_first_token=5.0, idle=1.0)
    pipe.ask_route()
    pipe.advance(60.0)
    pipe.asked("one").whole(WHOLE)
    assert (pipe.sink.body, pipe.requests) == (WHOLE, (1, 0, 0))


def test_a_stream_that_stops_after_its_first_content_ends_with_an_error() -> None:
    pipe = new_pipe(idle=10.0)
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Hello"))
    for _ in range(3):
        pipe.advance(8.0)
        pipe.asked("one").chunk(PING, text(" again"))
    pipe.advance(9.9)
    assert not pipe.sink.is_over
    pipe.advance(0.2)
    assert pipe.asked("one").history == ["cancel"]
    assert b'"code":"idle_timeout"' in pipe.sink.body
    assert pipe.requests == (1, 0, 0)
    (record,) = pipe.records
    assert (record.error_code, record.is_last, record.status) == ("idle_timeout", True, 200)
    assert record.tokens_source == "estimated"


def test_a_stream_that_stops_early_does_not_have_the_time_of_its_first_content() -> None:
    pipe = new_pipe(time_to_first_token=5.0, idle=1.0)
    pipe.ask_route(stream=True)
    pipe.advance(0.2)
    pipe.asked("one").stream(ROLE, text("Hel"))
    pipe.advance(0.9)
    assert not pipe.sink.is_over
    pipe.advance(0.2)
    assert b'"code":"idle_timeout"' in pipe.sink.body
    assert pipe.pending_timers == []


def test_a_client_that_reads_slowly_is_not_the_providers_fault() -> None:
    pipe = new_pipe(idle=10.0, tokens_per_second=5.0)
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Hello" * 100))
    pipe.sink.is_paused = True
    assert pipe.sink.on_pause is not None
    pipe.sink.on_pause()
    pipe.advance(60.0)
    pipe.sink.is_paused = False
    assert pipe.sink.on_resume is not None
    pipe.sink.on_resume()
    assert pipe.asked("one").history == ["pause", "resume"]
    pipe.advance(4.0)
    pipe.asked("one").chunk(event(finish="stop"), b"data: [DONE]\n\n")
    assert pipe.records[0].outcome == "ok"


def test_a_stream_that_is_too_slow_ends_with_an_error() -> None:
    pipe = new_pipe(tokens_per_second=5.0)
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("four" * 30))
    pipe.advance(5.0)
    assert not pipe.sink.is_over
    pipe.asked("one").chunk(text("four" * 20))
    pipe.advance(5.1)
    assert b'"code":"too_slow"' in pipe.sink.body
    assert b"about 4.0 tokens a second, and 5 are the least" in pipe.sink.body


@for_each("stream", [False, True])
def test_the_time_of_a_call_counts_over_all_attempts(stream: bool) -> None:
    pipe = new_pipe(total=10.0)
    pipe.ask_route(stream=stream)
    pipe.advance(6.0)
    pipe.asked("one").whole(b"{}", status=503)
    pipe.advance(3.9)
    assert not pipe.sink.is_over
    pipe.advance(0.2)
    assert pipe.asked("two").history == ["cancel"]
    assert (pipe.sink.status, pipe.requests) == (504, (1, 1, 0))
    assert pipe.sink.json["error"]["code"] == "deadline_exceeded"
    assert [record.is_last for record in pipe.records] == [False, True]
    assert pipe.gateway.active == set()


def test_a_stream_that_has_begun_ends_with_an_error_when_the_time_is_over() -> None:
    pipe = new_pipe(total=10.0)
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Hello"))
    pipe.advance(10.1)
    assert pipe.asked("one").history == ["cancel"]
    assert b'"code":"deadline_exceeded"' in pipe.sink.body


def test_a_wait_that_would_end_after_the_deadline_is_not_begun() -> None:
    pipe = RoutedPipe(limits=Limits(total=1.0), retries=3, kinds={"one": "openai"})
    pipe.ask_route()
    pipe.asked("one").whole(b"{}", 503, (b"retry-after", b"5"))
    assert (pipe.sink.status, pipe.sleeps) == (503, [])


def test_what_a_limit_ends_counts_against_the_target(caplog: pytest.LogCaptureFixture) -> None:
    pipe = new_pipe(time_to_first_token=5.0)
    for _ in range(5):
        pipe.ask_route(stream=True)
        pipe.advance(5.1)
        pipe.asked("two").stream(HELLO)
    pipe.ask_route(stream=True)
    assert pipe.requests == (5, 6, 0)


def test_a_stream_that_stops_long_before_its_first_content_was_due_ends_in_time() -> None:
    pipe = RoutedPipe(limits=Limits(time_to_first_token=30.0, idle=1.0))
    pipe.ask_route(stream=True)
    pipe.advance(0.2)
    pipe.asked("one").stream(ROLE, text("Hel"))
    pipe.advance(2.5)
    assert pipe.sink.is_over
    (record,) = pipe.records
    assert record.error_code == "idle_timeout"
    assert record.latency_s is not None
    assert record.latency_s < 2.5
