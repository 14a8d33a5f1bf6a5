"""The interface of a framer, which splits a stream of bytes into frames."""

from __future__ import annotations

from typing import Protocol

from headway.types import Frame


class Framer(Protocol):
    def feed(self, data: bytes) -> list[Frame]:
        """The frames that ``data`` completes. Raises ValueError when a frame is too long."""

    def end(self) -> list[Frame]:
        """The incomplete frame that is left when the stream has ended."""


class ChunkFramer:
    """For bytes without frames, such as audio: each piece is one, as it was read."""

    def feed(self, data: bytes) -> list[Frame]:
        return [Frame(data, None, data)]

    def end(self) -> list[Frame]:
        return []
