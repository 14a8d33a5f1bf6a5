"""Decode HTTP error responses in the shapes of OpenAI's API and of the APIs that copied it.

Shapes seen on the wire: ``{"error": {message, type, param, code}}``; ``error`` as a plain string;
``{"message": ...}`` or ``{"detail": ...}`` alone; numeric codes; HTML or plain text from a proxy.
Adapters of other wire formats share the tables by status, ``retry_after`` and the fallbacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

import msgspec

from headway import errors
from headway.types import Headers

ErrorClass = type[errors.UpstreamError]

ERRORS_BY_STATUS: Mapping[int, ErrorClass] = {
    400: errors.UpstreamRejected,
    401: errors.UpstreamAuth,
    402: errors.UpstreamQuota,
    403: errors.UpstreamAuth,
    404: errors.UpstreamNotFound,
    408: errors.UpstreamTimeout,
    413: errors.UpstreamRejected,
    422: errors.UpstreamRejected,
    429: errors.UpstreamRateLimited,
    503: errors.UpstreamOverloaded,
    504: errors.UpstreamTimeout,
    529: errors.UpstreamOverloaded,
}
ERRORS_BY_CODE: Mapping[str, ErrorClass] = {
    "insufficient_quota": errors.UpstreamQuota,
    "invalid_api_key": errors.UpstreamAuth,
    "model_not_found": errors.UpstreamNotFound,
}
"""Codes that are more precise than the status they come with."""
ERRORS_BY_TYPE: Mapping[str, ErrorClass] = {
    **ERRORS_BY_CODE,
    "authentication_error": errors.UpstreamAuth,
    "invalid_request_error": errors.UpstreamRejected,
    "not_found_error": errors.UpstreamNotFound,
    "overloaded_error": errors.UpstreamOverloaded,
    "permission_error": errors.UpstreamAuth,
    "rate_limit_error": errors.UpstreamRateLimited,
    "rate_limit_exceeded": errors.UpstreamRateLimited,
}
"""Codes and types, used only where there is no status, because they mislead with one: a rejected
key has been an ``invalid_request_error`` with 401, a request too large for any limit a
``rate_limit_exceeded`` with 413."""
PRESERVED_STATUSES: Mapping[ErrorClass, tuple[int, ...]] = {
    errors.UpstreamRejected: (400, 413, 422),
    errors.UpstreamQuota: (402, 429),
}
"""Classes that keep the provider's status where it is one of these."""
MAX_MESSAGE_LENGTH = 2000
"""Characters of the provider's message that are kept."""
INVALID_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""Exceptions that msgspec's JSON decoders raise over bytes that are not the expected JSON."""


def decode_error(status: int, headers: Headers, body: bytes) -> errors.UpstreamError:
    """The error of a response with an error status. Never raises, whatever the body is."""
    try:
        parsed = msgspec.json.decode(body)
    except INVALID_JSON:
        parsed = body.decode(errors="replace").strip()
    error = error_from_body(parsed, status)
    names = dict(headers)
    error.request_id = _text(names.get(b"x-request-id") or names.get(b"request-id"))
    error.retry_after_s = retry_after(names)
    return error


def error_from_body(parsed: Any, status: int | None) -> errors.UpstreamError:
    """The error that parsed JSON, or the text of a body that is not JSON, describes. ``status`` is
    None for an error inside a stream or in a response of status 200."""
    found = parsed.get("error") or parsed if isinstance(parsed, dict) else parsed
    fields = found if isinstance(found, dict) else {**_sibling_code(parsed), "message": found}
    code, kind = _code(fields.get("code")), _string(fields.get("type"))
    status = status or _status_in(fields)
    cls = _class(code, kind, status)
    message = fields.get("message") or fields.get("detail") or fields.get("error_description")
    return (cls or class_by_range(status))(
        _message(message, status),
        param=_string(fields.get("param")),
        code=code or kind or _string(fields.get("code")),
        status=preserved_status(cls, status),
    )


def class_by_range(status: int | None) -> ErrorClass:
    """The class for a status that ``ERRORS_BY_STATUS`` does not hold: 4xx rejects the request."""
    return (
        errors.UpstreamRejected
        if status is not None and 400 <= status < 500
        else errors.UpstreamError
    )


def preserved_status(cls: ErrorClass | None, status: int | None) -> int | None:
    """The provider's status where errors of this class keep it; None: the class has its own."""
    return status if cls is not None and status in PRESERVED_STATUSES.get(cls, ()) else None


def default_message(status: int | None) -> str:
    """For an error without a message; ``status`` is None inside a stream."""
    if status is None:
        return "The provider reported an error with no message."
    return f"The provider answered with status {status} and no message."


def retry_after(headers: Mapping[bytes, bytes]) -> float | None:
    """Seconds to wait, from ``retry-after-ms`` or ``retry-after`` (RFC 9110, 10.2.3). None for a
    date, which would need a clock, and for anything outside of 0 to 86400 seconds."""
    for name, unit in ((b"retry-after-ms", 1000.0), (b"retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, b"")) / unit
        except ValueError:
            continue
        if 0 < seconds < 86400:
            return seconds
    return None


def _sibling_code(parsed: Any) -> dict[str, Any]:
    """The ``code`` of a body whose ``error`` is a plain string (seen from xAI)."""
    return {"code": parsed.get("code")} if isinstance(parsed, dict) else {}


def _class(code: str | None, kind: str | None, status: int | None) -> ErrorClass | None:
    found = ERRORS_BY_CODE.get(code or "") or ERRORS_BY_STATUS.get(status or 0)
    if found is not None or status is not None:
        return found
    return ERRORS_BY_TYPE.get(code or "") or ERRORS_BY_TYPE.get(kind or "")


def _code(value: Any) -> str | None:
    """None for a code that only repeats a status: the error's type is more precise."""
    return None if _is_status(value) else _string(value)


def _is_status(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and 400 <= value < 600


def _status_in(fields: Mapping[str, Any]) -> int | None:
    for name in ("status_code", "status", "code"):
        value = fields.get(name)
        if _is_status(value):
            return value
    return None


def _message(message: Any, status: int | None) -> str:
    if message is None or message == "":
        return default_message(status)
    text = message if isinstance(message, str) else msgspec.json.encode(message).decode()
    return text[:MAX_MESSAGE_LENGTH]


def _string(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
