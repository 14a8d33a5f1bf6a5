"""What the examples share."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

HELLO = "Hello! Who are you?"
ANSWER = (
    "Hello! I am a virtual assistant here to help with any questions or tasks you may have. "
    "How can I assist you today?"
)
CONTEXT = [{"role": "user", "content": HELLO}]
DEFAULTS = {
    "temperature": 1,
    "max_tokens": 2048,
    "top_p": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
}
ID = "72f34d3b-f254-4950-9d6f-9f66e082fd2f"
MODEL = "gpt-3.5-turbo"
PROVIDER = "openai"


class Example(Struct, frozen=True):
    """One value of a body, under the title that readers pick it by."""

    title: str
    value: Any


def new_choice(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    """A choice of a chunk."""
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
