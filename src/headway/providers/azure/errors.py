"""Azure OpenAI's errors (learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter, and
recordings).

OpenAI's shape, with ``innererror`` for what content filters rejected; ``{"statusCode", "message"}``
from Azure's gateway; codes that only repeat the status as a text.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headway.errors import UpstreamContentPolicy, UpstreamError
from headway.providers import http_errors
from headway.types import Headers

FILTER_CODES = ("content_filter", "content_management_policy", "ResponsibleAIPolicyViolation")
REQUEST_ID = b"apim-request-id"
"""Set by Azure's gateway, even if no server behind it responded."""
MALFORMED = (*http_errors.INVALID_JSON, LookupError, TypeError, AttributeError)


def decode_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Never raises, whatever the body is."""
    error = http_errors.decode_error(status, headers, body)
    request_id = dict(headers).get(REQUEST_ID)
    if error.request_id is None and request_id is not None:
        error.request_id = request_id.decode("latin-1")
    if error.code is not None and error.code.isdigit():
        error.code = None
    categories = _filtered_categories(body)
    if categories:
        error.message = f"{error.message} (filtered: {', '.join(categories)})"
    return error


def reclassify_filtered(error: UpstreamError) -> UpstreamError:
    """An error of the filters inside a response as one that no retry can avoid."""
    if error.code not in FILTER_CODES:
        return error
    return UpstreamContentPolicy(
        error.message, param=error.param, code=error.code, request_id=error.request_id
    )


def _filtered_categories(body: bytes) -> list[str]:
    """The categories that the filters found, each with its severity if it has one."""
    try:
        results: Any = msgspec.json.decode(body)["error"]["innererror"]["content_filter_result"]
        found = [(name, result) for name, result in results.items() if result.get("filtered")]
    except MALFORMED:
        return []
    return [f"{name} {r['severity']}" if r.get("severity") else name for name, r in found]
