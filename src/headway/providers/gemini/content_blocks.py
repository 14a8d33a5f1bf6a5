"""The parts of a response's content as events (Part in ai.google.dev/api/caching).

Fields of a part that only Google's server-side tools use are not read here but kept for the next
turn: see ``thought_signatures``.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import Any

from msgspec import Raw, Struct

from headway.events import Event, ExtraFields, Reasoning
from headway.providers.tool_calls import ToolCalls
from headway.providers.tool_rules import original_name
from headway.types import NO_RAW

GENERATED_CALL_ID = re.compile(r"call_\d+_[\w-]*")
"""Ids of tool calls that ``_read_call`` makes. Google's own have one underscore
(``call_3257537``)."""


class GeminiFunctionCall(Struct):
    name: str | None = None
    args: Raw = NO_RAW
    id: str | int | float | None = None


class Blob(Struct, rename="camel"):
    mime_type: str = ""
    data: str = ""


class GeminiPart(Struct, rename="camel"):
    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: GeminiFunctionCall | None = None
    inline_data: Blob | None = None
    executable_code: Any = None
    code_execution_result: Any = None
    tool_call: Any = None
    tool_response: Any = None


class CandidateState:
    """What one response has brought of one candidate so far."""

    __slots__ = (
        "annotations",
        "audio",
        "calls",
        "finish_name",
        "images",
        "last_end",
        "texts",
    )  # fmt: skip

    def __init__(self, index: int = 0) -> None:
        self.calls = ToolCalls(index)
        self.images = 0
        self.audio = b""
        """Bytes of audio that are not sent yet: fewer than three."""
        self.finish_name = ""
        """The name of its finish reason; empty before it has one."""
        self.last_end: tuple[str, bool] | None = None
        """The last reason that became an event, and whether there were tool calls then."""
        self.texts: list[str] = []
        """For citations: they come at the end, and their offsets count from the start."""
        self.annotations: set[Any] = set()
        """Keys of the annotations that are sent."""


def read_part(
    part: GeminiPart, index: int, state: CandidateState, response_id: str, events: list[Event]
) -> tuple[str | None, int | None]:
    """Add the events of all but plain text, which the caller reads first because most parts have
    nothing else. Returns the part's tool call id, and the position of its image among the images
    of the candidate."""
    if part.thought and part.text:
        events.append(Reasoning(part.text, index))
    call_id = image = None
    if part.function_call is not None:
        call_id = _read_call(part.function_call, state, response_id, events)
    if part.inline_data is not None:
        media = _read_media(part.inline_data, state)
        if "images" in media:
            image, state.images = state.images, state.images + 1
        events.append(ExtraFields(media, index))
    return call_id, image


def _read_call(
    call: GeminiFunctionCall, state: CandidateState, response_id: str, events: list[Event]
) -> str | None:
    name = original_name(call.name or "")
    made = f"call_{state.calls.count}_{response_id}" if name and response_id else None
    state.calls.seed = bytes(call.args).decode()
    return state.calls.add_whole(call.id or made, name, call.args, events)


def _read_media(blob: Blob, state: CandidateState) -> dict[str, Any]:
    """Message fields: ``audio`` in OpenAI's shape, ``images`` in OpenRouter's."""
    if blob.mime_type.startswith("audio/"):
        data = _aligned_base64(blob.data, state)
        return {"audio": {"data": data, "format": blob.mime_type.removeprefix("audio/")}}
    url = f"data:{blob.mime_type};base64,{blob.data}"
    return {"images": [{"type": "image_url", "image_url": {"url": url}}]}


def _aligned_base64(data: str, state: CandidateState) -> str:
    """Audio comes in pieces, each padded, and clients join them into one base64 text. Padding in
    its middle would break it: bytes that do not fill a group of three wait for the next piece."""
    if not state.audio and not data.endswith("="):
        return data
    audio = state.audio + b64decode(data)
    aligned = len(audio) - len(audio) % 3
    state.audio = audio[aligned:]
    return b64encode(audio[:aligned]).decode()


def remaining_audio(state: CandidateState, index: int) -> list[Event]:
    """The event with the last bytes of audio, if any wait. They wait no longer then."""
    if not state.audio:
        return []
    audio, state.audio = state.audio, b""
    return [ExtraFields({"audio": {"data": b64encode(audio).decode()}}, index)]
