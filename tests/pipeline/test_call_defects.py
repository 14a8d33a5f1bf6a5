"""Whatever raises while a response is received, the call ends at once: with an error in the
client's dialect, a record, and a connection that is closed or given back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from msgspec.structs import replace

from headway.dialects.base import ClientRequest
from headway.dialects.engine import Engine, EngineStream
from headway.dialects.openai.chat import OpenAIChat, OpenAIChatStream
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.metering.prices import PriceBook
from headway.pipeline import accounting, response_head
from headway.providers.openai import provider as openai
from headway.response_accumulator import ResponseAccumulator
from headway.transport.client import HttpTransport
from headway.types import Timeouts
from headway.wire.sse import SseFramer
from support.for_each import for_each
from support.pipeline_fakes import HELLO, JSON, ROLE, STOP, WHOLE, Pipe, event, text
from support.scripted_server import ScriptedServer, answer
from support.waiting import PATIENCE_S

Break = Callable[[Pipe, pytest.MonkeyPatch], None]
VECTORS = json.dumps(
    {"data": [{"embedding": [1.5]}], "usage": {"prompt_tokens": 1, "total_tokens": 1}}
).encode()
FILTERED = WHOLE.replace(b'"stop"', b'"content_filter"')
"""It is decoded to events, not summarized."""
FRAGMENTED = text("Hel")[:20], text("Hel")[20:]


class AdapterError(Exception):
    """What no adapter may raise."""


def raise_defect(*args: Any, **named: Any) -> Any:
    raise AdapterError("a detail")


class BrokenFramer(SseFramer):
    feed = end = raise_defect


class BrokenEnd(SseFramer):
    end = raise_defect


def in_provider(**fields: Any) -> Break:
    """Replaces functions of the provider."""

    def apply(pipe: Pipe, patch: pytest.MonkeyPatch) -> None:
        upstream = pipe.gateway.snapshot.upstreams["openai"]
        broken = replace(upstream, provider=replace(upstream.provider, **fields))
        pipe.gateway.snapshot = replace(pipe.gateway.snapshot, upstreams={"openai": broken})

    return apply


def in_object(where: Any, name: str) -> Break:
    return lambda pipe, patch: patch.setattr(where, name, raise_defect)


def ask_engine(pipe: Pipe) -> None:
    pipe.ask()


def ask_engine_stream(pipe: Pipe) -> None:
    pipe.ask(is_stream=True)


def ask_openai(pipe: Pipe) -> None:
    pipe.ask_openai()


def ask_openai_stream(pipe: Pipe) -> None:
    pipe.ask_openai(stream=True)


def ask_embeddings(pipe: Pipe) -> None:
    body = json.dumps({"model": "openai/text-embedding-3-small", "input": "Hi"}).encode()
    pipe.send(ClientRequest("", (), body), OpenAIEmbeddings())


CHAT = (ask_engine, ask_engine_stream, ask_openai, ask_openai_stream)
STREAMS = (ask_engine_stream, ask_openai_stream)
WHOLES = (ask_engine, ask_openai)
EVENTS = (ask_engine, ask_engine_stream, ask_openai_stream)
ALL = (*CHAT, ask_embeddings)
DEFECTS: dict[str, tuple[Break, tuple[Callable[[Pipe], None], ...]]] = {
    "a decoder of events": (in_provider(decode_event=raise_defect, read_text=None), EVENTS),
    "a decoder of responses": (
        in_provider(decode_response=raise_defect, summarize=None),
        (ask_openai,),
    ),
    "a summary": (in_provider(summarize=raise_defect), (ask_openai,)),
    "a decoder of embeddings": (in_provider(decode_embeddings=raise_defect), (ask_embeddings,)),
    "a framer": (in_provider(framer=BrokenFramer), EVENTS),
    "the constructor of a framer": (in_provider(framer=raise_defect), EVENTS),
    "a reader of texts": (in_provider(read_text=raise_defect), (ask_engine, ask_openai_stream)),
    "the accumulator": (in_object(ResponseAccumulator, "add"), (*CHAT, ask_embeddings)),
    "the accumulator's summary": (in_object(ResponseAccumulator, "summary"), ALL),
    "the engine's encoder": (in_object(EngineStream, "encode"), (ask_engine_stream,)),
    "the engine's end": (in_object(EngineStream, "end"), (ask_engine_stream,)),
    "the engine's reply": (in_object(Engine, "encode"), (ask_engine,)),
    "a chat encoder": (in_object(OpenAIChatStream, "encode"), (ask_openai_stream,)),
    "a chat encoder's end": (in_object(OpenAIChatStream, "end"), (ask_openai_stream,)),
    "the shape of a chat reply": (in_object(OpenAIChat, "passes_through"), (ask_openai,)),
    "the embeddings' reply": (in_object(OpenAIEmbeddings, "encode"), (ask_embeddings,)),
    "the totals": (in_object(accounting, "total"), ALL),
    "the need of a count": (in_object(accounting, "needs_count"), ALL),
    "the metrics": (in_object(accounting, "metrics"), (*STREAMS, ask_engine)),
    "the response's headers": (in_object(response_head, "describe_response"), WHOLES),
    "the prices": (in_object(PriceBook, "quote"), ALL),
}
CASES = [
    pytest.param(broken, ask, id=f"{what} {ask.__name__}")
    for what, (broken, routes) in DEFECTS.items()
    for ask in routes
]


def play(pipe: Pipe, ask: Callable[[Pipe], None]) -> None:
    """The provider's whole response, by the route. Parts of it may come after the error."""
    upstream = pipe.upstream
    if ask in (ask_openai, ask_embeddings):
        body = VECTORS if ask is ask_embeddings else FILTERED
        upstream.respond(JSON)
        upstream.chunk(body)
    else:
        upstream.stream(*FRAGMENTED, HELLO)
    upstream.end()


@pytest.mark.parametrize(("broken", "ask"), CASES)
def test_a_defect_before_any_content_is_an_error_response(
    broken: Break,
    ask: Callable[[Pipe], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipe = Pipe()
    broken(pipe, monkeypatch)
    ask(pipe)
    play(pipe, ask)
    assert pipe.sink.is_over
    if pipe.sink.kinds == ["whole"]:
        error, status = pipe.sink.json["error"], pipe.sink.status
        assert status == 502
    else:  # the stream had begun
        lines = [line for line in pipe.sink.body.splitlines() if line]
        error, status = json.loads(lines[-1].removeprefix(b"data: "))["error"], 200
        assert pipe.sink.status == 200
    assert error["type"] == "protocol_error"
    assert error["provider"] == "openai"
    assert "detail" not in error["message"]
    assert pipe.upstream.is_over
    (record,) = pipe.records
    assert (record.outcome, record.status, record.attempt) == ("error", status, 1)
    assert pipe.gateway.active == set()
    assert any(r.exc_info and isinstance(r.exc_info[1], AdapterError) for r in caplog.records)


MIDDLE: dict[str, Callable[[Any, pytest.MonkeyPatch], None]] = {
    "decoder": lambda attempt, patch: setattr(attempt, "_decode_event", raise_defect),
    "framer": lambda attempt, patch: setattr(attempt, "_framer", BrokenFramer()),
    "accumulator": lambda attempt, patch: patch.setattr(ResponseAccumulator, "add", raise_defect),
    "engine's encoder": lambda attempt, patch: patch.setattr(EngineStream, "encode", raise_defect),
    "chat's encoder": lambda attempt, patch: patch.setattr(
        OpenAIChatStream, "encode", raise_defect
    ),
}


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (ask_engine_stream, "decoder"),
        (ask_engine_stream, "framer"),
        (ask_engine_stream, "accumulator"),
        (ask_engine_stream, "engine's encoder"),
        (ask_openai_stream, "decoder"),
        (ask_openai_stream, "framer"),
        (ask_openai_stream, "accumulator"),
        (ask_openai_stream, "chat's encoder"),
    ],
)
def test_a_defect_in_the_middle_of_a_stream_is_its_last_object(
    ask: Callable[[Pipe], None], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = Pipe(provider=replace(openai.PROVIDER, read_text=None))
    ask(pipe)
    pipe.upstream.stream(text("Hello"))
    assert b"Hello" in pipe.sink.body
    MIDDLE[what](pipe.call.attempt, monkeypatch)
    pipe.upstream.chunk(text("!"))
    assert pipe.sink.is_over
    lines = [line for line in pipe.sink.body.splitlines() if line]
    assert json.loads(lines[-1].removeprefix(b"data: "))["error"]["type"] == "protocol_error"
    assert pipe.upstream.history == ["cancel"]
    assert [(one.outcome, one.status) for one in pipe.records] == [("error", 200)]
    assert pipe.gateway.active == set()


def test_a_framer_that_fails_at_the_end_of_a_stream_ends_the_call() -> None:
    pipe = Pipe(provider=replace(openai.PROVIDER, framer=BrokenEnd))
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(text("Hello"))
    pipe.upstream.end()
    assert pipe.sink.is_over
    assert b"protocol_error" in pipe.sink.body
    assert pipe.gateway.active == set()


@pytest.mark.parametrize("ask", STREAMS)
def test_an_error_that_its_encoder_cannot_encode_is_an_error_in_the_stream_nevertheless(
    ask: Callable[[Pipe], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipe = Pipe()
    ask(pipe)
    pipe.upstream.stream(text("Hello"))
    monkeypatch.setattr(EngineStream, "fail", raise_defect)
    monkeypatch.setattr(OpenAIChatStream, "fail", raise_defect)
    pipe.upstream.chunk(event(None, error={"message": "out of memory"}))
    lines = [line for line in pipe.sink.body.splitlines() if line]
    assert json.loads(lines[-1].removeprefix(b"data: "))["error"]["message"] == "out of memory"
    assert pipe.sink.is_over
    assert [one.outcome for one in pipe.records] == ["error"]
    assert "the error of the request could not be encoded" in caplog.messages


@pytest.mark.parametrize("ask", [ask_engine, ask_engine_stream, ask_openai_stream])
def test_a_counter_of_tokens_that_fails_ends_the_call(ask: Callable[[Pipe], None]) -> None:
    pipe = Pipe()
    pipe.gateway.count = raise_defect
    ask(pipe)
    pipe.upstream.stream(ROLE, text("Hello"), STOP, b"data: [DONE]\n\n")
    assert pipe.sink.is_over
    assert b"protocol_error" in pipe.sink.body
    (record,) = pipe.records
    assert (record.outcome, record.tokens_source) == ("error", "estimated")
    assert pipe.gateway.active == set()


def test_a_sink_that_fails_leaves_nothing_pending(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.sink.send_headers = raise_defect
    pipe.sink.send_response = raise_defect
    pipe.upstream.stream(text("Hello"))
    assert pipe.upstream.history == ["cancel"]
    assert [one.outcome for one in pipe.records] == ["error"]
    assert pipe.gateway.active == set()


def test_a_client_that_leaves_while_its_sink_fails_leaves_nothing_pending() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(text("Hello"))
    pipe.call.attempt._pieces = [b"more"]  # type: ignore[union-attr]
    pipe.sink.write = raise_defect
    pipe.sink.leave()
    assert pipe.gateway.active == set()
    assert len(pipe.records) == 1


def test_a_call_is_retried_after_a_defect_of_an_adapter() -> None:
    pipe = Pipe(provider=replace(openai.PROVIDER, framer=BrokenFramer))
    pipe.ask(retries=1)
    pipe.upstream.stream(HELLO)
    assert len(pipe.upstream_requests) == 2


# --- Over sockets ---------------------------------------------------------------------------------

RUNS: list[Callable[[Coroutine[Any, Any, None]], None]] = [asyncio.run, uvloop.run]
SSE = [("content-type", "text/event-stream")]


@for_each("run", RUNS, ids=["asyncio", "uvloop"])
@for_each("ask", ALL)
@for_each("closes", [False, True], ids=["length", "close"])
def test_a_defect_ends_the_call_over_a_socket(
    run: Callable[[Coroutine[Any, Any, None]], None], ask: Callable[[Pipe], None], closes: bool
) -> None:
    broken = replace(
        openai.PROVIDER,
        summarize=None,
        read_text=None,
        decode_event=raise_defect,
        decode_response=raise_defect,
        decode_embeddings=raise_defect,
    )

    async def main() -> None:
        is_stream = ask not in (ask_openai, ask_embeddings)
        headers = SSE if is_stream else [("content-type", "application/json")]
        played = answer(HELLO if is_stream else WHOLE, headers=headers)
        if closes:
            head, _, body = played.partition(b"\r\n\r\n")
            lines = [line for line in head.split(b"\r\n") if b"content-length" not in line.lower()]
            played = b"\r\n".join([*lines, b"connection: close"]) + b"\r\n\r\n" + body
        async with ScriptedServer([[played, "close"] if closes else played]) as server:
            clock = asyncio.get_running_loop().time
            transport = HttpTransport(clock)
            timeouts = Timeouts(connect=5, first_byte=5, idle=5, total=5)
            pipe = Pipe(
                provider=broken, base_url=server.url, transport=transport, timeouts=timeouts
            )
            ask(pipe)
            async with asyncio.timeout(PATIENCE_S):
                while not pipe.sink.is_over:
                    await asyncio.sleep(0.005)
            assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (502, "protocol_error")
            assert [one.outcome for one in pipe.records] == ["error"]
            assert pipe.gateway.active == set()
            await transport.close()

    run(main())
