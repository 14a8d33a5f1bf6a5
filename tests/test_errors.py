from __future__ import annotations

from headway import errors
from headway.errors import HeadwayError, RequestError, UpstreamError
from support.for_each import for_each

# class, HTTP status, type, whether another attempt could help
TREE: list[tuple[str, int, str, bool]] = [
    ("HeadwayError", 500, "internal_error", False),
    ("InternalError", 500, "internal_error", False),
    ("RequestError", 400, "invalid_request_error", False),
    ("InvalidBody", 400, "invalid_request_error", False),
    ("InvalidField", 422, "invalid_request_error", False),
    ("MissingProvider", 422, "invalid_request_error", False),
    ("AmbiguousModel", 422, "invalid_request_error", False),
    ("BodyTooLarge", 413, "invalid_request_error", False),
    ("UnsupportedEncoding", 415, "invalid_request_error", False),
    ("UnknownProvider", 404, "not_found_error", False),
    ("MissingProviderKey", 401, "authentication_error", False),
    ("Unauthorized", 401, "authentication_error", False),
    ("Forbidden", 403, "permission_error", False),
    ("NotFound", 404, "not_found_error", False),
    ("NotAllowed", 405, "invalid_request_error", False),
    ("LoopDetected", 508, "loop_detected", False),
    ("ShuttingDown", 503, "shutting_down", False),
    ("LedgerUnavailable", 503, "ledger_unavailable", False),
    ("ClientGone", 499, "client_closed_request", False),
    ("HedgeLost", 499, "hedge_lost", False),
    ("UpstreamError", 502, "provider_error", True),
    ("UpstreamAuth", 401, "authentication_error", False),
    ("UpstreamForbidden", 401, "authentication_error", False),
    ("UpstreamNotFound", 404, "not_found_error", False),
    ("UpstreamRejected", 400, "invalid_request_error", False),
    ("UpstreamContextWindow", 400, "invalid_request_error", False),
    ("UpstreamContentPolicy", 400, "invalid_request_error", False),
    ("UpstreamUnsupported", 400, "invalid_request_error", False),
    ("UpstreamConflict", 409, "provider_error", True),
    ("UpstreamRateLimited", 429, "rate_limit_error", True),
    ("UpstreamQuota", 429, "insufficient_quota", False),
    ("UpstreamLoop", 508, "loop_detected", False),
    ("UpstreamOverloaded", 503, "overloaded_error", True),
    ("UpstreamUnreachable", 502, "connection_error", True),
    ("UpstreamDisconnected", 502, "connection_error", True),
    ("UpstreamGarbled", 502, "protocol_error", True),
    ("UpstreamTruncated", 502, "truncated_stream", True),
    ("UpstreamTimeout", 504, "timeout_error", True),
    ("LimitExceeded", 504, "timeout_error", True),
    ("NoTarget", 400, "invalid_request_error", False),
]


@for_each(("name", "status", "kind", "retryable"), TREE)
def test_an_error_carries_its_status_its_type_and_whether_to_retry(
    name: str, status: int, kind: str, retryable: bool
) -> None:
    error = getattr(errors, name)("Said.")
    assert (error.status, error.type, error.retryable) == (status, kind, retryable)
    assert isinstance(error, HeadwayError)
    assert str(error) == error.message == "Said."


def test_no_error_is_missing_from_the_table() -> None:
    declared = {
        name
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, HeadwayError)
    }
    assert declared == {name for name, *_ in TREE}


def test_the_class_of_an_error_shows_whether_the_client_caused_it() -> None:
    assert all(
        issubclass(getattr(errors, name), UpstreamError)
        for name, *_ in TREE
        if name.startswith("Upstream")
    )
    assert not issubclass(RequestError, UpstreamError)


def test_missing_details_are_none_and_an_error_may_have_its_own_status() -> None:
    error = errors.UpstreamRejected("Bad.", status=422)
    assert (error.status, errors.UpstreamRejected.status) == (422, 400)
    assert (error.provider, error.param, error.code) == (None, None, None)
    assert (error.request_id, error.retry_after_s) == (None, None)
