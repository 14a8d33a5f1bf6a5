"""AWS event streams are split into frames, in any chunk sizes; corrupt ones raise."""

from __future__ import annotations

import struct
from binascii import crc32

import pytest

from headway.types import Frame
from headway.wire.aws_event_stream import (
    MAX_MESSAGE_BYTES,
    EventStreamFramer,
    EventStreamMessage,
    Headers,
    parse_headers,
)
from support.event_stream_messages import encode_message
from support.for_each import for_each
from support.recordings import Recording, chosen, each

RECORDED = chosen(lambda r: b"eventstream" in dict(r.headers).get(b"content-type", b""))
EVENT: Headers = {":event-type": "chunk", ":content-type": "a", ":message-type": "event"}
EMPTY = bytes.fromhex("000000100000000005c248eb7d98c8ff")
"""The shortest message there is: no headers, no payload (AWS's own example of the format)."""
STREAM = b"".join(encode_message(EVENT, b"x" * size) for size in (0, 1, 100)) + EMPTY


def framed(data: bytes, size: int) -> list[Frame]:
    framer = EventStreamFramer()
    found = []
    for start in range(0, len(data), size):
        found += framer.feed(data[start : start + size])
    return found + framer.end()


def spoiled(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]


def sealed(block: bytes, payload: bytes = b"", claimed: int | None = None) -> bytes:
    """A message with right checksums around headers that may be wrong."""
    length = 16 + len(block) + len(payload)
    prelude = struct.pack(">II", length, len(block) if claimed is None else claimed)
    message = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return message + struct.pack(">I", crc32(message))


def test_the_event_of_a_frame_is_the_event_type_of_the_message() -> None:
    raw = encode_message(EVENT, b'{"a":1}')

    assert framed(raw, len(raw)) == [EventStreamMessage(b'{"a":1}', "chunk", raw, "event")]


def test_the_shortest_message_has_no_event() -> None:
    assert framed(EMPTY, 16) == [EventStreamMessage(b"", None, EMPTY, "event")]
    assert encode_message({}, b"") == EMPTY


def test_the_event_of_an_exception_is_its_exception_type() -> None:
    raw = encode_message(
        {":exception-type": "throttlingException", ":message-type": "exception"}, b'{"message":"m"}'
    )
    (message,) = EventStreamFramer().feed(raw)

    assert isinstance(message, EventStreamMessage)
    assert message.is_failure
    assert (message.event, message.data) == ("throttlingException", b'{"message":"m"}')


def test_an_error_without_payload_gets_its_message_as_payload() -> None:
    headers: Headers = {
        ":message-type": "error",
        ":error-code": "InternalError",
        ":error-message": 'a "quoted" one',
    }
    (message,) = EventStreamFramer().feed(encode_message(headers, b""))

    assert isinstance(message, EventStreamMessage)
    assert message.is_failure
    assert (message.event, message.data) == ("InternalError", b'{"message":"a \\"quoted\\" one"}')


def test_an_event_is_not_a_failure() -> None:
    (message,) = EventStreamFramer().feed(encode_message(EVENT, b"{}"))

    assert isinstance(message, EventStreamMessage)
    assert not message.is_failure


def test_chunk_sizes_do_not_change_the_frames() -> None:
    for size in range(1, len(STREAM) + 1):
        frames = framed(STREAM, size)
        assert [len(frame.data) for frame in frames] == [0, 1, 100, 0], size
        assert b"".join(frame.raw for frame in frames) == STREAM, size


def test_splitting_the_stream_anywhere_does_not_change_the_frames() -> None:
    for cut in range(len(STREAM)):
        framer = EventStreamFramer()
        frames = [*framer.feed(STREAM[:cut]), *framer.feed(STREAM[cut:]), *framer.end()]
        assert b"".join(frame.raw for frame in frames) == STREAM, cut


def test_a_changed_byte_anywhere_raises() -> None:
    raw = encode_message(EVENT, b"{}")
    for at in range(len(raw)):
        with pytest.raises(ValueError, match="checksum"):
            framed(spoiled(raw, at), 1000)


def test_an_incomplete_message_gives_no_frame() -> None:
    framer = EventStreamFramer()

    assert framer.feed(STREAM[:-1])[-1].data == b"x" * 100
    assert framer.end() == []


def test_a_message_over_the_limit_raises_once_its_prelude_is_complete() -> None:
    prelude = struct.pack(">II", MAX_MESSAGE_BYTES + 1, 0)
    framer = EventStreamFramer()

    with pytest.raises(ValueError, match=f"more than {MAX_MESSAGE_BYTES} bytes"):
        framer.feed(prelude + struct.pack(">I", crc32(prelude)))


def test_a_message_at_the_limit_is_accepted() -> None:
    raw = encode_message({}, b"x" * 84)

    assert len(EventStreamFramer(100).feed(raw)) == 1
    with pytest.raises(ValueError, match="more than 99 bytes"):
        EventStreamFramer(99).feed(raw)


@pytest.mark.parametrize(("length", "headers"), [(15, 0), (0, 0), (20, 5), (16, 2**32 - 1)])
def test_a_length_smaller_than_its_content_raises(length: int, headers: int) -> None:
    prelude = struct.pack(">II", length, headers)

    with pytest.raises(ValueError, match=f"an event of {length} bytes with {headers}"):
        EventStreamFramer().feed(prelude + struct.pack(">I", crc32(prelude)))


# Type numbers and widths: smithy.io/2.0/aws/amazon-eventstream.html.
@for_each(
    ("written", "value"),
    [
        (b"\x00", True),
        (b"\x01", False),
        (b"\x02\xff", -1),
        (b"\x03\x7f\xff", 32767),
        (b"\x04\x80\x00\x00\x00", -(2**31)),
        (b"\x05\x00\x00\x00\x00\x00\x00\x00\x2a", 42),
        (b"\x06\x00\x03\x01\x02\x03", b"\x01\x02\x03"),
        (b"\x07\x00\x02\xc3\xa9", "é"),
        (b"\x08\x00\x00\x01\x4f\x7e\x9b\x6f\x80", 1440938160000),
        (b"\x09" + bytes(range(16)), bytes(range(16))),
    ],
)
def test_headers_of_every_type_are_decoded(written: bytes, value: object) -> None:
    found = parse_headers(b"\x01a" + written + b"\x03end\x07\x00\x01z")

    assert found == {"a": value, "end": "z"}
    assert type(found["a"]) is type(value)


@pytest.mark.parametrize("value", [True, False, -5, 2**40, b"\x00", "text", ""])
def test_encoded_headers_are_decoded_to_the_same_values(value: bool | int | bytes | str) -> None:
    raw = encode_message({"name": value}, b"")
    length = struct.unpack_from(">I", raw, 4)[0]

    assert parse_headers(raw[12 : 12 + length]) == {"name": value}


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (b"\x05ab", "end too early"),
        (b"\x01a", "no type"),
        (b"\x01a\x0a", "no type"),
        (b"\x01a\x07", "end too early"),
        (b"\x01a\x07\x00", "end too early"),
        (b"\x01a\x07\x00\x05ab", "end too early"),
        (b"\x01a\x05\x00", "end too early"),
        (b"\x01a\x09\x00", "end too early"),
        (b"\x01a\x07\x00\x01\xff", "decode"),
    ],
)
def test_malformed_headers_raise(block: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        EventStreamFramer().feed(sealed(block))


def test_an_event_type_that_is_not_a_string_is_ignored() -> None:
    (message,) = EventStreamFramer().feed(encode_message({":event-type": 7}, b""))

    assert message.event is None


@each(RECORDED)
def test_a_recording_gives_the_same_frames_whole_and_byte_by_byte(recording: Recording) -> None:
    whole = framed(recording.body, len(recording.body))

    assert whole
    assert b"".join(frame.raw for frame in whole) == recording.body
    assert framed(recording.body, 1) == whole


@each(RECORDED)
def test_a_recording_with_a_changed_byte_raises(recording: Recording) -> None:
    for at in range(0, len(recording.body), max(1, len(recording.body) // 50)):
        with pytest.raises(ValueError, match="checksum"):
            framed(spoiled(recording.body, at), len(recording.body))
