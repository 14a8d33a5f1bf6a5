"""A complete answer may count as a failure of its target, where the route says so."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.routing.route import FailureRule
from support.for_each import for_each
from support.pipeline_fakes import DONE, HELLO, ROLE, STOP, WHOLE, event, text
from support.routed_pipe import ROUTE, RoutedPipe, target

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


# --- JSON schemas ---------------------------------------------------------------------------------

SCHEMA_RULE: frozenset[FailureRule] = frozenset({"invalid_schema"})
SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer"}},
    "required": ["age"],
    "additionalProperties": False,
}
CHAT_FORMAT = {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}}
GOOD, BAD = '{"age": 7}', '{"age": "seven"}'


@for_each(
    ("text", "flaw"),
    [
        (BAD, '"seven" is not of type "integer" - at $[\'age\']'),
        ("{}", '"age" is a required property - at $'),
        ("Sure!", "it is no JSON (JSON is malformed"),
        ("", "it is no JSON (Input data was truncated)"),
    ],
)
def test_an_answer_of_another_schema_is_a_failure(text: str, flaw: str) -> None:
    pipe = RoutedPipe(fail_on=SCHEMA_RULE)
    pipe.ask_route(response_format=CHAT_FORMAT)
    pipe.asked("one").whole(answer(text))
    pipe.asked("two").whole(answer(GOOD))
    assert pipe.sink.body == answer(GOOD)
    assert pipe.summary[0] == ("one", "first", "error", "invalid_schema", False)
    assert flaw in (pipe.records[0].error_message or "")


def test_a_stream_is_held_until_it_is_known_to_be_of_its_schema() -> None:
    pipe = RoutedPipe(fail_on=SCHEMA_RULE)
    pipe.ask_route(stream=True, response_format=CHAT_FORMAT)
    pipe.asked("one").stream(ROLE, text('{"age": '), text('"seven"}'), STOP, DONE)
    assert pipe.sink.got == []
    pipe.asked("two").stream(ROLE, text('{"age": '))
    assert pipe.sink.got == []
    pipe.asked("two").chunk(text("7}"), STOP, DONE)
    body = ROLE + text('{"age": ') + text("7}") + STOP + DONE
    assert pipe.sink.body == body
    assert pipe.sink.headers[b"x-headway-served-by"] == b"two/m-two"


def test_a_stream_of_a_request_without_a_schema_is_not_held() -> None:
    pipe = RoutedPipe(fail_on=SCHEMA_RULE)
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Hi"))
    assert pipe.sink.body == ROLE + text("Hi")


def test_an_answer_must_be_an_object_where_json_is_demanded() -> None:
    for body, is_failure in (("[1]", True), ("x", True), ("{}", False)):
        pipe = RoutedPipe(fail_on=SCHEMA_RULE)
        pipe.ask_route(response_format={"type": "json_object"})
        pipe.asked("one").whole(answer(body))
        assert pipe.requests == ((1, 1, 0) if is_failure else (1, 0, 0))


@for_each(
    "response_format",
    [
        {"type": "text"},
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": {"schema": {"type": "nonsense"}}},
        {"type": "json_schema", "json_schema": {"schema": {"$ref": "http://127.0.0.1:9/"}}},
        "json",
    ],
)
def test_a_format_that_cannot_be_judged_is_not(response_format: Any) -> None:
    pipe = RoutedPipe(fail_on=SCHEMA_RULE)
    pipe.ask_route(response_format=response_format)
    pipe.asked("one").whole(answer("Hello"))
    assert (pipe.sink.body, pipe.requests) == (answer("Hello"), (1, 0, 0))


def test_tool_calls_and_refusals_are_of_no_schema() -> None:
    for body in (answer(None, "tool_calls", tool_calls=[CALL]), answer(None, refusal="No.")):
        pipe = RoutedPipe(fail_on=SCHEMA_RULE)
        pipe.ask_route(response_format=CHAT_FORMAT)
        pipe.asked("one").whole(body)
        assert (pipe.sink.body, pipe.requests) == (body, (1, 0, 0))


NATIVE: list[tuple[str, Dialect, dict[str, Any]]] = [
    ("openai_responses", OpenAIResponses(), {
        "input": "Hi", "text": {"format": {"type": "json_schema", "name": "p", "schema": SCHEMA}},
    }),
    ("anthropic", AnthropicMessages(), {
        "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    }),
    ("ollama", OllamaChat(), {"messages": [{"role": "user", "content": "Hi"}], "format": SCHEMA}),
    ("gemini", GenerateContent(), {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {
            "responseMimeType": "application/json", "responseJsonSchema": SCHEMA,
        },
    }),
]  # fmt: skip


@for_each(("kind", "dialect", "fields"), NATIVE)
def test_the_schema_is_found_in_every_format_of_clients(
    kind: str, dialect: Dialect, fields: dict[str, Any]
) -> None:
    pipe = RoutedPipe(fail_on=SCHEMA_RULE, kinds={"one": "openai", "two": "openai"})
    body = {"model": ROUTE, "stream": False, **fields}
    if kind == "gemini":
        del body["model"], body["stream"]
    pipe.send(ClientRequest(f"models/{ROUTE}", (), json.dumps(body).encode()), dialect)
    pipe.asked("one").whole(answer(BAD))
    assert pipe.requests == (1, 1)
    pipe.asked("two").whole(answer(GOOD))
    assert pipe.sink.status == 200


def test_other_operations_demand_no_schema() -> None:
    pipe = RoutedPipe(fail_on=SCHEMA_RULE)
    body = json.dumps({"model": ROUTE, "input": "Hi"}).encode()
    pipe.send(ClientRequest("", (), body), OpenAIEmbeddings())
    assert pipe.requests == (1, 0, 0)


def test_a_request_excludes_targets_for_a_failure_as_it_does_others() -> None:
    refused = b'{"error":{"message":"No.","code":"content_filter"}}'
    for name, body in (("on_content_policy", refused), ("on_context_window", TOO_LONG)):
        for ignored, expected in (("three", (1, 0, 0)), ("two", (1, 0, 1))):
            fallbacks = (target("three"),)
            pipe = RoutedPipe(targets=(target("one"), target("two")), **{name: fallbacks})
            pipe.ask_route(provider={"ignore": [ignored]})
            pipe.asked("one").whole(body, status=400)
            assert pipe.requests == expected
            assert pipe.sink.status == (400 if ignored == "three" else None)
