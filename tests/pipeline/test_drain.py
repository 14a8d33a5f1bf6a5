"""The rest of a response whose client has left is read for its usage, within limits."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from headway.dialects.base import ClientRequest
from headway.dialects.openai.relayed import OpenAIRelayed
from headway.errors import ClientGone, ShuttingDown, UpstreamDisconnected
from headway.pipeline.gateway import DrainLimits
from headway.record import Record
from support.for_each import for_each
from support.native_fakes import NativePipe
from support.pipeline_fakes import (
    DONE,
    JSON,
    ROLE,
    SSE,
    STOP,
    USAGE,
    WHOLE,
    Gate,
    Pipe,
    in_loop,
    text,
)
from support.played_dialects import REQUESTS

LIMITS = DrainLimits(bytes=10_000, seconds=60.0, usd=Decimal(1))
CHAT = "/v1/chat/completions"
REST = (text("lo"), STOP, USAGE, DONE)


def draining(pipe: Pipe, **changes: Any) -> Pipe:
    """``sleeping`` is set once, and lets the limits be checked again."""
    pipe.sleeping = Gate()
    limits = replace(LIMITS, **changes)
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, drain=limits)
    return pipe


def check_limits(pipe: Pipe) -> None:
    """As when the interval has passed."""
    gate = pipe.sleeping
    assert gate is not None
    pipe.sleeping = Gate()
    gate.set(None)


def asked(pipe: Pipe, how: str) -> None:
    if isinstance(pipe, NativePipe):
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        pipe.pass_through(CHAT, json.dumps(body).encode())
    elif how == "relayed":
        pipe.ask_openai(stream=True)
    elif how == "whole":
        pipe.ask()
    else:
        pipe.ask(is_stream=True, retries=5)


HOW = ["native", "relayed", "translated", "whole"]


def started(how: str, **changes: Any) -> Pipe:
    """A call whose client leaves after the first text."""
    pipe = draining(NativePipe() if how == "native" else Pipe(), **changes)
    asked(pipe, how)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.sink.leave()
    assert pipe.records == []
    assert pipe.upstream.history == ["resume"]
    assert pipe.sink.on_gone is None
    assert pipe.sink.on_resume is None
    return pipe


def only_record(pipe: Pipe) -> Record:
    if pipe.sleeping is not None:
        check_limits(pipe)  # which ends the task
    (record,) = pipe.records
    assert pipe.gateway.active == set()
    assert (record.outcome, record.error_type) == ("cancelled", "client_closed_request")
    return record


@for_each("how", HOW)
def test_a_response_is_read_to_its_end_for_its_usage(how: str) -> None:
    pipe = started(how)
    before = list(pipe.sink.got)
    pipe.upstream.chunk(*REST)
    if how == "native":
        pipe.upstream.end()
    record = only_record(pipe)
    assert (record.is_drained, record.tokens_source) == (True, "reported")
    assert (record.input_tokens, record.output_tokens) == (6, 26)
    assert record.cost_usd == "0.000058"
    assert record.finish_reason == "stop"
    assert pipe.sink.got == before
    assert record.response_bytes == len(pipe.sink.body)
    assert pipe.upstream.history[-1] == "finish"


@for_each("how", HOW)
def test_without_reported_usage_the_whole_output_is_counted(how: str) -> None:
    pipe = started(how)
    pipe.upstream.chunk(text("lo"), STOP, DONE)
    if how == "native":
        pipe.upstream.end()
    record = only_record(pipe)
    assert (record.is_drained, record.tokens_source, record.output_tokens) == (True, "counted", 4)
    assert pipe.counted[0][2] == "Hello"


@for_each("how", HOW)
def test_a_provider_that_breaks_off_ends_the_reading_with_an_estimate(how: str) -> None:
    pipe = started(how)
    pipe.upstream.fail(UpstreamDisconnected("it is gone"))
    record = only_record(pipe)
    assert (record.is_drained, record.tokens_source) == (False, "estimated")
    assert len(pipe.upstream_requests) == 1


# the limit, and what exceeds it
EXCEEDED: list[tuple[dict[str, Any], str]] = [
    ({"seconds": 5.0}, "time"),
    ({"usd": Decimal("0.000001")}, "money"),
    ({}, "shutdown"),
]


@for_each("how", HOW)
@for_each("changes, what", EXCEEDED)
def test_reading_stops_at_a_limit_with_an_estimate(
    how: str, changes: dict[str, Any], what: str
) -> None:
    pipe = started(how, **changes)
    if what == "time":
        pipe.clock.now += 5.0
    elif what == "money":
        pipe.upstream.chunk(text("a rather long piece of text"))
    else:
        pipe.gateway.is_closing = True
    record = only_record(pipe)
    assert (record.is_drained, record.tokens_source) == (False, "estimated")
    assert pipe.upstream.history[-1] == "cancel"


@for_each("how", ["native", "relayed", "translated"])
def test_reading_stops_with_the_piece_that_exceeds_the_limit_of_bytes(how: str) -> None:
    pipe = started(how, bytes=1000)
    pipe.upstream.chunk(*[text("a" * 100)] * 9)
    record = only_record(pipe)
    assert record.is_drained is False
    assert pipe.upstream.history[-1] == "cancel"


def test_the_bytes_of_a_body_that_is_not_streamed_are_limited_too() -> None:
    pipe = draining(Pipe(), bytes=100)
    pipe.ask_openai()
    pipe.upstream.respond(JSON)
    pipe.sink.leave()
    pipe.upstream.chunk(b" " * 200)
    assert pipe.records == []
    assert only_record(pipe).is_drained is False


def test_a_body_that_is_not_streamed_is_read_to_its_end() -> None:
    pipe = draining(Pipe())
    pipe.ask_openai()
    pipe.upstream.respond(JSON)
    pipe.sink.leave()
    pipe.upstream.chunk(WHOLE)
    pipe.upstream.end()
    record = only_record(pipe)
    assert (record.is_drained, record.output_tokens, record.response_bytes) == (True, 26, 0)


def test_the_price_of_an_unknown_model_limits_nothing() -> None:
    pipe = draining(Pipe(priced=False), usd=Decimal(0))
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.sink.leave()
    pipe.upstream.chunk(text("a rather long piece of text"))
    check_limits(pipe)
    pipe.upstream.chunk(*REST)
    assert only_record(pipe).is_drained is True


def test_a_native_route_that_is_not_read_is_drained_within_time_and_bytes() -> None:
    pipe = draining(NativePipe(), usd=Decimal(0))
    pipe.pass_through("/v1/files", b"{}")
    pipe.upstream.respond(SSE)
    pipe.sink.leave()
    pipe.upstream.chunk(b"a")
    check_limits(pipe)
    pipe.upstream.end()
    record = only_record(pipe)
    assert (record.is_drained, record.cost_usd) == (True, None)


def test_each_dialect_is_drained() -> None:
    for name, (dialect, request) in REQUESTS.items():
        pipe = draining(Pipe())
        pipe.send(request, dialect)
        pipe.upstream.stream(ROLE, text("Hel"))
        pipe.sink.leave()
        got = len(pipe.sink.got)
        pipe.upstream.chunk(*REST)
        record = only_record(pipe)
        assert (record.is_drained, record.output_tokens) == (True, 26), name
        assert len(pipe.sink.got) == got


@for_each("how", HOW)
def test_without_a_successful_response_there_is_nothing_to_read(how: str) -> None:
    for respond in (False, True):
        pipe = draining(NativePipe() if how == "native" else Pipe())
        asked(pipe, how)
        if respond:
            pipe.upstream.respond(JSON, 500)
        pipe.sink.leave()
        record = only_record(pipe)
        assert record.is_drained is False
        assert pipe.upstream.history == ["cancel"]


@for_each("how", HOW)
def test_it_is_off_by_default_and_in_a_shutdown(how: str) -> None:
    for is_closing in (False, True):
        pipe = NativePipe() if how == "native" else Pipe()
        if is_closing:
            draining(pipe)
        asked(pipe, how)
        pipe.upstream.stream(ROLE, text("Hel"))
        pipe.gateway.is_closing = is_closing
        pipe.sink.leave()
        assert only_record(pipe).is_drained is False


@for_each("how", HOW)
def test_a_shutdown_ends_the_reading_at_once(how: str) -> None:
    pipe = started(how)
    pipe.abort(ShuttingDown("Closing."))
    assert only_record(pipe).tokens_source == "estimated"


def test_a_paused_response_is_read_on() -> None:
    pipe = draining(Pipe())
    pipe.sink.is_paused = True
    pipe.ask(is_stream=True)
    assert pipe.upstream.history == ["pause"]
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.sink.leave()
    assert pipe.upstream.history == ["pause", "resume"]
    pipe.upstream.chunk(*REST)
    assert only_record(pipe).is_drained is True


def test_a_silent_stream_is_not_kept_alive_for_nobody() -> None:
    pipe = draining(Pipe())
    pipe.ask((b"accept", b"text/event-stream"), is_stream=True)
    pipe.upstream.respond()
    pipe.sink.leave()
    pipe.clock.now += 30
    pipe.call.keep_alive(pipe.clock.now, 15.0)
    assert pipe.sink.got == []
    pipe.upstream.chunk(ROLE, *REST)
    assert only_record(pipe).response_bytes == 0


# --- What a client that left is billed for without it ---------------------------------------------


@for_each("how", HOW)
def test_the_prompt_is_billed_once_it_was_sent(how: str) -> None:
    for has_head in (False, True):
        pipe = NativePipe() if how == "native" else Pipe()
        asked(pipe, how)
        pipe.counts = (3, 0)
        if has_head:
            pipe.upstream.respond()
        pipe.sink.leave()
        record = only_record(pipe)
        assert (record.input_tokens, record.output_tokens) == (3, 0)
        assert (record.tokens_source, record.cost_usd) == ("estimated", "0.000003")


def test_a_request_that_was_not_sent_is_not_billed() -> None:
    pipe = Pipe()
    pipe.ask()
    attempt = pipe.call.attempt
    assert attempt is not None
    attempt.sent = None
    in_loop(lambda: pipe.call.abort(ClientGone("left")))
    assert (pipe.records[0].input_tokens, pipe.records[0].cost_usd) == (None, None)


SPEECH = b'{"model": "openai/tts-1", "input": "Hello", "voice": "alloy"}'


def test_speech_is_billed_by_its_characters_once_it_was_asked_for() -> None:
    for is_native in (False, True):
        for has_head in (False, True):
            pipe = NativePipe() if is_native else Pipe()
            if isinstance(pipe, NativePipe):
                pipe.pass_through("/v1/audio/speech", SPEECH)
            else:
                pipe.send(ClientRequest("", (), SPEECH), OpenAIRelayed("audio/speech"))
            if has_head:
                pipe.upstream.respond([(b"content-type", b"audio/mpeg")])
            pipe.sink.leave()
            record = only_record(pipe)
            assert (record.input_characters, record.tokens_source) == (5, "estimated")


def test_other_relayed_requests_are_not_counted() -> None:
    pipe = Pipe()
    image = b'{"model": "openai/gpt-image-1", "prompt": "a"}'
    pipe.send(ClientRequest("", (), image), OpenAIRelayed("images/generations"))
    pipe.sink.leave()
    assert only_record(pipe).tokens_source is None
