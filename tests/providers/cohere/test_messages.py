"""OpenAI's messages as Cohere's."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import RequestError
from headway.providers.cohere.provider import PROVIDER
from headway.response_accumulator import ResponseAccumulator
from headway.types import Target
from support.adapter_requests import chat, sent_body, transformations
from support.for_each import for_each

OLD, NEW, REASONING = "command-r-plus-08-2024", "command-a-03-2025", "command-a-reasoning-08-2025"
TARGET = Target(provider="cohere", base_url="https://api.cohere.com", api_key="k")


def file(content: bytes, kind: str = "text/plain", **more: str) -> Any:
    data = f"data:{kind};base64,{b64encode(content).decode()}"
    return {"type": "file", "file": {"file_data": data, **more}}


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1.50}'}}
REASONED = {"role": "assistant", "content": "b", "reasoning_content": "hm"}
PLANNED = {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [CALL]}


def results(message: Any) -> list[Any]:
    """A result for each of its tool calls."""
    return [
        {"role": "tool", "tool_call_id": call["id"], "content": "1"}
        for call in message.get("tool_calls", ())
    ]


MESSAGES: list[tuple[str, str, Any, Any]] = [
    ("developer role becomes system", NEW, {"role": "developer", "content": "a"},
     {"role": "system", "content": "a"}),
    ("parts stay parts", NEW, {"role": "user", "content": [{"type": "text", "text": "a"}]},
     {"role": "user", "content": [{"type": "text", "text": "a"}]}),
    ("unknown part passes through", NEW,
     {"role": "user", "content": [{"type": "document", "document": {}}]},
     {"role": "user", "content": [{"type": "document", "document": {}}]}),
    ("image by URL", NEW,
     {"role": "user", "content": [{"type": "image_url", "image_url": "http://x/a.png"}]},
     {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/a.png"}}]}),
    ("image in a file", NEW, {"role": "user", "content": [file(b"x", "image/png")]},
     {"role": "user", "content": [
         {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}}]}),
    ("refusal becomes content", NEW, {"role": "assistant", "content": None, "refusal": "no"},
     {"role": "assistant", "content": "no"}),
    ("refusal part becomes text", NEW,
     {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
     {"role": "assistant", "content": [{"type": "text", "text": "no"}]}),
    ("reasoning is sent to a reasoning model", REASONING, REASONED,
     {"role": "assistant", "content": [
         {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "b"}]}),
    ("reasoning is dropped for others", NEW, REASONED, {"role": "assistant", "content": "b"}),
    ("reasoning with a call becomes tool_plan", NEW, PLANNED,
     {"role": "assistant", "tool_plan": "hm", "tool_calls": [CALL]}),
    ("reasoning with a call becomes thinking for a reasoning model", REASONING, PLANNED,
     {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}],
      "tool_calls": [CALL]}),
    ("missing arguments become an empty object", NEW,
     {"role": "assistant", "tool_calls": [
         {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]},
     {"role": "assistant", "tool_calls": [
         {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}),
]  # fmt: skip


@for_each(
    ("model", "message", "expected"), [row[1:] for row in MESSAGES], ids=[m[0] for m in MESSAGES]
)
def test_a_message_is_converted_to_cohere(model: str, message: Any, expected: Any) -> None:
    question = {"role": "user", "content": "Hi"}
    given = chat(model, [message, *results(message), question])
    sent = sent_body(PROVIDER, TARGET, given)["messages"]
    assert (sent[0], sent[-1]) == (expected, question)


def test_text_files_become_documents_after_the_given_documents() -> None:
    content = [
        {"type": "text", "text": "a"},
        file(b"one", filename="a.txt"),
        {"type": "file", "file": {"filename": "b.md", "file_data": b64encode(b"two").decode()}},
        file(b"three"),
    ]
    body = sent_body(
        PROVIDER, TARGET, chat(NEW, [{"role": "user", "content": content}], documents=["zero"])
    )
    assert body["messages"][0]["content"] == content[:1]
    assert body["documents"] == [
        "zero",
        {"id": "doc:0", "data": {"title": "a.txt", "text": "one"}},
        {"id": "doc:1", "data": {"title": "b.md", "text": "two"}},
        {"id": "doc:2", "data": {"text": "three"}},
    ]


def test_deprecated_function_calls_become_tool_calls() -> None:
    call = {"name": "f", "arguments": "{}"}
    messages = [
        {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": "f", "content": "1"},
    ] * 2
    assert sent_body(PROVIDER, TARGET, chat(NEW, messages))["messages"][2:] == [
        {
            "role": "assistant",
            "tool_calls": [{"id": "function_call_1", "type": "function", "function": call}],
        },
        {"role": "tool", "content": "1", "tool_call_id": "function_call_1"},
    ]


UNSUPPORTED: list[Any] = [
    {"role": "narrator", "content": "a"},
    {
        "role": "user",
        "content": [{"type": "input_audio", "input_audio": {"data": "", "format": ""}}],
    },
    {"role": "user", "content": [{"type": "video_url", "video_url": "http://x/a.mp4"}]},
    {"role": "user", "content": [file(b"%PDF", "application/pdf")]},
    {"role": "user", "content": [{"type": "file", "file": {"file_id": "f1"}}]},
    {"role": "user", "content": [file(b"\xff")]},
]


@pytest.mark.parametrize("message", UNSUPPORTED)
def test_unsupported_content_raises_request_error(message: Any) -> None:
    with pytest.raises(RequestError) as caught:
        sent_body(PROVIDER, TARGET, chat(NEW, [message]))
    assert caught.value.param == "messages"


DROPPED: list[tuple[str, Any, list[str]]] = [
    (NEW, {"role": "user", "content": "a", "name": "Ann"},
     ["dropped messages[].name: unsupported by Cohere"]),
    (NEW, {"role": "tool", "tool_call_id": "c1", "content": "a", "name": "f"}, []),
    (NEW, {"role": "assistant", "content": "a", "reasoning_details": [{"signature": "S"}]},
     ["dropped messages[].reasoning_details: only the provider that made it can read it"]),
    (NEW, {"role": "tool", "tool_call_id": "c1", "content": "a", "is_error": True},
     ["dropped messages[].is_error: unsupported by Cohere"]),
    (NEW, {"role": "assistant", "content": "a", "audio": {"id": "x"}},
     ["dropped messages[].audio: unsupported by Cohere"]),
    (NEW, {"role": "user", "content": [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
     ["dropped cache_control: unsupported by Cohere, which caches automatically"]),
    (NEW, REASONED, [f"dropped messages[].reasoning_content: unsupported by {NEW}"]),
    (REASONING, REASONED, []),
    (NEW, PLANNED, []),
]  # fmt: skip


@pytest.mark.parametrize(("model", "message", "noted"), DROPPED)
def test_a_dropped_message_field_is_a_transformation(
    model: str, message: Any, noted: list[str]
) -> None:
    asked = [{**PLANNED, "reasoning_content": None}] if message["role"] == "tool" else []
    request = chat(model, [*asked, message, *results(message)])
    assert transformations(PROVIDER, request) == noted
    assert "cache_control" not in json.dumps(sent_body(PROVIDER, TARGET, request))


@given(st.lists(st.text(), min_size=1), st.text(), st.dictionaries(st.text(), st.text()))
def test_a_response_sent_back_is_the_message_that_it_was(
    texts: list[str], plan: str, given_: Any
) -> None:
    """Cohere's format to OpenAI's and back."""
    arguments = json.dumps(given_)
    answer = {
        "id": "1",
        "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "content": [{"type": "text", "text": text} for text in texts],
            "tool_plan": plan,
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
            ],
        },
    }
    whole = ResponseAccumulator()
    whole.add(PROVIDER.decode_response(json.dumps(answer).encode()))
    back = sent_body(PROVIDER, TARGET, chat(NEW, [whole.choices[0].message()]))["messages"][0]
    assert back.get("content", "") == "".join(texts)
    assert back.get("tool_plan", "") == plan
    assert back["tool_calls"] == answer["message"]["tool_calls"]  # type: ignore[index]
