"""Every row of the contract's table of errors, in both server modes."""

from __future__ import annotations

import json
import time
from typing import Any, NamedTuple

import pytest

from contract.conftest import BODY_LIMIT
from contract.shapes import checked_error, error_of, ok
from support.gateway_process import HELLO, SERVER_KEY, Gateway
from support.openai_completions import DONE, error_body, finish, role, text
from support.openai_upstream import CUT, HANG, Answer, Upstream, Wait

CHAT = "/api/engine/chat/openai"
GOOD: dict[str, Any] = {"model": "gpt-4o", "chat_input": HELLO}

# --- The body -------------------------------------------------------------------------------------

NOT_OBJECTS = {
    "empty": b"",
    "text": b"not json",
    "half": b'{"model": "gpt-4o", "chat_input": ',
    "more than one": b'{"model": "a"} {"model": "b"}',
    "a list": b"[]",
    "a number": b"1",
    "a string": b'"x"',
    "null": b"null",
    "not UTF-8": b'{"model": "\xff", "chat_input": "x"}',
    "nested too deep": b'{"model": "a", "chat_input": ' + b"[" * 100_000,
    "not a number": b'{"model": "a", "chat_input": "x", "seed": NaN}',
}


@pytest.mark.parametrize("name", NOT_OBJECTS)
def test_a_body_that_is_not_a_json_object_is_400(
    gateway: Gateway, upstream: Upstream, name: str
) -> None:
    error_of(gateway.client.call("POST", CHAT, NOT_OBJECTS[name]), 400)
    assert upstream.exchanges == []


class Wrong(NamedTuple):
    field: str
    fields: dict[str, Any]


WRONG = [
    Wrong("model", {"chat_input": HELLO}),
    Wrong("chat_input", {"model": "gpt-4o"}),
    Wrong("model", {**GOOD, "model": 1}),
    Wrong("model", {**GOOD, "model": None}),
    Wrong("chat_input", {**GOOD, "chat_input": 7}),
    Wrong("chat_input", {**GOOD, "chat_input": None}),
    Wrong("chat_input", {**GOOD, "chat_input": {"role": "user", "content": "x"}}),
    Wrong("chat_input", {**GOOD, "chat_input": [1]}),
    Wrong("api_key", {**GOOD, "api_key": 5}),
    Wrong("is_stream", {**GOOD, "is_stream": "yes"}),
    Wrong("parameters", {**GOOD, "parameters": []}),
    Wrong("parameters", {**GOOD, "parameters": "hot"}),
    Wrong("session_id", {**GOOD, "session_id": 5}),
    Wrong("retries", {**GOOD, "retries": "twice"}),
    Wrong("base_url", {**GOOD, "base_url": 5}),
    Wrong("temperature", {**GOOD, "parameters": {"temperature": 3}}),
    Wrong("temperature", {**GOOD, "parameters": {"temperature": -0.1}}),
    Wrong("temperature", {**GOOD, "parameters": {"temperature": "hot"}}),
    Wrong("temperature", {**GOOD, "temperature": 3}),
    Wrong("max_tokens", {**GOOD, "parameters": {"max_tokens": -1}}),
    Wrong("max_tokens", {**GOOD, "parameters": {"max_tokens": "many"}}),
    Wrong("top_p", {**GOOD, "parameters": {"top_p": 1.5}}),
    Wrong("frequency_penalty", {**GOOD, "parameters": {"frequency_penalty": 2.5}}),
    Wrong("presence_penalty", {**GOOD, "parameters": {"presence_penalty": -2.5}}),
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_wrong_field_is_422_naming_it(gateway: Gateway, upstream: Upstream, wrong: Wrong) -> None:
    error = error_of(gateway.client.call("POST", CHAT, wrong.fields), 422)
    assert wrong.field in error["param"]
    assert wrong.field in error["message"]
    assert upstream.exchanges == []


def test_a_body_over_the_limit_is_413(gateway: Gateway, upstream: Upstream) -> None:
    body = json.dumps({**GOOD, "chat_input": "x" * BODY_LIMIT}).encode()
    error_of(gateway.client.call("POST", CHAT, body), 413)
    assert upstream.exchanges == []


def test_a_chunked_body_over_the_limit_is_413(gateway: Gateway, upstream: Upstream) -> None:
    data = json.dumps({**GOOD, "chat_input": "x" * BODY_LIMIT}).encode()
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    with gateway.client.connect() as stream:
        stream.send((head + "transfer-encoding: chunked\r\n\r\n").encode() + body)
        error_of(stream.read_head().reply(), 413)
    assert upstream.exchanges == []


def test_a_body_under_the_limit_is_served_in_either_framing(gateway: Gateway) -> None:
    data = json.dumps({**GOOD, "chat_input": "x" * (BODY_LIMIT // 2)}).encode()
    assert ok(gateway.client.call("POST", CHAT, data))["chat_output"] == "Hello there!"
    pieces = [data[i : i + 65536] for i in range(0, len(data), 65536)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    with gateway.client.connect() as stream:
        stream.send((head + "transfer-encoding: chunked\r\n\r\n").encode() + body)
        assert ok(stream.read_head().reply())["chat_output"] == "Hello there!"


# --- The provider asked for -----------------------------------------------------------------------


def test_an_unknown_provider_is_404_naming_those_configured(gateway: Gateway) -> None:
    error = error_of(gateway.chat("nobody"), 404)
    for name in ("openai", "keyless", "echo"):
        assert name in error["message"]


# --- What the provider says -----------------------------------------------------------------------


def refusal(
    status: int, message: str, kind: str, code: str | None = None, **headers: str
) -> Answer:
    fields = (("content-type", "application/json"), *headers.items())
    return Answer((error_body(message, kind, code),), status=status, headers=fields)


class Refused(NamedTuple):
    answer: Answer
    statuses: tuple[int, ...]
    said: str


NO_KEY = f"Incorrect API key provided: {SERVER_KEY}. You can find your API key at example.com."
REFUSED = {
    "key": Refused(refusal(401, NO_KEY, "invalid_request_error", "invalid_api_key"), (401,), ""),
    "permission": Refused(refusal(403, "No such right", "permission_error"), (401, 403), ""),
    "model": Refused(
        refusal(404, "The model `x` does not exist", "invalid_request_error", "model_not_found"),
        (404,),
        "The model `x` does not exist",
    ),
    "request": Refused(
        refusal(400, "Invalid value: 'x'", "invalid_request_error", "invalid_value"),
        (400,),
        "Invalid value: 'x'",
    ),
    "request, unprocessable": Refused(
        refusal(422, "Cannot process 'x'", "invalid_request_error"), (422,), "Cannot process 'x'"
    ),
    "rate": Refused(
        refusal(429, "Slow down", "requests", "rate_limit_exceeded", **{"retry-after": "70"}),
        (429,),
        "Slow down",
    ),
    "quota": Refused(
        refusal(429, "You exceeded your quota", "insufficient_quota", "insufficient_quota"),
        (429,),
        "You exceeded your quota",
    ),
    "failed": Refused(refusal(500, "The server had an error", "server_error"), (502,), ""),
    "bad gateway": Refused(Answer((b"<html>",), status=502, headers=()), (502,), ""),
    "overloaded": Refused(refusal(503, "Overloaded, try later", "server_error"), (503,), ""),
    "overloaded, 529": Refused(refusal(529, "Overloaded", "overloaded_error"), (503,), ""),
    "not JSON": Refused(Answer((b"<html>",), status=400, headers=()), (400,), ""),
    "not even a body": Refused(Answer((), status=500, headers=()), (502,), ""),
}


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("name", REFUSED)
def test_each_provider_error_gets_its_documented_status_and_type(
    gateway: Gateway, upstream: Upstream, name: str, is_stream: bool
) -> None:
    case = REFUSED[name]
    upstream.play(case.answer)
    error = error_of(gateway.chat(is_stream=is_stream), *case.statuses)
    assert case.said in error["message"]
    assert error["provider"] == "openai"


def test_a_rate_limit_comes_with_retry_after(gateway: Gateway, upstream: Upstream) -> None:
    upstream.play(REFUSED["rate"].answer)
    reply = gateway.chat()
    assert reply.headers["retry-after"] == "70"
    assert error_of(reply, 429)["retry_after_s"] == 70
    assert reply.elapsed < 70  # which it does not wait for


def test_the_providers_code_and_param_are_kept(gateway: Gateway, upstream: Upstream) -> None:
    body = error_body("Bad value", "invalid_request_error", "invalid_value", "temperature")
    upstream.play(Answer((body,), status=400, headers=(("content-type", "application/json"),)))
    error = error_of(gateway.chat(), 400)
    assert (error["code"], error["param"]) == ("invalid_value", "temperature")


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_provider_that_cannot_be_reached_is_502(gateway: Gateway, is_stream: bool) -> None:
    error = error_of(gateway.chat("unreachable", is_stream=is_stream), 502)
    assert error["provider"] == "unreachable"


BROKEN = {
    "closes before it answers": Answer((), before_head=(CUT,)),
    "closes with nothing said": Answer((), raw=b""),
    "does not speak HTTP": Answer((), raw=b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "answers with a page": Answer(
        (b"<html>hello</html>",), headers=(("content-type", "text/html"),)
    ),
    "ends before its first event": Answer(()),
    "sends a malformed event first": Answer((b"data: {not json\n\n", HANG)),
}


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("name", BROKEN)
def test_a_provider_that_breaks_before_its_first_event_is_502(
    gateway: Gateway, upstream: Upstream, name: str, is_stream: bool
) -> None:
    upstream.play(BROKEN[name])
    error_of(gateway.chat(is_stream=is_stream), 502)


LATE = {
    "no head": Answer((), before_head=(HANG,)),
    "no event after the head": Answer((HANG,)),
    "a comment and no event": Answer((b": wait\n\n", HANG)),
}


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("name", LATE)
def test_a_provider_that_does_not_answer_in_time_is_504(
    gateway: Gateway, upstream: Upstream, name: str, is_stream: bool
) -> None:
    upstream.play(LATE[name])
    began = time.monotonic()
    error = error_of(gateway.chat("hasty", is_stream=is_stream), 504)
    assert error["provider"] == "hasty"
    assert time.monotonic() - began < 50  # other providers have minutes


def test_a_complete_response_that_stalls_is_504(gateway: Gateway, upstream: Upstream) -> None:
    upstream.play(Answer((role(), text("Hello"), HANG)))
    error_of(gateway.chat("hasty"), 504)


def test_a_slow_response_that_makes_progress_is_no_timeout(
    gateway: Gateway, upstream: Upstream
) -> None:
    pieces = [step for n in range(4) for step in (Wait(0.2), text(str(n)))]
    upstream.play(Answer((role(), *pieces, finish(), DONE)))
    assert ok(gateway.chat("hasty"))["chat_output"] == "0123"


def test_the_connection_stays_usable_after_an_error(gateway: Gateway) -> None:
    first = gateway.client.open("POST", CHAT, {"model": 1})
    with first:
        assert first.read_head().reply().status == 422
        second = gateway.client.open("POST", CHAT, GOOD, on=first)
        assert ok(second.read_head().reply())["chat_output"] == "Hello there!"


def test_an_unknown_path_is_an_error_without_a_traceback(gateway: Gateway) -> None:
    lines = len(gateway.output)
    for path in ("/api/engine/nowhere", "/docs2", "/v1/nowhere", "/nowhere?x=1"):
        reply = gateway.client.get(path)
        assert reply.status == 404
        assert b"Traceback" not in reply.body
    assert gateway.client.get("/health").status == 200
    assert "Traceback" not in "".join(gateway.output[lines:])


def test_an_error_of_a_get_route_has_the_same_shape(gateway: Gateway) -> None:
    reply = gateway.client.get("/api/engine/models?provider=nobody")
    assert reply.status == 404
    checked_error(reply.json)
