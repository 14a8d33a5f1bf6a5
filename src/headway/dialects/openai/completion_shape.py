"""The shapes of OpenAI's legacy completions (platform.openai.com/docs/api-reference/completions/
object): what may be passed through, and chat completions' values in them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from headway.dialects.openai.standard_shape import Object, StandardUsage
from headway.wire.json_repair import is_utf8
from headway.wire.lenient_json import Position, Seconds

TextReason = Literal["stop", "length", "content_filter"]
REASONS = ("stop", "length", "content_filter")


class TextChunkChoice(Struct, gc=False):
    text: str
    index: Position
    finish_reason: TextReason | None = None
    logprobs: Object | None = None


class TextChoice(TextChunkChoice, kw_only=True, gc=False):
    finish_reason: TextReason


class TextHead(Struct, gc=False):
    id: str
    object: Literal["text_completion"]
    created: Seconds
    model: str
    usage: StandardUsage | None = None


class TextChunk(TextHead, kw_only=True, gc=False):
    choices: list[TextChunkChoice]


class TextCompletion(TextHead, kw_only=True, gc=False):
    choices: list[TextChoice]


_decode_chunk = msgspec.json.Decoder(TextChunk).decode
_decode_completion = msgspec.json.Decoder(TextCompletion).decode


def read_standard_chunk(data: bytes) -> TextChunk | None:
    """None for a chunk of another shape, and for data that is not JSON in UTF-8."""
    try:
        return _decode_chunk(data) if is_utf8(data) else None
    except (msgspec.DecodeError, RecursionError):
        return None


def is_standard_completion(body: bytes) -> bool:
    try:
        _decode_completion(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def text_finish_reason(reason: str | None) -> str | None:
    """A completion has no tools to call."""
    return reason if reason is None or reason in REASONS else "stop"


class TextLogprobs:
    """Converts the ``logprobs`` of one choice, which come in pieces. ``offset``: characters before
    the first token."""

    def __init__(self, offset: int = 0) -> None:
        self._offset = offset

    def convert(self, logprobs: Any) -> Any:
        """Those of chat completions in the older shape; any other as they are."""
        tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
        if tokens is None:
            return None if isinstance(logprobs, dict) and "content" in logprobs else logprobs
        offsets = []
        for token in tokens:
            offsets.append(self._offset)
            self._offset += len(token["token"])
        return {
            "tokens": [token["token"] for token in tokens],
            "token_logprobs": [token["logprob"] for token in tokens],
            "top_logprobs": [_top(token) for token in tokens],
            "text_offset": offsets,
        }


def _top(token: Any) -> dict[str, Any] | None:
    found = token.get("top_logprobs")
    return {each["token"]: each["logprob"] for each in found} if found else None
