"""Conversations in items of the Responses API: what a provider gets of them is the same on every
turn, and nothing is lost on the way through chat's format."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.providers import KINDS
from headway.providers.base import Provider
from headway.types import ChatRequest, Target
from headway.wire.sealed_reasoning import seal
from support.responses_samples import client_request

DIALECT = OpenAIResponses()
CLAUDE = {"type": "reasoning.text", "text": "Hm", "signature": "S", "format": "anthropic-claude-v1"}
TOOLS = [
    {"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}}
    for name in ("c", "a", "b")
]
TURNS = 10


def convert(items: list[Any], **more: Any) -> ChatRequest:
    request = DIALECT.decode(client_request(input=items, **more)).request
    assert isinstance(request, ChatRequest)
    return DIALECT.convert_request(request)[0]


def sent(provider: Provider, items: list[Any], **more: Any) -> Any:
    adapted, _ = provider.adapt(convert(items, **more))
    target = Target(provider="p", base_url="https://a.example", api_key="k")
    return json.loads(provider.encode_request(adapted, target).body)


# --- Prompt caches --------------------------------------------------------------------------------


def turn(number: int) -> list[Any]:
    """A question, and an answer with reasoning, two parallel calls and their results."""
    calls = [
        {"type": "function_call", "call_id": f"{number}{name}", "name": name, "arguments": "{}"}
        for name in "ab"
    ]
    results = [
        {"type": "function_call_output", "call_id": call["call_id"], "output": f"R{number}"}
        for call in calls
    ]
    reasoning = {"type": "reasoning", "summary": [], "encrypted_content": seal([CLAUDE])}
    said = {"type": "message", "role": "assistant", "content": f"A{number}"}
    return [{"role": "user", "content": f"Q{number}"}, reasoning, said, *calls, *results]


@pytest.mark.parametrize("kind", ["openai", "anthropic", "gemini", "mistral", "deepseek"])
def test_every_turn_begins_with_the_bytes_of_the_one_before(kind: str) -> None:
    items: list[Any] = []
    before, tools = "", set()
    name = "contents" if kind == "gemini" else "messages"
    for number in range(TURNS):
        items += turn(number)
        body = sent(KINDS[kind], items, tools=TOOLS, instructions="Be brief.")
        messages = json.dumps(body[name])
        assert messages.startswith(before)
        before = messages.rstrip("]}")  # some join the next question to the results before it
        tools.add(json.dumps(body["tools"]))
    assert len(tools) == 1


# --- Nothing is lost ------------------------------------------------------------------------------

TEXTS = st.text("aé\n\"'\\ \U0001f600", min_size=1, max_size=6)
USER = st.builds(lambda text: {"type": "message", "role": "user", "content": text}, TEXTS)
DEVELOPER = st.builds(lambda text: {"type": "message", "role": "developer", "content": text}, TEXTS)
IMAGE = st.builds(
    lambda text: {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": text},
            {"type": "input_image", "image_url": "data:image/png;base64,aWNvbg==", "detail": "low"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:,a"},
        ],
    },
    TEXTS,
)


@st.composite
def answers(draw: Any, number: int) -> list[Any]:
    """Reasoning, a text and calls with their results, each of them optional; never none. The ids
    have the answer's ``number``."""
    summary = [{"type": "summary_text", "text": text} for text in draw(st.lists(TEXTS, max_size=2))]
    reasoning = {
        "type": "reasoning",
        "id": f"rs_{number}",
        "summary": summary,
        "encrypted_content": draw(TEXTS),
    }
    text = {"type": "message", "role": "assistant", "content": draw(TEXTS)}
    arguments = draw(st.lists(st.dictionaries(TEXTS, TEXTS, max_size=2), min_size=1, max_size=3))
    calls = [
        {
            "type": "function_call",
            "call_id": f"call_{number}_{n}",
            "name": "f",
            "arguments": json.dumps(each),
        }
        for n, each in enumerate(arguments)
    ]
    results = [
        {"type": "function_call_output", "call_id": call["call_id"], "output": draw(TEXTS)}
        for call in calls
    ]
    has_reasoning, has_text = draw(st.booleans()), draw(st.booleans())
    if not draw(st.booleans()):
        return [*([reasoning] if has_reasoning else []), text]
    first = [*([reasoning] if has_reasoning else []), *([text] if has_text else [])]
    return [*first, *calls, *results]


@st.composite
def conversations(draw: Any) -> list[Any]:
    """Each answer stands between messages of others, because chat joins two in a row."""
    items: list[Any] = [draw(USER)]
    for number in range(draw(st.integers(0, 4))):
        items += draw(answers(number))
        items.append(draw(st.one_of(USER, DEVELOPER, IMAGE)))
    return items


@given(conversations())
def test_items_come_back_as_they_were_where_they_went_through_chat(items: list[Any]) -> None:
    assert sent(KINDS["openai_responses"], items)["input"] == items
