"""What the header of a response says of its call, in every dialect, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai.relayed import ROUTES as RELAYED
from headway.errors import UpstreamUnreachable
from support.pipeline_fakes import ENGINE, OPENAI, ROLE, STOP, USAGE, WHOLE, Pipe, text
from support.played_dialects import REQUESTS

ASKED = [{"role": "user", "content": "Hi"}]
STREAM = ROLE + text("Hello") + STOP + USAGE + b"data: [DONE]\n\n"
LIMITS = [(b"x-ratelimit-remaining-requests", b"4")]
SERVED = b"gpt-4o-2024-08-06"
EVERYTHING = {
    b"x-request-id", b"x-headway-provider", b"x-headway-model", b"x-headway-attempts",
    b"x-headway-latency-ms", b"x-headway-overhead-ms", b"x-headway-ttft-ms",
    b"x-headway-input-tokens", b"x-headway-output-tokens", b"x-headway-cost-usd",
    b"server-timing",
}  # fmt: skip


def request(argument: str = "", **fields: Any) -> ClientRequest:
    return ClientRequest(argument, (), json.dumps(fields).encode())


def calls(is_stream: bool) -> dict[str, tuple[Dialect, ClientRequest]]:
    """A call of each dialect to the provider ``openai``."""
    model = "openai/gpt-4o"
    more = " stream" if is_stream else ""
    return {
        "engine": (
            ENGINE,
            request("openai", model="gpt-4o", chat_input="Hi", is_stream=is_stream),
        ),
        "openai": (OPENAI, request(model=model, messages=ASKED, stream=is_stream)),
        "ollama": (OllamaChat(), request(model=model, messages=ASKED, stream=is_stream)),
        **{name: REQUESTS[name + more] for name in ("anthropic", "responses", "gemini")},
    }


def test_a_whole_response_tells_everything_in_every_dialect() -> None:
    for name, (dialect, asked) in calls(is_stream=False).items():
        pipe = Pipe()
        pipe.send(asked, dialect)
        pipe.clock.now += 0.5
        if name == "engine":
            pipe.upstream.stream(STREAM)
        else:
            pipe.upstream.whole(WHOLE)
        head = pipe.sink.headers
        assert head.keys() >= EVERYTHING, name
        assert head[b"x-headway-provider"] == b"openai", name
        assert head[b"x-headway-model"] == SERVED, name
        assert head[b"x-headway-latency-ms"] == b"500.000", name
        assert head[b"server-timing"] == (
            b"upstream;dur=500.000, gateway;dur=0.000, ttft;dur=500.000"
        ), name


def test_a_stream_tells_what_is_known_before_its_head_in_every_dialect() -> None:
    for name, (dialect, asked) in calls(is_stream=True).items():
        pipe = Pipe()
        pipe.send(asked, dialect)
        pipe.clock.now += 0.25
        pipe.upstream.stream(STREAM)
        head = pipe.sink.headers
        assert pipe.sink.kinds[0] == "start", name
        assert head[b"x-headway-provider"] == b"openai", name
        assert head[b"x-headway-model"] == SERVED, name
        assert head[b"x-headway-attempts"] == b"1", name
        assert head[b"x-headway-ttft-ms"] == b"250.000", name
        assert head[b"server-timing"] == b"ttft;dur=250.000", name
        assert not head.keys() & {b"x-headway-cost-usd", b"x-headway-latency-ms"}, name


def test_audio_and_moderations_tell_it_too() -> None:
    by_operation = {dialect.operation: dialect for dialect in RELAYED}
    for operation, is_stream in (("moderations", False), ("audio/speech", True)):
        pipe = Pipe()
        pipe.send(request(model="openai/m-1", input="Hi"), by_operation[operation])
        pipe.clock.now += 0.25
        if is_stream:
            pipe.upstream.respond([(b"content-type", b"audio/mpeg"), *LIMITS])
            pipe.upstream.chunk(b"abc")
            pipe.upstream.end()
        else:
            pipe.upstream.whole(b'{"id": "m", "model": "m-2", "results": []}', 200, *LIMITS)
        head = pipe.sink.headers
        assert pipe.sink.status == 200
        assert head[b"x-headway-provider"] == b"openai", operation
        assert head[b"x-headway-attempts"] == b"1", operation
        assert head[b"x-ratelimit-remaining-requests"] == b"4", operation
        assert (b"x-headway-latency-ms" in head) is not is_stream, operation


def test_a_head_before_the_first_content_has_no_time_to_it() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.respond()
    pipe.upstream.chunk(ROLE)
    head = pipe.sink.headers
    assert head[b"x-headway-model"] == SERVED
    assert not head.keys() & {b"x-headway-ttft-ms", b"server-timing"}


def test_a_head_with_a_keep_alive_names_no_model_and_no_attempt_that_another_may_follow() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.call.keep_alive(pipe.clock() + 15, 15)
    assert pipe.sink.headers[b"x-headway-provider"] == b"openai"
    assert pipe.sink.headers[b"x-headway-attempts"] == b"1"
    assert b"x-headway-model" not in pipe.sink.headers

    pipe = Pipe()
    asked = request("openai", model="gpt-4o", chat_input="Hi", is_stream=True, retries=1)
    accept = ((b"accept", b"text/event-stream"),)
    pipe.send(ClientRequest("openai", accept, asked.body))
    pipe.call.keep_alive(pipe.clock() + 15, 15)
    assert pipe.sink.kinds == ["start", "write"]
    assert not [name for name in pipe.sink.headers if name.startswith(b"x-headway-")]


def test_a_model_that_the_provider_does_not_name_is_the_one_it_was_asked_for() -> None:
    unnamed = json.loads(WHOLE)
    del unnamed["model"]
    pipe = Pipe()
    pipe.ask_openai()
    pipe.upstream.whole(json.dumps(unnamed).encode())
    assert pipe.sink.headers[b"x-headway-model"] == b"gpt-4o"


def test_a_stream_names_the_changes_to_its_request() -> None:
    for name, (dialect, asked) in calls(is_stream=True).items():
        if name == "gemini":
            changed = ClientRequest("openai/o3", (), asked.body[:-1] + b', "safetySettings": []}')
        else:
            fields = json.loads(asked.body)
            model = "o3" if name == "engine" else "openai/o3"
            options = {"parameters": {"temperature": 1}} if name == "engine" else {}
            options = {"options": {"temperature": 1}} if name == "ollama" else options
            changed = request(
                asked.argument, **{**fields, "temperature": 1, **options, "model": model}
            )
        pipe = Pipe()
        pipe.send(changed, dialect)
        pipe.upstream.stream(STREAM)
        told = pipe.records[0].transformations
        assert told, name
        assert pipe.sink.headers[b"x-headway-transformations"] == told[-1].encode(), name


def test_an_error_names_the_provider_and_the_attempts_if_there_was_one() -> None:
    for is_stream in (False, True):
        for name, (dialect, asked) in calls(is_stream).items():
            pipe = Pipe()
            pipe.send(asked, dialect)
            pipe.upstream.fail(UpstreamUnreachable("no route"))
            assert pipe.sink.headers[b"x-headway-provider"] == b"openai", name
            assert pipe.sink.headers[b"x-headway-attempts"] == b"1", name
    pipe = Pipe()
    pipe.ask_openai(model="nobody/x")
    assert pipe.sink.status == 404
    assert not [name for name in pipe.sink.headers if name.startswith(b"x-headway-")]
