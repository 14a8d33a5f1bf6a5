"""Clients that leave, shutdowns, and keep-alive comments in silent streams."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headway.dialects.base import ClientRequest
from headway.dialects.gemini.generate import GenerateContent
from headway.errors import ClientGone, ShuttingDown
from headway.pipeline import attempt_tokens
from support.lazy_import import lazy_import
from support.pipeline_fakes import (
    DONE,
    HELLO,
    JSON,
    ROLE,
    STOP,
    USAGE,
    FakeUpstreamRequest,
    Gate,
    Pipe,
    in_loop,
    text,
)

streaming = lazy_import("openai._streaming")


def refuse(upstream: FakeUpstreamRequest, status: int = 500) -> None:
    upstream.whole(b"{}", status)


STAGES: list[tuple[str, list[Callable[[Any], None]]]] = [
    ("before the head", []),
    ("before content", [lambda s: s.stream(ROLE)]),
    ("in the middle", [lambda s: s.stream(ROLE, text("a"))]),
    ("in an error's body", [lambda s: s.respond(JSON, 500)]),
]
AT_EACH_STAGE = pytest.mark.parametrize(
    "steps", [row[1] for row in STAGES], ids=[row[0] for row in STAGES]
)


@pytest.mark.parametrize("is_stream", [False, True])
@AT_EACH_STAGE
def test_a_client_that_leaves_cancels_the_request_and_is_recorded_once(
    steps: list[Callable[[Any], None]], is_stream: bool
) -> None:
    pipe = Pipe()
    pipe.ask(is_stream=is_stream, retries=5)
    for step in steps:
        step(pipe.upstream)
    before = list(pipe.sink.got)
    pipe.sink.leave()
    assert pipe.upstream.history == ["cancel"]
    assert [record.outcome for record in pipe.records] == ["cancelled"]
    assert pipe.records[0].error_type == "client_closed_request"
    assert pipe.sink.got == before
    assert len(pipe.upstream_requests) == 1
    assert pipe.gateway.active == set()
    assert pipe.sink.on_gone is None


def test_tokens_of_a_partial_response_are_estimated_when_the_client_leaves() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.sink.leave()
    (record,) = pipe.records
    assert (record.tokens_source, record.output_tokens) == ("estimated", 4)


def test_no_attempt_follows_when_the_client_leaves_between_attempts() -> None:
    pipe = Pipe()
    pipe.sleeping = Gate()
    pipe.ask(retries=5)
    refuse(pipe.upstream)
    pipe.sink.leave()
    pipe.sleeping.set(None)
    assert len(pipe.upstream_requests) == 1
    assert pipe.records[-1].outcome == "cancelled"
    assert pipe.sink.got == []
    assert pipe.gateway.active == set()


def test_a_client_that_leaves_after_the_end_changes_nothing() -> None:
    pipe = Pipe()
    pipe.ask()
    gone = pipe.sink.on_gone
    pipe.upstream.stream(HELLO)
    assert gone is not None
    gone()
    assert [record.outcome for record in pipe.records] == ["ok"]
    assert pipe.upstream.history == ["finish"]


def test_a_shutdown_ends_a_stream_with_an_error_event() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(text("a"))
    pipe.abort(ShuttingDown("Closing."))
    assert pipe.sink.lines[-1]["error"]["type"] == "shutting_down"
    assert pipe.upstream.history == ["cancel"]
    assert pipe.records[0].error_type == "shutting_down"


def test_a_shutdown_before_content_is_an_error_response_without_a_retry() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True, retries=5)
    pipe.abort(ShuttingDown("Closing."))
    assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (503, "shutting_down")
    assert len(pipe.upstream_requests) == 1


def test_the_prompt_of_a_request_that_a_shutdown_ends_is_billed() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.abort(ShuttingDown("Closing."))
    (record,) = pipe.records
    assert (record.input_tokens, record.tokens_source) == (3, "estimated")


def cancel_tasks(pipe: Pipe) -> None:
    """As the event loop does when it closes."""
    in_loop(lambda: [task.cancel() for task in pipe.gateway.background_tasks])


def test_a_call_whose_event_loop_closes_while_it_waits_gets_an_error_and_a_record() -> None:
    pipe = Pipe()
    pipe.sleeping = Gate()
    pipe.ask(retries=1)
    refuse(pipe.upstream)
    cancel_tasks(pipe)
    assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (503, "shutting_down")
    assert [record.outcome for record in pipe.records] == ["error", "refused"]
    assert pipe.gateway.active == set()


def test_a_call_whose_event_loop_closes_while_tokens_are_counted_has_estimated_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempt_tokens, "MAX_COUNT_S", 60.0)  # however busy the machine
    pipe = Pipe()
    pipe.counting = Gate()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("Hello there"))
    pipe.upstream.end()
    assert pipe.records == []
    cancel_tasks(pipe)
    (record,) = pipe.records
    assert (record.tokens_source, record.output_tokens) == ("estimated", 2)
    assert pipe.sink.lines[-1]["error"]["type"] == "shutting_down"


def test_a_second_abort_changes_nothing() -> None:
    pipe = Pipe()
    pipe.sleeping = Gate()
    pipe.ask(retries=1)
    refuse(pipe.upstream)
    in_loop(
        lambda: (pipe.call.abort(ClientGone("It left.")), pipe.call.abort(ShuttingDown("Bye.")))
    )
    assert [record.outcome for record in pipe.records] == ["error", "cancelled"]
    assert pipe.sink.got == []


# --- Keeping a silent stream alive ----------------------------------------------------------------


def silent(pipe: Pipe, seconds: float) -> None:
    pipe.clock.now += seconds
    pipe.call.keep_alive(pipe.clock.now, 15.0)


def events_of(pipe: Pipe, **fields: Any) -> None:
    pipe.ask((b"accept", b"text/event-stream"), is_stream=True, **fields)


def test_a_silent_sse_stream_gets_a_keep_alive_comment() -> None:
    pipe = Pipe()
    events_of(pipe)
    silent(pipe, 14.0)
    assert pipe.sink.got == []
    silent(pipe, 1.0)
    assert pipe.sink.kinds == ["start", "write"]
    assert pipe.sink.body == b": keep-alive\n"
    silent(pipe, 14.0)
    assert len(pipe.sink.got) == 2
    silent(pipe, 1.0)
    assert len(pipe.sink.got) == 3


@pytest.mark.parametrize("how", ["events", "relayed"])
def test_comments_change_no_event_of_a_stream(how: str) -> None:
    commented, plain = Pipe(), Pipe()
    for pipe in (commented, plain):
        if how == "events":
            events_of(pipe)
        else:
            pipe.ask_openai(stream=True)
        pipe.upstream.respond()
    for piece in (ROLE, text("a"), text("b"), text("c"), STOP + USAGE + DONE):
        silent(commented, 15.0)
        silent(commented, 15.0)
        plain.clock.now += 30.0
        commented.upstream.chunk(piece)
        plain.upstream.chunk(piece)
    assert commented.sink.body.count(b": keep-alive\n") == 10
    found, expected = (list(read_events(pipe.sink.body)) for pipe in (commented, plain))
    assert len(found) == len(expected)
    if how == "relayed":
        assert found == expected


@pytest.mark.parametrize(("query", "is_array"), [("alt=sse", False), ("", True)])
def test_a_client_that_reads_no_comments_gets_an_empty_line(query: str, is_array: bool) -> None:
    pipe = Pipe()
    body = b'{"contents":[{"parts":[{"text":"Hi"}]}]}'
    pipe.send(ClientRequest("openai/m", (), body, query), GenerateContent(is_stream=True))
    pipe.upstream.respond()
    for piece in (ROLE, text("a"), STOP + USAGE + DONE):
        silent(pipe, 15.0)
        pipe.upstream.chunk(piece)
    found = pipe.sink.body
    assert found.startswith(b"\r\n")
    if is_array:
        assert len(json.loads(found)) == 2
    else:
        lines = [line for line in found.split(b"\r\n") if line]
        assert all(json.loads(line.removeprefix(b"data: ")) for line in lines)


def read_events(body: bytes) -> Iterator[str]:
    """As OpenAI's SDK reads them: an empty event would be one without data."""
    for one in streaming.SSEDecoder().iter_bytes(iter([body])):
        assert one.data
        yield one.data


def test_a_stream_with_recent_content_gets_no_comment() -> None:
    pipe = Pipe()
    events_of(pipe)
    pipe.clock.now += 14
    pipe.upstream.stream(text("a"))
    silent(pipe, 2.0)
    assert b"keep-alive" not in pipe.sink.body
    silent(pipe, 13.0)
    assert b"keep-alive" in pipe.sink.body


def test_only_an_sse_stream_gets_comments() -> None:
    whole, lines = Pipe(), Pipe()
    whole.ask()
    lines.ask(is_stream=True)
    for pipe in (whole, lines):
        silent(pipe, 60.0)
        assert pipe.sink.got == []


def test_after_a_comment_an_error_is_an_event() -> None:
    pipe = Pipe()
    events_of(pipe)
    silent(pipe, 20.0)
    refuse(pipe.upstream, 401)
    assert pipe.sink.kinds == ["start", "write", "end"]
    assert b'"authentication_error"' in pipe.sink.pieces[-1]
    assert pipe.records[0].status == 200


def test_after_a_comment_another_attempt_sends_no_headers_again() -> None:
    pipe = Pipe()
    events_of(pipe, retries=1)
    silent(pipe, 20.0)
    refuse(pipe.upstream)
    pipe.upstream.stream(HELLO)
    assert pipe.sink.kinds.count("start") == 1
    assert pipe.sink.pieces[-1] == DONE


def test_after_a_comment_a_failed_second_attempt_is_an_event() -> None:
    pipe = Pipe()
    events_of(pipe, retries=1)
    silent(pipe, 20.0)
    refuse(pipe.upstream)
    refuse(pipe.upstream)
    assert pipe.sink.kinds == ["start", "write", "end"]


def test_a_finished_call_gets_no_comment() -> None:
    pipe = Pipe()
    events_of(pipe)
    pipe.upstream.stream(HELLO)
    before = len(pipe.sink.got)
    silent(pipe, 60.0)
    assert len(pipe.sink.got) == before


def test_a_call_without_an_attempt_gets_no_comment() -> None:
    pipe = Pipe(api_key=None)
    events_of(pipe)
    silent(pipe, 60.0)
    assert pipe.sink.kinds == ["whole"]


def test_an_error_between_attempts_has_the_status_on_record_that_the_client_has() -> None:
    pipe = Pipe()
    pipe.ask((b"accept", b"text/event-stream"), is_stream=True, retries=1)
    in_loop(lambda: pipe.call.keep_alive(pipe.clock.now, 0.0))
    pipe.sleeping = Gate()
    refuse(pipe.upstream)
    pipe.abort(ShuttingDown("Closing."))
    assert (pipe.sink.status, pipe.records[-1].status) == (200, 200)
    assert pipe.records[-1].error_type == "shutting_down"
