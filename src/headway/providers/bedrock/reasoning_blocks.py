"""Signed and encrypted reasoning: from content blocks to ``ReasoningDetail`` values, and back on
the next turn
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ReasoningContentBlock.html).

Only Claude signs its reasoning. Its signatures are valid on every platform that serves it
(platform.claude.com/docs/en/build-with-claude/extended-thinking), so these details have Anthropic's
format. Claude's encrypted reasoning is text; Bedrock, whose field holds bytes, sends it in base64.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any

from headway.providers.anthropic.reasoning_blocks import FORMAT as CLAUDE_FORMAT
from headway.providers.anthropic.reasoning_blocks import encrypted_detail as claude_detail
from headway.providers.message_scan import ScannedMessage

BEDROCK_FORMAT = "bedrock-converse-v1"
"""The format of encrypted reasoning that only Bedrock can read."""
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+=*")

Block = dict[str, Any]


def encrypted_detail(redacted: str, index: int) -> Block:
    """The detail of a ``redactedContent``, in Anthropic's format where it is Claude's."""
    inner = _decoded(redacted)
    if inner is not None and BASE64.fullmatch(inner):
        return claude_detail(inner.decode(), index)
    return {**claude_detail(redacted, index), "format": BEDROCK_FORMAT}


def reasoning_blocks(details: Iterable[Mapping[str, Any]]) -> list[tuple[int, Block]]:
    """The blocks of the details that Bedrock accepts, each with its index in the response."""
    blocks = []
    for detail in details:
        content = _content(detail)
        if content is not None:
            blocks.append((detail.get("index") or 0, {"reasoningContent": content}))
    return blocks


def has_signed_reasoning(message: ScannedMessage) -> bool:
    """Whether Claude's or Bedrock's reasoning is among the message's details."""
    details = bytes(message.reasoning_details)
    return CLAUDE_FORMAT.encode() in details or BEDROCK_FORMAT.encode() in details


def _content(detail: Mapping[str, Any]) -> Block | None:
    detail_format = detail.get("format")
    if detail_format not in (CLAUDE_FORMAT, BEDROCK_FORMAT):
        return None
    if detail.get("type") == "reasoning.encrypted" and detail.get("data"):
        data = detail["data"]
        if detail_format == CLAUDE_FORMAT:
            data = base64.b64encode(data.encode()).decode()
        return {"redactedContent": data}
    if detail.get("signature"):
        text = {"text": detail.get("text") or "", "signature": detail["signature"]}
        return {"reasoningText": text}
    return None


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
