"""Cohere's errors."""

from __future__ import annotations

from headway import errors
from headway.providers.cohere.provider import PROVIDER
from support.for_each import for_each

OLD, NEW, REASONING = "command-r-plus-08-2024", "command-a-03-2025", "command-a-reasoning-08-2025"


ERRORS: list[tuple[int, bytes, type[errors.UpstreamError], str | None]] = [
    (400, b'{"message":"invalid request"}', errors.UpstreamRejected, None),
    (401, b'{"id":"1","message":"no api key supplied"}', errors.UpstreamAuth, "1"),
    (402, b'{"message":"Please add a payment method"}', errors.UpstreamQuota, None),
    (404, b'{"id":"1","message":"model not found"}', errors.UpstreamNotFound, "1"),
    (422, b'{"id":5,"message":"bad"}', errors.UpstreamRejected, None),
    (429, b'{"message":"limited to 20 API calls / minute"}', errors.UpstreamRateLimited, None),
    (429, b'{"message":"limited to 1000 API calls / month"}', errors.UpstreamQuota, None),
    (498, b'{"message":"invalid token"}', errors.UpstreamAuth, None),
    (499, b'{"message":"request cancelled"}', errors.UpstreamTimeout, None),
    (500, b"oops", errors.UpstreamError, None),
    (503, b"[]", errors.UpstreamOverloaded, None),
    (504, b"", errors.UpstreamTimeout, None),
]


@for_each(("status", "body", "cls", "request_id"), ERRORS)
def test_an_error_has_the_class_of_its_status(
    status: int, body: bytes, cls: type[errors.UpstreamError], request_id: str | None
) -> None:
    error = PROVIDER.decode_error(status, [(b"retry-after", b"2")], body)
    assert type(error) is cls
    assert (error.request_id, error.retry_after_s) == (request_id, 2.0)
