"""A pool of HTTP connections to one gateway, on ``http.client``. Safe to share between threads.

A connection carries one request at a time. It returns to the pool when the reply has been read
completely; otherwise it is closed, which makes the gateway cancel the call.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection

from headway.sdk.endpoint import Endpoint
from headway.sdk.errors import ApiError, Unreachable, reason

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
    """Connections that threads share. Raises ValueError for an invalid URL or key."""

    def __init__(self, url: str, api_key: str | None, timeout_s: float) -> None:
        self._endpoint = Endpoint(url, api_key)
        self.url = self._endpoint.url
        self._timeout_s = timeout_s
        self._idle: deque[HTTPConnection] = deque()

    def open(self, method: str, path: str, body: bytes | None, accept: str) -> PendingResponse:
        """Send a request and read the status and headers of its response."""
        connection = self._take()
        headers = self._endpoint.headers(body, accept)
        try:
            with as_api_errors():
                connection.request(method, self._endpoint.prefix + path, body=body, headers=headers)
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
        endpoint = self._endpoint
        factory = HTTPSConnection if endpoint.is_tls else HTTPConnection
        connection = factory(endpoint.host, endpoint.port, timeout=CONNECT_TIMEOUT_S)
        try:
            connection.connect()
        except (OSError, UnicodeError) as error:  # UnicodeError: an invalid IDNA host name
            connection.close()
            raise Unreachable(self.url, reason(error)) from error
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
            f"the connection to the gateway failed: {reason(error)}", type="connection_error"
        ) from error


def _is_stale(connection: HTTPConnection) -> bool:
    """Whether the server closed the idle connection: it is readable only then. Checked before
    sending, because a POST must not be sent twice (RFC 9110, 9.2.2)."""
    with suppress(OSError, ValueError):
        return bool(select.select([connection.sock], [], [], 0)[0])
    return True
