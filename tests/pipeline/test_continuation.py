"""Another target goes on where a stream broke, if the route says so and the model can."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.errors import UpstreamDisconnected
from headway.pipeline.content_rules import ContentRules
from headway.routing.route import Limits
from support.for_each import for_each
from support.pipeline_fakes import DONE, ENGINE, HELLO, ROLE, STOP, USAGE, event, text
from support.routed_pipe import ROUTE, RoutedPipe, target

BROKEN = UpstreamDisconnected("It broke.")
KINDS = {"one": "openai", "two": "groq", "three": "groq"}
NOTE = "the rest of a broken stream by two/m-two"


def new_pipe(kinds: dict[str, str] | None = None, **route: Any) -> RoutedPipe:
    return RoutedPipe(kinds=kinds or KINDS, continues_streams=True, **route)


def chunks(body: bytes) -> list[Any]:
    lines = [line for line in body.split(b"\n") if line.startswith(b"data: {")]
    return [json.loads(line[6:]) for line in lines]


def content_of(body: bytes) -> str:
    deltas = [c["delta"] for chunk in chunks(body) for c in chunk["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def test_a_broken_stream_goes_on_with_the_next_target() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True, max_tokens=100)
    pipe.asked("one").stream(ROLE, text("Once upon"), text(" a time"))
    pipe.asked("one").fail(BROKEN)
    sent = json.loads(pipe.asked("two").request.body)
    assert sent["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Once upon a time"},
    ]
    assert (sent["model"], sent["max_tokens"], sent["stream"]) == ("m-two", 96, True)
    pipe.asked("two").stream(ROLE, text(" there was"), text(" a king."), STOP, USAGE, DONE)
    body = pipe.sink.body
    assert content_of(body) == "Once upon a time there was a king."
    assert (
        len([c for c in chunks(body) if c["choices"] and "role" in c["choices"][0]["delta"]]) == 1
    )
    assert len({chunk["id"] for chunk in chunks(body)}) == 1
    assert f": {NOTE}\n".encode() in body
    assert body.endswith(DONE)
    assert pipe.sink.kinds.count("start") == 1
    assert pipe.summary == [
        ("one", "first", "error", "connection_error", False),
        ("two", "fallback", "ok", None, True),
    ]
    assert f"emulated messages: {NOTE}" in pipe.records[1].transformations
    usage = chunks(body)[-1]["usage"]
    assert usage == {"prompt_tokens": 9, "completion_tokens": 30, "total_tokens": 39}
    assert [record.cost_usd for record in pipe.records] == ["0.000011", "0.000058"]


def test_white_space_is_not_repeated_where_the_text_goes_on() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Once upon "))
    pipe.asked("one").fail(BROKEN)
    pipe.asked("two").stream(ROLE, text(" "), text(" a time"), STOP, DONE)
    assert content_of(pipe.sink.body) == "Once upon a time"


def test_a_stream_may_break_twice() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Once"))
    pipe.asked("one").fail(BROKEN)
    pipe.asked("two").stream(ROLE, text(" upon"))
    pipe.asked("two").fail(BROKEN)
    sent = json.loads(pipe.asked("three").request.body)
    assert sent["messages"][-1]["content"] == "Once upon"
    pipe.asked("three").stream(ROLE, text(" a time"), STOP, DONE)
    assert content_of(pipe.sink.body) == "Once upon a time"
    assert pipe.requests == (1, 1, 1)


def test_the_client_gets_an_honest_error_where_nobody_goes_on() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Once"))
    pipe.asked("one").fail(BROKEN)
    pipe.asked("two").fail(BROKEN)
    pipe.asked("three").whole(b'{"error":{"message":"no"}}', status=400)
    assert pipe.sink.body.startswith(ROLE + text("Once"))
    assert b'"type":"invalid_request_error"' in pipe.sink.body
    assert pipe.sink.is_over
    assert [record.is_last for record in pipe.records] == [False, False, True]


def test_a_limit_that_is_exceeded_lets_another_target_go_on() -> None:
    pipe = new_pipe(limits=Limits(idle=5.0))
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Once"))
    pipe.advance(5.1)
    assert pipe.asked("one").is_over
    pipe.asked("two").stream(ROLE, text(" upon"), STOP, DONE)
    assert content_of(pipe.sink.body) == "Once upon"


CALL = {"index": 0, "id": "1", "type": "function", "function": {"name": "f", "arguments": "{"}}
CANNOT: list[tuple[str, dict[str, Any], tuple[bytes, ...]]] = [
    ("a route that does not say so", {"continues_streams": False}, (ROLE, text("Hi"))),
    ("no further attempt", {"max_attempts": 1}, (ROLE, text("Hi"))),
    ("white space alone", {}, (ROLE, text(" "))),
    ("a tool call", {}, (ROLE, text("Hi"), event({"tool_calls": [CALL]}))),
    ("two choices", {}, (ROLE, text("Hi"), text("Hi").replace(b'"index": 0', b'"index": 1'))),
    ("an ended choice", {}, (ROLE, text("Hi"), STOP)),
]  # fmt: skip


@for_each(("why", "route", "pieces"), CANNOT)
def test_what_cannot_go_on_ends_with_an_error(
    why: str, route: dict[str, Any], pieces: tuple[bytes, ...]
) -> None:
    pipe = RoutedPipe(kinds=KINDS, **{"continues_streams": True, **route})
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(*pieces)
    pipe.asked("one").fail(BROKEN)
    assert pipe.requests == (1, 0, 0), why
    assert b'"type":"connection_error"' in pipe.sink.body


@for_each("kind", ["openai", "mistral", "deepseek"])
def test_a_target_that_would_begin_anew_is_not_asked(kind: str) -> None:
    pipe = new_pipe({"one": "openai", "two": kind, "three": "groq"})
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Once"))
    pipe.asked("one").fail(BROKEN)
    assert pipe.requests == (1, 0, 1)


@for_each(("model", "goes_on"), [("claude-sonnet-4-5", True), ("claude-opus-4-6", False)])
def test_only_models_with_prefill_go_on(model: str, goes_on: bool) -> None:
    pipe = new_pipe(
        {"one": "openai", "two": "anthropic"}, targets=(target("one"), target(f"two/{model}"))
    )
    pipe.ask_route(stream=True, max_tokens=100)
    pipe.asked("one").stream(ROLE, text("Once"))
    pipe.asked("one").fail(BROKEN)
    assert pipe.requests == ((1, 1) if goes_on else (1, 0))


def test_a_request_that_ends_with_the_assistant_is_not_continued() -> None:
    pipe = new_pipe()
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Once"}]
    pipe.ask_route(stream=True, messages=messages)
    pipe.asked("one").stream(ROLE, text(" upon"))
    pipe.asked("one").fail(BROKEN)
    assert pipe.requests == (1, 0, 0)


def test_the_whole_answer_is_kept_where_content_is() -> None:
    pipe = new_pipe()
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, content=ContentRules("full"))
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Once"))
    pipe.asked("one").fail(BROKEN)
    pipe.asked("two").stream(ROLE, text(" upon"), STOP, DONE)
    (content,) = pipe.contents
    assert json.loads(bytes(content.messages)) == [{"role": "user", "content": "Hi"}]
    assert json.loads(bytes(content.output))[0]["content"] == "Once upon"


# --- Dialects -------------------------------------------------------------------------------------

SAY: list[Any] = [{"role": "user", "content": "Hi"}]
MESSAGE = json.dumps({"type": "message_start", "message": {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
    "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1},
}})  # fmt: skip


def anthropic_event(kind: str, **fields: Any) -> bytes:
    data = json.dumps({"type": kind, **fields})
    return f"event: {kind}\ndata: {data}\n\n".encode()


ANTHROPIC = (
    f"event: message_start\ndata: {MESSAGE}\n\n".encode(),
    anthropic_event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    anthropic_event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Once"}),
)
GEMINI = (
    b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":"Once"}]},"index":0}],'
    b'"modelVersion":"m"}\r\n\r\n',
)
OLLAMA = (
    b'{"model":"m","created_at":"2026-01-01T00:00:00Z",'
    b'"message":{"role":"assistant","content":"Once"},"done":false}\n',
)
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "in_progress",
    "model": "m",
    "output": [],
}
ITEM = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "in_progress",
    "content": [],
}
PART = {"type": "output_text", "text": "", "annotations": []}
RESPONSES = (
    anthropic_event("response.created", response=RESPONSE, sequence_number=0),
    anthropic_event("response.output_item.added", output_index=0, item=ITEM, sequence_number=1),
    anthropic_event(
        "response.content_part.added",
        item_id="msg_1", output_index=0, content_index=0, part=PART, sequence_number=2,
    ),
    anthropic_event(
        "response.output_text.delta",
        item_id="msg_1", output_index=0, content_index=0, delta="Once", sequence_number=3,
    ),
)  # fmt: skip
OPENAI = (ROLE, text("Once"))
DIALECTS: list[tuple[str, Dialect, str, dict[str, Any], tuple[bytes, ...]]] = [
    ("chat", OpenAIChat(), "openai", {"messages": SAY}, OPENAI),
    ("engine", ENGINE, "openai", {"chat_input": "Hi", "is_stream": True}, OPENAI),
    ("messages", AnthropicMessages(), "anthropic", {"messages": SAY, "max_tokens": 9}, ANTHROPIC),
    ("messages over chat", AnthropicMessages(), "openai", {"messages": SAY, "max_tokens": 9},
     OPENAI),
    ("responses", OpenAIResponses(), "openai_responses", {"input": "Hi"}, RESPONSES),
    ("responses over chat", OpenAIResponses(), "openai", {"input": "Hi"}, OPENAI),
    ("gemini", GenerateContent(True), "gemini",
     {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}, GEMINI),
    ("gemini over chat", GenerateContent(True), "openai",
     {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}, OPENAI),
    ("ollama", OllamaChat(), "ollama", {"messages": SAY}, OLLAMA),
    ("ollama over chat", OllamaChat(), "openai", {"messages": SAY}, OPENAI),
]  # fmt: skip


@for_each(("name", "dialect", "kind", "fields", "pieces"), DIALECTS)
def test_a_stream_of_each_dialect_goes_on(
    name: str, dialect: Dialect, kind: str, fields: dict[str, Any], pieces: tuple[bytes, ...]
) -> None:
    pipe = new_pipe({"one": kind, "two": "groq"})
    body = {"model": ROUTE, "stream": True, **fields}
    if "contents" in fields or "chat_input" in fields:
        del body["stream"]
    if "contents" in fields:
        del body["model"]
    argument = "route" if dialect is ENGINE else f"models/{ROUTE}"
    query = "alt=sse" if "contents" in fields else ""
    pipe.send(ClientRequest(argument, (), json.dumps(body).encode(), query), dialect)
    pipe.asked("one").stream(*pieces)
    pipe.asked("one").fail(BROKEN)
    sent = json.loads(pipe.asked("two").request.body)
    assert sent["messages"][-1] == {"role": "assistant", "content": "Once"}, name
    pipe.asked("two").stream(ROLE, text(" upon"), text(" a time"), STOP, USAGE, DONE)
    assert [record.outcome for record in pipe.records] == ["error", "ok"], name
    got = pipe.sink.body
    assert b" upon" in got, name
    assert b" a time" in got, name
    tells_all = name == "engine" or name.startswith("responses")
    assert b"Once upon a time" in got if tells_all else got.count(b"Once") == 1, name
    assert pipe.sink.is_over


def test_the_engines_last_object_has_the_whole_answer() -> None:
    pipe = new_pipe({"one": "openai", "two": "groq"})
    body = {"model": ROUTE, "chat_input": "Hi", "is_stream": True}
    pipe.send(ClientRequest("route", (), json.dumps(body).encode()), ENGINE)
    pipe.asked("one").stream(ROLE, text("Once"))
    pipe.asked("one").fail(BROKEN)
    pipe.asked("two").stream(ROLE, text(" upon"), STOP, USAGE, DONE)
    last = pipe.sink.lines[-1]
    assert last["chat_output"] == "Once upon"
    assert last["metrics"]["attempts"] == 2
    assert {"action": "emulated", "parameter": "messages", "reason": NOTE} in last[
        "transformations"
    ]


def test_a_whole_body_in_place_of_a_stream_is_the_rest_as_well() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Say: "))
    pipe.asked("one").fail(BROKEN)
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"},
              "finish_reason": "stop"}  # fmt: skip
    whole = {"id": "c-9", "object": "chat.completion", "created": 7, "model": "m"}
    pipe.asked("two").whole(json.dumps({**whole, "choices": [choice]}).encode())
    assert content_of(pipe.sink.body) == "Say: Hello"


def test_a_stream_that_does_not_break_is_as_it_always_was() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(HELLO)
    assert pipe.sink.body == HELLO
