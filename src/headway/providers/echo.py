"""A provider that returns the prompt, for tests of your own clients: deterministic, and able to
fail on request. It speaks OpenAI's wire format and ships with the product.

The parameter ``echo``, an object, controls the response; its fields are those of ``Script``:

    {"model": "echo", "messages": [...], "echo": {"tokens_per_second": 20, "fault": "cut"}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import shake_128
from math import sqrt
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from headway.providers.capability_rules import drop_unsupported
from headway.providers.echo_media import MEDIA, respond_with_media
from headway.providers.echo_script import (
    REPLY_ID,
    SCRIPTED_ERROR,
    SSE,
    EchoChunk,
    Script,
    ScriptedResponse,
    ScriptedTool,
    error_response,
    refusal_of,
    whole_response,
)
from headway.providers.openai import embeddings as openai_embeddings
from headway.providers.openai import provider as openai
from headway.providers.openai import request as openai_request
from headway.providers.openai.wire_rules import SOURCE
from headway.providers.operations import OPERATIONS, located, operations
from headway.providers.wire_formats import ECHO
from headway.providers.wire_rules import SUBJECTS, allowed
from headway.types import ChatRequest, EmbeddingsRequest, HttpRequest, Target, Url


class EchoMessage(Struct):
    content: Any = None


class EchoEmbeddingsRequest(Struct):
    input: Any
    dimensions: int = 8
    echo: Script | None = None


class EchoRequest(Struct):
    model: str
    messages: list[EchoMessage]
    stream: bool | None = None
    echo: Script | None = None


WORD = re.compile(r"\s*\S+")
CREATED = 1_700_000_000
MAX_CHARACTERS = 256 * 1024
"""Limit of the output. A response is built before its first chunk is sent, with some hundred bytes
for each token, and blocks the event loop while it is built."""
DONE = b"data: [DONE]\n\n"
MAX_DIMENSIONS = 4096
_decode_embeddings = msgspec.json.Decoder(EchoEmbeddingsRequest).decode
_decode_request = msgspec.json.Decoder(EchoRequest).decode
_encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    http = openai_request.encode_request(request, at_echo(target, request.model))
    return replace(http, url=Url("echo", "echo", 0, http.url.path))


def at_echo(target: Target, model: str) -> Target:
    """No address is called: an encoder needs one."""
    return replace(target, base_url="http://echo")


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    http = openai_embeddings.encode_embeddings(request, at_echo(target, request.model))
    return replace(http, url=Url("echo", "echo", 0, http.url.path))


def respond(
    body: bytes, path: str = "/chat/completions", content_type: str = ""
) -> ScriptedResponse:
    """The response to a request. An invalid script gets a 400, as from a provider."""
    try:
        if path in MEDIA:
            return respond_with_media(path, body, content_type)
        if path == "/embeddings":
            return _embeddings_response(_decode_embeddings(body))
        return _chat_response(_decode_request(body))
    except (msgspec.DecodeError, RecursionError, TypeError, ValueError) as exc:
        return error_response(400, f"echo cannot read this request: {exc}", [])


def _chat_response(request: EchoRequest) -> ScriptedResponse:
    script = request.echo or Script()
    if _length(request, script) > MAX_CHARACTERS:
        return error_response(400, f"echo answers with at most {MAX_CHARACTERS} characters", [])
    if (refusal := refusal_of(script)) is not None:
        return refusal
    if request.stream:
        return _streamed_response(request, script)
    text = _output_text(request, script)
    tokens = len(WORD.findall(text)) + len(WORD.findall(script.reasoning or ""))
    return whole_response(script, tokens, _completion(request, script, text, tokens))


def _embeddings_response(request: EchoEmbeddingsRequest) -> ScriptedResponse:
    script = request.echo or Script()
    if not 1 <= request.dimensions <= MAX_DIMENSIONS:
        message = f"echo's `dimensions` are a number from 1 to {MAX_DIMENSIONS}"
        return error_response(400, message, [])
    if (refusal := refusal_of(script)) is not None:
        return refusal
    inputs = _inputs(request.input)
    if len(inputs) * request.dimensions > MAX_CHARACTERS:
        return error_response(400, f"echo answers with at most {MAX_CHARACTERS} numbers", [])
    body: dict[str, Any] = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": at, "embedding": _vector(text, request.dimensions)}
            for at, text in enumerate(inputs)
        ],
        "model": "echo",
    }
    if script.usage != "none":
        tokens = sum(len(WORD.findall(text)) for text in inputs)
        body["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    return whole_response(script, 0, _encode(body))


def _inputs(given: Any) -> list[str]:
    """The text of each input; tokens are separated by spaces."""
    if not isinstance(given, list):
        return [str(given)]
    if all(isinstance(item, int) for item in given):
        return [" ".join(map(str, given))]
    return [" ".join(map(str, item)) if isinstance(item, list) else str(item) for item in given]


def _vector(text: str, dimensions: int) -> list[float]:
    """A vector of length 1 that is the same for the same text."""
    numbers = [byte - 127.5 for byte in shake_128(text.encode()).digest(dimensions)]
    length = sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]


def _completion(request: EchoRequest, script: Script, text: str, tokens: int) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if script.reasoning:
        message["reasoning_content"] = script.reasoning
    if script.tools:
        message["tool_calls"] = [_tool_call(i, tool) for i, tool in enumerate(script.tools)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(script)}
    body = _head(request, "chat.completion") | {"choices": [choice]}
    if script.usage != "none":
        body["usage"] = _usage(request, tokens)
    return _encode(body)


def _streamed_response(request: EchoRequest, script: Script) -> ScriptedResponse:
    gap = 1 / script.tokens_per_second if script.tokens_per_second else 0.0
    chunks = [EchoChunk(0, _chunk_event(request, {"role": "assistant", "content": ""}, script, 0))]
    for count, delta in enumerate(_deltas(request, script), 1):
        wait = script.first_token if count == 1 else gap
        chunks.append(EchoChunk(wait, _chunk_event(request, delta, script, count)))
    if script.fault:
        return _with_fault(chunks, script)
    chunks += _last_chunks(request, script, len(chunks) - 1)
    return ScriptedResponse(script.latency, 200, SSE, chunks)


def _with_fault(chunks: list[EchoChunk], script: Script) -> ScriptedResponse:
    kept = chunks[: 1 + max(0, script.fault_after)]
    if script.fault == "cut":
        kept.append(EchoChunk(0, None))
    elif script.fault == "malformed":
        kept.append(EchoChunk(0, b'data: {"choices": [{\n\n'))
    elif script.fault == "error_event":
        kept.append(EchoChunk(0, b"data: " + _encode(SCRIPTED_ERROR) + b"\n\n"))
    ends = script.fault in ("malformed", "error_event")
    return ScriptedResponse(script.latency, 200, SSE, kept, ends)


def _last_chunks(request: EchoRequest, script: Script, count: int) -> Iterator[EchoChunk]:
    finish = _head(request, "chat.completion.chunk")
    finish["choices"] = [{"index": 0, "delta": {}, "finish_reason": _finish(script)}]
    if script.usage in ("on_finish", "cumulative"):
        finish["usage"] = _usage(request, count)
    yield EchoChunk(0, b"data: " + _encode(finish) + b"\n\n")
    if script.usage == "reported":
        last = _head(request, "chat.completion.chunk") | {"choices": []}
        last["usage"] = _usage(request, count)
        yield EchoChunk(0, b"data: " + _encode(last) + b"\n\n")
    yield EchoChunk(0, DONE)


def _deltas(request: EchoRequest, script: Script) -> Iterator[dict[str, Any]]:
    for word in WORD.findall(script.reasoning or ""):
        yield {"reasoning_content": word}
    for position, tool in enumerate(script.tools):
        call = _tool_call(position, tool)
        arguments = call["function"]["arguments"]
        call["function"] = {"name": tool.name, "arguments": ""}
        yield {"tool_calls": [{"index": position, **call}]}
        for piece in (arguments[i : i + 8] for i in range(0, len(arguments), 8)):
            yield {"tool_calls": [{"index": position, "function": {"arguments": piece}}]}
    for word in WORD.findall(_output_text(request, script)):
        yield {"content": word}


def _chunk_event(request: EchoRequest, delta: dict[str, Any], script: Script, count: int) -> bytes:
    chunk = _head(request, "chat.completion.chunk")
    chunk["choices"] = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]
    if script.usage == "cumulative":
        chunk["usage"] = _usage(request, count)
    return b"data: " + _encode(chunk) + b"\n\n"


def _head(request: EchoRequest, kind: str) -> dict[str, Any]:
    return {"id": REPLY_ID, "object": kind, "created": CREATED, "model": request.model}


def _tool_call(position: int, tool: ScriptedTool) -> dict[str, Any]:
    arguments = _encode(tool.arguments).decode()
    function = {"name": tool.name, "arguments": arguments}
    return {"id": f"call_{position}", "type": "function", "function": function}


def _output_text(request: EchoRequest, script: Script) -> str:
    if script.tools:
        return ""
    if script.text is not None:
        return script.text
    return _text(request.messages[-1]) if request.messages else ""


def _length(request: EchoRequest, script: Script) -> int:
    arguments = sum(len(_encode(tool.arguments)) for tool in script.tools)
    return len(_output_text(request, script)) + len(script.reasoning or "") + arguments


def _text(message: EchoMessage) -> str:
    content = message.content
    if isinstance(content, list):
        texts = [p.get("text") for p in content if isinstance(p, dict)]
        return " ".join(t for t in texts if isinstance(t, str))
    return content if isinstance(content, str) else ""


def _finish(script: Script) -> str:
    return script.finish_reason or ("tool_calls" if script.tools else "stop")


def _usage(request: EchoRequest, completion: int) -> dict[str, int]:
    """A token is a word, so that counts are the same each time."""
    prompt = sum(1 for message in request.messages for _ in WORD.finditer(_text(message)))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


CAPABILITIES = {
    "stream": "native",
    **dict.fromkeys(("tools", "tool_choice"), "partial: the calls that the script names"),
    **dict.fromkeys(("images", "documents", "audio"), "partial: accepted, and not returned"),
    **dict.fromkeys(("json_object", "json_schema"), "partial: the output is the script's"),
    "reasoning": "partial: the script's text",
    "embeddings": "native: vectors made from a hash of the text",
}
PROVIDER = replace(
    openai.CHAT,
    **ECHO.facts,
    encode_request=encode_request,
    adapt=drop_unsupported(ECHO.title, CAPABILITIES),
    wire_rules=allowed(SOURCE, *SUBJECTS),
    encode_embeddings=encode_embeddings,
    operations=located(operations(*OPERATIONS), at_echo),
    capabilities=CAPABILITIES,
    price_id=None,
    list_models=None,
    models=("echo",),
)
