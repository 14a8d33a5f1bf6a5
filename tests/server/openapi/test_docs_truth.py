"""Every reply of a running server fits the shape that its document describes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from headway.server.openapi.schemas import base, engine, models, openai
from support.for_each import for_each
from support.gateway_process import Gateway

ENGINE = "/api/engine/chat/echo"
OPENAI = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "one two three"}]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("truth")
    server = Gateway.start(directory, {"providers": {"echo": {"kind": "echo"}}})
    yield server
    server.stop()


def holds(model: type[BaseModel], value: Any) -> None:
    """The value is valid, and the model names all that is in it."""
    read = model.model_validate_json(json.dumps(value), strict=True)
    assert json.loads(read.model_dump_json(exclude_unset=True)) == value


@for_each(
    ("path", "model"),
    [
        ("/api/engine/providers", engine.ProviderNames),
        ("/api/engine/models", models.ModelsByProvider),
        ("/api/engine/models?provider=echo", models.ProviderModels),
        ("/api/engine/providers?details=1&all=1", models.ProvidersByName),
        ("/api/engine/parameters?provider=echo", engine.Parameters),
        ("/v1/models", openai.OpenAIModels),
        ("/health", engine.Health),
        ("/api/engine/parameters", base.ErrorReply),
        ("/api/engine/models?provider=nobody", base.ErrorReply),
        ("/nowhere", base.ErrorReply),
        ("/docs/nowhere", base.ErrorReply),
    ],
)
def test_a_reply_of_a_get_route_has_its_described_shape(
    gateway: Gateway, path: str, model: type[BaseModel]
) -> None:
    holds(model, gateway.client.get(path).json)


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        (ENGINE, {"model": "echo", "chat_input": "one two three"}, engine.EngineReply),
        (ENGINE, {"model": "echo", "chat_input": MESSAGES, "seed": 7}, engine.EngineReply),
        (OPENAI, {"model": "echo/echo", "messages": MESSAGES}, openai.OpenAIReply),
        (ENGINE, {"model": "echo"}, base.ErrorReply),
        (OPENAI, {"model": "echo", "messages": MESSAGES}, openai.OpenAIReply),
        (OPENAI, {"model": "nothing", "messages": MESSAGES}, base.ErrorReply),
    ],
)
def test_a_whole_reply_has_its_described_shape(
    gateway: Gateway, path: str, body: dict[str, Any], model: type[BaseModel]
) -> None:
    holds(model, gateway.client.call("POST", path, body).json)


def test_each_line_of_a_stream_has_its_described_shape(gateway: Gateway) -> None:
    body = {"model": "echo", "chat_input": "one two three", "is_stream": True}
    lines = gateway.client.call("POST", ENGINE, body).body.splitlines()
    assert len(lines) > 2
    for line in lines:
        holds(engine.EngineChunk, json.loads(line))


def test_each_event_of_a_stream_has_its_described_shape(gateway: Gateway) -> None:
    body = {"model": "echo/echo", "messages": MESSAGES, "stream": True}
    events = gateway.client.call("POST", OPENAI, body).body.split(b"\n\n")
    *chunks, done, rest = [event.removeprefix(b"data: ") for event in events]
    assert (done, rest) == (b"[DONE]", b"")
    assert len(chunks) > 2
    for chunk in chunks:
        holds(openai.OpenAIChunk, json.loads(chunk))


def test_the_headers_of_a_whole_reply_are_described(gateway: Gateway) -> None:
    document = gateway.client.get("/openapi.json").json
    described = document["paths"][OPENAI]["post"]["responses"]["200"]["headers"]
    body = {"model": "echo/echo", "messages": MESSAGES}
    headers = gateway.client.call("POST", OPENAI, body).headers
    ours = {name for name in headers if name.startswith(("x-", "server-"))}
    assert {"x-request-id", "x-headway-latency-ms", "server-timing"} <= ours <= set(described)
