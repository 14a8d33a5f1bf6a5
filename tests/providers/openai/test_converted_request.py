"""Converted requests without what OpenAI refuses as unknown."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from headway.providers.openai.provider import PROVIDER
from headway.types import ChatRequest
from support.for_each import for_each

MARK = {"type": "ephemeral"}
HELLO = [{"role": "user", "content": "Hi"}]
CACHED = "unsupported by OpenAI, which caches automatically"


def adapt(
    model: str = "gpt-5",
    messages: Any = HELLO,
    *,
    is_converted: bool = True,
    **parameters: Any,
) -> tuple[Any, dict[str, Any], list[str]]:
    request = ChatRequest(
        model=model,
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        is_converted=is_converted,
    )
    adapted, noted = PROVIDER.adapt(request)
    sent = {name: json.loads(bytes(raw)) for name, raw in adapted.parameters.items()}
    return json.loads(bytes(adapted.messages)), sent, [str(each) for each in noted]


def test_fields_that_openai_does_not_know_are_dropped_and_told() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": MARK}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{**call, "cache_control": MARK}],
            "reasoning_content": "Hm",
            "reasoning_details": [{}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "x", "is_error": True},
    ]
    sent, _, told = adapt(messages=messages)
    assert sent == [
        {"role": "user", "content": [{"type": "text", "text": "a"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "x"},
    ]
    assert told == [
        f"dropped messages[].content[].cache_control: {CACHED}",
        f"dropped messages[].tool_calls[].cache_control: {CACHED}",
        "dropped messages[].reasoning_content: unsupported by OpenAI",
        "dropped messages[].reasoning_details: only the provider that made it can read it",
        "dropped messages[].is_error: unsupported by OpenAI",
    ]
    kept = [{k: v for k, v in message.items() if k != "reasoning_details"} for message in messages]
    assert adapt(messages=messages, is_converted=False)[::2] == (kept, told[3:4])
    assert adapt(messages=messages[:1], is_converted=False)[::2] == (messages[:1], [])
    quoting = [{"role": "user", "content": '"reasoning_details"'}]
    assert adapt(messages=quoting, is_converted=False)[::2] == (quoting, [])


def test_tools_lose_their_marks() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    _, sent, told = adapt(tools=[{**tool, "cache_control": MARK}, tool])
    assert sent["tools"] == [tool, tool]
    assert told == [f"dropped tools[].cache_control: {CACHED}"]
    described = {"type": "function", "function": {"name": '"cache_control"'}}
    assert adapt(tools=[described])[2] == []
    inner = {"type": "function", "function": {"name": "f", "cache_control": 1}}
    assert adapt(tools=[inner])[1:] == ({"tools": [inner]}, [])


REASONING: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("gpt-5", {"reasoning_effort": "low"}, {"reasoning_effort": "low"}, []),
    (
        "gpt-5",
        {"reasoning_effort": "max"},
        {"reasoning_effort": "high"},
        ["clamped reasoning_effort: max -> high (nearest supported)"],
    ),
    (
        "gpt-5",
        {"reasoning": {"effort": "low", "max_tokens": 9000}},
        {"reasoning_effort": "low"},
        [],
    ),
    (
        "gpt-5",
        {"reasoning": {"max_tokens": 2048}},
        {"reasoning_effort": "low"},
        ["renamed reasoning.max_tokens -> reasoning_effort"],
    ),
    (
        "o3",
        {"reasoning": {"max_tokens": 9000}},
        {"reasoning_effort": "high"},
        ["renamed reasoning.max_tokens -> reasoning_effort"],
    ),
    ("gpt-5", {"reasoning": {"enabled": True}}, {}, []),
    ("gpt-5.1", {"reasoning": {"enabled": False}}, {"reasoning_effort": "none"}, []),
    (
        "gpt-5",
        {"reasoning": {"enabled": False}},
        {"reasoning_effort": "low"},
        ["emulated reasoning: as effort low for gpt-5"],
    ),
    ("gpt-4o", {"reasoning": {"enabled": False}}, {}, []),
    (
        "gpt-4o",
        {"reasoning": {"max_tokens": 1}},
        {},
        ["dropped reasoning: unsupported by gpt-4o"],
    ),
    (
        "gpt-4o",
        {"reasoning_effort": "low"},
        {},
        ["dropped reasoning_effort: unsupported by gpt-4o"],
    ),
    (
        "gpt-4o",
        {"web_search_options": {}},
        {},
        ["dropped web_search_options: unsupported by gpt-4o"],
    ),
    ("gpt-4o-search-preview", {"web_search_options": {}}, {"web_search_options": {}}, []),
    ("gpt-4o", {"top_k": 3}, {}, ["dropped top_k: unsupported by OpenAI"]),
    ("gpt-4o", {"min_p": 0.5}, {}, ["dropped min_p: unsupported by OpenAI"]),
    (
        "gpt-5",
        {"max_tokens": 9},
        {"max_completion_tokens": 9},
        ["renamed max_tokens -> max_completion_tokens"],
    ),
]


@for_each(("model", "given", "sent", "told"), REASONING)
def test_reasoning_is_an_effort(
    model: str, given: dict[str, Any], sent: dict[str, Any], told: list[str]
) -> None:
    assert adapt(model, **given)[1:] == (sent, told)


def test_a_request_in_openais_own_format_keeps_its_parameters() -> None:
    given = {"top_k": 3, "reasoning": {"enabled": True}}
    assert adapt("gpt-4o", is_converted=False, **given)[1:] == (given, [])
