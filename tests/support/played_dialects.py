"""Play a response to the gateway in the dialects of other APIs, and read its text there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.openai_responses.dialect import OpenAIResponses
from support.pipeline_fakes import Pipe
from support.played_script import adapter, read_objects
from support.wire_scripts import JSON, Script

ASKED = [{"role": "user", "content": "Hi"}]
MODEL = {"model": "openai/gpt-4o"}
REQUESTS: dict[str, tuple[Dialect, ClientRequest]] = {}
for _stream in (False, True):
    _more = {"stream": _stream}
    _name = " stream" if _stream else ""
    REQUESTS["anthropic" + _name] = (
        AnthropicMessages(),
        ClientRequest(
            "", (), json.dumps({**MODEL, **_more, "max_tokens": 9, "messages": ASKED}).encode()
        ),
    )
    REQUESTS["responses" + _name] = (
        OpenAIResponses(),
        ClientRequest("", (), json.dumps({**MODEL, **_more, "input": "Hi"}).encode()),
    )
    REQUESTS["gemini" + _name] = (
        GenerateContent(_stream),
        ClientRequest(
            "openai/gpt-4o", (), b'{"contents": [{"parts": [{"text": "Hi"}]}]}', "alt=sse"
        ),
    )


def play_in_dialect(
    script: Script, name: str, *, whole: bytes | None = None, streamed: bytes | None = None
) -> tuple[str, Pipe]:
    """The text that the client got, and the gateway. ``whole`` and ``streamed`` replace the
    script's own bytes."""
    pipe = run_in_dialect(script, name, whole=whole, streamed=streamed)
    objects = read_objects(pipe)
    return "".join(READERS[name.removesuffix(" stream")](one) for one in objects), pipe


def run_in_dialect(
    script: Script, name: str, *, whole: bytes | None = None, streamed: bytes | None = None
) -> Pipe:
    pipe = Pipe(provider=adapter(script.kind))
    dialect, request = REQUESTS[name]
    pipe.send(request, dialect)
    is_stream = name.endswith(" stream")
    body = script.streamed() if streamed is None else streamed
    if not is_stream:
        body = json.dumps(script.whole).encode() if whole is None else whole
    content_type = script.content_type if is_stream else JSON
    pipe.upstream.respond([(b"content-type", content_type.encode())])
    pipe.upstream.chunk(body)
    if not pipe.upstream.is_over:
        pipe.upstream.end()
    assert pipe.sink.is_over
    return pipe


def _anthropic_text(one: Any) -> str:
    deltas = [one.get("delta") or {}] if one.get("type") == "content_block_delta" else []
    blocks = one.get("content") or [one.get("content_block") or {}, *deltas]
    return "".join(block.get("text") or "" for block in blocks)


def _gemini_text(one: Any) -> str:
    parts = [
        part
        for candidate in one.get("candidates") or ()
        for part in (candidate.get("content") or {}).get("parts") or ()
    ]
    return "".join(part.get("text") or "" for part in parts if not part.get("thought"))


def _responses_text(one: Any) -> str:
    if one.get("type") == "response.output_text.delta":
        return str(one["delta"])
    if one.get("object") != "response":
        return ""
    items = [item for item in one["output"] if item.get("type") == "message"]
    return "".join(part.get("text") or "" for item in items for part in item["content"])


READERS: dict[str, Callable[[Any], str]] = {
    "anthropic": _anthropic_text,
    "gemini": _gemini_text,
    "responses": _responses_text,
}
