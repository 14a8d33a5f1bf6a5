"""Cohere's token counts.

A response has two counts. ``billed_units`` is what Cohere bills; ``tokens`` also has Cohere's own
preamble, as has ``cached_tokens`` (docs.cohere.com/docs/how-does-cohere-pricing-work). The usage
here is the billed one; Cohere does not say how many of the billed tokens were read from its cache.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from headway.events import Event, UsageReported
from headway.providers.openai_usage import openai_counts
from headway.types import NO_RAW, Usage

NULL = b"null"


class TokenCounts(Struct):
    """The API's description types them as decimal numbers."""

    input_tokens: float | None = None
    output_tokens: float | None = None
    reasoning_tokens: float | None = None
    search_units: float | None = None


class CohereUsage(Struct):
    billed_units: TokenCounts | None = None
    tokens: TokenCounts | None = None


_decode = msgspec.json.Decoder(CohereUsage).decode
_decode_any = msgspec.json.Decoder().decode


def read_usage(raw: Raw) -> list[Event]:
    """At most one UsageReported; none where ``raw`` is absent or null."""
    if raw is NO_RAW or bytes(raw) == NULL:
        return []
    reported = _decode(raw)
    tokens = reported.tokens or TokenCounts()
    billed = reported.billed_units or tokens
    usage = Usage(
        input_tokens=_whole(billed.input_tokens),
        output_tokens=_whole(billed.output_tokens),
        reasoning_tokens=_whole(tokens.reasoning_tokens),
        web_searches=_whole(billed.search_units) or None,
    )
    fields = openai_counts(usage)
    if usage.reasoning_tokens is not None:
        fields["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return [UsageReported(usage, {**fields, **_decode_any(raw)})]


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
