"""Failures in the log: with the id of the request, and without keys or the words of a prompt."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from headway import errors
from headway.errors import HeadwayError
from headway.pipeline.failure_log import LONGEST_NAME, log_failure
from support.pipeline_fakes import HELLO, KEY, Pipe, text

LOST = errors.UpstreamDisconnected("the connection to api.openai.com broke", code="disconnected")
PROMPT = "my secret prompt"


def failures(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, dict[str, Any]]]:
    return [(one.levelname, one.message, getattr(one, "fields", {})) for one in caplog.records]


@pytest.fixture(autouse=True)
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "headway")


LEVELS: list[tuple[type[HeadwayError], str]] = [
    (errors.InternalError, "ERROR"),
    (errors.UpstreamError, "WARNING"),
    (errors.UpstreamAuth, "WARNING"),
    (errors.UpstreamRejected, "WARNING"),
    (errors.UpstreamLoop, "WARNING"),
    (errors.UpstreamTimeout, "WARNING"),
    (errors.LoopDetected, "WARNING"),
    (errors.InvalidField, "INFO"),
    (errors.UnknownProvider, "INFO"),
    (errors.Unauthorized, "INFO"),
    (errors.MissingProviderKey, "INFO"),
    (errors.BodyTooLarge, "INFO"),
    (errors.ClientGone, "INFO"),
    (errors.ShuttingDown, "INFO"),
]


@pytest.mark.parametrize(("cls", "level"), LEVELS)
def test_the_level_says_who_is_at_fault(
    cls: type[HeadwayError], level: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_failure("request failed", cls(PROMPT), request_id="r-1")
    [(found, message, fields)] = failures(caplog)
    assert (found, message) == (level, "request failed")
    assert (fields["request_id"], fields["status"]) == ("r-1", cls.status)
    assert fields["error_type"] == cls.type


def test_a_level_that_is_switched_off_costs_no_work(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "headway")
    log_failure("request failed", LOST)
    assert caplog.records == []


def test_only_plain_codes_and_names_of_fields_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    log_failure("m", errors.UpstreamRejected(PROMPT, code="context_length", param="messages[0].a"))
    log_failure("m", errors.UpstreamRejected(PROMPT, code=PROMPT, param="a\nb"))
    (_, _, plain), (_, _, odd) = failures(caplog)
    assert (plain["error_code"], plain["param"]) == ("context_length", "messages[0].a")
    assert not {"error_code", "param", "reason"} & set(odd)


def test_long_names_are_cut(caplog: pytest.LogCaptureFixture) -> None:
    log_failure("m", LOST, model="x" * 1000, attempts=2, provider=None)
    [(_, _, fields)] = failures(caplog)
    assert fields["model"] == "x" * LONGEST_NAME
    assert fields["attempts"] == 2
    assert "provider" not in fields


# --- Calls ----------------------------------------------------------------------------------------


def test_a_failed_call_is_one_line_with_its_facts(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    pipe.ask(chat_input=PROMPT)
    pipe.clock.now += 0.25
    pipe.upstream.fail(LOST)
    [(level, message, fields)] = failures(caplog)
    assert (level, message) == ("WARNING", "request failed")
    assert fields == {
        "request_id": "id-1",
        "provider": "openai",
        "model": "gpt-4o",
        "route": "/api/engine/chat/{provider}",
        "attempts": 1,
        "duration_s": 0.25,
        "status": 502,
        "error_type": "connection_error",
        "error_code": "disconnected",
        "reason": "the connection to api.openai.com broke",
    }


def test_the_providers_words_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    pipe.ask(chat_input=PROMPT)
    said = b'{"error":{"message":"bad: my secret prompt, sk-configured-key","code":"bad_code"}}'
    pipe.upstream.whole(said, 400, (b"x-request-id", b"req-7"))
    assert PROMPT in pipe.sink.json["error"]["message"]
    [(level, _, fields)] = failures(caplog)
    assert level == "WARNING"
    assert (fields["status"], fields["upstream_status"]) == (400, 400)
    assert (fields["error_code"], fields["upstream_request_id"]) == ("bad_code", "req-7")
    assert PROMPT not in str(fields)
    assert KEY not in str(fields)


def test_a_failure_in_the_middle_of_a_stream_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(text("Hello"))
    pipe.upstream.fail(LOST)
    [(_, message, fields)] = failures(caplog)
    assert message == "request failed"
    assert (fields["status"], fields["upstream_status"]) == (502, 200)
    assert "reason" not in fields


def test_each_failed_attempt_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True, retries=1)
    pipe.upstream.fail(LOST)
    pipe.upstream.stream(HELLO)
    [(level, message, fields)] = failures(caplog)
    assert (level, message) == ("WARNING", "attempt failed, another one follows")
    assert (fields["request_id"], fields["attempts"]) == ("id-1", 1)


def test_a_refused_request_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe(keys=("gw-key",))
    pipe.ask(chat_input=PROMPT)
    [(level, _, fields)] = failures(caplog)
    assert (level, fields["status"], fields["error_code"]) == ("INFO", 401, "missing_api_key")
    assert fields["reason"].startswith("this gateway wants a key")
    assert not {"provider", "model", "attempts"} & set(fields)


def test_a_client_that_leaves_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(text("Hello"))
    pipe.sink.leave()
    assert [(level, fields["status"]) for level, _, fields in failures(caplog)] == [("INFO", 499)]


def test_a_complete_call_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    pipe.ask()
    pipe.upstream.stream(HELLO)
    assert pipe.sink.status == 200
    assert caplog.records == []


def test_a_defect_has_the_id_too(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    pipe.transport.send = lambda *_: 1 / 0  # type: ignore[method-assign, assignment]
    pipe.ask((b"x-request-id", b"mine"))
    (_, defect, first), (level, _, second) = failures(caplog)
    assert defect == "the request failed on a defect of the gateway"
    assert (first["request_id"], second["request_id"], level) == ("mine", "mine", "ERROR")


# --- The client's own id --------------------------------------------------------------------------


def test_a_clients_id_is_in_header_error_record_and_log(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    pipe.ask((b"x-request-id", b"my-id"))
    pipe.upstream.whole(b'{"error":{"message":"No."}}', 500, (b"x-request-id", b"theirs"))
    assert pipe.sink.json["error"]["request_id"] == "my-id"
    assert pipe.sink.headers[b"x-request-id"] == b"my-id"
    [record] = pipe.records
    assert (record.id, record.request_id) == ("id-1", "my-id")
    [(_, _, fields)] = failures(caplog)
    assert (fields["request_id"], fields["upstream_request_id"]) == ("my-id", "theirs")


def test_a_clients_id_is_not_the_id_of_the_reply() -> None:
    pipe = Pipe()
    pipe.ask((b"x-request-id", b"my-id"))
    pipe.upstream.stream(HELLO)
    assert pipe.sink.json["id"] == "id-1"
    assert pipe.sink.headers[b"x-request-id"] == b"my-id"
    assert pipe.records[0].request_id == "my-id"


@pytest.mark.parametrize(
    ("ask", "stream"), [(Pipe.ask, {"is_stream": True}), (Pipe.ask_openai, {"stream": True})]
)
def test_a_clients_id_is_in_the_error_of_a_stream(ask: Any, stream: dict[str, bool]) -> None:
    pipe = Pipe()
    ask(pipe, (b"x-request-id", b"my-id"), **stream)
    pipe.upstream.stream(text("Hello"))
    pipe.upstream.fail(LOST)
    assert b'"request_id":"my-id"' in pipe.sink.body
    assert pipe.sink.headers[b"x-request-id"] == b"my-id"


def test_all_attempts_share_a_clients_id() -> None:
    pipe = Pipe()
    pipe.ask((b"x-request-id", b"my-id"), retries=1)
    pipe.upstream.fail(LOST)
    pipe.upstream.stream(HELLO)
    assert [one.request_id for one in pipe.records] == ["my-id", "my-id"]
    assert len({one.id for one in pipe.records}) == 2


def test_an_invalid_id_is_replaced() -> None:
    pipe = Pipe()
    pipe.ask((b"x-request-id", b"not an id"))
    pipe.upstream.stream(HELLO)
    assert pipe.sink.headers[b"x-request-id"] == b"id-1"
    assert pipe.records[0].request_id == "id-1"
