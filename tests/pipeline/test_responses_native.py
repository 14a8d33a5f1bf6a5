"""What a provider of the Responses API answers with items that no other wire format has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.dialects.base import ClientRequest
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.providers import KINDS
from support.pipeline_fakes import Pipe

COMPACTION = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gA"}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-5",
    "status": "completed",
    "usage": {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11},
}
TRIGGER = [{"role": "user", "content": "Hi"}, {"type": "compaction_trigger"}]


def ask(stream: bool, **fields: Any) -> Pipe:
    pipe = Pipe(provider=KINDS["openai_responses"])
    body = {"model": "openai/gpt-5", "stream": stream, "input": TRIGGER, **fields}
    pipe.send(ClientRequest("", (), json.dumps(body).encode()), OpenAIResponses())
    return pipe


def sse(*events: Any) -> bytes:
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode())
        for event in events
    )


def streamed(*items: Any) -> bytes:
    events: list[Any] = [{"type": "response.created", "response": {**RESPONSE, "output": []}}]
    for place, item in enumerate(items):
        events.append({"type": "response.output_item.added", "output_index": place, "item": item})
        events.append({"type": "response.output_item.done", "output_index": place, "item": item})
    whole = {**RESPONSE, "output": [*items]}
    return sse(*events, {"type": "response.completed", "response": whole})


@pytest.mark.parametrize("items", [(COMPACTION,), (SEARCH, COMPACTION), ()])
def test_items_of_openais_own_reach_the_client_unchanged(items: tuple[Any, ...]) -> None:
    pipe = ask(stream=False)
    assert json.loads(pipe.upstream.request.body)["input"] == TRIGGER
    body = json.dumps({**RESPONSE, "output": [*items]}).encode()
    pipe.upstream.whole(body)
    assert (pipe.sink.status, pipe.sink.body) == (200, body)
    pipe = ask(stream=True)
    pipe.upstream.stream(streamed(*items))
    assert pipe.sink.body == streamed(*items)
    assert [(record.outcome, record.output_tokens) for record in pipe.records] == [("ok", 6)]


def test_tools_of_openais_own_reach_the_provider() -> None:
    tools = [{"type": "web_search"}, {"type": "mcp", "server_label": "s", "server_url": "u"}]
    pipe = ask(stream=False, tools=tools, tool_choice={"type": "web_search"})
    sent = json.loads(pipe.upstream.request.body)
    assert (sent["tools"], sent["tool_choice"]) == (tools, {"type": "web_search"})


def test_a_failure_inside_a_stream_ends_the_providers_response() -> None:
    pipe = ask(stream=True)
    first, *_ = streamed().split(b"\n\n")
    failed = {**RESPONSE, "status": "failed", "output": []}
    failed["error"] = {"code": "rate_limit_exceeded", "message": "Slow down"}
    pipe.upstream.respond()
    pipe.upstream.chunk(first + b"\n\n")
    pipe.upstream.chunk(sse({"type": "response.failed", "response": failed}))
    *_, error, last, _ = pipe.sink.body.split(b"\n\n")
    assert error.startswith(b"event: error\n")
    assert last.startswith(b"event: response.failed\n")
    response = json.loads(last.partition(b"data: ")[2])["response"]
    assert response["id"] == "resp_1"
    assert response["error"] == {"code": "rate_limit_exceeded", "message": "Slow down"}
