"""Ollama's SDK as the reference: we send what it sends, and it decodes a response as we do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.providers.ollama.provider import PROVIDER
from support.canned_responses import END, JSON, LINE, OLLAMA, Played
from support.for_each import for_each
from support.lazy_import import lazy_import
from support.recordings import Recording, chosen, each
from support.scripted_server import ThreadedServer
from support.sdk_reference import (
    DecodedResponse,
    SentRequest,
    asked_by_sdk,
    asked_by_us,
    read_by_us,
    serving,
)

ollama = lazy_import("ollama")

MODEL = "llama"
NDJSON = "application/x-ndjson"
ANSWERS = chosen(lambda r: r.provider == "ollama" and r.api == "api_chat" and r.status == 200)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TOOLS = [{"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}]
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}}
USER = {"role": "user", "content": "Hello"}
SAMPLING = {
    "temperature": 0.5, "top_p": 0.5, "top_k": 5, "seed": 7, "stop": ["x"],
    "frequency_penalty": 0.5, "presence_penalty": 0.25,
}  # fmt: skip
MADE = {"function": {"name": "f", "arguments": {"a": 1}}}

# The request in OpenAI's words, and the same in Ollama's.
REQUESTS: list[tuple[str, Any, Any]] = [
    ("sampling",
     {"messages": [{"role": "developer", "content": "Be brief."}, USER],
      "max_completion_tokens": 9, "num_ctx": 4096, "keep_alive": "5m", "logprobs": True,
      "top_logprobs": 2, **SAMPLING},
     {"messages": [{"role": "system", "content": "Be brief."}, USER],
      "options": {"num_predict": 9, "num_ctx": 4096, **SAMPLING}, "keep_alive": "5m",
      "logprobs": True, "top_logprobs": 2}),
    ("tools and their results",
     {"messages": [USER, {"role": "assistant", "content": "I look.", "reasoning_content": "hm",
                          "tool_calls": [CALL]},
                   {"role": "tool", "tool_call_id": "c1", "content": "1"}],
      "tools": TOOLS, "tool_choice": "auto"},
     {"messages": [USER, {"role": "assistant", "content": "I look.", "thinking": "hm",
                          "tool_calls": [MADE]},
                   {"role": "tool", "content": "1", "tool_name": "f"}],
      "tools": TOOLS}),
    ("an image",
     {"messages": [{"role": "user", "content": [{"type": "text", "text": "See:"}, IMAGE]}]},
     {"messages": [{"role": "user", "content": "See:", "images": [b"x"]}]}),
    ("any object", {"messages": [USER], "response_format": {"type": "json_object"}},
     {"messages": [USER], "format": "json"}),
    ("a schema",
     {"messages": [USER], "response_format": {
         "type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
     {"messages": [USER], "format": SCHEMA}),
    ("thought", {"messages": [USER], "reasoning_effort": "high"},
     {"messages": [USER], "think": "high"}),
    ("no thought", {"messages": [USER], "reasoning": {"effort": "none"}},
     {"messages": [USER], "think": False}),
]  # fmt: skip


def sdk_response(server: ThreadedServer, streamed: bool, **given: Any) -> list[Any]:
    with ollama.Client(server.url, headers={"authorization": "Bearer k"}) as client:
        response = client.chat(MODEL, stream=streamed, **given)
        return list(response) if streamed else [response]


def ours(base_url: str, given: Any, streamed: bool) -> SentRequest:
    parameters = {name: value for name, value in given.items() if name != "messages"}
    return asked_by_us(PROVIDER, base_url, MODEL, given["messages"], parameters, streamed)


def as_the_sdk(asked: SentRequest) -> SentRequest:
    """The SDK's types have no ids of calls, which the server knows (api/types.go, Message and
    ToolCall); and where there are no tools, it says so."""
    body = {"tools": [], **asked.body}
    for message in body["messages"]:
        assert message.pop("tool_call_id", "c1") == "c1"
        for call in message.get("tool_calls", ()):
            assert call.pop("id", "c1") == "c1"
    return asked._replace(body=body)


@for_each("streamed", [False, True])
@for_each(("openai", "native"), [row[1:] for row in REQUESTS], ids=[row[0] for row in REQUESTS])
def test_requests_equal_those_of_the_sdk(openai: Any, native: Any, streamed: bool) -> None:
    with serving(OLLAMA.streamed if streamed else OLLAMA.whole) as server:
        sdk_response(server, streamed, **native)
        theirs = asked_by_sdk(server.requests[0])
        assert as_the_sdk(ours(server.url, openai, streamed)) == theirs


# --- Answers --------------------------------------------------------------------------------------


def lines(*messages: Any, **end: Any) -> Played:
    response = [{**LINE, "message": {"role": "assistant", **m}, "done": False} for m in messages]
    response.append({**LINE, "message": {"role": "assistant", "content": ""}, **END, **end})
    return Played(NDJSON, b"".join(json.dumps(line).encode() + b"\n" for line in response))


def called(name: str, **arguments: Any) -> Any:
    return {"content": "", "tool_calls": [{"function": {"name": name, "arguments": arguments}}]}


CALLING = {**LINE, "message": {"role": "assistant", **called("f", a=1)}, **END}
PLAYED: list[tuple[str, Played, bool]] = [
    ("whole", OLLAMA.whole, False),
    ("streamed", OLLAMA.streamed, True),
    ("calls, whole", Played(JSON, json.dumps(CALLING).encode()), False),
    ("calls, streamed", lines(called("f", a=1), called("g", b=["ö"])), True),
    ("thought, streamed",
     lines({"content": "", "thinking": "hm"}, {"content": "ab"}, done_reason="length"), True),
]  # fmt: skip


def finish_of(reason: str, calls: Any) -> str:
    """A call of a tool ends with ``stop`` there."""
    return "tool_calls" if calls and reason == "stop" else reason


def read_by_sdk(played: Played, streamed: bool) -> DecodedResponse:
    with serving(played) as server:
        response = sdk_response(server, streamed, messages=[USER])
    end = response[-1]
    assert end.done
    made = [call.function for one in response for call in one.message.tool_calls or ()]
    calls = tuple((None, call.name, dict(call.arguments)) for call in made)
    return DecodedResponse(
        text="".join(one.message.content or "" for one in response),
        thought="".join(one.message.thinking or "" for one in response),
        calls=calls,
        finish=finish_of(end.done_reason, calls),
        tokens=(end.prompt_eval_count, end.eval_count),
    )


def read_without_ids(played: Played, streamed: bool) -> DecodedResponse:
    """The SDK's types have none."""
    found = read_by_us(PROVIDER, played, streamed)
    assert all(call_id for call_id, _, _ in found.calls)
    return found._replace(calls=tuple((None, *call[1:]) for call in found.calls))


@pytest.mark.parametrize(
    ("played", "streamed"), [row[1:] for row in PLAYED], ids=[row[0] for row in PLAYED]
)
def test_the_sdk_decodes_a_response_as_we_do(played: Played, streamed: bool) -> None:
    assert read_by_sdk(played, streamed) == read_without_ids(played, streamed)


@each(ANSWERS)
def test_the_sdk_decodes_a_recorded_response_as_we_do(recording: Recording) -> None:
    played = Played(NDJSON if recording.stream else JSON, recording.body)
    assert read_by_sdk(played, recording.stream) == read_without_ids(played, recording.stream)
