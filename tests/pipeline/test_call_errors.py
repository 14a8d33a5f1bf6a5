"""Retries until content is committed, and the errors that the client gets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from headway.errors import (
    UpstreamDisconnected,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from headway.pipeline import attempt, attempt_tokens
from headway.providers.openai import provider as openai
from support.for_each import for_each
from support.pipeline_fakes import DONE, HELLO, JSON, KEY, ROLE, USAGE, Gate, Pipe, event, text

BROKEN = b'data: {"error":{"message":"died"}}\n\n'
LOST = UpstreamDisconnected("lost")


def refuse(
    status: int, message: str = "no", *headers: tuple[bytes, bytes]
) -> Callable[[Any], None]:
    body = json.dumps({"error": {"message": message}}).encode()
    return lambda upstream: upstream.whole(body, status, *headers)


def break_after_head(upstream: Any) -> None:
    upstream.respond()
    upstream.fail(LOST)


def break_after_role(upstream: Any) -> None:
    upstream.stream(ROLE)
    upstream.fail(LOST)


DEEP = b"data: " + b"[" * 9999 + b"\n\n"

# failure of the provider; status and type of the error; whether it is retried
FAILURES: list[tuple[str, Callable[[Any], None], int, str, bool]] = [
    ("refused key", refuse(401), 401, "authentication_error", False),
    ("no such model", refuse(404), 404, "not_found_error", False),
    ("bad request", refuse(400), 400, "invalid_request_error", False),
    ("rate limit", refuse(429), 429, "rate_limit_error", True),
    ("failure", refuse(500), 502, "provider_error", True),
    ("overload", refuse(503), 503, "overloaded_error", True),
    ("its own timeout", refuse(504), 504, "timeout_error", True),
    ("a redirect", refuse(302), 502, "provider_error", True),
    ("no connection", lambda s: s.fail(UpstreamUnreachable("x")), 502, "connection_error", True),
    ("silence", lambda s: s.fail(UpstreamTimeout("x")), 504, "timeout_error", True),
    ("a break before the head", lambda s: s.fail(LOST), 502, "connection_error", True),
    ("a break after the head", break_after_head, 502, "connection_error", True),
    ("a break before content", break_after_role, 502, "connection_error", True),
    ("an error instead of content", lambda s: s.stream(ROLE, BROKEN), 502, "provider_error", True),
    ("an error at once", lambda s: s.stream(BROKEN), 502, "provider_error", True),
    ("an error in a whole", lambda s: s.whole(b'{"error":"died"}'), 502, "provider_error", True),
    ("an early end", lambda s: (s.stream(ROLE), s.end()), 502, "truncated_stream", True),
    ("an end without a finish", lambda s: s.stream(ROLE, DONE), 502, "truncated_stream", True),
    ("nothing", lambda s: (s.respond(), s.end()), 502, "truncated_stream", True),
    ("a garbled event", lambda s: s.stream(b"data: {oops\n\n"), 502, "protocol_error", True),
    ("an odd event", lambda s: s.stream(b'data: {"choices":7}\n\n'), 502, "protocol_error", True),
    ("deep nesting", lambda s: s.stream(DEEP), 502, "protocol_error", True),
    ("a garbled rest", lambda s: (s.stream(b"data: {"), s.end()), 502, "protocol_error", True),
    ("a garbled whole", lambda s: s.whole(b"<html>"), 502, "protocol_error", True),
    ("an empty whole", lambda s: s.whole(b""), 502, "protocol_error", True),
    ("a whole of another kind", lambda s: s.whole(b"{}"), 502, "protocol_error", True),
]  # fmt: skip
EACH = for_each(
    ("fail", "status", "kind", "again"), [row[1:] for row in FAILURES], ids=[r[0] for r in FAILURES]
)


@for_each("is_stream", [False, True])
@EACH
def test_a_failure_before_any_content_is_an_error_response(
    fail: Callable[[Any], None], status: int, kind: str, again: bool, is_stream: bool
) -> None:
    pipe = Pipe()
    pipe.ask(is_stream=is_stream)
    fail(pipe.upstream)
    assert pipe.sink.kinds == ["whole"]
    assert pipe.sink.status == status
    assert pipe.sink.json["error"]["type"] == kind
    assert pipe.sink.json["error"]["provider"] == "openai"
    assert pipe.upstream.is_over
    (record,) = pipe.records
    assert (record.outcome, record.status, record.error_type) == ("error", status, kind)
    assert pipe.gateway.active == set()


@for_each("is_stream", [False, True])
@EACH
def test_a_retryable_failure_is_retried(
    fail: Callable[[Any], None], status: int, kind: str, again: bool, is_stream: bool
) -> None:
    pipe = Pipe()
    pipe.ask(is_stream=is_stream, retries=1)
    fail(pipe.upstream)
    assert len(pipe.upstream_requests) == 1 + again
    if again:
        assert pipe.sink.got == []
        pipe.upstream.stream(HELLO)
        assert pipe.sink.status == 200
        assert [r.outcome for r in pipe.records] == ["error", "ok"]
        assert [r.attempt for r in pipe.records] == [1, 2]
        assert len({r.id for r in pipe.records}) == 2
        assert {r.request_id for r in pipe.records} == {"id-1"}


@for_each(
    "fail",
    [
        lambda s: s.fail(LOST),
        lambda s: s.chunk(BROKEN),
        lambda s: s.chunk(b"data: {oops\n\n"),
        lambda s: s.end(),
    ],
    ids=["a break", "an error", "a garbled event", "an early end"],
)
@for_each("ask", ["lines", "events", "relayed"])
def test_a_failure_after_content_is_the_last_event_and_never_retried(
    fail: Callable[[Any], None], ask: str
) -> None:
    pipe = Pipe()
    if ask == "lines":
        pipe.ask(is_stream=True, retries=5)
    elif ask == "events":
        pipe.ask((b"accept", b"text/event-stream"), is_stream=True, retries=5)
    else:
        pipe.ask_openai(stream=True)
    pipe.upstream.stream(ROLE, text("Hello"))
    fail(pipe.upstream)
    assert len(pipe.upstream_requests) == 1
    held_back = ask != "relayed"  # without retries, the role is written at once
    assert pipe.sink.kinds == ["start", *["write"] * (1 if held_back else 2), "end"]
    last = pipe.sink.pieces[-1].removeprefix(b"data: ")
    assert list(json.loads(last)) == ["error"]
    assert DONE not in pipe.sink.body
    (record,) = pipe.records
    assert (record.outcome, record.status, record.content_events) == ("error", 200, 1)


def test_content_of_the_failing_chunk_is_written_before_the_error() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(text("a"), text("b") + BROKEN)
    said = [line.get("chat_output_stream") for line in pipe.sink.lines]
    assert said == ["a", "b", None]


def test_accumulated_content_does_not_prevent_a_retry() -> None:
    """A client that wants a whole response has seen nothing of one that broke."""
    pipe = Pipe()
    pipe.ask(retries=1)
    pipe.upstream.stream(text("Hel"))
    pipe.upstream.fail(LOST)
    pipe.upstream.stream(HELLO)
    assert pipe.sink.json["chat_output"] == "Hello!"
    assert pipe.sink.json["metrics"]["attempts"] == 2
    assert [record.tokens_source for record in pipe.records] == ["estimated", "reported"]


def test_a_failure_in_the_chunk_of_the_first_content_is_still_retried() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True, retries=1)
    pipe.upstream.stream(ROLE + text("Hel") + BROKEN)
    assert pipe.sink.got == []
    pipe.upstream.stream(HELLO)
    assert pipe.sink.lines[-1]["chat_output"] == "Hello!"


def test_events_before_content_are_held_back_while_an_attempt_may_follow() -> None:
    logprobs = event(choices=[{"index": 0, "delta": {}, "logprobs": {"content": []}}])
    pipe = Pipe()
    pipe.ask(is_stream=True, retries=1)
    pipe.upstream.stream(logprobs)
    assert pipe.sink.got == []
    pipe.upstream.fail(LOST)
    pipe.upstream.stream(logprobs)
    assert pipe.sink.kinds == ["start", "write"]


def test_attempts_end_with_the_requested_retries() -> None:
    pipe = Pipe()
    pipe.ask(retries=2)
    for _ in range(3):
        refuse(500)(pipe.upstream)
    assert len(pipe.upstream_requests) == 3
    assert pipe.sink.status == 502
    assert [record.attempt for record in pipe.records] == [1, 2, 3]
    assert pipe.sleeps == [0.125, 0.25]


def test_the_delay_is_the_one_of_retry_after() -> None:
    pipe = Pipe()
    pipe.ask(retries=1)
    refuse(429, "wait", (b"retry-after", b"7"))(pipe.upstream)
    assert pipe.sleeps == [7.0]
    refuse(429, "wait", (b"retry-after", b"1.2"))(pipe.upstream)
    assert pipe.sink.headers[b"retry-after"] == b"2"
    assert pipe.sink.json["error"]["retry_after_s"] == 1.2


def test_a_retry_after_above_the_cap_is_left_to_the_client() -> None:
    pipe = Pipe()
    pipe.ask(retries=1)
    refuse(429, "wait", (b"retry-after", b"60"))(pipe.upstream)
    assert pipe.sleeps == []
    assert pipe.sink.headers[b"retry-after"] == b"60"


def test_every_attempt_sends_the_same_request() -> None:
    pipe = Pipe()
    pipe.ask(retries=1)
    refuse(500)(pipe.upstream)
    assert pipe.upstream_requests[0].request == pipe.upstream_requests[1].request


# --- Tokens of what failed ------------------------------------------------------------------------


def test_tokens_of_a_broken_response_are_estimated() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.upstream.fail(LOST)
    (record,) = pipe.records
    assert (record.input_tokens, record.output_tokens) == (3, 4)
    assert (record.tokens_source, record.cost_usd) == ("estimated", "0.000011")
    assert pipe.counted[0][2] == "Hel"


@pytest.mark.parametrize("is_stream", [False, True])
def test_an_error_does_not_wait_until_the_tokenizer_has_loaded(
    is_stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt_tokens, "MAX_COUNT_S", 0.0)
    pipe = Pipe()
    loading = pipe.counting = Gate[None]()
    pipe.ask(is_stream=is_stream)
    pipe.upstream.stream(ROLE, text("Hello there"))
    pipe.upstream.fail(LOST)
    (record,) = pipe.records
    assert (record.tokens_source, record.output_tokens) == ("estimated", 2)
    assert pipe.sink.is_over
    loading.set(None)
    assert len(pipe.records) == 1


def test_the_tokens_for_a_client_that_left_are_counted_however_long_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempt_tokens, "MAX_COUNT_S", 0.0)
    pipe = Pipe()
    loading = pipe.counting = Gate[None]()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("Hello there"))
    pipe.sink.leave()
    assert pipe.records == []
    loading.set(None)
    (record,) = pipe.records
    assert (record.tokens_source, record.output_tokens) == ("estimated", 4)


def test_usage_reported_before_the_failure_is_reported() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("Hel"), USAGE)
    pipe.upstream.fail(LOST)
    assert pipe.records[0].tokens_source == "reported"
    assert pipe.counted == []


@pytest.mark.parametrize("fail", [refuse(500), lambda s: s.fail(LOST), lambda s: s.stream(BROKEN)])
def test_a_failed_attempt_without_output_has_unknown_tokens(fail: Callable[[Any], None]) -> None:
    pipe = Pipe()
    pipe.ask()
    fail(pipe.upstream)
    (record,) = pipe.records
    assert (record.input_tokens, record.tokens_source, record.cost_usd) == (None, None, None)
    assert pipe.counted == []


# --- Keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("planted", [KEY, "sk-callers-own", "header-secret"])
def test_a_key_in_an_error_message_is_redacted(planted: str) -> None:
    pipe = Pipe(headers={"x-secret": "header-secret"})
    pipe.ask(api_key="sk-callers-own" if planted.startswith("sk-c") else None, retries=1)
    refuse(500, f"Wrong key: {planted}!")(pipe.upstream)
    refuse(401, f"Wrong key: {planted}!")(pipe.upstream)
    assert pipe.sink.json["error"]["message"] == "Wrong key: ***!"
    assert planted.encode() not in pipe.sink.body + b"".join(pipe.spool.lines)
    assert [record.error_message for record in pipe.records] == ["Wrong key: ***!"] * 2


def test_a_key_in_the_code_or_parameter_of_an_error_is_redacted() -> None:
    pipe = Pipe()
    pipe.ask()
    said = {"message": "No.", "code": f"bad_{KEY}", "param": KEY}
    pipe.upstream.whole(json.dumps({"error": said}).encode(), 401)
    error = pipe.sink.json["error"]
    assert (error["code"], error["param"]) == ("bad_***", "***")
    assert KEY.encode() not in pipe.spool.lines[0]


def test_a_key_in_an_error_of_a_stream_is_redacted() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(ROLE, text("a"), event(error={"message": f"Key {KEY} was revoked"}))
    assert KEY.encode() not in pipe.sink.body + b"".join(pipe.spool.lines)
    assert b"Key *** was revoked" in pipe.sink.body


def test_a_text_too_short_to_be_a_secret_is_not_redacted() -> None:
    pipe = Pipe(api_key="key")
    pipe.ask()
    refuse(401, "Wrong key!")(pipe.upstream)
    assert pipe.sink.json["error"]["message"] == "Wrong key!"


# --- Limits and defects ---------------------------------------------------------------------------


def test_an_error_body_over_the_limit_ends_the_attempt() -> None:
    pipe = Pipe()
    pipe.ask()
    pipe.upstream.respond(JSON, 500)
    pipe.upstream.chunk(b"x" * attempt.MAX_ERROR_BODY)
    assert pipe.sink.got == []
    pipe.upstream.chunk(b"x")
    assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (502, "protocol_error")
    assert pipe.upstream.history == ["cancel"]


def test_a_response_body_over_the_limit_ends_the_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "MAX_BODY", 10)
    pipe = Pipe()
    pipe.ask()
    pipe.upstream.respond(JSON)
    pipe.upstream.chunk(b"x" * 10)
    assert pipe.sink.got == []
    pipe.upstream.chunk(b"x")
    assert pipe.sink.json["error"]["type"] == "protocol_error"


def test_an_event_over_the_limit_ends_the_attempt() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(text("a"))
    for _ in range(33):
        if not pipe.sink.is_over:
            pipe.upstream.chunk(b"x" * (1 << 20))
    assert pipe.sink.lines[-1]["error"]["type"] == "protocol_error"


def test_the_error_response_to_a_defect_of_the_gateway_has_no_details(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipe = Pipe()
    secret = ZeroDivisionError("internal detail")

    def defect(*args: Any) -> Any:
        raise secret

    pipe.transport.send = defect  # type: ignore[method-assign]
    pipe.ask()
    assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (500, "internal_error")
    assert b"detail" not in pipe.sink.body
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].exc_info[1] is secret
    assert pipe.records[0].error_type == "internal_error"


def test_a_defect_after_sending_causes_one_error_response() -> None:
    pipe = Pipe()
    send = pipe.transport.send

    def send_and_fail(*args: Any) -> Any:
        send(*args)
        raise ZeroDivisionError

    pipe.transport.send = send_and_fail  # type: ignore[method-assign]
    pipe.ask()
    assert pipe.sink.status == 500
    pipe.upstream.stream(HELLO)
    assert pipe.sink.kinds == ["whole"]


def test_a_request_too_deep_for_an_adapter_is_the_callers_fault() -> None:
    def lost(request: Any) -> Any:
        raise RecursionError

    pipe = Pipe(provider=replace(openai.PROVIDER, adapt=lost))
    pipe.ask()
    assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (400, "invalid_request_error")
