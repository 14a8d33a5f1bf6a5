"""Cohere's errors: ``{"id": ..., "message": ...}`` (docs.cohere.com/reference/errors).

The status says what it is, but for two of its own and for keys whose month is used up.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from headway.errors import UpstreamAuth, UpstreamError, UpstreamQuota, UpstreamTimeout
from headway.providers.openai import errors as openai_errors
from headway.types import Headers

BY_STATUS: dict[int, type[UpstreamError]] = {
    498: UpstreamAuth,  # invalid token
    499: UpstreamTimeout,  # the request was cancelled
}
SPENT = re.compile(r"calls? ?/ ?month|per month|maximum billing", re.IGNORECASE)
"""A trial key has 1000 calls a month: to wait does not mend that."""


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Never raises, whatever the body is."""
    error = openai_errors.decode_error(status, headers, body)
    cls = UpstreamQuota if status == 429 and SPENT.search(error.message) else BY_STATUS.get(status)
    if cls is not None:
        error = cls(error.message, code=error.code, retry_after_s=error.retry_after_s)
    error.request_id = error.request_id or _id(body)
    return error


def _id(body: bytes) -> str | None:
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    named = found.get("id") if isinstance(found, dict) else None
    return named if isinstance(named, str) else None
