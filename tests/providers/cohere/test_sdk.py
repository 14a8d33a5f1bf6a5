"""Cohere's SDK as the reference: we send what it sends, and it decodes a response as we do."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from headway.providers.cohere.provider import PROVIDER
from support.canned_responses import COHERE, JSON, SSE, Played
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

cohere = lazy_import("cohere")

MODEL = "command-a-03-2025"
ANSWERS = chosen(lambda r: r.provider == "cohere" and r.api == "chat_v2" and r.status == 200)
FINISH = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TOOLS = [{"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}]
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA==", "detail": "low"}}
USER = {"role": "user", "content": "Hello"}
RESULT: Any = {"role": "tool", "tool_call_id": "c1"}

# The request in OpenAI's words, and the same in Cohere's.
REQUESTS: list[tuple[str, str, Any, Any]] = [
    ("sampling", MODEL,
     {"messages": [{"role": "developer", "content": "Be brief."}, USER],
      "temperature": 0.5, "top_p": 0.5, "top_k": 5, "max_completion_tokens": 9, "seed": 7,
      "stop": "x", "frequency_penalty": 0.5, "presence_penalty": 0.25, "logprobs": True},
     {"messages": [{"role": "system", "content": "Be brief."}, USER],
      "temperature": 0.5, "p": 0.5, "k": 5, "max_tokens": 9, "seed": 7,
      "stop_sequences": ["x"], "frequency_penalty": 0.5, "presence_penalty": 0.25,
      "logprobs": True}),
    ("tools and their results", MODEL,
     {"messages": [USER,
                   {"role": "assistant", "content": None, "reasoning_content": "I look.",
                    "tool_calls": [CALL]},
                   {**RESULT, "content": [{"type": "text", "text": "2"}]}],
      "tools": TOOLS, "tool_choice": "required"},
     {"messages": [USER, {"role": "assistant", "tool_plan": "I look.", "tool_calls": [CALL]},
                   {**RESULT, "content": [{"type": "text", "text": "2"}]}],
      "tools": TOOLS, "tool_choice": "REQUIRED"}),
    ("an image and a document", "command-a-vision-07-2025",
     {"messages": [{"role": "user", "content": [
         {"type": "text", "text": "See:"}, IMAGE,
         {"type": "file", "file": {"filename": "a.txt",
                                   "file_data": "data:text/plain;base64,b25l"}}]}]},
     {"messages": [{"role": "user", "content": [{"type": "text", "text": "See:"}, IMAGE]}],
      "documents": [{"id": "doc:0", "data": {"title": "a.txt", "text": "one"}}]}),
    ("a schema", MODEL,
     {"messages": [USER], "response_format": {
         "type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
     {"messages": [USER], "response_format": {"type": "json_object", "json_schema": SCHEMA}}),
    ("thought", "command-a-reasoning-08-2025",
     {"messages": [USER, {"role": "assistant", "content": "b", "reasoning_content": "hm"}, USER],
      "reasoning_effort": "low"},
     {"messages": [USER, {"role": "assistant", "content": [
         {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "b"}]}, USER],
      "thinking": {"type": "enabled", "token_budget": 2048}}),
]  # fmt: skip


def client(server: ThreadedServer, http: httpx.Client) -> Any:
    return cohere.ClientV2(
        "k", base_url=server.url, httpx_client=http, log_warning_experimental_features=False
    )


def sdk_response(server: ThreadedServer, streamed: bool, **given: Any) -> Any:
    with httpx.Client() as http:
        if streamed:
            return list(client(server, http).chat_stream(**given))
        return client(server, http).chat(**given)


def ours(base_url: str, model: str, given: Any, streamed: bool) -> SentRequest:
    parameters = {name: value for name, value in given.items() if name != "messages"}
    return asked_by_us(PROVIDER, base_url, model, given["messages"], parameters, streamed)


@for_each("streamed", [False, True])
@for_each(
    ("model", "openai", "native"), [row[1:] for row in REQUESTS], ids=[row[0] for row in REQUESTS]
)
def test_requests_equal_those_of_the_sdk(
    model: str, openai: Any, native: Any, streamed: bool
) -> None:
    with serving(COHERE.streamed if streamed else COHERE.whole) as server:
        sdk_response(server, streamed, model=model, **native)
        theirs = asked_by_sdk(server.requests[0])
        assert ours(server.url, model, openai, streamed) == theirs


# --- Answers --------------------------------------------------------------------------------------


def event(kind: str, index: int, **message: Any) -> bytes:
    data = {"type": kind, "index": index, "delta": {"message": message}}
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def called(index: int, call_id: str, name: str, *pieces: str) -> bytes:
    begun = {"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
    return b"".join(
        [
            event("tool-call-start", index, tool_calls=begun),
            *(
                event("tool-call-delta", index, tool_calls={"function": {"arguments": piece}})
                for piece in pieces
            ),
            event("tool-call-end", index),
        ]
    )


def ended(reason: str) -> bytes:
    usage = {"billed_units": {"input_tokens": 4, "output_tokens": 9},
             "tokens": {"input_tokens": 500, "output_tokens": 20}}  # fmt: skip
    data = {"type": "message-end", "delta": {"finish_reason": reason, "usage": usage}}
    return f"event: message-end\ndata: {json.dumps(data)}\n\n".encode()


BEGUN = event("message-start", 0, role="assistant", content=[], tool_plan="", tool_calls=[])
CALLING = Played(
    SSE,
    BEGUN
    + event("tool-plan-delta", 0, tool_plan="I ")
    + event("tool-plan-delta", 0, tool_plan="look.")
    + called(0, "a", "f", '{"a"', ": 1}")
    + called(1, "b", "g", "{}")
    + ended("TOOL_CALL"),
)
THINKING = Played(
    SSE,
    BEGUN
    + event("content-start", 0, content={"type": "thinking", "thinking": ""})
    + event("content-delta", 0, content={"thinking": "hm"})
    + event("content-end", 0)
    + event("content-start", 1, content={"type": "text", "text": ""})
    + event("content-delta", 1, content={"text": "ab"})
    + event("content-end", 1)
    + ended("MAX_TOKENS"),
)
PLAYED: list[tuple[str, Played, bool]] = [
    ("whole", COHERE.whole, False),
    ("streamed", COHERE.streamed, True),
    ("calls, streamed", CALLING, True),
    ("thought, streamed", THINKING, True),
    ("calls, whole", Played(JSON, json.dumps({
        "id": "1", "finish_reason": "TOOL_CALL",
        "message": {"role": "assistant", "tool_plan": "I look.", "tool_calls": [CALL]},
        "usage": {"billed_units": {"input_tokens": 4, "output_tokens": 9}}}).encode()), False),
]  # fmt: skip


def tokens(usage: Any) -> tuple[int | None, int | None]:
    units = usage.billed_units
    return int(units.input_tokens), int(units.output_tokens)


def read_whole(answer: Any) -> DecodedResponse:
    message = answer.message
    blocks = message.content or []
    return DecodedResponse(
        text="".join(block.text for block in blocks if block.type == "text"),
        thought=(message.tool_plan or "")
        + "".join(block.thinking for block in blocks if block.type == "thinking"),
        calls=tuple(
            (call.id, call.function.name, json.loads(call.function.arguments))
            for call in message.tool_calls or []
        ),
        finish=FINISH[answer.finish_reason],
        tokens=tokens(answer.usage),
    )


def read_streamed(events: list[Any]) -> DecodedResponse:
    text, thought, end = "", "", None
    calls: dict[int, list[str]] = {}
    for one in events:
        message: Any = getattr(getattr(one, "delta", None), "message", None)
        if one.type in ("content-start", "content-delta"):
            text += message.content.text or ""
            thought += message.content.thinking or ""
        elif one.type == "tool-plan-delta":
            thought += message.tool_plan
        elif one.type == "tool-call-start":
            made = message.tool_calls
            calls[one.index] = [made.id, made.function.name, made.function.arguments or ""]
        elif one.type == "tool-call-delta":
            calls[one.index][2] += message.tool_calls.function.arguments
        elif one.type == "message-end":
            end = one.delta
    assert end is not None
    made_ = tuple((a, b, json.loads(c)) for a, b, c in calls.values())
    return DecodedResponse(text, thought, made_, FINISH[end.finish_reason], tokens(end.usage))


def read_by_sdk(played: Played, streamed: bool) -> DecodedResponse:
    with serving(played) as server:
        response = sdk_response(server, streamed, model=MODEL, messages=[USER])
    return read_streamed(response) if streamed else read_whole(response)


@pytest.mark.parametrize(
    ("played", "streamed"), [row[1:] for row in PLAYED], ids=[row[0] for row in PLAYED]
)
def test_the_sdk_decodes_a_response_as_we_do(played: Played, streamed: bool) -> None:
    assert read_by_sdk(played, streamed) == read_by_us(PROVIDER, played, streamed)


@each(ANSWERS)
def test_the_sdk_decodes_a_recorded_response_as_we_do(recording: Recording) -> None:
    played = Played(SSE if recording.stream else JSON, recording.body)
    assert read_by_sdk(played, recording.stream) == read_by_us(PROVIDER, played, recording.stream)
