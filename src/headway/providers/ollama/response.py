"""Ollama's responses, whole and streamed, in both of its formats (docs.ollama.com/api/chat).

Wire facts, read off recordings and api/types.go: a stream is lines of the object that a whole
response is; tool calls come whole, with arguments as an object, and finish with ``stop``; ids of
tool calls are recent, and made here where they are missing; the last line has the token counts. An
error in a stream is a line ``{"error": "..."}``. /v1 responds in OpenAI's format; the decoder
recognizes the format by the data.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.events import (
    Event,
    Failed,
    Finished,
    Reasoning,
    Started,
    Text,
)
from headway.providers.base import State
from headway.providers.http_errors import error_from_body
from headway.providers.logprobs import read_logprobs
from headway.providers.ollama.usage import read_usage
from headway.providers.openai import response as openai_response
from headway.providers.openai.finish_reasons import read_finish_reason
from headway.providers.tool_calls import ToolCalls
from headway.types import NO_RAW, Frame
from headway.wire.lenient_json import Count, Words, lenient_decoder

NON_DIGITS = re.compile(r"\D")


class OllamaFunction(Struct):
    name: str | None = None
    arguments: Raw = NO_RAW


class OllamaToolCall(Struct):
    function: OllamaFunction | None = None
    id: str | int | float | None = None


class OllamaMessage(Struct):
    content: str | None = None
    thinking: Words | None = None
    tool_calls: list[OllamaToolCall] | None = None


class OllamaResponse(Struct):
    """A whole response, or one line of a stream."""

    model: str | None = None
    created_at: str = ""
    message: OllamaMessage | None = None
    response: str | None = None
    """In place of a message, as ``thinking``: the text of /api/generate."""
    thinking: Words | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: Count | None = None
    eval_count: Count | None = None
    logprobs: list[dict[str, Any]] | None = None
    error: Any = None


_decode = lenient_decoder(OllamaResponse)
_decode_any = msgspec.json.Decoder().decode


class ResponseReader:
    """Reads the lines of one response: remembers that it started and how many tools it called."""

    __slots__ = ("calls", "created_at")

    def __init__(self) -> None:
        self.created_at: str | None = None
        """Of the first line; None before it."""
        self.calls = ToolCalls()

    def read(self, response: OllamaResponse) -> list[Event]:

        events: list[Event] = []
        if self.created_at is None:
            self.created_at = response.created_at
            created = _unix_seconds(response.created_at)
            events.append(Started(model=response.model, created=created))
        message = response.message
        if message is None and response.response is not None:
            message = OllamaMessage(response.response, response.thinking)
        if message is not None:
            self._read_message(message, events)
        if response.logprobs:
            events.append(read_logprobs({"content": response.logprobs}))
        if response.done or response.done_reason:
            events.append(self._read_finish(response))
            usage = read_usage(response.prompt_eval_count, response.eval_count)
            events += () if usage is None else (usage,)
        return events

    def _read_message(self, message: OllamaMessage, events: list[Event]) -> None:
        if message.thinking:
            events.append(Reasoning(message.thinking))
        if message.content:
            events.append(Text(message.content))
        for call in message.tool_calls or ():
            self._read_call(call, events)

    def _read_call(self, call: OllamaToolCall, events: list[Event]) -> None:
        """A missing id is made from the response's time: the same each time that this response is
        read, another on the next turn."""
        called = call.function or OllamaFunction()
        time = NON_DIGITS.sub("", self.created_at or "")
        made = f"call_{time}_{self.calls.count}" if called.name else None
        self.calls.add_whole(call.id or made, called.name, called.arguments, events)

    def _read_finish(self, response: OllamaResponse) -> Event:
        """Older servers send ``done`` without a reason; no server has a reason for tool calls."""
        finish = read_finish_reason(response.done_reason, 0, bool(self.calls.count))
        is_call = self.calls.count and finish == Finished("stop")
        return Finished("tool_calls") if is_call else finish or Finished(None)


def decode_event(frame: Frame, state: State) -> list[Event]:
    """The events of a line, or of a server-sent event in OpenAI's format."""
    if not frame.raw.startswith(b"{"):
        return openai_response.decode_event(frame, state)
    reader: ResponseReader = state.setdefault("reader", ResponseReader())
    return _read(_decode(frame.data), frame.data, reader)


def decode_response(body: bytes) -> list[Event]:
    """The events that a stream of the same response would have."""
    response = _decode(body)
    if response.message is None and response.response is None and not response.error:
        return openai_response.decode_response(body)
    return _read(response, body, ResponseReader())


def _read(response: OllamaResponse, data: bytes, reader: ResponseReader) -> list[Event]:
    if response.error:
        return [Failed(error_from_body(_decode_any(data), None))]
    return reader.read(response)


def _unix_seconds(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        return None
