"""OpenAI's messages as Google's contents: roles user and model, parts, and one system instruction.

A function's response names its function, which OpenAI's tool message does not: the name comes from
the call that has its id. Responses to parallel calls stand in one content, as the API wants it,
and in the order of the calls: where ids are not shown, nothing else tells whose they are.
Thought signatures go back where they were (ai.google.dev/gemini-api/docs/thought-signatures).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import msgspec

from headway.providers.chat_messages import Message, ToolCall
from headway.providers.gemini.media import part_of
from headway.providers.gemini.response import SYNTHETIC
from headway.providers.gemini.wire_types import FORMAT

SYSTEM = ("system", "developer")
TOOL = ("tool", "function")
UNCHECKED = "skip_thought_signature_validator"
"""The signature that Google documents for calls that have none, from other models or by hand."""
ONLY_TEXT = {"text": ""}
INLINE = "inlineData"
"""Of media, what may stand inside a function's response (FunctionResponsePart)."""

Part = dict[str, Any]
_object = msgspec.json.Decoder(dict[str, Any]).decode
_any = msgspec.json.Decoder().decode


class Contents:
    """Built up message by message. ``has_ids``: the API knows ids of function calls;
    ``has_tool_media``: media may stand inside a function's response; ``wants_signatures``: a call
    of the current turn without its signature would be refused."""

    def __init__(self, has_ids: bool, has_tool_media: bool, wants_signatures: bool) -> None:
        self.system: list[Part] = []
        self.contents: list[Part] = []
        self._has_ids = has_ids
        self._has_tool_media = has_tool_media
        self._wants_signatures = wants_signatures
        self._names: dict[str, str] = {}
        self._ranks: dict[str, int] = {}
        """How many calls were made before the one with this id."""
        self._made = 0
        self._responses: list[Part] | None = None
        """The parts of the content that gathers the responses to the last calls."""
        self._taken: list[int] = []
        """The ranks of the calls that they answer."""
        self._beside: list[Part] | None = None
        """The parts of the content behind that one: media that cannot stand in a response."""

    def add(self, messages: list[Message]) -> None:
        turn = current_turn(messages)
        for position, message in enumerate(messages):
            if message.role in SYSTEM:
                self.system += _parts(message)
            elif message.role in TOOL:
                self._add_response(message)
            elif message.role == "assistant":
                needs_signature = self._wants_signatures and position >= turn
                self._add_content("model", self._spoken(message, needs_signature))
            else:
                self._add_content("user", _parts(message))

    def _add_content(self, role: str, parts: list[Part]) -> None:
        self._responses = self._beside = None
        if parts:
            self.contents.append({"role": role, "parts": parts})

    def _add_response(self, message: Message) -> None:
        if self._responses is None:
            self._responses, self._taken = self._open(), []
        media = _media(message)
        inside = [part for part in media if self._has_tool_media and INLINE in part]
        rank = self._ranks.get(message.tool_call_id or "", self._made)
        place = bisect_right(self._taken, rank)
        self._taken.insert(place, rank)
        self._responses.insert(place, {"functionResponse": self._response(message, inside)})
        if len(inside) < len(media):
            if self._beside is None:
                self._beside = self._open()
            self._beside += [part for part in media if part not in inside]

    def _open(self) -> list[Part]:
        parts: list[Part] = []
        self.contents.append({"role": "user", "parts": parts})
        return parts

    def _response(self, message: Message, media: list[Part]) -> Part:
        call_id = message.tool_call_id or ""
        name = self._names.get(call_id) or message.name or call_id
        response: Part = {"name": name, "response": _output(message)}
        if self._shows_id(call_id):
            response["id"] = call_id
        return {**response, "parts": media} if media else response

    def _shows_id(self, call_id: str) -> bool:
        """Ids that we made up mean nothing there."""
        return self._has_ids and bool(call_id) and SYNTHETIC.fullmatch(call_id) is None

    def _spoken(self, message: Message, needs_signature: bool) -> list[Part]:
        details = [d for d in message.reasoning_details or () if d.get("format") == FORMAT]
        loose = [d for d in details if not d.get("id")]
        parts = [*_thoughts(loose), *_texts(message, loose), *_images(message, loose)]
        signatures = {d["id"]: d.get("data") for d in details if d.get("id")}
        for position, call in enumerate(_calls(message)):
            signature = signatures.get(call.id) or signature_beside(call)
            if signature is None and needs_signature and position == 0:
                signature = UNCHECKED
            parts.append(self._call(call, signature))
        return parts

    def _call(self, call: ToolCall, signature: str | None) -> Part:
        function = call.function
        self._names[call.id] = function.name
        self._ranks[call.id] = self._made
        self._made += 1
        said: Part = {"name": function.name, "args": _object(function.arguments or "{}")}
        if self._shows_id(call.id):
            said["id"] = call.id
        return _signed({"functionCall": said}, signature)


def current_turn(messages: list[Message]) -> int:
    """Where the turn that goes on begins: behind the last thing that the user said."""
    users = [i for i, message in enumerate(messages) if message.role == "user"]
    return users[-1] + 1 if users else 0


def lacks_signature(message: Message) -> bool:
    """Whether its first call, the one that the API checks, has no signature of Google's."""
    calls = _calls(message)
    if message.role != "assistant" or not calls or signature_beside(calls[0]):
        return False
    details = message.reasoning_details or ()
    return not any(d.get("format") == FORMAT and d.get("id") == calls[0].id for d in details)


def has_thoughts(message: Message) -> bool:
    return any(detail.get("format") == FORMAT for detail in message.reasoning_details or ())


def stands_inside(message: Message, has_tool_media: bool) -> bool:
    """Whether a function's response can have all media of its result inside."""
    return all(has_tool_media and INLINE in part for part in _media(message))


def signature_beside(call: ToolCall) -> str | None:
    """Where Google's own OpenAI-compatible API puts it: extra_content.google.thought_signature."""
    extra = call.extra_content
    google = extra.get("google") if isinstance(extra, dict) else None
    return google.get("thought_signature") if isinstance(google, dict) else None


def _calls(message: Message) -> list[ToolCall]:
    legacy = [] if message.function_call is None else [ToolCall("", message.function_call)]
    return [*(message.tool_calls or ()), *legacy]


def _parts(message: Message) -> list[Part]:
    return [part for part in map(part_of, message.parts) if part is not None]


def _media(message: Message) -> list[Part]:
    return [part for part in _parts(message) if "text" not in part]


def _thoughts(loose: list[dict[str, Any]]) -> Iterator[Part]:
    """Signed thoughts, and what tools on Google's side left: before the text."""
    for detail in loose:
        kept = detail.get("part")
        if detail.get("type") == "reasoning.text" and detail.get("signature"):
            thought = {"text": detail.get("text") or "", "thought": True}
            yield _signed(thought, detail["signature"])
        elif isinstance(kept, dict) and kept != ONLY_TEXT and "image" not in kept:
            yield _signed(kept, detail.get("data"))


def _texts(message: Message, loose: list[dict[str, Any]]) -> list[Part]:
    """The text, with the signature that it had; one that came alone goes back alone, and so does
    every further one of a text that came in several parts."""
    parts = _parts(message)
    if message.refusal and not parts:
        parts = [{"text": message.refusal}]
    for detail in loose:
        if detail.get("type") != "reasoning.encrypted" or not detail.get("data"):
            continue
        kept = detail.get("part")
        if kept is None and parts and "thoughtSignature" not in parts[-1]:
            parts[-1] = _signed(parts[-1], detail["data"])
        elif kept in (None, ONLY_TEXT):
            parts.append(_signed(ONLY_TEXT, detail["data"]))
    return parts


def _images(message: Message, loose: list[dict[str, Any]]) -> Iterator[Part]:
    """Pictures that the model made, each with the signature that it had: behind the text."""
    kept = [(detail.get("part"), detail.get("data")) for detail in loose]
    signatures = {part["image"]: data for part, data in kept if part and "image" in part}
    for position, image in enumerate(message.images or ()):
        part = part_of(image)
        if part is not None:
            yield _signed(part, signatures.get(position))


def _signed(part: Part, signature: str | None) -> Part:
    return {**part, "thoughtSignature": signature} if signature else part


def _output(message: Message) -> dict[str, Any]:
    """A function's response is an object: what is none goes under ``output``, a failure under
    ``error`` (FunctionResponse in the API's reference)."""
    value = _parsed(message.text)
    if message.is_error:
        return value if isinstance(value, dict) and "error" in value else {"error": value}
    return value if isinstance(value, dict) else {"output": value}


def _parsed(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return _any(text)
    except (msgspec.DecodeError, RecursionError):  # nested without end is text, too
        return text
