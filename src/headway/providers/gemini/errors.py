"""Decode Google's errors (google.rpc.Status; cloud.google.com/apis/design/errors).

``{"error": {code, message, status, details}}``; streamGenerateContent without alt=sse wraps it in a
list. An invalid API key is a 400, which only the reason API_KEY_INVALID in the details shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from headway import errors
from headway.providers import http_errors
from headway.providers.error_shapes import parse_error_body, read_error_fields
from headway.providers.rejections import specify
from headway.providers.retry_after import set_retry_after
from headway.types import Headers

ERRORS_BY_STATUS_NAME: Mapping[str, type[errors.UpstreamError]] = {
    "ABORTED": errors.UpstreamError,
    "CANCELLED": errors.UpstreamError,
    "DEADLINE_EXCEEDED": errors.UpstreamTimeout,
    "FAILED_PRECONDITION": errors.UpstreamRejected,
    "INTERNAL": errors.UpstreamError,
    "INVALID_ARGUMENT": errors.UpstreamRejected,
    "NOT_FOUND": errors.UpstreamNotFound,
    "OUT_OF_RANGE": errors.UpstreamRejected,
    "PERMISSION_DENIED": errors.UpstreamForbidden,
    "RESOURCE_EXHAUSTED": errors.UpstreamRateLimited,
    "UNAUTHENTICATED": errors.UpstreamAuth,
    "UNAVAILABLE": errors.UpstreamOverloaded,
    "UNIMPLEMENTED": errors.UpstreamUnsupported,
}
AUTH_REASONS = frozenset(
    {
        "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_TYPE_UNSUPPORTED", "API_KEY_INVALID",
        "API_KEY_SERVICE_BLOCKED", "BILLING_DISABLED", "CREDENTIALS_MISSING", "SERVICE_DISABLED",
    }
)  # fmt: skip
"""ErrorInfo reasons that are an authentication error, whatever the status."""
DURATION = re.compile(r"(\d+(?:\.\d+)?)s")
"""A protobuf Duration in JSON."""

Details = list[dict[str, Any]]


def decode_error(status: int, headers: Headers, body: bytes) -> errors.UpstreamError:
    """Never raises, whatever the body is. A body in another shape may be a proxy's."""
    found = _error_object(parse_error_body(body))
    if found is None:
        return http_errors.decode_error(status, headers, body)
    error = error_from_status(found, status)
    set_retry_after(error, dict(headers))
    return error


def error_from_status(
    rpc_status: Mapping[str, Any], status: int | None = None
) -> errors.UpstreamError:
    """``rpc_status`` is a google.rpc.Status, the value of ``error``; ``status`` is the HTTP status,
    None in a stream."""
    details = _details(rpc_status)
    reason = _string(_first(details, "ErrorInfo", "reason"))
    name = _string(rpc_status.get("status"))
    code = rpc_status.get("code")
    status = status or (code if isinstance(code, int) else None)
    cls = _class(reason, name, status, details)
    error = cls(
        _message(rpc_status, status),
        param=_invalid_field(details),
        code=reason or name or _string(code),
        retry_after_s=_seconds(_first(details, "RetryInfo", "retryDelay")),
        status=http_errors.preserved_status(cls, status)
        if cls is errors.UpstreamRejected
        else None,
    )
    return specify(error)


def _class(
    reason: str | None, name: str | None, status: int | None, details: Details
) -> type[errors.UpstreamError]:
    if name == "RESOURCE_EXHAUSTED" and _is_daily_quota(details):
        return errors.UpstreamQuota
    if reason in AUTH_REASONS:
        return errors.UpstreamAuth
    if status == http_errors.LOOP_STATUS:
        return errors.UpstreamLoop
    by_status = http_errors.ERRORS_BY_STATUS.get(status or 0)
    return ERRORS_BY_STATUS_NAME.get(name or "") or by_status or http_errors.class_by_range(status)


def _is_daily_quota(details: Details) -> bool:
    """A quota of the day, not of the minute: a retry after some seconds cannot succeed."""
    for detail in _of_type(details, "QuotaFailure"):
        violations = detail.get("violations")
        for violation in violations if isinstance(violations, list) else ():
            if isinstance(violation, dict) and "PerDay" in str(violation.get("quotaId")):
                return True
    return False


def _error_object(parsed: Any) -> dict[str, Any] | None:
    if isinstance(parsed, list) and parsed:
        parsed = parsed[0]
    found = parsed.get("error") if isinstance(parsed, dict) else None
    return found if isinstance(found, dict) else None


def _details(rpc_status: Mapping[str, Any]) -> Details:
    details = rpc_status.get("details")
    return [d for d in details if isinstance(d, dict)] if isinstance(details, list) else []


def _of_type(details: Details, name: str) -> Details:
    return [d for d in details if str(d.get("@type")).endswith(f"google.rpc.{name}")]


def _first(details: Details, name: str, field: str) -> Any:
    return next((d.get(field) for d in _of_type(details, name)), None)


def _invalid_field(details: Details) -> str | None:
    """The field that a BadRequest names."""
    violations = _first(details, "BadRequest", "fieldViolations")
    if not isinstance(violations, list) or not violations or not isinstance(violations[0], dict):
        return None
    return _string(violations[0].get("field"))


def _seconds(text: Any) -> float | None:
    found = DURATION.fullmatch(text) if isinstance(text, str) else None
    return None if found is None else float(found[1])


def _message(rpc_status: Mapping[str, Any], status: int | None) -> str:
    message = read_error_fields(rpc_status).message or http_errors.default_message(status)
    return message[: http_errors.MAX_MESSAGE_LENGTH]


def _string(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)
