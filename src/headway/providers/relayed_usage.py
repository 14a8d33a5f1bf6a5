"""What the bodies of images, audio, moderations and reranking report of their usage.

Sources: OpenAI's schema of ``ImagesResponse``, ``ImageGenCompletedEvent``, ``Transcription``,
``TranscriptionVerbose``, ``TranscriptionTextDoneEvent`` and ``speech.audio.done``
(github.com/openai/openai-python); docs.mistral.ai/api (``prompt_audio_seconds``);
docs.cohere.com/reference/rerank (``meta``); jina.ai/reranker and recordings (``usage``);
docs.siliconflow.cn (``tokens``).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct

from headway.providers.reported_cost import CostFields, read_reported_cost
from headway.types import NO_RAW, Usage
from headway.wire.lenient_json import Count, lenient_decoder

Duration = Annotated[float, Meta(ge=0, le=10**9)]
"""Seconds."""


class InputDetails(Struct):
    audio_tokens: Count | None = None
    image_tokens: Count | None = None
    cached_tokens: Count | None = None


class OutputDetails(Struct):
    image_tokens: Count | None = None


class UsageFields(CostFields):
    """OpenAI has two names for the details of the input."""

    input_tokens: Count | None = None
    prompt_tokens: Count | None = None
    output_tokens: Count | None = None
    completion_tokens: Count | None = None
    total_tokens: Count | None = None
    input_tokens_details: InputDetails | None = None
    input_token_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None
    seconds: Duration | None = None
    prompt_audio_seconds: Duration | None = None


class BilledUnits(Struct):
    search_units: Count | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None


class MetaFields(Struct):
    billed_units: BilledUnits | None = None
    tokens: BilledUnits | None = None


class SvgUsage(Struct):
    """The tokens of another model, which are billed in addition."""

    model: str = "of another model"


class BodyFields(Struct):
    """The fields of a body, or of an event of a stream, that tell its usage."""

    model: str | None = None
    usage: UsageFields | None = None
    meta: MetaFields | None = None
    tokens: BilledUnits | None = None
    duration: Duration | None = None
    """Seconds, where nothing tells those that are billed."""
    svg_usage: SvgUsage | None = None
    error: Raw = NO_RAW


read_body = lenient_decoder(BodyFields)
"""Raises what msgspec raises for what is no JSON object."""


def usage_of(fields: BodyFields) -> Usage:
    """What a body reports. A total alone is that of the input: the output has no tokens then."""
    usage = fields.usage or UsageFields()
    units = (fields.meta and (fields.meta.billed_units or fields.meta.tokens)) or fields.tokens
    units = units or BilledUnits()
    details = usage.input_tokens_details or usage.input_token_details or InputDetails()
    sent = _first(usage.input_tokens, usage.prompt_tokens, units.input_tokens)
    received = _first(usage.output_tokens, usage.completion_tokens, units.output_tokens)
    if received is None:
        sent = _first(sent, usage.total_tokens)
        received = None if sent is None else 0
    seconds = _first(usage.seconds, usage.prompt_audio_seconds, fields.duration)
    return Usage(
        input_tokens=sent,
        output_tokens=received,
        cache_read_tokens=details.cached_tokens,
        input_audio_tokens=details.audio_tokens,
        input_image_tokens=details.image_tokens,
        output_image_tokens=(usage.output_tokens_details or OutputDetails()).image_tokens,
        # ``repr`` of a float has the digits on the wire.
        audio_seconds=None if seconds is None else Decimal(repr(seconds)),
        search_units=units.search_units,
        price_conditions={} if fields.svg_usage is None else {"svg_usage": fields.svg_usage.model},
        cost_usd=read_reported_cost(usage),
    )


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
