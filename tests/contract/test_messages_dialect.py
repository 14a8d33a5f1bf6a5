"""Anthropic's route, used through Anthropic's own client, over four wire formats."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from headway.wire.sealed_reasoning import MARK
from support.for_each import for_each
from support.gateway_process import SERVER_KEY, Gateway
from support.lazy_import import lazy_import
from support.scripted_server import Received, ThreadedServer, answer, chunked
from support.wire_scripts import SCRIPTS, Pieces, Script

anthropic = lazy_import("anthropic")

HELLO: Any = [{"role": "user", "content": "Hi"}]
TOOLS: Any = [
    {
        "name": "weather",
        "description": "The weather.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
]
MODELS = {
    "anthropic": "anthropic/claude-sonnet-4-5",
    "openai": "openai/gpt-5",
    "gemini": "gemini/gemini-2.5-pro",
    "openai_responses": "openai_responses/gpt-5",
}
THINKING = ("anthropic", "gemini", "openai_responses")
"""The providers whose reasoning goes back to them."""
STREAM_MARKS = (b'"stream":true', b'"stream": true')


class Provider:
    """Answers every request with what was played last."""

    def __init__(self) -> None:
        self.replies: list[Any] = []
        self.script: Script | None = None

    def play(self, kind: str, pieces: Pieces | None = None) -> Script:
        self.script, self.replies = SCRIPTS[kind](pieces or Pieces()), []
        return self.script

    def play_raw(self, *replies: Any) -> None:
        self.replies = list(replies)

    def reply(self, request: Received) -> Any:
        if self.replies:
            return self.replies.pop(0)
        assert self.script is not None
        is_stream = any(mark in request.body for mark in STREAM_MARKS)
        if is_stream or "stream" in request.target:
            headers = [("content-type", self.script.content_type)]
            return chunked(self.script.streamed(), headers=headers)
        return answer(json.dumps(self.script.whole).encode())


class Stage:
    """The gateway, its client, and what the provider got."""

    def __init__(self, gateway: Gateway, server: ThreadedServer, provider: Provider) -> None:
        self.gateway = gateway
        self.server = server
        self.provider = provider
        self.sdk = anthropic.Anthropic(base_url=gateway.base_url, api_key="unused", max_retries=0)

    @property
    def sent(self) -> Any:
        return json.loads(self.server.requests[-1].body)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    provider = Provider()
    with ThreadedServer([provider.reply]) as server:
        urls = {"anthropic": server.url, "gemini": f"{server.url}/v1beta"}
        config = {
            "providers": {
                kind: {
                    "kind": kind,
                    "base_url": urls.get(kind, f"{server.url}/v1"),
                    "api_key": SERVER_KEY,
                }
                for kind in MODELS
            }
        }
        gateway = Gateway.start(tmp_path_factory.mktemp("messages"), config)
        stage = Stage(gateway, server, provider)
        yield stage
        stage.sdk.close()
        gateway.stop()
        assert not gateway.leaks()


EACH = pytest.mark.parametrize("kind", MODELS)


def ask(stage: Stage, kind: str, messages: Any = HELLO, **more: Any) -> Any:
    given = {"max_tokens": 8000, "tools": TOOLS, "messages": messages, **more}
    return stage.sdk.messages.create(model=MODELS[kind], **given)


def stream(stage: Stage, kind: str, messages: Any = HELLO, **more: Any) -> Any:
    given = {"max_tokens": 8000, "tools": TOOLS, "messages": messages, **more}
    with stage.sdk.messages.stream(model=MODELS[kind], **given) as events:
        names = [event.type for event in events]
        assert names[0] == "message_start"
        assert names[-1] == "message_stop"
        return events.get_final_message()


def check(message: Any) -> None:
    thoughts = [block for block in message.content if block.type == "thinking"]
    assert [block.thinking for block in thoughts] == ["Let me"]
    assert all(block.signature for block in thoughts)
    [text] = [block.text for block in message.content if block.type == "text"]
    assert text == "Hello there"
    [call] = [block for block in message.content if block.type == "tool_use"]
    assert (call.name, call.input) == ("weather", {"city": "Bonn"})
    assert message.stop_reason == "tool_use"
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (8, 3, 7)


@EACH
def test_a_whole_message_and_a_stream_say_the_same(stage: Stage, kind: str) -> None:
    stage.provider.play(kind)
    for message in (ask(stage, kind), stream(stage, kind)):
        check(message)
        assert message.type == "message"
        assert message.id.startswith("msg_")


@EACH
def test_the_asynchronous_client_gets_the_same(stage: Stage, kind: str) -> None:
    stage.provider.play(kind)

    async def ask_and_stream() -> list[Any]:
        base_url = stage.gateway.base_url
        asked = {"model": MODELS[kind], "max_tokens": 8000, "tools": TOOLS, "messages": HELLO}
        async with anthropic.AsyncAnthropic(base_url=base_url, api_key="unused") as sdk:
            whole = await sdk.messages.create(**asked)
            async with sdk.messages.stream(**asked) as events:
                return [whole, await events.get_final_message()]

    for message in asyncio.run(ask_and_stream()):
        check(message)


class Place(BaseModel):
    city: str


@EACH
def test_a_structured_output_is_parsed(stage: Stage, kind: str) -> None:
    stage.provider.play(kind, Pieces(('{"city":', '"Bonn"}'), (), ()))
    asked = {"model": MODELS[kind], "max_tokens": 8000, "messages": HELLO}
    message = stage.sdk.messages.parse(**asked, output_format=Place)
    assert message.parsed_output == Place(city="Bonn")
    assert '"city"' in json.dumps(stage.sent)


PARALLEL = Pieces((), (), ('{"city":"Bonn"}',))


def test_parallel_calls_and_their_results_go_there_and_back(stage: Stage) -> None:
    """Over OpenAI's format, of which each call has its own fragments."""
    call = {"index": 1, "id": "call_2", "type": "function"}
    script = stage.provider.play("openai", PARALLEL)
    *first, last, usage = script.events
    second = {"tool_calls": [{**call, "function": {"name": "weather", "arguments": '{"city":"'}}]}
    third = {"tool_calls": [{"index": 1, "function": {"arguments": 'Rome"}'}}]}
    more = [
        ("", {**first[-1][1], "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        for delta in (second, third)
    ]
    body = script.streamed([*first, *more, last, usage])
    stage.provider.play_raw(chunked(body, headers=[("content-type", script.content_type)]))
    message = stream(stage, "openai")
    calls = [(block.id, block.input) for block in message.content if block.type == "tool_use"]
    assert calls == [("call_1", {"city": "Bonn"}), ("call_2", {"city": "Rome"})]
    ask(stage, "openai", next_turn(message))
    roles = [each["role"] for each in stage.sent["messages"]]
    assert roles == ["user", "assistant", "tool", "tool"]
    assert [each.get("tool_call_id") for each in stage.sent["messages"][2:]] == ["call_1", "call_2"]


def results_of(message: Any) -> list[dict[str, Any]]:
    return [
        {"type": "tool_result", "tool_use_id": block.id, "content": "Rain"}
        for block in message.content
        if block.type == "tool_use"
    ]


def next_turn(message: Any) -> list[Any]:
    said = {"role": "assistant", "content": [block.to_dict() for block in message.content]}
    return [*HELLO, said, {"role": "user", "content": results_of(message)}]


SIGNATURES = {"anthropic": "S", "gemini": "c2ln", "openai_responses": "E"}


@pytest.mark.parametrize("kind", THINKING)
@pytest.mark.parametrize("is_stream", [False, True])
def test_signed_reasoning_goes_back_to_its_provider(
    stage: Stage, kind: str, is_stream: bool
) -> None:
    stage.provider.play(kind)
    message = (stream if is_stream else ask)(stage, kind)
    ask(stage, kind, next_turn(message))
    assert f'"{SIGNATURES[kind]}"' in json.dumps(stage.sent)
    assert MARK not in json.dumps(stage.sent)
    assert "Rain" in json.dumps(stage.sent)


@for_each("first", MODELS)
@for_each("second", MODELS)
def test_reasoning_of_one_provider_is_left_out_for_another_and_told(
    stage: Stage, first: str, second: str
) -> None:
    if first == second:
        return
    stage.provider.play(first)
    message = ask(stage, first)
    stage.provider.play(second)
    raw = stage.sdk.messages.with_raw_response.create(
        model=MODELS[second], max_tokens=8000, tools=TOOLS, messages=next_turn(message)
    )
    check(raw.parse())
    sent = json.dumps(stage.sent)
    assert MARK not in sent
    assert f'"{SIGNATURES.get(first, "none")}"' not in sent
    told = raw.headers.get_list("x-headway-transformations")
    assert any("reasoning" in each or "thinking" in each for each in told), told


# --- The same wire format -------------------------------------------------------------------------


def test_a_request_reaches_a_provider_of_the_same_format_as_it_is(stage: Stage) -> None:
    stage.provider.play("anthropic")
    beta = stage.sdk.beta.messages.create(
        model=MODELS["anthropic"],
        max_tokens=8000,
        messages=HELLO,
        betas=["context-1m-2025-08-07"],
        extra_query={"beta": "true", "other": "1"},
        extra_headers={"anthropic-version": "2099-01-01"},
        extra_body={"a_field_of_tomorrow": {"a": [1.50]}},
    )
    check(beta)
    request = stage.server.requests[-1]
    assert request.target == "/v1/messages?beta=true"
    assert request.header("anthropic-beta") == "context-1m-2025-08-07"
    assert request.header("anthropic-version") == "2099-01-01"
    assert request.header("x-api-key") == SERVER_KEY
    assert request.header("authorization") is None
    assert stage.sent == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 8000,
        "messages": HELLO,
        "a_field_of_tomorrow": {"a": [1.5]},
    }


def test_a_stream_of_the_same_format_is_relayed_byte_for_byte(stage: Stage) -> None:
    script = stage.provider.play("anthropic")
    body = {"model": MODELS["anthropic"], "messages": HELLO, "stream": True}
    for path in ("/v1/messages", "/anthropic/v1/messages?beta=true"):
        assert stage.gateway.client.call("POST", path, body).body == script.streamed()


# --- Errors ---------------------------------------------------------------------------------------

REFUSALS = [
    (400, "invalid_request_error", "BadRequestError"),
    (401, "authentication_error", "AuthenticationError"),
    (404, "not_found_error", "NotFoundError"),
    (429, "rate_limit_error", "RateLimitError"),
    (500, "api_error", "InternalServerError"),
    (529, "overloaded_error", "OverloadedError"),
]


def refusal(kind: str, status: int, name: str) -> bytes:
    error = {"type": name if kind == "anthropic" else "x", "message": "No, because"}
    headers = [("content-type", "application/json"), ("retry-after", "7")]
    body = json.dumps({"type": "error", "error": error}).encode()
    return answer(
        body, status=503 if (kind, status) == ("openai", 529) else status, headers=headers
    )


@for_each("kind", ["anthropic", "openai"])
@for_each(("status", "name", "error"), REFUSALS)
def test_the_client_raises_its_own_error_for_each_refusal(
    stage: Stage, kind: str, status: int, name: str, error: str
) -> None:
    for is_stream in (False, True):
        stage.provider.play_raw(refusal(kind, status, name))
        with pytest.raises(anthropic.APIStatusError) as caught:
            ask(stage, kind, stream=is_stream)
        assert type(caught.value).__name__ in (error, f"_{error}")
        assert caught.value.status_code == status
        body = caught.value.response.json()
        assert (body["type"], body["error"]["type"]) == ("error", name)
        assert "No, because" in body["error"]["message"]
        assert caught.value.request_id == caught.value.response.headers["x-request-id"]
        if status == 429:
            assert caught.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_an_error_in_a_stream_is_an_error_event_of_its_type(stage: Stage, kind: str) -> None:
    script = stage.provider.play(kind)
    error = {"type": "overloaded_error", "message": "Overloaded", "code": 529}
    failed = json.dumps({"type": "error", "error": error})
    name = "event: error\n" if kind == "anthropic" else ""
    begun = b"".join(script.write(*event) for event in script.events[:3])
    first = chunked(begun, headers=[("content-type", script.content_type)])
    last = f"{name}data: {failed}\n\n".encode()
    stage.provider.play_raw(
        [first.removesuffix(b"0\r\n\r\n"), 0.2, b"%x\r\n%b\r\n0\r\n\r\n" % (len(last), last)]
    )
    body = {"model": MODELS[kind], "messages": HELLO, "stream": True}
    events = stage.gateway.client.call("POST", "/v1/messages", body).body.split(b"\n\n")
    assert events[-1] == b""
    head, _, data = events[-2].partition(b"\ndata: ")
    assert head == b"event: error"
    told = json.loads(data)
    assert (told["type"], told["error"]["message"]) == ("error", "Overloaded")
    assert told["error"]["type"] in ("overloaded_error", "api_error")


@pytest.mark.parametrize("kind", ["anthropic", "openai", "gemini"])
def test_a_stream_that_breaks_off_ends_with_an_error_event(stage: Stage, kind: str) -> None:
    script = stage.provider.play(kind)
    headers = [("content-type", script.content_type)]
    broken = b"".join(script.write(*event) for event in script.events[:3])
    stage.provider.play_raw(chunked(broken, headers=headers))
    with pytest.raises(anthropic.APIStatusError, match="without finishing"):
        stream(stage, kind)


BAD: list[tuple[Any, str]] = [
    (b"not json", "not valid JSON"),
    ({"messages": HELLO}, "`model`"),
    ({"model": "openai/m"}, "`messages`"),
    ({"model": "openai/m", "messages": [{"role": "wizard", "content": "x"}]}, "wizard"),
    ({"model": "openai/m", "messages": HELLO, "stream": "yes"}, "`stream`"),
    ({"model": "openai/m", "messages": HELLO, "tools": [{}]}, "`tools`"),
]


@pytest.mark.parametrize(("body", "part"), BAD)
def test_a_bad_request_is_a_400_in_anthropics_shape(stage: Stage, body: Any, part: str) -> None:
    reply = stage.gateway.client.call("POST", "/v1/messages", body)
    assert (reply.status, reply.json["error"]["type"]) == (400, "invalid_request_error")
    assert part in reply.json["error"]["message"]
    assert reply.headers["request-id"] == reply.json["request_id"]


def test_a_method_that_the_route_lacks_is_refused_in_anthropics_shape(stage: Stage) -> None:
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        reply = stage.gateway.client.get(path)
        assert (reply.status, reply.json["type"]) == (405, "error")


# --- Counts ---------------------------------------------------------------------------------------


def count(stage: Stage, kind: str) -> Any:
    return stage.sdk.messages.with_raw_response.count_tokens(
        model=MODELS[kind], messages=HELLO, system="Be kind.", tools=TOOLS
    )


def test_tokens_are_counted_without_a_provider_of_the_same_format(stage: Stage) -> None:
    before = len(stage.server.requests)
    raw = count(stage, "openai")
    assert raw.headers["x-headway-tokens-source"] in ("counted", "estimated")
    assert 10 < raw.parse().input_tokens < 200
    assert raw.headers["request-id"]
    assert len(stage.server.requests) == before


def test_a_provider_of_the_same_format_counts_itself(stage: Stage) -> None:
    stage.provider.play_raw(answer(b'{"input_tokens":42}'))
    raw = count(stage, "anthropic")
    assert raw.parse().input_tokens == 42
    assert raw.headers["x-headway-tokens-source"] == "reported"
    request = stage.server.requests[-1]
    assert (request.target, request.header("x-api-key")) == (
        "/v1/messages/count_tokens",
        SERVER_KEY,
    )


def test_a_count_that_the_provider_refuses_is_made_here(stage: Stage) -> None:
    stage.provider.play_raw(answer(b"{}", status=500))
    raw = count(stage, "anthropic")
    assert raw.headers["x-headway-tokens-source"] in ("counted", "estimated")
    assert raw.parse().input_tokens > 10


def test_a_count_without_messages_is_refused(stage: Stage) -> None:
    reply = stage.gateway.client.call("POST", "/v1/messages/count_tokens?beta=true", {"model": "m"})
    assert (reply.status, reply.json["error"]["type"]) == (400, "invalid_request_error")
