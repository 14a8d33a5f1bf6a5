"""Requests of Ollama's /api/chat and /api/generate (docs.ollama.com/api) in OpenAI's chat
format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import ConvertedRequest
from headway.errors import RequestError
from headway.types import ChatRequest, Transformation

Fields = dict[str, Any]

MALFORMED = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What the converters raise for a request that is not in Ollama's format."""
ONLY_OLLAMA = "only Ollama has it"
IMAGE_TYPES: Mapping[str, str] = {
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
}
"""The beginning of an image in base64 -> its type. Any other is taken for a PNG."""
OPTIONS: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "seed": "seed",
    "stop": "stop",
    "num_predict": "max_tokens",
    "repeat_penalty": "repetition_penalty",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
"""Ollama's name in ``options`` -> OpenAI's (api/types.go, Options)."""
NEUTRAL = ("context", "raw", "suffix", "template")
"""They ask for nothing where they are empty or false."""
SUFFIX = (
    "This model is asked through a chat, which takes no suffix: use a model of Ollama, or send "
    "POST /v1/completions to a provider with completions."
)
PASSED_ON = ("logprobs", "top_logprobs")
EFFORTS = ("low", "medium", "high", "max")

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def convert(request: ChatRequest, fields: Mapping[str, Raw]) -> ConvertedRequest:
    """``fields`` are those of a body of /api/chat. Raises RequestError for one that is not in
    Ollama's format."""
    try:
        given = {name: value for name, raw in fields.items() if (value := _decode(raw)) is not None}
        if given.get("suffix"):
            raise RequestError(SUFFIX, param="suffix")
        messages = MessageReader().read(given.pop("messages"))
        parameters, lost = _parameters(given)
    except MALFORMED as exc:
        raise RequestError(f"This is no request in Ollama's format: {exc}.") from exc
    converted = replace(
        request,
        messages=_raw(messages),
        parameters={name: _raw(value) for name, value in parameters.items()},
        native=None,
    )
    return converted, tuple(lost)


def _raw(value: Any) -> Raw:
    return Raw(_encode(value))


def chat_fields(fields: Mapping[str, Raw]) -> dict[str, Raw]:
    """The fields of a body of /api/generate as those of /api/chat: the prompt is the only message
    of the user. Raises RequestError."""
    kept = dict(fields)
    system, prompt, images = (kept.pop(name, None) for name in ("system", "prompt", "images"))
    message: Fields = {"role": "user", "content": prompt or ""}
    if images is not None and bytes(images) != b"null":
        message["images"] = images
    messages = [message]
    if system is not None and bytes(system) not in (b"null", b'""'):
        messages.insert(0, {"role": "system", "content": system})
    return {**kept, "messages": _raw(messages)}


# --- Messages -------------------------------------------------------------------------------------


class MessageReader:
    """Converts messages. Calls without ids get some, and results find their calls by the tool's
    name."""

    def __init__(self) -> None:
        self._count = 0
        self._open: list[tuple[str, str]] = []
        """Ids and names of calls without results yet."""

    def read(self, messages: list[Fields]) -> list[Fields]:
        return [self._convert(message) for message in messages]

    def _convert(self, message: Fields) -> Fields:
        role, text = str(message["role"]), str(message.get("content") or "")
        converted: Fields = {"role": role, "content": text}
        images = [_image(image) for image in message.get("images") or ()]
        if images:
            texts = [{"type": "text", "text": text}] if text else []
            converted["content"] = [*texts, *images]
        if message.get("thinking"):
            converted["reasoning_content"] = message["thinking"]
        if message.get("tool_calls"):
            converted["tool_calls"] = [self._call(call) for call in message["tool_calls"]]
            converted["content"] = converted["content"] or None
        if role == "tool":
            name = message.get("tool_name") or message.get("name") or ""
            converted["tool_call_id"] = self._id_of(str(message.get("tool_call_id") or ""), name)
        return converted

    def _call(self, call: Fields) -> Fields:
        function = call["function"]
        given = str(call.get("id") or f"call_{self._count}_{function['name']}"[:40])
        self._count += 1
        self._open.append((given, function["name"]))
        arguments = function.get("arguments") or {}
        text = arguments if isinstance(arguments, str) else _encode(arguments).decode()
        named = {"name": function["name"], "arguments": text}
        return {"id": given, "type": "function", "function": named}

    def _id_of(self, given: str, name: str) -> str:
        """The call with this id, else the first with this name, else the first."""
        waiting = self._open
        found = next((call for call in waiting if call[0] == given), None)
        found = found or next((call for call in waiting if call[1] == name), None)
        found = found or (waiting[0] if waiting else None)
        if found is None:
            return given or f"call_{name}"
        waiting.remove(found)
        return found[0]


def _image(data: str) -> Fields:
    """``data`` is bare base64; some clients send a data URL."""
    url = data
    if not data.startswith("data:"):
        types = (kind for start, kind in IMAGE_TYPES.items() if data.startswith(start))
        url = f"data:{next(types, 'image/png')};base64,{data}"
    return {"type": "image_url", "image_url": {"url": url}}


# --- Parameters -----------------------------------------------------------------------------------


def _parameters(given: Fields) -> tuple[Fields, list[Transformation]]:
    parameters: Fields = {}
    lost: list[Transformation] = []
    for name, value in given.items():
        if name == "options":
            _read_options(value, parameters, lost)
        elif name == "think":
            _read_thinking(value, parameters)
        elif name == "format":
            _read_format(value, parameters)
        elif name == "tools":
            parameters.update({"tools": value} if value else {})
        elif name in NEUTRAL and not value:
            continue
        elif name in PASSED_ON:
            parameters.update({name: value} if value else {})
        else:
            lost.append(Transformation("dropped", name, ONLY_OLLAMA))
    return parameters, lost


def _read_options(options: Fields, parameters: Fields, lost: list[Transformation]) -> None:
    for name, value in options.items():
        if name not in OPTIONS:
            lost.append(Transformation("dropped", f"options.{name}", ONLY_OLLAMA))
        elif value is not None and not (name == "num_predict" and value < 0):  # -1: no limit
            parameters[OPTIONS[name]] = value


def _read_thinking(think: bool | str, parameters: Fields) -> None:
    if think is True:
        parameters["reasoning"] = {"enabled": True}
    elif think in EFFORTS:
        parameters["reasoning_effort"] = "xhigh" if think == "max" else think
    elif think is False:
        parameters["reasoning_effort"] = "none"


def _read_format(wanted: str | Fields, parameters: Fields) -> None:
    if isinstance(wanted, dict):
        described = {"name": "response", "schema": wanted}
        parameters["response_format"] = {"type": "json_schema", "json_schema": described}
    elif wanted == "json":
        parameters["response_format"] = {"type": "json_object"}
