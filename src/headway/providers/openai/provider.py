"""OpenAI's chat completions, streamed and whole (platform.openai.com/docs/api-reference/chat).

Wire facts, read off recordings: usage comes in a last chunk with empty ``choices`` and is null on
the others; a random ``obfuscation`` field pads most chunks; the first chunk has a role and an empty
text; tool arguments come in fragments keyed by ``index``. Only what is read here is decoded.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from headway.errors import UpstreamError
from headway.providers import model_lists as listing
from headway.providers.base import Adapted, Provider, State
from headway.providers.http_headers import bearer_headers
from headway.providers.openai.embeddings import decode_embeddings, encode_embeddings
from headway.providers.openai.errors import decode_error, error_in
from headway.providers.openai.finish_reasons import finish
from headway.providers.openai.tools import (
    Function,
    ToolCall,
    Tools,
    read_function_call,
    read_tool_call,
)
from headway.providers.openai.usage import WireUsage, decode_usage, normalize
from headway.types import (
    NO_RAW,
    ChatRequest,
    Event,
    ExtraFields,
    Failed,
    Frame,
    HttpRequest,
    Logprobs,
    Parameter,
    Reasoning,
    Refusal,
    Started,
    StreamEnd,
    Summary,
    Target,
    Text,
    Transformation,
)
from headway.wire.url import join

DONE: list[Event] = [StreamEnd()]
NULL = b"null"

# --- Requests -------------------------------------------------------------------------------------

TRUE = Raw(b"true")
INCLUDE_USAGE = Raw(b'{"include_usage":true}')
_object = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """The caller's own JSON with the model's name put in, and usage always asked for."""
    parameters, stream = request.parameters, request.stream
    body: dict[str, Any] = {"model": request.model, "messages": request.messages, **parameters}
    if stream:
        body["stream"] = TRUE
        body["stream_options"] = _with_usage(parameters.get("stream_options", NO_RAW))
    extra = tuple(target.headers.items()) if target.headers else ()
    headers = bearer_headers(target.api_key, extra, stream)
    return HttpRequest(join(target.base_url, "/chat/completions"), headers, _encode(body))


def _with_usage(given: Raw) -> Raw:
    if not _is_there(given):
        return INCLUDE_USAGE
    return Raw(_encode({**_object.decode(given), "include_usage": TRUE}))


# Reasoning models refuse the sampling parameters and know max_tokens by another name
# (platform.openai.com/docs/guides/reasoning; from gpt-5.1 on, sampling is allowed without effort).
REASONING = re.compile(r"(?:.*/)?(?:ft:)?(?:o\d|gpt-5(?!.*chat)|codex-mini)")
SAMPLING_ALLOWED = re.compile(r"(?:.*/)?(?:ft:)?gpt-5\.\d")
SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")


@lru_cache(256)
def _reasons(model: str) -> bool:
    return REASONING.match(model) is not None


def adapt(request: ChatRequest) -> Adapted:
    """Keep from a reasoning model what it would refuse."""
    if not _reasons(request.model):
        return request, ()
    parameters = dict(request.parameters)
    changes: list[Transformation] = []
    if request.uses_default_parameters or not SAMPLING_ALLOWED.match(request.model):
        refused = [name for name in SAMPLING if parameters.pop(name, None) is not None]
        reason = f"{request.model} does not take it"
        changes = [Transformation("dropped", name, reason) for name in refused]
    if "max_tokens" in parameters:
        limit = parameters.pop("max_tokens")
        if not _is_there(parameters.get("max_completion_tokens", NO_RAW)):
            parameters["max_completion_tokens"] = limit
        reason = f"{request.model} calls it max_completion_tokens"
        changes.append(Transformation("renamed", "max_tokens", reason))
    adapted = msgspec.structs.replace(request, parameters=parameters)
    return adapted, () if request.uses_default_parameters else tuple(changes)


# --- Answers --------------------------------------------------------------------------------------


class Message(Struct):
    """A delta and a whole message have the same fields."""

    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: Function | None = None
    audio: Any = None
    annotations: Any = None


class Choice(Struct):
    index: int = 0
    delta: Message | None = None
    message: Message | None = None
    finish_reason: str | None = None
    logprobs: Any = None


class Chunk(Struct):
    """A streamed chunk or a whole completion."""

    id: str | None = None
    model: str | None = None
    created: int | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    choices: list[Choice] | None = None
    usage: Raw = NO_RAW
    error: Raw = NO_RAW


class PlainDelta(Struct, gc=False):
    """A piece of text and nothing else: whatever else it may hold must be null."""

    content: str
    reasoning_content: None = None
    reasoning: None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None
    audio: None = None
    annotations: None = None


class PlainChoice(Struct, gc=False):
    delta: PlainDelta
    index: int = 0
    finish_reason: None = None
    logprobs: None = None


class PlainChunk(Struct, gc=False):
    """What nearly every chunk of a stream is. Decoding checks that it is, at no cost of ours."""

    choices: tuple[PlainChoice]
    usage: None = None
    error: None = None


class PlainMessage(Struct, gc=False):
    content: str


class PlainWholeChoice(Struct, gc=False):
    message: PlainMessage
    finish_reason: Literal["stop", "length"]
    index: Literal[0]


class PlainWhole(Struct, gc=False):
    """What nearly every whole completion is, as far as it has to be known to relay it."""

    choices: tuple[PlainWholeChoice]
    usage: WireUsage
    model: str | None = None
    service_tier: str | None = None
    error: None = None


_plain = msgspec.json.Decoder(PlainChunk).decode
_plain_whole = msgspec.json.Decoder(PlainWhole).decode
_chunk = msgspec.json.Decoder(Chunk).decode
_any = msgspec.json.Decoder().decode


def decode_event(frame: Frame, state: State) -> list[Event]:
    """One ``data:`` line of the stream."""
    data = frame.data
    if data == b"[DONE]":
        return DONE
    if not data:
        return []
    if frame.event == "error":
        return [Failed(_stream_error(data))]
    text = read_text(data) if state else None
    return _events_of(_chunk(data), state) if text is None else [Text(text)]


def read_text(data: bytes) -> str | None:
    """The text of a chunk that is nothing but a piece of the first choice's."""
    if data.find(b'"content"') < 0:  # it takes a tenth of what it takes to find out below
        return None
    try:
        choice = _plain(data).choices[0]
    except msgspec.DecodeError:
        return None
    return None if choice.index else choice.delta.content or None


def _events_of(chunk: Chunk, state: State) -> list[Event]:
    events: list[Event] = []
    if not state and chunk.choices is not None:  # an error alone is no beginning of an answer
        state["tools"] = {}
        events.append(_started(chunk))
    for choice in chunk.choices or ():
        delta = choice.delta
        if delta is not None:
            content = delta.content
            if content and type(content) is str:
                events.append(Text(content, choice.index))
            _read_message(delta, choice, state["tools"], events)
        if choice.logprobs is not None:
            events.append(Logprobs(choice.logprobs, choice.index))
        if choice.finish_reason:
            events.append(finish(choice.finish_reason, choice.index))
    if _is_there(chunk.usage):
        events.append(decode_usage(chunk.usage))
    if _is_there(chunk.error):
        events.append(Failed(_stream_error(chunk.error)))
    return events


def decode_response(body: bytes) -> list[Event]:
    """A whole completion, as the stream that it might have been."""
    chunk = _chunk(body)
    if _is_there(chunk.error):
        return [Failed(_stream_error(chunk.error))]
    if chunk.choices is None:
        raise ValueError("the answer has no choices")
    events: list[Event] = [_started(chunk)]
    for choice in chunk.choices:
        message = choice.message
        if message is not None:
            if message.content and type(message.content) is str:
                events.append(Text(message.content, choice.index))
            _read_message(message, choice, {}, events)
        if choice.logprobs is not None:
            events.append(Logprobs(choice.logprobs, choice.index))
        events.append(finish(choice.finish_reason or "stop", choice.index))
    if _is_there(chunk.usage):
        events.append(decode_usage(chunk.usage))
    events.append(DONE[0])
    return events


def summarize(body: bytes) -> Summary | None:
    """A whole completion that is passed on as it is: one decoding, and nothing is built of it."""
    try:
        whole = _plain_whole(body)
    except msgspec.ValidationError:
        return None
    choice, usage = whole.choices[0], normalize(whole.usage)
    if not choice.message.content or usage.input_tokens is None or usage.output_tokens is None:
        return None  # tokens that are not told are counted, and for that the text is needed
    return Summary(usage, choice.finish_reason, whole.model, whole.service_tier)


def _is_there(raw: Raw) -> bool:
    return raw is not NO_RAW and bytes(raw) != NULL


def _started(chunk: Chunk) -> Started:
    return Started(
        chunk.id, chunk.model, chunk.created, chunk.system_fingerprint, chunk.service_tier
    )


def _read_message(message: Message, choice: Choice, tools: Tools, events: list[Event]) -> None:
    """All but the plain text, which the callers read first because it is nearly everything."""
    index = choice.index
    if message.reasoning_content or message.reasoning:
        events.append(Reasoning(message.reasoning_content or message.reasoning or "", index))
    if message.refusal:
        events.append(Refusal(message.refusal, index))
    if message.tool_calls:
        for position, call in enumerate(message.tool_calls):
            read_tool_call(call, position, index, tools, events)
    if message.function_call is not None:
        read_function_call(message.function_call, index, tools, events)
    if type(message.content) is list:
        _read_parts(message.content, index, events)
    if message.audio is not None or message.annotations:
        fields = {"audio": message.audio, "annotations": message.annotations}
        events.append(ExtraFields({k: v for k, v in fields.items() if v}, index))


def _read_parts(parts: list[Any], index: int, events: list[Event]) -> None:
    """Some compatible vendors send content as a list of typed parts."""
    for part in parts:
        if part.get("type") == "text" and part.get("text"):
            events.append(Text(part["text"], index))
        elif part.get("type") == "thinking":
            thought = part.get("thinking") or ""
            if isinstance(thought, list):
                thought = "".join(p.get("text") or "" for p in thought)
            if thought:
                events.append(Reasoning(thought, index))
        elif part.get("type") == "reasoning":  # Databricks
            texts = [summary.get("text") for summary in part.get("summary") or ()]
            events += [Reasoning(text, index) for text in texts if text]
        elif part.get("reference_ids"):  # Mistral
            events.append(ExtraFields({"references": [part]}, index))


def _stream_error(raw: Raw | bytes) -> UpstreamError:
    """An error inside a stream or a 200 body has no status of its own but what it says."""
    return error_in(_any(raw), None)


PARAMETERS = (
    Parameter(
        id="temperature", name="Temperature", type="float", default=1, min=0, max=2, step=0.01
    ),
    Parameter(id="max_tokens", name="Maximum tokens", type="integer", default=2048, min=1, step=1),
    Parameter(id="top_p", name="Top P", type="float", default=1, min=0, max=1, step=0.01),
    Parameter(
        id="frequency_penalty",
        name="Frequency penalty",
        type="float",
        default=0,
        min=-2,
        max=2,
        step=0.01,
    ),
    Parameter(
        id="presence_penalty",
        name="Presence penalty",
        type="float",
        default=0,
        min=-2,
        max=2,
        step=0.01,
    ),
)

PROVIDER = Provider(
    name="openai",
    title="OpenAI",
    base_url="https://api.openai.com/v1",
    key_env="OPENAI_API_KEY",
    wire="openai_chat",
    encode_request=encode_request,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    summarize=summarize,
    read_text=read_text,
    adapt=adapt,
    encode_embeddings=encode_embeddings,
    decode_embeddings=decode_embeddings,
    price_id="openai",
    list_models=listing.OPENAI,
    parameters=PARAMETERS,
    capabilities={
        "stream": "native",
        "tools": "native",
        "tool_choice": "native",
        "images": "native",
        "documents": "native",
        "audio": "native",
        "json_object": "native",
        "json_schema": "native",
        "reasoning": "partial: an effort in, the text of the thoughts stays with the provider",
        "caching": "partial: automatic, counts of reads out",
        "citations": "native",
        "logprobs": "native",
        "embeddings": "native",
    },
)
