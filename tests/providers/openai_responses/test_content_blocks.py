"""Content parts as input parts of the Responses API."""

from __future__ import annotations

from typing import Any

import pytest

from support.responses_requests import items, request, sent

PARTS: list[tuple[Any, Any]] = [
    ({"type": "text", "text": "a"}, {"type": "input_text", "text": "a"}),
    (
        {"type": "image_url", "image_url": {"url": "https://x/a.png", "detail": "low"}},
        {"type": "input_image", "image_url": "https://x/a.png", "detail": "low"},
    ),
    (
        {"type": "image_url", "image_url": "data:image/png;base64,AA=="},
        {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
    ),
    ({"type": "file", "file": {"file_id": "f1"}}, {"type": "input_file", "file_id": "f1"}),
    (
        {
            "type": "file",
            "file": {"filename": "a.csv", "file_data": "data:text/csv;base64,"},
        },
        {"type": "input_file", "filename": "a.csv", "file_data": "data:text/csv;base64,"},
    ),
    (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "https://x/a.pdf"}},
        {"type": "input_file", "file_url": "https://x/a.pdf"},
    ),
    (
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ),
    ({"type": "input_text", "text": "own"}, {"type": "input_text", "text": "own"}),
]


@pytest.mark.parametrize(("given", "expected"), PARTS)
def test_content_parts_get_the_types_of_the_responses_api(given: Any, expected: Any) -> None:
    assert items({"role": "user", "content": [given]})[0]["content"] == [expected]


def test_unconverted_parts_and_tools_lose_their_cache_markers() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    sound = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
    message = {"role": "user", "content": [{**sound, **mark}]}
    body = sent(request(messages=[message], tools=[{"type": "web_search", **mark}]))
    assert body["input"][0]["content"] == [sound]
    assert body["tools"] == [{"type": "web_search"}]
