"""The requests and the provider's responses, the same for every gateway."""

from __future__ import annotations

import json
from typing import Any

KEY = "sk-bench-0123456789abcdefghijklmnopqrstuvwxyz"
"""The gateway key: authentication is on for every gateway that supports it."""

MODEL = "gpt-4o-mini"
TEXT = (
    "Hello! I am a virtual assistant here to help with any questions or tasks you may have. "
    "How can I assist you today?"
)
USAGE = {"prompt_tokens": 12, "completion_tokens": 26, "total_tokens": 38}
TOKENS = [*(word + " " for word in TEXT.split(" ")[:-1]), "today", "?"]
"""24 tokens: with the role, the finish, the usage and [DONE], 28 events."""
LONG = TOKENS * 12
"""A page of text: 292 events."""


def dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def chat(model: str, stream: bool = False, **more: Any) -> bytes:
    """The body of POST /v1/chat/completions."""
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Hello! Who are you?"},
    ]
    given = {"model": model, "messages": messages, "temperature": 1, "max_tokens": 2048, **more}
    return dump({**given, "stream": True} if stream else given)


def engine(stream: bool = False, **more: Any) -> bytes:
    """The body of POST /api/engine/chat/{provider}."""
    given = {"model": MODEL, "chat_input": "Hello! Who are you?", "is_stream": stream}
    return dump({**given, "parameters": {"temperature": 1}, **more})


def whole_answer() -> bytes:
    message = {"role": "assistant", "content": TEXT}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    details = {
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    return dump({**_head("chat.completion"), "choices": [choice], "usage": {**USAGE, **details}})


def events(tokens: list[str]) -> list[bytes]:
    """The events of a streamed response."""
    deltas = [{"role": "assistant", "content": ""}, *({"content": token} for token in tokens)]
    rows = [_chunk(delta) for delta in deltas]
    last = {**_head("chat.completion.chunk"), "choices": [], "usage": USAGE}
    rows += [_chunk({}, "stop"), last]
    return [*(b"data: " + dump(row) + b"\n\n" for row in rows), b"data: [DONE]\n\n"]


def _head(kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-abc123",
        "object": kind,
        "created": 1718622757,
        "model": MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
    }


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {**_head("chat.completion.chunk"), "choices": [choice], "usage": None}
