from __future__ import annotations

from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers.chat_messages import Media
from headway.providers.inline_files import decode_text, read_file

# an OpenAI file, its media, its text
FILES: list[tuple[dict[str, Any], Media, str | None]] = [
    ({"file_data": "data:image/png;base64,eA=="}, Media("image/png", "eA=="), None),
    ({"file_data": "data:text/plain;base64,SGk="}, Media("text/plain", "SGk="), "Hi"),
    ({"file_data": "data:application/json;base64,e30="}, Media("application/json", "e30="), "{}"),
    ({"file_data": "SGk=", "filename": "a.TXT"}, Media("text/plain", "SGk="), "Hi"),
]


@pytest.mark.parametrize(("file", "media", "text"), FILES)
def test_an_image_or_a_text_is_read(file: dict[str, Any], media: Media, text: str | None) -> None:
    assert read_file(file, "Acme") == (media, text)


@pytest.mark.parametrize(
    "file",
    [
        {"file_data": "data:application/pdf;base64,eA=="},
        {"file_data": "https://a.example/b.txt"},
        {"file_data": "eA==", "filename": "a.pdf"},
        {"file_id": "f"},
    ],
)
def test_any_other_file_is_rejected(file: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="Acme takes no documents but texts") as raised:
        read_file(file, "Acme")
    assert raised.value.param == "messages"


@pytest.mark.parametrize("data", ["\x80", "S", "gIA="])
def test_a_text_that_is_not_utf8_in_base64_is_rejected(data: str) -> None:
    with pytest.raises(RequestError, match="a text file is not UTF-8 in base64"):
        decode_text(data)


def test_characters_that_are_not_base64_can_be_ignored() -> None:
    assert decode_text("SG\nk=", validate=False) == "Hi"
