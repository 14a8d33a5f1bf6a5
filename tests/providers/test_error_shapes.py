"""The provider's own words are found in an error of any shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import (
    UpstreamAuth,
    UpstreamContextWindow,
    UpstreamError,
    UpstreamNotFound,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamTimeout,
)
from headway.providers.error_shapes import parse_error_body, words
from headway.providers.http_errors import MAX_ERROR_SIZE, decode_error, find_error
from support.for_each import for_each

PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Gone</title><style>a {b: c}</style></head>\n"
    b"<body><!-- x --><h1>502 Bad Gateway</h1><hr>nginx</body></html>"
)
# what it is, body, message, class, status
ERRORS: dict[str, tuple[Any, str, type[UpstreamError], int]] = {
    "an object": ({"error": {"message": "Said"}}, "Said", UpstreamError, 502),
    "a text": ({"error": "Said"}, "Said", UpstreamError, 502),
    "a list": ({"error": [{"message": "Said"}]}, "Said", UpstreamError, 502),
    "errors": ({"errors": [{"message": "Said", "code": 7}]}, "Said", UpstreamError, 502),
    "errors as texts": ({"errors": ["Said", "twice"]}, "Said; twice", UpstreamError, 502),
    "errors by field": ({"errors": {"n": ["bad"]}}, '{"n":["bad"]}', UpstreamError, 502),
    "true": ({"error": True, "message": "Said"}, "Said", UpstreamError, 502),
    "an array": ([{"error": {"message": "Said"}}], "Said", UpstreamError, 502),
    "in its object": ({"object": "error", "message": "Said"}, "Said", UpstreamError, 502),
    "vLLM's": (
        {"object": "error", "message": "Said", "type": "NotFoundError", "code": 404},
        "Said",
        UpstreamNotFound,
        404,
    ),
    "beside null": (
        {"choices": None, "error_type": "overloaded", "error_message": "Said"},
        "Said",
        UpstreamOverloaded,
        503,
    ),
    "beside no choices": ({"choices": [], "error_message": "Said"}, "Said", UpstreamError, 502),
    "no success": ({"code": 1301, "msg": "Said", "success": False}, "Said", UpstreamError, 502),
    "no success as a text": ({"msg": "Said", "success": "false"}, "Said", UpstreamError, 502),
    "a code and a text": ({"code": "401", "msg": "Said"}, "Said", UpstreamAuth, 401),
    "MiniMax's": (
        {"base_resp": {"status_code": 1004, "status_msg": "Said"}},
        "Said",
        UpstreamError,
        502,
    ),
    "a detail": ({"detail": "Said"}, "Said", UpstreamError, 502),
    "a detail with an error": (
        {"detail": {"error": {"message": "Said"}}},
        "Said",
        UpstreamError,
        502,
    ),
    "FastAPI's": (
        {"detail": [{"loc": ["body", "model"], "msg": "Said", "type": "missing"}]},
        "body.model: Said",
        UpstreamError,
        502,
    ),
    "RFC 9457": (
        {"type": "about:blank", "title": "Said", "status": 429},
        "Said",
        UpstreamRateLimited,
        429,
    ),
    "Apigee's": ({"fault": {"faultstring": "Said"}}, "Said", UpstreamError, 502),
    "a status": ({"status": "error", "message": "Said"}, "Said", UpstreamError, 502),
    "a message": ({"message": "Said"}, "Said", UpstreamError, 502),
    "a message and a status": (
        {"message": "Said", "statusCode": 503},
        "Said",
        UpstreamOverloaded,
        503,
    ),
    "OAuth's": (
        {"error": "invalid_grant", "error_description": "Said"},
        "invalid_grant: Said",
        UpstreamError,
        502,
    ),
    "Spring's": (
        {"status": 500, "error": "Internal Server Error", "message": "Said", "path": "/v1"},
        "Internal Server Error: Said",
        UpstreamError,
        502,
    ),
    "Tencent's": (
        {"Response": {"Error": {"Code": "X", "Message": "Said"}, "RequestId": "r"}},
        "Said",
        UpstreamError,
        502,
    ),
    "an error in an error": ({"error": {"error": {"message": "Said"}}}, "Said", UpstreamError, 502),
    "err": ({"err": "Said"}, "Said", UpstreamError, 502),
    "a number": ({"error": 1, "msg": "Said"}, "Said", UpstreamError, 502),
    "an unknown field": (
        {"statusCode": 429, "body": "Said"},
        '{"statusCode":429,"body":"Said"}',
        UpstreamRateLimited,
        429,
    ),
    "a log line": (b"[ERROR] Said", "[ERROR] Said", UpstreamError, 502),
    "behind a byte order mark": (
        b'\xef\xbb\xbf{"error": {"message": "Said"}}',
        "Said",
        UpstreamError,
        502,
    ),
    "a type": (
        {"error": {"type": "RateLimitError", "message": "Said"}},
        "Said",
        UpstreamRateLimited,
        429,
    ),
    "a quota": (
        {"error": {"code": "insufficient_balance", "message": "Said"}},
        "Said",
        UpstreamQuota,
        429,
    ),
    "a code in words": (
        {"error": {"code": "context_length_exceeded", "message": "Said"}},
        "Said",
        UpstreamContextWindow,
        400,
    ),
    "a timeout": (
        {"error": {"type": "timeout_error", "message": "Said"}},
        "Said",
        UpstreamTimeout,
        504,
    ),
    "a type in capitals": ({"type": "ERROR", "title": "Said"}, "Said", UpstreamError, 502),
    "a typed event": ({"type": "response.error", "message": "Said"}, "Said", UpstreamError, 502),
    "prose": (b"Said so", "Said so", UpstreamError, 502),
    "prose with a prefix": (b"error: CUDA out of memory", "CUDA out of memory", UpstreamError, 502),
    "JSON with a prefix": (b'error: {"message": "Said"}', "Said", UpstreamError, 502),
    "an event": (b'event: error\ndata: {"message": "Said"}\n\n', "Said", UpstreamError, 502),
    "JSON text": ("Said", "Said", UpstreamError, 502),
    "a page": (PAGE, "502 Bad Gateway nginx (Gone)", UpstreamError, 502),
    "a page of another status": (b"<h1>503 Busy</h1>", "503 Busy", UpstreamOverloaded, 503),
    "a page with a title only": (b"<title>Said</title><p>", "Said", UpstreamError, 502),
}


def encoded(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


@for_each(("body", "message", "cls", "status"), ERRORS.values(), ids=ERRORS)
def test_an_error_of_status_200_has_its_words_and_a_status(
    body: Any, message: str, cls: type[UpstreamError], status: int
) -> None:
    error = find_error(encoded(body))
    assert error is not None
    assert (error.message, type(error), error.status) == (message, cls, status)


@for_each(("body", "message"), [row[:2] for row in ERRORS.values()], ids=ERRORS)
def test_an_error_status_has_the_same_words(body: Any, message: str) -> None:
    error = decode_error(400, [], encoded(body))
    assert (error.message, error.status) == (message, 400)


NO_ERRORS: list[Any] = [
    b"",
    b"  ",
    b"{",
    b'{"error": ',
    b"[DONE]",
    b"[tru",
    b"\x00\x01 \xff",
    b"<html></html>",
    b"<!DOCTYPE html>",
    None,
    7,
    "",
    [],
    [7],
    {},
    {"error": None},
    {"error": "", "errors": [], "success": True},
    {"type": "ping"},
    {"type": "ping", "message": "Said"},
    {"object": "ping"},
    {"id": "c-1", "model": "m", "created": 7},
    {"choices": [{"index": 0, "delta": {}}], "message": "Said"},
    {"code": 0, "msg": "ok"},
    {"code": 200, "message": "success", "data": {}},
    {"status": "success", "message": "Said"},
    {"usage": {"prompt_tokens": 1}},
]


@for_each("body", NO_ERRORS)
def test_what_does_not_say_that_it_is_an_error_is_none(body: Any) -> None:
    assert find_error(encoded(body)) is None


def test_a_body_that_is_too_long_for_an_error_is_none() -> None:
    assert find_error(b"a " * MAX_ERROR_SIZE) is None


def test_the_field_that_fastapi_names_is_the_param() -> None:
    detail = [{"loc": ["body", "n", 0], "msg": "Said"}, {"loc": ["body"], "msg": "too"}]
    error = decode_error(422, [], encoded({"detail": detail}))
    assert (error.param, error.message) == ("n.0", "body.n.0: Said; body: too")


@pytest.mark.parametrize("loc", [[], ["body"], "n", None])
def test_a_detail_without_a_field_names_none(loc: Any) -> None:
    assert decode_error(422, [], encoded({"detail": [{"loc": loc, "msg": "x"}]})).param is None


def test_a_nested_text_is_found_to_a_limit() -> None:
    value: Any = "Said"
    for _ in range(3):
        value = {"error": {"message": value}}
    assert words(value) == "Said"
    for _ in range(20):
        value = {"message": value}
    assert words(value) == ""


@pytest.mark.parametrize(
    ("body", "parsed"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'data: {"a":\ndata: 1}\n\n', {"a": 1}),
        (b"error: a\nand b", "error: a\nand b"),
        (b"event: x\n\n", "event: x"),
        (b" text ", "text"),
        (b'{"error": "no \xff"}', {"error": "no \ufffd"}),
        (b'{"error": "no \\ud83d", "n": NaN}', {"error": "no \ufffd", "n": None}),
    ],
    ids=range(7),
)
def test_a_body_is_parsed_as_json_as_an_event_or_as_text(body: bytes, parsed: Any) -> None:
    assert parse_error_body(body) == parsed


@given(st.text(alphabet="<>/!ahsctrilepy -=\"'", max_size=300))
def test_any_text_is_read(text: str) -> None:
    find_error(text.encode())


@pytest.mark.parametrize("piece", [b"<", b"<head", b"<script>", b"<a ", b"[", b" ", b'"', b"<!--"])
def test_a_long_text_is_read_in_linear_time(piece: bytes) -> None:
    decode_error(500, [], piece * (MAX_ERROR_SIZE // len(piece)))
