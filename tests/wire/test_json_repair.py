from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.wire.json_repair import complete, finish, is_utf8, repair_json, repair_whole
from support.for_each import for_each

HIGH, LOW = "\U0010d83d", "\U0010de00"
FIRST, SECOND = "\U0010e0f0\U0010e09f", "\U0010e098\U0010e080"

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Co")))
"""Without characters of the private planes, which stand in for parts."""

# JSON, and the same as strict decoders accept it
REPAIRED = [
    (b'{"a": "x\\ud83d"}', '{"a":"x\ufffd"}'),
    (b'{"a": "\\uDE00x"}', '{"a":"\ufffdx"}'),
    (b'{"a": "\\ude00\\ud83d"}', '{"a":"\ufffd\ufffd"}'),
    (b'{"a": "\\ud83d\\ude00", "b": NaN}', '{"a":"😀","b":null}'),
    (b'{"\\ud83d": [1, "\\ud83d", null, true, 1.5]}', '{"\ufffd":[1,"\ufffd",null,true,1.5]}'),
    (b'"\xff"', '"\ufffd"'),
    (b'"\xed\xa0\xbd\xed\xb8\x80"', '"😀"'),
    (b'"\xed\xa0\xbda"', '"\ufffda"'),
    (b'"\xf0\x9f"', '"\ufffd"'),
    (b'"\xf0\x9f\x98\x80\xff"', '"😀\ufffd"'),
    (b'{"a": NaN, "b": -Infinity, "c": 1e999}', '{"a":null,"b":null,"c":null}'),
    (b'"a\nb\x01"', '"a\\nb\\u0001"'),
    (b"[123456789012345678901234567890, NaN]", "[123456789012345678901234567890,null]"),
]


@for_each(("data", "repaired"), REPAIRED, ids=range(len(REPAIRED)))
def test_json_that_strict_decoders_refuse_is_repaired(data: bytes, repaired: str) -> None:
    found = repair_whole(data)
    assert found is not None
    assert found.decode() == repaired
    msgspec.json.decode(found)


def test_json_without_damage_is_not_repaired() -> None:
    assert repair_json('{"a": ["ä", 1.5, null, "\\ud83d\\ude00"]}'.encode()) is None


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b'{"a": ', b"\xff\xfe", b"[" * 99999], ids=range(5)
)
def test_what_is_no_json_is_not_repaired(data: bytes) -> None:
    assert repair_json(data) is None
    assert repair_whole(data) is None


@pytest.mark.parametrize(
    ("data", "is_valid"),
    [(b"", True), (b"a", True), ("ä😀".encode(), True), (b"\xff", False), (b"\xf0\x9f", False)],
    ids=range(5),
)
def test_utf8_is_recognized(data: bytes, is_valid: bool) -> None:
    assert is_utf8(data) is is_valid


# text with stand-ins; complete text, and the beginning of a character that may go on
COMPLETED = [
    ("", "", ""),
    ("abc", "abc", ""),
    (f"a{HIGH}", "a", HIGH),
    (f"a{HIGH}b", "a\ufffdb", ""),
    (f"{HIGH}{LOW}", "😀", ""),
    (f"{LOW}", "\ufffd", ""),
    (f"{HIGH}{HIGH}", "\ufffd", HIGH),
    (f"{HIGH}{HIGH}{LOW}", "\ufffd😀", ""),
    (f"a{FIRST}", "a", FIRST),
    (f"{FIRST}{SECOND}b", "😀b", ""),
    (f"{FIRST}{SECOND[0]}", "", FIRST + SECOND[0]),
    (f"{FIRST}b", "\ufffdb", ""),
    (f"{SECOND}", "\ufffd\ufffd", ""),
    ("\U0010e0ff", "\ufffd", ""),
    (f"\U0010e0ff{FIRST}", "\ufffd", FIRST),
    (f"{HIGH}{FIRST}", "\ufffd", FIRST),
    (f"😀{FIRST}", "😀", FIRST),
]


@for_each(("text", "joined", "rest"), COMPLETED)
def test_the_beginning_of_a_character_is_held(text: str, joined: str, rest: str) -> None:
    assert complete(text) == (joined, rest)


def test_what_is_alone_is_replaced() -> None:
    assert finish(f"a{HIGH}b{FIRST}") == "a\ufffdb\ufffd"


@given(TEXTS, st.integers(0, 30))
def test_a_text_that_is_cut_between_surrogates_is_the_same_text(text: str, at: int) -> None:
    units = text.encode("utf-16-le")
    pieces = [units[: 2 * at], units[2 * at :]]
    held, joined = "", ""
    for piece in pieces:
        escaped = json.dumps(piece.decode("utf-16-le", "surrogatepass")).encode()
        repaired = repair_json(escaped) or escaped
        done, held = complete(held + msgspec.json.decode(repaired))
        joined += done
    assert joined + finish(held) == text


@given(TEXTS, st.integers(0, 60))
def test_a_text_that_is_cut_between_bytes_is_the_same_text(text: str, at: int) -> None:
    written = text.encode()
    held, joined = "", ""
    for piece in (written[:at], written[at:]):
        quoted = b'"' + piece.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        repaired = repair_json(quoted) or quoted
        done, held = complete(held + msgspec.json.decode(repaired))
        joined += done
    assert joined + finish(held) == text
