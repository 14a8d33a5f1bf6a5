"""Google's errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway import errors
from headway.providers.gemini.provider import PROVIDER
from support.for_each import for_each

RPC = "type.googleapis.com/google.rpc."


def status(code: int, name: str, *details: Any, message: str = "m") -> bytes:
    error = {"code": code, "message": message, "status": name, "details": list(details)}
    return json.dumps({"error": error}).encode()


def info(reason: str) -> dict[str, str]:
    return {"@type": RPC + "ErrorInfo", "reason": reason}


def quota(name: str) -> dict[str, Any]:
    return {"@type": RPC + "QuotaFailure", "violations": [{"quotaId": name}, "odd"]}


RETRY = {"@type": RPC + "RetryInfo", "retryDelay": "34.5s"}
FIELD = {"@type": RPC + "BadRequest", "fieldViolations": [{"field": "contents[0]"}]}
ERRORS: list[tuple[int, bytes, type[errors.UpstreamError], str | None]] = [
    (400, status(400, "INVALID_ARGUMENT"), errors.UpstreamRejected, "INVALID_ARGUMENT"),
    (400, status(400, "FAILED_PRECONDITION"), errors.UpstreamRejected, "FAILED_PRECONDITION"),
    (
        400,
        status(400, "INVALID_ARGUMENT", info("API_KEY_INVALID")),
        errors.UpstreamAuth,
        "API_KEY_INVALID",
    ),
    (401, status(401, "UNAUTHENTICATED"), errors.UpstreamAuth, "UNAUTHENTICATED"),
    (
        403,
        status(403, "PERMISSION_DENIED", info("SERVICE_DISABLED")),
        errors.UpstreamAuth,
        "SERVICE_DISABLED",
    ),
    (404, status(404, "NOT_FOUND"), errors.UpstreamNotFound, "NOT_FOUND"),
    (413, status(413, "X"), errors.UpstreamContextWindow, "X"),
    (418, status(418, "X"), errors.UpstreamRejected, "X"),
    (429, status(429, "RESOURCE_EXHAUSTED"), errors.UpstreamRateLimited, "RESOURCE_EXHAUSTED"),
    (
        429,
        status(429, "RESOURCE_EXHAUSTED", quota("RequestsPerMinute")),
        errors.UpstreamRateLimited,
        "RESOURCE_EXHAUSTED",
    ),
    (
        429,
        status(429, "RESOURCE_EXHAUSTED", quota("GenerateRequestsPerDayPerProjectPerModel")),
        errors.UpstreamQuota,
        "RESOURCE_EXHAUSTED",
    ),
    (
        429,
        status(429, "RESOURCE_EXHAUSTED", {"@type": RPC + "QuotaFailure", "violations": 1}),
        errors.UpstreamRateLimited,
        "RESOURCE_EXHAUSTED",
    ),
    (499, status(499, "CANCELLED"), errors.UpstreamError, "CANCELLED"),
    (500, status(500, "INTERNAL"), errors.UpstreamError, "INTERNAL"),
    (503, status(503, "UNAVAILABLE"), errors.UpstreamOverloaded, "UNAVAILABLE"),
    (504, status(504, "DEADLINE_EXCEEDED"), errors.UpstreamTimeout, "DEADLINE_EXCEEDED"),
    (503, b'{"error":{"code":503}}', errors.UpstreamOverloaded, "503"),
    (500, b'{"error":{"details":[1]}}', errors.UpstreamError, None),
    (502, b"<html>Bad Gateway</html>", errors.UpstreamError, None),
    (404, b"", errors.UpstreamNotFound, None),
    (400, b'{"error":"text"}', errors.UpstreamRejected, None),
    (400, b"[]", errors.UpstreamRejected, None),
    (400, b"[" * 5000, errors.UpstreamRejected, None),
]


@for_each(("code", "body", "cls", "name"), ERRORS)
def test_an_error_has_the_class_of_its_status_and_details(
    code: int, body: bytes, cls: type[errors.UpstreamError], name: str | None
) -> None:
    for text in (body, b"[" + body + b"]") if body[:1] == b"{" else (body,):
        error = PROVIDER.decode_error(code, [], text)
        assert type(error) is cls
        assert error.code == name
        assert error.message
        if cls is errors.UpstreamRejected:
            assert error.status == (code if code in (400, 413, 422) else 400)


def test_details_name_the_field_and_the_retry_delay() -> None:
    body = status(429, "RESOURCE_EXHAUSTED", RETRY, FIELD, message="Too many.")
    error = PROVIDER.decode_error(429, [(b"retry-after", b"9")], body)
    assert (error.message, error.param, error.retry_after_s) == ("Too many.", "contents[0]", 34.5)


@pytest.mark.parametrize(
    ("details", "headers", "wait"),
    [
        ([], [(b"retry-after", b"9")], 9.0),
        ([{**RETRY, "retryDelay": "soon"}], [], None),
        ([{**RETRY, "retryDelay": 5}], [], None),
        ([], [], None),
    ],
)
def test_the_retry_after_header_counts_if_the_body_has_no_delay(
    details: Any, headers: Any, wait: float | None
) -> None:
    error = PROVIDER.decode_error(429, headers, status(429, "RESOURCE_EXHAUSTED", *details))
    assert error.retry_after_s == wait


@pytest.mark.parametrize("violations", [1, [], ["x"], [{"field": {}}]])
def test_malformed_details_are_ignored(violations: Any) -> None:
    odd = {"@type": RPC + "BadRequest", "fieldViolations": violations}
    assert PROVIDER.decode_error(400, [], status(400, "INVALID_ARGUMENT", odd)).param is None
