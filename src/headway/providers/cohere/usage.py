"""Cohere's token counts.

A response has two counts. ``billed_units`` is what Cohere bills; ``tokens`` also has Cohere's own
preamble, as has ``cached_tokens`` (docs.cohere.com/docs/how-does-cohere-pricing-work). The usage
here is the billed one; Cohere does not say how many of the billed tokens were read from its cache.
"""

from __future__ import annotations

from msgspec import Raw, Struct

from headway.events import Event, UsageReported
from headway.providers.openai_usage import openai_counts
from headway.types import Usage
from headway.wire.lenient_json import Count, cleaner, lenient_decoder


class TokenCounts(Struct):
    """The API's description types them as decimal numbers."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    search_units: Count | None = None


class CohereUsage(Struct):
    billed_units: TokenCounts | None = None
    tokens: TokenCounts | None = None


_decode = lenient_decoder(CohereUsage)
_clean = cleaner(CohereUsage)


def read_usage(raw: Raw) -> list[Event]:
    """At most one UsageReported; none where ``raw`` is absent or no object."""
    if bytes(raw)[:1] != b"{":
        return []
    reported = _decode(raw)
    tokens = reported.tokens or TokenCounts()
    billed = reported.billed_units or tokens
    usage = Usage(
        input_tokens=billed.input_tokens,
        output_tokens=billed.output_tokens,
        reasoning_tokens=tokens.reasoning_tokens,
        web_searches=billed.search_units or None,
    )
    fields = openai_counts(usage)
    if usage.reasoning_tokens is not None:
        fields["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return [UsageReported(usage, {**fields, **_clean(raw)})]
