"""Metrics that a client asks for: in a stream's last event, and in the header of a whole reply."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from support.pipeline_fakes import HELLO, OPENAI, WHOLE, Pipe
from support.played_dialects import REQUESTS

ASKED = [{"role": "user", "content": "Hi"}]
HEADER = (b"x-headway-metrics", b"1")
VECTORS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
    "model": "m",
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}


def calls(is_stream: bool) -> dict[str, tuple[Dialect, ClientRequest]]:
    fields = {"model": "openai/gpt-4o", "messages": ASKED, "stream": is_stream}
    request = ClientRequest("", (), json.dumps(fields).encode())
    more = " stream" if is_stream else ""
    return {
        "openai": (OPENAI, request),
        "ollama": (OllamaChat(), request),
        **{name: REQUESTS[name + more] for name in ("anthropic", "responses", "gemini")},
    }


def run(dialect: Dialect, asked: ClientRequest, is_stream: bool) -> Pipe:
    pipe = Pipe()
    pipe.send(ClientRequest(asked.argument, (HEADER,), asked.body, asked.query), dialect)
    pipe.clock.now += 0.5
    if is_stream:
        pipe.upstream.stream(HELLO)
    else:
        pipe.upstream.whole(WHOLE)
    return pipe


def check(metrics: Any) -> None:
    assert metrics["input_tokens"] == 6
    assert metrics["cost_usd"] == 0.000058
    assert metrics["latency_s"] == 0.5
    assert metrics["deployment"] == "gpt-4o-2024-08-06"


def test_a_header_asks_every_dialects_stream() -> None:
    for name, (dialect, asked) in calls(is_stream=True).items():
        body = run(dialect, asked, is_stream=True).sink.body
        assert body.count(b'"metrics":{') == 1, name
        at = body.index(b'"metrics":') + len(b'"metrics":')
        check(json.JSONDecoder().raw_decode(body[at:].decode())[0])


def test_a_whole_reply_has_them_in_a_header_and_its_body_as_it_was() -> None:
    for name, (dialect, asked) in calls(is_stream=False).items():
        sink = run(dialect, asked, is_stream=False).sink
        check(json.loads(sink.headers[b"x-headway-metrics"]))
        assert b'"metrics"' not in sink.body, name


def test_embeddings_have_them_too() -> None:
    pipe = Pipe()
    body = json.dumps({"model": "openai/gpt-4o", "input": "Hi"}).encode()
    pipe.send(ClientRequest("", (HEADER,), body), OpenAIEmbeddings())
    pipe.upstream.whole(json.dumps(VECTORS).encode())
    assert json.loads(pipe.sink.headers[b"x-headway-metrics"])["input_tokens"] == 1


def test_a_streams_options_ask_for_them_without_the_providers_knowledge() -> None:
    pipe = Pipe()
    options = {"include_metrics": True, "include_usage": True}
    pipe.ask_openai(stream=True, stream_options=options)
    assert b"include_metrics" not in pipe.upstream.request.body
    pipe.upstream.stream(HELLO)
    *_, usage, measured, done, rest = pipe.sink.body.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    assert json.loads(usage.removeprefix(b"data: "))["usage"]["total_tokens"] == 32
    last = json.loads(measured.removeprefix(b"data: "))
    assert (last["choices"], last["metrics"]["total_tokens"]) == ([], 32)


def test_a_name_of_any_length_and_script_fits_in_the_header() -> None:
    pipe = Pipe()
    named = json.dumps({**json.loads(WHOLE), "model": "\u6a21\r\n" * 9000}).encode()
    pipe.ask_openai(HEADER)
    pipe.upstream.whole(named)
    value = pipe.sink.headers[b"x-headway-metrics"]
    assert value.isascii()
    assert len(value) < 4096
    assert json.loads(value)["deployment"].startswith("\u6a21\r\n")


def test_nothing_is_shown_that_was_not_asked_for() -> None:
    pipe = Pipe()
    pipe.ask_openai((b"x-headway-metrics", b"0"))
    pipe.upstream.whole(WHOLE)
    assert b"x-headway-metrics" not in pipe.sink.headers
