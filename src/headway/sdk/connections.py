"""HTTP to one gateway over kept connections, on ``http.client``. Safe to share among threads.

A connection is taken by one exchange at a time and comes back when its answer was read whole; one
that was left in the middle is closed, which is what tells the gateway to stop.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from urllib.parse import SplitResult, urlsplit

from headway import __version__
from headway.sdk.errors import ApiError, Unreachable

CONNECT_TIMEOUT_S = 10.0
IDLE_KEPT = 8


class Exchange:
    """One request whose answer is being read. Ends by `finish` or `abandon`, once."""

    def __init__(
        self, connection: HTTPConnection, response: HTTPResponse, idle: deque[HTTPConnection]
    ) -> None:
        self.response = response
        self._connection = connection
        self._idle = idle

    def read(self) -> bytes:
        """The whole body, and the end of it."""
        try:
            with translated():
                body = self.response.read()
        except BaseException:
            self.abandon()
            raise
        self.finish()
        return body

    def finish(self) -> None:
        """The answer was read whole: keep the connection, if it may stay open."""
        if self.response.will_close or len(self._idle) >= IDLE_KEPT:
            self.abandon()
        else:
            self._idle.append(self._connection)

    def abandon(self) -> None:
        self.response.close()  # it holds the socket open by itself once the connection let go
        self._connection.close()


class Connections:
    """``url`` is ``http(s)://host[:port][/prefix]``, or a bare ``host:port``; else ValueError."""

    def __init__(self, url: str, api_key: str | None, timeout_s: float) -> None:
        self._parts = _split(url)
        self.url = self._parts.geturl()
        self._timeout_s = timeout_s
        self._headers = {"User-Agent": f"headway/{__version__}", "Accept-Encoding": "identity"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {_checked(api_key)}"
        self._idle: deque[HTTPConnection] = deque()

    def open(self, method: str, path: str, body: bytes | None, accept: str) -> Exchange:
        """Send a request and read the head of its answer."""
        connection = self._take()
        headers = {**self._headers, "Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            with translated():
                connection.request(method, self._parts.path + path, body=body, headers=headers)
                return Exchange(connection, connection.getresponse(), self._idle)
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
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=CONNECT_TIMEOUT_S)
        try:
            connection.connect()
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that IDNA refuses
            connection.close()
            raise Unreachable(self.url, _reason(error)) from error
        connection.sock.settimeout(self._timeout_s)
        return connection


@contextmanager
def translated() -> Iterator[None]:
    """What the network does to an exchange under way, as ApiError."""
    try:
        yield
    except TimeoutError as error:
        raise ApiError(
            "the gateway sent nothing within the client's timeout", type="timeout_error"
        ) from error
    except (OSError, HTTPException) as error:
        raise ApiError(
            f"the connection to the gateway broke: {_reason(error)}", type="connection_error"
        ) from error


def _is_stale(connection: HTTPConnection) -> bool:
    """Whether the server closed it meanwhile: an idle connection has nothing to say but its end.
    Asked before sending, because a POST must not be sent twice (RFC 9110, 9.2.2)."""
    with suppress(OSError, ValueError):
        return bool(select.select([connection.sock], [], [], 0)[0])
    return True


def _split(url: str) -> SplitResult:
    parts = urlsplit((url if "://" in url else f"http://{url}").strip().rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError(f"not the URL of a gateway: {url!r} (http://127.0.0.1:8000 is one)")
    if parts.username or parts.password:
        raise ValueError("the gateway's key goes into api_key, not into the URL")
    parts.port  # noqa: B018  raises ValueError if it is not a number
    return parts


def _checked(api_key: str) -> str:
    key = api_key.strip()
    if not key.isascii() or not key.isprintable():
        raise ValueError("the gateway's key holds characters that no key has")
    return key


def _reason(error: Exception) -> str:
    if isinstance(error, IncompleteRead):
        return "the answer was cut short"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
