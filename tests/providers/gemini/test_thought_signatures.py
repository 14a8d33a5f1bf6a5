"""Thought signatures of a response, sent back on the next turn."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.providers.gemini.provider import PROVIDER
from headway.response_accumulator import ResponseAccumulator
from support.gemini_wire import HI, SIGNED, body, called, contents, result


def test_a_signature_is_sent_with_its_tool_call() -> None:
    details = [
        {**SIGNED, "id": "b"},
        {**SIGNED, "id": "a", "format": "anthropic-claude-v1", "data": "other"},
    ]
    model = contents(called(("a", "f", "{}"), ("b", "g", "{}"), reasoning_details=details))[0]
    assert [part.get("thoughtSignature") for part in model["parts"]] == [None, "c2ln"]


def test_a_signature_in_extra_content_is_sent() -> None:
    message = called(("a", "f", "{}"))
    message["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": "c2ln"}}
    assert contents(message)[0]["parts"][0]["thoughtSignature"] == "c2ln"


@pytest.mark.parametrize("extra", [{"google": None}, {"other": 1}, "x", None])
def test_other_extra_content_is_ignored(extra: Any) -> None:
    message = called(("a", "f", "{}"))
    message["tool_calls"][0]["extra_content"] = extra
    assert "thoughtSignature" not in contents(message)[0]["parts"][0]


LOOSE: list[tuple[str, list[Any], Any, list[Any]]] = [
    ("on its text", [SIGNED], "a", [{"text": "a", "thoughtSignature": "c2ln"}]),
    (
        "on a text of several parts",
        [SIGNED, {**SIGNED, "data": "bw=="}],
        "a",
        [{"text": "a", "thoughtSignature": "c2ln"}, {"text": "", "thoughtSignature": "bw=="}],
    ),
    ("without text", [SIGNED], None, [{"text": "", "thoughtSignature": "c2ln"}]),
    (
        "on an empty text",
        [{**SIGNED, "part": {"text": ""}}],
        "a",
        [{"text": "a"}, {"text": "", "thoughtSignature": "c2ln"}],
    ),
    (
        "on a thought",
        [{"type": "reasoning.text", "text": "hm", "signature": "c2ln", "format": SIGNED["format"]}],
        "a",
        [{"text": "hm", "thought": True, "thoughtSignature": "c2ln"}, {"text": "a"}],
    ),
    (
        "of Google's own tools",
        [
            {**SIGNED, "part": {"executableCode": {"code": "1"}}},
            {**SIGNED, "data": "", "part": {"codeExecutionResult": {"output": "1"}}},
        ],
        "a",
        [
            {"executableCode": {"code": "1"}, "thoughtSignature": "c2ln"},
            {"codeExecutionResult": {"output": "1"}},
            {"text": "a"},
        ],
    ),
    ("of another", [{**SIGNED, "format": "openai-responses-v1"}], "a", [{"text": "a"}]),
    ("a mere summary", [{**SIGNED, "type": "reasoning.summary"}], "a", [{"text": "a"}]),
]


@pytest.mark.parametrize(
    ("name", "details", "text", "parts"), LOOSE, ids=[case[0] for case in LOOSE]
)
def test_other_signatures_are_sent_with_their_parts(
    name: str, details: list[Any], text: Any, parts: list[Any]
) -> None:
    message = {"role": "assistant", "content": text, "reasoning_details": details}
    assert contents(message) == [{"role": "model", "parts": parts}]


def test_generated_images_are_sent_with_their_signatures() -> None:
    made = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{d}"}} for d in "ab"]
    sketch = {"type": "hologram"}
    message = {
        "role": "assistant",
        "content": "Two",
        "images": [*made, sketch],
        "reasoning_details": [{**SIGNED, "part": {"image": 1}}],
    }
    first, second = ({"inlineData": {"mimeType": "image/png", "data": data}} for data in "ab")
    parts = [{"text": "Two"}, first, {**second, "thoughtSignature": "c2ln"}]
    assert contents(message) == [{"role": "model", "parts": parts}]


def test_gemini_3_skips_validation_of_unsigned_calls_of_the_current_turn() -> None:
    """Only the first of a step, and only since the user spoke last: that is what it checks."""
    model = "gemini-3-flash-preview"
    step = called(("a", "f", "{}"), ("b", "f", "{}"))
    written = body([*HI, step, result("a", "x"), *HI, step, result("a", "x"), step], model=model)
    calls = [content["parts"] for content in written["contents"] if content["role"] == "model"]
    skip = "skip_thought_signature_validator"
    assert [[part.get("thoughtSignature") for part in parts] for parts in calls] == [
        [None, None],
        [skip, None],
        [skip, None],
    ]


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemini-2.0-flash", "gemma-3-27b-it"])
def test_older_models_get_no_skipped_validation(model: str) -> None:
    part = contents(called(("a", "f", "{}")), model=model)[0]["parts"][0]
    assert "thoughtSignature" not in part


def test_a_response_sent_back_has_the_parts_that_it_had() -> None:
    """Canonical -> wire -> canonical, through a whole answer of Gemini 3."""
    parts = [
        {"text": "Adding.", "thoughtSignature": "dGV4dA=="},
        {"functionCall": {"name": "f", "args": {"a": 1}, "id": "x1"}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "g", "args": {}}},
    ]
    answer = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    assert contents(spoken(answer)) == [{"role": "model", "parts": parts}]


def spoken(answer: Any) -> Any:

    decoded = ResponseAccumulator()
    decoded.add(PROVIDER.decode_response(json.dumps(answer).encode()))
    return decoded.choices[0].message()
