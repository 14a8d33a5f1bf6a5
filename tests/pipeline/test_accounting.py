"""Records, tokens and costs: of responses, and of requests that were refused before any attempt."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from headway.dialects.base import ClientRequest
from headway.events import ResponseSummary
from headway.metering.metrics import CallCost, Cost, PriceOrigin
from headway.metering.timing import Timing
from headway.pipeline import accounting
from headway.pipeline.call_records import facts_of
from headway.record import decode
from headway.types import Transformation, Usage
from support.pipeline_fakes import (
    DONE,
    EPOCH,
    HELLO,
    ROLE,
    SSE,
    START,
    STOP,
    WHOLE,
    Gate,
    Pipe,
    event,
    text,
)

REFUSED: list[tuple[bytes, str, int, str | None]] = [
    (b"{", "openai", 400, None),
    (b'{"model":"m"}', "openai", 422, "chat_input"),
    (b'{"model":"m","chat_input":"x"}', "nobody", 404, "provider"),
    (b'{"model":"m","chat_input":"x","temperature":3}', "openai", 422, "temperature"),
    (b'{"model":"m","chat_input":"x","stream_options":7}', "openai", 400, None),
    (b'{"model":"o3","chat_input":"x","top_p":1,"strict":true}', "openai", 400, "top_p"),
]


@pytest.mark.parametrize(("body", "provider", "status", "param"), REFUSED)
def test_a_refusal_names_the_field_and_is_recorded(
    body: bytes, provider: str, status: int, param: str | None
) -> None:
    pipe = Pipe()
    pipe.send(ClientRequest(provider, [], body))
    assert pipe.upstream_requests == []
    error = pipe.sink.json["error"]
    assert (pipe.sink.status, error["param"], error["request_id"]) == (status, param, "id-1")
    assert pipe.sink.headers == {b"content-type": b"application/json", b"x-request-id": b"id-1"}
    (record,) = pipe.records
    assert (record.outcome, record.status, record.attempt) == ("refused", status, 0)
    assert (record.cost_usd, record.input_tokens, record.latency_s) == (None, None, None)


def test_the_error_for_an_unknown_provider_lists_the_configured_ones() -> None:
    pipe = Pipe()
    pipe.send(ClientRequest("nobody", [], b'{"model":"m","chat_input":"x"}'))
    assert "configured are: openai" in pipe.sink.json["error"]["message"]
    assert pipe.sink.json["error"]["provider"] == "nobody"


@pytest.mark.parametrize("headers", [[], [(b"x-api-key", b"wrong")]])
def test_without_the_gateway_key_the_body_is_not_decoded_and_nothing_recorded(headers: Any) -> None:
    pipe = Pipe(keys=("gw-right-key",))
    pipe.send(ClientRequest("openai", headers, b"{"))
    assert pipe.sink.status == 401
    assert pipe.records == []


def test_the_record_has_the_id_of_the_gateway_key() -> None:
    pipe = Pipe(keys=("gw-right-key",))
    pipe.ask((b"x-api-key", b"gw-right-key"))
    pipe.upstream.stream(HELLO)
    (record,) = pipe.records
    assert record.key_id is not None
    assert len(record.key_id) == 8
    assert "gw-right-key" not in pipe.spool.lines[0].decode()


def test_a_closing_gateway_refuses_requests() -> None:
    pipe = Pipe()
    pipe.gateway.is_closing = True
    pipe.ask()
    assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (503, "shutting_down")
    assert pipe.gateway.active == set()


def test_a_gateway_that_can_keep_no_record_refuses_requests_without_one() -> None:
    pipe = Pipe()
    pipe.gateway.is_refusing = True
    pipe.ask()
    assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (503, "ledger_unavailable")
    assert pipe.sink.json["error"]["retry_after_s"] == 5.0
    assert (pipe.spool.lines, pipe.gateway.active) == ([], set())


# --- Answers --------------------------------------------------------------------------------------


def test_the_record_of_a_response_is_complete() -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True, session_id="s")
    pipe.clock.now += 0.25
    pipe.upstream.respond([*SSE, (b"x-request-id", b"req-1")])
    pipe.clock.now += 0.25
    pipe.upstream.chunk(HELLO)
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
    assert record.upstream_request_bytes == len(pipe.upstream.request.body)
    assert record.upstream_response_bytes == len(HELLO)
    assert record.request_bytes == len(pipe.call.client_request.body)


@pytest.mark.parametrize(
    ("name", "value"),
    [(b"request-id", b"r"), (b"x-amzn-requestid", b"r"), (b"apim-request-id", b"r")],
)
def test_the_provider_request_id_is_read_from_each_known_header(name: bytes, value: bytes) -> None:
    pipe = Pipe()
    pipe.ask()
    pipe.upstream.respond([*SSE, (name, value)])
    pipe.upstream.chunk(HELLO)
    assert pipe.records[0].upstream_request_id == "r"


def test_a_record_has_no_prompt_no_output_and_no_key() -> None:
    pipe = Pipe()
    pipe.ask(chat_input="planted-prompt", api_key="sk-planted-key")
    pipe.upstream.stream(text("planted-answer") + STOP + DONE)
    assert b"planted" not in pipe.spool.lines[0]


# usage that the provider reports, tokens of the record ((3, 4) are counted ones), their source
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
    pipe.upstream.stream(ROLE + text("Hello") + STOP + event(usage=usage) + DONE)
    metrics = pipe.sink.json["metrics"]
    assert (metrics["input_tokens"], metrics["output_tokens"]) == tokens
    assert metrics["total_tokens"] == sum(tokens)
    assert metrics["tokens_source"] == source
    assert len(pipe.counted) == (source == "counted")
    if pipe.counted:
        assert pipe.counted == [("gpt-4o", b'[{"role":"user","content":"Hi"}]', "Hello")]


def test_the_text_of_a_passed_through_response_is_counted() -> None:
    pipe = Pipe()
    pipe.ask_openai()
    pipe.upstream.whole(WHOLE.replace(b', "completion_tokens": 26', b""))
    assert [produced for _, _, produced in pipe.counted] == ["Hello!"]
    assert (pipe.records[0].input_tokens, pipe.records[0].output_tokens) == (6, 4)
    assert pipe.records[0].tokens_source == "counted"


def test_tokens_that_cannot_be_counted_are_unknown() -> None:
    pipe = Pipe()
    pipe.counts = (None, None)
    pipe.ask()
    pipe.upstream.stream(text("Hello") + STOP + DONE)
    metrics = pipe.sink.json["metrics"]
    assert [metrics[n] for n in ("input_tokens", "output_tokens", "cost_usd", "tokens_source")] == [
        None
    ] * 4


def test_a_slow_count_delays_only_the_end_of_the_stream() -> None:
    pipe = Pipe()
    pipe.counting = Gate()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(text("Hello") + STOP + DONE)
    assert pipe.sink.kinds == ["start", "write"]
    pipe.counting.set(None)
    assert pipe.sink.kinds == ["start", "write", "end"]


def test_an_unknown_price_is_null() -> None:
    pipe = Pipe(priced=False)
    pipe.ask()
    pipe.upstream.stream(HELLO)
    assert pipe.sink.json["metrics"]["cost_usd"] is None
    assert pipe.sink.json["metrics"]["price"] is None
    assert pipe.records[0].cost_usd is None


@pytest.mark.parametrize("fields", [{}, {"is_stream": True}], ids=["whole", "streamed"])
def test_all_bytes_of_the_response_are_recorded(fields: dict[str, Any]) -> None:
    pipe = Pipe()
    pipe.ask(**fields)
    pipe.upstream.stream(HELLO)
    assert [record.response_bytes for record in pipe.records] == [len(pipe.sink.body)]


@pytest.mark.parametrize("before", [[], [text("Hello")]], ids=["alone", "in a stream"])
def test_all_bytes_of_an_error_are_recorded(before: list[bytes]) -> None:
    pipe = Pipe()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(*before, b"data: {\n\n")
    assert [record.response_bytes for record in pipe.records] == [len(pipe.sink.body)]


class BrokenSpool:
    def append(self, line: bytes) -> None:
        raise RuntimeError("a defect")


def test_the_client_gets_a_reply_when_the_record_cannot_be_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipe = Pipe()
    pipe.gateway.spool = BrokenSpool()
    pipe.ask()
    pipe.upstream.stream(HELLO)
    assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (500, "internal_error")
    assert pipe.gateway.active == set()
    assert "could not be put on record" in caplog.text


def test_every_metered_value_is_in_the_record_under_its_own_name() -> None:
    numbers = {name: at for at, name in enumerate(Usage.__struct_fields__, 1)}
    usage = Usage(**{**numbers, "price_conditions": {"speed": "fast"}})
    times = {name: at / 8 for at, name in enumerate(Timing.__struct_fields__, 1)}
    timing = Timing(**{**times, "gap_counts": ((5, 2),)})
    pipe = Pipe()
    pipe.ask()
    attempt = pipe.call.attempt
    assert attempt is not None
    result = replace(attempt.result(), usage=usage, timing=timing)
    facts = facts_of(pipe.call)
    totals = accounting.total(facts, result, pipe.gateway.snapshot.prices)
    record = decode(accounting.attempt_record(facts, result, totals, None, 0))
    assert record.price_conditions == {"speed": "fast"}
    for metered in (usage, timing):
        values = asdict(metered)
        values.pop("cost_usd", None)  # recorded as the digits of a decimal number
        assert {name: getattr(record, name) for name in values} == values
    assert record.tokens_per_second == usage.output_tokens / timing.latency_s


def test_every_other_value_is_in_the_record_under_its_own_name() -> None:
    pipe = Pipe()
    pipe.ask(session_id="the session")
    attempt = pipe.call.attempt
    assert attempt is not None
    headers = {b"x-request-id": b"theirs"}
    summary = ResponseSummary(Usage(), "length", "the deployment")
    result = replace(
        attempt.result(),
        summary=summary,
        tokens_source="counted",
        content_events=5,
        status=201,
        response_headers=headers,
        bytes_in=6,
        transformations=(Transformation("dropped", "seed", "for a test"),),
    )
    facts = replace(
        facts_of(pipe.call), record_id="r", call_id="c", id="q", attempts=7, elapsed_s=2.0,
        request_bytes=8, key_id="k", upstream_request_bytes=9, now=100.0,
    )  # fmt: skip
    cost = CallCost(
        Decimal("0.5"), "provider", Cost(Decimal("0.25"), PriceOrigin("book", "2024-01-01")),
        "no reason", {"tier": "flex"},
    )  # fmt: skip
    totals = accounting.AttemptTotals(cost, "0.5", 0.75)
    line = accounting.attempt_record(facts, result, totals, None, 10, is_last=False)
    record = asdict(decode(line))
    told = {name: value for name, value in record.items() if value is not None}
    assert told == {
        "id": "r", "request_id": "q", "timestamp": 100.0, "started": 98.0,
        "route": "/api/engine/chat/{provider}", "dialect": "engine", "outcome": "ok", "v": 1,
        "attempt": 7, "attempts": 7, "provider": "openai", "kind": "openai", "model": "gpt-4o",
        "deployment": "the deployment", "stream": False, "session_id": "the session", "key_id": "k",
        "status": 200, "finish_reason": "length", "upstream_status": 201,
        "upstream_request_id": "theirs", "transformations": ("dropped seed: for a test",),
        "tokens_source": "counted", "cost_usd": "0.5", "cost_source": "provider",
        "cost_computed_usd": "0.25", "cost_unknown_reason": "no reason",
        "price_conditions": {"tier": "flex"}, "price_source": "book", "price_date": "2024-01-01",
        "time_to_sent_s": record["time_to_sent_s"], "gateway_overhead_s": 0.75, "content_events": 5,
        "request_bytes": 8, "response_bytes": 10, "upstream_request_bytes": 9,
        "upstream_response_bytes": 6, "call_id": "c", "is_last": False, "role": "retry", "tags": (),
        "parameters": record["parameters"], "line_items": (), "gap_counts": (), "content": "off",
        "is_drained": False,
    }  # fmt: skip


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("ask", [Pipe.ask, Pipe.ask_openai])
def test_the_cost_that_the_provider_tells_is_recorded_with_the_computed_one(
    ask: Any, is_whole: bool
) -> None:
    pipe, usage = Pipe(), {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.25}
    body = json.dumps({**json.loads(WHOLE), "usage": usage}).encode()
    stream = b"".join((ROLE, text("Hi"), STOP, event(usage=usage), DONE))
    ask(pipe, **({} if is_whole else {"is_stream" if ask is Pipe.ask else "stream": True}))
    if is_whole:
        pipe.upstream.whole(body)
    else:
        pipe.upstream.stream(stream)
    (record,) = pipe.records
    assert (record.cost_usd, record.cost_source) == ("0.25", "provider")
    assert record.cost_computed_usd == "0.000007"
    if ask is Pipe.ask and is_whole:
        metrics = pipe.sink.json["metrics"]
        assert (metrics["cost_usd"], metrics["cost_computed_usd"]) == (0.25, 0.000007)
        assert (metrics["cost_source"], metrics["price"]["source"]) == ("provider", "configured")
