"""A complete answer may count as a failure of its target, where the route says so."""

from __future__ import annotations

import json
from typing import Any

from headway.routing.route import FailureRule
from support.for_each import for_each
from support.pipeline_fakes import DONE, HELLO, ROLE, STOP, WHOLE, event, text
from support.routed_pipe import RoutedPipe, target

EMPTY: frozenset[FailureRule] = frozenset({"empty"})


def answer(content: str | None, finish: str = "stop", **message: Any) -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **message},
        "finish_reason": finish,
    }
    usage = {"prompt_tokens": 6, "completion_tokens": 2, "total_tokens": 8}
    whole = {"id": "c-2", "object": "chat.completion", "created": 7, "model": "m"}
    return json.dumps({**whole, "choices": [choice], "usage": usage}).encode()


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@for_each("content", ["", None, " \n"])
def test_an_empty_answer_is_a_failure_where_the_route_says_so(content: str | None) -> None:
    pipe = RoutedPipe(fail_on=EMPTY)
    pipe.ask_route()
    pipe.asked("one").whole(answer(content))
    pipe.asked("two").whole(WHOLE)
    assert pipe.sink.body == WHOLE
    assert pipe.summary[0] == ("one", "first", "error", "empty_answer", False)
    assert (pipe.records[0].output_tokens, pipe.records[0].cost_usd) == (2, "0.000010")


def test_an_empty_stream_is_a_failure_where_the_route_says_so() -> None:
    pipe = RoutedPipe(fail_on=EMPTY)
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, STOP, DONE)
    assert pipe.sink.got == []
    pipe.asked("two").stream(HELLO)
    assert pipe.sink.body == HELLO


def test_the_client_gets_an_error_where_all_answers_are_empty() -> None:
    pipe = RoutedPipe(fail_on=EMPTY)
    pipe.ask_route()
    for name in ("one", "two", "three"):
        pipe.asked(name).whole(answer(""))
    assert pipe.sink.status == 502
    assert pipe.sink.json["error"]["code"] == "empty_answer"


@for_each(
    "body",
    [
        answer(None, "tool_calls", tool_calls=[CALL]),
        answer(None, refusal="No."),
        answer("", "content_filter"),
        WHOLE,
    ],
)
def test_an_answer_that_says_something_is_none(body: bytes) -> None:
    pipe = RoutedPipe(fail_on=EMPTY)
    pipe.ask_route()
    pipe.asked("one").whole(body)
    assert (pipe.sink.body, pipe.requests) == (body, (1, 0, 0))


def test_an_empty_answer_is_the_clients_without_such_a_rule() -> None:
    pipe = RoutedPipe()
    pipe.ask_route()
    pipe.asked("one").whole(answer(""))
    assert pipe.sink.body == answer("")


@for_each("stream", [False, True])
def test_an_answer_that_is_filtered_goes_to_the_targets_for_that(stream: bool) -> None:
    policy = (target("three"),)
    pipe = RoutedPipe(targets=(target("one"), target("two")), on_content_policy=policy)
    pipe.ask_route(stream=stream)
    if stream:
        pipe.asked("one").stream(ROLE, event(finish="content_filter"), DONE)
    else:
        pipe.asked("one").whole(answer("I ca", "content_filter"))
    assert pipe.requests == (1, 0, 1)
    pipe.asked("three").whole(b'{"error":{"message":"no","code":"content_filter"}}', status=400)
    assert (pipe.sink.status, pipe.requests) == (400, (1, 0, 1))


def test_a_filtered_answer_that_was_begun_stays() -> None:
    policy = (target("three"),)
    pipe = RoutedPipe(targets=(target("one"), target("two")), on_content_policy=policy)
    pipe.ask_route(stream=True)
    events = (ROLE, text("I ca"), event(finish="content_filter"), DONE)
    pipe.asked("one").stream(*events)
    assert (pipe.sink.body, pipe.requests) == (b"".join(events), (1, 0, 0))


TOO_LONG = b'{"error":{"message":"Too long","code":"context_length_exceeded"}}'


def test_a_prompt_that_is_too_long_goes_to_the_targets_for_that() -> None:
    long = (target("three"),)
    pipe = RoutedPipe(targets=(target("one"), target("two")), on_context_window=long)
    pipe.ask_route()
    pipe.asked("one").whole(TOO_LONG, status=400)
    assert pipe.requests == (1, 0, 1)
    pipe.asked("three").whole(WHOLE)
    assert pipe.sink.body == WHOLE
    assert pipe.summary[0] == ("one", "first", "error", "context_length_exceeded", False)


def test_a_prompt_that_is_too_long_is_an_error_without_such_targets() -> None:
    pipe = RoutedPipe()
    pipe.ask_route()
    pipe.asked("one").whole(TOO_LONG, status=400)
    assert (pipe.sink.status, pipe.requests) == (400, (1, 0, 0))
