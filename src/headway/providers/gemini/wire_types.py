"""What Google's generateContent answers with: the fields that are read, and its enumerations.

Both AI Studio and Vertex AI send these (ai.google.dev/api/generate-content; for Vertex, the REST
reference of projects.locations.publishers.models). Names are camel case on the wire. With
``enum-encoding=int`` enumerations are numbers, and the two services number them differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Raw, Struct

from headway.types import NO_RAW

FORMAT = "google-gemini-v1"
"""What marks our ``reasoning_details``, as OpenRouter calls it."""

# google/ai/generativelanguage/v1beta/generative_service.proto, Candidate.FinishReason
STUDIO_NUMBERS: Mapping[int, str] = {
    1: "STOP",
    2: "MAX_TOKENS",
    3: "SAFETY",
    4: "RECITATION",
    5: "OTHER",
    6: "LANGUAGE",
    7: "BLOCKLIST",
    8: "PROHIBITED_CONTENT",
    9: "SPII",
    10: "MALFORMED_FUNCTION_CALL",
    11: "IMAGE_SAFETY",
    12: "UNEXPECTED_TOOL_CALL",
    13: "TOO_MANY_TOOL_CALLS",
    14: "IMAGE_PROHIBITED_CONTENT",
    15: "IMAGE_OTHER",
    16: "NO_IMAGE",
    17: "IMAGE_RECITATION",
}
# google/cloud/aiplatform/v1/content.proto, Candidate.FinishReason
VERTEX_NUMBERS: Mapping[int, str] = {
    **{number: STUDIO_NUMBERS[number] for number in range(1, 6)},
    6: "BLOCKLIST",
    7: "PROHIBITED_CONTENT",
    8: "SPII",
    9: "MALFORMED_FUNCTION_CALL",
    10: "MODEL_ARMOR",
}

FINISHES: Mapping[str, str] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "ESCALATION": "content_filter",
}
"""Theirs -> OpenAI's; what is in neither table is a stop for a reason of its own."""
FAILURES = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "PUP_LIMITED_DISABLED",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    }
)
"""Finishes without an answer: the model's output could not be used, or the request not served."""
UNFINISHED = (None, 0, "", "FINISH_REASON_UNSPECIFIED")
AUDIO = ("AUDIO", 4)


class FunctionCall(Struct):
    name: str = ""
    args: Raw = NO_RAW
    id: str | None = None


class Blob(Struct, rename="camel"):
    mime_type: str = ""
    data: str = ""


class Part(Struct, rename="camel"):
    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: Blob | None = None
    executable_code: Any = None
    code_execution_result: Any = None
    tool_call: Any = None
    tool_response: Any = None


class Content(Struct):
    parts: list[Part] | None = None


class Segment(Struct, rename="camel"):
    """Where a supported passage stands: offsets in bytes of UTF-8."""

    start_index: int = 0
    end_index: int = 0
    text: str = ""


class Support(Struct, rename="camel"):
    segment: Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class Source(Struct):
    uri: str | None = None
    title: str | None = None


class GroundingChunk(Struct, rename="camel"):
    web: Source | None = None
    retrieved_context: Source | None = None
    maps: Source | None = None


class Grounding(Struct, rename="camel"):
    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[Support] | None = None


class Citation(Struct, rename="camel"):
    start_index: int = 0
    end_index: int = 0
    uri: str | None = None
    title: str | None = None


class Citations(Struct, rename="camel"):
    """AI Studio says citationSources, Vertex AI citations."""

    citation_sources: list[Citation] | None = None
    citations: list[Citation] | None = None


class Token(Struct, rename="camel"):
    token: str = ""
    log_probability: float | None = None


class TopTokens(Struct):
    candidates: list[Token] | None = None


class LogprobsResult(Struct, rename="camel"):
    chosen_candidates: list[Token] | None = None
    top_candidates: list[TopTokens] | None = None


class Candidate(Struct, rename="camel"):
    index: int = 0
    content: Content | None = None
    finish_reason: str | int | None = None
    finish_message: str | None = None
    grounding_metadata: Raw = NO_RAW
    url_context_metadata: Any = None
    citation_metadata: Citations | None = None
    logprobs_result: LogprobsResult | None = None


class Counted(Struct, rename="camel"):
    modality: str | int | None = None
    token_count: int = 0


class WireUsage(Struct, rename="camel"):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    total_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    prompt_tokens_details: list[Counted] | None = None
    tool_use_prompt_tokens_details: list[Counted] | None = None
    candidates_tokens_details: list[Counted] | None = None
    service_tier: str | None = None


class PromptFeedback(Struct, rename="camel"):
    block_reason: str | int | None = None
    block_reason_message: str | None = None


class Chunk(Struct, rename="camel"):
    """A whole answer, and each piece of a streamed one."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: WireUsage | None = None
    model_version: str | None = None
    response_id: str | None = None
    error: Raw = NO_RAW
