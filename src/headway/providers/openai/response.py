"""Responses of OpenAI's chat completions, streamed and whole
(platform.openai.com/docs/api-reference/chat).

Wire facts, read off recordings: usage comes in a last chunk with empty ``choices`` and is null on
the others; a random ``obfuscation`` field pads most chunks; the first chunk has a role and an empty
text; tool arguments come in fragments keyed by ``index``. Only the fields that are read are
decoded.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import UpstreamError
from headway.events import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    Logprobs,
    Reasoning,
    Refusal,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
)
from headway.providers.base import State
from headway.providers.http_errors import error_from_body
from headway.providers.openai.content_blocks import read_content_parts
from headway.providers.openai.fast_path import read_text
from headway.providers.openai.finish_reasons import read_finish_reason
from headway.providers.openai.tools import (
    CalledFunction,
    KnownCalls,
    ToolCallDelta,
    read_function_call,
    read_tool_call,
)
from headway.providers.openai.usage import decode_usage
from headway.types import NO_RAW, Frame

DONE: list[Event] = [StreamEnd()]
AUTO = "auto"
"""As a service tier it repeats the request, and does not name the tier that serves it."""
NULL = b"null"
NO_ERRORS = (NULL, b'""', b"{}", b"[]", b"false", b"0")


class MessageFields(Struct):
    """The fields of a ``message``, and of a ``delta``, which are the same."""

    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallDelta] | None = None
    function_call: CalledFunction | None = None
    audio: Any = None
    annotations: Any = None


class CompletionChoice(Struct):
    index: int = 0
    delta: MessageFields | None = None
    message: MessageFields | None = None
    finish_reason: str | None = None
    logprobs: Any = None


class Completion(Struct):
    """A chunk of a stream, or a whole completion."""

    id: str | None = None
    model: str | None = None
    created: int | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    choices: list[CompletionChoice] | None = None
    usage: Raw = NO_RAW
    error: Raw = NO_RAW


_decode_completion = msgspec.json.Decoder(Completion).decode
_decode_any = msgspec.json.Decoder().decode


def decode_event(frame: Frame, state: State) -> list[Event]:
    """The events of one ``data:`` line of a stream."""
    data = frame.data
    if data == b"[DONE]":
        return DONE
    if not data:
        return []
    if frame.event == "error":
        return [Failed(_read_error(data))]
    text = read_text(data) if state else None
    return _read_chunk(_decode_completion(data), state) if text is None else [Text(text)]


def decode_response(body: bytes) -> list[Event]:
    """The events that a stream of the same completion would have. Raises ValueError for a body
    without choices."""
    completion = _decode_completion(body)
    if _is_error(completion.error):
        return [Failed(_read_error(completion.error))]
    if completion.choices is None:
        raise ValueError("the answer has no choices")
    events: list[Event] = [_read_start(completion)]
    for choice in completion.choices:
        message = choice.message
        if message is not None:
            if message.content and type(message.content) is str:
                events.append(Text(message.content, choice.index))
            _read_message(message, choice.index, {}, events)
        if choice.logprobs is not None:
            events.append(Logprobs(choice.logprobs, choice.index))
        finish = read_finish_reason(choice.finish_reason, choice.index, _has_calls(message))
        events.append(finish or Finished(None, choice.index))
    if _is_present(completion.usage):
        events.append(decode_usage(completion.usage))
    events.append(DONE[0])
    return events


def _read_chunk(chunk: Completion, state: State) -> list[Event]:
    events: list[Event] = []
    if not state and chunk.choices is not None:  # a first chunk with only an error starts nothing
        state["tools"] = {}
        state["tier"] = chunk.service_tier
        events.append(_read_start(chunk))
    elif chunk.service_tier and state and chunk.service_tier not in (state.get("tier"), AUTO):
        state["tier"] = chunk.service_tier
        events.append(ServiceTierReported(chunk.service_tier))
    for choice in chunk.choices or ():
        delta = choice.delta
        if delta is not None:
            content = delta.content
            if content and type(content) is str:
                events.append(Text(content, choice.index))
            _read_message(delta, choice.index, state["tools"], events)
        if choice.logprobs is not None:
            events.append(Logprobs(choice.logprobs, choice.index))
        if choice.finish_reason:
            has_calls = any(known == choice.index for known, _ in state["tools"])
            finish = read_finish_reason(choice.finish_reason, choice.index, has_calls)
            events += () if finish is None else (finish,)
    if _is_present(chunk.usage):
        events.append(decode_usage(chunk.usage))
    if _is_error(chunk.error):
        events.append(Failed(_read_error(chunk.error)))
    return events


def _read_start(completion: Completion) -> Started:
    return Started(
        completion.id,
        completion.model,
        completion.created,
        completion.system_fingerprint,
        completion.service_tier,
    )


def _read_message(
    message: MessageFields, index: int, calls: KnownCalls, events: list[Event]
) -> None:
    """Append the events of everything but a plain text, which callers read first because it is
    nearly everything."""
    if message.reasoning_content or message.reasoning:
        events.append(Reasoning(message.reasoning_content or message.reasoning or "", index))
    if message.refusal:
        events.append(Refusal(message.refusal, index))
    if message.tool_calls:
        for position, call in enumerate(message.tool_calls):
            read_tool_call(call, position, index, calls, events)
    if message.function_call is not None:
        read_function_call(message.function_call, index, calls, events)
    if type(message.content) is list:
        read_content_parts(message.content, index, events)
    if message.audio is not None or message.annotations:
        fields = {"audio": message.audio, "annotations": message.annotations}
        events.append(ExtraFields({k: v for k, v in fields.items() if v}, index))


def _has_calls(message: MessageFields | None) -> bool:
    return message is not None and bool(message.tool_calls)


def _is_present(raw: Raw) -> bool:
    return raw is not NO_RAW and bytes(raw) != NULL


def _is_error(raw: Raw) -> bool:
    return raw is not NO_RAW and bytes(raw) not in NO_ERRORS


def _read_error(raw: Raw | bytes) -> UpstreamError:
    """An error inside a stream or a body of status 200 has no status but one that it names."""
    return error_from_body(_decode_any(raw), None)
