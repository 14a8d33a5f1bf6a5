"""Let another target go on where a stream broke after the client had content of it.

The next target is sent the conversation with the text so far as a last message of the assistant,
and what it adds is encoded as more of the same stream. That works only with models that continue
such a message (``Provider.prefill_models``), and for an answer that is one text so far.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.dialects.base import DecodedRequest, Dialect, ResponseContext
from headway.errors import RequestError
from headway.events import Event, ModelReported, ServiceTierReported, Started, Text, UsageReported
from headway.pipeline.attempt import Attempt
from headway.pipeline.character_joiner import CharacterJoiner
from headway.pipeline.gateway import Snapshot
from headway.providers.text_rules import PREFILL_EMULATED
from headway.response_accumulator import ChoiceAccumulator, ResponseAccumulator
from headway.routing.route import RouteTarget
from headway.types import ChatRequest, Transformation, Usage

CHARACTERS_PER_TOKEN = 4
"""Approximate, for English text."""
LIMITS = ("max_tokens", "max_completion_tokens")
FACTS = (Started, ModelReported, ServiceTierReported)
"""Events that say what the client knows from the first target."""
_encode = msgspec.json.Encoder().encode
_decode_messages = msgspec.json.Decoder(list[Raw]).decode
_decode_any = msgspec.json.Decoder().decode


def find_text(attempt: Attempt) -> str | None:
    """The text that the client has by now, if that is all that it has, and it can go on."""
    choices = attempt.response.choices
    choice = choices.get(0)
    if choice is None or len(choices) > 1 or not isinstance(attempt.context.sent, ChatRequest):
        return None
    if choice.tools or choice.refusal or choice.extra or choice.finish_reason or choice.logprobs:
        return None
    return (choice.joined_text().strip() and choice.joined_text()) or None


def may_continue(snapshot: Snapshot, target: RouteTarget) -> bool:
    upstream = snapshot.upstreams.get(target.provider)
    models = None if upstream is None else upstream.provider.prefill_models
    return models is not None and re.match(models, target.model) is not None


def is_continued(context: ResponseContext) -> bool:
    """Whether the model goes on by itself, and is not asked to."""
    return PREFILL_EMULATED not in context.transformations


def continue_request(decoded: DecodedRequest, dialect: Dialect, text: str) -> DecodedRequest | None:
    """The client's request with the answer so far. None where that cannot be."""
    request = decoded.request
    if not isinstance(request, ChatRequest) or decoded.recall is not None:
        return None
    try:
        if request.native is not None:
            converted, _ = dialect.convert_request(request)
            request = replace(converted, is_converted=True)
        messages = _decode_messages(request.messages)
        if b'"assistant"' in bytes(messages[-1]):
            return None
    except (RequestError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError, IndexError):
        return None
    messages.append(Raw(_encode({"role": "assistant", "content": text})))
    parameters = dict(request.parameters)
    for name in LIMITS:
        if name in parameters:
            parameters[name] = _remaining(parameters[name], text)
    request = replace(
        request, messages=Raw(_encode(messages)), parameters=parameters, stream=True, native=None
    )
    return replace(decoded, request=request)


def _remaining(raw: Raw, text: str) -> Raw:
    try:
        most = _decode_any(raw)
    except msgspec.MsgspecError:
        return raw
    if not isinstance(most, int) or isinstance(most, bool):
        return raw
    return Raw(_encode(max(1, most - len(text) // CHARACTERS_PER_TOKEN)))


def continued_context(context: ResponseContext, target_id: str) -> ResponseContext:
    """Of the attempt that goes on: it says so, and its bytes are not passed through."""
    note = Transformation("emulated", "messages", f"the rest of a broken stream by {target_id}")
    transformations = (*context.transformations, note)
    return replace(context, is_passthrough=False, transformations=transformations)


class BrokenStream(Struct, frozen=True):
    """A stream that another attempt continues."""

    attempt: Attempt
    usage: Usage
    """What is billed for it."""


class ContinuedAttempt(Attempt):
    """Writes on with the encoder of the attempt before it. ``response`` is what the client has of
    all of them, ``accumulator`` what this one has added."""

    __slots__ = ("_before", "_usages")

    def follow(self, broken: BrokenStream) -> None:
        """Readers of the stream see it in a comment."""
        earlier, usages = broken.attempt.response_parts
        self._before: tuple[ResponseAccumulator, ...] = earlier
        self._usages: tuple[Usage, ...] = (*usages, broken.usage)
        self.is_committed = True
        self._pieces = []
        note = self.context.transformations[-1]
        self.accumulator.notes = (note,)
        if self.context.call.sse:
            self._sink.write(f": {note.reason}\n".encode())

    @property
    def response_parts(self) -> tuple[tuple[ResponseAccumulator, ...], tuple[Usage, ...]]:
        return (*self._before, self.accumulator), self._usages

    @property
    def response(self) -> ResponseAccumulator:
        return _join([*self._before, self.accumulator], self._usages)

    def _begin_stream(self) -> None:
        given = self.accumulator
        super()._begin_stream()
        self._accumulator = given
        self._stop_relaying()
        ends_in_space = self._before[-1].choices[0].joined_text()[-1:].isspace()
        self._joiner = ContinuationJoiner(given, ends_in_space)

    def _encode_whole(self, encoder: Any, events: list[Event], now: float) -> None:
        super()._encode_whole(encoder, [e for e in events if type(e) not in FACTS], now)


class ContinuationJoiner(CharacterJoiner):
    """Gives the facts of the new target to its own ``accumulator`` alone, and leaves out the white
    space at the beginning of the text, if the client has some already."""

    __slots__ = ("_accumulator", "_skips_space")

    def __init__(self, accumulator: ResponseAccumulator, skips_space: bool) -> None:
        super().__init__()
        self._accumulator = accumulator
        self._skips_space = skips_space

    def join(self, events: list[Event]) -> list[Event]:
        self._accumulator.add([event for event in events if type(event) in FACTS])
        kept = super().join([event for event in events if type(event) not in FACTS])
        if not self._skips_space:
            return kept
        stripped: list[Event] = []
        for event in kept:
            if type(event) is Text and self._skips_space:
                text = event.text.lstrip()
                if not text:
                    continue
                self._skips_space = False
                stripped.append(replace(event, text=text))
            else:
                stripped.append(event)
        return stripped


def _join(parts: Sequence[ResponseAccumulator], usages: Sequence[Usage]) -> ResponseAccumulator:
    """One response, of which the last part has the end."""
    joined, last = ResponseAccumulator(), parts[-1]
    choice = ChoiceAccumulator()
    for part in parts:
        for name in ("text", "reasoning", "refusal"):
            getattr(choice, name).extend(getattr(part.choice(0), name))
    ending = last.choice(0)
    choice.tools, choice.extra = ending.tools, ending.extra
    choice.finish_reason, choice.logprobs = ending.finish_reason, ending.logprobs
    joined.choices[0] = choice
    joined.started, joined.service_tier = parts[0].started, last.service_tier
    joined.inferred, joined.done, joined.notes = last.inferred, last.done, last.notes
    reported = last.usage
    if reported is not None:
        total = _add(*usages, reported.usage)
        joined.add([UsageReported(total, _openai_usage(total))])
    return joined


def _add(*usages: Usage) -> Usage:
    """Of all attempts together; None where one is unknown."""

    def total(name: str) -> int | None:
        counts = [getattr(usage, name) for usage in usages]
        return None if None in counts else sum(counts)

    return Usage(input_tokens=total("input_tokens"), output_tokens=total("output_tokens"))


def _openai_usage(usage: Usage) -> dict[str, Any]:
    given, produced = usage.input_tokens, usage.output_tokens
    both = None if given is None or produced is None else given + produced
    return {"prompt_tokens": given, "completion_tokens": produced, "total_tokens": both}
