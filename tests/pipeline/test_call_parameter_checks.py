"""The engine route checks parameters by the provider's table of them; in every other dialect, the
client's parameters are the provider's to refuse."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai.completions import OpenAICompletions
from support.for_each import for_each
from support.pipeline_fakes import ENGINE, OPENAI, Pipe
from support.played_dialects import REQUESTS

TOO_HOT = 3
"""OpenAI's temperature is at most 2."""
MODEL = {"model": "openai/gpt-4o"}
ASKED = [{"role": "user", "content": "Hi"}]
HOT = {"temperature": TOO_HOT}


def adding(name: str, **fields: Any) -> tuple[Dialect, ClientRequest]:
    dialect, asked = REQUESTS[name]
    body = json.dumps({**json.loads(asked.body), **fields}).encode()
    return dialect, ClientRequest(asked.argument, (), body)


def asking(dialect: Dialect, **fields: Any) -> tuple[Dialect, ClientRequest]:
    return dialect, ClientRequest("", (), json.dumps({**MODEL, **fields}).encode())


CALLS: dict[str, tuple[Dialect, ClientRequest]] = {
    "chat": asking(OPENAI, messages=ASKED, **HOT),
    "completions": asking(OpenAICompletions(), prompt="Hi", **HOT),
    "responses": adding("responses", **HOT),
    "messages": adding("anthropic", **HOT),
    "gemini": adding("gemini", generationConfig=HOT),
    "ollama chat": asking(OllamaChat(), messages=ASKED, options=HOT),
    "ollama generate": asking(OllamaChat(is_generate=True), prompt="Hi", options=HOT),
}


@for_each("name", list(CALLS))
def test_the_provider_gets_a_value_out_of_its_range(name: str) -> None:
    dialect, asked = CALLS[name]
    pipe = Pipe()
    pipe.send(asked, dialect)
    assert pipe.upstream_requests, pipe.sink.body
    assert json.loads(pipe.upstream.request.body)["temperature"] == TOO_HOT


def test_the_engine_refuses_a_value_out_of_the_providers_range() -> None:
    body = json.dumps({"model": "gpt-4o", "chat_input": "Hi", "parameters": HOT}).encode()
    pipe = Pipe()
    pipe.send(ClientRequest("openai", (), body), ENGINE)
    assert pipe.upstream_requests == []
    assert (pipe.sink.status, pipe.sink.json["error"]["param"]) == (422, "temperature")
