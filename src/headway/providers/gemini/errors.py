"""Google's errors, read into our tree (google.rpc.Status; cloud.google.com/apis/design/errors).

``{"error": {code, message, status, details}}``; streamGenerateContent without alt=sse wraps it in a
list. A refused API key is a 400: what it is stands in the details, as the reason API_KEY_INVALID.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from headway.providers.openai import errors as openai_errors
from headway.types import Headers

BY_STATUS: Mapping[str, type[UpstreamError]] = {
    "ABORTED": UpstreamError,
    "CANCELLED": UpstreamError,
    "DEADLINE_EXCEEDED": UpstreamTimeout,
    "FAILED_PRECONDITION": UpstreamRejected,
    "INTERNAL": UpstreamError,
    "INVALID_ARGUMENT": UpstreamRejected,
    "NOT_FOUND": UpstreamNotFound,
    "OUT_OF_RANGE": UpstreamRejected,
    "PERMISSION_DENIED": UpstreamAuth,
    "RESOURCE_EXHAUSTED": UpstreamRateLimited,
    "UNAUTHENTICATED": UpstreamAuth,
    "UNAVAILABLE": UpstreamOverloaded,
    "UNIMPLEMENTED": UpstreamRejected,
}
BY_REASON: Mapping[str, type[UpstreamError]] = {
    "ACCESS_TOKEN_EXPIRED": UpstreamAuth,
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": UpstreamAuth,
    "API_KEY_INVALID": UpstreamAuth,
    "API_KEY_SERVICE_BLOCKED": UpstreamAuth,
    "BILLING_DISABLED": UpstreamAuth,
    "CREDENTIALS_MISSING": UpstreamAuth,
    "SERVICE_DISABLED": UpstreamAuth,
}
KEPT = (400, 413, 422)
"""Statuses of a refused request that stay as they are."""
DELAY = re.compile(r"(\d+(?:\.\d+)?)s")
"""A protobuf Duration in JSON."""


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Never raises, whatever the body is. What is not Google's shape may be a proxy's."""
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parsed = None
    found = _object(parsed)
    if found is None:
        return openai_errors.decode_error(status, headers, body)
    error = error_from(found, status)
    if error.retry_after_s is None:
        error.retry_after_s = openai_errors.retry_after(dict(headers))
    return error


def error_from(found: Mapping[str, Any], status: int | None = None) -> UpstreamError:
    """``found`` is what stands under ``error``; ``status`` is the response's, None in a stream."""
    details = _details(found)
    reason = _first(details, "ErrorInfo", "reason")
    name = found.get("status")
    code = found.get("code")
    status = status or (code if isinstance(code, int) else None)
    error = _class(reason, name, status, details)
    return error(
        _message(found, status),
        param=_field(details),
        code=_text(reason) or _text(name) or _text(code),
        retry_after_s=_delay(_first(details, "RetryInfo", "retryDelay")),
        status=status if error is UpstreamRejected and status in KEPT else None,
    )


def _class(
    reason: Any, name: Any, status: int | None, details: list[dict[str, Any]]
) -> type[UpstreamError]:
    if name == "RESOURCE_EXHAUSTED" and _is_spent(details):
        return UpstreamQuota
    by_number = openai_errors.BY_STATUS.get(status or 0)
    if by_number is None and status is not None and 400 <= status < 500:
        by_number = UpstreamRejected
    known = BY_REASON.get(_text(reason) or "") or BY_STATUS.get(_text(name) or "")
    return known or by_number or UpstreamError


def _is_spent(details: list[dict[str, Any]]) -> bool:
    """A quota for the day, and not for the minute: waiting for a moment mends nothing."""
    for detail in _of(details, "QuotaFailure"):
        violations = detail.get("violations")
        for violation in violations if isinstance(violations, list) else ():
            if isinstance(violation, dict) and "PerDay" in str(violation.get("quotaId")):
                return True
    return False


def _object(parsed: Any) -> dict[str, Any] | None:
    if isinstance(parsed, list) and parsed:
        parsed = parsed[0]
    found = parsed.get("error") if isinstance(parsed, dict) else None
    return found if isinstance(found, dict) else None


def _details(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    details = found.get("details")
    return [d for d in details if isinstance(d, dict)] if isinstance(details, list) else []


def _of(details: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [d for d in details if str(d.get("@type")).endswith(f"google.rpc.{kind}")]


def _first(details: list[dict[str, Any]], kind: str, field: str) -> Any:
    return next((d.get(field) for d in _of(details, kind)), None)


def _field(details: list[dict[str, Any]]) -> str | None:
    """The field that a BadRequest names."""
    violations = _first(details, "BadRequest", "fieldViolations")
    if not isinstance(violations, list) or not violations or not isinstance(violations[0], dict):
        return None
    return _text(violations[0].get("field"))


def _delay(text: Any) -> float | None:
    found = DELAY.fullmatch(text) if isinstance(text, str) else None
    return None if found is None else float(found[1])


def _message(found: Mapping[str, Any], status: int | None) -> str:
    message = found.get("message")
    if isinstance(message, str) and message:
        return message[: openai_errors.LONGEST]
    return f"The provider answered with status {status} and no message."


def _text(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)
