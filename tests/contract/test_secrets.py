"""No planted key comes out of any server of this suite; the search for them runs last."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from support.gateway_process import BODY_KEY, PLANTED, SERVER_KEY, SERVER_MODES, Gateway
from support.openai_completions import error_body, role, text
from support.openai_upstream import EOF, Answer, Upstream

JSON = (("content-type", "application/json"),)


def echoing(key: str, status: int) -> Answer:
    """A provider that says the key aloud, as real ones do, in its body and in a header."""
    body = error_body(f"Incorrect API key provided: {key}.", "invalid_request_error", "bad_key")
    return Answer((body,), status=status, headers=(*JSON, ("x-said", key)))


def in_stream(key: str) -> Answer:
    error = {"error": {"message": f"The key {key} expired", "type": "auth"}}
    event = b"data: " + json.dumps(error).encode() + b"\n\n"
    return Answer((role(), text("Hello"), event, EOF))


ANSWERS: dict[str, Callable[[str], Answer]] = {
    "401": lambda key: echoing(key, 401),
    "400": lambda key: echoing(key, 400),
    "500": lambda key: echoing(key, 500),
    "in the stream": in_stream,
    "not HTTP": lambda key: Answer((), raw=f"{key} is what I got\r\n\r\n".encode()),
    "not JSON": lambda key: Answer((f"data: {{{key}\n\n".encode(), EOF)),
    "a plain page": lambda key: Answer((key.encode(),), status=403, headers=()),
}
CALLS: dict[str, dict[str, Any]] = {
    "of the server": {},
    "of the caller": {"api_key": BODY_KEY},
}


@pytest.mark.parametrize("whose", CALLS)
@pytest.mark.parametrize("name", ANSWERS)
def test_a_key_quoted_by_the_provider_is_redacted(
    gateway: Gateway, upstream: Upstream, name: str, whose: str
) -> None:
    fields = CALLS[whose]
    key = fields.get("api_key", SERVER_KEY)
    upstream.play(ANSWERS[name](key))
    for is_stream in (False, True):
        reply = gateway.chat(is_stream=is_stream, **fields)
        assert key.encode() not in reply.body
        assert key not in str(reply.headers)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_quoted_key_is_redacted_in_openais_dialect(
    gateway: Gateway, upstream: Upstream, name: str
) -> None:
    upstream.play(ANSWERS[name](SERVER_KEY))
    body = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
    for stream in (False, True):
        said = gateway.client.call("POST", "/v1/chat/completions", {**body, "stream": stream})
        assert SERVER_KEY.encode() not in said.body
        assert SERVER_KEY not in str(said.headers)


MISPLACED: dict[str, Any] = {
    "in a list": {"api_key": [BODY_KEY]},
    "in an object": {"api_key": {"key": BODY_KEY}},
    "with a wrong field": {"api_key": BODY_KEY, "chat_input": 7},
    "with a newline": {"api_key": BODY_KEY + "\r\nx-evil: 1"},
    "in the address": {"base_url": f"http://user:{BODY_KEY}@127.0.0.1:1/v1"},
    "with an address that fails": {"api_key": BODY_KEY, "base_url": "http://127.0.0.1:1/v1"},
    "with no address": {"api_key": BODY_KEY, "base_url": "nonsense"},
}


@pytest.mark.parametrize("name", MISPLACED)
def test_a_key_in_a_refused_request_is_not_repeated(gateway: Gateway, name: str) -> None:
    reply = gateway.chat(**MISPLACED[name])
    assert 400 <= reply.status < 600
    assert BODY_KEY.encode() not in reply.body


def test_no_output_of_the_configuration_contains_a_key(server: Gateway) -> None:
    for path in ("providers", "models", "parameters?provider=openai"):
        body = server.client.get(f"/api/engine/{path}").body
        assert not [key for key in PLANTED if key.encode() in body]


@pytest.mark.parametrize("which", SERVER_MODES)
def test_no_planted_key_came_out_of_the_whole_suite(
    shared: Callable[[str], Gateway], which: str
) -> None:
    """Logs, replies, spool and every other file; the fixtures hold the other servers to it too."""
    gateway = shared(which)
    gateway.chat("echo", model="echo", api_key=BODY_KEY)  # the others may have run elsewhere
    assert gateway.records(), "nothing was recorded, so nothing was searched"
    assert gateway.output
    assert gateway.seen
    assert gateway.leaks() == []
