"""Unsupported content of messages is found without decoding texts and images."""

from __future__ import annotations

from typing import Any

import pytest

from headway.providers.message_scan import (
    ScannedMessage,
    replays_signatures,
    unsupported_content,
)
from support.adapter_requests import raw
from support.for_each import for_each

HI = {"role": "user", "content": "Hi"}
SYSTEM = {"role": "system", "content": "Be brief"}
CALL = {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f"}}]}
RESULT = {"role": "tool", "tool_call_id": "a", "content": "1"}


def is_signed(message: ScannedMessage) -> bool:
    return b"signed" in bytes(message.reasoning_details)


def image(detail: str | None) -> dict[str, Any]:
    url = {"url": "https://a.example/b.png", "detail": detail}
    return {"role": "user", "content": [{"type": "image_url", "image_url": url}]}


NAME = "dropped messages[].name: unsupported by X"
REASONING = "dropped messages[].reasoning_content: unsupported by X without a signature"
DETAILS = "dropped messages[].reasoning_details: only the provider that made it can read it"
DETAIL = "dropped messages[].content[].image_url.detail: unsupported by X"
MOVED = "emulated messages: system messages moved before all others"

CASES: list[tuple[str, list[Any], list[str]]] = [
    ("plain messages", [SYSTEM, HI, CALL, RESULT], []),
    ("a name, once for all messages", [{**HI, "name": "A"}, {**HI, "name": "B"}], [NAME]),
    ("an empty name", [{**HI, "name": ""}, {**HI, "name": None}], []),
    ("the name of a tool", [HI, {**RESULT, "name": "f"}], []),
    ("reasoning", [{**CALL, "reasoning_content": "Hm"}], [REASONING]),
    ("signed reasoning",
     [{**CALL, "reasoning_content": "Hm", "reasoning_details": ["signed"]}], []),
    ("reasoning of another provider, without its text",
     [{**CALL, "reasoning_details": ["other"]}], [DETAILS]),
    ("the detail of an image", [image("low")], [DETAIL]),
    ("the detail auto, or none", [image("auto"), image(None)], []),
    ("a url in place of an object", [
        {"role": "user", "content": [{"type": "image_url", "image_url": '"detail"'}]}], []),
    ("a text with the word", [{"role": "user", "content": '"detail"'}], []),
    ("a later system message", [SYSTEM, HI, {**SYSTEM, "role": "developer"}], [MOVED]),
]  # fmt: skip


@for_each(("messages", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_unsupported_content_is_listed_once(messages: list[Any], expected: list[str]) -> None:
    assert [str(each) for each in unsupported_content(raw(messages), "X", is_signed)] == expected


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([HI], True),
        ([HI, CALL, RESULT], False),
        ([HI, {**CALL, "reasoning_details": ["signed"]}, RESULT], True),
        ([HI, CALL, RESULT, HI], True),
    ],
)
def test_signatures_are_needed_of_calls_after_the_last_user_message(
    messages: list[Any], expected: bool
) -> None:
    assert replays_signatures(raw(messages), is_signed) is expected
