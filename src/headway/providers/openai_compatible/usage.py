"""Usage where vendors of OpenAI's wire count what OpenAI has no word for."""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from headway.providers.openai_compatible.response_transforms import Memory
from headway.types import Event, UsageReported


class PromptDetails(Struct):
    cache_creation_input_tokens: int | None = None


class Seen(Struct):
    prompt_tokens_details: PromptDetails | None = None


_seen = msgspec.json.Decoder(Seen).decode


def cache_creation(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """Model Studio's tokens written to an explicit cache, a part of the prompt's
    (alibabacloud.com/help/en/model-studio/context-cache; Vercel's AI SDK reads them so)."""
    if b'"cache_creation_input_tokens"' not in data:
        return events
    return [_with_writes(event) if isinstance(event, UsageReported) else event for event in events]


def _with_writes(event: UsageReported) -> UsageReported:
    details = _seen(event.openai_usage).prompt_tokens_details or PromptDetails()
    written = details.cache_creation_input_tokens
    return replace(event, usage=replace(event.usage, cache_write_tokens=written))
