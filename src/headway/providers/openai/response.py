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
    ModelReported,
    Reasoning,
    Refusal,
    Rewritten,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
)
from headway.providers.base import State
from headway.providers.error_shapes import NO_ERRORS
from headway.providers.http_errors import error_from_body
from headway.providers.openai.content_blocks import read_content_parts
from headway.providers.openai.fast_path import read_text
from headway.providers.openai.finish_reasons import read_finish_reason
from headway.providers.openai.tools import CalledFunction, ChoiceCalls, ToolCallDelta
from headway.providers.openai.usage import usage_events
from headway.types import NO_RAW, Frame
from headway.wire.lenient_json import Position, Seconds, Words, lenient_decoder

DONE: list[Event] = [StreamEnd()]
REWRITTEN = Rewritten()
AUTO = "auto"
"""As a service tier it repeats the request, and does not name the tier that serves it."""


class MessageFields(Struct):
    """The fields of a ``message``, and of a ``delta``, which are the same."""

    content: str | list[Any] | None = None
    reasoning_content: Words | None = None
    reasoning: Words | None = None
    refusal: Words | None = None
    tool_calls: list[ToolCallDelta] | None = None
    function_call: CalledFunction | None = None
    audio: dict[str, Any] | None = None
    annotations: list[dict[str, Any]] | None = None


class CompletionChoice(Struct):
    index: Position | None = None
    """None: its position in the list."""
    delta: MessageFields | None = None
    message: MessageFields | None = None
    text: str | None = None
    """In place of both: the choice is one of a completion of text (``completions``)."""
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None


class Completion(Struct):
    """A chunk of a stream, or a whole completion."""

    id: str | None = None
    model: str | None = None
    created: Seconds | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    choices: list[CompletionChoice] | None = None
    usage: Raw = NO_RAW
    error: Raw = NO_RAW


_decode_completion = lenient_decoder(Completion)
_decode_fields = msgspec.json.Decoder(dict[str, Any]).decode
_decode_any = msgspec.json.Decoder().decode


def decode_event(frame: Frame, state: State) -> list[Event]:
    """The events of one ``data:`` line of a stream."""
    data = frame.data
    if data[:1] != b"{" and data.strip() in (b"", b"[DONE]"):
        return _read_end(state) if data.strip() else []
    if frame.event == "error":
        return [Failed(_read_error(data))]
    text = read_text(data) if state else None
    if text is not None:
        return [Text(text)]
    events = _read_chunk(data, state)
    if not events and not state:
        _check_choices(data)
    return events


def decode_response(body: bytes) -> list[Event]:
    """The events that a stream of the same completion would have. Raises ValueError for a body
    without choices."""
    completion = _decode_completion(body)
    if _is_error(completion.error):
        return [Failed(_read_error(_whole_error(completion.error, body)))]
    if completion.choices is None:
        _check_choices(body)
        raise ValueError("the answer has no choices")
    events: list[Event] = [_read_start(completion)]
    for position, choice in enumerate(completion.choices):
        message, index = choice.message, position if choice.index is None else choice.index
        if message is not None:
            if message.content and type(message.content) is str:
                events.append(Text(message.content, index))
            _read_message(message, index, events)
        elif choice.text:
            events.append(Text(choice.text, index))
        calls = ChoiceCalls(index, _seed(completion))
        if message is not None and (message.tool_calls or message.function_call is not None):
            calls.read_message(message.tool_calls, message.function_call, events)
            calls.close(events, _is_cut(choice.finish_reason))
        if choice.logprobs is not None:
            events.append(Logprobs(choice.logprobs, index))
        finish = read_finish_reason(choice.finish_reason, index, calls.has_calls)
        events.append(finish or Finished(None, index))
    events += usage_events(completion.usage)
    events.append(DONE[0])
    return events


def _read_chunk(data: bytes, state: State) -> list[Event]:
    events: list[Event] = []
    chunk = _decode_completion(data)
    says_same = True
    if not state and chunk.choices is not None:  # a first chunk with only an error starts nothing
        state["tools"] = {}
        state["tier"] = chunk.service_tier
        state["model"] = chunk.model
        events.append(_read_start(chunk))
    elif state:
        _read_later_facts(chunk, state, events)
    for position, choice in enumerate(chunk.choices or ()):
        delta, index = choice.delta, position if choice.index is None else choice.index
        if delta is not None:
            content = delta.content
            if content and type(content) is str:
                events.append(Text(content, index))
            _read_message(delta, index, events)
            if delta.tool_calls or delta.function_call is not None:
                calls = _calls_of(index, chunk, state)
                says_same &= calls.read_delta(delta.tool_calls, delta.function_call, events)
        elif choice.text:
            events.append(Text(choice.text, index))
        if choice.logprobs is not None:
            events.append(Logprobs(choice.logprobs, index))
        if choice.finish_reason:
            says_same &= _read_finish(choice.finish_reason, index, state, events)
    events += usage_events(chunk.usage)
    if _is_error(chunk.error):
        events.append(Failed(_read_error(_whole_error(chunk.error, data))))
    if not says_same:
        events.append(REWRITTEN)
    return events


def _calls_of(index: int, chunk: Completion, state: State) -> ChoiceCalls:
    calls: dict[int, ChoiceCalls] = state["tools"]
    if index not in calls:
        calls[index] = ChoiceCalls(index, _seed(chunk))
    return calls[index]


def _read_finish(reason: str, index: int, state: State, events: list[Event]) -> bool:
    """Append the events of a finish reason, after what the choice's calls lack. Returns False where
    they lack something."""
    calls: ChoiceCalls | None = state["tools"].get(index)
    is_end = calls is not None and read_finish_reason(reason, index, False) is not None
    has_more = calls is not None and is_end and calls.close(events, _is_cut(reason))
    finish = read_finish_reason(reason, index, calls is not None and calls.has_calls)
    events += () if finish is None else (finish,)
    return not has_more


def _is_cut(reason: str | None) -> bool:
    return read_finish_reason(reason, 0, False) == Finished("length")


def _read_end(state: State) -> list[Event]:
    """The events of the end mark. Calls may lack something where no finish reason came."""
    missing: list[Event] = []
    for calls in state.get("tools", {}).values():
        calls.close(missing)
    return [*missing, *DONE] if missing else DONE


def _read_later_facts(chunk: Completion, state: State, events: list[Event]) -> None:
    """The first chunk may not know yet which model and which tier serve the request."""
    if chunk.service_tier and chunk.service_tier not in (state.get("tier"), AUTO):
        state["tier"] = chunk.service_tier
        events.append(ServiceTierReported(chunk.service_tier))
    if chunk.model and chunk.model != state.get("model", chunk.model):
        state["model"] = chunk.model
        events.append(ModelReported(chunk.model))


def _check_choices(data: bytes) -> None:
    """Raises msgspec.ValidationError for data that begins no answer because its choices are no
    list."""
    choices = _decode_fields(data).get("choices")
    if choices and not isinstance(choices, list):
        raise msgspec.ValidationError("Expected `array` - at `$.choices`")


def _read_start(completion: Completion) -> Started:
    return Started(
        completion.id,
        completion.model,
        completion.created,
        completion.system_fingerprint,
        completion.service_tier,
    )


def _seed(completion: Completion) -> str:
    """What distinguishes the response from others."""
    return completion.id or str(completion.created or "")


def _read_message(message: MessageFields, index: int, events: list[Event]) -> None:
    """Append the events of everything but tool calls and a plain text, which callers read first
    because it is nearly everything."""
    if message.reasoning_content or message.reasoning:
        events.append(Reasoning(message.reasoning_content or message.reasoning or "", index))
    if message.refusal:
        events.append(Refusal(message.refusal, index))
    if type(message.content) is list:
        read_content_parts(message.content, index, events)
    if message.audio is not None or message.annotations:
        fields = {"audio": message.audio, "annotations": message.annotations}
        events.append(ExtraFields({k: v for k, v in fields.items() if v}, index))


def _is_error(raw: Raw) -> bool:
    return raw is not NO_RAW and bytes(raw) not in NO_ERRORS


def _whole_error(error: Raw, data: bytes) -> Raw | bytes:
    """``error``, or all of ``data`` where it is no object: fields beside it may say more."""
    return error if bytes(error)[:1] == b"{" else data


def _read_error(raw: Raw | bytes) -> UpstreamError:
    """An error inside a stream or a body of status 200 has no status but one that it names."""
    return error_from_body(_decode_any(raw), None)
