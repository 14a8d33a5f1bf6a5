"""A pool of HTTP connections to one gateway, on ``http.client``. Safe to share between threads.

A connection carries one request at a time. It returns to the pool when the reply has been read
completely; otherwise it is closed, which makes the gateway cancel the call.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from urllib.parse import SplitResult, urlsplit

from headway import __version__
from headway.sdk.errors import ApiError, Unreachable

CONNECT_TIMEOUT_S = 10.0
MAX_IDLE = 8


class PendingResponse:
    """A response that is being read. Call `finish` or `abandon` once, at the end."""

    def __init__(
        self, connection: HTTPConnection, response: HTTPResponse, idle: deque[HTTPConnection]
    ) -> None:
        self.response = response
        self._connection = connection
        self._idle = idle

    def read(self) -> bytes:
        """Read the whole body, and release the connection."""
        try:
            with as_api_errors():
                body = self.response.read()
        except BaseException:
            self.abandon()
            raise
        self.finish()
        return body

    def finish(self) -> None:
        """Return the connection to the pool if the server keeps it open."""
        if self.response.will_close or len(self._idle) >= MAX_IDLE:
            self.abandon()
        else:
            self._idle.append(self._connection)

    def abandon(self) -> None:
        """Close the connection."""
        self.response.close()  # the response has its own reference to the socket
        self._connection.close()


class ConnectionPool:
    """``url`` is ``http(s)://host[:port][/prefix]`` or ``host:port``. Raises ValueError."""

    def __init__(self, url: str, api_key: str | None, timeout_s: float) -> None:
        self._parts = _parse_url(url)
        self.url = self._parts.geturl()
        self._timeout_s = timeout_s
        self._headers = {"User-Agent": f"headway/{__version__}", "Accept-Encoding": "identity"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {_check_key(api_key)}"
        self._idle: deque[HTTPConnection] = deque()

    def open(self, method: str, path: str, body: bytes | None, accept: str) -> PendingResponse:
        """Send a request and read the status and headers of its response."""
        connection = self._take()
        headers = {**self._headers, "Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            with as_api_errors():
                connection.request(method, self._parts.path + path, body=body, headers=headers)
                return PendingResponse(connection, connection.getresponse(), self._idle)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> HTTPConnection:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._connect()
            if not _is_stale(connection):
                return connection
            connection.close()

    def _connect(self) -> HTTPConnection:
        factory = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = factory(
            self._parts.hostname or "", self._parts.port, timeout=CONNECT_TIMEOUT_S
        )
        try:
            connection.connect()
        except (OSError, UnicodeError) as error:  # UnicodeError: an invalid IDNA host name
            connection.close()
            raise Unreachable(self.url, _reason(error)) from error
        connection.sock.settimeout(self._timeout_s)
        return connection


@contextmanager
def as_api_errors() -> Iterator[None]:
    """Convert network errors in the block to ApiError."""
    try:
        yield
    except TimeoutError as error:
        raise ApiError(
            "the gateway sent nothing within the client's timeout", type="timeout_error"
        ) from error
    except (OSError, HTTPException) as error:
        raise ApiError(
            f"the connection to the gateway failed: {_reason(error)}", type="connection_error"
        ) from error


def _is_stale(connection: HTTPConnection) -> bool:
    """Whether the server closed the idle connection: it is readable only then. Checked before
    sending, because a POST must not be sent twice (RFC 9110, 9.2.2)."""
    with suppress(OSError, ValueError):
        return bool(select.select([connection.sock], [], [], 0)[0])
    return True


def _parse_url(url: str) -> SplitResult:
    parts = urlsplit((url if "://" in url else f"http://{url}").strip().rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError(
            f"not the URL of a gateway: {url!r} (expected for example http://127.0.0.1:8000)"
        )
    if parts.username or parts.password:
        raise ValueError("the gateway key belongs in api_key, not in the URL")
    parts.port  # noqa: B018  raises ValueError for an invalid port
    return parts


def _check_key(api_key: str) -> str:
    key = api_key.strip()
    if not key.isascii() or not key.isprintable():
        raise ValueError("the gateway key contains characters that are not printable ASCII")
    return key


def _reason(error: Exception) -> str:
    if isinstance(error, IncompleteRead):
        return "the response was truncated"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
