"""Media in converted messages, for OpenAI's chat format."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.providers import KINDS
from headway.providers.converted_messages import drop_details, fit_media
from headway.types import ChatRequest

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
PDF = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,J"}}
NOTE = {"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,aGk="}}
UNNAMED = {"type": "file", "file": {"file_data": "data:text/csv;base64,aGk="}}
TEXT = {"type": "text", "text": "a"}
NAMED = {"role": "user", "content": '"image_url"'}
CALL = {"role": "assistant", "content": None, "tool_calls": []}
MOVED = "emulated messages[].content: media of a tool's result in a message of the user"
INLINED = "emulated messages[].content[].file: a text file as text"


def result(content: Any, call: str = "t1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call, "content": content}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def request(messages: Any, *, is_converted: bool = True) -> ChatRequest:
    raw = Raw(json.dumps(messages).encode())
    return ChatRequest(model="m", messages=raw, is_converted=is_converted)


CASES: list[tuple[list[Any], list[Any], list[str]]] = [
    (
        [CALL, result([TEXT, IMAGE]), result([PDF], "t2"), result("x", "t3"), user(TEXT)],
        [
            CALL,
            result([TEXT]),
            result("See the message after this one.", "t2"),
            result("x", "t3"),
            user(IMAGE, PDF),
            user(TEXT),
        ],
        [MOVED],
    ),
    ([result([IMAGE])], [result("See the message after this one."), user(IMAGE)], [MOVED]),
    (
        [user(NOTE, UNNAMED, PDF, {"type": "file", "file": {"file_id": "f"}})],
        [
            user(
                {"type": "text", "text": "a.txt:\nhi"},
                {"type": "text", "text": "file:\nhi"},
                PDF,
                {"type": "file", "file": {"file_id": "f"}},
            )
        ],
        [INLINED],
    ),
    ([result([TEXT]), user(IMAGE)], [result([TEXT]), user(IMAGE)], []),
    (
        [{"role": "user", "content": '"image_url"'}],
        [{"role": "user", "content": '"image_url"'}],
        [],
    ),
]


@pytest.mark.parametrize(("messages", "fitted", "told"), CASES)
def test_results_of_tools_are_text(messages: list[Any], fitted: list[Any], told: list[str]) -> None:
    adapted, noted = fit_media(request(messages))
    assert json.loads(bytes(adapted.messages)) == fitted
    assert [str(each) for each in noted] == told


@pytest.mark.parametrize(("messages", "fitted", "told"), CASES)
def test_what_an_openai_client_sends_stays(
    messages: list[Any], fitted: list[Any], told: list[str]
) -> None:
    given = request(messages, is_converted=False)
    assert fit_media(given) == (given, ())


@pytest.mark.parametrize("kind", ["openai", "openrouter", "groq"])
def test_adapters_of_openais_format_fit_media(kind: str) -> None:
    adapted, noted = KINDS[kind].adapt(request([result([IMAGE], "call_1")]))
    assert json.loads(bytes(adapted.messages))[-1] == user(IMAGE)
    assert MOVED in [str(each) for each in noted]


DETAILS = [{"type": "reasoning.encrypted", "data": "D", "format": "another-vendors"}]
THOUGHT = {"role": "assistant", "content": "a", "reasoning_details": DETAILS}


@pytest.mark.parametrize("kind", ["deepseek", "vllm", "xai"])
def test_reasoning_of_another_vendor_is_left_out_and_told(kind: str) -> None:
    adapted, noted = KINDS[kind].adapt(request([user(TEXT), THOUGHT, user(TEXT)]))
    assert b"reasoning_details" not in bytes(adapted.messages)
    told = "dropped messages[].reasoning_details: only the provider that made it can read it"
    assert told in [str(each) for each in noted]
    mentioned = request([user({**TEXT, "reasoning_details": 1})])
    assert drop_details(mentioned) == (mentioned, ())


@pytest.mark.parametrize("kind", ["openrouter", "vercel", "venice"])
def test_vendors_that_take_it_back_get_it(kind: str) -> None:
    adapted, _ = KINDS[kind].adapt(request([user(TEXT), THOUGHT, user(TEXT)]))
    assert json.loads(bytes(adapted.messages))[1]["reasoning_details"] == DETAILS
