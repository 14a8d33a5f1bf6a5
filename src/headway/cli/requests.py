"""Ask a route that the SDK has no method for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from headway.cli.errors import usage_error

if TYPE_CHECKING:
    from http.client import HTTPResponse

    from headway.sdk.connections import PendingResponse

EVENTS = "text/event-stream"
READ_SIZE = 65536


def post_json(url: str, api_key: str | None, path: str, body: bytes, timeout_s: float) -> bytes:
    """The body of the reply. Raises ApiError, CommandError."""
    return _ask(url, api_key, "POST", path, body, timeout_s)


def get_json(url: str, api_key: str | None, path: str, timeout_s: float) -> bytes:
    """The body of the reply. Raises ApiError, CommandError."""
    return _ask(url, api_key, "GET", path, None, timeout_s)


@contextmanager
def post_for_events(
    url: str, api_key: str | None, path: str, body: bytes, timeout_s: float
) -> Iterator[Iterator[bytes]]:
    """The data of each server-sent event of the reply, as it arrives. To leave the context before
    the end closes the connection. Raises ApiError, CommandError."""
    from headway.sdk.errors import from_response

    with _opened(url, api_key, "POST", path, body, EVENTS, timeout_s) as pending:
        if pending.response.status != 200:
            headers = pending.response.headers
            raise from_response(pending.response.status, headers, pending.read())
        yield _events(pending.response)


def decode_event(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(data)
    return found


def _events(response: HTTPResponse) -> Iterator[bytes]:
    """Of a gateway: the data of an event is one line."""
    from headway.sdk.connections import as_api_errors

    rest = b""
    while True:
        with as_api_errors():
            data = response.read1(READ_SIZE)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        yield from (line[6:] for line in lines if line.startswith(b"data: "))


def _ask(
    url: str, api_key: str | None, method: str, path: str, body: bytes | None, timeout_s: float
) -> bytes:
    from headway.sdk.errors import from_response
    from headway.sdk.requests import JSON

    with _opened(url, api_key, method, path, body, JSON, timeout_s) as pending:
        response, answer = pending.response, pending.read()
    if response.status != 200:
        raise from_response(response.status, response.headers, answer)
    return answer


@contextmanager
def _opened(
    url: str,
    api_key: str | None,
    method: str,
    path: str,
    body: bytes | None,
    accept: str,
    timeout_s: float,
) -> Iterator[PendingResponse]:
    """The connection is closed at the end of the context."""
    from headway.sdk.connections import ConnectionPool

    try:
        pool = ConnectionPool(url, api_key, timeout_s)
    except ValueError as error:
        raise usage_error(str(error)) from error
    pending = pool.open(method, path, body, accept)
    try:
        yield pending
    finally:
        pending.abandon()
        pool.close()
