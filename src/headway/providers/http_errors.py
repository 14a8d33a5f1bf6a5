"""Decode HTTP error responses in the shapes of OpenAI's API and of the APIs that copied it, and
errors in the place of a response with status 200 (``error_shapes``).

Adapters of other wire formats share the tables by status and the fallbacks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from headway import errors
from headway.providers import error_shapes
from headway.providers.error_shapes import (
    as_status,
    is_error,
    parse_error_body,
    read_error_fields,
)
from headway.providers.rejections import specify
from headway.providers.retry_after import set_retry_after
from headway.types import Headers
from headway.wire.keep_alive import is_keep_alive

ErrorClass = type[errors.UpstreamError]

LOOP_STATUS = errors.UpstreamLoop.status
"""More precise than any type or code with it."""
ERRORS_BY_STATUS: Mapping[int, ErrorClass] = {
    400: errors.UpstreamRejected,
    401: errors.UpstreamAuth,
    402: errors.UpstreamQuota,
    403: errors.UpstreamForbidden,
    404: errors.UpstreamNotFound,
    408: errors.UpstreamTimeout,
    409: errors.UpstreamConflict,
    413: errors.UpstreamRejected,
    422: errors.UpstreamRejected,
    429: errors.UpstreamRateLimited,
    503: errors.UpstreamOverloaded,
    504: errors.UpstreamTimeout,
    LOOP_STATUS: errors.UpstreamLoop,
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
    **dict.fromkeys(
        (
            "bad_request", "context_length_exceeded", "invalid_argument", "invalid_parameter",
            "invalid_request", "unprocessable_entity", "validation",
        ),
        errors.UpstreamRejected,
    ),
    **dict.fromkeys(
        ("authentication", "invalid_key", "unauthenticated", "unauthorized"), errors.UpstreamAuth
    ),
    **dict.fromkeys(
        ("access_denied", "forbidden", "permission", "permission_denied"), errors.UpstreamForbidden
    ),
    "insufficient_balance": errors.UpstreamQuota,
    "quota_exceeded": errors.UpstreamQuota,
    "not_found": errors.UpstreamNotFound,
    **dict.fromkeys(
        (
            "rate_limit", "rate_limit_exceeded", "rate_limited", "resource_exhausted",
            "throttling", "too_many_requests",
        ),
        errors.UpstreamRateLimited,
    ),
    "overloaded": errors.UpstreamOverloaded,
    "service_unavailable": errors.UpstreamOverloaded,
    "deadline_exceeded": errors.UpstreamTimeout,
    "timeout": errors.UpstreamTimeout,
}  # fmt: skip
"""Codes and types, used only where there is no status, because they mislead with one: a rejected
key has been an ``invalid_request_error`` with 401, a request too large for any limit a
``rate_limit_exceeded`` with 413."""
PRESERVED_STATUSES: Mapping[ErrorClass, tuple[int, ...]] = {
    errors.UpstreamRejected: (400, 413, 422),
    errors.UpstreamQuota: (402, 429),
}
"""Classes that keep the provider's status where it is one of these."""
INVALID_JSON = error_shapes.INVALID_JSON
ERROR_MARKERS = (
    b"rror", b"RROR", b"essage", b'"msg"', b'"detail', b'"success"', b'"status', b'"ok"', b"ault",
    b'"err"', b'"code"', b"exception", b"errcode", b"base_resp", b"http_status", b"\\u",
)  # fmt: skip
"""Parts of the names of fields by which ``error_shapes.is_error`` recognizes an object; and the
escape by which a name may be written differently."""
SHOULD_RETRY = {b"true": True, b"false": False}
MAX_ERROR_SIZE = 256 * 1024
"""Bytes of a response that may be an error."""
MAX_MESSAGE_LENGTH = 2000
"""Characters of the provider's message that are kept."""
LOG_LEVEL = re.compile(r"\[[A-Za-z ]+\]\s*\w")
"""``[ERROR] out of memory`` is no list."""
WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])")


def decode_error(status: int, headers: Headers, body: bytes) -> errors.UpstreamError:
    """The error of a response with an error status. Never raises, whatever the body is."""
    error = error_from_body(parse_error_body(body), status)
    names = dict(headers)
    error.request_id = _text(names.get(b"x-request-id") or names.get(b"request-id"))
    set_retry_after(error, names)
    apply_should_retry(error, names)
    return error


def apply_should_retry(error: errors.UpstreamError, headers: Mapping[bytes, bytes]) -> None:
    """Obey ``x-should-retry``, as the SDKs of OpenAI and Anthropic do (openai-python,
    ``_base_client.py``, ``_should_retry``)."""
    should_retry = SHOULD_RETRY.get(headers.get(b"x-should-retry", b""))
    if should_retry is not None:
        error.retryable = should_retry


def error_from_body(parsed: Any, status: int | None) -> errors.UpstreamError:
    """The error that parsed JSON, or the text of a body that is not JSON, describes. ``status`` is
    None for an error inside a stream or in a response of status 200."""
    fields = read_error_fields(parsed)
    code, kind = _code(fields.code), _string(fields.type)
    status = status or fields.status
    cls = _class(code, kind, status)
    return specify(
        (cls or class_by_range(status))(
            fields.message[:MAX_MESSAGE_LENGTH] or default_message(status),
            param=_string(fields.param),
            code=code or kind or _string(fields.code),
            status=preserved_status(cls, status),
        )
    )


def find_error(data: bytes) -> errors.UpstreamError | None:
    """The error in the place of a response of status 200, or of one of its chunks. None if ``data``
    is not recognizably an error: neither an object that says so, nor a text."""
    if len(data) > MAX_ERROR_SIZE or not _may_be_error(data) or is_keep_alive(data):
        return None
    parsed = parse_error_body(data)
    if isinstance(parsed, str) and not _is_readable(parsed):
        return None
    return error_from_body(parsed, None) if is_error(parsed) else None


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


def _class(code: str | None, kind: str | None, status: int | None) -> ErrorClass | None:
    found = ERRORS_BY_CODE.get(code or "") or ERRORS_BY_STATUS.get(status or 0)
    if found is not None or status is not None:
        return found
    return _by_type(code) or _by_type(kind)


def _by_type(name: str | None) -> ErrorClass | None:
    """By a code or type in any spelling, such as ``RateLimitError`` or ``rate_limit``."""
    words = WORD_START.sub("_", name or "").lower().replace(" ", "_").replace("-", "_")
    return ERRORS_BY_TYPE.get(words) or ERRORS_BY_TYPE.get(words.removesuffix("_error"))


def _code(value: Any) -> str | None:
    """None for a code that only repeats a status: the error's type is more precise."""
    return None if isinstance(value, int) and as_status(value) else _string(value)


def _may_be_error(data: bytes) -> bool:
    """A fast check, which takes a tenth of the time of parsing an object without an error."""
    if data[:1] != b"{":
        return True
    for marker in ERROR_MARKERS:  # noqa: SIM110 - a generator would take longer
        if data.find(marker) >= 0:
            return True
    return False


def _is_readable(text: str) -> bool:
    """False for JSON that is cut or malformed, and for bytes that are no text."""
    is_json = text.startswith(("{", "[")) and LOG_LEVEL.match(text) is None
    return not is_json and all(map(str.isprintable, text.split()))


def _string(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
