"""Anthropic's errors (platform.claude.com/docs/en/api/errors): the types, the status of each, and
the body, which is also the data of the event ``error`` in a stream."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from headway import errors

API_ERROR = "api_error"
STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    API_ERROR: 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
BY_STATUS = {status: name for name, status in STATUSES.items()}
BY_CLASS: dict[type[errors.HeadwayError], str] = {
    errors.UpstreamQuota: "billing_error",
    errors.UpstreamOverloaded: "overloaded_error",
    errors.UpstreamTimeout: "timeout_error",
    errors.BodyTooLarge: "request_too_large",
    errors.ShuttingDown: "overloaded_error",
    errors.LedgerUnavailable: "overloaded_error",
}
"""Classes whose status says less. A quota that is used up is no 429 here: clients would try
again."""
KEPT_STATUSES = frozenset({405, 409, 415, 508})
"""Statuses of HTTP for which Anthropic has no type."""


def type_of(error: errors.HeadwayError) -> str:
    """The provider's own type, where it is one of Anthropic's."""
    if error.code in STATUSES and isinstance(error, errors.UpstreamError):
        return str(error.code)
    found = BY_CLASS.get(type(error)) or BY_STATUS.get(error.status)
    return found or ("invalid_request_error" if 400 <= error.status < 500 else API_ERROR)


def status_of(error: errors.HeadwayError) -> int:
    return error.status if error.status in KEPT_STATUSES else STATUSES[type_of(error)]


def encode_error(error: errors.HeadwayError, request_id: str) -> bytes:
    """``error.message`` must contain no secret."""
    inner: dict[str, Any] = {"type": type_of(error), "message": error.message}
    if error.details is not None:
        inner["details"] = Raw(error.details.encode())
    request_id = error.request_id or request_id
    return msgspec.json.encode({"type": "error", "error": inner, "request_id": request_id})
