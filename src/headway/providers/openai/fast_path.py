"""Read the most common responses with one typed decoding each, and build no events.

msgspec checks in C that a body or chunk has one of these shapes, and rejects any other; the caller
then decodes it in full. Relaying a whole response needs its usage and finish reason only, and a
stream consists almost wholly of chunks with one text. Without this module (``read_text`` and
``summarize`` both None in the provider) everything works, and each event of a stream and each
relayed response cost more CPU time.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from headway.events import ResponseSummary
from headway.providers.openai.usage import OpenAIUsage, normalize_usage
from headway.wire.json_repair import is_utf8
from headway.wire.lenient_json import Seconds


class TextDelta(Struct, gc=False):
    """A piece of text. Every other field that carries content must be null."""

    content: str
    role: Literal["assistant"] | None = None
    reasoning_content: None = None
    reasoning: None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None
    audio: None = None
    annotations: None = None


class TextDeltaChoice(Struct, gc=False):
    delta: TextDelta
    index: int = 0
    finish_reason: None = None
    logprobs: None = None


class TextChunk(Struct, gc=False):
    """What nearly every chunk of a stream is."""

    choices: tuple[TextDeltaChoice]
    usage: None = None
    error: None = None


class TextMessage(Struct, gc=False):
    role: Literal["assistant"]
    content: str
    refusal: None = None
    tool_calls: Annotated[list[Raw], Meta(max_length=0)] | None = None
    function_call: None = None
    annotations: Annotated[list[Raw], Meta(max_length=0)] | None = None
    audio: None = None


class TextChoice(Struct, gc=False):
    message: TextMessage
    finish_reason: Literal["stop", "length"]
    index: Literal[0]
    logprobs: None = None


class Counts(OpenAIUsage, gc=False, kw_only=True):
    total_tokens: int


class TextCompletion(Struct, gc=False):
    """What nearly every whole completion is: the fields that a summary needs, and those that strict
    clients require, because such a body is passed through."""

    id: str
    object: Literal["chat.completion"]
    created: Seconds
    model: str
    choices: tuple[TextChoice]
    usage: Counts
    service_tier: Annotated[str, Meta(min_length=1)] | None = None
    system_fingerprint: str | None = None
    error: None = None


_decode_chunk = msgspec.json.Decoder(TextChunk).decode
_decode_completion = msgspec.json.Decoder(TextCompletion).decode


def read_text(data: bytes) -> str | None:
    """The text of a chunk that has a text of choice 0 and nothing else; None for any other data,
    also for data that is not JSON in UTF-8."""
    if data.find(b'"content"') < 0:  # ten times as fast as the decoding below
        return None
    if not (data.isascii() or is_utf8(data)):
        return None
    try:
        choice = _decode_chunk(data).choices[0]
    except msgspec.DecodeError:
        return None
    return None if choice.index else choice.delta.content or None


def summarize(body: bytes) -> ResponseSummary | None:
    """The summary of a whole completion with one choice, text, a finish reason and the counts of
    tokens; None for any other. Raises msgspec.DecodeError for a body that is not JSON."""
    try:
        completion = _decode_completion(body)
    except msgspec.ValidationError:
        return None
    choice, usage = completion.choices[0], normalize_usage(completion.usage)
    if not choice.message.content or usage.input_tokens is None or usage.output_tokens is None:
        return None  # without the counts the gateway counts tokens, for which it needs the text
    return ResponseSummary(
        usage, choice.finish_reason, completion.model, completion.service_tier, completion.id
    )
