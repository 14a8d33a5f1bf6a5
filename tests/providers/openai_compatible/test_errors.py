"""Error responses that differ from OpenAI's, as a table."""

from __future__ import annotations

import json
from pkgutil import iter_modules
from typing import Any

from headway.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamNotFound,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamRejected,
)
from headway.providers import KINDS
from headway.providers.openai_compatible import vendors
from support.for_each import for_each

# kind, status, headers, body, class, code, message, request id
ERRORS: list[
    tuple[str, int, dict[str, str], Any, type[UpstreamError], str | None, str, str | None]
] = [
    ("cloudflare", 400, {"cf-ray": "r1"},
     {"success": False, "errors": [{"code": 5007, "message": "No such model"}], "result": None},
     UpstreamNotFound, "5007", "No such model", "r1"),
    ("cloudflare", 429, {}, {"errors": [{"code": 3036, "message": "used up"}]},
     UpstreamQuota, "3036", "used up", None),
    ("cloudflare", 429, {"retry-after": "3"}, {"errors": [{"code": 3040, "message": "busy"}]},
     UpstreamOverloaded, "3040", "busy", None),
    ("cloudflare", 403, {}, {"errors": [{"code": 10000, "message": "Authentication error"}]},
     UpstreamAuth, "10000", "Authentication error", None),
    ("cloudflare", 400, {}, {"error": {"message": "bad", "code": "x"}}, UpstreamRejected, "x",
     "bad", None),
    ("cloudflare", 400, {}, {"errors": [], "message": "odd"}, UpstreamRejected, None, "odd", None),
    ("databricks", 400, {}, {"error_code": "INVALID_PARAMETER_VALUE", "message": "no"},
     UpstreamRejected, "INVALID_PARAMETER_VALUE", "no", None),
    ("novita", 400, {}, {"code": 400, "reason": "INVALID_REQUEST_BODY", "message": "no"},
     UpstreamRejected, "INVALID_REQUEST_BODY", "no", None),
    ("siliconflow", 429, {"x-siliconcloud-trace-id": "t1"},
     {"code": 50505, "message": "Request was rejected", "data": None}, UpstreamRateLimited,
     "50505", "Request was rejected", "t1"),
    ("siliconflow", 401, {}, "Invalid token", UpstreamAuth, None, "Invalid token", None),
    ("nvidia_nim", 422, {"nvcf-reqid": "n1"}, {"title": "Bad", "detail": "no"}, UpstreamRejected,
     None, "no", "n1"),
    ("venice", 400, {"cf-ray": "v1", "x-request-id": "v2"},
     {"error": "Invalid request parameters", "details": {"stop": {"_errors": ["too long"]}}},
     UpstreamRejected, None, 'Invalid request parameters: {"stop":{"_errors":["too long"]}}', "v2"),
    ("venice", 402, {}, {"error": "Insufficient balance"}, UpstreamQuota, None,
     "Insufficient balance", None),
    ("github_models", 410, {"x-github-request-id": "g1"}, {"message": "retired"},
     UpstreamNotFound, None, "retired", "g1"),
    ("tgi", 424, {}, {"error": "Request failed during generation", "error_type": "generation"},
     UpstreamError, "generation", "Request failed during generation", None),
    ("tgi", 429, {}, {"error": "Model is overloaded", "error_type": "overloaded"},
     UpstreamOverloaded, "overloaded", "Model is overloaded", None),
    ("tgi", 422, {}, {"error": "Input validation error: no", "error_type": "validation"},
     UpstreamRejected, "validation", "Input validation error: no", None),
    ("vercel", 424, {}, {"error": {"message": "no", "type": "failed_dependency"}}, UpstreamError,
     "failed_dependency", "no", None),
]  # fmt: skip


@for_each(("kind", "status", "headers", "body", "cls", "code", "message", "request_id"), ERRORS)
def test_an_error_is_decoded_by_the_vendors_format(
    kind: str,
    status: int,
    headers: dict[str, str],
    body: Any,
    cls: type[UpstreamError],
    code: str | None,
    message: str,
    request_id: str | None,
) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    error = KINDS[kind].decode_error(status, pairs, json.dumps(body).encode())
    assert type(error) is cls
    assert (error.code, error.message, error.request_id) == (code, message, request_id)
    assert error.retry_after_s == (3 if "retry-after" in headers else None)


NAMES = [info.name.rstrip("_") for info in iter_modules(vendors.__path__)]


@for_each("name", NAMES)
@for_each("body", [b"", b"<html>", b"\xff", b"[" * 5000, b"7", b'{"errors": [7]}'])
def test_no_body_makes_the_decoder_raise(name: str, body: bytes) -> None:
    error = KINDS[name].decode_error(500, [], body)
    assert isinstance(error, UpstreamError)
    assert error.message


def test_the_code_next_to_an_error_that_is_a_string_is_kept() -> None:
    body = b'{"code":"invalid-argument","error":"no such parameter"}'
    error = KINDS["xai"].decode_error(400, (), body)
    assert (error.message, error.code) == ("no such parameter", "invalid-argument")
