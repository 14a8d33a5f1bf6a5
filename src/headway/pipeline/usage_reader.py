"""Read on the side what a response that is passed through says about its usage.

An ``Observer`` of a ``RawRelay``. It reads what the adapter of the route's kind reads, whole or
streamed, and stops at the first thing that it cannot read: then nothing is known of the usage.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from headway.events import UsageReported
from headway.pipeline import provider_calls
from headway.providers.base import Provider
from headway.response_accumulator import ResponseAccumulator
from headway.types import Frame
from headway.wire.framer import Framer

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a whole response that are kept to be read. Of a longer one, nothing is known."""
JSON = b"application/json"


class UsageReader:
    """Reads one response with the functions of ``provider``."""

    def __init__(self, provider: Provider, *, is_embeddings: bool = False) -> None:
        self.accumulator = ResponseAccumulator()
        self.arrivals = array("d")
        """When each frame with content arrived."""
        self.is_stream = False
        self.is_readable = True
        self._provider = provider
        self._is_embeddings = is_embeddings
        self._framer: Framer | None = None
        self._state: dict[str, Any] = {}
        self._parts: list[bytes] = []
        self._size = 0

    def on_response(self, status: int, headers: Mapping[bytes, bytes], now: float) -> None:
        content_type = headers.get(b"content-type", b"")
        self.is_readable = 200 <= status < 300
        if self.is_readable and content_type[: len(JSON)] != JSON:
            self._framer = self._provider.framer()
            self.is_stream = True

    def on_chunk(self, data: bytes, now: float) -> None:
        if not self.is_readable:
            return
        if self._framer is None:
            self._collect(data)
            return
        try:
            for frame in self._framer.feed(data):
                self._read_frame(frame, now)
        except provider_calls.MALFORMED:
            self.is_readable = False

    def on_end(self, now: float) -> None:
        if not self.is_readable or self.is_stream:
            return
        body = b"".join(self._parts)
        self._parts = []
        try:
            self._read_body(body, now)
        except provider_calls.MALFORMED:
            self.is_readable = False

    def _collect(self, data: bytes) -> None:
        self._size += len(data)
        self._parts.append(data)
        if self._size > MAX_BODY:
            self._parts, self.is_readable = [], False

    def _read_frame(self, frame: Frame, now: float) -> None:
        if not self.accumulator.done and self.accumulator.add(
            self._provider.decode_event(frame, self._state)
        ):
            self.arrivals.append(now)

    def _read_body(self, body: bytes, now: float) -> None:
        """One object, or an array of them: a stream of Google's without ``alt=sse``."""
        parts = provider_calls.objects_in(body)
        for each in [body] if parts is None else parts:
            if self._is_embeddings:
                self._read_embeddings(each)
            elif self.accumulator.add(self._provider.decode_response(each)):
                self.arrivals.append(now)

    def _read_embeddings(self, body: bytes) -> None:
        """Vectors are not billed as output tokens."""
        decode = self._provider.decode_embeddings
        if decode is None:
            self.is_readable = False
            return
        embeddings = decode(body)
        usage = replace(embeddings.usage, output_tokens=0)
        self.accumulator.add([UsageReported(usage)])
