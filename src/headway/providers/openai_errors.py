"""OpenAI's errors, and those of everyone who copied them more or less well, read into our tree.

Shapes seen on the wire: ``{"error": {message, type, param, code}}``; ``error`` as a plain string;
``{"message": ...}`` or ``{"detail": ...}`` alone; numeric codes; HTML or plain text from a proxy.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headway.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamNotFound,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
)
from headway.types import Headers

BY_STATUS: dict[int, type[UpstreamError]] = {
    400: UpstreamRejected,
    401: UpstreamAuth,
    402: UpstreamQuota,
    403: UpstreamAuth,
    404: UpstreamNotFound,
    408: UpstreamTimeout,
    413: UpstreamRejected,
    422: UpstreamRejected,
    429: UpstreamRateLimited,
    503: UpstreamOverloaded,
    504: UpstreamTimeout,
    529: UpstreamOverloaded,
}
BY_CODE: dict[str, type[UpstreamError]] = {
    "insufficient_quota": UpstreamQuota,
    "invalid_api_key": UpstreamAuth,
    "model_not_found": UpstreamNotFound,
    "rate_limit_exceeded": UpstreamRateLimited,
    "overloaded_error": UpstreamOverloaded,
    "invalid_request_error": UpstreamRejected,
}
STATUS = {UpstreamRejected: (400, 413, 422), UpstreamQuota: (402, 429)}
"""Classes that keep the provider's own status, where it is one of these."""
LONGEST = 2000


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Never raises, whatever the body is."""
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        parsed = body.decode(errors="replace").strip()
    found = parsed.get("error", parsed) if isinstance(parsed, dict) else parsed
    error = error_from(found, status)
    names = dict(headers)
    error.request_id = _text(names.get(b"x-request-id") or names.get(b"request-id"))
    error.retry_after_s = retry_after(names)
    return error


def error_from(found: Any, status: int | None) -> UpstreamError:
    """An error out of what the provider said; ``status`` is None inside a stream."""
    fields = found if isinstance(found, dict) else {"message": found}
    code, kind = _string(fields.get("code")), _string(fields.get("type"))
    status = status or _status_in(fields)
    cls = BY_CODE.get(code or "") or BY_STATUS.get(status or 0) or BY_CODE.get(kind or "")
    message = fields.get("message") or fields.get("detail") or fields.get("error_description")
    return (cls or _by_range(status))(
        _message(message, status),
        param=_string(fields.get("param")),
        code=code or kind,
        status=status if cls and status in STATUS.get(cls, ()) else None,
    )


def retry_after(headers: dict[bytes, bytes]) -> float | None:
    """Seconds to wait, from ``retry-after-ms`` or ``retry-after`` (RFC 9110, 10.2.3). A date there
    is not read: it would need a clock."""
    for name, unit in ((b"retry-after-ms", 1000.0), (b"retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, b"")) / unit
        except ValueError:
            continue
        if 0 < seconds < 86400:
            return seconds
    return None


def _by_range(status: int | None) -> type[UpstreamError]:
    return UpstreamRejected if status is not None and 400 <= status < 500 else UpstreamError


def _status_in(fields: dict[str, Any]) -> int | None:
    for name in ("status_code", "status", "code"):
        value = fields.get(name)
        if isinstance(value, int) and 400 <= value < 600:
            return value
    return None


def _message(message: Any, status: int | None) -> str:
    if message is None or message == "":
        return f"The provider answered with status {status} and no message."
    text = message if isinstance(message, str) else msgspec.json.encode(message).decode()
    return text[:LONGEST]


def _string(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
