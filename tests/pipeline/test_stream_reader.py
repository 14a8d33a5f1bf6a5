"""Reading with templates gives the same result as reading event by event."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from headway.errors import ClientGone
from headway.events import Event
from headway.pipeline import stream_reader
from headway.providers.openai import fast_path as openai_fast_path
from headway.providers.openai import provider as openai
from headway.types import Frame
from support.pipeline_fakes import DONE, ROLE, START, STOP, USAGE, Pipe, event, text

OBFUSCATED = [
    event({"content": word}, obfuscation=padding)
    for word, padding in [("a", "x"), ('"b\\', "yz"), ("c", ""), ("d", "x y"), ("", "z")]
]
SECONDS = [event({"content": "a"}, created=second) for second in range(12)]
TOOL = event({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}]})
PARTS = [
    text("a"),
    text(" b"),
    text('"\\\n'),
    text("\u2028é"),
    text(""),
    event({"content": "d", "reasoning_content": "hm"}),
    event({"content": "e"}, logprobs={"content": []}),
    event({"content": "other"}).replace(b'"index": 0', b'"index": 1'),
    text("crlf").replace(b"\n", b"\r\n"),
    text("break").replace(b'"break"', b'\n"break"'),
    *OBFUSCATED,
    *SECONDS[:2],
    ROLE,
    TOOL,
    b": busy\n\n",
    b"event: ping\ndata: {}\n\n",
    b"\n",
]
ENDS = [
    STOP + USAGE + DONE,
    event({"content": "!"}, "stop") + USAGE + DONE,
    USAGE + DONE,
    DONE,
    b"",
]
"""The last ones are premature."""


DECODING = replace(openai.PROVIDER, read_text=None)
"""Decodes every event."""


def ask(pipe: Pipe, how: str) -> None:
    if how == "relayed":
        pipe.ask_openai(stream=True)
    else:
        pipe.ask(is_stream=how == "translated")


def play(how: str, pieces: list[bytes], provider: Any = None) -> tuple[Any, ...]:
    """What the client gets, and what is on record."""
    pipe = Pipe(provider=provider or openai.PROVIDER)
    ask(pipe, how)
    pipe.upstream.respond()
    for piece in pieces:
        if not pipe.upstream.is_over:
            pipe.upstream.chunk(piece)
            pipe.clock.now += 0.25
    if not pipe.upstream.is_over:
        pipe.upstream.end()
    return pipe.sink.kinds[0], pipe.sink.body, pipe.spool.lines


@given(
    st.sampled_from(["relayed", "joined", "translated"]),
    st.lists(st.sampled_from([*PARTS[:3], *PARTS]), max_size=10),
    st.sampled_from(ENDS),
    st.data(),
)
def test_templates_do_not_change_how_any_stream_cut_anywhere_is_read(
    how: str, parts: list[bytes], end: bytes, data: st.DataObject
) -> None:
    stream = b"".join([*parts, end])
    places = [0]
    for part in parts:
        places.append(places[-1] + len(part))
    cuts = data.draw(st.lists(st.sampled_from(places) | st.integers(0, len(stream)), max_size=20))
    pieces = [stream[a:b] for a, b in pairwise(sorted({0, *cuts, len(stream)}))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream_reader, "find_template", lambda *_: None)
        usual = play(how, pieces)
    assert play(how, pieces) == usual
    if how == "translated":
        assert play(how, pieces, DECODING) == usual


def relayed(*pieces: bytes) -> Pipe:
    pipe = Pipe()
    ask(pipe, "relayed")
    pipe.upstream.stream(*pieces)
    return pipe


def test_each_chunk_of_a_passed_through_stream_is_written_unchanged() -> None:
    pieces = [ROLE, text("a"), text("b"), text("c") + text("d"), text("e")]
    pipe = relayed(*pieces, STOP, USAGE + DONE)
    assert pipe.sink.pieces[:-1] == [*pieces, STOP]
    assert pipe.records[0].content_events == 5
    assert pipe.records[0].upstream_response_bytes == len(b"".join([*pieces, STOP, USAGE, DONE]))
    assert pipe.records[0].response_bytes == len(pipe.sink.body)


def test_texts_of_a_translated_stream_are_not_decoded_into_events() -> None:
    decoded = []

    def decode_event(frame: Frame, state: dict[str, Any]) -> list[Event]:
        decoded.append(frame.data)
        return openai.PROVIDER.decode_event(frame, state)

    pipe = Pipe(provider=replace(openai.PROVIDER, decode_event=decode_event))
    ask(pipe, "translated")
    texts = (text("a"), text("b"), text("c") + text("d"), text("e"))
    pipe.upstream.stream(ROLE, *texts, STOP + USAGE + DONE)
    assert decoded == [frame[6:-2] for frame in (ROLE, text("a"), STOP, USAGE, DONE)]
    assert "".join(line.get("chat_output") or "" for line in pipe.sink.lines) == "abcde"
    assert pipe.records[0].content_events == 5


def test_matching_events_are_not_decoded_by_the_adapter() -> None:
    read = []

    def read_text(data: bytes) -> str | None:
        read.append(data)
        return openai_fast_path.read_text(data)

    provider = replace(openai.PROVIDER, read_text=read_text)
    relaying, joining = Pipe(provider=provider), Pipe(provider=provider)
    ask(relaying, "relayed")
    relaying.upstream.stream(ROLE, text("a"), text("b"), text("c") + text("d"), text("e"))
    ask(joining, "joined")
    joining.upstream.stream(ROLE + text("a") + text("b") + text("c"), text("d") + text("e"))
    assert len(read) == 2  # to check the two templates
    relaying.upstream.chunk(STOP + USAGE + DONE)
    joining.upstream.chunk(STOP + USAGE + DONE)
    assert joining.sink.json["chat_output"] == "abcde"
    assert relaying.records[0].content_events == joining.records[0].content_events == 5


def test_an_event_that_came_in_part_does_not_prevent_the_template() -> None:
    read = []

    def read_text(data: bytes) -> str | None:
        read.append(data)
        return openai_fast_path.read_text(data)

    pipe = Pipe(provider=replace(openai.PROVIDER, read_text=read_text))
    ask(pipe, "joined")
    stream = ROLE + b"".join(map(text, "abcdefgh"))
    cut = stream.index(b'"c"')
    pipe.upstream.stream(stream[:cut], stream[cut:])
    assert len(read) == 2  # to check the template, and the event that was cut
    pipe.upstream.chunk(STOP + USAGE + DONE)
    assert pipe.sink.json["chat_output"] == "abcdefgh"


@pytest.mark.parametrize("how", ["relayed", "joined"])
def test_events_after_an_error_are_ignored(how: str) -> None:
    pipe = Pipe()
    ask(pipe, how)
    pipe.upstream.stream(event(error={"message": "Oops"}) + text("a") + text("b"))
    assert b"Oops" in pipe.sink.body
    assert pipe.records[0].content_events == 0


def test_padded_events_match_the_template() -> None:
    pieces = [event({"content": word}, obfuscation=word * 2) for word in "abcdefgh"]
    pipe = relayed(ROLE, *pieces, STOP)
    assert pipe.sink.pieces == [ROLE, *pieces, STOP]
    pipe.abort(ClientGone("It left."))
    assert [produced for _, _, produced in pipe.counted] == ["abcdefgh"]


@pytest.mark.parametrize("how", ["relayed", "joined"])
def test_the_template_follows_a_change_of_the_surrounding_bytes(how: str) -> None:
    """Some servers write the current second into every chunk."""
    pipe = Pipe()
    ask(pipe, how)
    events = [event({"content": "a"}, created=second) for second in range(3) for _ in range(10)]
    pipe.upstream.stream(ROLE, *events, STOP + USAGE + DONE)
    assert pipe.records[0].content_events == 30
    assert "a" * 30 in pipe.sink.body.decode() or how == "relayed"


def test_the_text_that_a_gone_client_received_is_counted() -> None:
    pipe = relayed(ROLE, text("one "), text("two "), text("three"))
    pipe.abort(ClientGone("It left."))
    assert [produced for _, _, produced in pipe.counted] == ["one two three"]
    assert pipe.records[0].content_events == 3


def test_invalid_utf8_in_a_matching_event_is_replaced() -> None:
    pipe = relayed(ROLE, text("a"), text("b"), text("c").replace(b'"c"', b'"\xff"'))
    assert json.loads(pipe.sink.pieces[-1][6:])["choices"][0]["delta"] == {"content": "\ufffd"}
    assert pipe.clock.now == START
