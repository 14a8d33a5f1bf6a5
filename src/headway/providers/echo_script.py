"""The script of the echo provider: how a request says what its response is to be like."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from headway.types import Headers

JSON = [(b"content-type", b"application/json")]
SSE = [(b"content-type", b"text/event-stream")]
_encode = msgspec.json.Encoder().encode

Fault = Literal["cut", "stall", "malformed", "error_event", "rate_limit", "error", "silence"]

FAULTS: dict[str, str] = {
    "cut": "the connection breaks after `fault_after` tokens",
    "stall": "nothing more comes after `fault_after` tokens",
    "malformed": "an event that is not JSON comes after `fault_after` tokens",
    "error_event": "an error inside the stream comes after `fault_after` tokens",
    "rate_limit": "429 with Retry-After",
    "error": "500, or the `status` given",
    "silence": "no response at all",
}


class ScriptedTool(Struct, frozen=True):
    name: str
    arguments: dict[str, Any] = {}


class Script(Struct, frozen=True, forbid_unknown_fields=True):
    """How to respond. Times are in seconds."""

    text: str | None = None
    """The output text; by default the text of the last message."""
    reasoning: str | None = None
    """Reasoning to stream before the text."""
    tools: list[ScriptedTool] = []
    """Tool calls to make instead of an output text."""
    latency: float = 0.0
    """Before the response's headers."""
    first_token: float = 0.0
    """Between the headers and the first token."""
    tokens_per_second: float | None = None
    """None: all tokens at once, each in its own event."""
    usage: Literal["reported", "cumulative", "on_finish", "none"] = "reported"
    """Usage in a last chunk, in every chunk, in the chunk with the finish reason, or nowhere."""
    finish_reason: str | None = None
    fault: Fault | None = None
    fault_after: int = 1
    """Tokens to send before the fault."""
    retry_after: float = 1.0
    status: int = 500


class EchoChunk(Struct, frozen=True):
    """Wait ``delay`` seconds, then send ``data``; None breaks the connection."""

    delay: float
    data: bytes | None


class ScriptedResponse(Struct, frozen=True):
    """A response for the transport to send."""

    delay: float
    """Seconds before the headers."""
    status: int
    headers: Headers
    chunks: list[EchoChunk]
    ends: bool = True
    """False: nothing follows the last chunk, not even the end of the body."""
    is_silent: bool = False
    """True: not even headers are sent."""


SCRIPTED_ERROR = {
    "error": {"message": "scripted: the model failed", "type": "server_error", "code": None}
}


def refusal_of(script: Script) -> ScriptedResponse | None:
    """The response of the faults that come before any output."""
    if script.fault == "silence":
        return ScriptedResponse(0, 200, [], [], ends=False, is_silent=True)
    if script.fault == "rate_limit":
        wait = b"%g" % script.retry_after
        return error_response(429, "scripted: too many requests", [(b"retry-after", wait)], script)
    if script.fault == "error":
        return error_response(script.status, "scripted: the provider failed", [], script)
    return None


REPLY_ID = "chatcmpl-echo"
"""The id of every response, which is a function of its request. The transport makes it unique."""


def error_response(
    status: int, message: str, headers: list[tuple[bytes, bytes]], script: Script | None = None
) -> ScriptedResponse:
    body = _encode({"error": {"message": message, "type": "scripted", "param": None, "code": None}})
    delay = script.latency if script else 0
    return ScriptedResponse(delay, status, [*JSON, *headers], [EchoChunk(0, body)])


def whole_response(script: Script, tokens: int, data: bytes) -> ScriptedResponse:
    """``data`` after the time of ``tokens`` tokens, unless the script has a fault."""
    wait = script.first_token
    if script.tokens_per_second:
        wait += tokens / script.tokens_per_second
    if script.fault == "stall":
        return ScriptedResponse(script.latency, 200, JSON, [], ends=False)
    if script.fault == "cut":
        return ScriptedResponse(script.latency, 200, JSON, [EchoChunk(wait, None)], ends=False)
    if script.fault == "malformed":
        data = b'{"id":"%b","choices":[{' % REPLY_ID.encode()
    elif script.fault == "error_event":
        data = _encode(SCRIPTED_ERROR)
    return ScriptedResponse(script.latency, 200, JSON, [EchoChunk(wait, data)])
