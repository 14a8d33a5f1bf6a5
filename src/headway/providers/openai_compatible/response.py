"""Answers that no reader of OpenAI's wire would make out, set right before it sees them."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from headway.providers.openai import provider as openai
from headway.types import Event

_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
PARSED = re.compile(rb'"content":\s*\{')


def parsed_content(body: bytes) -> list[Event] | None:
    """Cloudflare's content in JSON mode may be the object itself instead of its text
    (cloudflare/ai, packages/tanstack-ai). None where it is text, which is nearly always."""
    if PARSED.search(body) is None:
        return None
    answer = _any(body)
    messages = [choice.get("message") for choice in answer.get("choices") or ()]
    parsed = [one for one in messages if one and isinstance(one.get("content"), dict)]
    for message in parsed:
        message["content"] = _text(message["content"])
    return openai.decode_response(_encode(answer)) if parsed else None


def _text(content: Any) -> str:
    return _encode(content).decode()
