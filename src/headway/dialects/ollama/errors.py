"""Errors in Ollama's shape: ``{"error": "..."}`` (docs.ollama.com/api/errors)."""

from __future__ import annotations

import msgspec

from headway.dialects.rate_limits import no_rate_limits
from headway.errors import HeadwayError

MANAGING = (
    "/api/blobs/", "/api/copy", "/api/create", "/api/delete", "/api/pull", "/api/push",
)  # fmt: skip
"""Beginnings of the routes that manage the models of a server of Ollama, without the prefix
(docs.ollama.com/api)."""
UNPROCESSABLE = 422
"""A status that Ollama does not have: an invalid field is a 400."""


def error_line(error: HeadwayError) -> bytes:
    """``error.message`` must contain no secret."""
    return msgspec.json.encode({"error": error.message})


class OllamaErrors:
    """What the dialects of Ollama's routes have in common."""

    id_header = b""
    write_rate_limits = staticmethod(no_rate_limits)

    def encode_error(self, error: HeadwayError, provider: str | None, request_id: str) -> bytes:
        return error_line(error)

    def status_of(self, error: HeadwayError) -> int:
        return 400 if error.status == UNPROCESSABLE else error.status
