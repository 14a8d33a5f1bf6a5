"""Event transforms for vendors that count tokens differently from OpenAI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.events import Event, UsageReported
from headway.providers.openai_compatible.response_transforms import EventTransform, Memory
from headway.types import Usage
from headway.wire.lenient_json import as_count

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def usage_transform(correct: Callable[[Usage, Mapping[str, Any]], Usage]) -> EventTransform:
    """Correct each reported usage by ``correct(usage, the vendor's usage as parsed JSON)``."""

    def apply(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
        if not any(type(event) is UsageReported for event in events):
            return events
        return [
            replace(event, usage=correct(event.usage, _fields(event.openai_usage)))
            if isinstance(event, UsageReported)
            else event
            for event in events
        ]

    return EventTransform(apply, text_marker=None)


def _fields(counts: Any) -> Mapping[str, Any]:
    return _decode(counts) if isinstance(counts, Raw) else counts


def _with_reasoning(usage: Usage, fields: Mapping[str, Any]) -> Usage:
    reasoning, output = usage.reasoning_tokens, usage.output_tokens
    if not reasoning or output is None:
        return usage
    is_apart = reasoning > output or (
        fields.get("total_tokens") == (usage.input_tokens or 0) + output + reasoning
    )
    return replace(usage, output_tokens=output + reasoning) if is_apart else usage


ADD_REASONING_TOKENS = usage_transform(_with_reasoning)
"""For vendors that count reasoning tokens apart from completion tokens and bill both: the output
includes them here. The sums show it: the total has all three counts, or the count of reasoning is
above the completion's, of which it cannot be a part then."""


def _with_audio(usage: Usage, fields: Mapping[str, Any]) -> Usage:
    total, text = as_count(fields.get("total_tokens")), usage.input_tokens
    if total is None or text is None or fields.get("prompt_audio_seconds") is None:
        return usage
    audio = total - text - (usage.output_tokens or 0)
    if audio <= 0:
        return usage
    return replace(usage, input_tokens=text + audio, input_audio_tokens=audio)


ADD_AUDIO_TOKENS = usage_transform(_with_audio)
"""For vendors that count the tokens of audio in the total only, not in the prompt's (seen from
Mistral, together with ``prompt_audio_seconds``)."""
