"""Google's finish reasons without usable output: a client of Google's own format gets them as the
provider gives them, any other gets an error."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.base import ClientRequest
from headway.dialects.gemini.generate import GenerateContent
from headway.providers import KINDS
from headway.providers.gemini.finish_reasons import FINISH_REASONS
from support.pipeline_fakes import JSON, SSE, Pipe

OPTIONS = {"project": "p"}
USAGE = {"promptTokenCount": 3, "totalTokenCount": 3}
FAILURES = (
    "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE",
    "PUP_LIMITED_DISABLED", "TOO_MANY_TOOL_CALLS", "UNEXPECTED_TOOL_CALL",
)  # fmt: skip


def answer(reason: str | int, *parts: Any) -> bytes:
    candidate: dict[str, Any] = {"finishReason": reason, "index": 0}
    candidate["finishMessage"] = "Malformed: f("
    if parts:
        candidate["content"] = {"parts": list(parts), "role": "model"}
    body = {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": "m"}
    return json.dumps(body).encode()


def ask(kind: str, *, stream: bool) -> Pipe:
    pipe = Pipe(provider=KINDS[kind], base_url="https://g.test/v1beta", options=OPTIONS)
    body = b'{"contents": [{"parts": [{"text": "Hi"}]}]}'
    asked = ClientRequest("openai/gemini-2.5-flash", (), body, "alt=sse")
    pipe.send(asked, GenerateContent(is_stream=stream))
    return pipe


def test_a_client_of_googles_format_gets_every_reason_as_it_is() -> None:
    for kind in ("gemini", "vertex"):
        for reason in (*FAILURES, *FINISH_REASONS, "OTHER", "NO_IMAGE", 9, 10):
            body = answer(reason)
            pipe = ask(kind, stream=False)
            pipe.upstream.whole(body)
            assert (pipe.sink.status, pipe.sink.body) == (200, body), (kind, reason)
            assert pipe.records[0].outcome == "ok"
            pipe = ask(kind, stream=True)
            pipe.upstream.respond(SSE)
            pipe.upstream.chunk(b"data: " + body + b"\n\n")
            pipe.upstream.end()
            assert pipe.sink.body == b"data: " + body + b"\r\n\r\n", (kind, reason)
            assert (pipe.records[0].outcome, pipe.records[0].input_tokens) == ("ok", 3)
    pipe = ask("gemini", stream=False)
    pipe.upstream.whole(answer("MALFORMED_FUNCTION_CALL"))
    assert pipe.records[0].finish_reason == "MALFORMED_FUNCTION_CALL"


def test_a_reason_after_content_is_passed_on_too() -> None:
    pipe = ask("gemini", stream=True)
    pipe.upstream.respond(SSE)
    pieces = (answer("FINISH_REASON_UNSPECIFIED", {"text": "a"}), answer("TOO_MANY_TOOL_CALLS"))
    for piece in pieces:
        pipe.upstream.chunk(b"data: " + piece + b"\n\n")
    pipe.upstream.end()
    assert pipe.sink.body == b"".join(b"data: " + piece + b"\r\n\r\n" for piece in pieces)


def test_any_other_client_gets_an_error() -> None:
    for reason in FAILURES:
        pipe = Pipe(provider=KINDS["gemini"])
        pipe.ask_openai()
        pipe.upstream.respond(JSON)
        pipe.upstream.chunk(answer(reason))
        pipe.upstream.end()
        assert pipe.sink.status == 502
        assert pipe.sink.json["error"]["code"] == reason
        assert pipe.records[0].error_code == reason
