"""Azure OpenAI's errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway import errors
from headway.providers.azure.openai import PROVIDER

SAFE = {"hate": {"filtered": False, "severity": "safe"}}
INNER = {
    "code": "ResponsibleAIPolicyViolation",
    "content_filter_result": {
        **SAFE,
        "violence": {"filtered": True, "severity": "medium"},
        "jailbreak": {"filtered": True, "detected": True},
    },
}
ERRORS: list[tuple[int, Any, type[errors.UpstreamError], str, str | None]] = [
    (
        400,
        {"error": {"code": "content_filter", "message": "No.", "innererror": INNER}},
        errors.UpstreamContentPolicy,
        "No. (filtered: violence medium, jailbreak)",
        "content_filter",
    ),
    (401, {"error": {"code": "401", "message": "Access denied."}}, errors.UpstreamAuth,
     "Access denied.", None),
    (401, {"statusCode": 401, "message": "Unauthorized."}, errors.UpstreamAuth,
     "Unauthorized.", None),
    (
        404,
        {"error": {"code": "DeploymentNotFound", "message": "None.", "type": "x"}},
        errors.UpstreamNotFound,
        "None.",
        "DeploymentNotFound",
    ),
    (
        400,
        {"error": {"code": "OperationNotSupported", "message": "No.", "innererror": "odd"}},
        errors.UpstreamUnsupported,
        "No.",
        "OperationNotSupported",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "cls", "message", "code"), ERRORS)
def test_an_error_keeps_the_message_and_names_what_was_filtered(
    status: int, body: Any, cls: type[errors.UpstreamError], message: str, code: str | None
) -> None:
    error = PROVIDER.decode_error(status, (), json.dumps(body).encode())
    assert type(error) is cls
    assert (error.message, error.code) == (message, code)


def test_request_id_and_retry_time_are_read_from_headers() -> None:
    ids = [(b"apim-request-id", b"a"), (b"x-request-id", b"x")]
    assert PROVIDER.decode_error(500, ids, b"").request_id == "x"
    assert PROVIDER.decode_error(500, ids[:1], b"<html>").request_id == "a"
    assert PROVIDER.decode_error(500, (), b"").request_id is None
    waits = [(b"retry-after", b"1"), (b"retry-after-ms", b"0")]
    assert PROVIDER.decode_error(429, waits, b"").retry_after_s == 1.0
    waits = [(b"retry-after", b"1"), (b"retry-after-ms", b"250")]
    assert PROVIDER.decode_error(429, waits, b"").retry_after_s == 0.25
