"""Reasoning items that clients send back."""

from __future__ import annotations

from typing import Any

from support.responses_requests import FORMAT, call, items, request, transformations


def detail(kind: str, index: int, text: str, **fields: Any) -> Any:
    name = {"summary": "summary", "text": "text", "encrypted": "data"}[kind]
    same = {"id": f"rs_{index}", "format": FORMAT, "index": index}
    return {"type": f"reasoning.{kind}", name: text, **same, **fields}


def test_reasoning_items_are_sent_back_in_their_positions() -> None:
    details = [
        detail("summary", 0, "S1"),
        detail("summary", 0, "S2"),
        detail("encrypted", 0, "E0"),
        detail("text", 3, "T3", id=None),
    ]
    search = {"type": "web_search_call", "id": "ws_1", "index": 2}
    assistant = {
        "role": "assistant",
        "content": "Said.",
        "tool_calls": [call(1), call(2)],
        "tool_namespaces": {"call_2": "ns"},
        "reasoning_details": details,
        "output_items": [search],
    }
    summary = [{"type": "summary_text", "text": text} for text in ("S1", "S2")]
    same = {"type": "function_call", "name": "weather", "arguments": "{}"}
    assert items(assistant) == [
        {"type": "reasoning", "id": "rs_0", "summary": summary, "encrypted_content": "E0"},
        {"type": "message", "role": "assistant", "content": "Said."},
        {"type": "web_search_call", "id": "ws_1"},
        {
            "type": "reasoning",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "T3"}],
        },
        {**same, "call_id": "call_1"},
        {**same, "call_id": "call_2", "namespace": "ns"},
    ]


def test_reasoning_that_was_streamed_has_its_position_beside_its_number() -> None:
    said = [detail("summary", 2, "S"), detail("encrypted", 2, "E")]
    details = [{**each, "output_index": 2, "index": number} for number, each in enumerate(said)]
    assistant = {"role": "assistant", "content": "a", "reasoning_details": details}
    found = items(assistant)
    assert [item["type"] for item in found] == ["message", "reasoning"]
    assert found[1]["encrypted_content"] == "E"
    assert found[1]["summary"] == [{"type": "summary_text", "text": "S"}]


def test_a_reasoning_item_that_is_not_sent_back_counts_as_a_position() -> None:
    details = [detail("summary", 0, "S"), detail("encrypted", 2, "E")]
    assistant = {"role": "assistant", "content": "a", "tool_calls": [call(1)]}
    back = items({**assistant, "reasoning_details": details})
    assert [item["type"] for item in back] == ["message", "reasoning", "function_call"]


def test_content_that_is_not_sent_is_reported_once_for_each_kind() -> None:
    other = {**detail("encrypted", 0, "E"), "format": "anthropic-claude-v1"}
    for details in ([detail("summary", 0, "S")], [other], [detail("text", 0, "T", type="x")]):
        assistant = {"role": "assistant", "content": "a", "reasoning_details": details}
        assert [item["type"] for item in items(assistant)] == ["message"]
    asked = request(
        messages=[
            {"role": "assistant", "content": "a", "reasoning_content": "T"},
            {"role": "user", "name": "Ann", "content": "b", "cache_control": {}},
            {"role": "tool", "tool_call_id": "1", "name": "f", "content": "c", "is_error": True},
        ]
    )
    assert transformations(asked) == [
        "dropped messages[].reasoning_content: only reasoning from the Responses API itself can be"
        " sent back",
        "dropped messages[].name: unsupported by the Responses API",
        "dropped messages[].cache_control: unsupported by the Responses API, which caches"
        " automatically",
        "dropped messages[].is_error: unsupported by the Responses API",
    ]
    own = {"reasoning_content": "T", "reasoning_details": [detail("encrypted", 0, "E")]}
    assert transformations(request(messages=[{"role": "assistant", **own}])) == []
