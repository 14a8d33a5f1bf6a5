"""Instructions in the system prompt, which emulate parameters that a model does not support."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

JSON_OBJECT = "Answer with one JSON object and nothing else: no Markdown fence, no text around it."
JSON_SCHEMA = (
    "Answer with JSON that is valid against this JSON schema and with nothing else: no Markdown"
    " fence, no text around it.\n"
)
AS_INSTRUCTION = "as an instruction in the system prompt"
"""The reason of an ``emulated`` transformation."""

_encode = msgspec.json.Encoder().encode
_raws = msgspec.json.Decoder(list[Raw]).decode


def schema_instruction(schema: Any) -> str:
    return JSON_SCHEMA + _encode(schema).decode()


def append_system_messages(messages: Raw, instructions: Sequence[str]) -> Raw:
    """``messages`` with a system message at the end for each instruction. Wires that move system
    messages into one system prompt keep their order, so the instructions end that prompt."""
    if not instructions:
        return messages
    added = [Raw(_encode({"role": "system", "content": text})) for text in instructions]
    return Raw(_encode([*_raws(messages), *added]))
