"""Errors inside responses of the Responses API
(platform.openai.com/docs/api-reference/responses-streaming, ``error`` and ``response.failed``)."""

from __future__ import annotations

import re
from typing import Any

from headway.errors import UpstreamError
from headway.providers.http_errors import error_from_body

REJECTED = re.compile(r"invalid_|image_|empty_image|unsupported_image|failed_to_download|content_")
"""Beginnings of the error codes that mean an invalid request (the enumeration of
``response.error.code``; content_filter is Azure's)."""


def read_error(fields: Any) -> UpstreamError:
    """``type: error`` names the event and not the error."""
    if isinstance(fields, dict):
        if fields.get("type") == "error":
            fields = {name: value for name, value in fields.items() if name != "type"}
        if REJECTED.match(str(fields.get("code"))):
            fields = {"type": "invalid_request_error", **fields}
    return error_from_body(fields or "The provider reported an error with no message.", None)
