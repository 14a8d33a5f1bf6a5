"""Responses of OpenAI-compatible vendors: decoded as streams and as whole bodies."""

from __future__ import annotations

import json
from typing import Any

from headway.events import Event
from headway.providers import KINDS
from headway.response_accumulator import ResponseAccumulator
from headway.wire.sse import SseFramer
from support.openai_completions import base
from support.openai_upstream import sse_event


def streamed(kind: str, *steps: dict[str, Any] | bytes) -> list[Event]:
    """The events of a stream of these chunks; bytes are sent as they are."""
    data = b"".join(step if isinstance(step, bytes) else sse_event(step) for step in steps)
    framer, state = SseFramer(), {}  # type: ignore[var-annotated]
    decode = KINDS[kind].decode_event
    return [event for frame in framer.feed(data) + framer.end() for event in decode(frame, state)]


def decoded(kind: str, message: dict[str, Any], **more: Any) -> list[Event]:
    """The events of a body with one choice, to which ``choice`` adds fields."""
    choice = {"index": 0, "message": message, "finish_reason": "stop", **more.pop("choice", {})}
    body = {**base(), "choices": [choice], **more}
    return KINDS[kind].decode_response(json.dumps(body).encode())


def collect(events: list[Event]) -> ResponseAccumulator:
    accumulator = ResponseAccumulator()
    accumulator.add(events)
    return accumulator


def counts(accumulator: ResponseAccumulator) -> tuple[Any, ...]:
    """Input, output, reasoning and cached tokens."""
    usage = accumulator.reported()
    return usage.input_tokens, usage.output_tokens, usage.reasoning_tokens, usage.cache_read_tokens
