"""Decode Bedrock's errors
(docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html).

Shapes: ``{"message"}`` or ``{"Message"}`` with the type in ``x-amzn-errortype``, which may be
followed by a namespace (``ValidationException:http://...``); the type as ``__type`` in the body,
where the namespace comes first (``com.amazon.coral.service#...``); in a stream, an exception
message named by the type, with a lower-case first letter.
"""

from __future__ import annotations

from typing import Any

from headway import errors
from headway.providers.error_shapes import parse_error_body, read_error_fields
from headway.providers.http_errors import (
    ERRORS_BY_STATUS,
    MAX_MESSAGE_LENGTH,
    class_by_range,
    default_message,
    preserved_status,
)
from headway.providers.rejections import specify
from headway.providers.retry_after import set_retry_after
from headway.types import Headers

BY_TYPE: dict[str, type[errors.UpstreamError]] = {
    "AccessDeniedException": errors.UpstreamForbidden,
    "ConflictException": errors.UpstreamRejected,
    "ExpiredTokenException": errors.UpstreamAuth,
    "IncompleteSignatureException": errors.UpstreamAuth,
    "InternalServerException": errors.UpstreamError,
    "InvalidSignatureException": errors.UpstreamAuth,
    "MissingAuthenticationTokenException": errors.UpstreamAuth,
    "ModelErrorException": errors.UpstreamError,
    "ModelNotReadyException": errors.UpstreamOverloaded,
    "ModelStreamErrorException": errors.UpstreamError,
    "ModelTimeoutException": errors.UpstreamTimeout,
    "RequestExpired": errors.UpstreamAuth,
    "ResourceNotFoundException": errors.UpstreamNotFound,
    "ServiceQuotaExceededException": errors.UpstreamQuota,
    "ServiceUnavailableException": errors.UpstreamOverloaded,
    "ThrottlingException": errors.UpstreamRateLimited,
    "UnrecognizedClientException": errors.UpstreamAuth,
    "ValidationException": errors.UpstreamRejected,
}
BY_TYPE_AND_MESSAGE: tuple[tuple[str, str, type[errors.UpstreamError]], ...] = (
    ("AccessDeniedException", "access to the model", errors.UpstreamNotFound),
    ("ThrottlingException", "per day", errors.UpstreamQuota),
    ("ValidationException", "model identifier is invalid", errors.UpstreamNotFound),
)
"""Type, part of the message, class: for types with more than one meaning."""
REQUEST_ID, ERROR_TYPE = b"x-amzn-requestid", b"x-amzn-errortype"


def decode_error(status: int, headers: Headers, body: bytes) -> errors.UpstreamError:
    """Never raises, whatever the body is."""
    by_name = dict(headers)
    error_type = by_name[ERROR_TYPE].decode("latin-1") if ERROR_TYPE in by_name else None
    error = error_from(error_type, body, status)
    if REQUEST_ID in by_name:
        error.request_id = by_name[REQUEST_ID].decode("latin-1")
    set_retry_after(error, by_name)
    return error


def error_from(error_type: str | None, body: bytes, status: int | None) -> errors.UpstreamError:
    """The error of a body or of a stream's message; ``status`` is None inside a stream, or where it
    was 200. Never raises."""
    parsed = parse_error_body(body)
    fields = parsed if isinstance(parsed, dict) else {}
    given = error_type or _string(fields.get("__type")) or _string(fields.get("code"))
    code = _without_namespace(given)
    message = read_error_fields(parsed).message or default_message(status)
    cls = _class(code, message, status)
    status = preserved_status(cls, status)
    return specify(cls(message[:MAX_MESSAGE_LENGTH], code=code, status=status))


def _class(code: str | None, message: str, status: int | None) -> type[errors.UpstreamError]:
    for known, part, cls in BY_TYPE_AND_MESSAGE:
        if code in (known, None) and part in message:
            return cls
    return BY_TYPE.get(code or "") or ERRORS_BY_STATUS.get(status or 0) or class_by_range(status)


def _without_namespace(error_type: str | None) -> str | None:
    if not error_type:
        return None
    name = error_type.partition(":")[0].rpartition("#")[2]
    return name[:1].upper() + name[1:]


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
