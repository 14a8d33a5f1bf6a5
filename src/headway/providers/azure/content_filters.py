"""Decode what Azure's content filters found in the prompt and in the output
(learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter)."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from headway.events import Event, ExtraFields
from headway.types import NO_RAW
from headway.wire.lenient_json import Position, lenient_decoder

EMPTY = (b"{}", b"[]")
MARKER = b"_filter_results"
"""Part of the name of every field with filter results: data without it needs no decoding."""


class FilteredChoice(Struct):
    index: Position = 0
    content_filter_results: Raw = NO_RAW


class FilteredCompletion(Struct):
    """The fields of a chunk or completion that OpenAI's does not have, and those that identify the
    first chunk."""

    id: str | None = None
    choices: list[FilteredChoice] | None = None
    prompt_filter_results: Raw = NO_RAW

    @property
    def is_prompt_result(self) -> bool:
        """True for the chunk with the prompt's results, which does not start the response."""
        return not self.choices and not self.id


decode_filtered = lenient_decoder(FilteredCompletion)
_decode_any = msgspec.json.Decoder().decode


def read_filter_results(completion: FilteredCompletion, reported: dict[int, bytes]) -> list[Event]:
    """The results that are new. Each chunk repeats those of the output: ``reported`` holds the last
    results of each choice, and is updated."""
    events: list[Event] = []
    if _has_results(bytes(completion.prompt_filter_results)):
        results = _decode_any(completion.prompt_filter_results)
        events.append(ExtraFields({"prompt_filter_results": results}))
    for choice in completion.choices or ():
        raw = bytes(choice.content_filter_results)
        if _has_results(raw) and reported.get(choice.index) != raw:
            reported[choice.index] = raw
            events.append(ExtraFields({"content_filter_results": _decode_any(raw)}, choice.index))
    return events


def _has_results(raw: bytes) -> bool:
    return raw[:1] in (b"{", b"[") and raw not in EMPTY
