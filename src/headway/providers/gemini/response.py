"""Answers of Google's generateContent and streamGenerateContent, as events.

Wire facts, read off recordings: function calls arrive whole, mostly without an id, and finish with
STOP; there is no end mark; the last chunk is often an empty text that carries a thought signature;
without ``alt=sse`` a stream is one JSON array; an error in a stream is plain JSON.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import msgspec

from headway.errors import UpstreamError
from headway.providers.base import State
from headway.providers.gemini.errors import error_from
from headway.providers.gemini.grounding import read_sources
from headway.providers.gemini.usage import read_usage
from headway.providers.gemini.wire_types import (
    FAILURES,
    FINISHES,
    FORMAT,
    UNFINISHED,
    Blob,
    Candidate,
    Chunk,
    FunctionCall,
    LogprobsResult,
    Part,
    PromptFeedback,
    Token,
)
from headway.types import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    Frame,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
)

Numbers = Mapping[int, str]
"""Which finish reason a number stands for."""

SYNTHETIC = re.compile(r"call_\d+_[\w-]*")
"""Ids of our own making. Google's own have no second underscore (``call_3257537``)."""
SERVER_PARTS = {
    "executable_code": "executableCode",
    "code_execution_result": "codeExecutionResult",
    "tool_call": "toolCall",
    "tool_response": "toolResponse",
}
"""What tools on Google's side leave in an answer, and what goes back unread on the next turn."""

_chunk = msgspec.json.Decoder(Chunk).decode
_chunks = msgspec.json.Decoder(list[Chunk]).decode
_any = msgspec.json.Decoder().decode


class Memory:
    """What a stream has brought of one candidate."""

    __slots__ = ("calls", "finished", "images", "seen", "sound", "text")

    def __init__(self) -> None:
        self.calls = 0
        self.images = 0
        self.sound = b""
        """What is left of it: less than three bytes."""
        self.finished = False
        self.text: list[str] = []
        """For the offsets of citations, which come at the end and count from the start."""
        self.seen: set[Any] = set()


def decode_event(numbers: Numbers, frame: Frame, state: State) -> list[Event]:
    """One event of a stream, or a stream that is one JSON array, or an error in its place."""
    data = frame.data
    if not data:
        return []
    if data == b"[DONE]":
        return [StreamEnd()]
    events: list[Event] = []
    for chunk in _chunks(data) if data[:1] == b"[" else (_chunk(data),):
        _read(chunk, numbers, state, events)
    return events


def decode_response(numbers: Numbers, body: bytes) -> list[Event]:
    """A whole answer; also a stream that arrived as one JSON array."""
    chunks = _chunks(body) if body.lstrip()[:1] == b"[" else [_chunk(body)]
    state: State = {}
    events: list[Event] = []
    for chunk in chunks:
        _read(chunk, numbers, state, events)
    if not any(chunk.candidates or chunk.prompt_feedback or chunk.error for chunk in chunks):
        raise ValueError("the answer has no candidates")
    return events


def _read(chunk: Chunk, numbers: Numbers, state: State, events: list[Event]) -> None:
    if chunk.error:
        events.append(Failed(error_from(_any(chunk.error))))
        return
    usage = chunk.usage_metadata
    if not state:
        state["id"] = chunk.response_id or ""
        state["candidates"] = {}
        tier = None if usage is None else usage.service_tier
        events.append(Started(chunk.response_id, chunk.model_version, service_tier=tier))
    finishes: list[Event] = []
    for candidate in chunk.candidates or ():
        _read_candidate(candidate, state, events)
        _read_finish(candidate, numbers, state, finishes)
    if chunk.prompt_feedback is not None and not chunk.candidates:
        _read_block(chunk.prompt_feedback, finishes)
    if usage is not None and (seen := read_usage(usage)) is not None:
        events.append(seen)
    events += finishes  # last, so that a failure has its usage on record


def _memory(state: State, index: int) -> Memory:
    memories: dict[int, Memory] = state["candidates"]
    if index not in memories:
        memories[index] = Memory()
    return memories[index]


def _read_candidate(candidate: Candidate, state: State, events: list[Event]) -> None:
    memory = _memory(state, candidate.index)
    content = candidate.content
    for part in () if content is None else content.parts or ():
        if part.text and not part.thought:
            events.append(Text(part.text, candidate.index))
            memory.text.append(part.text)
        _read_part(part, candidate.index, memory, state, events)
    if candidate.logprobs_result is not None:
        events.append(Logprobs(_logprobs(candidate.logprobs_result), candidate.index))
    if (
        candidate.grounding_metadata
        or candidate.url_context_metadata
        or candidate.citation_metadata
    ):
        fields = read_sources(candidate, "".join(memory.text), memory.seen)
        if fields:
            events.append(ExtraFields(fields, candidate.index))


def _read_part(part: Part, index: int, memory: Memory, state: State, events: list[Event]) -> None:
    """All but plain text, which the caller reads first because it is nearly everything."""
    if part.thought and part.text:
        events.append(Reasoning(part.text, index))
    call_id = image = None
    if part.function_call is not None:
        call_id = _read_call(part.function_call, index, memory, state, events)
    if part.inline_data is not None:
        media = _media(part.inline_data, memory)
        if "images" in media:
            image, memory.images = memory.images, memory.images + 1
        events.append(ExtraFields(media, index))
    detail = _detail(part, call_id, image)
    if detail is not None:
        events.append(ReasoningDetail(detail, index))


def _read_call(
    call: FunctionCall, index: int, memory: Memory, state: State, events: list[Event]
) -> str:
    position = memory.calls
    memory.calls += 1
    call_id = call.id or f"call_{position}_{state['id']}"
    arguments = msgspec.json.format(call.args, indent=-1).decode() if call.args else "{}"
    events.append(ToolStarted(position, call_id, call.name, index))
    events.append(ToolArguments(position, arguments, index))
    return call_id


def _detail(part: Part, call_id: str | None, image: int | None) -> dict[str, Any] | None:
    """What must come back on the next turn (ai.google.dev/gemini-api/docs/thought-signatures):
    signatures, each with the call or the picture it belongs to, and parts that only Google reads
    (``part``)."""
    signature = part.thought_signature
    if part.thought and signature:
        return {
            "type": "reasoning.text",
            "text": part.text or "",
            "signature": signature,
            "format": FORMAT,
        }
    kept = {name: getattr(part, field) for field, name in SERVER_PARTS.items()}
    kept = {name: value for name, value in kept.items() if value is not None}
    if part.text == "" and signature:
        kept = {"text": ""}
    if image is not None and signature:
        kept = {"image": image}
    if not kept and not signature:
        return None
    detail: dict[str, Any] = {
        "type": "reasoning.encrypted",
        "data": signature or "",
        "format": FORMAT,
    }
    if call_id is not None:
        detail["id"] = call_id
    elif kept:
        detail["part"] = kept
    return detail


def _media(blob: Blob, memory: Memory) -> dict[str, Any]:
    """Pictures in the shape that OpenRouter gave them, sound in OpenAI's."""
    if blob.mime_type.startswith("audio/"):
        data = _aligned(blob.data, memory)
        return {"audio": {"data": data, "format": blob.mime_type.removeprefix("audio/")}}
    url = f"data:{blob.mime_type};base64,{blob.data}"
    return {"images": [{"type": "image_url", "image_url": {"url": url}}]}


def _aligned(data: str, memory: Memory) -> str:
    """Sound comes in pieces, each padded, and is one text in the end: base64 that ends within it
    would break it, so what does not fill three bytes waits for the next piece."""
    if not memory.sound and not data.endswith("="):
        return data
    sound = memory.sound + b64decode(data)
    whole = len(sound) - len(sound) % 3
    memory.sound = sound[whole:]
    return b64encode(sound[:whole]).decode()


def _logprobs(result: LogprobsResult) -> dict[str, Any]:
    tops = [top.candidates or [] for top in result.top_candidates or ()]
    content = []
    for position, token in enumerate(result.chosen_candidates or ()):
        top = tops[position] if position < len(tops) else []
        content.append({**_token(token), "top_logprobs": [_token(other) for other in top]})
    return {"content": content, "refusal": None}


def _token(token: Token) -> dict[str, Any]:
    return {
        "token": token.token,
        "logprob": token.log_probability,
        "bytes": list(token.token.encode()),
    }


def _read_finish(candidate: Candidate, numbers: Numbers, state: State, events: list[Event]) -> None:
    memory = _memory(state, candidate.index)
    given = candidate.finish_reason
    if given in UNFINISHED or memory.finished:
        return
    memory.finished = True
    if memory.sound:
        events.append(
            ExtraFields({"audio": {"data": b64encode(memory.sound).decode()}}, candidate.index)
        )
    name = numbers.get(given, "OTHER") if isinstance(given, int) else given or ""
    if name in FAILURES:
        message = candidate.finish_message or f"The model stopped without an answer: {name}."
        events.append(Failed(UpstreamError(message, code=name)))
        return
    reason = FINISHES.get(name, "stop")
    if reason == "stop" and memory.calls:
        reason = "tool_calls"
    if reason == "content_filter" and candidate.finish_message:
        events.append(ExtraFields({"refusal": candidate.finish_message}, candidate.index))
    events.append(Finished(reason, candidate.index))


def _read_block(feedback: PromptFeedback, events: list[Event]) -> None:
    """The prompt was blocked: there will be no candidates. The why goes where a refusal would, but
    not as one: the model did not say it, and nobody is to be billed for its tokens."""
    if feedback.block_reason is None:
        return
    said = feedback.block_reason_message or "The provider gave no further reason."
    why = f"The prompt was blocked ({feedback.block_reason}). {said}"
    events.append(ExtraFields({"refusal": why}))
    events.append(Finished("content_filter"))
