from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.providers.anthropic.relayed_text import read_relayed_text
from headway.providers.openai.fast_path import read_text
from headway.types import Frame
from headway.wire.event_template import (
    EventTemplate,
    find_named_template,
    find_separator,
    find_template,
    read_string,
    single_event_template,
)
from headway.wire.sse import SseFramer
from support.for_each import for_each


def chunk(text: Any, **more: Any) -> bytes:
    return json.dumps({"id": "c-1", "choices": [{"delta": {"content": text}}], **more}).encode()


def event(text: Any, **more: Any) -> bytes:
    return b"data: %b\n\n" % chunk(text, **more)


def frame(raw: bytes) -> Frame:
    return SseFramer().feed(raw)[0]


def template_of(raw: bytes, text: str) -> EventTemplate | None:
    return find_template(frame(raw), text, read_text)


def known() -> EventTemplate:
    found = template_of(event("Hi"), "Hi")
    assert found is not None
    return found


def test_a_template_is_the_bytes_around_the_text() -> None:
    assert known() == EventTemplate(
        b'data: {"id": "c-1", "choices": [{"delta": {"content": "', b'"}}]}\n\n'
    )


# what it shows, an event, the text that it has
NO_TEMPLATES: list[tuple[str, bytes, str]] = [
    ("the text is in another place first", event("Hi", id="Hi").replace(b'"c-1"', b'"Hi"'), "Hi"),
    ("the text is a name first", event("choices"), "choices"),
    ("the text twice", b'data: {"choices":[{"delta":{"content":"Hi","content":"Hi"}}]}\n\n', "Hi"),
    ("an escape that we do not write", event("Hi").replace(b"Hi", b"\\u0048i"), "Hi"),
    ("CRLF", event("Hi").replace(b"\n", b"\r\n"), "Hi"),
    ("a comment before it", b": busy\n" + event("Hi"), "Hi"),
    ("no space", event("Hi").replace(b": {", b":{", 1), "Hi"),
    ("two lines of data", event("Hi").replace(b', "choices', b',\ndata: "choices'), "Hi"),
    ("no event at all", chunk("Hi") + b"\n\n", "Hi"),
]


@pytest.mark.parametrize(
    ("raw", "text"), [row[1:] for row in NO_TEMPLATES], ids=[row[0] for row in NO_TEMPLATES]
)
def test_there_is_no_template_if_another_text_would_not_be_read_back(raw: bytes, text: str) -> None:
    assert read_text(frame(raw).data) == text
    assert template_of(raw, text) is None


# what it shows, what follows the text in an event, what is then between it and a padding
PADDINGS: list[tuple[str, bytes, bytes | None]] = [
    ("a padding", b'}}],"pad":"Xy3"}', b'"}}],"pad":"'),
    ("a space before it", b'}}], "pad": "Xy3"}', b'"}}], "pad": "'),
    ("one that is empty", b'}}],"pad":""}', None),
    ("one with an escape", b'}}],"pad":"\\n"}', None),
    ("one that is no string", b'}}],"pad":12}', None),
    ("one that is not last", b'}}],"pad":"Xy3","usage":null}', None),
    ("one that is an object's", b'}}],"pad":{"a":"Xy3"}}', None),
    ("none", b"}}]}", None),
]


@pytest.mark.parametrize(
    ("closing", "between"), [row[1:] for row in PADDINGS], ids=[row[0] for row in PADDINGS]
)
def test_a_padding_is_a_string_at_the_end_of_the_object(
    closing: bytes, between: bytes | None
) -> None:
    found = template_of(b'data: {"choices":[{"delta":{"content":"Hi"%b\n\n' % closing, "Hi")
    assert found is not None
    assert find_separator(found, read_text) == between


def test_a_string_that_the_reader_depends_on_is_no_padding() -> None:
    def read(data: bytes) -> str | None:
        found: dict[str, str] = json.loads(data)
        return found["text"] if found["kind"] == "delta" else None

    found = find_template(frame(b'data: {"text":"Hi","kind":"delta"}\n\n'), "Hi", read)
    assert found is not None
    assert find_separator(found, read) is None


def test_the_texts_of_many_events_are_read_at_once() -> None:
    data = b"".join(map(event, ("a", 'b"', "ü\n", "\\", "}]}\\n\\n")))
    assert known().read_many(data) == (["a", 'b"', "ü\n", "\\", "}]}\\n\\n"], b"")


STOP = b'data: {"id": "c-1", "choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
ROLE = b'data: {"id": "c-1", "choices": [{"delta": {"role": "assistant"}}]}\n\n'
B = event("b")
MANY = event("a") + B
DONE = b"data: [DONE]\n\n"
END = STOP + DONE
EMPTY, NULL, MORE, OTHER = event(""), event(None), event("c", error=1), event("c", id="c-2")
LF, CR = (B.replace(b'"b"', mark + b'"b"') for mark in (b"\n", b"\r"))
NO_UTF8 = B.replace(b"b", b"\xff")

# what it shows, the bytes, the texts, what is behind them
RESTS: list[tuple[str, bytes, list[str], bytes]] = [
    ("nothing", b"", [], b""),
    ("other events behind", MANY + END, ["a", "b"], END),
    ("another event before", ROLE + MANY, [], ROLE + MANY),
    ("another event between", MANY + ROLE + MANY, ["a"], B + ROLE + MANY),
    ("a part of an event", MANY + B[:-1], ["a", "b"], B[:-1]),
    ("a part of a text", MANY + event("cd")[:-10], ["a", "b"], event("cd")[:-10]),
    ("a part of an opening", MANY + B[:20], ["a", "b"], B[:20]),
    ("a mere opening", MANY + known().opening, ["a", "b"], known().opening),
    ("no string", MANY + NULL + MANY, ["a", "b"], NULL + MANY),
    ("an empty text", MANY + EMPTY + MANY, [], MANY + EMPTY + MANY),
    ("more than a text", MANY + MORE + MANY, ["a", "b"], MORE + MANY),
    ("another object", MANY + OTHER + MANY, ["a"], B + OTHER + MANY),
    ("a line break around a text", MANY + LF + MANY, [], MANY + LF + MANY),
    ("a carriage return", MANY + CR + MANY, [], MANY + CR + MANY),
    ("what is no UTF-8", MANY + NO_UTF8 + MANY, ["a", "b"], NO_UTF8 + MANY),
]


@for_each(("data", "texts", "rest"), [row[1:] for row in RESTS], ids=[row[0] for row in RESTS])
def test_bytes_that_do_not_match_the_template_are_left(
    data: bytes, texts: list[str], rest: bytes
) -> None:
    assert known().read_many(data) == (texts, rest)


def test_a_mark_inside_an_event_does_not_split_texts() -> None:
    """Where a name comes twice, the last one holds."""
    opening = b'data: {"choices":[{"delta":{"role": "assistant","content": '
    once = opening + b'"%b"}}]}\n\n'
    twice = opening + b'"a","content": "b"}}]}\n\n'
    found = template_of(once % b"Hi", "Hi")
    assert found is not None
    for data in (twice, twice + once % b"c", once % b"c" + twice, twice + twice + DONE):
        assert found.read_many(data) == ([], data)
    assert read_text(frame(twice).data) == "b"


PARTS = [event("a"), event("b c"), event('"'), event(""), ROLE, STOP, b": busy\n\n", b"\n", b"\r"]
ODD = [known().opening, known().closing, b'"', b"data: ", b"\n\n", b'"content": "']


@given(st.lists(st.sampled_from([*PARTS, *PARTS, *ODD]), max_size=12))
def test_the_texts_are_always_those_of_the_first_frames(parts: list[bytes]) -> None:
    data = b"".join(parts)
    texts, rest = known().read_many(data)
    assert data.endswith(rest)
    read = SseFramer().feed(data[: len(data) - len(rest)])
    assert [read_text(one.data) for one in read] == texts
    assert all(one.event is None for one in read)


SINGLE = single_event_template(known(), read_text)
PADDING = b', "pad": "Xy3"}\n\n'


def padded(text: str, padding: bytes = PADDING) -> bytes:
    return event(text).removesuffix(b"}\n\n") + padding


# what it shows, a chunk, the text in it
SINGLE_EVENTS: list[tuple[str, bytes, str]] = [
    ("an event", event("b"), "b"),
    ("an escape", event('b"\n'), 'b"\n'),
    ("an empty text", event(""), ""),
    ("two events", MANY, ""),
    ("another event", ROLE, ""),
    ("a part", B[:-1], ""),
    ("no string", NULL, ""),
    ("one more field", MORE, ""),
    ("what is no UTF-8", NO_UTF8, ""),
]


@pytest.mark.parametrize(
    ("data", "text"), [row[1:] for row in SINGLE_EVENTS], ids=[row[0] for row in SINGLE_EVENTS]
)
def test_a_chunk_that_is_one_matching_event_is_its_text(data: bytes, text: str) -> None:
    assert SINGLE.read(data) == text


def test_the_padding_of_a_single_event_may_be_any_letters_and_digits() -> None:
    template = template_of(padded("Hi"), "Hi")
    assert template is not None
    single = single_event_template(template, read_text)
    assert single.separator == b'"}}], "pad": "'
    assert single.read(padded("b")) == "b"
    assert single.read(padded("b", b', "pad": "1234567"}\n\n')) == "b"
    for other in (b', "pad": "a b"}\n\n', b', "pad": ""}\n\n', b"}\n\n"):
        assert single.read(padded("b", other)) == ""


@given(st.text())
def test_a_string_is_read_as_it_was_written(text: str) -> None:
    assert read_string(json.dumps(text, ensure_ascii=False).encode()) == text


@pytest.mark.parametrize("raw", [b"", b'"', b'"a', b'a"', b'"a""b"', b'"\n"', b'"\xff"', b"1"])
def test_anything_but_one_string_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_string(raw)


# --- Events with a name ---------------------------------------------------------------------------


def named(text: str, padding: str = "", index: int = 0) -> bytes:
    delta = {"type": "text_delta", "text": text}
    value = {"type": "content_block_delta", "index": index, "delta": delta}
    data = json.dumps(value, separators=(",", ":"))
    return f"event: content_block_delta\ndata: {data[:-1]}{padding}}}\n\n".encode()


NAMED = find_named_template(frame(named("Hi", "  ")), "Hi", read_relayed_text)


@pytest.mark.parametrize("padding", ["", " ", " " * 17])
@given(text=st.text(min_size=1))
def test_an_event_with_a_name_is_read_whatever_its_padding(padding: str, text: str) -> None:
    assert NAMED is not None
    data = named(text, padding)
    assert NAMED.read(data) == text == read_relayed_text(frame(data).data)


@for_each(
    "data",
    [
        b"",
        named("Hi", index=1),
        named("Hi") + named("there"),
        named("Hi")[:-1],
        named("Hi").replace(b'"}}', b'","more":1}}'),
        named("Hi").replace(b'"}}', b'"},"usage":{}}'),
        named("Hi").replace(b'"Hi"', b"7"),
        named("Hi").replace(b"Hi", b"H\\x"),
        named("Hi").replace(b"Hi", b"\xff"),
        named("Hi").replace(b"event: content_block_delta", b"event: other"),
        named(""),
    ],
    ids=range(11),
)
def test_any_other_event_is_not_read(data: bytes) -> None:
    assert NAMED is not None
    assert NAMED.read(data) == ""


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (named("Hi").replace(b"\n", b"\r\n"), "Hi"),
        (named("Hi").replace(b"data: ", b"data:"), "Hi"),
        (b": busy\n" + named("Hi"), "Hi"),
        (named("Hi").replace(b'"}}', b'"},"index":0}'), "Hi"),
        (named("Hi").replace(b"Hi", b"\\u0048i"), "Hi"),
        (named("text"), "text"),
        (event("Hi"), "Hi"),
    ],
    ids=range(7),
)
def test_an_event_in_another_form_gives_no_template_for_names(raw: bytes, text: str) -> None:
    assert find_named_template(frame(raw), text, read_relayed_text) is None
