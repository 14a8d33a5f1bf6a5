"""Calls of the Responses API for tests of its dialect, and the events of a stream."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.base import ClientRequest, ResponseContext
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.events import Event
from headway.types import ChatRequest, Frame
from support.dialect_samples import NO_FRAME

DIALECT = OpenAIResponses()
NOW = 1700000009.5


def client_request(*headers: tuple[bytes, bytes], **body: Any) -> ClientRequest:
    fields = {"model": "openai/gpt-5", "input": "Hi", **body}
    return ClientRequest("", headers, json.dumps(fields).encode())


def new_context(
    *headers: tuple[bytes, bytes], is_passthrough: bool = False, **body: Any
) -> ResponseContext:
    call = DIALECT.decode(client_request(*headers, **body))
    assert isinstance(call.request, ChatRequest)
    return ResponseContext(
        id="a-1",
        request_id="a-1",
        created=1700000000,
        call=call,
        sent=call.request,
        is_passthrough=is_passthrough,
    )


def read_events(data: bytes) -> list[Any]:
    """The objects of a stream, each named by its type and numbered in order."""
    found = []
    for block in data.split(b"\n\n")[:-1]:
        name, _, value = block.partition(b"\n")
        event = json.loads(value.removeprefix(b"data: "))
        assert name == b"event: " + event["type"].encode()
        found.append(event)
    return found


def encode_all(stream: Any, *frames: list[Event], frame: Frame = NO_FRAME) -> bytes:
    return b"".join(stream.encode(frame, events, NOW) or b"" for events in frames)
