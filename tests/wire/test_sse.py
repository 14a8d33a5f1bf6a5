from __future__ import annotations

from itertools import accumulate, pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.types import Frame
from headway.wire.sse import LIMIT, SseFramer
from support.for_each import for_each
from support.recordings import Recording, chosen, each

BOM = b"\xef\xbb\xbf"

# what it shows, the stream, the frames as (data, event)
STREAMS: list[tuple[str, bytes, list[tuple[bytes, str | None]]]] = [
    ("nothing", b"", []),
    ("one event", b"data: a\n\n", [(b"a", None)]),
    ("no space after the colon", b"data:a\n\n", [(b"a", None)]),
    ("one space is the separator's", b"data:  a\n\n", [(b" a", None)]),
    ("two events", b"data: a\n\ndata: b\n\n", [(b"a", None), (b"b", None)]),
    ("CRLF", b"data: a\r\n\r\ndata: b\r\n\r\n", [(b"a", None), (b"b", None)]),
    ("CR", b"data: a\r\rdata: b\r\r", [(b"a", None), (b"b", None)]),
    (
        "mixed ends",
        b"data: a\n\r\ndata: b\r\n\ndata: c\r\r\ndata: d\n\rdata: e\r\n\rdata: f\n\n",
        [(c, None) for c in (b"a", b"b", b"c", b"d", b"e", b"f")],
    ),
    ("from LF to CRLF", b"data: a\n\ndata: b\r\n\r\n", [(b"a", None), (b"b", None)]),
    ("more blank lines than due", b"data: a\n\n\ndata: b\n\n", [(b"a", None), (b"b", None)]),
    ("an empty event", b"data: a\n\n\n\n", [(b"a", None), (b"", None)]),
    ("blank lines in front", b"\n\ndata: a\n\n", [(b"", None), (b"a", None)]),
    ("several lines", b"data: a\ndata: b\n\n", [(b"a\nb", None)]),
    ("several lines of CRLF", b"data: a\r\ndata: b\r\n\r\n", [(b"a\nb", None)]),
    ("an empty line of data between", b"data: a\ndata\ndata: b\n\n", [(b"a\n\nb", None)]),
    ("a name", b"event: ping\ndata: {}\n\n", [(b"{}", "ping")]),
    ("a name behind the data", b"data: {}\nevent: ping\n\n", [(b"{}", "ping")]),
    ("a name alone", b"event: ping\n\n", [(b"", "ping")]),
    ("the last name counts", b"event: a\nevent: b\ndata: x\n\n", [(b"x", "b")]),
    ("a name that is no UTF-8", b"event: \xff\ndata: x\n\n", [(b"x", "�")]),
    ("a name does not last", b"event: a\ndata: x\n\ndata: y\n\n", [(b"x", "a"), (b"y", None)]),
    ("id and retry are passed over", b"id: 7\nretry: 10\ndata: a\n\n", [(b"a", None)]),
    ("an unknown field is passed over", b"mood: good\ndata: a\n\n", [(b"a", None)]),
    ("names are exact", b"Data: a\n data: b\n\n", [(b"", None)]),
    ("a word that is no field", b"ping\n\n", [(b"", None)]),
    ("a field that is unknown", b"progress: 1 of 2\n\n", [(b"", None)]),
    ("prose", b"Internal Server Error", [(b"Internal Server Error", None)]),
    ("prose with a colon", b"upstream error: reset\n\n", [(b"upstream error: reset", None)]),
    ("a capital alone", b"Unauthorized\n", [(b"Unauthorized\n", None)]),
    ("a JSON text", b'"No."\n\n', [(b'"No."', None)]),
    ("a page", b"<html>\n<b>502</b>\n\n", [(b"<html>\n<b>502</b>", None)]),
    ("a comment", b": hello\n\ndata: a\n\n", [(b"", None), (b"a", None)]),
    ("a comment within", b": hello\ndata: a\n: bye\n\n", [(b"a", None)]),
    ("colons in the data", b"data: a:b: c\n\n", [(b"a:b: c", None)]),
    ("bytes that are no UTF-8", b"data: \xff\xfe\n\n", [(b"\xff\xfe", None)]),
    ("a byte order mark", BOM + b"data: a\n\n", [(b"a", None)]),
    ("a second mark is data", b"data: " + BOM + b"\n\n", [(BOM, None)]),
    ("a mark only begins", b"\xefdata: a\n\n", [(b"", None)]),
    ("part of a mark", BOM[:2], [(b"", None)]),
    ("an end mark", b"data: [DONE]\n\n", [(b"[DONE]", None)]),
    ("no blank line at the end", b"data: a\n\ndata: b", [(b"a", None), (b"b", None)]),
    ("one line end at the end", b"data: a\n\ndata: b\n", [(b"a", None), (b"b", None)]),
    ("CRLF, no blank line at the end", b"data: a\r\n", [(b"a", None)]),
    ("CR at the end", b"data: a\r", [(b"a", None)]),
    ("a bare error", b'data: a\n\nerror: {"m":1}\n\n', [(b"a", None), (b'{"m":1}', "error")]),
    ("a bare error at the end", b'error: {"m":1}', [(b'{"m":1}', "error")]),
    ("plain JSON", b'{"error": {"m": 1}}', [(b'{"error": {"m": 1}}', None)]),
    ("plain JSON in lines", b'[{\n "m": 1\n}]\n', [(b'[{\n "m": 1\n}]\n', None)]),
    ("plain JSON after events", b'data: a\n\n{"m":1}', [(b"a", None), (b'{"m":1}', None)]),
]  # fmt: skip

EACH = for_each(("stream", "frames"), [row[1:] for row in STREAMS], ids=[row[0] for row in STREAMS])


def read(*pieces: bytes) -> list[Frame]:
    framer = SseFramer()
    return [frame for piece in pieces for frame in framer.feed(piece)] + framer.end()


def cut(stream: bytes, positions: list[int]) -> list[bytes]:
    """The stream in pieces that end at these positions."""
    return [stream[a:b] for a, b in pairwise([0, *sorted(positions), len(stream)])]


def single_bytes(stream: bytes) -> list[bytes]:
    return [stream[i : i + 1] for i in range(len(stream))]


@EACH
def test_a_stream_gives_its_frames(stream: bytes, frames: list[tuple[bytes, str | None]]) -> None:
    assert [(frame.data, frame.event) for frame in read(stream)] == frames


@EACH
def test_the_frames_joined_are_the_stream(
    stream: bytes, frames: list[tuple[bytes, str | None]]
) -> None:
    assert b"".join(frame.raw for frame in read(stream)) == stream.removeprefix(BOM)


@EACH
def test_a_stream_cut_anywhere_is_the_same(
    stream: bytes, frames: list[tuple[bytes, str | None]]
) -> None:
    whole = read(stream)
    for position in range(len(stream) + 1):
        assert read(*cut(stream, [position])) == whole, position
    assert read(*single_bytes(stream)) == whole


LINE_ENDS = [b"\n", b"\r\n", b"\r"]
PARTS = [*LINE_ENDS, *LINE_ENDS, b"data: ", b"data", b":", b" ", b"event: ", b"error: ", b"x", b"{"]


@given(st.data())
def test_any_splitting_of_any_stream_gives_the_same_frames(data: st.DataObject) -> None:
    mark = data.draw(st.sampled_from([b"", BOM, BOM[:2], BOM[:1]]))
    stream = mark + b"".join(data.draw(st.lists(st.sampled_from(PARTS), max_size=24)))
    positions = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    whole = read(stream)
    assert read(*cut(stream, positions)) == whole
    assert b"".join(frame.raw for frame in whole) == stream.removeprefix(BOM)


@given(st.lists(st.binary(max_size=8), max_size=8))
def test_any_bytes_are_returned_unchanged(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    assert read(*pieces) == read(stream)
    assert b"".join(frame.raw for frame in read(*pieces)) == stream.removeprefix(BOM)


def test_frames_come_as_soon_as_they_are_complete() -> None:
    framer = SseFramer()
    assert framer.feed(b"data: a\n") == []
    assert [frame.data for frame in framer.feed(b"\nda")] == [b"a"]
    assert [frame.data for frame in framer.feed(b"ta: b\r\n\r\n")] == [b"b"]


def test_a_carriage_return_at_the_end_waits_for_the_next_byte() -> None:
    framer = SseFramer()
    assert framer.feed(b"data: a\r\n\r") == []
    assert [frame.raw for frame in framer.feed(b"\n")] == [b"data: a\r\n\r\n"]


def test_a_framer_that_ended_holds_nothing() -> None:
    framer = SseFramer()
    framer.feed(b"data: a")
    assert len(framer.end()) == 1
    assert framer.end() == []


def test_an_event_over_the_limit_is_refused() -> None:
    framer = SseFramer(limit=10)
    assert [frame.data for frame in framer.feed(b"data: 7890\n\n")] == [b"7890"]
    assert framer.feed(b"data: 7890") == []
    with pytest.raises(ValueError, match="an event of more than 10 bytes"):
        framer.feed(b"1")


def test_the_limit_is_of_one_event_and_not_of_the_stream() -> None:
    event = b"data: 7890\n\n"
    framer = SseFramer(limit=len(event) - 1)  # the last byte completes it
    frames = [frame for piece in single_bytes(event * 20) for frame in framer.feed(piece)]
    assert len(frames) == 20


def test_an_event_below_the_shipped_limit_arrives() -> None:
    data = b"x" * (LIMIT // 4)
    assert read(b"data: ", data, b"\n\n")[0].data == data


def seconds_for(kilobytes: int) -> float:
    """Of the processor, for one event of that size in pieces of 256 bytes, the best of three."""
    pieces = [b"data: ", *[b"x" * 256] * (kilobytes * 4), b"\n\n"]
    times = []
    for _ in range(3):
        began = process_time()
        assert len(read(*pieces)) == 1
        times.append(process_time() - began)
    return min(times)


def test_a_long_event_takes_linear_time() -> None:
    """Eight times the bytes take about eight times as long, not 64 times as with repeated joins."""
    assert seconds_for(4096) < 30 * seconds_for(512)


RECORDED = chosen(lambda recording: recording.is_sse)
EACH_RECORDED = each(RECORDED)


@EACH_RECORDED
def test_a_recorded_stream_comes_back_whole(recording: Recording) -> None:
    frames = read(recording.body)
    assert b"".join(frame.raw for frame in frames) == recording.body
    assert any(frame.data for frame in frames)


@EACH_RECORDED
def test_a_recorded_stream_in_its_recorded_chunks_is_the_same(recording: Recording) -> None:
    whole = read(recording.body)
    assert read(*recording.chunks) == whole
    assert read(*recording.cut()) == whole


@EACH_RECORDED
def test_a_recorded_stream_cut_once_near_the_end_of_a_frame_is_the_same(
    recording: Recording,
) -> None:
    """The first four thousand bytes hold every kind of event that there is. Cuts elsewhere are
    those of the stream byte by byte, above, and of every short stream in the table."""
    body = recording.body[:4000]
    whole = read(body)
    for position in near_frame_ends(whole):
        assert read(body[:position], body[position:]) == whole, position


def near_frame_ends(frames: list[Frame]) -> list[int]:
    """The positions within four bytes of where a frame ends."""
    ends = [0, *accumulate(len(frame.raw) for frame in frames)]
    return sorted(
        {max(end + d, 0) for end in ends for d in range(-4, 5)} & set(range(ends[-1] + 1))
    )
