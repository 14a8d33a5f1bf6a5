"""Read on the side what a response that is passed through says about its usage.

An ``Observer`` of a ``RawRelay``. It reads what an adapter reads, whole or streamed, and stops at
the first thing that it cannot read: then nothing is known of the usage.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from headway.events import Event, UsageReported
from headway.pipeline import provider_calls
from headway.pipeline.gateway import Upstream
from headway.providers.base import Provider
from headway.response_accumulator import ResponseAccumulator
from headway.types import Frame, RelayedRequest
from headway.wire.framer import ChunkFramer, Framer
from headway.wire.sse import SseFramer

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a whole response that are kept to be read. Of a longer one, nothing is known."""
JSON, SSE = b"application/json", b"text/event-stream"

DecodeBody = Callable[[bytes], list[Event]]
DecodeEvent = Callable[[Frame, dict[str, Any]], list[Event]]
NewStream = Callable[[bytes], tuple[Framer, DecodeEvent]]
"""The content type of a stream -> what reads it."""


class UsageReader:
    """Reads one response with the functions of an adapter."""

    def __init__(self, decode_body: DecodeBody, new_stream: NewStream) -> None:
        self.accumulator = ResponseAccumulator()
        self.arrivals = array("d")
        """When each frame with content arrived."""
        self.is_readable = True
        self._decode_body = decode_body
        self._new_stream = new_stream
        self._framer: Framer | None = None
        """None: the response is whole."""
        self._decode_event: DecodeEvent
        self._state: dict[str, Any] = {}
        self._parts: list[bytes] = []
        self._size = 0

    def on_response(self, status: int, headers: Mapping[bytes, bytes], now: float) -> None:
        content_type = headers.get(b"content-type", b"")
        self.is_readable = 200 <= status < 300
        if self.is_readable and content_type[: len(JSON)] != JSON:
            self._framer, self._decode_event = self._new_stream(content_type)

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
        if not self.is_readable or self._framer is not None:
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
            self._decode_event(frame, self._state)
        ):
            self.arrivals.append(now)

    def _read_body(self, body: bytes, now: float) -> None:
        """One object, or an array of them: a stream of Google's without ``alt=sse``."""
        parts = provider_calls.objects_in(body)
        for each in [body] if parts is None else parts:
            if self.accumulator.add(self._decode_body(each)):
                self.arrivals.append(now)


def chat_reader(provider: Provider) -> UsageReader:
    return UsageReader(
        provider.decode_response, lambda content_type: (provider.framer(), provider.decode_event)
    )


def embeddings_reader(provider: Provider) -> UsageReader | None:
    """Vectors are not billed as output tokens. None where the provider has no embeddings."""
    decode = provider.decode_embeddings
    if decode is None:
        return None

    def decode_body(body: bytes) -> list[Event]:
        return [UsageReported(replace(decode(body).usage, output_tokens=0))]

    return UsageReader(decode_body, lambda content_type: (provider.framer(), provider.decode_event))


def operation_reader(upstream: Upstream, request: RelayedRequest) -> UsageReader:
    """Of images, audio, moderations and reranking."""

    def decode_body(body: bytes) -> list[Event]:
        return provider_calls.decode_relayed(upstream, request, body, True)

    def new_stream(content_type: bytes) -> tuple[Framer, DecodeEvent]:
        is_binary = not content_type.startswith(SSE)
        decoder = provider_calls.relayed_decoder(upstream, request, is_binary)
        return ChunkFramer() if is_binary else SseFramer(), decoder.decode_event

    return UsageReader(decode_body, new_stream)
