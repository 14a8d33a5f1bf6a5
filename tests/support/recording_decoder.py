"""Decode a recording with an adapter."""

from __future__ import annotations

from typing import Any

from headway.events import Event
from headway.providers.base import Provider
from headway.response_accumulator import ResponseAccumulator
from support.recordings import Recording


def read(provider: Provider, recording: Recording, *pieces: bytes) -> list[Event]:
    """The events of an answer, of a stream in these pieces or in one."""
    if not recording.stream:
        return provider.decode_response(recording.body)
    return streamed(provider, *pieces or [recording.body])


def streamed(provider: Provider, *pieces: bytes) -> list[Event]:
    framer = provider.framer()
    state: dict[str, Any] = {}
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    return [e for frame in frames + framer.end() for e in provider.decode_event(frame, state)]


def fold(found: list[Event]) -> ResponseAccumulator:
    answer = ResponseAccumulator()
    answer.add(found)
    return answer
