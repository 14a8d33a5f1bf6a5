from __future__ import annotations

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.types import Frame
from headway.wire.ndjson import LIMIT, NdjsonFramer
from support.for_each import for_each
from support.recordings import Recording, chosen, each

# what it shows, the stream, the frames' data
STREAMS: list[tuple[str, bytes, list[bytes]]] = [
    ("nothing", b"", []),
    ("one line", b'{"a":1}\n', [b'{"a":1}']),
    ("two lines", b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}']),
    ("no end at the end", b'{"a":1}\n{"a":2}', [b'{"a":1}', b'{"a":2}']),
    ("CRLF", b'{"a":1}\r\n{"a":2}\r\n', [b'{"a":1}', b'{"a":2}']),
    ("blanks around", b' {"a":1}\t\n', [b'{"a":1}']),
    ("blank lines", b'\n\n{"a":1}\n \r\n\n', [b'{"a":1}']),
    ("a blank last line", b'{"a":1}\n  ', [b'{"a":1}']),
    ("what is no JSON is for others to judge", b"oops\n", [b"oops"]),
    ("bytes that are no UTF-8", b"\xff\n\xfe", [b"\xff", b"\xfe"]),
]

EACH = for_each(("stream", "lines"), [row[1:] for row in STREAMS], ids=[row[0] for row in STREAMS])


def read(*pieces: bytes) -> list[Frame]:
    framer = NdjsonFramer()
    return [frame for piece in pieces for frame in framer.feed(piece)] + framer.end()


def cut(stream: bytes, positions: list[int]) -> list[bytes]:
    return [stream[a:b] for a, b in pairwise([0, *sorted(positions), len(stream)])]


def single_bytes(stream: bytes) -> list[bytes]:
    return [stream[i : i + 1] for i in range(len(stream))]


def without_blank_lines(stream: bytes) -> bytes:
    return b"".join(line for line in stream.splitlines(keepends=True) if line.strip())


@EACH
def test_a_stream_gives_its_lines(stream: bytes, lines: list[bytes]) -> None:
    frames = read(stream)
    assert [frame.data for frame in frames] == lines
    assert all(frame.event is None for frame in frames)


@EACH
def test_the_frames_joined_are_the_stream_without_blank_lines(
    stream: bytes, lines: list[bytes]
) -> None:
    assert b"".join(frame.raw for frame in read(stream)) == without_blank_lines(stream)


@EACH
def test_a_stream_cut_anywhere_is_the_same(stream: bytes, lines: list[bytes]) -> None:
    whole = read(stream)
    for position in range(len(stream) + 1):
        assert read(*cut(stream, [position])) == whole, position
    assert read(*single_bytes(stream)) == whole


@given(st.data())
def test_any_splitting_of_any_stream_gives_the_same_frames(data: st.DataObject) -> None:
    parts = st.sampled_from([b"\n", b"\r\n", b" ", b"{", b'"a":1', b"}"])
    stream = b"".join(data.draw(st.lists(parts, max_size=24)))
    positions = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    whole = read(stream)
    assert read(*cut(stream, positions)) == whole
    assert b"".join(frame.raw for frame in whole) == without_blank_lines(stream)


def test_lines_come_as_soon_as_they_are_complete() -> None:
    framer = NdjsonFramer()
    assert framer.feed(b'{"a"') == []
    assert [frame.data for frame in framer.feed(b':1}\n{"')] == [b'{"a":1}']
    assert [frame.data for frame in framer.feed(b'a":2}\n')] == [b'{"a":2}']
    assert framer.end() == []


def test_a_line_over_the_limit_is_refused() -> None:
    framer = NdjsonFramer(limit=10)
    assert [frame.data for frame in framer.feed(b"1234567890\n")] == [b"1234567890"]
    assert framer.feed(b"1234567890") == []
    with pytest.raises(ValueError, match="a line of more than 10 bytes"):
        framer.feed(b"1")


def test_the_limit_is_of_one_line_and_not_of_the_stream() -> None:
    line = b'{"a":1}\n'
    framer = NdjsonFramer(limit=len(line) - 1)  # the last byte completes it
    frames = [frame for piece in single_bytes(line * 20) for frame in framer.feed(piece)]
    assert len(frames) == 20


def test_a_line_below_the_shipped_limit_arrives() -> None:
    data = b"x" * (LIMIT // 4)
    assert read(data, b"\n")[0].data == data


def seconds_for(kilobytes: int) -> float:
    """Of the processor, for one line of that size in pieces of 256 bytes, the best of three."""
    pieces = [*[b"x" * 256] * (kilobytes * 4), b"\n"]
    times = []
    for _ in range(3):
        began = process_time()
        assert len(read(*pieces)) == 1
        times.append(process_time() - began)
    return min(times)


def test_a_long_line_takes_linear_time() -> None:
    """Eight times the bytes take about eight times as long, not 64 times as with repeated joins."""
    assert seconds_for(4096) < 30 * seconds_for(512)


RECORDED = chosen(
    lambda recording: recording.stream and recording.status == 200 and recording.body[:1] == b"{"
)


@each(RECORDED)
def test_a_recorded_stream_is_the_same_however_it_is_cut(recording: Recording) -> None:
    whole = read(recording.body)
    assert b"".join(frame.raw for frame in whole) == recording.body
    assert read(*recording.chunks) == whole
    assert read(*recording.cut()) == whole
