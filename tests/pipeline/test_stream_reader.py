"""What is read by its pattern is read as it would have been event by event."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from headway.errors import ClientGone
from headway.pipeline import stream_reader
from headway.providers.openai import fast_path as openai_fast_path
from headway.providers.openai import provider as openai
from pipeline_fakes import DONE, ROLE, START, STOP, USAGE, Pipe, event, text

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
"""The last of them come too early."""


def ask(pipe: Pipe, how: str) -> None:
    if how == "relayed":
        pipe.ask_openai(stream=True)
    else:
        pipe.ask(is_stream=how == "translated")


def play(how: str, pieces: list[bytes]) -> tuple[Any, ...]:
    """What the client gets, and what is on record."""
    pipe = Pipe()
    ask(pipe, how)
    pipe.sending.respond()
    for piece in pieces:
        if not pipe.sending.is_over:
            pipe.sending.chunk(piece)
            pipe.clock.now += 0.25
    if not pipe.sending.is_over:
        pipe.sending.end()
    return pipe.sink.kinds[0], pipe.sink.body, pipe.spool.lines


@given(
    st.sampled_from(["relayed", "joined", "translated"]),
    st.lists(st.sampled_from([*PARTS[:3], *PARTS]), max_size=10),
    st.sampled_from(ENDS),
    st.data(),
)
def test_any_stream_cut_anywhere_is_read_as_without_templates(
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


def relayed(*pieces: bytes) -> Pipe:
    pipe = Pipe()
    ask(pipe, "relayed")
    pipe.sending.stream(*pieces)
    return pipe


def test_each_piece_of_a_relayed_stream_leaves_as_it_came() -> None:
    pieces = [ROLE, text("a"), text("b"), text("c") + text("d"), text("e")]
    pipe = relayed(*pieces, STOP, USAGE + DONE)
    assert pipe.sink.pieces[:-1] == [*pieces, STOP]
    assert pipe.records[0].content_events == 5
    assert pipe.records[0].upstream_response_bytes == len(b"".join([*pieces, STOP, USAGE, DONE]))
    assert pipe.records[0].response_bytes == len(pipe.sink.body)


def test_nothing_is_asked_of_the_provider_for_events_that_are_like_the_others() -> None:
    read = []

    def read_text(data: bytes) -> str | None:
        read.append(data)
        return openai_fast_path.read_text(data)

    provider = replace(openai.PROVIDER, read_text=read_text)
    relaying, joining = Pipe(provider=provider), Pipe(provider=provider)
    ask(relaying, "relayed")
    relaying.sending.stream(ROLE, text("a"), text("b"), text("c") + text("d"), text("e"))
    ask(joining, "joined")
    joining.sending.stream(ROLE + text("a") + text("b") + text("c"), text("d") + text("e"))
    assert len(read) == 2  # to prove the two patterns
    relaying.sending.chunk(STOP + USAGE + DONE)
    joining.sending.chunk(STOP + USAGE + DONE)
    assert joining.sink.json["chat_output"] == "abcde"
    assert relaying.records[0].content_events == joining.records[0].content_events == 5


def test_an_event_that_came_in_part_does_not_hide_what_the_others_are_like() -> None:
    read = []

    def read_text(data: bytes) -> str | None:
        read.append(data)
        return openai_fast_path.read_text(data)

    pipe = Pipe(provider=replace(openai.PROVIDER, read_text=read_text))
    ask(pipe, "joined")
    stream = ROLE + b"".join(map(text, "abcdefgh"))
    cut = stream.index(b'"c"')
    pipe.sending.stream(stream[:cut], stream[cut:])
    assert len(read) == 2  # to prove the pattern, and of the event that was cut
    pipe.sending.chunk(STOP + USAGE + DONE)
    assert pipe.sink.json["chat_output"] == "abcdefgh"


@pytest.mark.parametrize("how", ["relayed", "joined"])
def test_what_is_behind_an_error_is_nobodys(how: str) -> None:
    pipe = Pipe()
    ask(pipe, how)
    pipe.sending.stream(event(error={"message": "Oops"}) + text("a") + text("b"))
    assert b"Oops" in pipe.sink.body
    assert pipe.records[0].content_events == 0


def test_the_padding_of_events_is_passed_over() -> None:
    pieces = [event({"content": word}, obfuscation=word * 2) for word in "abcdefgh"]
    pipe = relayed(ROLE, *pieces, STOP)
    assert pipe.sink.pieces == [ROLE, *pieces, STOP]
    pipe.abort(ClientGone("It left."))
    assert [produced for _, _, produced in pipe.counted] == ["abcdefgh"]


@pytest.mark.parametrize("how", ["relayed", "joined"])
def test_a_change_of_what_surrounds_the_texts_is_followed(how: str) -> None:
    """Some servers write the second into every chunk."""
    pipe = Pipe()
    ask(pipe, how)
    events = [event({"content": "a"}, created=second) for second in range(3) for _ in range(10)]
    pipe.sending.stream(ROLE, *events, STOP + USAGE + DONE)
    assert pipe.records[0].content_events == 30
    assert "a" * 30 in pipe.sink.body.decode() or how == "relayed"


def test_what_a_client_that_left_had_got_is_known() -> None:
    pipe = relayed(ROLE, text("one "), text("two "), text("three"))
    pipe.abort(ClientGone("It left."))
    assert [produced for _, _, produced in pipe.counted] == ["one two three"]
    assert pipe.records[0].content_events == 3


def test_what_is_no_utf8_in_a_text_like_the_others_ends_the_stream() -> None:
    pipe = relayed(ROLE, text("a"), text("b"), text("c").replace(b'"c"', b'"\xff"'))
    assert json.loads(pipe.sink.pieces[-1][6:])["error"]["type"] == "protocol_error"
    assert pipe.clock.now == START
