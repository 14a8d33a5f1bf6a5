"""Names of tools within the limit of other providers: Anthropic takes 128 characters, OpenAI,
Google and Amazon 64 (platform.openai.com/docs/api-reference/chat/create, tools; servers of tools
have long names). A longer one is cut, and its hash makes it unique; the response has it whole."""

from __future__ import annotations

from hashlib import sha256

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import ResponseContext
from headway.types import ChatRequest, Transformation

LIMIT = 64
"""Characters."""
HASH_LENGTH = 8
SHORTENED = Transformation("emulated", "tools[].name", f"cut to {LIMIT} characters with a hash")


class NamedTool(Struct):
    name: str = ""


_tools = msgspec.json.Decoder(list[NamedTool]).decode


def short_name(name: str) -> str:
    """The name itself, if it is within the limit."""
    if len(name) <= LIMIT:
        return name
    digest = sha256(name.encode(errors="replace")).hexdigest()[:HASH_LENGTH]
    return f"{name[: LIMIT - HASH_LENGTH - 1]}_{digest}"


def original_name(name: str, context: ResponseContext) -> str:
    """The client's name of a tool that the model calls."""
    request = context.call.request
    if len(name) != LIMIT or not isinstance(request, ChatRequest) or request.native is None:
        return name
    tools = _tools(request.native.fields.get("tools", Raw(b"[]")))
    return next((tool.name for tool in tools if short_name(tool.name) == name), name)
