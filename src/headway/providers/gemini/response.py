"""Responses of Google's generateContent and streamGenerateContent, as events
(GenerateContentResponse in ai.google.dev/api/generate-content; for Vertex, the REST reference of
projects.locations.publishers.models).

Wire facts, read off recordings: function calls come whole, mostly without an id, and finish with
STOP; there is no end mark; the last chunk is often an empty text with a thought signature; without
``alt=sse`` a stream is one JSON array; an error in a stream is plain JSON. Names are camel case.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.errors import UpstreamError
from headway.events import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    Logprobs,
    ModelReported,
    ReasoningDetail,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
)
from headway.providers.base import State
from headway.providers.error_shapes import NO_ERRORS
from headway.providers.gemini.content_blocks import (
    CandidateState,
    GeminiPart,
    read_part,
    remaining_audio,
)
from headway.providers.gemini.errors import error_from_status
from headway.providers.gemini.finish_reasons import (
    FAILURES,
    FINISH_REASONS,
    STOPS,
    UNFINISHED,
    FinishRules,
    name_of,
)
from headway.providers.gemini.grounding import CitationMetadata, ToolUses, read_sources
from headway.providers.gemini.thought_signatures import reasoning_detail
from headway.providers.gemini.usage import UsageMetadata, merge_counts, read_usage
from headway.providers.http_errors import error_from_body
from headway.types import NO_RAW, Frame
from headway.wire.lenient_json import Position, Words, lenient_decoder


class Content(Struct):
    parts: list[GeminiPart] | None = None


class TokenLogprob(Struct, rename="camel"):
    token: str = ""
    log_probability: float | None = None


class TopTokens(Struct):
    candidates: list[TokenLogprob] | None = None


class LogprobsResult(Struct, rename="camel"):
    chosen_candidates: list[TokenLogprob] | None = None
    top_candidates: list[TopTokens] | None = None


class Candidate(Struct, rename="camel"):
    index: Position | None = None
    """None: its position in the list."""
    content: Content | None = None
    finish_reason: str | int | None = None
    finish_message: Words | None = None
    grounding_metadata: Raw = NO_RAW
    url_context_metadata: Any = None
    citation_metadata: CitationMetadata | None = None
    logprobs_result: LogprobsResult | None = None


class PromptFeedback(Struct, rename="camel"):
    block_reason: str | int | None = None
    block_reason_message: Words | None = None


class GenerateContentResponse(Struct, rename="camel"):
    """A whole response, or one chunk of a stream."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    response_id: str | None = None
    error: Raw = NO_RAW


_decode = lenient_decoder(GenerateContentResponse)
_decode_array = lenient_decoder(list[GenerateContentResponse])
_decode_any = msgspec.json.Decoder().decode


def decode_event(rules: FinishRules, frame: Frame, state: State) -> list[Event]:
    """The events of one server-sent event, of a stream that is one JSON array, or of an error in
    the place of either."""
    data = frame.data
    if not data:
        return []
    if data == b"[DONE]":
        return [StreamEnd()]
    events: list[Event] = []
    for response in _decode_array(data) if data[:1] == b"[" else (_decode(data),):
        _read(response, data, rules, state, events)
    return events


def decode_response(rules: FinishRules, body: bytes) -> list[Event]:
    """The events of a whole response, or of a stream that came as one JSON array. Raises
    ValueError where it has neither a candidate nor a reason for having none."""
    is_stream = body.lstrip()[:1] == b"["
    responses = _decode_array(body) if is_stream else [_decode(body)]
    state: State = {}
    events: list[Event] = []
    for response in responses:
        _read(response, body, rules, state, events)
    candidates: dict[int, CandidateState] = {} if is_stream else state.get("candidates", {})
    events += [Finished(None, i) for i, each in candidates.items() if not each.finish_name]
    if not any(each.candidates or each.prompt_feedback or each.error for each in responses):
        raise ValueError("the answer has no candidates")
    return events


def _read(
    response: GenerateContentResponse,
    data: bytes,
    rules: FinishRules,
    state: State,
    events: list[Event],
) -> None:
    """``data`` is the JSON that holds the response."""
    if bytes(response.error) not in NO_ERRORS:
        events.append(Failed(_read_error(response.error, data)))
        return
    usage = response.usage_metadata
    tier = None if usage is None else usage.service_tier
    if not state:
        state["id"] = response.response_id or ""
        state["candidates"] = {}
        state["tier"] = tier
        state["tools"] = ToolUses()
        state["model"] = response.model_version
        events.append(Started(response.response_id, response.model_version, service_tier=tier))
    else:
        _read_later_facts(tier, response.model_version, state, events)
    finishes: list[Event] = []
    for position, candidate in enumerate(response.candidates or ()):
        index = position if candidate.index is None else candidate.index
        if bytes(candidate.grounding_metadata)[:1] == b"{":
            state["tools"].add(candidate.grounding_metadata)
            usage = usage or state.get("usage")
        progress = _progress(state, index)
        _read_content(candidate, index, progress, state["id"], events)
        _read_finish(candidate, index, progress, rules, finishes)
    if response.prompt_feedback is not None and not response.candidates:
        _read_blocked_prompt(response.prompt_feedback, finishes)
    if usage is not None:
        usage = state["usage"] = merge_counts(state.get("usage"), usage)
        reported = read_usage(usage, state["tools"], state["model"])
        events += () if reported is None else (reported,)
    events += finishes  # last, so that the record of a failure has its usage


def _read_later_facts(
    tier: str | None, model: str | None, state: State, events: list[Event]
) -> None:
    if tier and tier != state["tier"]:
        state["tier"] = tier
        events.append(ServiceTierReported(tier))
    if model and model != state["model"]:
        state["model"] = model
        events.append(ModelReported(model))


def _read_error(error: Raw, data: bytes) -> UpstreamError:
    """An error that is no object has its message beside it."""
    found = _decode_any(error)
    if isinstance(found, dict):
        return error_from_status(found)
    whole = _decode_any(data)
    return error_from_body(found if isinstance(whole, list) else whole, None)


def _progress(state: State, index: int) -> CandidateState:
    candidates: dict[int, CandidateState] = state["candidates"]
    if index not in candidates:
        candidates[index] = CandidateState(index)
    return candidates[index]


def _read_content(
    candidate: Candidate,
    index: int,
    progress: CandidateState,
    response_id: str,
    events: list[Event],
) -> None:
    content = candidate.content
    for part in () if content is None else content.parts or ():
        if part.text and not part.thought:
            events.append(Text(part.text, index))
            progress.texts.append(part.text)
        call_id, image = read_part(part, index, progress, response_id, events)
        detail = reasoning_detail(part, call_id, image)
        if detail is not None:
            events.append(ReasoningDetail(detail, index))
    if candidate.logprobs_result is not None:
        events.append(Logprobs(_openai_logprobs(candidate.logprobs_result), index))
    if fields := _source_fields(candidate, progress):
        events.append(ExtraFields(fields, index))


def _source_fields(candidate: Candidate, progress: CandidateState) -> dict[str, Any]:
    """Message fields with the sources of the text: OpenAI's ``annotations``, and Google's metadata
    unchanged."""
    fields: dict[str, Any] = {}
    grounding, citations = candidate.grounding_metadata, candidate.citation_metadata
    if grounding or citations is not None:
        fields = read_sources(grounding, citations, "".join(progress.texts), progress.annotations)
    if candidate.url_context_metadata:
        fields["url_context_metadata"] = candidate.url_context_metadata
    return fields


def _openai_logprobs(result: LogprobsResult) -> dict[str, Any]:
    tops = [top.candidates or [] for top in result.top_candidates or ()]
    content = []
    for position, token in enumerate(result.chosen_candidates or ()):
        top = tops[position] if position < len(tops) else []
        content.append({**_openai_token(token), "top_logprobs": [_openai_token(t) for t in top]})
    return {"content": content, "refusal": None}


def _openai_token(token: TokenLogprob) -> dict[str, Any]:
    return {
        "token": token.token,
        "logprob": token.log_probability,
        "bytes": list(token.token.encode()),
    }


def _read_finish(
    candidate: Candidate,
    index: int,
    progress: CandidateState,
    rules: FinishRules,
    events: list[Event],
) -> None:
    """A later reason counts beside an earlier one, and so does a call after it: some streams say
    STOP before their last content."""
    message = candidate.finish_message
    given = candidate.finish_reason
    if given not in UNFINISHED and (not progress.finish_name or given not in STOPS):
        progress.finish_name = name_of(given, rules.numbers)
    name, end = progress.finish_name, (progress.finish_name, progress.calls.count > 0)
    if not name:
        return
    events += remaining_audio(progress, index)
    if end == progress.last_end:
        return
    progress.last_end = end
    if name in FAILURES and rules.relays_failures:
        events.append(Finished(name, index))
        return
    if name in FAILURES:
        message = message or f"The model stopped without an answer: {name}."
        events.append(Failed(UpstreamError(message, code=name)))
        return
    reason = FINISH_REASONS.get(name, "stop")
    if reason == "stop" and progress.calls.count:
        reason = "tool_calls"
    if reason == "content_filter" and message:
        events.append(ExtraFields({"refusal": message}, index))
    events.append(Finished(reason, index))


def _read_blocked_prompt(feedback: PromptFeedback, events: list[Event]) -> None:
    """There are no candidates for a blocked prompt. The reason goes into ``refusal`` but not as a
    Refusal event: it is no output of the model, and its tokens are not billed."""
    if feedback.block_reason is None:
        return
    message = feedback.block_reason_message or "The provider gave no further reason."
    refusal = f"The prompt was blocked ({feedback.block_reason}). {message}"
    events.append(ExtraFields({"refusal": refusal}))
    events.append(Finished("content_filter"))
