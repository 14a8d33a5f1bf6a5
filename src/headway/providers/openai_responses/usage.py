"""The Responses API's counts of tokens, which have other names than chat completions' and mean the
same: what was cached is part of the input, reasoning is part of the output."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.types import Usage, UsageReported

NAMES = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}
"""Here -> in chat completions."""


class InputDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class OutputDetails(Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class WireUsage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None


_usage = msgspec.json.Decoder(WireUsage).decode
_fields = msgspec.json.Decoder(dict[str, Any]).decode


def usage_seen(raw: Raw) -> UsageReported:
    """The counts, and the same in the shape of chat completions: what else a provider put there
    (xAI its cost, Azure its latencies) stays under its name."""
    seen = _usage(raw)
    given = seen.input_tokens_details or InputDetails()
    made = seen.output_tokens_details or OutputDetails()
    usage = Usage(
        input_tokens=seen.input_tokens,
        output_tokens=seen.output_tokens,
        cache_read_tokens=given.cached_tokens,
        cache_write_tokens=given.cache_write_tokens,
        reasoning_tokens=made.reasoning_tokens,
        input_audio_tokens=given.audio_tokens,
        output_audio_tokens=made.audio_tokens,
    )
    shown = {NAMES.get(name, name): value for name, value in _fields(raw).items()}
    return UsageReported(usage, shown)
