from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headway.wire.websocket_frames import GOING_AWAY, MessageReader


def frame(payload: bytes, opcode: int = 1, *, final: bool = True, flags: int = 0) -> bytes:
    """A server's frame (RFC 6455, section 5.2)."""
    first = (0x80 if final else 0) | flags | opcode
    size = len(payload)
    if size < 126:
        head = bytes([first, size])
    elif size < 1 << 16:
        head = bytes([first, 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, 127]) + size.to_bytes(8, "big")
    return head + payload


MEDIUM, LARGE = b"m" * 300, b"l" * 70_000
STREAM = (
    frame(b"one")
    + frame(b"", 9)
    + frame(b"\x00\x01", 2)
    + frame(b"tw", final=False)
    + frame(b"ping", 9)
    + frame(b"o", 0)
    + frame(b"compressed", flags=0x40)
    + frame(b"")
    + frame(MEDIUM)
    + frame(LARGE)
    + frame(b"\x03\xe8", 8)
)
MESSAGES = [b"one", b"two", b"", MEDIUM, LARGE]


def test_text_messages_are_read_and_all_others_passed_over() -> None:
    reader = MessageReader()
    assert reader.feed(STREAM) == MESSAGES
    assert reader.is_between_frames


def test_a_message_comes_in_any_pieces() -> None:
    for size in (1, 2, 3, 7, 1000):
        reader = MessageReader()
        pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
        assert [message for piece in pieces for message in reader.feed(piece)] == MESSAGES, size


def test_a_reader_knows_whether_it_is_between_frames() -> None:
    reader = MessageReader()
    whole = frame(MEDIUM)
    for size in (1, 3, 100):
        assert reader.feed(whole[:size]) == []
        assert not reader.is_between_frames
        assert reader.feed(whole[size:]) == [MEDIUM]
        assert reader.is_between_frames


def test_a_long_message_is_passed_over() -> None:
    reader = MessageReader(limit=10)
    assert reader.feed(frame(b"x" * 11) + frame(b"y" * 10)) == [b"y" * 10]
    parts = frame(b"x" * 6, final=False) + frame(b"x" * 6, 0) + frame(b"next")
    assert reader.feed(parts) == [b"next"]


def test_masked_frames_are_no_servers_and_end_the_reading() -> None:
    reader = MessageReader()
    assert reader.feed(b"\x81\x81\x00\x00\x00\x00x" + frame(b"one")) == []
    assert not reader.is_between_frames
    assert reader.feed(frame(b"two")) == []


def test_the_close_frame_says_that_the_server_goes_away() -> None:
    assert frame((1001).to_bytes(2, "big"), 8) == GOING_AWAY


@given(st.binary(max_size=64), st.integers(1, 64))
def test_no_bytes_make_it_fail_and_cuts_change_nothing(data: bytes, cut: int) -> None:
    whole, pieces = MessageReader(), MessageReader()
    assert whole.feed(data) == pieces.feed(data[:cut]) + pieces.feed(data[cut:])
