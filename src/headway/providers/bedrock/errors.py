"""Bedrock's errors read into our tree
(docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html).

Shapes: ``{"message"}`` or ``{"Message"}`` with the kind in ``x-amzn-errortype``, to which a
namespace may be glued (``ValidationException:http://...``); the kind as ``__type`` in the body,
with one before it (``com.amazon.coral.service#...``); in a stream, an exception frame named by its
kind, which begins with a small letter there.
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

BY_KIND: dict[str, type[UpstreamError]] = {
    "AccessDeniedException": UpstreamAuth,
    "ConflictException": UpstreamRejected,
    "ExpiredTokenException": UpstreamAuth,
    "IncompleteSignatureException": UpstreamAuth,
    "InternalServerException": UpstreamError,
    "InvalidSignatureException": UpstreamAuth,
    "MissingAuthenticationTokenException": UpstreamAuth,
    "ModelErrorException": UpstreamError,
    "ModelNotReadyException": UpstreamOverloaded,
    "ModelStreamErrorException": UpstreamError,
    "ModelTimeoutException": UpstreamTimeout,
    "RequestExpired": UpstreamAuth,
    "ResourceNotFoundException": UpstreamNotFound,
    "ServiceQuotaExceededException": UpstreamQuota,
    "ServiceUnavailableException": UpstreamOverloaded,
    "ThrottlingException": UpstreamRateLimited,
    "UnrecognizedClientException": UpstreamAuth,
    "ValidationException": UpstreamRejected,
}
BY_WORDS: tuple[tuple[str, str, type[UpstreamError]], ...] = (
    ("AccessDeniedException", "access to the model", UpstreamNotFound),
    ("ThrottlingException", "per day", UpstreamQuota),
    ("ValidationException", "model identifier is invalid", UpstreamNotFound),
)
"""Kind, words of the message, class: one kind has more than one party at fault."""
REQUEST_ID, ERROR_TYPE = b"x-amzn-requestid", b"x-amzn-errortype"


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Never raises, whatever the body is."""
    names = dict(headers)
    kind = names[ERROR_TYPE].decode("latin-1") if ERROR_TYPE in names else None
    error = error_from(kind, body, status)
    if REQUEST_ID in names:
        error.request_id = names[REQUEST_ID].decode("latin-1")
    error.retry_after_s = retry_after(names)
    return error


def error_from(kind: str | None, body: bytes, status: int | None) -> UpstreamError:
    """An error out of what was said; ``status`` is None inside a stream or a 200. Never raises."""
    fields = _fields(body)
    kind = _kind(kind or _string(fields.get("__type")) or _string(fields.get("code")))
    message = _message(fields, status)
    cls = next((c for k, said, c in BY_WORDS if kind in (k, None) and said in message), None)
    cls = cls or BY_KIND.get(kind or "") or BY_STATUS.get(status or 0) or _by_range(status)
    return cls(
        message[:LONGEST], code=kind, status=status if status in STATUS.get(cls, ()) else None
    )


def _kind(given: str | None) -> str | None:
    if not given:
        return None
    name = given.partition(":")[0].rpartition("#")[2]
    return name[:1].upper() + name[1:]


def _fields(body: bytes) -> dict[str, Any]:
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        parsed = body.decode(errors="replace").strip()
    return parsed if isinstance(parsed, dict) else {"message": str(parsed or "")}


def _message(fields: dict[str, Any], status: int | None) -> str:
    for name in ("message", "Message", "errorMessage", "originalMessage"):
        if found := _string(fields.get(name)):
            return found
    if status is None:
        return "The provider reported an error with no message."
    return f"The provider answered with status {status} and no message."


def _by_range(status: int | None) -> type[UpstreamError]:
    return UpstreamRejected if status is not None and 400 <= status < 500 else UpstreamError


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
