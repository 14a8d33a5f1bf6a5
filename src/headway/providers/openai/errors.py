"""OpenAI's errors, and those of everyone who copied them more or less well, read into our tree.

Shapes seen on the wire: ``{"error": {message, type, param, code}}``; ``error`` as a plain string;
``{"message": ...}`` or ``{"detail": ...}`` alone; numeric codes; HTML or plain text from a proxy.
"""

from __future__ import annotations

from typing import Any, TypeGuard

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
}
"""Codes that say more than the status beside them."""
BY_KIND: dict[str, type[UpstreamError]] = {
    **BY_CODE,
    "authentication_error": UpstreamAuth,
    "invalid_request_error": UpstreamRejected,
    "not_found_error": UpstreamNotFound,
    "overloaded_error": UpstreamOverloaded,
    "permission_error": UpstreamAuth,
    "rate_limit_error": UpstreamRateLimited,
    "rate_limit_exceeded": UpstreamRateLimited,
}
"""Codes and types that count where there is no status: with one they mislead. A refused key has
been an ``invalid_request_error`` with 401, a request too large ever to be let through a
``rate_limit_exceeded`` with 413."""
STATUS = {UpstreamRejected: (400, 413, 422), UpstreamQuota: (402, 429)}
"""Classes that keep the provider's own status, where it is one of these."""
LONGEST = 2000


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Never raises, whatever the body is."""
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parsed = body.decode(errors="replace").strip()
    error = error_in(parsed, status)
    names = dict(headers)
    error.request_id = _text(names.get(b"x-request-id") or names.get(b"request-id"))
    error.retry_after_s = retry_after(names)
    return error


def error_in(parsed: Any, status: int | None) -> UpstreamError:
    """An error out of what the provider said; ``status`` is None inside a stream."""
    found = parsed.get("error") or parsed if isinstance(parsed, dict) else parsed
    fields = found if isinstance(found, dict) else {**_beside(parsed), "message": found}
    code, kind = _code(fields.get("code")), _string(fields.get("type"))
    status = status or _status_in(fields)
    cls = _class(code, kind, status)
    message = fields.get("message") or fields.get("detail") or fields.get("error_description")
    return (cls or _by_range(status))(
        _message(message, status),
        param=_string(fields.get("param")),
        code=code or kind or _string(fields.get("code")),
        status=status if cls and status in STATUS.get(cls, ()) else None,
    )


def _beside(parsed: Any) -> dict[str, Any]:
    """xAI's ``error`` is a plain string, with its ``code`` beside it."""
    return {"code": parsed.get("code")} if isinstance(parsed, dict) else {}


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


def _class(code: str | None, kind: str | None, status: int | None) -> type[UpstreamError] | None:
    by_code = BY_CODE.get(code or "") or BY_STATUS.get(status or 0)
    if by_code is not None or status is not None:
        return by_code
    return BY_KIND.get(code or "") or BY_KIND.get(kind or "")


def _code(value: Any) -> str | None:
    """A code that only repeats a status says less than the type beside it."""
    return None if _is_status(value) else _string(value)


def _is_status(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and 400 <= value < 600


def _by_range(status: int | None) -> type[UpstreamError]:
    return UpstreamRejected if status is not None and 400 <= status < 500 else UpstreamError


def _status_in(fields: dict[str, Any]) -> int | None:
    for name in ("status_code", "status", "code"):
        value = fields.get(name)
        if _is_status(value):
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
