"""A provider's failure inside of a stream with status 200 leads to the next target, on every wire
and in every dialect, as long as no content came: the beginning of a stream is none."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai.completions import OpenAICompletions
from headway.dialects.openai_responses.dialect import OpenAIResponses
from support.event_stream_messages import encode_message
from support.for_each import for_each
from support.pipeline_fakes import HELLO, OPENAI
from support.routed_pipe import ROUTE, RoutedPipe
from support.wire_scripts import EVENT_STREAM, NDJSON, SCRIPTS, SSE, Pieces, write_data, write_named

ASKED = [{"role": "user", "content": "Hi"}]
Sent = tuple[Dialect, ClientRequest]


def body(**fields: Any) -> bytes:
    return json.dumps({"model": ROUTE, "stream": True, **fields}).encode()


DIALECTS: dict[str, Sent] = {
    "chat": (OPENAI, ClientRequest("", (), body(messages=ASKED))),
    "completions": (OpenAICompletions(), ClientRequest("", (), body(prompt="Hi"))),
    "responses": (OpenAIResponses(), ClientRequest("", (), body(input="Hi"))),
    "messages": (AnthropicMessages(), ClientRequest("", (), body(messages=ASKED, max_tokens=9))),
    "gemini": (
        GenerateContent(is_stream=True),
        ClientRequest(ROUTE, (), b'{"contents": [{"parts": [{"text": "Hi"}]}]}', "alt=sse"),
    ),
    "ollama": (OllamaChat(), ClientRequest("", (), body(messages=ASKED))),
}
BUSY = {"type": "overloaded_error", "message": "Overloaded"}
FAILURES: dict[str, tuple[str, str, bytes]] = {
    "OpenAI": ("openai", SSE, write_data("", {"error": BUSY})),
    "Anthropic": ("anthropic", SSE, write_named("error", {"type": "error", "error": BUSY})),
    "Responses": (
        "openai_responses",
        SSE,
        write_named(
            "response.failed",
            {
                "type": "response.failed",
                "sequence_number": 2,
                "response": {
                    "id": "resp_1",
                    "status": "failed",
                    "error": {"code": "server_error", "message": "Overloaded"},
                },
            },
        ),
    ),
    "Responses, an error event": (
        "openai_responses",
        SSE,
        write_named(
            "error",
            {
                "type": "error",
                "sequence_number": 2,
                "code": "server_error",
                "message": "Overloaded",
            },
        ),
    ),
    "Gemini": (
        "gemini",
        SSE,
        write_data("", {"error": {"code": 503, "status": "UNAVAILABLE", "message": "Overloaded"}}),
    ),
    "Ollama": ("ollama", NDJSON, b'{"error": "Overloaded"}\n'),
    "Cohere": ("cohere", SSE, write_data("", {"message": "Overloaded"})),
    "Bedrock": (
        "bedrock",
        EVENT_STREAM,
        encode_message(
            {":message-type": "exception", ":exception-type": "throttlingException"},
            b'{"message": "Overloaded"}',
        ),
    ),
}


def beginning(kind: str) -> bytes:
    """The first event of a stream, where it says nothing."""
    found = [make(Pieces()) for make in SCRIPTS.values() if make(Pieces()).kind == kind]
    if not found or kind in ("gemini", "ollama"):
        return b""
    return found[0].write(*found[0].events[0])


@for_each("dialect", DIALECTS)
@for_each("failure", FAILURES)
def test_a_failure_inside_of_a_stream_leads_to_the_next_target(failure, dialect) -> None:
    kind, content_type, error = FAILURES[failure]
    pipe = RoutedPipe(
        kinds={"one": kind, "two": "openai"},
        upstreams={"one": {"options": {"region": "eu-west-1"}}} if kind == "bedrock" else None,
    )
    encoder, request = DIALECTS[dialect]
    pipe.send(request, encoder)
    first = pipe.asked("one")
    first.respond([(b"content-type", content_type.encode())])
    if start := beginning(kind):
        first.chunk(start)
    first.chunk(error)
    assert pipe.sink.got == [], "nothing has reached the client"
    assert pipe.requests == (1, 1)
    pipe.asked("two").stream(HELLO)
    assert pipe.sink.is_over
    assert b"Hello" in pipe.sink.body
    assert b"Overloaded" not in pipe.sink.body
    for once in (
        b"event: message_start",
        b"event: response.created",
        b'"role":"assistant","content":""',
    ):
        assert pipe.sink.body.count(once) <= 1
    assert [record.outcome for record in pipe.records] == ["error", "ok"]
    assert "Overloaded" in (pipe.records[0].error_message or "")
