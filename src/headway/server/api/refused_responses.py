"""What vendors' servers have, and the gateway refuses: compaction and WebSockets of OpenAI's
Responses API, and the management of models on a server of Ollama."""

from __future__ import annotations

from headway.dialects.ollama.errors import MANAGING
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.errors import HeadwayError, NotFound, RequestError
from headway.types import Headers

PATHS = frozenset({OpenAIResponses.route, f"/openai{OpenAIResponses.route}"})
STORED = tuple(f"{path}/" for path in sorted(PATHS))
"""Beginnings of paths that name a response, or what can be done with one."""
NO_ROUTE = "There is no route {path}; GET /docs lists them all."
COMPACTION = (
    "The gateway compacts no conversations itself: send POST /v1/responses with a last item "
    '`{"type": "compaction_trigger"}` to a provider with OpenAI\'s Responses API.'
)
MANAGED_ELSEWHERE = (
    "The gateway calls models that providers have, and changes none, so {path} is not served: call "
    "the Ollama server itself. GET /api/tags lists the models that can be called."
)
NO_WEBSOCKET = "This route takes no WebSocket: send the request as POST, with `stream: true`."
NO_NATIVE_WEBSOCKET = (
    "This server passes no WebSockets through: run the gateway with `headway serve`, which does, "
    "and not under another ASGI server."
)
NO_WEBSOCKET_STATUS = 426
"""Upgrade Required (RFC 9110, section 15.5.22). Codex takes 426 as the word to use HTTP, and tries
again for seconds after any other (github.com/openai/codex/issues/19821)."""


def find_refused(path: str) -> HeadwayError | None:
    """The refusal of a path below that of responses, or of one that manages Ollama's models."""
    if path.removeprefix("/ollama").startswith(MANAGING):
        return NotFound(MANAGED_ELSEWHERE.format(path=path), code="not_served")
    if not path.startswith(STORED):
        return None
    if path.endswith("/compact"):
        return NotFound(COMPACTION, code="compaction_unsupported")
    return NotFound(NO_ROUTE.format(path=path))


def find_websocket(method: str, path: str, headers: Headers) -> HeadwayError | None:
    """The refusal of a WebSocket, whose handshake is a GET (RFC 6455, section 4.1)."""
    if method != "GET" or path not in PATHS:
        return None
    return no_websocket() if is_websocket(headers) else None


def is_websocket(headers: Headers) -> bool:
    """Whether the client asks for a WebSocket."""
    return any(name == b"upgrade" and value.lower() == b"websocket" for name, value in headers)


def no_native_websocket() -> RequestError:
    return RequestError(NO_NATIVE_WEBSOCKET, status=501, code="websocket_unsupported")


def no_websocket() -> RequestError:
    return RequestError(NO_WEBSOCKET, status=NO_WEBSOCKET_STATUS, code="websocket_unsupported")
