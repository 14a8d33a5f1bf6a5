"""Finish reasons of vendors with OpenAI's wire format, and OpenAI's for them."""

from __future__ import annotations

from headway.errors import UpstreamError
from headway.events import Failed, Finished

FINISH_REASONS = {
    "end_turn": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "model_length": "length",
    "sensitive": "content_filter",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
}
"""Reasons that Together, TGI, Mistral, Z.ai and models behind routers name differently -> OpenAI's.
"""
FAILURES = frozenset({"abort", "error", "insufficient_system_resource", "network_error"})
"""Reasons that mean a failure (vLLM; Mistral and OpenRouter; DeepSeek; Z.ai)."""


def read_finish_reason(reason: str, index: int) -> Finished | Failed:
    if reason in FAILURES:
        return Failed(UpstreamError(f"The provider broke off its answer ({reason}).", code=reason))
    return Finished(FINISH_REASONS.get(reason, reason), index)
