"""A provider that answers from the prompt, for tests of your own clients: deterministic, and it can
fail on request. It speaks OpenAI's wire and ships with the product.

What it does is scripted by the parameter ``echo``, an object; see ``Script`` for its fields:

    {"model": "echo", "messages": [...], "echo": {"tokens_per_second": 20, "fault": "cut"}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from headway.providers.base import unchanged
from headway.providers.openai import provider as openai
from headway.types import ChatRequest, Headers, HttpRequest, Target, Url

Fault = Literal["cut", "stall", "malformed", "error_event", "rate_limit", "error", "silence"]

FAULTS: dict[str, str] = {
    "cut": "the connection breaks after `fault_after` tokens",
    "stall": "nothing more comes after `fault_after` tokens",
    "malformed": "an event that is not JSON comes after `fault_after` tokens",
    "error_event": "an error inside the stream comes after `fault_after` tokens",
    "rate_limit": "429 with Retry-After",
    "error": "500, or the `status` given",
    "silence": "no answer at all",
}


class Tool(Struct, frozen=True):
    name: str
    arguments: dict[str, Any] = {}


class Script(Struct, frozen=True, forbid_unknown_fields=True):
    """How to answer. Times in seconds."""

    text: str | None = None
    """The answer; by default the text of the last message."""
    reasoning: str | None = None
    """Reasoning to stream before the answer."""
    tools: list[Tool] = []
    """Tool calls to make instead of answering with text."""
    latency: float = 0.0
    """Before the head of the answer."""
    first_token: float = 0.0
    """Between the head and the first token."""
    tokens_per_second: float | None = None
    """None: all tokens at once, each in an event of its own."""
    usage: Literal["reported", "cumulative", "on_finish", "none"] = "reported"
    """Usage in a last chunk, in every chunk, on the finish chunk, or not at all."""
    finish_reason: str | None = None
    fault: Fault | None = None
    fault_after: int = 1
    """Tokens to send before the fault."""
    retry_after: float = 1.0
    status: int = 500


class Step(Struct, frozen=True):
    """Wait ``delay`` seconds, then send ``data``; None breaks the connection."""

    delay: float
    data: bytes | None


class Play(Struct, frozen=True):
    """A whole answer, ready to be played. ``steps`` without an end mark never end."""

    delay: float
    status: int
    headers: Headers
    steps: list[Step]
    ends: bool = True
    answers: bool = True
    """False: silence."""


class Message(Struct):
    content: Any = None


class Body(Struct):
    model: str
    messages: list[Message]
    stream: bool | None = None
    echo: Script | None = None


TOKEN = re.compile(r"\s*\S+")
CREATED = 1_700_000_000
LONGEST = 256 * 1024
"""Characters of an answer: the whole play is written before its first line is spoken, some hundred
bytes for each token, and everyone else waits for it."""
JSON = [(b"content-type", b"application/json")]
SSE = [(b"content-type", b"text/event-stream")]
END = b"data: [DONE]\n\n"
_body = msgspec.json.Decoder(Body).decode
_encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    http = openai.encode_request(request, replace(target, base_url="http://echo"))
    return replace(http, url=Url("echo", "echo", 0, http.url.path))


def play(body: bytes) -> Play:
    """The answer to one request body. A wrong script is answered with 400, as a provider would."""
    try:
        request = _body(body)
    except (msgspec.DecodeError, RecursionError) as exc:
        return _refusal(400, f"echo cannot read this request: {exc}", [])
    script = request.echo or Script()
    if _length(request, script) > LONGEST:
        return _refusal(400, f"echo answers with at most {LONGEST} characters", [])
    if script.fault == "silence":
        return Play(0, 200, [], [], ends=False, answers=False)
    if script.fault == "rate_limit":
        wait = b"%g" % script.retry_after
        return _refusal(429, "scripted: too many requests", [(b"retry-after", wait)], script)
    if script.fault == "error":
        return _refusal(script.status, "scripted: the provider failed", [], script)
    if request.stream:
        return _streamed(request, script)
    return _whole(request, script)


def _refusal(
    status: int, message: str, headers: list[tuple[bytes, bytes]], script: Script | None = None
) -> Play:
    body = _encode({"error": {"message": message, "type": "scripted", "param": None, "code": None}})
    return Play(script.latency if script else 0, status, [*JSON, *headers], [Step(0, body)])


def _whole(request: Body, script: Script) -> Play:
    answer = _answer(request, script)
    tokens = len(TOKEN.findall(answer)) + len(TOKEN.findall(script.reasoning or ""))
    wait = script.first_token
    if script.tokens_per_second:
        wait += tokens / script.tokens_per_second
    message: dict[str, Any] = {"role": "assistant", "content": answer or None}
    if script.reasoning:
        message["reasoning_content"] = script.reasoning
    if script.tools:
        message["tool_calls"] = [_tool_call(i, tool) for i, tool in enumerate(script.tools)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(script)}
    body = _head(request, "chat.completion") | {"choices": [choice]}
    if script.usage != "none":
        body["usage"] = _usage(request, tokens)
    data: bytes | None = _encode(body)
    if script.fault == "malformed":
        data = b'{"id": "chatcmpl-echo", "choices": [{'
    elif script.fault == "error_event":
        data = _encode(SCRIPTED_ERROR)
    ends = script.fault not in ("cut", "stall")
    steps = [Step(wait, data)] if ends else [Step(wait, None)] if script.fault == "cut" else []
    return Play(script.latency, 200, JSON, steps, ends)


def _streamed(request: Body, script: Script) -> Play:
    gap = 1 / script.tokens_per_second if script.tokens_per_second else 0.0
    steps = [Step(0, _event(request, {"role": "assistant", "content": ""}, script, 0))]
    for count, delta in enumerate(_deltas(request, script), 1):
        wait = script.first_token if count == 1 else gap
        steps.append(Step(wait, _event(request, delta, script, count)))
    if script.fault:
        return _faulty(steps, script)
    return Play(script.latency, 200, SSE, [*steps, *_closing(request, script, len(steps) - 1)])


def _faulty(steps: list[Step], script: Script) -> Play:
    kept = steps[: 1 + max(0, script.fault_after)]
    if script.fault == "cut":
        return Play(script.latency, 200, SSE, [*kept, Step(0, None)], ends=False)
    if script.fault == "malformed":
        return Play(script.latency, 200, SSE, [*kept, Step(0, b'data: {"choices": [{\n\n')])
    if script.fault == "error_event":
        event = b"data: " + _encode(SCRIPTED_ERROR) + b"\n\n"
        return Play(script.latency, 200, SSE, [*kept, Step(0, event)])
    return Play(script.latency, 200, SSE, kept, ends=False)


SCRIPTED_ERROR = {
    "error": {"message": "scripted: the model failed", "type": "server_error", "code": None}
}


def _closing(request: Body, script: Script, count: int) -> Iterator[Step]:
    finish = _head(request, "chat.completion.chunk")
    finish["choices"] = [{"index": 0, "delta": {}, "finish_reason": _finish(script)}]
    if script.usage in ("on_finish", "cumulative"):
        finish["usage"] = _usage(request, count)
    yield Step(0, b"data: " + _encode(finish) + b"\n\n")
    if script.usage == "reported":
        last = _head(request, "chat.completion.chunk") | {"choices": []}
        last["usage"] = _usage(request, count)
        yield Step(0, b"data: " + _encode(last) + b"\n\n")
    yield Step(0, END)


def _deltas(request: Body, script: Script) -> Iterator[dict[str, Any]]:
    for word in TOKEN.findall(script.reasoning or ""):
        yield {"reasoning_content": word}
    for position, tool in enumerate(script.tools):
        call = _tool_call(position, tool)
        arguments = call["function"]["arguments"]
        call["function"] = {"name": tool.name, "arguments": ""}
        yield {"tool_calls": [{"index": position, **call}]}
        for piece in (arguments[i : i + 8] for i in range(0, len(arguments), 8)):
            yield {"tool_calls": [{"index": position, "function": {"arguments": piece}}]}
    for word in TOKEN.findall(_answer(request, script)):
        yield {"content": word}


def _event(request: Body, delta: dict[str, Any], script: Script, count: int) -> bytes:
    chunk = _head(request, "chat.completion.chunk")
    chunk["choices"] = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]
    if script.usage == "cumulative":
        chunk["usage"] = _usage(request, count)
    return b"data: " + _encode(chunk) + b"\n\n"


def _head(request: Body, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-echo", "object": kind, "created": CREATED, "model": request.model}


def _tool_call(position: int, tool: Tool) -> dict[str, Any]:
    arguments = _encode(tool.arguments).decode()
    function = {"name": tool.name, "arguments": arguments}
    return {"id": f"call_{position}", "type": "function", "function": function}


def _answer(request: Body, script: Script) -> str:
    if script.tools:
        return ""
    if script.text is not None:
        return script.text
    return _text(request.messages[-1]) if request.messages else ""


def _length(request: Body, script: Script) -> int:
    arguments = sum(len(_encode(tool.arguments)) for tool in script.tools)
    return len(_answer(request, script)) + len(script.reasoning or "") + arguments


def _text(message: Message) -> str:
    content = message.content
    if isinstance(content, list):
        texts = [p.get("text") for p in content if isinstance(p, dict)]
        return " ".join(t for t in texts if isinstance(t, str))
    return content if isinstance(content, str) else ""


def _finish(script: Script) -> str:
    return script.finish_reason or ("tool_calls" if script.tools else "stop")


def _usage(request: Body, completion: int) -> dict[str, int]:
    """Tokens here are words: the point is that they are the same every time."""
    prompt = sum(1 for message in request.messages for _ in TOKEN.finditer(_text(message)))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


PROVIDER = replace(
    openai.PROVIDER,
    name="echo",
    title="Echo",
    base_url="echo://echo",
    key_env=None,
    encode_request=encode_request,
    adapt=unchanged,
    price_id=None,
    list_models=None,
    models=("echo",),
)
