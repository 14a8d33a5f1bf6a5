"""Signed and encrypted thinking: from content blocks to ``ReasoningDetail`` values, and back on the
next turn (platform.claude.com/docs/en/build-with-claude/extended-thinking)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headway.providers.message_scan import ScannedMessage

FORMAT = "anthropic-claude-v1"
"""The ``format`` of a reasoning detail, as OpenRouter names it: only the vendor that signed a block
can check its signature."""
THINKING_TYPES = ("thinking", "redacted_thinking")
"""The types of these blocks, which take no ``cache_control``."""

Block = dict[str, Any]


def signed_detail(text: str, signature: str | None, index: int) -> Block:
    value = {"type": "reasoning.text", "text": text, "signature": signature}
    return {**value, "format": FORMAT, "index": index}


def encrypted_detail(data: str | None, index: int) -> Block:
    return {"type": "reasoning.encrypted", "data": data, "format": FORMAT, "index": index}


def thinking_blocks(details: Iterable[Mapping[str, Any]]) -> list[Block]:
    """The blocks of Claude's details, each with its ``index`` in the response. Details of other
    vendors, and those without a signature, are left out: Claude rejects them."""
    blocks: list[Block] = []
    for detail in details:
        if detail.get("format") != FORMAT:
            continue
        if detail.get("type") == "reasoning.encrypted":
            block = {"type": "redacted_thinking", "data": detail.get("data")}
        elif detail.get("signature"):
            text = detail.get("text") or ""
            block = {"type": "thinking", "thinking": text, "signature": detail["signature"]}
        else:
            continue
        blocks.append({**block, "index": detail.get("index") or 0})
    return blocks


def has_signed_thinking(message: ScannedMessage) -> bool:
    """Whether Claude's thinking is among the message's details or in its content."""
    in_details = FORMAT.encode() in bytes(message.reasoning_details)
    return in_details or b'thinking"' in bytes(message.content)
