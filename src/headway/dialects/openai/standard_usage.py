"""A provider's counts as the ``usage`` that OpenAI documents
(platform.openai.com/docs/api-reference/chat/object): clients that check types require the three
counts, and refuse details that are no object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.dialects.openai.standard_shape import (
    CompletionDetails,
    PromptDetails,
    StandardUsage,
)
from headway.events import UsageReported

DETAILS = {"prompt_tokens_details": PromptDetails, "completion_tokens_details": CompletionDetails}

_decode_any = msgspec.json.Decoder().decode


def standard_usage(report: UsageReported | None) -> dict[str, Any] | None:
    """The provider's counts with all of its fields; None where it told too little for the counts
    of the prompt and of the completion."""
    if report is None:
        return None
    given = report.openai_usage
    counts = _decode_any(given) if isinstance(given, Raw) else given
    if _is_shaped(counts, StandardUsage):
        return counts  # type: ignore[no-any-return]
    return _completed(counts if isinstance(counts, dict) else {}, report)


def _completed(counts: Mapping[str, Any], report: UsageReported) -> dict[str, Any] | None:
    prompt, completion = report.usage.input_tokens, report.usage.output_tokens
    total = counts.get("total_tokens")
    if not isinstance(total, int) or isinstance(total, bool):
        total = None
    if prompt is None and total is not None and completion is not None:
        prompt = max(total - completion, 0)
    if completion is None and total is not None and prompt is not None:
        completion = max(total - prompt, 0)
    if prompt is None or completion is None:
        return None
    kept = {
        name: value
        for name, value in counts.items()
        if name not in DETAILS or value is None or _is_shaped(value, DETAILS[name])
    }
    totals = {"prompt_tokens": prompt, "completion_tokens": completion}
    return {**kept, **totals, "total_tokens": prompt + completion if total is None else total}


def _is_shaped(value: Any, shape: type) -> bool:
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError:
        return False
    return True
