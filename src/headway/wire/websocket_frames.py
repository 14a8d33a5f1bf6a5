"""Read the messages of a WebSocket without taking part in it (RFC 6455, section 5).

``MessageReader`` sees the bytes of one direction, in any pieces, and returns the text messages in
them that are whole, uncompressed and not too long. All others, and a stream that breaks the rules,
are passed over: the bytes go on to the other side whatever they are.
"""

from __future__ import annotations

CONTINUATION, TEXT = 0, 1
FIRST_CONTROL = 8
"""Opcodes from here on are control frames, which may stand between the frames of a message."""
FINAL, RESERVED, OPCODE, MASKED, LENGTH = 0x80, 0x70, 0x0F, 0x80, 0x7F
MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of a message. Longer ones are passed over."""
GOING_AWAY = b"\x88\x02\x03\xe9"
"""A server's close frame with status 1001 (section 7.4.1)."""


class MessageReader:
    """The text messages that a server sends. Frames of a server are not masked (section 5.1)."""

    def __init__(self, limit: int = MAX_MESSAGE) -> None:
        self._limit = limit
        self._head = b""
        """The beginning of a frame whose head is not complete."""
        self._remaining = 0
        """Bytes of the current frame's payload that are still to come."""
        self._parts: list[bytes] | None = None
        """The payload of the current message; None while it is passed over."""
        self._size = 0
        self._is_final = self._is_control = False
        self._is_broken = False

    @property
    def is_between_frames(self) -> bool:
        """All bytes so far are whole frames."""
        return not (self._head or self._remaining or self._is_broken)

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads of the text messages that ``data`` completes."""
        messages: list[bytes] = []
        position = 0
        while position < len(data) and not self._is_broken:
            if not self._remaining:
                position = self._read_head(data, position, messages)
                continue
            piece = data[position : position + self._remaining]
            position += len(piece)
            self._remaining -= len(piece)
            self._keep(piece)
            if not self._remaining:
                self._end_frame(messages)
        return messages

    def _read_head(self, data: bytes, position: int, messages: list[bytes]) -> int:
        """Read the head of a frame, which may come in pieces. Returns where its payload begins."""
        before = len(self._head)
        head = self._head + data[position : position + 10 - before]
        size = 2 if len(head) < 2 else 2 + {126: 2, 127: 8}.get(head[1] & LENGTH, 0)
        if len(head) < size:
            self._head = head
            return len(data)
        self._head = b""
        self._begin_frame(head[0], head[1], head[2:size])
        if not self._remaining and not self._is_broken:
            self._end_frame(messages)
        return position + size - before

    def _begin_frame(self, first: int, second: int, extended: bytes) -> None:
        opcode = first & OPCODE
        self._is_final = bool(first & FINAL)
        self._is_control = opcode >= FIRST_CONTROL
        self._is_broken = bool(second & MASKED)
        self._remaining = int.from_bytes(extended, "big") if extended else second & LENGTH
        if self._is_control:
            return
        if opcode != CONTINUATION:  # the first frame of a message
            is_readable = opcode == TEXT and not first & RESERVED
            self._parts, self._size = ([] if is_readable else None), 0

    def _keep(self, piece: bytes) -> None:
        if self._is_control or self._parts is None:
            return
        self._size += len(piece)
        if self._size > self._limit:
            self._parts = None
        else:
            self._parts.append(piece)

    def _end_frame(self, messages: list[bytes]) -> None:
        if self._is_control or not self._is_final:
            return
        parts, self._parts = self._parts, None
        if parts is not None:
            messages.append(b"".join(parts))
