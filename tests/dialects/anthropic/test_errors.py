"""Errors in Anthropic's shape, with its types and statuses."""

from __future__ import annotations

import json

from headway import errors
from headway.dialects.anthropic.messages import AnthropicMessages
from support.for_each import for_each

DIALECT = AnthropicMessages()

ERRORS: list[tuple[errors.HeadwayError, str, int]] = [
    (errors.InvalidBody("x"), "invalid_request_error", 400),
    (errors.InvalidField("x"), "invalid_request_error", 400),
    (errors.MissingProvider("x"), "invalid_request_error", 400),
    (errors.BodyTooLarge("x"), "request_too_large", 413),
    (errors.UnsupportedEncoding("x"), "invalid_request_error", 415),
    (errors.UnknownProvider("x"), "not_found_error", 404),
    (errors.MissingProviderKey("x"), "authentication_error", 401),
    (errors.Unauthorized("x"), "authentication_error", 401),
    (errors.Forbidden("x"), "permission_error", 403),
    (errors.LoopDetected("x"), "api_error", 508),
    (errors.NotAllowed("x"), "invalid_request_error", 405),
    (errors.ShuttingDown("x"), "overloaded_error", 529),
    (errors.InternalError("x"), "api_error", 500),
    (errors.UpstreamError("x"), "api_error", 500),
    (errors.UpstreamAuth("x"), "authentication_error", 401),
    (errors.UpstreamAuth("x", status=403), "permission_error", 403),
    (errors.UpstreamAuth("x", code="permission_error"), "permission_error", 403),
    (errors.UpstreamNotFound("x"), "not_found_error", 404),
    (errors.UpstreamRejected("x"), "invalid_request_error", 400),
    (errors.UpstreamRejected("x", status=422), "invalid_request_error", 400),
    (errors.UpstreamRejected("x", code="request_too_large"), "request_too_large", 413),
    (errors.UpstreamRateLimited("x"), "rate_limit_error", 429),
    (errors.UpstreamQuota("x", code="insufficient_quota"), "billing_error", 402),
    (errors.UpstreamOverloaded("x"), "overloaded_error", 529),
    (errors.UpstreamTimeout("x"), "timeout_error", 504),
    (errors.UpstreamUnreachable("x"), "api_error", 500),
    (errors.UpstreamTruncated("x"), "api_error", 500),
    (errors.InvalidField("x", code="api_error"), "invalid_request_error", 400),
]


@for_each(("error", "name", "status"), ERRORS)
def test_each_error_has_a_type_and_its_status(
    error: errors.HeadwayError, name: str, status: int
) -> None:
    assert DIALECT.status_of(error) == status
    assert json.loads(DIALECT.encode_error(error, "openai", "id-1")) == {
        "type": "error",
        "error": {"type": name, "message": "x"},
        "request_id": "id-1",
    }


def test_the_providers_own_id_of_the_request_is_shown() -> None:
    body = DIALECT.encode_error(errors.UpstreamError("x", request_id="req_1"), None, "id-1")
    assert json.loads(body)["request_id"] == "req_1"
