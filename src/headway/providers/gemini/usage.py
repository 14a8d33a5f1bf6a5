"""Google's token counts, in ours and in OpenAI's shape.

Facts read off recordings: the total is prompt + tool use + candidates + thoughts; a count of zero
is left out; many chunks of a stream count, each for the answer so far; the first ones of Vertex AI
have a usage object without a single count.
"""

from __future__ import annotations

from typing import Any

from headway.providers.gemini.wire_types import AUDIO, Counted, WireUsage
from headway.types import Usage, UsageReported


def read_usage(wire: WireUsage) -> UsageReported | None:
    """None where there is nothing counted yet."""
    if wire.prompt_token_count is None and wire.total_token_count is None:
        return None
    usage = Usage(
        input_tokens=_input(wire),
        output_tokens=_output(wire),
        cache_read_tokens=wire.cached_content_token_count,
        reasoning_tokens=wire.thoughts_token_count,
        input_audio_tokens=_audio(wire.prompt_tokens_details, wire.tool_use_prompt_tokens_details),
        output_audio_tokens=_audio(wire.candidates_tokens_details),
    )
    return UsageReported(usage, shown(usage))


def _input(wire: WireUsage) -> int:
    """Cached tokens are in the prompt's count. What server-side tools read for the model is
    billed as input, too (ai.google.dev/gemini-api/docs/url-context)."""
    return (wire.prompt_token_count or 0) + (wire.tool_use_prompt_token_count or 0)


def _output(wire: WireUsage) -> int | None:
    """Thoughts are not in the candidates' count; a quarter of the recorded usages have none."""
    counts = (wire.candidates_token_count, wire.thoughts_token_count)
    if counts != (None, None):
        return sum(count or 0 for count in counts)
    if wire.total_token_count is None:
        return None
    return max(0, wire.total_token_count - _input(wire))


def _audio(*details: list[Counted] | None) -> int | None:
    counts = [
        counted.token_count
        for group in details
        for counted in group or ()
        if counted.modality in AUDIO
    ]
    return sum(counts) if counts else None


def shown(usage: Usage) -> dict[str, Any]:
    """The counts as OpenAI would show them."""
    known = [count for count in (usage.input_tokens, usage.output_tokens) if count is not None]
    fields: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": sum(known),
    }
    prompt = {"cached_tokens": usage.cache_read_tokens, "audio_tokens": usage.input_audio_tokens}
    completion = {
        "reasoning_tokens": usage.reasoning_tokens,
        "audio_tokens": usage.output_audio_tokens,
    }
    for name, details in (("prompt", prompt), ("completion", completion)):
        if given := {key: count for key, count in details.items() if count is not None}:
            fields[f"{name}_tokens_details"] = given
    return fields
