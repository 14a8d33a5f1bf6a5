"""The streamed reply, chunk by chunk as a client sees it, in both framings."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from contract.shapes import (
    DEFAULTS,
    FIRST_METRICS,
    FRAMINGS,
    ONCE_KEYS,
    STREAM_KEYS,
    checked_error,
    error_of,
    is_uuid,
    ndjson_pieces,
)
from support.gateway_process import HELLO, Gateway
from support.openai_completions import (
    DONE,
    USAGE,
    finish,
    role,
    text,
    tool_piece,
    tool_start,
    usage,
)
from support.openai_upstream import CUT, EOF, HANG, Answer, Step, Upstream, Wait
from support.waiting import until

GAP = 0.1
SLOW = Answer(
    (
        role(),
        text("One"),
        Wait(GAP),
        text(" two"),
        Wait(GAP),
        text(" three"),
        finish(),
        usage(),
        DONE,
    )
)


@pytest.fixture(params=FRAMINGS, ids=["ndjson", "sse"])
def accept(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def objects(gateway: Gateway, accept: str = "application/x-ndjson", **fields: Any) -> list[Any]:
    """All objects of one good stream."""
    with gateway.stream(accept=accept, **fields) as stream:
        assert stream.status == 200
        pieces = FRAMINGS[accept](stream)
        assert stream.complete
    return [piece.object for piece in pieces]


# --- Framing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["application/x-ndjson", "*/*", "application/json"])
def test_ndjson_is_the_default_and_each_line_is_an_http_chunk(
    gateway: Gateway, accept: str
) -> None:
    with gateway.stream(accept=accept) as stream:
        assert stream.headers["content-type"].startswith("application/x-ndjson")
        assert stream.headers["transfer-encoding"] == "chunked"
        assert len(ndjson_pieces(stream)) >= 3
        assert stream.complete


def test_server_sent_events_are_available_and_end_with_done(gateway: Gateway) -> None:
    with gateway.stream(accept="text/event-stream") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        body = stream.read()
        assert stream.complete
    assert body.endswith(b"data: [DONE]\n\n")
    assert body.count(b"[DONE]") == 1


def test_both_framings_carry_the_same_objects(gateway: Gateway) -> None:
    lines = objects(gateway)
    events = objects(gateway, "text/event-stream")
    assert [list(o) for o in lines] == [list(o) for o in events]
    assert [o["chat_output_stream"] for o in lines] == [o["chat_output_stream"] for o in events]


# --- Objects --------------------------------------------------------------------------------------


def test_the_first_object_carries_the_request_and_later_ones_do_not(
    gateway: Gateway, accept: str
) -> None:
    first, *later = objects(gateway, accept)
    assert first["chat_input"] == HELLO
    assert first["context"] == [{"role": "user", "content": HELLO}]
    assert first["parameters"] == DEFAULTS
    assert later
    assert not [key for o in later for key in ONCE_KEYS if key in o]


def test_each_object_is_a_completion_chunk_with_the_engines_fields(
    gateway: Gateway, accept: str
) -> None:
    sent = objects(gateway, accept, session_id="a-session")
    for o in sent:
        assert o["object"] == "chat.completion.chunk"
        assert set(STREAM_KEYS) <= set(o)
        assert o["model"] == "gpt-4o"
        assert type(o["created"]) is int
        assert type(o["timestamp"]) is float
        assert o["provider"] == "openai"
        assert o["session_id"] == "a-session"
        assert isinstance(o["choices"], list)
    times = [o["timestamp"] for o in sent]
    assert times == sorted(times)


def test_one_id_for_the_whole_stream_and_another_for_the_next(
    gateway: Gateway, accept: str
) -> None:
    first = {o["id"] for o in objects(gateway, accept)}
    second = {o["id"] for o in objects(gateway, accept)}
    assert len(first) == len(second) == 1
    assert first != second
    assert is_uuid(first.pop())


def test_output_and_metrics_are_null_until_the_last_object(gateway: Gateway, accept: str) -> None:
    *earlier, last = objects(gateway, accept)
    assert [(o["chat_output"], o["metrics"]) for o in earlier] == [(None, None)] * len(earlier)
    assert last["chat_output"] == "Hello there!"
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"] == USAGE
    assert list(last["metrics"])[:8] == FIRST_METRICS
    assert last["metrics"]["total_tokens"] == 18


def test_the_pieces_join_to_the_output(gateway: Gateway, accept: str) -> None:
    sent = objects(gateway, accept)
    assert "".join(o["chat_output_stream"] or "" for o in sent) == "Hello there!"
    deltas = [c["delta"].get("content") or "" for o in sent for c in o["choices"]]
    assert "".join(deltas) == "Hello there!"


def test_usage_is_null_if_none_was_reported(gateway: Gateway, upstream: Upstream) -> None:
    upstream.play(Answer((role(), text("Hello! Who are you?"), finish(), DONE)))
    last = objects(gateway, model="gpt-3.5-turbo")[-1]
    assert last["usage"] is None
    assert last["metrics"]["input_tokens"] == 6
    assert last["metrics"]["output_tokens"] == 6
    assert last["metrics"]["tokens_source"] == "counted"


def test_a_streamed_tool_call_is_whole_in_the_last_object(
    gateway: Gateway, upstream: Upstream, accept: str
) -> None:
    pieces = [tool_piece(0, '{"city"'), tool_piece(0, ': "Paris"}')]
    start = tool_start(0, "call_1", "weather")
    upstream.play(Answer((role(), start, *pieces, finish("tool_calls"), usage(), DONE)))
    sent = objects(gateway, accept)
    calls = [t for o in sent for c in o["choices"] for t in c["delta"].get("tool_calls") or ()]
    assert calls[0]["id"] == "call_1"
    assert calls[0]["function"]["name"] == "weather"
    assert "".join(c["function"].get("arguments") or "" for c in calls) == '{"city": "Paris"}'
    assert sent[-1]["chat_output"] == '{"city": "Paris"}'
    assert sent[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_streamed_choices_keep_their_index(gateway: Gateway, upstream: Upstream) -> None:
    pieces = [text("A", 0), text("B", 1), text("a", 0), text("b", 1)]
    upstream.play(Answer((role(0), role(1), *pieces, finish(index=0), finish(index=1), DONE)))
    texts = {0: "", 1: ""}
    for o in objects(gateway, parameters={"n": 2}):
        for choice in o["choices"]:
            texts[choice["index"]] += choice["delta"].get("content") or ""
    assert texts == {0: "Aa", 1: "Bb"}


def test_text_arrives_whole_wherever_its_bytes_are_cut(
    gateway: Gateway, upstream: Upstream
) -> None:
    steps = (role(), text("Grüße, "), text("世界 🌍"), finish(), usage(), DONE)
    upstream.play(Answer(steps, cut_every=3))
    assert objects(gateway)[-1]["chat_output"] == "Grüße, 世界 🌍"


def test_no_event_of_a_burst_is_lost(gateway: Gateway, upstream: Upstream, accept: str) -> None:
    pieces = [text(f" {n}") for n in range(2000)]
    steps: tuple[Step, ...] = (role(), *pieces, finish(), usage(), DONE)
    upstream.play(Answer(steps, cut_every=60_000))
    sent = objects(gateway, accept)
    whole = "".join(f" {n}" for n in range(2000))
    assert "".join(o["chat_output_stream"] or "" for o in sent) == whole
    assert sent[-1]["chat_output"] == whole


# --- Time -----------------------------------------------------------------------------------------


def test_each_piece_arrives_when_it_was_sent(
    gateway: Gateway, upstream: Upstream, accept: str
) -> None:
    upstream.play(SLOW)
    with gateway.stream(accept=accept) as stream:
        pieces = FRAMINGS[accept](stream)
    arrived = {
        p.object["chat_output_stream"]: p.at for p in pieces if p.object["chat_output_stream"]
    }
    sent = {
        step["choices"][0]["delta"].get("content"): at
        for at, step in upstream.last.sent
        if isinstance(step, dict) and step["choices"]
    }
    for piece in ("One", " two", " three"):
        assert 0 < arrived[piece] - sent[piece] < GAP


# --- Failures -------------------------------------------------------------------------------------


def test_a_failure_before_the_first_event_is_an_http_error(
    gateway: Gateway, upstream: Upstream, accept: str
) -> None:
    upstream.play(Answer((), raw=b""))
    with gateway.stream(accept=accept) as stream:
        error = error_of(stream.reply(), 502)
    assert error["provider"] == "openai"


@pytest.mark.parametrize("fault", [CUT, EOF], ids=["cut", "ended"])
def test_a_failure_after_the_role_alone_is_an_http_error_or_the_last_object(
    gateway: Gateway, upstream: Upstream, accept: str, fault: Step
) -> None:
    upstream.play(Answer((role(), Wait(0.05), fault)))
    with gateway.stream(accept=accept) as stream:
        if stream.status == 200:
            checked_error(FRAMINGS[accept](stream)[-1].object)
        else:
            error_of(stream.reply(), 502)


IN_STREAM = b'data: {"error": {"message": "The server had an error", "type": "server_error"}}\n\n'
FAULTS: dict[str, tuple[Step, ...]] = {
    "cut": (CUT,),
    "ended without its finish": (EOF,),
    "malformed event": (b"data: {not json\n\n", HANG),
    "error in the stream": (IN_STREAM, EOF),
    "stalled": (HANG,),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_failure_after_the_first_event_is_the_last_object(
    gateway: Gateway, upstream: Upstream, accept: str, name: str
) -> None:
    upstream.play(Answer((role(), text("Hello"), text(" you"), Wait(0.05), *FAULTS[name])))
    with gateway.stream("hasty", accept=accept) as stream:
        assert stream.status == 200
        pieces = [p.object for p in FRAMINGS[accept](stream)]
        assert stream.complete
    *good, last = pieces
    error = checked_error(last)
    assert error["provider"] == "hasty"
    assert [o for o in good if "error" in o] == []
    assert "".join(o["chat_output_stream"] or "" for o in good) == "Hello you"
    assert all(o["metrics"] is None for o in good)


def test_the_providers_message_reaches_the_caller_of_a_failed_stream(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.play(Answer((role(), text("Hello"), IN_STREAM, EOF)))
    with gateway.stream() as stream:
        error = checked_error(ndjson_pieces(stream)[-1].object)
    assert "The server had an error" in error["message"]


def test_a_failed_response_that_was_not_streamed_is_an_http_error(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.play(Answer((role(), text("Hello"), text(" you"), CUT)))
    error_of(gateway.chat(), 502)


# --- Many -----------------------------------------------------------------------------------------


def test_a_hundred_streams_at_once_leave_health_fast(gateway: Gateway, upstream: Upstream) -> None:
    pieces: list[Step] = [s for n in range(20) for s in (text(f" {n}"), Wait(0.05))]
    upstream.play(Answer((role(), *pieces, finish(), usage(), DONE)))
    streams = [gateway.open(is_stream=True) for _ in range(100)]
    try:
        until(lambda: len(upstream.exchanges) == 100)
        taken = sorted(timed_health(gateway) for _ in range(9))
        assert taken[4] < 0.25, taken
        assert any(not e.finished for e in upstream.exchanges), "the streams ended too soon to tell"
        for stream in streams:
            last = json.loads(stream.read_head().read().splitlines()[-1])
            assert stream.complete
            assert last["chat_output"] == "".join(f" {n}" for n in range(20))
    finally:
        for stream in streams:
            stream.close()


def timed_health(gateway: Gateway) -> float:
    began = time.monotonic()
    assert gateway.client.get("/health").status == 200
    return time.monotonic() - began
