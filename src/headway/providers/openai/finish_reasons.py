"""Why an answer ended, in OpenAI's words."""

from __future__ import annotations

from headway.errors import UpstreamError
from headway.types import Failed, Finished

FINISH = {
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
"""Reasons in other words than OpenAI's: Together, TGI, Mistral, Z.ai and models behind routers."""
FAILURES = frozenset({"abort", "error", "insufficient_system_resource", "network_error"})
"""Reasons that are none to end (vLLM, Mistral and OpenRouter, DeepSeek, Z.ai)."""


def finish(reason: str, index: int) -> Finished | Failed:
    if reason in FAILURES:
        return Failed(UpstreamError(f"The provider broke off its answer ({reason}).", code=reason))
    return Finished(FINISH.get(reason, reason), index)
