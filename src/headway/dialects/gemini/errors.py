"""Errors in Google's shape, a google.rpc.Status (cloud.google.com/apis/design/errors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headway.dialects.rate_limits import no_rate_limits
from headway.errors import HeadwayError

STATUS_NAMES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    508: "ABORTED",
}
"""HTTP status to google.rpc.Code (google/rpc/code.proto has the mapping)."""
UNPROCESSABLE = 422
"""A status that Google's APIs do not have: an invalid field is a 400."""
TYPE = "type.googleapis.com/google.rpc."


def status_of(error: HeadwayError) -> int:
    return 400 if error.status == UNPROCESSABLE else error.status


def error_object(error: HeadwayError, provider: str | None, request_id: str) -> dict[str, Any]:
    """``error.message`` must contain no secret."""
    code = status_of(error)
    name = STATUS_NAMES.get(code, "INTERNAL" if code >= 500 else "INVALID_ARGUMENT")
    facts = {
        "provider": error.provider or provider,
        "param": error.param,
        "type": error.type,
        "request_id": error.request_id or request_id,
    }
    reason = (error.code or error.type).upper()
    metadata = {key: value for key, value in facts.items() if value}
    details: list[dict[str, Any]] = [
        {"@type": f"{TYPE}ErrorInfo", "reason": reason, "domain": "headway", "metadata": metadata}
    ]
    if error.param and code == 400:
        violation = {"field": error.param, "description": error.message}
        details.append({"@type": f"{TYPE}BadRequest", "fieldViolations": [violation]})
    if error.retry_after_s is not None:
        delay = f"{error.retry_after_s:g}s"
        details.append({"@type": f"{TYPE}RetryInfo", "retryDelay": delay})
    found = {"code": code, "message": error.message, "status": name, "details": details}
    return {"error": found}


class GeminiErrors:
    """What the dialects of Google's routes have in common."""

    id_header = b""
    write_rate_limits = staticmethod(no_rate_limits)

    def encode_error(self, error: HeadwayError, provider: str | None, request_id: str) -> bytes:
        return msgspec.json.encode(error_object(error, provider, request_id))

    def status_of(self, error: HeadwayError) -> int:
        return status_of(error)
