"""The client's error, and how it is decoded from a reply."""

from __future__ import annotations

from email.message import Message
from http.client import IncompleteRead
from typing import Any

import msgspec


class ApiError(Exception):
    """A call failed.

    ``type`` is stable, so that code can branch on it (``rate_limit_error``, ``connection_error``,
    ...). ``status`` is the HTTP status of the error; None if the gateway was not reached, or the
    error came inside a stream. ``retry_after_s`` is in seconds; None is unknown.
    """

    def __init__(
        self,
        message: str,
        *,
        type: str = "api_error",  # noqa: A002
        status: int | None = None,
        provider: str | None = None,
        param: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.type = type
        self.status = status
        self.provider = provider
        self.param = param
        self.code = code
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class Unreachable(ApiError):  # noqa: N818  named like the errors of the gateway
    """No connection to the gateway at this URL could be made."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"no gateway answers at {url} ({reason})", type="connection_error")
        self.url = url
        self.reason = reason


def reason(error: Exception) -> str:
    """Why the connection failed, in one phrase."""
    if isinstance(error, IncompleteRead | EOFError):
        return "the response was truncated"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class _Error(msgspec.Struct, frozen=True):
    message: str
    type: str = "api_error"
    provider: str | None = None
    param: str | None = None
    code: str | None = None
    request_id: str | None = None
    retry_after_s: float | None = None


class _Envelope(msgspec.Struct, frozen=True):
    error: _Error


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def from_response(status: int, headers: Message, body: bytes) -> ApiError:
    """The error in a complete reply. Of a body in another format (from a proxy, or a server that is
    not a gateway) the message quotes the beginning."""
    found = _parse(body)
    if found is None:
        return _unknown_format(status, headers, body)
    error = _build(found, status)
    if error.retry_after_s is None:
        error.retry_after_s = _seconds(headers.get("retry-after"))
    if error.request_id is None:
        error.request_id = headers.get("x-request-id")
    return error


def from_event(line: bytes) -> ApiError | None:
    """The error in a line of a stream, or None if it is not an error."""
    if b'"error"' not in line:  # most lines need no second parse
        return None
    found = _parse(line)
    return None if found is None else _build(found, None)


def _parse(body: bytes) -> _Error | None:
    try:
        return _decode_envelope(body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _build(found: _Error, status: int | None) -> ApiError:
    fields: dict[str, Any] = msgspec.structs.asdict(found)
    return ApiError(fields.pop("message"), status=status, **fields)


def _unknown_format(status: int, headers: Message, body: bytes) -> ApiError:
    beginning = " ".join(body[:2000].decode("utf-8", "replace").split())[:200]
    message = f"HTTP {status}, not in the gateway's error format"
    return ApiError(
        f"{message}: {beginning}" if beginning else message,
        status=status,
        retry_after_s=_seconds(headers.get("retry-after")),
        request_id=headers.get("x-request-id"),
    )


def _seconds(value: str | None) -> float | None:
    """The seconds in ``Retry-After`` (RFC 9110, 10.2.3); None for a date."""
    return float(value) if value is not None and value.strip().isdigit() else None
