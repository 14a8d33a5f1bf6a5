"""A call of a route goes to the next target where one fails before the client has any content."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.errors import UpstreamDisconnected, UpstreamUnreachable
from headway.record import Record
from headway.routing_state.memory import Change, MemoryRoutingState
from support.for_each import for_each
from support.pipeline_fakes import ENGINE, HELLO, ROLE, USAGE, WHOLE, event, text
from support.routed_pipe import ROUTE, RoutedPipe, target

OVERLOADED = b'{"error":{"message":"busy","type":"overloaded"}}'


def test_a_route_is_answered_by_its_first_target() -> None:
    pipe = RoutedPipe()
    pipe.ask_route()
    assert pipe.requests == (1, 0, 0)
    assert json.loads(pipe.asked("one").request.body)["model"] == "m-one"
    pipe.asked("one").whole(WHOLE)
    assert pipe.sink.body == WHOLE
    assert pipe.sink.headers[b"x-headway-served-by"] == b"one/m-one"
    assert pipe.sink.headers[b"x-headway-route"] == ROUTE.encode()
    assert pipe.sink.headers[b"x-headway-attempts"] == b"1"
    (record,) = pipe.records
    assert (record.route_name, record.provider, record.model) == (ROUTE, "one", "m-one")
    assert (record.role, record.attempt, record.provider_key) == ("first", 1, None)
    assert json.loads(record.decision or "") == {
        "strategy": "ordered",
        "targets": ["one/m-one", "two/m-two", "three/m-three"],
        "skipped": [],
    }


@for_each("stream", [False, True])
def test_the_next_target_answers_where_one_fails(stream: bool) -> None:
    pipe = RoutedPipe()
    pipe.ask_route(stream=stream)
    pipe.asked("one").whole(OVERLOADED, status=503)
    assert pipe.requests == (1, 1, 0)
    pipe.asked("two").fail(UpstreamDisconnected("It broke."))
    assert pipe.requests == (1, 1, 1)
    assert pipe.sink.got == []
    if stream:
        pipe.asked("three").stream(HELLO)
        assert pipe.sink.body == HELLO
    else:
        pipe.asked("three").whole(WHOLE)
        assert pipe.sink.body == WHOLE
    assert pipe.sink.headers[b"x-headway-served-by"] == b"three/m-three"
    assert pipe.sink.headers[b"x-headway-attempts"] == b"3"
    assert pipe.summary == [
        ("one", "first", "error", "overloaded", False),
        ("two", "fallback", "error", "connection_error", False),
        ("three", "fallback", "ok", None, True),
    ]
    assert [record.attempt for record in pipe.records] == [1, 2, 3]
    assert len({record.call_id for record in pipe.records}) == 1
    assert len({record.id for record in pipe.records}) == 3


def test_a_stream_that_fails_before_its_first_content_is_followed_by_the_next_target() -> None:
    pipe = RoutedPipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE)
    assert pipe.sink.got == []
    pipe.asked("one").chunk(b'data: {"error":{"message":"Overloaded"}}\n\n')
    pipe.asked("two").stream(HELLO)
    assert pipe.sink.body == HELLO


def test_a_stream_that_breaks_after_its_first_content_ends_with_an_honest_error() -> None:
    pipe = RoutedPipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Hel"))
    pipe.asked("one").fail(UpstreamDisconnected("It broke."))
    assert pipe.requests == (1, 0, 0)
    assert pipe.sink.body.startswith(ROLE + text("Hel"))
    assert b'"type":"connection_error"' in pipe.sink.body
    assert pipe.summary == [("one", "first", "error", "connection_error", True)]


def test_a_stream_without_any_event_is_a_failure() -> None:
    pipe = RoutedPipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").respond()
    pipe.asked("one").end()
    pipe.asked("two").stream(HELLO)
    assert pipe.sink.body == HELLO


def test_the_error_of_the_last_target_is_the_clients() -> None:
    pipe = RoutedPipe()
    pipe.ask_route()
    pipe.asked("one").fail(UpstreamUnreachable("one is away."))
    pipe.asked("two").fail(UpstreamUnreachable("two is away."))
    pipe.asked("three").whole(b'{"error":{"message":"three is full"}}', status=429)
    assert pipe.sink.status == 429
    assert pipe.sink.json["error"]["message"] == "three is full"
    assert pipe.sink.headers[b"x-headway-attempts"] == b"3"
    assert pipe.sink.headers[b"x-headway-served-by"] == b"three/m-three"
    assert pipe.summary[-1] == ("three", "fallback", "error", "rate_limit_error", True)


def test_what_the_provider_rejects_is_not_sent_to_another() -> None:
    pipe = RoutedPipe()
    pipe.ask_route()
    pipe.asked("one").whole(b'{"error":{"message":"wrong"}}', status=400)
    assert (pipe.sink.status, pipe.requests) == (400, (1, 0, 0))


def test_a_target_that_cannot_carry_the_request_is_skipped() -> None:
    pipe = RoutedPipe(kinds={"one": "perplexity", "two": "openai"})
    pipe.ask_route(model=ROUTE, messages=[{"role": "user", "content": [{"type": "file"}]}])
    assert pipe.requests[0] + pipe.requests[1] == 1


def test_where_no_target_can_take_the_request_the_client_learns_why_for_each() -> None:
    pipe = RoutedPipe(
        targets=(target("one"), target("gone/m")), upstreams={"one": {"api_key": None}}
    )
    pipe.ask_route()
    assert pipe.requests == (0, 0, 0)
    error = pipe.sink.json["error"]
    assert (pipe.sink.status, error["code"], error["param"]) == (400, "no_target", "model")
    assert "one/m-one cannot be sent it: There is no key for one" in error["message"]
    assert "gone/m has no provider of that name" in error["message"]
    (record,) = pipe.records
    assert (record.outcome, record.model) == ("refused", ROUTE)


def test_a_target_has_parameters_of_its_own() -> None:
    parameters: dict[str, Any] = {
        "temperature": Raw(b"0"), "top_p": Raw(b"null"), "seed": Raw(b"7"),
    }  # fmt: skip
    pipe = RoutedPipe(targets=(target("one", parameters=parameters), target("two")))
    pipe.ask_route(temperature=1, top_p=0.5, n=1)
    sent = json.loads(pipe.asked("one").request.body)
    assert {k: sent.get(k) for k in ("temperature", "top_p", "seed", "n")} == {
        "temperature": 0, "top_p": None, "seed": 7, "n": 1,
    }  # fmt: skip
    pipe.asked("one").fail(UpstreamUnreachable("one is away."))
    sent = json.loads(pipe.asked("two").request.body)
    assert (sent["temperature"], sent["top_p"]) == (1, 0.5)
    assert "seed" not in sent


def test_a_target_is_tried_again_as_often_as_the_route_says() -> None:
    pipe = RoutedPipe(retries=1)
    pipe.ask_route()
    pipe.asked("one").whole(OVERLOADED, status=503)
    assert pipe.sleeps == [0.125]
    assert pipe.requests == (2, 0, 0)
    pipe.asked("one").whole(OVERLOADED, status=503)
    assert pipe.requests == (2, 1, 0)
    pipe.asked("two").whole(WHOLE)
    assert [role for _, role, *_ in pipe.summary] == ["first", "retry", "fallback"]


def test_a_route_makes_no_more_attempts_than_it_may() -> None:
    pipe = RoutedPipe(max_attempts=2)
    pipe.ask_route()
    pipe.asked("one").whole(OVERLOADED, status=503)
    pipe.asked("two").whole(OVERLOADED, status=503)
    assert (pipe.sink.status, pipe.requests) == (503, (1, 1, 0))


def test_a_client_that_leaves_ends_the_attempt_and_the_call() -> None:
    pipe = RoutedPipe()
    pipe.ask_route(stream=True)
    pipe.sink.leave()
    assert pipe.asked("one").is_over
    assert pipe.requests == (1, 0, 0)
    assert pipe.summary == [("one", "first", "cancelled", "client_closed_request", True)]
    assert pipe.gateway.active == set()
    assert pipe.gateway.routing_state.target("one/m-one").outstanding == 0


def test_a_key_in_the_request_is_refused_because_it_is_one_providers() -> None:
    pipe = RoutedPipe()
    pipe.ask_route((b"x-headway-provider-key", b"sk-own-key-of-a-client"))
    assert (pipe.sink.status, pipe.requests) == (422, (0, 0, 0))
    assert "is a route to several" in pipe.sink.json["error"]["message"]


def test_an_error_does_not_quote_the_keys_of_any_target(caplog: pytest.LogCaptureFixture) -> None:
    pipe = RoutedPipe()
    pipe.ask_route()
    pipe.asked("one").whole(b'{"error":{"message":"bad sk-key-of-one"}}', status=401)
    pipe.asked("two").whole(b'{"error":{"message":"bad sk-key-of-one sk-key-of-two"}}', status=401)
    pipe.asked("three").whole(b'{"error":{"message":"bad sk-key-of-two"}}', status=400)
    assert b"sk-key" not in b"".join(pipe.spool.lines) + pipe.sink.body
    assert "sk-key" not in caplog.text


def test_the_usage_of_a_failed_stream_is_on_record_once() -> None:
    pipe = RoutedPipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, USAGE)
    pipe.asked("one").fail(UpstreamDisconnected("It broke."))
    pipe.asked("two").stream(HELLO)
    assert [record.output_tokens for record in pipe.records] == [26, 26]
    assert [record.cost_usd for record in pipe.records] == ["0.000058", "0.000058"]


def test_a_target_that_is_called_leaves_nothing_behind() -> None:
    pipe = RoutedPipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").fail(UpstreamUnreachable("one is away."))
    pipe.asked("two").stream(ROLE, text("x"), event(finish="stop"), b"data: [DONE]\n\n")
    state = pipe.gateway.routing_state
    assert [state.target(f"{n}/m-{n}").outstanding for n in ("one", "two", "three")] == [0, 0, 0]
    assert pipe.pending_timers == []
    assert pipe.call._dispatch is None


PATHS: list[tuple[str, Dialect, dict[str, Any], list[str], Any]] = [
    ("anthropic", AnthropicMessages(), {"max_tokens": 9}, ["stop_sequences"], ["x"]),
    ("openai_responses", OpenAIResponses(), {}, ["reasoning", "effort"], "low"),
    ("gemini", GenerateContent(), {}, ["generationConfig", "temperature"], 0),
    ("ollama", OllamaChat(), {}, ["options", "temperature"], 0),
    ("ollama", OllamaChat(), {"options": {"seed": 1}}, ["options", "seed"], 1),
]


@for_each(("kind", "dialect", "fields", "path", "expected"), PATHS)
def test_parameters_of_a_target_stand_where_the_clients_format_has_them(
    kind: str, dialect: Dialect, fields: dict[str, Any], path: list[str], expected: Any
) -> None:
    given = {"stop": ["x"], "temperature": 0, "reasoning_effort": "low"}
    parameters = {name: Raw(json.dumps(value).encode()) for name, value in given.items()}
    pipe = RoutedPipe(kinds={"one": kind}, targets=(target("one", parameters=parameters),))
    message = {"role": "user", "content": "Hi"}
    body = {
        "model": ROUTE, "messages": [message], "input": "Hi", "stream": False,
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}], **fields,
    }  # fmt: skip
    if kind == "gemini":
        del body["stream"], body["model"]
    pipe.send(ClientRequest(f"models/{ROUTE}", (), json.dumps(body).encode()), dialect)
    found: Any = json.loads(pipe.asked("one").request.body)
    for name in path:
        found = found[name]
    assert found == expected


@for_each("is_stream", [False, True])
def test_the_engine_route_names_a_route_in_place_of_a_provider(is_stream: bool) -> None:
    pipe = RoutedPipe()
    body = {"model": ROUTE, "chat_input": "Hi", "is_stream": is_stream, "retries": 1}
    pipe.send(ClientRequest("route", (), json.dumps(body).encode()), ENGINE)
    pipe.asked("one").stream(ROLE)
    pipe.asked("one").fail(UpstreamDisconnected("It broke."))
    assert (pipe.requests, pipe.sink.got) == ((2, 0, 0), [])
    pipe.asked("one").fail(UpstreamDisconnected("It broke."))
    pipe.asked("two").stream(HELLO)
    reply = pipe.sink.lines[-1]
    assert (reply["provider"], reply["model"], reply["chat_output"]) == ("two", "m-two", "Hello!")
    assert reply["metrics"]["attempts"] == 3
    assert [record.role for record in pipe.records] == ["first", "retry", "fallback"]


# --- What rests since the plan was made -----------------------------------------------------------


def rest(pipe: RoutedPipe, *names: str, key: str = "") -> None:
    """Another worker tells that it left these targets alone, or a key of them."""
    state = pipe.gateway.routing_state
    assert isinstance(state, MemoryRoutingState)
    for name in names:
        state.apply(Change("open", f"{name}/m-{name}", key, 15.0), pipe.clock())


def decision(record: Record) -> Any:
    return json.loads(record.decision or "{}")


def test_a_target_that_rests_since_the_call_began_is_passed_over() -> None:
    pipe = RoutedPipe()
    pipe.ask_route()
    rest(pipe, "two")
    pipe.asked("one").whole(b"{}", 500)
    pipe.asked("three").whole(WHOLE)
    assert (pipe.requests, pipe.sink.json["object"]) == ((1, 0, 1), "chat.completion")
    skipped = {"target": "two/m-two", "reason": "failed lately: rests for 15 s"}
    assert decision(pipe.records[-1])["skipped"] == [skipped]


def test_a_target_without_a_key_since_the_call_began_is_passed_over() -> None:
    pipe = RoutedPipe()
    pipe.ask_route()
    rest(pipe, "two", key="two")
    pipe.asked("one").whole(b"{}", 500)
    pipe.asked("three").whole(WHOLE)
    skipped = {"target": "two/m-two", "reason": "has no key to use for 15 s"}
    assert decision(pipe.records[-1])["skipped"] == [skipped]


def test_where_all_others_rest_the_client_gets_the_error_and_the_record_the_reasons() -> None:
    pipe = RoutedPipe()
    pipe.ask_route()
    rest(pipe, "two", "three")
    pipe.asked("one").whole(b"{}", 500)
    assert (pipe.requests, pipe.sink.status) == ((1, 0, 0), 502)
    (record,) = pipe.records
    assert [each["target"] for each in decision(record)["skipped"]] == [
        "two/m-two",
        "three/m-three",
    ]


def test_where_all_rest_all_are_tried() -> None:
    pipe = RoutedPipe()
    rest(pipe, "one", "two", "three")
    pipe.ask_route()
    pipe.asked("one").whole(b"{}", 500)
    pipe.asked("two").whole(WHOLE)
    assert pipe.requests == (1, 1, 0)
