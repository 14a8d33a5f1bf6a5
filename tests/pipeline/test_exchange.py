"""A request from its bytes to its answer and its record, where all goes as it should; and what is
refused before any provider is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from headway.dialects.dialect import Inbound
from headway.pipeline.signals import Signal
from headway.providers import openai
from headway.types import Timeouts, Url
from pipeline_fakes import (
    DONE,
    EPOCH,
    HELLO,
    KEY,
    ROLE,
    SSE,
    START,
    STOP,
    USAGE,
    WHOLE,
    Pipe,
    event,
    text,
)


def test_a_whole_answer_is_asked_for_as_a_stream_and_joined() -> None:
    pipe = Pipe()
    pipe.ask()
    assert json.loads(pipe.sending.request.body)["stream"] is True
    pipe.sending.respond()
    pipe.sending.chunk(HELLO[:50], HELLO[50:-10])
    assert pipe.sink.got == []
    pipe.sending.chunk(HELLO[-10:])
    assert pipe.sink.kinds == ["whole"]
    assert pipe.sink.status == 200
    reply = pipe.sink.json
    assert (reply["id"], reply["chat_output"]) == ("id-1", "Hello!")
    assert reply["metrics"]["cost_usd"] == 0.000058
    assert pipe.sending.history == ["finish"]
    assert pipe.gateway.active == set()


def test_a_streamed_answer_goes_out_as_it_comes_in() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.sending.respond()
    pipe.sending.chunk(ROLE)
    assert pipe.sink.got == []
    pipe.sending.chunk(text("Hello"))
    assert pipe.sink.kinds == ["start", "write"]
    assert pipe.sink.headers == {
        b"content-type": b"application/x-ndjson",
        b"cache-control": b"no-cache",
        b"x-accel-buffering": b"no",
        b"x-request-id": b"id-1",
    }
    pipe.sending.chunk(text("!") + STOP + USAGE)
    assert pipe.records == []
    pipe.sending.chunk(DONE)
    assert pipe.sink.kinds == ["start", "write", "write", "end"]
    assert [line["chat_output_stream"] for line in pipe.sink.lines] == ["Hello", "!", ""]
    assert pipe.sink.lines[-1]["metrics"]["output_tokens"] == 26


def test_each_line_is_a_write_of_its_own_and_events_may_share_one() -> None:
    lines, events = Pipe(), Pipe()
    lines.ask(is_stream=True)
    events.ask((b"accept", b"text/event-stream"), is_stream=True)
    for pipe in (lines, events):
        pipe.sending.stream(ROLE + text("a") + text("b") + STOP + DONE)
    assert [piece.count(b"\n") for piece in lines.sink.pieces] == [1, 1, 1]
    assert [piece.count(b"\n\n") for piece in events.sink.pieces] == [2, 1, 1]
    assert events.sink.headers[b"content-type"].startswith(b"text/event-stream")
    assert events.sink.body.endswith(DONE)


def test_a_stream_of_the_same_wire_is_relayed_byte_for_byte() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True, stream_options={"include_usage": True})
    pipe.sending.respond()
    for at in range(len(HELLO)):
        pipe.sending.chunk(HELLO[at : at + 1])
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
    pipe.sending.stream(HELLO)
    assert len(seen) == 1
    assert seen[0][1] is False
    assert pipe.sink.is_over


def test_a_whole_answer_of_the_same_wire_is_relayed_with_metrics_in_its_head() -> None:
    pipe = Pipe()
    pipe.ask_openai()
    assert "stream" not in json.loads(pipe.sending.request.body)
    pipe.clock.now += 0.5
    pipe.sending.whole(WHOLE)
    assert pipe.sink.body == WHOLE
    head = pipe.sink.headers
    assert head.pop(b"content-type") == b"application/json"
    assert head.pop(b"x-request-id") == b"id-1"
    assert {name: float(value) for name, value in head.items()} == {
        b"x-headway-input-tokens": 6,
        b"x-headway-output-tokens": 26,
        b"x-headway-cost-usd": 0.000058,
        b"x-headway-latency-s": 0.5,
        b"x-headway-attempts": 1,
    }


def test_what_is_unknown_has_no_header() -> None:
    pipe = Pipe(priced=False)
    pipe.ask_openai()
    pipe.sending.whole(WHOLE)
    assert b"x-headway-cost-usd" not in pipe.sink.headers


def test_changes_of_the_request_are_told_in_the_head() -> None:
    pipe = Pipe()
    pipe.ask_openai(model="openai/o3", temperature=1)
    pipe.sending.whole(WHOLE)
    assert pipe.sink.headers[b"x-headway-transformation"] == (
        b"dropped temperature: o3 does not take it"
    )
    assert pipe.records[0].transformations == ("dropped temperature: o3 does not take it",)


# --- The same answer, come in another shape -------------------------------------------------------


def answered(pipe: Pipe) -> Any:
    if pipe.sink.kinds == ["whole"]:
        return pipe.sink.json
    return pipe.sink.lines[-1]


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_whole_answer_to_a_streams_request_is_a_stream_that_arrived_at_once(
    is_stream: bool,
) -> None:
    pipe = Pipe()
    pipe.ask(is_stream=is_stream)
    pipe.clock.now += 0.5
    pipe.sending.whole(WHOLE)
    reply = answered(pipe)
    assert reply["chat_output"] == "Hello!"
    assert reply["metrics"]["time_to_first_token_s"] == 0.5
    assert reply["metrics"]["inter_token_latency_s"] is None
    assert pipe.records[0].outcome == "ok"


def test_a_whole_answer_to_a_streams_request_of_the_same_wire_becomes_events() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.sending.whole(WHOLE)
    assert pipe.sink.kinds[0] == "start"
    events = [json.loads(each[6:]) for each in pipe.sink.body.split(b"\n\n")[:-2]]
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": "Hello!"}
    assert events[-1]["choices"][0]["finish_reason"] == "stop"
    assert pipe.sink.body.endswith(DONE)


def test_a_stream_to_a_whole_requests_is_joined() -> None:
    pipe = Pipe()
    pipe.ask_openai()
    pipe.sending.stream(HELLO)
    assert pipe.sink.kinds == ["whole"]
    assert pipe.records[0].outcome == "ok"


@pytest.mark.parametrize("headers", [[], [(b"content-type", b"application/octet-stream")]])
def test_what_was_asked_for_decides_where_the_head_does_not_say(headers: Any) -> None:
    pipe = Pipe()
    pipe.ask()
    pipe.sending.respond(headers)
    pipe.sending.chunk(HELLO)
    assert pipe.sink.json["chat_output"] == "Hello!"


def test_a_stream_without_its_end_mark_ends_with_its_last_byte() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.sending.stream(ROLE, text("a"), STOP[:-2])
    assert not pipe.sink.is_over
    pipe.sending.end()
    assert pipe.sink.lines[-1]["chat_output"] == "a"


def test_an_answer_without_content_is_an_answer() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.sending.stream(ROLE + STOP + USAGE + DONE)
    assert pipe.sink.kinds == ["start", "end"]
    assert pipe.sink.lines[-1]["chat_output"] == ""
    assert pipe.sink.lines[-1]["metrics"]["time_to_first_token_s"] is None


def test_a_slow_client_makes_the_provider_pause() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.sending.stream(ROLE, text("a"))
    assert pipe.sink.on_pause is not None
    assert pipe.sink.on_resume is not None
    pipe.sink.on_pause()
    pipe.sink.on_resume()
    pipe.sending.chunk(STOP, DONE)
    assert pipe.sending.history == ["pause", "resume", "finish"]
    assert pipe.sink.on_pause is None


def test_a_client_that_is_slow_already_makes_it_pause_from_the_start() -> None:
    pipe = Pipe()
    pipe.sink.is_paused = True
    pipe.ask(is_stream=True)
    assert pipe.sending.history == ["pause"]


# --- Where to, with which key ---------------------------------------------------------------------


def sent_key(pipe: Pipe) -> str | None:
    return dict(pipe.sending.request.headers).get("authorization")


STATIC = pytest.mark.parametrize("static", [False, True], ids=["made", "static"])


@STATIC
def test_the_configured_key_goes_to_the_configured_address(static: bool) -> None:
    pipe = Pipe(timeouts=Timeouts(total=7), headers={"x-team": "a"}, static=static)
    pipe.ask()
    assert sent_key(pipe) == f"Bearer {KEY}"
    assert dict(pipe.sending.request.headers)["x-team"] == "a"
    assert pipe.sending.request.url == Url("https", "api.openai.com", 443, "/v1/chat/completions")
    assert pipe.transport.timeouts == [Timeouts(total=7)]


@STATIC
def test_a_key_of_the_callers_goes_instead(static: bool) -> None:
    pipe = Pipe(static=static)
    pipe.ask(api_key="sk-callers-own")
    assert sent_key(pipe) == "Bearer sk-callers-own"


@STATIC
@pytest.mark.parametrize("field", ["base_url", "api_endpoint"])
def test_the_configured_key_never_goes_to_an_address_of_the_callers(
    field: str, static: bool
) -> None:
    pipe = Pipe(headers={"x-secret": "configured-secret"}, static=static)
    pipe.ask(**{field: "http://elsewhere.example/v1"})
    assert pipe.sending.request.url.host == "elsewhere.example"
    assert sent_key(pipe) is None
    assert "x-secret" not in dict(pipe.sending.request.headers)
    assert KEY.encode() not in pipe.sending.request.body


@STATIC
def test_an_address_of_the_callers_gets_the_callers_key(static: bool) -> None:
    pipe = Pipe(static=static)
    pipe.ask(base_url="http://elsewhere.example", api_key="sk-callers-own")
    assert pipe.sending.request.url.host == "elsewhere.example"
    assert sent_key(pipe) == "Bearer sk-callers-own"


@STATIC
def test_options_of_the_callers_are_merged_over_the_configured_ones(static: bool) -> None:
    seen: list[Any] = []

    def encode(request: Any, target: Any) -> Any:
        seen.append(target.options)
        return openai.encode_request(request, target)

    provider = replace(openai.PROVIDER, encode_request=encode)
    pipe = Pipe(provider=provider, options={"region": "r", "api_version": "1"}, static=static)
    pipe.ask()
    pipe.ask(api_version="2")
    assert seen == [{"region": "r", "api_version": "1"}, {"region": "r", "api_version": "2"}]


def test_without_a_key_where_one_is_needed_the_variable_is_named() -> None:
    pipe = Pipe(api_key=None)
    pipe.ask()
    assert pipe.sendings == []
    error = pipe.sink.json["error"]
    assert (pipe.sink.status, error["param"]) == (401, "api_key")
    assert "OPENAI_API_KEY" in error["message"]
    assert pipe.records[0].outcome == "refused"


def test_without_a_key_where_none_is_needed_none_is_sent() -> None:
    pipe = Pipe(api_key=None, needs_key=False)
    pipe.ask()
    assert sent_key(pipe) is None


@pytest.mark.parametrize("base_url", ["elsewhere", "ftp://x", "http://a b"])
def test_an_address_that_is_none_is_named(base_url: str) -> None:
    pipe = Pipe()
    pipe.ask(base_url=base_url)
    assert (pipe.sink.status, pipe.sink.json["error"]["param"]) == (422, "base_url")


class Starting:
    """A launcher that is ready when the test says so."""

    def __init__(self) -> None:
        self.ready: Signal[str] = Signal()

    async def base_url(self) -> str:
        return await self.ready

    async def close(self) -> None:
        """Nothing to stop."""


def test_a_launched_provider_is_waited_for() -> None:
    launcher = Starting()
    pipe = Pipe(base_url=None, launcher=launcher, api_key=None, needs_key=False)
    pipe.ask()
    assert pipe.sendings == []
    launcher.ready.set("http://127.0.0.1:7/v1")
    assert pipe.sending.request.url.port == 7


def test_a_client_that_leaves_while_it_is_started_is_not_served() -> None:
    launcher = Starting()
    pipe = Pipe(base_url=None, launcher=launcher)
    pipe.ask()
    pipe.sink.leave()
    launcher.ready.set("http://127.0.0.1:7/v1")
    assert pipe.sendings == []
    assert pipe.sink.got == []
    assert [record.outcome for record in pipe.records] == ["cancelled"]


# --- What is refused before any provider is asked -------------------------------------------------

REFUSED: list[tuple[bytes, str, int, str | None]] = [
    (b"{", "openai", 400, None),
    (b'{"model":"m"}', "openai", 422, "chat_input"),
    (b'{"model":"m","chat_input":"x"}', "nobody", 404, "provider"),
    (b'{"model":"m","chat_input":"x","temperature":3}', "openai", 422, "temperature"),
    (b'{"model":"m","chat_input":"x","stream_options":7}', "openai", 400, None),
    (b'{"model":"o3","chat_input":"x","top_p":1,"strict":true}', "openai", 400, "top_p"),
]


@pytest.mark.parametrize(("body", "provider", "status", "param"), REFUSED)
def test_a_refusal_names_the_field_and_is_on_record(
    body: bytes, provider: str, status: int, param: str | None
) -> None:
    pipe = Pipe()
    pipe.send(Inbound(provider, [], body))
    assert pipe.sendings == []
    error = pipe.sink.json["error"]
    assert (pipe.sink.status, error["param"], error["request_id"]) == (status, param, "id-1")
    assert pipe.sink.headers == {b"content-type": b"application/json", b"x-request-id": b"id-1"}
    (record,) = pipe.records
    assert (record.outcome, record.status, record.attempt) == ("refused", status, 0)
    assert (record.cost_usd, record.input_tokens, record.latency_s) == (None, None, None)


def test_an_unknown_provider_is_told_the_configured_ones() -> None:
    pipe = Pipe()
    pipe.send(Inbound("nobody", [], b'{"model":"m","chat_input":"x"}'))
    assert "configured are: openai" in pipe.sink.json["error"]["message"]
    assert pipe.sink.json["error"]["provider"] == "nobody"


@pytest.mark.parametrize("headers", [[], [(b"x-api-key", b"wrong")]])
def test_without_the_gateways_key_nothing_is_read_or_recorded(headers: Any) -> None:
    pipe = Pipe(keys=("gw-right-key",))
    pipe.send(Inbound("openai", headers, b"{"))
    assert pipe.sink.status == 401
    assert pipe.records == []


def test_who_called_is_on_record_by_the_name_of_the_key() -> None:
    pipe = Pipe(keys=("gw-right-key",))
    pipe.ask((b"x-api-key", b"gw-right-key"))
    pipe.sending.stream(HELLO)
    (record,) = pipe.records
    assert record.key_id is not None
    assert len(record.key_id) == 8
    assert "gw-right-key" not in pipe.spool.lines[0].decode()


def test_a_gateway_that_is_closing_takes_no_request() -> None:
    pipe = Pipe()
    pipe.gateway.is_closing = True
    pipe.ask()
    assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (503, "shutting_down")
    assert pipe.gateway.active == set()


# --- The record -----------------------------------------------------------------------------------


def test_the_record_tells_all_of_an_answer() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True, session_id="s")
    pipe.clock.now += 0.25
    pipe.sending.respond([*SSE, (b"x-request-id", b"req-1")])
    pipe.clock.now += 0.25
    pipe.sending.chunk(HELLO)
    (record,) = pipe.records
    assert (record.id, record.request_id, record.v) == ("id-1", "id-1", 1)
    assert (record.started, record.timestamp) == (EPOCH + START, EPOCH + START + 0.5)
    assert (record.route, record.dialect) == ("/api/engine/chat/{provider}", "engine")
    assert (record.provider, record.kind, record.model) == ("openai", "openai", "gpt-4o")
    assert (record.deployment, record.session_id) == ("gpt-4o-2024-08-06", "s")
    assert (record.outcome, record.status, record.finish_reason) == ("ok", 200, "stop")
    assert (record.attempt, record.attempts, record.stream) == (1, 1, True)
    assert (record.upstream_status, record.upstream_request_id) == (200, "req-1")
    assert (record.input_tokens, record.output_tokens) == (6, 26)
    assert (record.tokens_source, record.cost_usd) == ("reported", "0.000058")
    assert (record.price_source, record.key_id) == ("configured", "anonymous")
    assert (record.error_type, record.error_code, record.error_message) == (None, None, None)
    assert (record.latency_s, record.time_to_first_byte_s) == (0.5, 0.25)
    assert (record.time_to_first_token_s, record.content_events) == (0.5, 2)
    assert record.upstream_request_bytes == len(pipe.sending.request.body)
    assert record.upstream_response_bytes == len(HELLO)
    assert record.request_bytes == len(pipe.exchange.inbound.body)


@pytest.mark.parametrize(
    ("name", "value"),
    [(b"request-id", b"r"), (b"x-amzn-requestid", b"r"), (b"apim-request-id", b"r")],
)
def test_the_providers_id_is_found_under_each_of_its_names(name: bytes, value: bytes) -> None:
    pipe = Pipe()
    pipe.ask()
    pipe.sending.respond([*SSE, (name, value)])
    pipe.sending.chunk(HELLO)
    assert pipe.records[0].upstream_request_id == "r"


def test_neither_prompt_nor_answer_nor_key_is_on_record() -> None:
    pipe = Pipe()
    pipe.ask(chat_input="planted-prompt", api_key="sk-planted-key")
    pipe.sending.stream(text("planted-answer") + STOP + DONE)
    assert b"planted" not in pipe.spool.lines[0]


# usage sent, counted (3, 4) where it is not, source
COUNTS: list[tuple[Any, tuple[int, int], str]] = [
    ({"prompt_tokens": 6, "completion_tokens": 26}, (6, 26), "reported"),
    ({"prompt_tokens": 0, "completion_tokens": 0}, (0, 0), "reported"),
    (None, (3, 4), "counted"),
    ({"prompt_tokens": 6}, (6, 4), "counted"),
    ({"completion_tokens": 26}, (3, 26), "counted"),
    ({}, (3, 4), "counted"),
]


@pytest.mark.parametrize(("usage", "tokens", "source"), COUNTS)
def test_tokens_are_counted_where_they_are_not_reported(
    usage: Any, tokens: tuple[int, int], source: str
) -> None:
    pipe = Pipe()
    pipe.ask()
    pipe.sending.stream(ROLE + text("Hello") + STOP + event(usage=usage) + DONE)
    metrics = pipe.sink.json["metrics"]
    assert (metrics["input_tokens"], metrics["output_tokens"]) == tokens
    assert metrics["total_tokens"] == sum(tokens)
    assert metrics["tokens_source"] == source
    assert len(pipe.counted) == (source == "counted")
    if pipe.counted:
        assert pipe.counted == [("gpt-4o", b'[{"role":"user","content":"Hi"}]', "Hello")]


def test_tokens_that_cannot_be_counted_are_unknown() -> None:
    pipe = Pipe()
    pipe.counts = (None, None)
    pipe.ask()
    pipe.sending.stream(text("Hello") + STOP + DONE)
    metrics = pipe.sink.json["metrics"]
    assert [metrics[n] for n in ("input_tokens", "output_tokens", "cost_usd", "tokens_source")] == [
        None
    ] * 4


def test_a_count_that_takes_a_while_holds_back_the_end_alone() -> None:
    pipe = Pipe()
    pipe.counting = Signal()
    pipe.ask(is_stream=True)
    pipe.sending.stream(text("Hello") + STOP + DONE)
    assert pipe.sink.kinds == ["start", "write"]
    pipe.counting.set(None)
    assert pipe.sink.kinds == ["start", "write", "end"]


def test_an_unknown_price_is_null() -> None:
    pipe = Pipe(priced=False)
    pipe.ask()
    pipe.sending.stream(HELLO)
    assert pipe.sink.json["metrics"]["cost_usd"] is None
    assert pipe.sink.json["metrics"]["price"] is None
    assert pipe.records[0].cost_usd is None
