"""Ask a route that the SDK has no method for."""

from __future__ import annotations

from headway.cli.errors import usage_error


def post_json(url: str, api_key: str | None, path: str, body: bytes, timeout_s: float) -> bytes:
    """The body of the reply. Raises ApiError, CommandError."""
    return _ask(url, api_key, "POST", path, body, timeout_s)


def get_json(url: str, api_key: str | None, path: str, timeout_s: float) -> bytes:
    """The body of the reply. Raises ApiError, CommandError."""
    return _ask(url, api_key, "GET", path, None, timeout_s)


def _ask(
    url: str, api_key: str | None, method: str, path: str, body: bytes | None, timeout_s: float
) -> bytes:
    from headway.sdk.connections import ConnectionPool
    from headway.sdk.errors import from_response
    from headway.sdk.requests import JSON

    try:
        pool = ConnectionPool(url, api_key, timeout_s)
    except ValueError as error:
        raise usage_error(str(error)) from error
    pending = pool.open(method, path, body, JSON)
    response, answer = pending.response, pending.read()
    pool.close()
    if response.status != 200:
        raise from_response(response.status, response.headers, answer)
    return answer
