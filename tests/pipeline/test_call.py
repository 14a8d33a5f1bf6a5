"""Successful calls, from the bytes of the request to the bytes of the response."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from headway.providers.anthropic import provider as anthropic
from headway.providers.gemini import provider as gemini
from headway.providers.openai import provider as openai
from headway.types import HttpRequest, Target
from support.pipeline_fakes import (
    DONE,
    EPOCH,
    HELLO,
    JSON,
    KEY,
    ROLE,
    START,
    STOP,
    USAGE,
    WHOLE,
    Pipe,
    text,
)


def test_a_whole_response_is_requested_as_a_stream_and_accumulated() -> None:
    pipe = Pipe()
    pipe.ask()
    assert json.loads(pipe.upstream.request.body)["stream"] is True
    assert pipe.gateway.active == {pipe.call}
    pipe.upstream.respond()
    pipe.upstream.chunk(HELLO[:50], HELLO[50:-10])
    assert pipe.sink.got == []
    pipe.upstream.chunk(HELLO[-10:])
    assert pipe.sink.kinds == ["whole"]
    assert pipe.sink.status == 200
    reply = pipe.sink.json
    assert (reply["id"], reply["chat_output"]) == ("id-1", "Hello!")
    assert reply["metrics"]["cost_usd"] == 0.000058
    assert pipe.upstream.history == ["finish"]
    assert pipe.gateway.active == set()


def test_a_streamed_response_is_written_as_it_arrives() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.respond()
    pipe.upstream.chunk(ROLE)
    assert pipe.sink.got == []
    pipe.upstream.chunk(text("Hello"))
    assert pipe.sink.kinds == ["start", "write"]
    assert pipe.sink.headers == {
        b"content-type": b"application/x-ndjson",
        b"cache-control": b"no-cache",
        b"x-accel-buffering": b"no",
        b"x-request-id": b"id-1",
        b"x-headway-provider": b"openai",
        b"x-headway-model": b"gpt-4o-2024-08-06",
        b"x-headway-attempts": b"1",
        b"x-headway-ttft-ms": b"0.000",
        b"server-timing": b"ttft;dur=0.000",
    }
    pipe.upstream.chunk(text("!") + STOP + USAGE)
    assert pipe.records == []
    pipe.upstream.chunk(DONE)
    assert pipe.sink.kinds == ["start", "write", "write", "end"]
    assert [line["chat_output_stream"] for line in pipe.sink.lines] == ["Hello", "!", ""]
    assert pipe.sink.lines[-1]["metrics"]["output_tokens"] == 26


def test_each_ndjson_line_is_one_write_and_sse_events_may_share_one() -> None:
    lines, events = Pipe(), Pipe()
    lines.ask(is_stream=True)
    events.ask((b"accept", b"text/event-stream"), is_stream=True)
    for pipe in (lines, events):
        pipe.upstream.stream(ROLE + text("a") + text("b") + STOP + DONE)
    assert [piece.count(b"\n") for piece in lines.sink.pieces] == [1, 1, 1]
    assert [piece.count(b"\n\n") for piece in events.sink.pieces] == [2, 1, 1]
    assert events.sink.headers[b"content-type"].startswith(b"text/event-stream")
    assert events.sink.body.endswith(DONE)


def test_a_stream_of_the_same_wire_format_is_passed_through_byte_for_byte() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True, stream_options={"include_usage": True})
    pipe.upstream.respond()
    for at in range(len(HELLO)):
        pipe.upstream.chunk(HELLO[at : at + 1])
        if pipe.sink.is_over:
            break
    assert pipe.sink.body == HELLO


def test_the_record_is_written_before_the_client_sees_the_end() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    seen: list[tuple[int, bool]] = []
    append = pipe.spool.append
    pipe.spool.append = lambda line: (  # type: ignore[method-assign]
        append(line),
        seen.append((len(line), pipe.sink.is_over)),
    )[0]
    pipe.upstream.stream(HELLO)
    assert len(seen) == 1
    assert seen[0][1] is False
    assert pipe.sink.is_over


def test_a_whole_response_of_the_same_wire_format_is_passed_through_with_metrics_in_headers() -> (
    None
):
    pipe = Pipe()
    pipe.ask_openai()
    assert "stream" not in json.loads(pipe.upstream.request.body)
    pipe.clock.now += 0.5
    pipe.upstream.whole(WHOLE)
    assert pipe.sink.body == WHOLE
    head = pipe.sink.headers
    assert head.pop(b"content-type") == b"application/json"
    assert head.pop(b"x-request-id") == b"id-1"
    assert head.pop(b"x-headway-provider") == b"openai"
    assert head.pop(b"x-headway-model") == b"gpt-4o-2024-08-06"
    timing = b"upstream;dur=500.000, gateway;dur=0.000, ttft;dur=500.000"
    assert head.pop(b"server-timing") == timing
    assert {name: float(value) for name, value in head.items()} == {
        b"x-headway-input-tokens": 6,
        b"x-headway-output-tokens": 26,
        b"x-headway-cost-usd": 0.000058,
        b"x-headway-latency-ms": 500,
        b"x-headway-overhead-ms": 0,
        b"x-headway-ttft-ms": 500,
        b"x-headway-attempts": 1,
    }


def test_an_unknown_value_has_no_header() -> None:
    pipe = Pipe(priced=False)
    pipe.ask_openai()
    pipe.upstream.whole(WHOLE)
    assert b"x-headway-cost-usd" not in pipe.sink.headers


def test_transformations_are_in_the_headers_and_the_record() -> None:
    pipe = Pipe()
    pipe.ask_openai(model="openai/o3", temperature=1)
    pipe.upstream.whole(WHOLE)
    assert pipe.sink.headers[b"x-headway-transformations"] == (
        b"dropped temperature: unsupported by o3"
    )
    assert pipe.records[0].transformations == ("dropped temperature: unsupported by o3",)


# --- A response in another shape than requested ---------------------------------------------------


def answered(pipe: Pipe) -> Any:
    if pipe.sink.kinds == ["whole"]:
        return pipe.sink.json
    return pipe.sink.lines[-1]


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_json_response_to_a_streaming_request_is_a_stream_that_arrived_at_once(
    is_stream: bool,
) -> None:
    pipe = Pipe()
    pipe.ask(is_stream=is_stream)
    pipe.clock.now += 0.5
    pipe.upstream.whole(WHOLE)
    reply = answered(pipe)
    assert reply["chat_output"] == "Hello!"
    assert reply["metrics"]["time_to_first_token_s"] == 0.5
    assert reply["metrics"]["inter_token_latency_s"] is None
    assert pipe.records[0].outcome == "ok"


def test_a_json_response_to_a_streaming_request_of_the_same_wire_format_becomes_events() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.whole(WHOLE)
    assert pipe.sink.kinds[0] == "start"
    events = [json.loads(each[6:]) for each in pipe.sink.body.split(b"\n\n")[:-2]]
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": "Hello!"}
    assert events[-1]["choices"][0]["finish_reason"] == "stop"
    assert pipe.sink.body.endswith(DONE)


def test_a_stream_in_response_to_a_whole_request_is_accumulated() -> None:
    pipe = Pipe()
    pipe.ask_openai()
    pipe.upstream.stream(HELLO)
    assert pipe.sink.kinds == ["whole"]
    assert pipe.records[0].outcome == "ok"


@pytest.mark.parametrize("headers", [[], [(b"content-type", b"application/octet-stream")]])
def test_the_request_decides_about_streaming_without_a_content_type(headers: Any) -> None:
    pipe = Pipe()
    pipe.ask()
    pipe.upstream.respond(headers)
    pipe.upstream.chunk(HELLO)
    assert pipe.sink.json["chat_output"] == "Hello!"


def test_a_stream_without_an_end_mark_ends_with_its_last_byte() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("a"), STOP[:-2])
    assert not pipe.sink.is_over
    pipe.upstream.end()
    assert pipe.sink.lines[-1]["chat_output"] == "a"


def test_a_response_without_content_is_valid() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE + STOP + USAGE + DONE)
    assert pipe.sink.kinds == ["start", "end"]
    assert pipe.sink.lines[-1]["chat_output"] == ""
    assert pipe.sink.lines[-1]["metrics"]["time_to_first_token_s"] is None


def test_a_slow_client_makes_the_provider_pause() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("a"))
    assert pipe.sink.on_pause is not None
    assert pipe.sink.on_resume is not None
    pipe.sink.on_pause()
    pipe.sink.on_resume()
    pipe.upstream.chunk(STOP, DONE)
    assert pipe.upstream.history == ["pause", "resume", "finish"]
    assert pipe.sink.on_pause is None


def test_a_paused_client_pauses_the_provider_from_the_start() -> None:
    pipe = Pipe()
    pipe.sink.is_paused = True
    pipe.ask(is_stream=True)
    assert pipe.upstream.history == ["pause"]


def test_a_transformation_header_has_no_control_characters_and_a_length_limit() -> None:
    pipe = Pipe()
    pipe.ask(model="o1\x00\x1b\x7f\r\nset-cookie: a=b" + "c" * 1900, parameters={"top_p": 1})
    pipe.upstream.stream(HELLO)
    said = pipe.sink.headers[b"x-headway-transformations"]
    assert said.startswith(b"dropped top_p: unsupported by o1 set-cookie: a=bccc")
    assert len(said) <= 512


def test_an_unrequested_stream_is_accumulated_with_its_usage() -> None:
    pipe = Pipe()
    pipe.ask_openai()
    assert "stream" not in json.loads(pipe.upstream.request.body)
    pipe.upstream.stream(HELLO)
    assert pipe.sink.json["choices"][0]["message"]["content"] == "Hello!"
    assert pipe.sink.json["usage"] == {
        "prompt_tokens": 6,
        "completion_tokens": 26,
        "total_tokens": 32,
    }


def test_a_strict_gateway_refuses_a_request_that_an_adapter_would_transform() -> None:
    pipe = Pipe()
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, strict=True)
    pipe.ask(model="o3", parameters={"top_p": 0.5})
    assert pipe.upstream_requests == []
    assert pipe.sink.status == 400
    error = json.loads(pipe.sink.body)["error"]
    assert error["param"] == "top_p"


def test_a_default_of_an_adapter_is_no_change_that_strict_refuses() -> None:
    pipe = Pipe(provider=replace(anthropic.PROVIDER, name="openai"))
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, strict=True)
    pipe.ask_openai()
    assert len(pipe.upstream_requests) == 1
    pipe.ask_openai(seed=1)
    assert len(pipe.upstream_requests) == 1
    assert json.loads(pipe.sink.body)["error"]["param"] == "seed"


def test_a_value_that_an_adapter_cannot_read_is_a_client_error() -> None:
    pipe = Pipe(provider=replace(gemini.PROVIDER, name="openai"))
    pipe.ask(tools=[], tool_choice=0)
    assert pipe.upstream_requests == []
    assert pipe.sink.status == 400


def test_a_body_in_several_pieces_is_joined() -> None:
    pipe = Pipe()
    pipe.ask_openai()
    pipe.upstream.respond(JSON)
    pipe.upstream.chunk(WHOLE[:9], WHOLE[9:20], WHOLE[20:])
    pipe.upstream.end()
    assert pipe.sink.body == WHOLE
    assert pipe.records[0].upstream_response_bytes == len(WHOLE)


def test_a_content_type_of_json_with_parameters_is_not_a_stream() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.respond([(b"content-type", b"application/json; charset=utf-8")])
    pipe.upstream.chunk(WHOLE)
    pipe.upstream.end()
    assert pipe.sink.lines[-1]["chat_output"] == "Hello!"


def test_each_attempt_is_signed_with_the_target_and_the_time() -> None:
    signed: list[tuple[str | None, float]] = []

    def sign(request: HttpRequest, target: Target, now: float) -> HttpRequest:
        signed.append((target.api_key, now))
        return request

    pipe = Pipe(provider=replace(openai.PROVIDER, sign=sign))
    pipe.ask(retries=1)
    pipe.clock.now += 1
    pipe.upstream.whole(b"{}", 500)
    assert signed == [(KEY, EPOCH + START), (KEY, EPOCH + START + 1)]
