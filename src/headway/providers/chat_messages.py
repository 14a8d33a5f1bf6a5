"""Decode OpenAI's chat messages and parameters, for adapters of other wire formats.

The types also have the fields by which clients send what OpenAI's API does not support:
``cache_control`` on parts, messages and tools (Anthropic's), ``reasoning_content`` and
``reasoning_details`` on the messages of an assistant (DeepSeek's and OpenRouter's) and their
``images`` (OpenRouter's), ``is_error`` on the messages of a tool.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from headway.types import ChatRequest


class ImageUrl(Struct, frozen=True):
    url: str
    """http(s), or a data URL."""
    detail: str | None = None


class InputAudio(Struct, frozen=True):
    data: str
    """base64."""
    format: str
    """wav or mp3."""


class File(Struct, frozen=True):
    file_id: str | None = None
    filename: str | None = None
    file_data: str | None = None
    """A data URL, a web address, or bare base64."""


class Part(Struct, frozen=True):
    type: str
    text: str | None = None
    image_url: ImageUrl | str | None = None
    video_url: ImageUrl | str | None = None
    """A field of OpenRouter and vLLM, which OpenAI does not have."""
    input_audio: InputAudio | None = None
    file: File | None = None
    refusal: str | None = None
    cache_control: Any = None


class Function(Struct, frozen=True):
    name: str
    arguments: str = ""


class ToolCall(Struct, frozen=True):
    id: str
    function: Function
    type: str = "function"
    extra_content: Any = None


class Message(Struct, frozen=True):
    role: str
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    function_call: Function | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    images: list[Part] | None = None
    """Images that the model generated, as responses show them."""
    cache_control: Any = None
    is_error: bool | None = None

    @property
    def parts(self) -> list[Part]:
        """The content as parts, whatever its form."""
        if self.content is None:
            return []
        if isinstance(self.content, str):
            return [Part("text", text=self.content)] if self.content else []
        return self.content

    @property
    def text(self) -> str:
        return "".join(part.text or "" for part in self.parts)


class FunctionSpec(Struct, frozen=True):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Struct, frozen=True):
    type: str = "function"
    function: FunctionSpec | None = None
    cache_control: Any = None


class JsonSchema(Struct, frozen=True):
    name: str = "answer"
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(Struct, frozen=True):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class Media(Struct, frozen=True):
    """An image, a document or audio: its bytes in base64, or its URL."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None


DATA_URL = re.compile(r"data:([^;,]{0,255})((?:;[^,]{0,1000})?),(.*)", re.DOTALL)
_messages = msgspec.json.Decoder(list[Message]).decode
_format = msgspec.json.Decoder(ResponseFormat).decode
_any = msgspec.json.Decoder().decode


def messages_of(request: ChatRequest) -> list[Message]:
    """Raises msgspec.ValidationError, which names the place, for anything but chat messages."""
    return _messages(request.messages)


def response_format_of(request: ChatRequest) -> ResponseFormat | None:
    raw = request.parameters.get("response_format")
    return None if raw is None else _format(raw)


def value_of(request: ChatRequest, name: str) -> Any:
    """A parameter as parsed JSON; None where it was not given."""
    raw = request.parameters.get(name)
    return None if raw is None else _any(raw)


def stop_sequences_of(request: ChatRequest) -> list[str]:
    stop = value_of(request, "stop")
    return [stop] if isinstance(stop, str) else list(stop or ())


def max_tokens_of(request: ChatRequest) -> int | None:
    """The maximum of tokens to generate, by either of OpenAI's names."""
    limit: int | None = value_of(request, "max_completion_tokens")
    return value_of(request, "max_tokens") if limit is None else limit


def other_parameters(request: ChatRequest, known: frozenset[str]) -> dict[str, Raw]:
    """The parameters that an adapter does not know, and passes on as they are."""
    return {name: raw for name, raw in request.parameters.items() if name not in known}


def media_of(url: str) -> Media:
    """The parts of a data URL (RFC 2397), or any other URL as it is."""
    found = DATA_URL.fullmatch(url)
    if found is None:
        return Media(url=url)
    return Media(found[1] or None, found[3])
