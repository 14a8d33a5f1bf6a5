"""Reasoning that goes out signed or encrypted and comes back on the next turn, as Bedrock has it
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ReasoningContentBlock.html).

Only Claude signs its thoughts, and its signatures count on every platform that serves it
(platform.claude.com/docs/en/build-with-claude/extended-thinking), so what it signed has Anthropic's
format. Its encrypted thoughts are texts; Bedrock, which has bytes there, shows them in base64.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any

from headway.providers.anthropic.messages import FORMAT as CLAUDE

OWN = "bedrock-converse-v1"
"""The format of what only Bedrock can read."""
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+=*")

Detail = dict[str, Any]


def signed(text: str, signature: str, index: int) -> Detail:
    """A ``ReasoningDetail`` of a signed thought."""
    value = {"type": "reasoning.text", "text": text, "signature": signature}
    return {**value, "format": CLAUDE, "index": index}


def encrypted(redacted: str, index: int) -> Detail:
    """A ``ReasoningDetail`` of ``redactedContent``, in Anthropic's form where it is Claude's."""
    inner = _decoded(redacted)
    is_claude = inner is not None and BASE64.fullmatch(inner) is not None
    data = inner.decode() if inner is not None and is_claude else redacted
    format_ = CLAUDE if is_claude else OWN
    return {"type": "reasoning.encrypted", "data": data, "format": format_, "index": index}


def thoughts(details: Iterable[Mapping[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """The blocks of details that Bedrock can be given back, each with its place in the answer."""
    found = []
    for detail in details:
        content = _content(detail)
        if content is not None:
            found.append((detail.get("index") or 0, {"reasoningContent": content}))
    return found


def _content(detail: Mapping[str, Any]) -> dict[str, Any] | None:
    kind, format_ = detail.get("type"), detail.get("format")
    if format_ not in (CLAUDE, OWN):
        return None
    if kind == "reasoning.encrypted" and detail.get("data"):
        data = detail["data"]
        if format_ == CLAUDE:
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
