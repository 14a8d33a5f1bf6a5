"""Token counts of the Responses API. They mean the same as those of chat completions and have other
names: the input's count includes cached tokens, the output's count includes reasoning."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw, Struct

from headway.events import Event, UsageReported
from headway.providers.reported_cost import COST_FIELDS, read_cost
from headway.providers.server_tools import NO_TOOLS, count_uses, read_tool_uses
from headway.types import Usage
from headway.wire.lenient_json import Count, cleaner, lenient_decoder

NO_USES: Mapping[str, int] = {}
TOOL_FIELDS = ("server_side_tool_usage_details", "server_tool_use", "server_tool_use_details")
CHAT_NAMES = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}


class InputDetails(Struct):
    cached_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    audio_tokens: Count | None = None
    image_tokens: Count | None = None


class OutputDetails(Struct):
    reasoning_tokens: Count | None = None
    audio_tokens: Count | None = None
    image_tokens: Count | None = None


class ResponseUsage(Struct):
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    total_tokens: Count | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None


_decode_usage = lenient_decoder(ResponseUsage)
_clean = cleaner(ResponseUsage)


def usage_events(raw: Raw, tool_uses: Mapping[str, int] = NO_USES) -> list[Event]:
    """At most one UsageReported; none where ``raw`` is absent or no object."""
    return [decode_usage(raw, tool_uses)] if bytes(raw)[:1] == b"{" else []


def decode_usage(raw: Raw, tool_uses: Mapping[str, int] = NO_USES) -> UsageReported:
    """The counts, and the same in the shape of chat completions. Further fields of a provider
    (xAI's cost, Azure's latencies) keep their names. ``tool_uses`` are those in the output, for
    providers that do not count them."""
    reported, fields = _decode_usage(raw), _clean(raw)
    inputs = reported.input_tokens_details or InputDetails()
    outputs = reported.output_tokens_details or OutputDetails()
    tools = read_tool_uses(*map(fields.get, TOOL_FIELDS))
    if tools is NO_TOOLS:
        tools = count_uses(tool_uses)
    usage = Usage(
        input_tokens=reported.input_tokens,
        output_tokens=reported.output_tokens,
        cache_read_tokens=inputs.cached_tokens,
        cache_write_tokens=inputs.cache_write_tokens,
        reasoning_tokens=outputs.reasoning_tokens,
        input_audio_tokens=inputs.audio_tokens,
        input_image_tokens=inputs.image_tokens,
        output_audio_tokens=outputs.audio_tokens,
        output_image_tokens=outputs.image_tokens,
        web_searches=tools.web_searches,
        file_searches=tools.file_searches,
        price_conditions=tools.conditions,
        cost_usd=read_cost(*map(fields.get, COST_FIELDS)),
    )
    openai_usage = {CHAT_NAMES.get(name, name): v for name, v in fields.items()}
    return UsageReported(usage, openai_usage)
