"""A client's own x-request-id on the routes of every dialect, whole and streamed."""

from __future__ import annotations

from typing import Any

import pytest

from headway.dialects.openai.relayed import OpenAIRelayed
from headway.server.routes import DIALECTS
from support.gateway_process import Gateway
from support.openai_completions import role, text
from support.openai_upstream import CUT, Answer, Upstream
from support.waiting import until

OWN_ID = "trace/72f3:a.b=c@d+e_f-1"
ASKED = [{"role": "user", "content": "Hi"}]
GOOGLE = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
EMBEDDED = {"content": {"parts": [{"text": "Hi"}]}}

RELAYED = {"input": "Hi", "query": "a", "documents": ["a"]}
"""A request that is none of a chat, and has the fields of each such route."""
RELAYED_ROUTES = [dialect.route for _, dialect in DIALECTS if isinstance(dialect, OpenAIRelayed)]


def requests(model: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """A request of each route, by the template of its path."""
    provider, _, name = model.partition("/")
    return {
        "/api/engine/chat/{provider}": (
            f"/api/engine/chat/{provider}",
            {"model": name, "chat_input": "Hi"},
        ),
        "/v1/chat/completions": ("/v1/chat/completions", {"model": model, "messages": ASKED}),
        "/v1/embeddings": ("/v1/embeddings", {"model": model, "input": "Hi"}),
        "/v1/responses": ("/v1/responses", {"model": model, "input": "Hi"}),
        "/v1/messages": ("/v1/messages", {"model": model, "max_tokens": 9, "messages": ASKED}),
        "/v1beta/models/{model}:generateContent": (
            f"/v1beta/models/{model}:generateContent",
            GOOGLE,
        ),
        "/v1beta/models/{model}:streamGenerateContent": (
            f"/v1beta/models/{model}:streamGenerateContent?alt=sse",
            GOOGLE,
        ),
        "/v1beta/models/{model}:embedContent": (
            f"/v1beta/models/{model}:embedContent",
            EMBEDDED,
        ),
        "/v1beta/models/{model}:batchEmbedContents": (
            f"/v1beta/models/{model}:batchEmbedContents",
            {"requests": [{"model": f"models/{model}", **EMBEDDED}]},
        ),
        "/api/chat": ("/api/chat", {"model": model, "messages": ASKED, "stream": False}),
        "/api/generate": ("/api/generate", {"model": model, "prompt": "Hi", "stream": False}),
        "/api/embed": ("/api/embed", {"model": model, "input": "Hi"}),
        "/api/embeddings": ("/api/embeddings", {"model": model, "prompt": "Hi"}),
        "/v1/completions": ("/v1/completions", {"model": model, "prompt": "Hi"}),
        "/v1/fim/completions": ("/v1/fim/completions", {"model": model, "prompt": "Hi"}),
        **{route: (route, {"model": model, **RELAYED}) for route in RELAYED_ROUTES},
    }


ROUTES = [dialect.route for _, dialect in DIALECTS]
WITHOUT_ID = ("/api/chat", "/api/generate", "/api/embed", "/api/embeddings")
"""Ollama's errors are a text alone, so that the id is in the header only."""
STREAMED = {
    "/api/engine/chat/{provider}": {"is_stream": True},
    "/v1/chat/completions": {"stream": True},
    "/v1/responses": {"stream": True},
    "/v1/messages": {"stream": True},
    "/v1beta/models/{model}:streamGenerateContent": {},
    "/api/chat": {"stream": True},
    "/api/generate": {"stream": True},
}


def call(gateway: Gateway, route: str, model: str, **more: Any) -> Any:
    path, body = requests(model)[route]
    return gateway.client.call("POST", path, {**body, **more}, {"x-request-id": OWN_ID})


def recorded(gateway: Gateway, before: int) -> str:
    until(lambda: len(gateway.records()) > before)
    return str(gateway.records()[-1]["request_id"])


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in RELAYED_ROUTES])
def test_it_is_in_the_header_of_a_reply_and_in_its_record(gateway: Gateway, route: str) -> None:
    before = len(gateway.records())
    reply = call(gateway, route, "echo/echo")
    assert (reply.status, reply.headers["x-request-id"]) == (200, OWN_ID)
    assert recorded(gateway, before) == OWN_ID


@pytest.mark.parametrize("route", ROUTES)
def test_it_is_in_header_and_body_of_an_error(gateway: Gateway, route: str) -> None:
    before = len(gateway.records())
    reply = call(gateway, route, "nobody/m")
    assert (reply.status, reply.headers["x-request-id"]) == (404, OWN_ID)
    assert (OWN_ID in reply.body.decode()) is (route not in WITHOUT_ID)
    assert recorded(gateway, before) == OWN_ID


@pytest.mark.parametrize("route", ROUTES)
def test_it_takes_the_place_of_the_providers_in_an_error(
    gateway: Gateway, upstream: Upstream, route: str
) -> None:
    json = ("content-type", "application/json")
    refusal = (b'{"error":{"message":"No.","code":"no"}}',)
    upstream.play(Answer(refusal, status=400, headers=(json, ("x-request-id", "theirs"))))
    reply = call(gateway, route, "openai/gpt-4o")
    assert (reply.status, reply.headers["x-request-id"]) == (400, OWN_ID)
    assert (OWN_ID in reply.body.decode()) is (route not in WITHOUT_ID)
    assert "theirs" not in reply.body.decode()
    until(lambda: gateway.records()[-1]["upstream_request_id"] == "theirs")


@pytest.mark.parametrize("route", STREAMED)
def test_it_is_in_the_error_that_ends_a_stream(
    gateway: Gateway, upstream: Upstream, route: str
) -> None:
    upstream.play(Answer((role(), text("Hello"), CUT)))
    reply = call(gateway, route, "openai/gpt-4o", **STREAMED[route])
    assert (reply.status, reply.headers["x-request-id"]) == (200, OWN_ID)
    assert "Hello" in reply.body.decode()
    assert (OWN_ID in reply.body.decode()) is (route not in WITHOUT_ID)


@pytest.mark.parametrize("route", ROUTES)
def test_without_one_each_request_gets_its_own(gateway: Gateway, route: str) -> None:
    path, body = requests("echo/echo")[route]
    ids = {gateway.client.call("POST", path, body).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
