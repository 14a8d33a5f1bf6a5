"""Responses in the formats of Ollama's /api/chat and /api/generate (docs.ollama.com/api): the
whole is one object, a stream is lines of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import NDJSON, ResponseContext, add_metrics, without_line_breaks
from headway.dialects.ollama.errors import error_line
from headway.errors import HeadwayError
from headway.events import (
    Event,
    Finished,
    Logprobs,
    Reasoning,
    Refusal,
    Rewritten,
    Started,
    Text,
)
from headway.response_accumulator import ChoiceAccumulator, ResponseAccumulator
from headway.types import Frame
from headway.wire.json_repair import is_utf8

Fields = dict[str, Any]

REWRITTEN = Rewritten()
OF_NO_TIME = b'"+-.0hmnsu'
"""The characters of a duration of zero: a number of seconds, or Go's text, such as ``0m``."""
NANOSECONDS = 1_000_000_000

_decode_arguments = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


class Format(Struct, frozen=True):
    """Where a route has the text. ``is_chat``: in a message, with its tool calls."""

    is_chat: bool

    def fields(self, text: str, thinking: str, calls: list[Fields]) -> Fields:
        more: Fields = {"thinking": thinking} if thinking else {}
        if calls:
            more["tool_calls"] = calls
        if self.is_chat:
            return {"message": {"role": "assistant", "content": text, **more}}
        return {"response": text, **more}


def read_calls(choice: ChoiceAccumulator) -> list[Fields]:
    """The calls with their arguments as objects. One whose arguments are no object is left out: a
    client could not call the tool."""
    calls = []
    for position, tool in enumerate(choice.tools.values()):
        try:
            arguments = _decode_arguments("".join(tool.arguments) or "{}")
        except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
            continue
        function = {"index": position, "name": tool.name, "arguments": arguments}
        calls.append({"id": tool.id, "function": function})
    return calls


def head_of(context: ResponseContext, started: Started | None, now: float) -> Fields:
    model = None if started is None else started.model
    return {"model": model or context.sent.model, "created_at": _time(now)}


def _time(now: float) -> str:
    time = datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds")
    return time.replace("+00:00", "Z")


def end_fields(response: ResponseAccumulator, metrics: Struct) -> Fields:
    """The fields of the last line. Durations are in nanoseconds; a provider tells no others than
    the time to the first token and the whole."""
    usage, reason = response.reported(), response.finish_reason
    total = _nanoseconds(getattr(metrics, "latency_s", None))
    first = min(_nanoseconds(getattr(metrics, "time_to_first_token_s", None)), total)
    return {
        "done": True,
        "done_reason": "length" if reason == "length" else "stop",
        "total_duration": total,
        "load_duration": 0,
        "prompt_eval_count": usage.input_tokens or 0,
        "prompt_eval_duration": first,
        "eval_count": usage.output_tokens or 0,
        "eval_duration": total - first,
    }


def loaded(model: str, form: Format, fields: Mapping[str, Raw], now: float) -> bytes:
    """The reply to a request without a prompt. ``model`` is the name that the client sent."""
    reason = "unload" if _is_zero(fields.get("keep_alive")) else "load"
    head = {"model": model, "created_at": _time(now)}
    return _encode({**head, **form.fields("", "", []), "done": True, "done_reason": reason})


def _is_zero(keep_alive: Raw | None) -> bool:
    text = b"" if keep_alive is None else bytes(keep_alive)
    return b"0" in text and not text.strip(OF_NO_TIME)


def _nanoseconds(seconds: float | None) -> int:
    return 0 if seconds is None else int(seconds * NANOSECONDS)


def encode_whole(
    context: ResponseContext,
    response: ResponseAccumulator,
    metrics: Struct,
    now: float,
    form: Format,
    shows_thinking: bool,
) -> bytes:
    choice = response.choice(0)
    text = choice.joined_text() + "".join(choice.refusal)
    thinking = "".join(choice.reasoning) if shows_thinking else ""
    said = form.fields(text, thinking, read_calls(choice))
    head = head_of(context, response.started, now)
    return _encode({**head, **said, **end_fields(response, metrics), **_logprobs(choice.logprobs)})


def _logprobs(logprobs: Any) -> Mapping[str, Any]:
    found = logprobs.get("content") if isinstance(logprobs, dict) else None
    return {"logprobs": found} if found else {}


class OllamaStream:
    """The lines of one stream. Tool calls come whole, in a line before the last."""

    __slots__ = (
        "_context",
        "_form",
        "_last_line",
        "_shows_thinking",
        "_started",
        "content_type",
        "is_framed",
        "is_passthrough",
    )

    def __init__(
        self,
        context: ResponseContext,
        form: Format,
        shows_thinking: bool,
        is_passthrough: bool,
    ) -> None:
        self._context = context
        self._form = form
        self._shows_thinking = shows_thinking
        self._started: Started | None = None
        self._last_line: bytes | None = None
        """The provider's own, which the metrics are added to."""
        self.content_type = NDJSON
        self.is_framed = False
        """Some clients read one object of each HTTP chunk."""
        self.is_passthrough = is_passthrough

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        if self.is_passthrough:
            is_line = frame.raw[:1] == b"{" and is_utf8(frame.data)
            if is_line and REWRITTEN not in events:
                return self._relay(frame, events)
            if not events:
                return None
            self.is_passthrough = False
        text, thinking, logprobs = "", "", dict[str, Any]()
        for event in events:
            if type(event) is Started:
                self._started = event
            elif type(event) in (Text, Refusal):
                text += event.text if event.index == 0 else ""  # type: ignore[union-attr]
            elif type(event) is Reasoning and event.index == 0 and self._shows_thinking:
                thinking += event.text
            elif type(event) is Logprobs and event.index == 0:
                logprobs.update(_logprobs(event.value))
        if not (text or thinking):
            return None
        return self._line({**self._form.fields(text, thinking, []), "done": False, **logprobs}, now)

    def _relay(self, frame: Frame, events: list[Event]) -> bytes | None:
        shows_metrics = self._context.call.shows_metrics
        if shows_metrics and any(type(event) is Finished for event in events):
            self._last_line = frame.data
            return None
        return frame.data + b"\n"

    def end(self, response: ResponseAccumulator, metrics: Struct, now: float) -> list[bytes]:
        if self.is_passthrough:
            if self._last_line is None:
                return []
            return [add_metrics(self._last_line, metrics) + b"\n"]
        lines = []
        calls = read_calls(response.choice(0))
        if calls:
            lines.append(self._line({**self._form.fields("", "", calls), "done": False}, now))
        last = {**self._form.fields("", "", []), **end_fields(response, metrics)}
        if self._context.call.shows_metrics:
            last["metrics"] = metrics
        return [*lines, self._line(last, now)]

    def fail(self, error: HeadwayError) -> list[bytes]:
        return [error_line(error) + b"\n"]

    def _line(self, fields: Fields, now: float) -> bytes:
        head = head_of(self._context, self._started, now)
        return without_line_breaks(_encode({**head, **fields})) + b"\n"
