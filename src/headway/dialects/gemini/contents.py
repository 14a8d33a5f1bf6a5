"""Google's contents (ai.google.dev/api/caching#Content) as OpenAI's messages.

Function calls and their responses may have ids or none, or the same id twice: each call gets an id
of its own here, and each response that of the first call that it can belong to. Signatures become
``reasoning_details``: Google's own in the form in which the gateway's adapters write and read them,
those that the gateway made as what is sealed in them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from headway.dialects.gemini.media import MEDIA, convert_media
from headway.dialects.gemini.names import Fields, read_list, read_object
from headway.types import Transformation
from headway.wire.sealed_reasoning import is_sealed, unseal

FORMAT = "google-gemini-v1"
"""The ``format`` of Google's ``reasoning_details``, as OpenRouter names it."""
SERVER_TOOL_FIELDS = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
"""Fields of parts that only Google's server-side tools use."""
IGNORED = ("videoMetadata", "mediaResolution", "partMetadata")
ONLY_GOOGLE = "only Google has it"

_encode = msgspec.json.Encoder().encode


class Call(NamedTuple):
    """A function call without its response yet."""

    given: str
    """The client's id; empty if it gave none."""
    name: str
    id: str


class ContentReader:
    """Collects the messages of a conversation, and the transformations that lose something."""

    def __init__(self) -> None:
        self.messages: list[Fields] = []
        self.transformations: dict[Transformation, None] = {}
        self._ids: set[str] = set()
        self._open: list[Call] = []
        self._images: list[Fields] = []
        """Images that the model made, for the next message of the user."""
        self._answer: _Answer | None = None
        """The last message, if it is the model's."""

    def add_system(self, instruction: Any) -> None:
        """``instruction`` is a content; some clients send a text."""
        parts = (
            [{"text": instruction}]
            if isinstance(instruction, str)
            else _parts(read_object(instruction))
        )
        texts = [{"type": "text", "text": part["text"]} for part in parts if part.get("text")]
        if len(texts) < len(parts):
            self._note("systemInstruction.parts", "no provider but Google takes more than texts")
        if texts:
            self.messages.append({"role": "system", "content": _joined(texts)})

    def add(self, contents: Any) -> None:
        """Raises LookupError, TypeError and ValueError for what is not in Google's format."""
        for content in read_list(contents):
            fields = read_object({"text": content} if isinstance(content, str) else content)
            parts = [fields] if "text" in fields else _parts(fields)
            if fields.get("role") == "model":
                self._add_answer(parts)
            else:
                self._add_user(parts)

    def _note(self, path: str, reason: str) -> None:
        self.transformations[Transformation("dropped", path, reason)] = None

    # --- Of the user, and of tools ----------------------------------------------------------------

    def _add_user(self, parts: list[Fields]) -> None:
        self._answer = None
        content, self._images = self._images, []
        for part in parts:
            if "functionResponse" in part:
                self._add_response(read_object(part["functionResponse"]))
            else:
                content += self._convert(part)
        if content:
            self.messages.append({"role": "user", "content": _joined(content)})

    def _convert(self, part: Fields) -> list[Fields]:
        for name in IGNORED:
            if name in part:
                self._note(f"contents[].parts[].{name}", ONLY_GOOGLE)
        if "text" in part:
            return [{"type": "text", "text": part["text"]}] if part["text"] else []
        media = convert_media(part)
        if media is not None:
            return [media]
        self._note(f"contents[].parts[].{next(iter(part), '')}", ONLY_GOOGLE)
        return []

    def _add_response(self, response: Fields) -> None:
        call = self._call_of(str(response.get("id") or ""), str(response.get("name") or ""))
        value, is_error = _output(response.get("response"))
        text = value if isinstance(value, str) else _encode(value).decode()
        message: Fields = {"role": "tool", "tool_call_id": call.id, "content": text}
        media = [each for part in _parts(response) for each in self._convert(part)]
        if media:
            message["content"] = [{"type": "text", "text": text}, *media]
        if is_error:
            message["is_error"] = True
        for name in ("scheduling", "willContinue"):
            if name in response:
                self._note(f"contents[].parts[].functionResponse.{name}", ONLY_GOOGLE)
        self.messages.append(message)

    def _call_of(self, given: str, name: str) -> Call:
        """The first call without a response that has this id, else this name, else the first."""
        waiting = self._open
        found = next((call for call in waiting if given and call.given == given), None)
        found = found or next((call for call in waiting if name and call.name == name), None)
        found = found or (waiting[0] if waiting else None)
        if found is None:
            return self._new_call(given, name)
        waiting.remove(found)
        return found

    def _new_call(self, given: str, name: str) -> Call:
        call_id = given
        if not call_id or call_id in self._ids:
            call_id = f"call_{len(self._ids)}_{given or name}"[:40]
            while call_id in self._ids:
                call_id = f"call_{len(self._ids)}_{call_id}"[:40]
        self._ids.add(call_id)
        return Call(given, name, call_id)

    # --- Of the model -----------------------------------------------------------------------------

    def _add_answer(self, parts: list[Fields]) -> None:
        """Clients keep each piece of a stream as a content: together they are one message."""
        if self._answer is None:
            self._answer = _Answer()
            self.messages.append({})
        answer = self._answer
        for part in parts:
            signature = str(part.pop("thoughtSignature", None) or "")
            call_id = None
            if "functionCall" in part:
                call_id = self._add_call(read_object(part["functionCall"]), answer)
            elif part.get("thought"):
                answer.thoughts.append(str(part.get("text") or ""))
            elif any(name in part for name in SERVER_TOOL_FIELDS):
                answer.texts += self._as_text(part)
            elif any(name in part for name in MEDIA):
                self._add_image(part)
            else:
                answer.texts += self._convert(part)
            answer.add_signature(signature, part, call_id)
        self.messages[-1] = answer.message()

    def _add_call(self, call: Fields, answer: _Answer) -> str:
        found = self._new_call(str(call.get("id") or ""), str(call["name"]))
        self._open.append(found)
        arguments = _encode(call.get("args") or {}).decode()
        function = {"name": found.name, "arguments": arguments}
        answer.calls.append({"id": found.id, "type": "function", "function": function})
        return found.id

    def _as_text(self, part: Fields) -> list[Fields]:
        """What Google's own tools did, for a model of another provider."""
        path = "contents[].parts"
        method = "the traces of server-side tools as text"
        self.transformations[Transformation("emulated", path, method)] = None
        code = read_object(part.get("executableCode")).get("code")
        output = read_object(part.get("codeExecutionResult")).get("output")
        text = f"\n```\n{code}\n```\n" if code else output or ""
        return [{"type": "text", "text": str(text)}] if text else []

    def _add_image(self, part: Fields) -> None:
        """OpenAI's format has images in messages of the user only."""
        found = [each for each in self._convert(part) if each["type"] == "image_url"]
        if found:
            method = "images of the model in the next message of the user"
            self.transformations[Transformation("emulated", "contents[].parts", method)] = None
            self._images += found
        else:
            self._note("contents[].parts[].inlineData", "an answer can have images only")


class _Answer:
    """The parts of one message of the model."""

    def __init__(self) -> None:
        self.texts: list[Fields] = []
        self.thoughts: list[str] = []
        self.calls: list[Fields] = []
        self.details: list[Fields] = []

    def add_signature(self, signature: str, part: Fields, call_id: str | None) -> None:
        """``part`` is without it; ``call_id`` is that of its function call."""
        if is_sealed(signature):
            sealed = unseal(signature)
            self.details += sealed.details
            self.thoughts += [sealed.text] if sealed.text else []
            return
        kept = {name: part[name] for name in SERVER_TOOL_FIELDS if name in part}
        if not signature and not kept:
            return
        if part.get("thought"):
            text = part.get("text") or ""
            detail = {"type": "reasoning.text", "text": text, "signature": signature}
        else:
            detail = {"type": "reasoning.encrypted", "data": signature}
        detail["format"] = FORMAT
        if call_id is not None:
            detail["id"] = call_id
        elif kept or part.get("text") == "":
            detail["part"] = kept or {"text": ""}
        self.details.append(detail)

    def message(self) -> Fields:
        text = "".join(part["text"] for part in self.texts)
        content = None if self.calls and not text else text
        found: Fields = {"role": "assistant", "content": content}
        if self.thoughts:
            found["reasoning_content"] = "".join(self.thoughts)
        if self.details:
            found["reasoning_details"] = self.details
        if self.calls:
            found["tool_calls"] = self.calls
        return found


def _parts(holder: Fields) -> list[Fields]:
    return [
        {"text": part} if isinstance(part, str) else read_object(part)
        for part in read_list(holder.get("parts"))
    ]


def _joined(parts: list[Fields]) -> Any:
    """One text as a text, which every provider takes; anything else as a list of parts."""
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _output(response: Any) -> tuple[Any, bool]:
    """The value of a function's response, and whether it is an error: its only key may say so
    (FunctionResponse in the API's reference)."""
    if isinstance(response, dict) and len(response) == 1:
        [(name, value)] = response.items()
        if name in ("output", "error"):
            return value, name == "error"
    return response if response is not None else {}, False
