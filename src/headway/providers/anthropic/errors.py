"""Anthropic's errors read into our tree (platform.claude.com/docs/en/api/errors), and those of the
clouds that serve its models.

Shapes: ``{"type": "error", "error": {"type", "message", "details"}, "request_id"}``, in a body or
in the event ``error`` of a stream; Google's ``{"error": {"code", "message", "status"}}``, alone or
in a list; ``{"message"}`` from AWS; HTML from what stands before them.
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
from headway.providers.openai.errors import BY_STATUS, LONGEST, STATUS, retry_after
from headway.types import Headers

BY_TYPE: dict[str, type[UpstreamError]] = {
    "invalid_request_error": UpstreamRejected,
    "request_too_large": UpstreamRejected,
    "authentication_error": UpstreamAuth,
    "permission_error": UpstreamAuth,
    "billing_error": UpstreamQuota,
    "not_found_error": UpstreamNotFound,
    "rate_limit_error": UpstreamRateLimited,
    "timeout_error": UpstreamTimeout,
    "api_error": UpstreamError,
    "overloaded_error": UpstreamOverloaded,
}
QUOTA = (
    "credit balance is too low",
    "reached your specified API usage limits",
    "enforced_spend_limit_reached",
)
"""What a 400 invalid_request_error says where money is what is missing."""
SHOULD_RETRY = {b"true": True, b"false": False}
REQUEST_IDS = (b"request-id", b"x-request-id", b"x-amzn-requestid")


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Never raises, whatever the body is."""
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parsed = {"message": body.decode(errors="replace").strip()}
    error = error_from(parsed, status)
    names = dict(headers)
    found = next((names[name] for name in REQUEST_IDS if name in names), None)
    if found is not None:
        error.request_id = found.decode("latin-1")
    error.retry_after_s = retry_after(names)
    should = SHOULD_RETRY.get(names.get(b"x-should-retry", b""))
    if should is not None:  # Anthropic knows best; its own SDKs obey it
        error.retryable = should
    return error


def error_from(parsed: Any, status: int | None) -> UpstreamError:
    """An error out of what was said; ``status`` is None inside a stream."""
    whole = _object(parsed[0] if isinstance(parsed, list) and parsed else parsed)
    inner = whole.get("error", whole)
    fields = _object(inner) if not isinstance(inner, str) else {"message": inner}
    kind = _string(fields.get("type"))
    message = _string(fields.get("message")) or _nothing_said(status)
    cls = _class(kind, status, message, fields)
    return cls(
        message[:LONGEST],
        code=kind or _string(fields.get("status")),
        request_id=_string(whole.get("request_id")),
        status=status if status in STATUS.get(cls, ()) else None,
    )


def _class(
    kind: str | None, status: int | None, message: str, fields: dict[str, Any]
) -> type[UpstreamError]:
    said = message + str(fields.get("details") or "")
    if kind == "invalid_request_error" and any(sign in said for sign in QUOTA):
        return UpstreamQuota
    found = BY_TYPE.get(kind or "") or BY_STATUS.get(status or 0)
    if found is not None:
        return found
    return UpstreamRejected if status is not None and 400 <= status < 500 else UpstreamError


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _nothing_said(status: int | None) -> str:
    if status is None:
        return "The provider reported an error with no message."
    return f"The provider answered with status {status} and no message."
