"""OpenAI's messages as Ollama's."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import RequestError
from headway.providers.ollama.provider import PROVIDER
from headway.response_accumulator import ResponseAccumulator
from headway.types import Target
from support.adapter_requests import chat, sent_body, transformations
from support.for_each import for_each

BASE = "http://127.0.0.1:11434"
NATIVE = Target(provider="ollama", base_url=BASE)


def file(content: bytes, kind: str = "text/plain", **more: str) -> Any:
    data = f"data:{kind};base64,{b64encode(content).decode()}"
    return {"type": "file", "file": {"file_data": data, **more}}


def text(words: str) -> Any:
    return {"type": "text", "text": words}


PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1.50}'}}
CONVERTED = {"id": "c1", "function": {"name": "f", "arguments": {"a": 1.5}}}

MESSAGES: list[tuple[str, Any, Any]] = [
    ("developer role becomes system", {"role": "developer", "content": "a"},
     {"role": "system", "content": "a"}),
    ("text parts become lines", {"role": "user", "content": [text("a"), text(""), text("b")]},
     {"role": "user", "content": "a\nb"}),
    ("images stand beside the text", {"role": "user", "content": [
        text("a"), PNG, {"type": "image_url", "image_url": "data:;base64,eQ=="},
        file(b"z", "image/png")]},
     {"role": "user", "content": "a", "images": ["eA==", "eQ==", "eg=="]}),
    ("audio stands with the images", {"role": "user", "content": [
        {"type": "input_audio", "input_audio": {"data": "eA==", "format": "wav"}}]},
     {"role": "user", "content": "", "images": ["eA=="]}),
    ("refusal becomes content", {"role": "assistant", "content": None, "refusal": "no"},
     {"role": "assistant", "content": "no"}),
    ("refusal part becomes content",
     {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
     {"role": "assistant", "content": "no"}),
    ("reasoning_content becomes thinking",
     {"role": "assistant", "content": "b", "reasoning_content": "hm"},
     {"role": "assistant", "content": "b", "thinking": "hm"}),
    ("reasoning becomes thinking", {"role": "assistant", "content": "b", "reasoning": "hm"},
     {"role": "assistant", "content": "b", "thinking": "hm"}),
    ("arguments become an object",
     {"role": "assistant", "content": None, "tool_calls": [CALL]},
     {"role": "assistant", "content": "", "tool_calls": [CONVERTED]}),
    ("missing arguments become an empty object", {"role": "assistant", "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]},
     {"role": "assistant", "content": "", "tool_calls": [
         {"id": "c", "function": {"name": "f", "arguments": {}}}]}),
    ("tool result with a name", {"role": "tool", "tool_call_id": "c1", "content": "1",
                                      "name": "f"},
     {"role": "tool", "content": "1", "tool_name": "f", "tool_call_id": "c1"}),
    ("tool result without a name", {"role": "tool", "tool_call_id": "c1", "content": "1"},
     {"role": "tool", "content": "1", "tool_call_id": "c1"}),
]  # fmt: skip


@for_each(("message", "expected"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES])
def test_a_message_is_converted_to_ollama(message: Any, expected: Any) -> None:
    request = chat("m", [message])
    assert sent_body(PROVIDER, NATIVE, request)["messages"] == [expected]
    assert transformations(PROVIDER, request) == []


def test_a_tool_result_names_the_tool_of_its_call() -> None:
    result = {"role": "tool", "tool_call_id": "c1", "content": "1"}
    call = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert sent_body(PROVIDER, NATIVE, chat("m", [call, result]))["messages"][1]["tool_name"] == "f"


def test_text_files_become_part_of_the_message() -> None:
    bare = {"type": "file", "file": {"filename": "b.md", "file_data": b64encode(b"two").decode()}}
    request = chat("m", [{"role": "user", "content": [text("a"), file(b"one"), bare]}])
    assert sent_body(PROVIDER, NATIVE, request)["messages"] == [
        {"role": "user", "content": "a\none\nb.md:\ntwo"}
    ]
    assert transformations(PROVIDER, request) == [
        "emulated messages[].content: text files as part of the message's text"
    ]


def with_arguments(arguments: str) -> Any:
    call = {**CALL, "function": {"name": "f", "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


UNSUPPORTED: list[Any] = [
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/a.png"}}]},
    {"role": "user", "content": [{"type": "video_url", "video_url": "http://x/a.mp4"}]},
    {"role": "user", "content": [file(b"%PDF", "application/pdf")]},
    {"role": "user", "content": [file(b"\xff")]},
]


@pytest.mark.parametrize("message", UNSUPPORTED)
def test_unsupported_content_raises_request_error(message: Any) -> None:
    with pytest.raises(RequestError) as caught:
        PROVIDER.adapt(chat("m", [message]))
    assert caught.value.param == "messages"


DROPPED: list[tuple[Any, str]] = [
    ({"role": "user", "content": "a", "name": "Ann"}, "messages[].name"),
    ({"role": "tool", "tool_call_id": "c", "content": "a", "is_error": True},
     "messages[].is_error"),
    ({"role": "assistant", "content": "a", "audio": {"id": "x"}}, "messages[].audio"),
    ({"role": "user", "content": [{**text("a"), "cache_control": {"type": "ephemeral"}}]},
     "cache_control"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "path"), DROPPED)
def test_a_dropped_message_field_is_a_transformation(message: Any, path: str) -> None:
    noted = transformations(PROVIDER, chat("m", [message]))
    assert noted == [f"dropped {path}: unsupported by Ollama"]


def test_signed_reasoning_is_left_out_with_the_reason() -> None:
    message = {"role": "assistant", "content": "a", "reasoning_details": [{"signature": "S"}]}
    assert transformations(PROVIDER, chat("m", [message])) == [
        "dropped messages[].reasoning_details: only the provider that made it can read it"
    ]


@given(st.text(), st.text(), st.dictionaries(st.text(), st.integers(-(2**53), 2**53) | st.text()))
def test_a_response_sent_back_is_the_message_that_it_was(
    text: str, thought: str, arguments: Any
) -> None:
    """Ollama's format to OpenAI's and back."""
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    message = {"role": "assistant", "content": text, "thinking": thought, "tool_calls": [call]}
    answer = ResponseAccumulator()
    answer.add(PROVIDER.decode_response(json.dumps({"message": message, "done": True}).encode()))
    back = sent_body(PROVIDER, NATIVE, chat("m", [answer.choices[0].message()]))["messages"][0]
    assert {"thinking": "", **back} == message
