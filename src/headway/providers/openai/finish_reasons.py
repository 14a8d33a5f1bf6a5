"""Finish reasons of vendors with OpenAI's wire format, and OpenAI's for them."""

from __future__ import annotations

from collections.abc import Iterable

from headway.errors import UpstreamError
from headway.events import Failed, Finished

UNFINISHED = frozenset({"", "none", "null"})
"""Words that vendors write in place of null while a choice goes on (DashScope: ``"null"``)."""
FAILURES = frozenset(
    {
        "abort", "aborted", "cancel", "cancelled", "canceled", "error", "failed",
        "insufficient_system_resource", "malformed_function_call", "malformed_model_output",
        "malformed_response", "malformed_tool_use", "missing_thought_signature", "network_error",
        "timeout", "too_many_tool_calls", "unexpected_tool_call", "user_cancel",
    }
)  # fmt: skip
"""Reasons that mean a failure (vLLM; Mistral and OpenRouter; DeepSeek; Z.ai), and those of Google,
Bedrock and Cohere, which servers before their models pass on."""


def _reasons(reason: str, words: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(words, reason)


FINISH_REASONS = {
    **_reasons("length", (
        "error_limit", "limit", "max_length", "max_new_tokens", "max_output_tokens", "max_tokens",
        "model_context_window_exceeded", "model_length", "token_limit",
    )),
    **_reasons("content_filter", (
        "blocklist", "content_filtered", "error_toxic", "escalation", "guardrail_intervened",
        "image_prohibited_content", "image_recitation", "image_safety", "language", "model_armor",
        "moderation", "prohibited_content", "recitation", "refusal", "safety", "sensitive", "spii",
    )),
    **_reasons("tool_calls", ("function_calls", "tool_call", "tool_use")),
    **{word: word for word in ("length", "tool_calls", "content_filter", "function_call")},
}  # fmt: skip
"""OpenAI's own reasons but ``stop``, and the words of Together, TGI, Mistral, Z.ai, Anthropic,
Bedrock, Cohere and Google for them, in lower case. Any other word is a stop."""


def read_finish_reason(
    reason: str | None, index: int, has_tool_calls: bool
) -> Finished | Failed | None:
    """The event of a vendor's finish reason; None if it gives none. ``has_tool_calls`` says that
    the choice called tools: a vendor whose word is not ``stop`` may have no other for that (Google:
    ``STOP``)."""
    word = (reason or "").lower()
    if word in UNFINISHED:
        return None
    if word in FAILURES:
        return Failed(UpstreamError(f"The provider broke off its answer ({reason}).", code=reason))
    ended = "tool_calls" if has_tool_calls and reason != "stop" else "stop"
    return Finished(FINISH_REASONS.get(word, ended), index)
