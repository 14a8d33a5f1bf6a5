"""Errors in place of an answer of status 200: the client gets the provider's words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.errors import UpstreamDisconnected
from headway.providers.registry import entries
from support.for_each import for_each
from support.pipeline_fakes import DONE, JSON, ROLE, SSE, STOP, WHOLE, Pipe, text

KINDS = {
    name: entries()[name].provider
    for name in (
        "openai",
        "azure_openai",
        "openai_responses",
        "anthropic",
        "gemini",
        "vertex",
        "cohere",
        "ollama",
        "mistral",
        "openrouter",
        "minimax",
        "vllm",
    )
}
EACH_KIND = for_each("kind", KINDS)
WORDS = "Out of memory"
OBJECTS: list[Any] = [
    {"choices": None, "error_type": "x", "error_message": WORDS},
    {"object": "error", "message": WORDS},
    {"code": 1301, "msg": WORDS, "success": False},
    {"detail": WORDS},
    {"detail": [{"loc": ["body"], "msg": WORDS}]},
    {"error": WORDS},
    {"error": {"message": WORDS, "code": 404}},
    {"errors": [{"message": WORDS}]},
    {"error": True, "message": WORDS},
    {"error": "Internal Server Error", "message": WORDS, "status": 500},
    {"error": 1, "msg": WORDS},
    {"Response": {"Error": {"Message": WORDS}}},
    {"status": {"code": 3, "message": WORDS}},
    WORDS,
]
UNKNOWN = b'{"info": "%s"}' % WORDS.encode()
"""Not recognizably an error, but what came in place of an answer."""
TEXTS = [b"error: " + WORDS.encode(), b"<html><b>" + WORDS.encode() + b"</b></html>"]
BODIES = [*(json.dumps(each).encode() for each in OBJECTS), *TEXTS]
EACH_BODY = for_each("body", BODIES)


def ask(pipe: Pipe, how: str) -> None:
    if how == "relayed":
        pipe.ask_openai(stream=True)
    elif how == "whole":
        pipe.ask_openai()
    elif how == "embeddings":
        asked = {"model": "openai/m", "input": "Hi"}
        pipe.send(ClientRequest("", (), json.dumps(asked).encode()), OpenAIEmbeddings())
    else:
        pipe.ask(is_stream=how == "lines")


def check_words(pipe: Pipe) -> None:
    error = json.loads(pipe.sink.body)["error"]
    assert WORDS in error["message"]
    assert pipe.sink.status in (400, 404, 502)
    (record,) = pipe.records
    assert (record.outcome, record.error_message) == ("error", error["message"])


@EACH_KIND
@EACH_BODY
@for_each("how", ["whole", "joined", "lines"])
def test_an_error_in_place_of_a_body_has_the_providers_words(
    kind: str, body: bytes, how: str
) -> None:
    pipe = Pipe(provider=KINDS[kind])
    ask(pipe, how)
    pipe.upstream.whole(body)
    check_words(pipe)


@EACH_BODY
@for_each(
    "kind", [name for name, provider in KINDS.items() if provider.decode_embeddings is not None]
)
def test_an_error_in_place_of_embeddings_has_the_providers_words(kind: str, body: bytes) -> None:
    pipe = Pipe(provider=KINDS[kind])
    ask(pipe, "embeddings")
    pipe.upstream.whole(body)
    check_words(pipe)


@EACH_KIND
@for_each("how", ["whole", "joined", "lines"])
def test_what_comes_in_place_of_a_body_is_told(kind: str, how: str) -> None:
    pipe = Pipe(provider=KINDS[kind])
    ask(pipe, how)
    pipe.upstream.whole(UNKNOWN)
    assert f'"{WORDS}"' in json.loads(pipe.sink.body)["error"]["message"]


@EACH_KIND
def test_what_comes_in_place_of_a_stream_is_told(kind: str) -> None:
    pipe = Pipe(provider=KINDS[kind])
    ask(pipe, "lines")
    pipe.upstream.respond(JSON if kind == "ollama" else SSE)
    pipe.upstream.chunk(UNKNOWN if kind == "ollama" else as_data(UNKNOWN))
    pipe.upstream.end()
    assert f"It said: {UNKNOWN.decode()}" in json.loads(pipe.sink.body)["error"]["message"]


@pytest.mark.parametrize("body", [b"", b" \r\n"])
@pytest.mark.parametrize("how", ["whole", "joined"])
def test_an_empty_body_is_an_empty_answer(body: bytes, how: str) -> None:
    pipe = Pipe()
    ask(pipe, how)
    pipe.upstream.whole(body)
    assert json.loads(pipe.sink.body)["error"]["message"].endswith("an empty answer.")


@pytest.mark.parametrize("how", ["whole", "joined"])
def test_an_answer_may_begin_with_a_byte_order_mark(how: str) -> None:
    pipe = Pipe()
    ask(pipe, how)
    pipe.upstream.whole(b"\xef\xbb\xbf" + WHOLE)
    assert pipe.sink.status == 200
    assert pipe.sink.json


def as_data(body: bytes) -> bytes:
    return b"data: " + body + b"\n\n"


def as_named_event(body: bytes) -> bytes:
    return b"event: error\ndata: " + body + b"\n\n"


FRAMINGS: list[Callable[[bytes], bytes]] = [as_data, as_named_event, bytes]


@EACH_KIND
@EACH_BODY
@for_each("frame", FRAMINGS)
def test_an_error_in_place_of_a_stream_has_the_providers_words(
    kind: str, body: bytes, frame: Callable[[bytes], bytes]
) -> None:
    pipe = Pipe(provider=KINDS[kind])
    ask(pipe, "lines")
    pipe.upstream.respond(JSON if kind == "ollama" else SSE)
    pipe.upstream.chunk(body if kind == "ollama" else frame(body))
    if not pipe.sink.is_over:
        pipe.upstream.end()
    check_words(pipe)


@EACH_BODY
@for_each("how", ["relayed", "lines", "joined"])
def test_an_error_after_content_ends_the_stream_with_the_providers_words(
    body: bytes, how: str
) -> None:
    pipe = Pipe()
    ask(pipe, how)
    pipe.upstream.stream(ROLE, text("a"), text("b"), as_data(body))
    assert pipe.sink.is_over
    assert WORDS.encode() in pipe.sink.body
    (record,) = pipe.records
    assert record.outcome == "error"
    assert WORDS in (record.error_message or "")


@EACH_BODY
@for_each("content_type", [b"text/html", b"text/plain", b"application/problem+json"])
def test_a_body_of_another_content_type_has_the_providers_words(
    body: bytes, content_type: bytes
) -> None:
    pipe = Pipe()
    ask(pipe, "relayed")
    pipe.upstream.respond([(b"content-type", content_type)])
    pipe.upstream.chunk(body)
    if not pipe.sink.is_over:
        pipe.upstream.end()
    check_words(pipe)


@EACH_BODY
def test_a_text_in_place_of_an_aws_stream_has_the_providers_words(body: bytes) -> None:
    provider = entries()["bedrock"].provider
    pipe = Pipe(provider=provider, options={"region": "us-east-1"})
    ask(pipe, "lines")
    pipe.upstream.respond([(b"content-type", b"application/vnd.amazon.eventstream")])
    pipe.upstream.chunk(body)
    check_words(pipe)


def test_an_empty_list_of_choices_is_no_answer() -> None:
    pipe = Pipe()
    ask(pipe, "whole")
    said = {**json.loads(WHOLE), "choices": []}
    pipe.upstream.whole(json.dumps(said).encode())
    assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (502, "protocol_error")


def test_an_end_mark_after_an_error_does_not_complete_the_stream() -> None:
    pipe = Pipe()
    ask(pipe, "joined")
    pipe.upstream.stream(ROLE, text("a"), as_data(BODIES[1]), DONE)
    assert pipe.records[0].outcome == "error"


def test_an_error_field_without_a_value_is_none() -> None:
    pipe = Pipe()
    ask(pipe, "joined")
    odd = text("a").replace(b'"choices"', b'"error": "", "choices"')
    pipe.upstream.stream(ROLE, odd, STOP, DONE)
    assert pipe.records[0].outcome == "ok"


def test_the_status_on_record_is_the_one_that_the_dialect_sends() -> None:
    messages = json.dumps(
        {"model": "openai/m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    ).encode()

    failed = Pipe()
    failed.send(ClientRequest("", (), messages), AnthropicMessages())
    failed.upstream.fail(UpstreamDisconnected("It broke."))
    assert (failed.sink.status, failed.records[-1].status) == (500, 500)  # of its own it is 502

    refused = Pipe()
    refused.send(ClientRequest("", (), b'{"model": "openai/m"}'), AnthropicMessages())
    assert (refused.sink.status, refused.records[-1].status) == (400, 400)  # 422

    left = Pipe()
    left.send(ClientRequest("", (), messages), AnthropicMessages())
    left.sink.leave()
    assert (left.sink.status, left.records[-1].status) == (None, 499)
