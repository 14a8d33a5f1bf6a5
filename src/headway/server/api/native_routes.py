"""``/providers/{name}/...``: requests that are passed through to a provider's own API."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, unquote

from headway.dialects.base import Dialect, OpenAIFormat
from headway.pipeline.native_call import ErrorFormat
from headway.pipeline.native_request import NativeHttpRequest
from headway.server import routes
from headway.server.api.refused_responses import is_websocket
from headway.server.asgi_types import Scope
from headway.types import Headers

PREFIX = "/providers/"
PLAIN = OpenAIFormat()
REALTIME = frozenset(("/v1/realtime", "/openai/v1/realtime"))
"""OpenAI's Realtime API (platform.openai.com/docs/guides/realtime-websocket)."""
_SAFE = "/!$&'()*+,;=:@-._~%"


class NativeAddress(NamedTuple):
    """The address of a request, as it was sent. ``path`` follows the provider's name."""

    provider: str
    path: str
    query: str

    @property
    def public_path(self) -> str:
        return PREFIX + quote(self.provider, safe="")


def find_raw(target: bytes) -> NativeAddress | None:
    """The address in a request target. None for a target of another route."""
    if not target.startswith(b"/providers/"):
        return None
    path, _, query = target.decode("latin-1").partition("?")
    name, slash, rest = path[len(PREFIX) :].partition("/")
    return NativeAddress(unquote(name), slash + rest, query) if name else None


def find_websocket(method: bytes, target: bytes, headers: Headers) -> NativeAddress | None:
    """The address of a WebSocket's handshake (RFC 6455, section 4.1). The provider is empty where
    the model in the query names it."""
    if method != b"GET" or not is_websocket(headers):
        return None
    path, _, query = target.decode("latin-1").partition("?")
    return NativeAddress("", "", query) if path in REALTIME else find_raw(target)


def takes_websocket(path: str) -> bool:
    """Whether the server passes a WebSocket on this path through, if it can."""
    return path.startswith(PREFIX) or path in REALTIME


def find_in_scope(scope: Scope) -> NativeAddress | None:
    """Servers need not give the path as it was sent (ASGI, HTTP connection scope: raw_path); its
    escapes are made again then."""
    path: str = scope["path"]
    if not path.startswith(PREFIX):
        return None
    raw = scope.get("raw_path") or quote(path, safe=_SAFE).encode()
    return find_raw(raw.partition(b"?")[0] + b"?" + scope["query_string"])


def new_request(
    address: NativeAddress, method: str, headers: Headers, body: bytes, scheme: str
) -> NativeHttpRequest:
    """``scheme`` is that of the client's connection, unless a proxy says otherwise."""
    by_name = dict(headers)
    scheme = by_name.get(b"x-forwarded-proto", scheme.encode()).decode("latin-1")
    host = by_name.get(b"host", b"localhost").decode("latin-1")
    return NativeHttpRequest(
        address.provider,
        method,
        address.path,
        address.query,
        headers,
        body,
        f"{scheme}://{host}{address.public_path}",
    )


def error_format(wire: str | None) -> ErrorFormat:
    """The format of errors that the clients of a provider of this wire format read."""
    return _BY_WIRE.get(wire, PLAIN)


_BY_WIRE: dict[str | None, Dialect] = {}
for _, _dialect in routes.DIALECTS:
    if _dialect.wire is not None:
        _BY_WIRE.setdefault(_dialect.wire, _dialect)
