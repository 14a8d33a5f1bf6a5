"""Play a response to the gateway, on each route, and read what the client gets as strictly as the
strictest client: everything is JSON in UTF-8 without halves of surrogate pairs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from headway.providers import KINDS
from headway.providers.base import Provider, unchanged
from headway.providers.openai.request import encode_request
from headway.record import Record
from support.pipeline_fakes import Pipe
from support.wire_scripts import JSON, Script

decode = msgspec.json.Decoder().decode
ROUTES: dict[str, Callable[[Pipe], None]] = {
    "engine": lambda pipe: pipe.ask(),
    "engine stream": lambda pipe: pipe.ask(is_stream=True),
    "chat": lambda pipe: pipe.ask_openai(),
    "chat stream": lambda pipe: pipe.ask_openai(
        stream=True, stream_options={"include_usage": True}
    ),
}


class Call(NamedTuple):
    id: str | None
    name: str
    arguments: str


class Reply(NamedTuple):
    """What the client got."""

    text: str
    reasoning: str
    calls: list[Call]
    finish_reason: str | None
    usage: Any
    record: Record
    objects: list[Any]
    """The bodies: one, or the objects of a stream."""
    error: Any = None


def adapter(kind: str) -> Provider:
    """The provider's decoders, with requests that need neither credentials nor options."""
    return replace(
        KINDS[kind], encode_request=encode_request, adapt=unchanged, sign=None, credentials=None
    )


def play(
    script: Script, route: str, *, whole: bytes | None = None, streamed: bytes | None = None
) -> Reply:
    """``whole`` and ``streamed`` replace the script's own bytes."""
    return read_reply(run_script(script, route, whole=whole, streamed=streamed))


def run_script(
    script: Script, route: str, *, whole: bytes | None = None, streamed: bytes | None = None
) -> Pipe:
    pipe = Pipe(provider=adapter(script.kind))
    ROUTES[route](pipe)
    asks_stream = b'"stream":true' in pipe.upstream.request.body
    body = script.streamed() if streamed is None else streamed
    if not asks_stream:
        body = json.dumps(script.whole).encode() if whole is None else whole
    content_type = script.content_type if asks_stream else JSON
    pipe.upstream.respond([(b"content-type", content_type.encode())])
    pipe.upstream.chunk(body)
    if not pipe.upstream.is_over:
        pipe.upstream.end()
    assert pipe.sink.is_over
    assert pipe.gateway.active == set()
    return pipe


def read_reply(pipe: Pipe) -> Reply:
    (record,) = pipe.records
    objects = read_objects(pipe)
    error = next((one["error"] for one in objects if "error" in one), None)
    messages, finish, usage = [], None, None
    for one in objects:
        usage = one.get("usage") or usage
        for choice in one.get("choices", ()):
            messages.append(choice.get("message") or choice.get("delta") or {})
            finish = choice.get("finish_reason") or finish
    return Reply(
        "".join(message.get("content") or "" for message in messages),
        "".join(
            message.get("reasoning_content") or message.get("reasoning") or ""
            for message in messages
        ),
        read_calls(messages),
        finish,
        usage,
        record,
        objects,
        error,
    )


def read_objects(pipe: Pipe) -> list[Any]:
    body = pipe.sink.body
    if pipe.sink.kinds == ["whole"]:
        return [decode(body)]
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.strip()]
    return [decode(line) for line in lines if line.startswith(b"{")]


def read_calls(messages: list[Any]) -> list[Call]:
    calls: dict[int, Call] = {}
    for message in messages:
        for position, call in enumerate(message.get("tool_calls") or ()):
            index, function = call.get("index", position), call.get("function") or {}
            old = calls.get(index, Call(None, "", ""))
            calls[index] = Call(
                call.get("id") or old.id,
                old.name + (function.get("name") or ""),
                old.arguments + (function.get("arguments") or ""),
            )
    return [calls[index] for index in sorted(calls)]
