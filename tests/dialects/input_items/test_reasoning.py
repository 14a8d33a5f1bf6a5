from __future__ import annotations

from typing import Any

import pytest

from headway.dialects.input_items.reasoning import details_of, text_of
from headway.wire.sealed_reasoning import seal

SUMMARY = {"type": "summary_text", "text": "In short"}
RAW = {"type": "reasoning_text", "text": "At length"}
SHARED = {"id": "rs_1", "format": "openai-responses-v1", "index": 2}
SIGNED = [{"type": "reasoning.text", "text": "T", "signature": "S", "format": "f", "index": 7}]


@pytest.mark.parametrize(
    ("item", "details"),
    [
        ({"summary": [SUMMARY]}, []),
        ({"summary": [SUMMARY], "encrypted_content": None}, []),
        ({"encrypted_content": seal(SIGNED), "summary": [SUMMARY]}, SIGNED),
        (
            {"id": "rs_1", "summary": [SUMMARY], "content": [RAW], "encrypted_content": "gAAA"},
            [
                {"type": "reasoning.summary", "summary": "In short", **SHARED},
                {"type": "reasoning.text", "text": "At length", **SHARED},
                {"type": "reasoning.encrypted", "data": "gAAA", **SHARED},
            ],
        ),
    ],
)
def test_an_item_has_the_details_that_its_provider_needs(item: Any, details: Any) -> None:
    assert details_of(item, 2) == details


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({}, ""),
        ({"summary": [], "content": None}, ""),
        ({"summary": [SUMMARY, SUMMARY]}, "In short\n\nIn short"),
        ({"summary": [SUMMARY], "content": [RAW, {"text": 7}, "odd"]}, "At length"),
    ],
)
def test_the_text_is_the_raw_one_where_there_is_any(item: Any, text: str) -> None:
    assert text_of(item) == text
