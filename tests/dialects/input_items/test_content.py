from __future__ import annotations

from typing import Any

import pytest

from headway.dialects.input_items.content import convert_content
from headway.errors import RequestError
from support.for_each import for_each

AUDIO = {"type": "input_audio", "input_audio": {}}
PNG = "data:image/png;base64,aWNvbg=="


@for_each(
    ("given", "converted"),
    [
        (None, None),
        ("Hi", "Hi"),
        ([], []),
        ([{"type": "input_text", "text": "Hi"}], "Hi"),
        ([{"type": "output_text", "text": "Hi", "annotations": []}], "Hi"),
        ([{"type": "input_text"}], ""),
        (
            [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}],
            [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        ),
        (
            [{"type": "input_text", "text": "a", "cache_control": {"type": "ephemeral"}}],
            [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}],
        ),
        ([{"type": "refusal", "refusal": "No"}], [{"type": "refusal", "refusal": "No"}]),
        (
            [{"type": "input_image", "image_url": PNG, "detail": "auto"}],
            [{"type": "image_url", "image_url": {"url": PNG}}],
        ),
        (
            [{"type": "input_image", "image_url": PNG, "detail": "high", "file_id": None}],
            [{"type": "image_url", "image_url": {"url": PNG, "detail": "high"}}],
        ),
        (
            [{"type": "input_file", "file_data": "data:,a", "filename": "a.pdf"}],
            [{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:,a"}}],
        ),
        (
            [{"type": "input_file", "file_url": "https://a.example/a.pdf"}],
            [{"type": "file", "file": {"file_data": "https://a.example/a.pdf"}}],
        ),
        (
            [{"type": "input_file", "file_id": "file_1"}],
            [{"type": "file", "file": {"file_id": "file_1"}}],
        ),
        ([{"type": "text", "text": "chat's"}], "chat's"),
        (
            [{"type": "input_audio", "input_audio": {}}],
            [{"type": "input_audio", "input_audio": {}}],
        ),
    ],
)
def test_parts_become_those_of_chat(given: Any, converted: Any) -> None:
    assert convert_content(given, "input[0].content") == converted


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (7, "input[0].content"),
        (["Hi"], "input[0].content"),
        ([{"type": "input_image", "file_id": "file_1"}], "input[0].content[0]"),
    ],
)
def test_what_chat_cannot_carry_is_refused_by_its_place(given: Any, named: str) -> None:
    with pytest.raises(RequestError) as caught:
        convert_content(given, "input[0].content")
    assert caught.value.param == named
    assert f"`{named}`" in caught.value.message
