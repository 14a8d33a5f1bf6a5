"""Bedrock's errors become ours."""

from __future__ import annotations

from typing import Any

from headway import errors
from headway.providers.bedrock.errors import decode_error
from support.for_each import for_each

TYPE = b"x-amzn-errortype"
REFUSALS: list[tuple[int, dict[bytes, bytes], bytes, type[errors.UpstreamError], str, Any]] = [
    (429, {TYPE: b"ThrottlingException:http://internal.amazon.com/coral/"},
     b'{"message":"Too many requests, please wait before trying again."}',
     errors.UpstreamRateLimited, "Too many requests", "ThrottlingException"),
    (429, {TYPE: b"ThrottlingException"}, b'{"message":"Too many tokens per day, please wait"}',
     errors.UpstreamQuota, "Too many tokens per day", "ThrottlingException"),
    (429, {TYPE: b"ModelNotReadyException"}, b'{"message":"m"}',
     errors.UpstreamOverloaded, "m", "ModelNotReadyException"),
    (400, {TYPE: b"ServiceQuotaExceededException"}, b'{"message":"m"}',
     errors.UpstreamQuota, "m", "ServiceQuotaExceededException"),
    (424, {TYPE: b"ModelErrorException"}, b'{"originalMessage":"o"}',
     errors.UpstreamError, "o", "ModelErrorException"),
    (408, {TYPE: b"ModelTimeoutException"}, b'{"message":"m"}',
     errors.UpstreamTimeout, "m", "ModelTimeoutException"),
    (500, {TYPE: b"InternalServerException"}, b'{"message":"m"}',
     errors.UpstreamError, "m", "InternalServerException"),
    (503, {TYPE: b"ServiceUnavailableException"}, b'{"message":"m"}',
     errors.UpstreamOverloaded, "m", "ServiceUnavailableException"),
    (403, {TYPE: b"AccessDeniedException"},
     b'{"Message":"User: arn:aws:iam::1:user/x is not authorized to perform"}',
     errors.UpstreamForbidden, "User: arn:aws:iam::1:user/x", "AccessDeniedException"),
    (403, {}, b'{"Message":"Authentication failed: Please make sure your API Key is valid."}',
     errors.UpstreamForbidden, "Authentication failed", None),
    (403, {TYPE: b"InvalidSignatureException:"}, b'{"message":"The request signature"}',
     errors.UpstreamAuth, "The request signature", "InvalidSignatureException"),
    (400, {}, b'{"__type":"com.amazon.coral.validate#ValidationException","message":"v"}',
     errors.UpstreamRejected, "v", "ValidationException"),
    (413, {}, b"", errors.UpstreamContextWindow, "The provider answered with status 413", None),
    (502, {}, b"<html>bad</html>", errors.UpstreamError, "bad", None),
    (418, {}, b"[" * 10_000, errors.UpstreamRejected, "[[[[", None),
    (400, {}, b'["x"]', errors.UpstreamRejected, "x", None),
]  # fmt: skip


@for_each(("status", "headers", "body", "cls", "start", "code"), REFUSALS)
def test_an_error_response_becomes_an_upstream_error(
    status: int, headers: dict[bytes, bytes], body: bytes, cls: type, start: str, code: str | None
) -> None:
    named = {**headers, b"x-amzn-requestid": b"id-1", b"retry-after": b"3"}
    error = decode_error(status, tuple(named.items()), body)
    assert type(error) is cls
    assert error.message.startswith(start)
    assert (error.code, error.request_id, error.retry_after_s) == (code, "id-1", 3.0)


def test_a_rejection_keeps_the_status_of_the_provider() -> None:
    assert decode_error(413, (), b"").status == 413
    assert decode_error(400, (), b"").request_id is None
