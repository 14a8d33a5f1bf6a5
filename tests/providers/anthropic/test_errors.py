"""Anthropic's errors, and those of the clouds that serve its models, become ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway import errors
from headway.providers.anthropic.errors import decode_error, error_from
from support.for_each import for_each


def said(kind: str, message: str = "Oh", **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, **more}}


# what it shows, status, body, class, our status, message, code, retryable
REFUSALS: list[tuple[str, int, Any, type, int, str, str | None, bool]] = [
    ("a bad request", 400, said("invalid_request_error"), errors.UpstreamRejected, 400, "Oh",
     "invalid_request_error", False),
    ("a body that is too large", 413, said("request_too_large"), errors.UpstreamContextWindow, 413,
     "Oh", "request_too_large", False),
    ("a wrong key", 401, said("authentication_error"), errors.UpstreamAuth, 401, "Oh",
     "authentication_error", False),
    ("a key that may not", 403, said("permission_error"), errors.UpstreamForbidden, 401, "Oh",
     "permission_error", False),
    ("no such model", 404, said("not_found_error"), errors.UpstreamNotFound, 404, "Oh",
     "not_found_error", False),
    ("too many requests", 429, said("rate_limit_error"), errors.UpstreamRateLimited, 429, "Oh",
     "rate_limit_error", True),
    ("no money", 402, said("billing_error"), errors.UpstreamQuota, 402, "Oh", "billing_error",
     False),
    ("no money, as a bad request", 400,
     said("invalid_request_error", "Your credit balance is too low to access the Claude API."),
     errors.UpstreamQuota, 429, "Your credit balance is too low to access the Claude API.",
     "invalid_request_error", False),
    ("a spent limit", 400,
     said("invalid_request_error", details={"error_code": "enforced_spend_limit_reached"}),
     errors.UpstreamQuota, 429, "Oh", "invalid_request_error", False),
    ("a failure", 500, said("api_error"), errors.UpstreamError, 502, "Oh", "api_error", True),
    ("a failure of a kind to come", 500, said("moon_error"), errors.UpstreamError, 502, "Oh",
     "moon_error", True),
    ("a refusal of a kind to come", 418, said("tea_error"), errors.UpstreamRejected, 400, "Oh",
     "tea_error", False),
    ("too late", 504, said("timeout_error"), errors.UpstreamTimeout, 504, "Oh", "timeout_error",
     True),
    ("overloaded", 529, said("overloaded_error"), errors.UpstreamOverloaded, 503, "Oh",
     "overloaded_error", True),
    ("Google's words",
     429, {"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}},
     errors.UpstreamRateLimited, 429, "Quota", "RESOURCE_EXHAUSTED", True),
    ("Google's words in a list",
     403, [{"error": {"code": 403, "message": "No", "status": "PERMISSION_DENIED"}}],
     errors.UpstreamForbidden, 401, "No", "PERMISSION_DENIED", False),
    ("AWS's words", 400, {"message": "Malformed"}, errors.UpstreamRejected, 400, "Malformed", None,
     False),
    ("a mere string", 503, {"error": "down"}, errors.UpstreamOverloaded, 503, "down", None, True),
    ("an empty list", 500, [], errors.UpstreamError, 502,
     "The provider answered with status 500 and no message.", None, True),
    ("a number", 404, 7, errors.UpstreamNotFound, 404,
     "7", None, False),
    ("a page", 502, b"<html>Bad Gateway</html>", errors.UpstreamError, 502,
     "Bad Gateway", None, True),
    ("nothing", 429, b"", errors.UpstreamRateLimited, 429,
     "The provider answered with status 429 and no message.", None, True),
    ("no text", 500, b"\xff", errors.UpstreamError, 502, "\N{REPLACEMENT CHARACTER}", None, True),
    ("a nest of brackets", 500, b"[" * 100_000, errors.UpstreamError, 502, "[" * 2000, None, True),
]  # fmt: skip


@for_each(
    ("status", "body", "cls", "ours", "message", "code", "retryable"),
    [row[1:] for row in REFUSALS],
    ids=[row[0] for row in REFUSALS],
)
def test_an_error_response_becomes_an_upstream_error(
    status: int,
    body: Any,
    cls: type,
    ours: int,
    message: str,
    code: str | None,
    retryable: bool,
) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = decode_error(status, [], data)
    assert type(error) is cls
    assert (error.status, error.message, error.code) == (ours, message, code)
    assert error.retryable is retryable
    assert (error.request_id, error.retry_after_s) == (None, None)


BODY = json.dumps({**said("rate_limit_error"), "request_id": "req_body"}).encode()

# headers, request id, seconds to wait, retryable
HEADS: list[tuple[list[tuple[bytes, bytes]], str, float | None, bool]] = [
    ([], "req_body", None, True),
    ([(b"request-id", b"req_head"), (b"retry-after", b"16")], "req_head", 16.0, True),
    ([(b"x-amzn-requestid", b"aws"), (b"retry-after", b"never")], "aws", None, True),
    ([(b"x-should-retry", b"false")], "req_body", None, False),
    ([(b"x-should-retry", b"true")], "req_body", None, True),
]


@pytest.mark.parametrize(("headers", "request_id", "wait", "retryable"), HEADS)
def test_headers_give_the_request_id_the_wait_and_whether_to_retry(
    headers: list[tuple[bytes, bytes]], request_id: str, wait: float | None, retryable: bool
) -> None:
    error = decode_error(429, headers, BODY)
    assert (error.request_id, error.retry_after_s) == (request_id, wait)
    assert error.retryable is retryable
    assert errors.UpstreamRateLimited.retryable is True


def test_a_conflict_is_retryable_unless_anthropic_says_otherwise() -> None:
    body = json.dumps(said("conflict_error")).encode()
    assert decode_error(409, [], body).retryable is True
    assert decode_error(409, [(b"x-should-retry", b"false")], body).retryable is False


def test_an_error_without_a_message_in_a_stream_gets_a_default_message() -> None:
    error = error_from({"type": "error"}, None)
    assert type(error) is errors.UpstreamError
    assert error.message == "The provider reported an error with no message."


def test_details_by_which_clients_recover_are_kept() -> None:
    details = {"error_code": "thread_not_found", "previous_message_id": "msg_1"}
    body = json.dumps(said("not_found_error", details=details)).encode()
    kept = decode_error(404, (), body).details
    assert kept is not None
    assert json.loads(kept) == details
    for other in ({}, {"error_code": 3}, [{"@type": "x"}], {"error_code": "x" * 5000}, None):
        assert error_from(said("not_found_error", details=other), 404).details is None
