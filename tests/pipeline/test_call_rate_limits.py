"""Rate limits and advice on retries: from the provider's headers to the client's own names."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.ollama.chat import OllamaChat
from headway.types import Headers
from support.pipeline_fakes import ENGINE, HELLO, JSON, OPENAI, SSE, WHOLE, Pipe
from support.played_dialects import REQUESTS
from support.played_script import adapter
from support.wire_scripts import SCRIPTS, Pieces

ASKED = [{"role": "user", "content": "Hi"}]
OPENAI_LIMITS: Headers = [
    (b"x-ratelimit-limit-requests", b"5000"),
    (b"x-ratelimit-remaining-requests", b"4999"),
    (b"x-ratelimit-reset-requests", b"6m0s"),
    (b"x-ratelimit-limit-tokens-usage-based", b"9"),
]
IN_ANTHROPICS_NAMES = {
    b"anthropic-ratelimit-requests-limit": b"5000",
    b"anthropic-ratelimit-requests-remaining": b"4999",
    b"anthropic-ratelimit-requests-reset": b"2023-11-14T22:36:00Z",
}
LIMITED = json.dumps({"error": {"message": "Slow down", "type": "rate_limit_error"}}).encode()


def limits_of(head: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {name: value for name, value in head.items() if b"ratelimit" in name}


def chat(is_stream: bool = False) -> ClientRequest:
    fields = {"model": "openai/gpt-4o", "messages": ASKED, "stream": is_stream}
    return ClientRequest("", (), json.dumps(fields).encode())


def calls(is_stream: bool) -> list[tuple[str, Dialect, ClientRequest, dict[bytes, bytes]]]:
    """The calls of each dialect, and the limits that they see."""
    more = " stream" if is_stream else ""
    common = dict(OPENAI_LIMITS[:3])
    engine = {"model": "gpt-4o", "chat_input": "Hi", "is_stream": is_stream}
    asked = ClientRequest("openai", (), json.dumps(engine).encode())
    return [
        ("openai", OPENAI, chat(is_stream), dict(OPENAI_LIMITS)),
        ("engine", ENGINE, asked, common),
        ("responses", *REQUESTS["responses" + more], common),
        ("anthropic", *REQUESTS["anthropic" + more], IN_ANTHROPICS_NAMES),
        ("gemini", *REQUESTS["gemini" + more], {}),
        ("ollama", OllamaChat(), chat(is_stream), {}),
    ]


def test_a_reply_has_the_limits_in_its_dialects_names() -> None:
    for is_stream in (False, True):
        for name, dialect, asked, expected in calls(is_stream):
            pipe = Pipe()
            pipe.send(asked, dialect)
            if is_stream or name == "engine":
                pipe.upstream.respond([*SSE, *OPENAI_LIMITS])
                pipe.upstream.chunk(HELLO)
            else:
                pipe.upstream.whole(WHOLE, 200, *OPENAI_LIMITS)
            assert pipe.sink.status == 200
            assert limits_of(pipe.sink.headers) == expected, (name, is_stream)


def test_an_error_has_them_too_and_the_time_to_wait() -> None:
    for name, dialect, asked, expected in calls(is_stream=False):
        pipe = Pipe()
        pipe.send(asked, dialect)
        waits = [(b"retry-after", b"2"), (b"retry-after-ms", b"1500")]
        pipe.upstream.whole(LIMITED, 429, *OPENAI_LIMITS, *waits)
        head = pipe.sink.headers
        assert pipe.sink.status == 429, name
        assert limits_of(head) == expected, name
        assert (head[b"retry-after"], head[b"retry-after-ms"]) == (b"2", b"1500"), name
        if name == "gemini":
            assert pipe.sink.json["error"]["details"][-1]["retryDelay"] == "1.5s"


def test_limits_of_another_wire_format_are_translated() -> None:
    script = SCRIPTS["anthropic"](Pieces())
    told = [*IN_ANTHROPICS_NAMES.items(), (b"anthropic-priority-input-tokens-limit", b"5")]
    for dialect, asked, expected in (
        (OPENAI, chat(), dict(OPENAI_LIMITS[:3])),
        (*REQUESTS["anthropic"], IN_ANTHROPICS_NAMES),
    ):
        pipe = Pipe(provider=adapter("anthropic"))
        pipe.clock.now = 1000.0
        pipe.send(asked, dialect)
        pipe.upstream.whole(json.dumps(script.whole).encode(), 200, *told)
        assert pipe.sink.status == 200
        assert limits_of(pipe.sink.headers) == expected
        is_same = dialect is not OPENAI
        assert (b"anthropic-priority-input-tokens-limit" in pipe.sink.headers) is is_same


def test_a_wait_until_a_date_is_passed_on() -> None:
    for value, shown in (
        (b"Wed, 21 Oct 2026 07:28:00 GMT", b"Wed, 21 Oct 2026 07:28:00 GMT"),
        (b"soon", None),
    ):
        pipe = Pipe()
        pipe.ask_openai()
        pipe.upstream.whole(LIMITED, 429, (b"retry-after", value))
        assert pipe.sink.headers.get(b"retry-after") == shown


def advice(status: int, error: dict[str, Any], *headers: tuple[bytes, bytes]) -> Any:
    pipe = Pipe()
    pipe.ask_openai()
    pipe.upstream.whole(json.dumps({"error": error}).encode(), status, *headers)
    assert pipe.sink.status == status
    return pipe.sink.headers.get(b"x-should-retry")


def test_the_providers_advice_on_retries_is_passed_on() -> None:
    for told in (b"true", b"false"):
        assert advice(429, {"message": "x"}, (b"x-should-retry", told)) == told
        assert advice(400, {"message": "x"}, (b"x-should-retry", told)) == told
    assert advice(429, {"message": "x"}, (b"x-should-retry", b"perhaps")) is None


def test_advice_is_given_where_the_status_would_lead_astray() -> None:
    assert advice(429, {"message": "x", "code": "insufficient_quota"}) == b"false"
    assert advice(429, {"message": "x"}) is None
    assert advice(400, {"message": "x"}) is None
    assert advice(503, {"message": "x"}) is None


def test_the_gateway_obeys_the_providers_advice() -> None:
    pipe = Pipe()
    body = json.dumps({"model": "gpt-4o", "chat_input": "Hi", "retries": 1}).encode()
    pipe.send(ClientRequest("openai", (), body))
    pipe.upstream.whole(LIMITED, 429, (b"x-should-retry", b"false"))
    assert pipe.sink.status == 429
    assert len(pipe.upstream_requests) == 1
    assert pipe.sink.headers[b"content-type"] == dict(JSON)[b"content-type"]


def test_a_request_that_went_in_a_circle_is_not_to_be_sent_again() -> None:
    pipe = Pipe()
    pipe.ask_openai((b"cdn-loop", pipe.gateway.gateway_id.encode()))
    assert pipe.sink.status == 508
    assert pipe.sink.headers[b"x-should-retry"] == b"false"
