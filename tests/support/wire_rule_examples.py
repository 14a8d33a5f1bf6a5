"""An example of each subject of the table of wire rules, as a request in OpenAI's format, and what
of it a provider's request shows where the subject is allowed."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from headway.types import ChatRequest
from support.adapter_requests import chat

HI: dict[str, Any] = {"role": "user", "content": "Hi"}


class Example(Struct, frozen=True, kw_only=True):
    messages: tuple[dict[str, Any], ...] = (HI,)
    parameters: dict[str, Any] = {}
    sent: str
    """A part of the body's JSON, without spaces between tokens, where the subject is allowed."""
    unsent: str = ""
    """A part of the body's JSON that a mended request lacks; by default ``sent``."""

    def request(self, model: str) -> ChatRequest:
        return chat(model, list(self.messages), **self.parameters)


def text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


EXAMPLES: dict[str, Example] = {
    "blank_text": Example(messages=(user(" \n"),), sent='" \\n"'),
    "blank_text_part": Example(
        messages=(user([text("Hi"), text("\t\t")]),), sent='\\t\\t"', unsent='"\\t\\t"'
    ),
    "trailing_whitespace": Example(
        messages=(HI, assistant("Answer: \n")), sent='"Answer: \\n"', unsent='"Answer: \\n"}'
    ),
    "prefill": Example(
        messages=(HI, assistant("Answer:")), sent='"Answer:"', unsent='"Answer:"}]}]'
    ),
    "text_parts": Example(
        messages=(user([text("one "), text("two")]),), sent='"one ', unsent='"one "'
    ),
    "blank_stop": Example(parameters={"stop": "\n"}, sent='"\\n"'),
    "empty_stop": Example(parameters={"stop": ""}, sent='""'),
    "many_stops": Example(parameters={"stop": list("abcdef")}, sent='"f"'),
}
