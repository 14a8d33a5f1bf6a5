"""Cohere's errors: ``{"id": ..., "message": ...}`` (docs.cohere.com/reference/errors).

The status determines the class, except for two statuses of Cohere's own and for trial keys whose
monthly calls are used up.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from headway.errors import UpstreamAuth, UpstreamError, UpstreamQuota, UpstreamTimeout
from headway.providers import http_errors
from headway.types import Headers

BY_STATUS: dict[int, type[UpstreamError]] = {
    498: UpstreamAuth,  # invalid token
    499: UpstreamTimeout,  # the request was cancelled
}
MONTHLY_QUOTA = re.compile(r"calls? ?/ ?month|per month|maximum billing", re.IGNORECASE)
"""A trial key has 1000 calls a month: a retry after some seconds cannot succeed."""


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Never raises, whatever the body is."""
    error = http_errors.decode_error(status, headers, body)
    is_quota = status == 429 and MONTHLY_QUOTA.search(error.message)
    cls = UpstreamQuota if is_quota else BY_STATUS.get(status)
    if cls is not None:
        error = cls(error.message, code=error.code, retry_after_s=error.retry_after_s)
    error.request_id = error.request_id or _request_id(body)
    return error


def _request_id(body: bytes) -> str | None:
    try:
        parsed: Any = msgspec.json.decode(body)
    except http_errors.INVALID_JSON:
        return None
    request_id = parsed.get("id") if isinstance(parsed, dict) else None
    return request_id if isinstance(request_id, str) else None
