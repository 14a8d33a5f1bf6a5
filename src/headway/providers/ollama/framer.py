"""Frames of both of Ollama's stream formats: lines of JSON, or OpenAI's server-sent events."""

from __future__ import annotations

from headway.types import Frame
from headway.wire.framer import Framer
from headway.wire.ndjson import NdjsonFramer
from headway.wire.sse import SseFramer


class NdjsonOrSseFramer:
    """Chooses the format by the first byte of the body: ``{`` begins a line of JSON."""

    __slots__ = ("_framer",)

    def __init__(self) -> None:
        self._framer: Framer | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """Raises ValueError when a frame is too long."""
        if self._framer is None:
            data = data.lstrip()
            if not data:
                return []
            self._framer = NdjsonFramer() if data.startswith(b"{") else SseFramer()
        return self._framer.feed(data)

    def end(self) -> list[Frame]:
        return [] if self._framer is None else self._framer.end()
