"""Google's finish reasons (Candidate.FinishReason), and OpenAI's for them.

With ``enum-encoding=int`` a finish reason is a number, and AI Studio and Vertex AI number them
differently.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

# google/ai/generativelanguage/v1beta/generative_service.proto, Candidate.FinishReason
STUDIO_NUMBERS: Mapping[int, str] = {
    1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER", 6: "LANGUAGE",
    7: "BLOCKLIST", 8: "PROHIBITED_CONTENT", 9: "SPII", 10: "MALFORMED_FUNCTION_CALL",
    11: "IMAGE_SAFETY", 12: "UNEXPECTED_TOOL_CALL", 13: "TOO_MANY_TOOL_CALLS",
    14: "IMAGE_PROHIBITED_CONTENT", 15: "IMAGE_OTHER", 16: "NO_IMAGE", 17: "IMAGE_RECITATION",
}  # fmt: skip
# google/cloud/aiplatform/v1/content.proto, Candidate.FinishReason
VERTEX_NUMBERS: Mapping[int, str] = {
    **{number: STUDIO_NUMBERS[number] for number in range(1, 6)},
    6: "BLOCKLIST",
    7: "PROHIBITED_CONTENT",
    8: "SPII",
    9: "MALFORMED_FUNCTION_CALL",
    10: "MODEL_ARMOR",
}

CONTENT_FILTERS = (
    "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR",
    "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "ESCALATION",
)  # fmt: skip
FINISH_REASONS: Mapping[str, str] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(CONTENT_FILTERS, "content_filter"),
}
"""Google's to OpenAI's. A reason in neither this table nor ``FAILURES`` is a stop."""
FAILURES = frozenset(
    {
        "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE",
        "PUP_LIMITED_DISABLED", "TOO_MANY_TOOL_CALLS", "UNEXPECTED_TOOL_CALL",
    }
)  # fmt: skip
"""Reasons without usable output: the model's output was invalid, or the request was not served."""
STOPS = (1, "STOP")
"""The ordinary end, in both numberings: any other reason says more."""
UNFINISHED = (None, 0, "", "FINISH_REASON_UNSPECIFIED")


class FinishRules(Struct, frozen=True):
    """How the finish reasons of a service are read."""

    numbers: Mapping[int, str]
    relays_failures: bool = False
    """A reason in ``FAILURES`` ends the candidate under its own name, as clients of Google's own
    wire format read it; for any other client the response has failed."""


STUDIO = FinishRules(STUDIO_NUMBERS)
VERTEX = FinishRules(VERTEX_NUMBERS)


def name_of(reason: str | int | None, numbers: Mapping[int, str]) -> str:
    """The reason's name; OTHER for an unknown number."""
    return numbers.get(reason, "OTHER") if isinstance(reason, int) else reason or ""
