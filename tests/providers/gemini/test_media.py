"""Parts of OpenAI's messages as Google's parts."""

from __future__ import annotations

from typing import Any

import pytest

from support.for_each import for_each
from support.gemini_wire import contents, user

PARTS: list[tuple[Any, Any]] = [
    ({"type": "text", "text": "a"}, {"text": "a"}),
    (
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWc="}},
        {"inlineData": {"mimeType": "image/png", "data": "aWc="}},
    ),
    (
        {"type": "image_url", "image_url": "data:;base64,aWc="},
        {"inlineData": {"mimeType": "image/jpeg", "data": "aWc="}},
    ),
    (
        {"type": "image_url", "image_url": {"url": "https://x.test/a.PNG?size=1"}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a.PNG?size=1"}},
    ),
    (
        {"type": "image_url", "image_url": {"url": "https://x.test/picture"}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.test/picture"}},
    ),
    (
        {"type": "video_url", "video_url": {"url": "https://www.youtube.com/watch?v=1"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://www.youtube.com/watch?v=1"}},
    ),
    (
        {"type": "input_audio", "input_audio": {"data": "c28=", "format": "wav"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "c28="}},
    ),
    (
        {"type": "file", "file": {"filename": "a.csv", "file_data": "data:text/csv;base64,YQ=="}},
        {"inlineData": {"mimeType": "text/csv", "data": "YQ=="}},
    ),
    (
        {"type": "file", "file": {"filename": "a.html", "file_data": "YWE="}},
        {"inlineData": {"mimeType": "text/html", "data": "YWE="}},
    ),
    (
        {"type": "file", "file": {"file_data": "YWE="}},
        {"inlineData": {"mimeType": "application/pdf", "data": "YWE="}},
    ),
    (
        {"type": "file", "file": {"file_data": "gs://bucket/a.wav"}},
        {"fileData": {"mimeType": "audio/wav", "fileUri": "gs://bucket/a.wav"}},
    ),
    (
        {"type": "file", "file": {"file_id": "files/abc"}},
        {
            "fileData": {
                "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc",
            }
        },
    ),
    (
        {"type": "file", "file": {"file_id": "https://x.test/files/abc", "filename": "a.pdf"}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.test/files/abc"}},
    ),
]


@for_each(("part", "written"), PARTS, ids=[str(part[0])[:60] for part in PARTS])
def test_a_part_is_converted_to_googles(part: Any, written: Any) -> None:
    assert contents(user(part)) == [{"role": "user", "parts": [written]}]


EMPTY = [
    {"type": "text", "text": ""},
    {"type": "text"},
    {"type": "refusal"},
    {"type": "image_url"},
    {"type": "input_audio"},
    {"type": "file"},
    {"type": "file", "file": {}},
    {"type": "something_else"},
]


@pytest.mark.parametrize("part", EMPTY, ids=[str(part) for part in EMPTY])
def test_an_empty_part_is_left_out_as_is_a_message_of_empty_parts(part: Any) -> None:
    assert contents(user(part)) == []
    assert contents(user(part, {"type": "text", "text": "a"}))[0]["parts"] == [{"text": "a"}]
