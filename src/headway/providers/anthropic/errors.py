"""Decode Anthropic's errors (platform.claude.com/docs/en/api/errors), and those of the clouds that
serve its models.

Shapes: ``{"type": "error", "error": {"type", "message", "details"}, "request_id"}``, in a body or
in the event ``error`` of a stream; Google's ``{"error": {"code", "message", "status"}}``, alone or
in a list; ``{"message"}`` from AWS; HTML from proxies.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headway import errors
from headway.providers.anthropic.rate_limits import HEADERS
from headway.providers.error_shapes import parse_error_body, read_error_fields
from headway.providers.http_errors import (
    ERRORS_BY_STATUS,
    LOOP_STATUS,
    MAX_MESSAGE_LENGTH,
    apply_should_retry,
    class_by_range,
    default_message,
    preserved_status,
)
from headway.providers.rejections import specify
from headway.providers.retry_after import set_retry_after
from headway.types import Headers

BY_TYPE: dict[str, type[errors.UpstreamError]] = {
    "invalid_request_error": errors.UpstreamRejected,
    "request_too_large": errors.UpstreamRejected,
    "authentication_error": errors.UpstreamAuth,
    "permission_error": errors.UpstreamForbidden,
    "billing_error": errors.UpstreamQuota,
    "not_found_error": errors.UpstreamNotFound,
    "rate_limit_error": errors.UpstreamRateLimited,
    "timeout_error": errors.UpstreamTimeout,
    "api_error": errors.UpstreamError,
    "overloaded_error": errors.UpstreamOverloaded,
}
QUOTA_MESSAGES = (
    "credit balance is too low",
    "reached your specified API usage limits",
    "enforced_spend_limit_reached",
)
"""Parts of the message of a 400 invalid_request_error that means that the account lacks credit or
has reached its spend limit."""
REQUEST_ID_HEADERS = (b"request-id", b"x-request-id", b"x-amzn-requestid")


def decode_error(status: int, headers: Headers, body: bytes) -> errors.UpstreamError:
    """Never raises, whatever the body is."""
    error = error_from(parse_error_body(body), status)
    by_name = dict(headers)
    request_id = next((by_name[name] for name in REQUEST_ID_HEADERS if name in by_name), None)
    if request_id is not None:
        error.request_id = request_id.decode("latin-1")
    set_retry_after(error, by_name, HEADERS)
    apply_should_retry(error, by_name)
    return error


def error_from(parsed: Any, status: int | None) -> errors.UpstreamError:
    """The error of a parsed body or event; ``status`` is None inside a stream."""
    whole = _object(parsed[0] if isinstance(parsed, list) and parsed else parsed)
    inner = whole.get("error", whole)
    fields = _object(inner)
    error_type = _string(fields.get("type"))
    message = (
        _string(fields.get("message"))
        or read_error_fields(parsed).message
        or default_message(status)
    )
    cls = _class(error_type, status, message, fields)
    error = cls(
        message[:MAX_MESSAGE_LENGTH],
        code=error_type or _string(fields.get("status")),
        request_id=_string(whole.get("request_id")),
        status=preserved_status(cls, status),
    )
    error.details = _details(fields.get("details"))
    return specify(error)


def _details(value: Any) -> str | None:
    """Anthropic's ``details``, by whose ``error_code`` its clients recover; None for others."""
    if not _string(_object(value).get("error_code")):
        return None
    written = msgspec.json.encode(value).decode()
    return written if len(written) <= MAX_MESSAGE_LENGTH else None


def _class(
    error_type: str | None, status: int | None, message: str, fields: dict[str, Any]
) -> type[errors.UpstreamError]:
    text = message + str(fields.get("details") or "")
    if error_type == "invalid_request_error" and any(known in text for known in QUOTA_MESSAGES):
        return errors.UpstreamQuota
    if status == LOOP_STATUS:
        return errors.UpstreamLoop
    found = BY_TYPE.get(error_type or "") or ERRORS_BY_STATUS.get(status or 0)
    return found or class_by_range(status)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
