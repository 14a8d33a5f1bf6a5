"""Ollama's answers, whole and streamed, of both its wires (docs.ollama.com/api/chat).

Wire facts, read off recordings and api/types.go: a stream is lines of the same object that a whole
answer is; tool calls come whole, with arguments as an object, and finish with ``stop``; ids of
calls are new, and made here where they are lacking; the last line has the counts. An error in a
stream is a line ``{"error": "..."}``. Its /v1 speaks OpenAI's wire: what arrives tells which it is.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import UpstreamError
from headway.providers.base import State
from headway.providers.openai import provider as openai
from headway.providers.openai.errors import error_in
from headway.types import (
    Event,
    Failed,
    Finished,
    Frame,
    Logprobs,
    Reasoning,
    Started,
    Text,
    ToolArguments,
    ToolStarted,
    Usage,
    UsageReported,
)
from headway.wire.framer import Framer
from headway.wire.ndjson import NdjsonFramer
from headway.wire.sse import SseFramer

FINISH = {"length": "length", "load": "stop", "stop": "stop", "unload": "stop"}
DIGITS = re.compile(r"\D")


class Function(Struct):
    name: str
    arguments: Raw = Raw(b"{}")


class ToolCall(Struct):
    function: Function
    id: str | None = None


class Message(Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[ToolCall] | None = None


class Answer(Struct):
    """A whole answer, or a line of one."""

    model: str | None = None
    created_at: str = ""
    message: Message | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    logprobs: list[Any] | None = None
    error: Any = None


_answer = msgspec.json.Decoder(Answer).decode
_any = msgspec.json.Decoder().decode
_compact = msgspec.json.Encoder().encode


class EitherFramer:
    """Lines of JSON, or server-sent events: the first byte tells which."""

    __slots__ = ("_framer",)

    def __init__(self) -> None:
        self._framer: Framer | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """Raises ValueError when a frame is too long."""
        if self._framer is None:
            begun = data.lstrip()
            if not begun:
                return []
            self._framer = NdjsonFramer() if begun.startswith(b"{") else SseFramer()
            data = begun
        return self._framer.feed(data)

    def end(self) -> list[Frame]:
        return [] if self._framer is None else self._framer.end()


class Reader:
    """What is remembered of one answer: that it began, and how many tools it called."""

    __slots__ = ("begun", "calls")

    def __init__(self) -> None:
        self.begun: str | None = None
        self.calls = 0

    def read(self, answer: Answer) -> list[Event]:
        if answer.error is not None:
            return [Failed(_error(answer.error))]
        events: list[Event] = []
        if self.begun is None:
            self.begun = answer.created_at
            events.append(Started(model=answer.model, created=_seconds(answer.created_at)))
        if answer.message is not None:
            self._read_message(answer.message, events)
        if answer.logprobs:
            events.append(Logprobs({"content": answer.logprobs}))
        if answer.done:
            events.append(self._finish(answer))
            events += _usage(answer)
        return events

    def _read_message(self, message: Message, events: list[Event]) -> None:
        if message.thinking:
            events.append(Reasoning(message.thinking))
        if message.content:
            events.append(Text(message.content))
        for call in message.tool_calls or ():
            events += self._call(call)

    def _call(self, call: ToolCall) -> list[Event]:
        """An id that is lacking is made of the time of the answer: it is the same whenever the
        answer is read, and another on the next turn."""
        number, self.calls = self.calls, self.calls + 1
        made = call.id or f"call_{DIGITS.sub('', self.begun or '')}_{number}"
        arguments = _compact(_any(call.function.arguments)).decode()
        return [ToolStarted(number, made, call.function.name), ToolArguments(number, arguments)]

    def _finish(self, answer: Answer) -> Finished:
        """Before reasons were told, ``done`` was all; a call of a tool is never one of them."""
        reason = FINISH.get(answer.done_reason or "stop", answer.done_reason or "stop")
        return Finished("tool_calls" if self.calls and reason == "stop" else reason)


def decode_event(frame: Frame, state: State) -> list[Event]:
    """A line, or an event of the OpenAI wire."""
    if not frame.raw.startswith(b"{"):
        return openai.decode_event(frame, state)
    reader = state.setdefault("reader", Reader())
    events: list[Event] = reader.read(_answer(frame.data))
    return events


def decode_response(body: bytes) -> list[Event]:
    """A whole answer, as the stream that it might have been."""
    answer = _answer(body)
    if answer.message is None and answer.error is None:
        return openai.decode_response(body)
    return Reader().read(answer)


def _error(said: Any) -> UpstreamError:
    return error_in({"error": said}, None)


def _seconds(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return None


def _usage(answer: Answer) -> list[Event]:
    """A prompt that is in the cache as a whole was not counted by older servers."""
    prompt, completion = answer.prompt_eval_count, answer.eval_count
    if prompt is None and completion is None:
        return []
    shown = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": None if prompt is None or completion is None else prompt + completion,
    }
    return [UsageReported(Usage(input_tokens=prompt, output_tokens=completion), shown)]
