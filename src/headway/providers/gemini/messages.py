"""OpenAI's messages as Google's contents: roles user and model, parts, and one system instruction.

A function response has the function's name, which OpenAI's tool message lacks: the name comes from
the call with the same id. Responses to parallel calls are in one content, as the API requires, and
in the order of the calls: without ids, only the order assigns a response to its call.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import msgspec

from headway.providers.chat_messages import ImageUrl, Message, ToolCall
from headway.providers.gemini.content_blocks import GENERATED_CALL_ID
from headway.providers.gemini.media import CONVERTERS, convert_part
from headway.providers.gemini.models import requires_signatures, supports_tool_media
from headway.providers.gemini.thought_signatures import (
    SKIP_VALIDATION,
    call_signatures,
    calls_of,
    details_of,
    lacks_signature,
    replayed_parts,
    sign,
)
from headway.providers.transformations import dropped, emulated
from headway.types import Transformation

SYSTEM_ROLES = ("system", "developer")
TOOL_ROLES = ("tool", "function")
INLINE = "inlineData"
"""The only media that may be inside a function response (FunctionResponsePart)."""
UNSUPPORTED = "unsupported by Gemini"
NO_CACHE_MARKERS = f"{UNSUPPORTED}, which caches implicitly"

Fields = dict[str, Any]
_decode_arguments = msgspec.json.Decoder(dict[str, Any]).decode
_decode_any = msgspec.json.Decoder().decode


class MessageConverter:
    """Builds ``system`` (parts of the system instruction) and ``contents`` message by message.
    ``has_call_ids``: the API knows ids of function calls."""

    def __init__(self, model: str, has_call_ids: bool) -> None:
        self.system: list[Fields] = []
        self.contents: list[Fields] = []
        self._has_call_ids = has_call_ids
        self._has_tool_media = supports_tool_media(model)
        self._requires_signatures = requires_signatures(model)
        self._calls: dict[str, tuple[int, str]] = {}
        """By id: the call's position among all calls, and its function's name."""
        self._call_count = 0
        self._responses: list[Fields] | None = None
        """The parts of the content that collects the responses to the last calls."""
        self._positions: list[int] = []
        """Positions of the calls whose results are in ``_responses``."""
        self._following: list[Fields] | None = None
        """The parts of the next content: media that may not be inside a function response."""

    def add(self, messages: list[Message]) -> None:
        turn = current_turn(messages)
        for position, message in enumerate(messages):
            if message.role in SYSTEM_ROLES:
                self.system += _parts(message)
            elif message.role in TOOL_ROLES:
                self._add_response(message)
            elif message.role == "assistant":
                needs_signature = self._requires_signatures and position >= turn
                self._add_content("model", self._assistant_parts(message, needs_signature))
            else:
                self._add_content("user", _parts(message))

    def _add_content(self, role: str, parts: list[Fields]) -> None:
        """Adjacent contents of the model become one: a function call is an error behind another
        content of the model."""
        self._responses = self._following = None
        if parts and role == "model" and self.contents and self.contents[-1]["role"] == role:
            self.contents[-1]["parts"] += parts
        elif parts:
            self.contents.append({"role": role, "parts": parts})

    def _add_response(self, message: Message) -> None:
        if self._responses is None:
            self._responses, self._positions = self._add_user_content(), []
        media = _media(message)
        inside = [part for part in media if self._has_tool_media and INLINE in part]
        position = self._calls.get(message.tool_call_id or "", (self._call_count, ""))[0]
        place = bisect_right(self._positions, position)
        self._positions.insert(place, position)
        self._responses.insert(place, {"functionResponse": self._response(message, inside)})
        if len(inside) < len(media):
            if self._following is None:
                self._following = self._add_user_content()
            self._following += [part for part in media if part not in inside]

    def _add_user_content(self) -> list[Fields]:
        parts: list[Fields] = []
        self.contents.append({"role": "user", "parts": parts})
        return parts

    def _response(self, message: Message, media: list[Fields]) -> Fields:
        call_id = message.tool_call_id or ""
        name = self._calls.get(call_id, (0, ""))[1] or message.name or call_id
        response: Fields = {"name": name, "response": _response_object(message)}
        if self._is_known_id(call_id):
            response["id"] = call_id
        return {**response, "parts": media} if media else response

    def _is_known_id(self, call_id: str) -> bool:
        """False for an id that the gateway made."""
        return self._has_call_ids and bool(call_id) and GENERATED_CALL_ID.fullmatch(call_id) is None

    def _assistant_parts(self, message: Message, needs_signature: bool) -> list[Fields]:
        texts = _parts(message)
        if message.refusal and not texts:
            texts = [{"text": message.refusal}]
        parts = replayed_parts(message, texts)
        signatures = call_signatures(message)
        for position, call in enumerate(calls_of(message)):
            signature = signatures[position]
            if signature is None and needs_signature and position == 0:
                signature = SKIP_VALIDATION
            parts.append(sign(self._function_call(call), signature))
        return parts

    def _function_call(self, call: ToolCall) -> Fields:
        function = call.function
        self._calls[call.id] = (self._call_count, function.name)
        self._call_count += 1
        fields: Fields = {
            "name": function.name,
            "args": _decode_arguments(function.arguments or "{}"),
        }
        if self._is_known_id(call.id):
            fields["id"] = call.id
        return {"functionCall": fields}


def current_turn(messages: list[Message]) -> int:
    """The index of the first message of the current turn: after the last message of the user."""
    users = [i for i, message in enumerate(messages) if message.role == "user"]
    return users[-1] + 1 if users else 0


def _parts(message: Message) -> list[Fields]:
    return [part for part in map(convert_part, message.parts) if part is not None]


def _media(message: Message) -> list[Fields]:
    return [part for part in _parts(message) if "text" not in part]


def _response_object(message: Message) -> Fields:
    """A function response is an object: another value goes under ``output``, an error under
    ``error`` (FunctionResponse in the API's reference)."""
    value = _parsed(message.text)
    if message.is_error:
        return value if isinstance(value, dict) and "error" in value else {"error": value}
    return value if isinstance(value, dict) else {"output": value}


def _parsed(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return _decode_any(text)
    except (msgspec.DecodeError, RecursionError):  # RecursionError: nested too deep
        return text


# --- What does not reach the model, or in another form --------------------------------------------


def unsupported_content(messages: list[Message], model: str) -> Iterator[Transformation]:
    """The transformations of content that does not reach the model, or in another form; some
    repeat."""
    for message in messages:
        yield from _dropped_fields(message)
    roles = [message.role in SYSTEM_ROLES for message in messages]
    if sorted(roles, reverse=True) != roles:
        yield emulated("messages", "by sending system messages first")
    turn = messages[current_turn(messages) :]
    if requires_signatures(model) and any(lacks_signature(message) for message in turn):
        yield emulated("messages[].tool_calls", "by skipping the check of thought signatures")
    for message in messages:
        if message.role in TOOL_ROLES and not _fits_inside(message, supports_tool_media(model)):
            yield emulated("messages[].content", "by sending media of tool results after them")


def _dropped_fields(message: Message) -> Iterator[Transformation]:
    if message.cache_control is not None or any(part.cache_control for part in message.parts):
        yield dropped("cache_control", NO_CACHE_MARKERS)
    if message.name is not None and message.role not in TOOL_ROLES:
        yield dropped("messages[].name", UNSUPPORTED)
    if message.reasoning_content and not details_of(message):
        yield dropped("messages[].reasoning_content", "not signed by Google")
    for part in message.parts:
        if part.type not in CONVERTERS:
            yield dropped("messages[].content", f"unsupported type {part.type}")
        if isinstance(part.image_url, ImageUrl) and part.image_url.detail not in (None, "auto"):
            reason = f"{UNSUPPORTED}, which has one mediaResolution for all images"
            yield dropped("messages[].content[].image_url.detail", reason)


def _fits_inside(message: Message, has_tool_media: bool) -> bool:
    """Whether the function response can have all media of the tool's result inside."""
    return all(has_tool_media and INLINE in part for part in _media(message))
