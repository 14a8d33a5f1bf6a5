"""Whether a provider's chunk or completion has the shape that OpenAI documents
(platform.openai.com/docs/api-reference/chat): clients that check types refuse any other.

Seen from vendors with OpenAI's wire format: a role of ``""``, a choice without a delta or an index,
null in place of choices, no id or object, a time or a count with a fraction, an empty list in place
of an object, usage without its counts, other words for the finish reason. Further fields are
allowed, and tiers of a vendor's own.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from headway.wire.json_repair import is_utf8
from headway.wire.lenient_json import Count, Position, Seconds

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
NonEmpty = Annotated[str, Meta(min_length=1)]
ObjectText = Annotated[str, Meta(pattern=r"^\s*\{")]
"""Text that begins as a JSON object: what a model writes further may be wrong."""
Object = dict[str, Raw]


class PromptDetails(Struct, gc=False):
    cached_tokens: Count | None = None
    audio_tokens: Count | None = None


class CompletionDetails(Struct, gc=False):
    reasoning_tokens: Count | None = None
    audio_tokens: Count | None = None


class StandardUsage(Struct, gc=False):
    prompt_tokens: Count
    completion_tokens: Count
    total_tokens: Count
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class FunctionDelta(Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class CallDelta(Struct, gc=False):
    index: Position
    id: str | None = None
    type: Literal["function", "custom"] | None = None
    function: FunctionDelta | None = None


class StandardDelta(Struct, gc=False):
    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: list[CallDelta] | None = None
    function_call: FunctionDelta | None = None


class ChunkChoice(Struct, gc=False):
    index: Position
    delta: StandardDelta
    finish_reason: FinishReason | None = None
    logprobs: Object | None = None


class StandardChunk(Struct, gc=False):
    id: str
    object: Literal["chat.completion.chunk", ""]
    """Empty in Azure's first chunk, which has the results of content filters only."""
    created: Seconds
    model: str
    choices: list[ChunkChoice]
    system_fingerprint: str | None = None
    service_tier: NonEmpty | None = None
    usage: StandardUsage | None = None


class CalledFunction(Struct, gc=False):
    name: NonEmpty
    arguments: ObjectText


class Call(Struct, gc=False):
    id: NonEmpty
    type: Literal["function", "custom"]
    function: CalledFunction | None = None


class StandardMessage(Struct, gc=False):
    role: Literal["assistant"]
    content: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    function_call: CalledFunction | None = None
    annotations: list[Object] | None = None
    audio: Object | None = None


class CompletionChoice(Struct, gc=False):
    index: Position
    message: StandardMessage
    finish_reason: FinishReason
    logprobs: Object | None = None


class StandardCompletion(Struct, gc=False):
    id: str
    object: Literal["chat.completion"]
    created: Seconds
    model: str
    choices: list[CompletionChoice]
    system_fingerprint: str | None = None
    service_tier: NonEmpty | None = None
    usage: StandardUsage | None = None


_decode_chunk = msgspec.json.Decoder(StandardChunk).decode
_decode_completion = msgspec.json.Decoder(StandardCompletion).decode


def read_standard_chunk(data: bytes) -> StandardChunk | None:
    """None for a chunk of another shape, and for data that is not JSON in UTF-8."""
    try:
        chunk = _decode_chunk(data) if is_utf8(data) else None
    except (msgspec.DecodeError, RecursionError):
        return None
    return None if chunk is None or (chunk.choices and not chunk.object) else chunk


def is_standard_completion(body: bytes) -> bool:
    try:
        completion = _decode_completion(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return all(_has_standard_calls(choice.message) for choice in completion.choices)


def _has_standard_calls(message: StandardMessage) -> bool:
    calls = message.tool_calls or ()
    is_called = all(call.function is not None or call.type == "custom" for call in calls)
    is_distinct = len({call.id for call in calls}) == len(calls)
    return is_called and is_distinct and not (calls and message.function_call)
