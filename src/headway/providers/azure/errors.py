"""Azure OpenAI's errors read into our tree
(learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter, and recordings).

OpenAI's shape, and with it ``innererror`` for what content filters refused; its gateway's
``{"statusCode", "message"}``; codes that are only the status as a text.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headway.errors import UpstreamError, UpstreamRejected
from headway.providers import http_errors
from headway.types import Headers

FILTERED = ("content_filter", "content_management_policy", "ResponsibleAIPolicyViolation")
REQUEST_ID = b"apim-request-id"
"""Of Azure's gateway, which also answers where nothing behind it did."""


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Never raises, whatever the body is."""
    error = http_errors.decode_error(status, headers, body)
    found = dict(headers).get(REQUEST_ID)
    if error.request_id is None and found is not None:
        error.request_id = found.decode("latin-1")
    if error.code is not None and error.code.isdigit():
        error.code = None
    reasons = _reasons(body)
    if reasons:
        error.message = f"{error.message} (filtered: {', '.join(reasons)})"
    return error


def judged(error: UpstreamError) -> UpstreamError:
    """What a filter refused inside an answer, another attempt would not mend."""
    if error.code not in FILTERED:
        return error
    return UpstreamRejected(
        error.message, param=error.param, code=error.code, request_id=error.request_id
    )


def _reasons(body: bytes) -> list[str]:
    """The categories that the filters found, with how bad it was where they say."""
    results: Any
    try:
        results = msgspec.json.decode(body)["error"]["innererror"]["content_filter_result"]
        found = [(name, said) for name, said in results.items() if said.get("filtered")]
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
        LookupError,
        TypeError,
        AttributeError,
    ):
        return []
    return [f"{name} {said['severity']}" if said.get("severity") else name for name, said in found]
