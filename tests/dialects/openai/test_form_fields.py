"""Texts of a form as the fields of a JSON body."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.openai.form_fields import LONGEST, read_fields
from headway.wire.multipart import find_parts


def read(*fields: tuple[str, bytes], more: bytes = b"") -> dict[str, Any]:
    parts = [
        b'--b\r\ncontent-disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        % (name.encode(), more, value)
        for name, value in fields
    ]
    body = b"".join(parts) + b"--b--"
    found = read_fields(find_parts(body, b"b"), body)
    return {name: json.loads(bytes(raw)) for name, raw in found.items()}


def test_texts_become_what_a_json_body_would_have() -> None:
    for text, value in (
        (b"0.20", 0.2), (b"-3", -3), (b"1e3", 1000.0), (b"true", True), (b"false", False),
        (b"01", "01"), (b"1.", "1."), (b"NaN", "NaN"), (b"null", "null"), (b"", ""),
        (b"a b", "a b"),
        (b'{"a": [1]}', {"a": [1]}), (b'["a"]', ["a"]), (b"{a}", "{a}"), (b"[\xff]", "[\ufffd]"),
        (b"\xff", "\ufffd"), (b"[" * 9000, "[" * 9000), ('"ä"'.encode(), '"ä"'),
    ):  # fmt: skip
        assert read(("x", text)) == {"x": value}, text


def test_the_user_is_a_text() -> None:
    assert read(("user", b"17"), ("safety_identifier", b"{}"), ("n", b"2")) == {
        "user": "17",
        "safety_identifier": "{}",
        "n": 2,
    }


def test_members_are_put_together() -> None:
    fields = [("metadata[team]", b"blue"), ("metadata[run]", b"7"), ("metadata[team]", b"red")]
    assert read(*fields) == {"metadata": {"team": "blue", "run": "7"}}
    assert read(*fields, ("metadata", b'{"a":"b"}')) == {"metadata": {"a": "b"}}
    for name in ("a[]", "[b]", "a[b][c]", "a]b["):
        assert read((name, b"1")) == {name: 1}


def test_the_first_of_several_counts() -> None:
    assert read(("x", b"1"), ("x", b"2")) == {"x": 1}


def test_files_long_texts_and_the_model_are_left_out() -> None:
    assert read(("x", b"1"), more=b'; filename="a"') == {}
    assert read(("x", b"1" * (LONGEST + 1)), ("model", b"m")) == {}
