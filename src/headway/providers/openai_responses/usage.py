"""Token counts of the Responses API. They mean the same as those of chat completions and have other
names: the input's count includes cached tokens, the output's count includes reasoning."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.events import UsageReported
from headway.providers.reported_cost import COST_FIELDS, read_cost
from headway.types import Usage

CHAT_NAMES = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}


class InputDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class OutputDetails(Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class ResponseUsage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None


_decode_usage = msgspec.json.Decoder(ResponseUsage).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def decode_usage(raw: Raw) -> UsageReported:
    """The counts, and the same in the shape of chat completions. Further fields of a provider
    (xAI's cost, Azure's latencies) keep their names."""
    reported, fields = _decode_usage(raw), _decode_object(raw)
    inputs = reported.input_tokens_details or InputDetails()
    outputs = reported.output_tokens_details or OutputDetails()
    usage = Usage(
        input_tokens=reported.input_tokens,
        output_tokens=reported.output_tokens,
        cache_read_tokens=inputs.cached_tokens,
        cache_write_tokens=inputs.cache_write_tokens,
        reasoning_tokens=outputs.reasoning_tokens,
        input_audio_tokens=inputs.audio_tokens,
        output_audio_tokens=outputs.audio_tokens,
        cost_usd=read_cost(*map(fields.get, COST_FIELDS)),
    )
    openai_usage = {CHAT_NAMES.get(name, name): v for name, v in fields.items()}
    return UsageReported(usage, openai_usage)
