"""What those who copied OpenAI's wire do otherwise in their answers, one small function each.

A reader gets what the plain adapter made of a frame, or of a whole body, with the bytes, and gives
what is true of this vendor. Readers look into the bytes only where a word in them says that there
is something to be found: most frames of most streams cost them one search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
)
from headway.providers.base import State
from headway.providers.http_headers import bearer_headers
from headway.providers.openai import provider as openai
from headway.providers.openai.errors import LONGEST, decode_error, error_in
from headway.providers.openai.usage import decode_usage
from headway.types import (
    CONTENT,
    NO_RAW,
    ChatRequest,
    Event,
    ExtraFields,
    Failed,
    Finished,
    Frame,
    Headers,
    HttpRequest,
    Reasoning,
    ReasoningDetail,
    Started,
    StreamEnd,
    Target,
    ToolStarted,
    Usage,
    UsageReported,
)
from headway.wire.url import join

Memory = dict[Any, Any]
"""What one reader remembers of one stream."""
Reader = Callable[[bytes, list[Event], Memory], list[Event]]
"""The list of events that it gets is not its own to change."""
Judge = Callable[[bytes], list[Event] | None]
"""Comes before the plain adapter, with the last word if it has one."""

_encode = msgspec.json.Encoder().encode
_usage_fields = msgspec.json.Decoder(dict[str, Any]).decode


def reading(
    *readers: Reader, judge: Judge | None = None
) -> tuple[Callable[[bytes], list[Event]], Callable[[Frame, State], list[Event]]]:
    """``decode_response`` and ``decode_event`` of the plain adapter with these readers after it."""

    def decode_response(body: bytes) -> list[Event]:
        if judge is not None and (judged := judge(body)) is not None:
            return judged
        events = openai.decode_response(body)
        for reader in readers:
            events = reader(body, events, {})
        return events

    def decode_event(frame: Frame, state: State) -> list[Event]:
        if not state:
            state["own"] = {}
            state["readers"] = [(reader, {}) for reader in readers]
        data = frame.data
        if judge is not None and (judged := judge(data)) is not None:
            return judged
        events = openai.decode_event(frame, state["own"])
        for reader, memory in state["readers"]:
            events = reader(data, events, memory)
        return events

    return decode_response, decode_event


def encode_without_stream_options(request: ChatRequest, target: Target) -> HttpRequest:
    """For those who tell usage without being asked, and do not know ``stream_options``."""
    body: dict[str, Any] = {"model": request.model, "messages": request.messages}
    body.update(request.parameters)
    body.pop("stream_options", None)
    if request.stream:
        body["stream"] = openai.TRUE
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), request.stream)
    return HttpRequest(join(target.base_url, "/chat/completions"), headers, _encode(body))


# --- Usage ----------------------------------------------------------------------------------------


class GroqExtra(Struct):
    usage: Raw = NO_RAW
    error: Raw = NO_RAW


class GroqChunk(Struct):
    x_groq: GroqExtra | None = None


_groq = msgspec.json.Decoder(GroqChunk).decode


def x_groq(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """Groq's usage on the chunk that finishes, where no chunk of its own follows; and its word
    for why a stream ended early (console.groq.com/docs/api-reference, x_groq)."""
    if b'"x_groq"' not in data:
        return events
    found = _groq(data).x_groq or GroqExtra()
    more: list[Event] = []
    if is_there(found.usage) and not any(type(event) is UsageReported for event in events):
        more.append(decode_usage(found.usage))
    if is_there(found.error):
        more.append(Failed(error_in(msgspec.json.decode(found.error), None)))
    return [*events, *more]


class ChoiceUsage(Struct):
    usage: Raw = NO_RAW


class ChoicesUsage(Struct):
    choices: list[ChoiceUsage] = []


_choices_usage = msgspec.json.Decoder(ChoicesUsage).decode


def usage_in_choice(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """Moonshot's usage inside the choice that finishes (platform.moonshot.ai, Chat, streaming)."""
    if b'"usage"' not in data or any(type(event) is UsageReported for event in events):
        return events
    found = [choice.usage for choice in _choices_usage(data).choices]
    return [*events, *(decode_usage(usage) for usage in found if is_there(usage))]


def reasoning_beside(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """xAI and Perplexity count the tokens of reasoning beside those of the answer and bill both;
    here the output includes them. Told by the sums: xAI's total has all three, and a count of
    reasoning above the completion's cannot be a part of it."""
    return _with_usage(events, _reasoning_included)


def _reasoning_included(usage: Usage, shown: Mapping[str, Any]) -> Usage:
    reasoning, output = usage.reasoning_tokens, usage.output_tokens
    if not reasoning or output is None:
        return usage
    is_beside = reasoning > output or (
        shown.get("total_tokens") == (usage.input_tokens or 0) + output + reasoning
    )
    return replace(usage, output_tokens=output + reasoning) if is_beside else usage


def audio_beside(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """Mistral counts the tokens of sound beside those of the prompt: only the total has both."""
    return _with_usage(events, _audio_included)


def _audio_included(usage: Usage, shown: Mapping[str, Any]) -> Usage:
    total, said = shown.get("total_tokens"), usage.input_tokens
    if total is None or said is None or shown.get("prompt_audio_seconds") is None:
        return usage
    heard = total - said - (usage.output_tokens or 0)
    if heard <= 0:
        return usage
    return replace(usage, input_tokens=said + heard, input_audio_tokens=heard)


def _with_usage(
    events: list[Event], mend: Callable[[Usage, Mapping[str, Any]], Usage]
) -> list[Event]:
    if not any(type(event) is UsageReported for event in events):
        return events
    return [
        replace(event, usage=mend(event.usage, _usage_fields(event.openai_usage)))
        if isinstance(event, UsageReported)
        else event
        for event in events
    ]


# --- Reasoning that comes back on the next turn ---------------------------------------------------


class DetailedMessage(Struct):
    reasoning_details: list[dict[str, Any]] | None = None
    reasoning: str | None = None


class DetailedChoice(Struct):
    index: int = 0
    delta: DetailedMessage | None = None
    message: DetailedMessage | None = None
    finish_reason: str | None = None
    error: Raw = NO_RAW


class DetailedChunk(Struct):
    choices: list[DetailedChoice] = []


_detailed = msgspec.json.Decoder(DetailedChunk).decode
GROWING = ("text", "summary", "data")


def reasoning_details(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """OpenRouter's ``reasoning_details``: in a stream they come in pieces with an index, and are
    told whole as the choice ends (openrouter.ai/docs, Reasoning tokens)."""
    told: list[Event] = []
    if b'"reasoning_details"' in data:
        for choice in _detailed(data).choices:
            told += _remember(choice, memory)
    if not memory:
        return events
    begun = events[:1] if events and isinstance(events[0], Started) else []
    told = [*begun, *told]
    for event in events[len(begun) :]:
        if isinstance(event, Finished):
            told += _details_of(memory, event.index)
        told.append(event)
    return told


def _remember(choice: DetailedChoice, memory: Memory) -> list[Event]:
    """The blocks, or their pieces; and their text, where it stands nowhere else."""
    message = choice.delta or choice.message or DetailedMessage()
    details = message.reasoning_details or []
    for detail in details:
        is_piece = choice.delta is not None and detail.get("index") is not None
        rest = (detail["index"], detail.get("type")) if is_piece else (object(), None)
        _grow(memory.setdefault((choice.index, *rest), {}), detail)
    text = "".join(detail.get("text") or detail.get("summary") or "" for detail in details)
    return [] if message.reasoning or not text else [Reasoning(text, choice.index)]


def _grow(block: dict[str, Any], piece: Mapping[str, Any]) -> None:
    """A summary and what is encrypted of the same thought share an index, not a type."""
    for name, value in piece.items():
        if name in GROWING and value is not None:
            block[name] = (block.get(name) or "") + value
        elif value is not None or name not in block:
            block[name] = value


def _details_of(memory: Memory, choice: int) -> list[Event]:
    keys: list[Any] = [key for key in memory if key[0] == choice]
    return [ReasoningDetail(memory.pop(key), choice) for key in keys]


def choice_errors(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """OpenRouter's error of one choice, beside a finish of ``error``."""
    if not any(isinstance(event, Failed) for event in events) or b'"error"' not in data:
        return events
    said = [choice.error for choice in _detailed(data).choices]
    return [
        *events,
        *(Failed(error_in(msgspec.json.decode(raw), None)) for raw in said if is_there(raw)),
    ]


class Routed(Struct):
    raw: str | None = None


class RoutedError(Struct):
    metadata: Routed | None = None


class RoutedBody(Struct):
    error: RoutedError | None = None


_routed = msgspec.json.Decoder(RoutedBody).decode
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading may raise over bytes that are no JSON."""


def decode_routed_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """OpenRouter says that a provider refused, and what it said only in ``metadata.raw``."""
    error = decode_error(status, headers, body)
    try:
        found = _routed(body).error or RoutedError()
    except UNREADABLE:
        return error
    raw = None if found.metadata is None else found.metadata.raw
    if raw:
        error.message = f"{error.message}: {_said(raw)}"[:LONGEST]
    return error


def _said(raw: str) -> str:
    try:
        return error_in(msgspec.json.decode(raw), None).message
    except UNREADABLE:
        return raw


# --- Searches -------------------------------------------------------------------------------------


class SearchChunk(Struct):
    citations: list[Any] | None = None
    search_results: list[Any] | None = None


_search = msgspec.json.Decoder(SearchChunk).decode


def searches(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """Perplexity's sources stand on every chunk, the same over and over: told once, at the end, in
    OpenAI's shape and in its own (docs.perplexity.ai, Chat completions)."""
    if not any(isinstance(event, Finished) for event in events):
        return events
    found = _search(data)
    results = found.search_results or [{"url": url} for url in found.citations or ()]
    if not results:
        return events
    fields = {
        "annotations": [_cited(result) for result in results],
        "citations": found.citations,
        "search_results": found.search_results,
    }
    return [ExtraFields({name: value for name, value in fields.items() if value}), *events]


def _cited(result: Mapping[str, Any]) -> dict[str, Any]:
    cited = {name: result[name] for name in ("url", "title") if result.get(name)}
    return {"type": "url_citation", "url_citation": cited}


# --- Ends -----------------------------------------------------------------------------------------


def finish_at_done(data: bytes, events: list[Event], memory: Memory) -> list[Event]:
    """Servers have been seen to write ``[DONE]`` and never a reason: what they said is whole."""
    for event in events:
        kind = type(event)
        if kind in CONTENT:
            index: int = event.index  # type: ignore[union-attr]
            memory[index] = "tool_calls" if kind is ToolStarted else memory.get(index, "stop")
        elif isinstance(event, Finished):
            memory[event.index] = None
    if not (len(events) == 1 and isinstance(events[0], StreamEnd)):
        return events
    reasons: dict[Any, Any] = dict(memory)
    return [*(Finished(reason, index) for index, reason in reasons.items() if reason), *events]


class Outcome(Struct):
    status_code: int = 0
    status_msg: str = ""


class Judged(Struct):
    base_resp: Outcome | None = None


_judged = msgspec.json.Decoder(Judged).decode
OUTCOMES: Mapping[int, type[UpstreamError]] = {
    1001: UpstreamTimeout,
    **dict.fromkeys((1002, 1039, 1041, 2045), UpstreamRateLimited),
    **dict.fromkeys((1004, 2049), UpstreamAuth),
    **dict.fromkeys((1008, 2056), UpstreamQuota),
    **dict.fromkeys((1026, 1027, 1042, 2013), UpstreamRejected),
}
"""platform.minimax.io/docs, Error codes: 1026 and 1027 are content that is found sensitive."""


def base_resp(body: bytes) -> list[Event] | None:
    """MiniMax's failure in an answer of status 200; None where it is none."""
    if b'"base_resp"' not in body:
        return None
    outcome = _judged(body).base_resp or Outcome()
    if not outcome.status_code:
        return None
    cls = OUTCOMES.get(outcome.status_code, UpstreamError)
    return [Failed(cls(outcome.status_msg or "MiniMax failed.", code=str(outcome.status_code)))]


def is_there(raw: Raw) -> bool:
    return bool(raw) and bytes(raw) != b"null"
