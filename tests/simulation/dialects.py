"""How simulated clients ask in each dialect, and how they read what they get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.engine import Engine
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai_responses.dialect import OpenAIResponses


class Reading(NamedTuple):
    """What a client made of a reply."""

    text: str = ""
    is_complete: bool = False
    """The model has finished, and the reply ended as its format wants it."""
    has_error: bool = False
    """It ended with an error, in the shape of its format."""


Object = dict[str, Any]


class Question(NamedTuple):
    """What a client asks."""

    model: str
    number: int
    """Of the client."""
    is_stream: bool
    retries: int = 0
    is_engine: bool = False
    """Of the engine route, whose body has the retries and which has no routes."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    prompt: str = "Hello"
    api_key: str | None = None
    """Of the gateway."""
    temperature: float | None = None
    models: tuple[str, ...] = ()
    """The ``models`` of its body: further ones to try."""
    provider: Mapping[str, Any] = MappingProxyType({})
    """The ``provider`` of its body: what it asks of the choice among targets."""
    timeout: float | None = None
    """Seconds, in a header."""
    allows_fallbacks: bool = True

    @property
    def own_headers(self) -> list[tuple[bytes, bytes]]:
        found = [(b"x-request-id", b"client-%d" % self.number), *self.headers]
        if self.api_key is not None:
            found.append((b"authorization", b"Bearer " + self.api_key.encode()))
        if self.timeout is not None:
            found.append((b"x-headway-timeout", b"%g" % self.timeout))
        if not self.allows_fallbacks:
            found.append((b"x-headway-no-fallback", b"1"))
        if self.retries and not self.is_engine:
            found.append((b"x-headway-retries", b"%d" % self.retries))
        return found

    @property
    def routing_fields(self) -> Object:
        named: Object = {"models": list(self.models)} if self.models else {}
        return {**named, "provider": dict(self.provider)} if self.provider else named

    @property
    def parameters(self) -> dict[str, float]:
        return {} if self.temperature is None else {"temperature": self.temperature}


Read = Callable[[list[Any]], Reading]


class SimulatedDialect(NamedTuple):
    name: str
    dialect: Dialect
    streaming: Dialect
    """The dialect of streams, where their route is another."""
    ask: Callable[[Question], ClientRequest]
    whole: type[Any]
    event: type[Any]
    read_whole: Callable[[Any], Reading]
    read_stream: Read
    is_sse: bool = True

    def read(self, is_stream: bool, status: int, body: bytes) -> Reading:
        """Raises msgspec.MsgspecError, ValueError for what is not of the format."""
        if not is_stream or status != 200:
            found = msgspec.json.decode(body, type=self.whole)
            return self.read_whole(found)
        datas = [
            line.removeprefix(b"data: ") if self.is_sse else line
            for line in body.splitlines()
            if line.startswith(b"data: ") or not self.is_sse
        ]
        return self.read_stream([self._decode(data) for data in datas])

    def _decode(self, data: bytes) -> Any:
        return None if data == b"[DONE]" else msgspec.json.decode(data, type=self.event)


def _request(argument: str, question: Question, body: Object, query: str = "") -> ClientRequest:
    body |= question.routing_fields
    return ClientRequest(argument, question.own_headers, msgspec.json.encode(body), query)


# --- OpenAI's chat format -------------------------------------------------------------------------


class _Message(Struct, frozen=True, gc=False):
    content: str | None = None


class _Choice(Struct, frozen=True, gc=False):
    delta: _Message = _Message()
    message: _Message = _Message()
    finish_reason: str | None = None


class _Chat(Struct, frozen=True, gc=False):
    choices: list[_Choice] = []
    error: Raw | UnsetType = UNSET


def _ask_chat(question: Question) -> ClientRequest:
    messages = [{"role": "user", "content": question.prompt}]
    body = {"model": question.model, "messages": messages, "stream": question.is_stream}
    return _request("", question, {**body, **question.parameters})


def _read_chat(found: _Chat) -> Reading:
    if found.error is not UNSET:
        return Reading(has_error=True)
    text = "".join(choice.message.content or "" for choice in found.choices)
    return Reading(text, any(choice.finish_reason for choice in found.choices))


def _read_chat_stream(found: list[_Chat | None]) -> Reading:
    text, finished, failed = [], False, False
    is_done = bool(found) and found[-1] is None
    for chunk in found:
        if chunk is None:
            continue
        if failed:
            raise ValueError("something follows an error")
        failed = chunk.error is not UNSET
        for choice in chunk.choices:
            text.append(choice.delta.content or "")
            finished = finished or choice.finish_reason is not None
    if failed and is_done:
        raise ValueError("an error is followed by [DONE]")
    return Reading("".join(text), finished and is_done, failed)


# --- The engine route -----------------------------------------------------------------------------


class _Engine(Struct, frozen=True, gc=False):
    chat_output: str | None = None
    chat_output_stream: str | None = None
    metrics: Raw | UnsetType = UNSET
    choices: list[_Choice] = []
    error: Raw | UnsetType = UNSET


def _ask_engine(question: Question) -> ClientRequest:
    provider, _, model = question.model.partition("/")
    body: Object = {
        "model": model or provider,
        "chat_input": question.prompt,
        "is_stream": question.is_stream,
        "retries": question.retries,
    }
    if question.temperature is not None:
        body["parameters"] = question.parameters
    return _request(provider, question, body)


def _read_engine(found: _Engine) -> Reading:
    if found.error is not UNSET:
        return Reading(has_error=True)
    finished = any(choice.finish_reason for choice in found.choices)
    return Reading(found.chat_output or "", finished and found.metrics is not UNSET)


def _read_engine_stream(found: list[_Engine]) -> Reading:
    text = "".join(chunk.chat_output_stream or "" for chunk in found)
    if any(chunk.error is not UNSET for chunk in found[:-1]):
        raise ValueError("something follows an error")
    if not found or found[-1].error is not UNSET:
        return Reading(text, has_error=bool(found))
    is_complete = _read_engine(found[-1]).is_complete
    if is_complete and found[-1].chat_output != text:
        raise ValueError("the whole text is not that of the pieces")
    return Reading(text, is_complete)


# --- Anthropic's Messages -------------------------------------------------------------------------


class _Block(Struct, frozen=True, gc=False):
    text: str = ""


class _Claude(Struct, frozen=True, gc=False):
    type: str = ""
    content: list[_Block] = []
    delta: _Block = _Block()
    stop_reason: str | None = None
    error: Raw | UnsetType = UNSET


def _ask_claude(question: Question) -> ClientRequest:
    messages = [{"role": "user", "content": question.prompt}]
    body = {"model": question.model, "max_tokens": 99, "messages": messages}
    body |= question.parameters
    return _request("", question, {**body, "stream": question.is_stream})


def _read_claude(found: _Claude) -> Reading:
    if found.type == "error":
        return Reading(has_error=found.error is not UNSET)
    return Reading("".join(block.text for block in found.content), bool(found.stop_reason))


def _read_claude_stream(found: list[_Claude]) -> Reading:
    text = "".join(event.delta.text for event in found if event.type == "content_block_delta")
    kinds = [event.type for event in found]
    if {"error", "message_stop"}.intersection(kinds[:-1]):
        raise ValueError("something follows the end")
    last = kinds[-1] if kinds else ""
    return Reading(text, last == "message_stop" and "message_delta" in kinds, last == "error")


# --- OpenAI's Responses ---------------------------------------------------------------------------


COMPLETE = frozenset({"response.completed", "response.incomplete"})
"""The second is an answer that was cut at its longest length, or filtered."""


class _Part(Struct, frozen=True, gc=False):
    text: str = ""


class _Item(Struct, frozen=True, gc=False):
    content: list[_Part] | None = None


class _Response(Struct, frozen=True, gc=False):
    type: str = ""
    delta: str = ""
    status: str | None = None
    output: list[_Item] = []
    error: Raw | UnsetType = UNSET


def _ask_responses(question: Question) -> ClientRequest:
    body = {"model": question.model, "input": question.prompt, "stream": question.is_stream}
    return _request("", question, {**body, **question.parameters})


def _read_responses(found: _Response) -> Reading:
    if found.error is not UNSET and bytes(found.error) != b"null":
        return Reading(has_error=True)
    parts = [part for item in found.output for part in item.content or ()]
    text = "".join(part.text for part in parts)
    return Reading(text, found.status in ("completed", "incomplete"))


def _read_responses_stream(found: list[_Response]) -> Reading:
    text = "".join(e.delta for e in found if e.type == "response.output_text.delta")
    kinds = [event.type for event in found]
    if {*COMPLETE, "response.failed"}.intersection(kinds[:-1]):
        raise ValueError("something follows the end")
    failed = kinds[-2:] == ["error", "response.failed"]
    return Reading(text, bool(COMPLETE.intersection(kinds[-1:])), failed)


# --- Gemini ---------------------------------------------------------------------------------------


class _Content(Struct, frozen=True, gc=False):
    parts: list[_Part] = []


class _Candidate(Struct, frozen=True, gc=False):
    content: _Content = _Content()
    finish_reason: str | None = msgspec.field(default=None, name="finishReason")


class _Gemini(Struct, frozen=True, gc=False):
    candidates: list[_Candidate] = []
    error: Raw | UnsetType = UNSET


def _ask_gemini(question: Question) -> ClientRequest:
    body: Object = {"contents": [{"role": "user", "parts": [{"text": question.prompt}]}]}
    if question.temperature is not None:
        body["generationConfig"] = question.parameters
    return _request(question.model, question, body, "alt=sse" if question.is_stream else "")


def _read_gemini(found: _Gemini) -> Reading:
    return _read_gemini_stream([found])


def _read_gemini_stream(found: list[_Gemini]) -> Reading:
    candidates = [each for chunk in found for each in chunk.candidates]
    text = "".join(part.text for each in candidates for part in each.content.parts)
    if any(chunk.error is not UNSET for chunk in found[:-1]):
        raise ValueError("something follows an error")
    failed = bool(found) and found[-1].error is not UNSET
    return Reading(text, any(each.finish_reason for each in candidates) and not failed, failed)


DIALECTS = [
    SimulatedDialect(
        "chat", OpenAIChat(), OpenAIChat(), _ask_chat, _Chat, _Chat, _read_chat, _read_chat_stream
    ),
    SimulatedDialect(
        "engine",
        Engine(),
        Engine(),
        _ask_engine,
        _Engine,
        _Engine,
        _read_engine,
        _read_engine_stream,
        is_sse=False,
    ),
    SimulatedDialect(
        "messages",
        AnthropicMessages(),
        AnthropicMessages(),
        _ask_claude,
        _Claude,
        _Claude,
        _read_claude,
        _read_claude_stream,
    ),
    SimulatedDialect(
        "responses",
        OpenAIResponses(),
        OpenAIResponses(),
        _ask_responses,
        _Response,
        _Response,
        _read_responses,
        _read_responses_stream,
    ),
    SimulatedDialect(
        "gemini",
        GenerateContent(is_stream=False),
        GenerateContent(is_stream=True),
        _ask_gemini,
        _Gemini,
        _Gemini,
        _read_gemini,
        _read_gemini_stream,
    ),
]
