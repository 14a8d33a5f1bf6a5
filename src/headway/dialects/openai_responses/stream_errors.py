"""Errors inside a stream (platform.openai.com/docs/api-reference/responses-streaming, ``error`` and
``response.failed``)."""

from __future__ import annotations

from typing import Any

import msgspec

from headway.dialects.base import ResponseContext, encode_error
from headway.errors import (
    HeadwayError,
    RequestError,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamRejected,
)

CODES: tuple[tuple[type[HeadwayError], str], ...] = (
    (UpstreamQuota, "insufficient_quota"),
    (UpstreamRateLimited, "rate_limit_exceeded"),
    (UpstreamOverloaded, "server_is_overloaded"),
    (UpstreamRejected, "invalid_prompt"),
    (RequestError, "invalid_prompt"),
)
"""The codes by which clients decide whether to try again, by the error's class. Codex tries again
after any code but insufficient_quota, invalid_prompt and context_length_exceeded
(github.com/openai/codex, codex-rs/codex-api/src/sse/responses.rs)."""
SERVER_ERROR = "server_error"
KNOWN_CODES = frozenset(
    (
        "bio_policy", "context_length_exceeded", "cyber_policy", "data_residency_mismatch",
        "empty_image_file", "failed_to_download_image", "image_content_policy_violation",
        "image_file_not_found", "image_file_too_large", "image_parse_error", "image_too_large",
        "image_too_small", "insufficient_quota", "invalid_base64_image", "invalid_image",
        "invalid_image_format", "invalid_image_mode", "invalid_image_url", "invalid_prompt",
        "rate_limit_exceeded", "server_error", "server_is_overloaded",
        "unsupported_image_media_type", "vector_store_timeout",
    )
)  # fmt: skip
"""The codes of the API's reference, and those that agents look for."""
LIMIT_CODES = ("insufficient_quota", "rate_limit_exceeded")


def error_object(error: HeadwayError, context: ResponseContext) -> dict[str, Any]:
    """The error as in an error response, with a code."""
    body = encode_error(error, context.call.provider, context.request_id)
    described: dict[str, Any] = msgspec.json.decode(body)["error"]
    return {**described, "code": error_code(error)}


def error_code(error: HeadwayError) -> str:
    """The provider's code if clients know it, unless it hides that a limit was reached."""
    default = next((code for kind, code in CODES if isinstance(error, kind)), SERVER_ERROR)
    is_limit = default in LIMIT_CODES
    return error.code if error.code in KNOWN_CODES and not is_limit else default
