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
    UpstreamForbidden,
    UpstreamNotFound,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
)
from headway.providers import KINDS
from headway.providers.http_errors import MAX_MESSAGE_LENGTH, decode_error, error_from_body
from support.for_each import for_each

INVALID = "invalid_request_error"
LIMITED = "rate_limit_exceeded"

# status, type, code, class, our status, our code
CLASSES: list[tuple[int, Any, Any, type[UpstreamError], int, str | None]] = [
    (400, INVALID, "bad_n", UpstreamRejected, 400, "bad_n"),
    (400, INVALID, None, UpstreamRejected, 400, INVALID),
    (400, None, "invalid_api_key", UpstreamAuth, 401, "invalid_api_key"),
    (401, INVALID, "invalid_api_key", UpstreamAuth, 401, "invalid_api_key"),
    (401, "error", INVALID, UpstreamAuth, 401, INVALID),
    (402, None, None, UpstreamQuota, 402, None),
    (403, INVALID, None, UpstreamForbidden, 401, INVALID),
    (403, INVALID, "model_not_found", UpstreamNotFound, 404, "model_not_found"),
    (404, INVALID, "model_not_found", UpstreamNotFound, 404, "model_not_found"),
    (404, None, None, UpstreamNotFound, 404, None),
    (408, None, None, UpstreamTimeout, 504, None),
    (413, "tokens", LIMITED, UpstreamContextWindow, 413, LIMITED),
    (418, None, None, UpstreamRejected, 400, None),
    (422, INVALID, None, UpstreamRejected, 422, INVALID),
    (429, "requests", LIMITED, UpstreamRateLimited, 429, LIMITED),
    (429, "x", "insufficient_quota", UpstreamQuota, 429, "insufficient_quota"),
    (500, "server_error", None, UpstreamError, 502, "server_error"),
    (502, None, None, UpstreamError, 502, None),
    (503, None, None, UpstreamOverloaded, 503, None),
    (504, None, None, UpstreamTimeout, 504, None),
    (529, None, None, UpstreamOverloaded, 503, None),
    (599, None, None, UpstreamError, 502, None),
    # a code that repeats the status, and one that does not
    (429, None, 429, UpstreamRateLimited, 429, "429"),
    (401, "invalid_api_key", 401, UpstreamAuth, 401, "invalid_api_key"),
    (400, "invalid_args", 3051, UpstreamRejected, 400, "3051"),
    (400, ["no", "text"], {}, UpstreamRejected, 400, None),
]


@for_each(("status", "kind", "code", "found", "ours", "shown"), CLASSES)
def test_status_code_and_type_determine_the_class(
    status: int, kind: Any, code: Any, found: type[UpstreamError], ours: int, shown: str | None
) -> None:
    body = {"error": {"message": "Said", "type": kind, "param": "n", "code": code}}
    error = decode_error(status, [], json.dumps(body).encode())
    assert type(error) is found
    assert (error.status, error.code) == (ours, shown)
    assert (error.message, error.param) == ("Said", "n")


NO_MESSAGE = "The provider answered with status 400 and no message."

# body, message
SHAPES: list[tuple[bytes, str]] = [
    (b'{"error":{"message":"Said"}}', "Said"),
    (b'{"error":"Said"}', "Said"),
    (b'{"code":"c","error":"Said"}', "Said"),
    (b'{"error":{"message":{"a":1}}}', '{"a":1}'),
    (b'{"error":{"message":"Said","param":["n"]}}', "Said"),
    (b'{"message":"Said"}', "Said"),
    (b'{"detail":"Said"}', "Said"),
    (b'{"error_description":"Said"}', "Said"),
    (b"<html>Said</html>\n", "Said"),
    (b"<html></html>\n", "<html></html>"),
    (b"\xff said", "\ufffd said"),
    (b"[1]", "[1]"),
    (b"[" * 100_000, "[" * MAX_MESSAGE_LENGTH),
    (b"", NO_MESSAGE),
    (b"{}", NO_MESSAGE),
    (b"null", NO_MESSAGE),
    (b'{"error":null}', NO_MESSAGE),
    (b'{"error":{"message":""}}', NO_MESSAGE),
]


@for_each(("body", "message"), SHAPES)
def test_the_message_is_found_in_every_form_of_body(body: bytes, message: str) -> None:
    error = decode_error(400, [], body)
    assert type(error) is UpstreamRejected
    assert (error.message, error.param) == (message, None)


def test_an_error_inside_a_stream_has_no_status() -> None:
    error = error_from_body({"error": {"type": "overloaded_error"}}, None)
    assert type(error) is UpstreamOverloaded
    assert error.message == "The provider reported an error with no message."


NOW = b"Wed, 21 Oct 2026 07:27:35 GMT"


def limited(kind: str, remaining: bytes, reset: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (f"x-ratelimit-remaining-{kind}".encode(), remaining),
        (f"x-ratelimit-reset-{kind}".encode(), reset),
    ]


# headers, seconds to wait
WAITS: list[tuple[list[tuple[bytes, bytes]], float | None]] = [
    ([], None),
    ([(b"retry-after", b"7")], 7.0),
    ([(b"retry-after", b"0.5")], 0.5),
    ([(b"retry-after-ms", b"250")], 0.25),
    ([(b"retry-after-ms", b"250"), (b"retry-after", b"1")], 0.25),
    ([(b"retry-after-ms", b"0"), (b"retry-after", b"1")], 1.0),
    ([(b"retry-after-ms", b"soon"), (b"retry-after", b"1")], 1.0),
    ([(b"retry-after", b"0")], None),
    ([(b"retry-after", b"-1")], None),
    ([(b"retry-after", b"nan")], None),
    ([(b"retry-after", b"inf")], None),
    ([(b"retry-after", b"86400")], None),
    ([(b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT")], None),
    ([(b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT"), (b"date", NOW)], 25.0),
    ([(b"retry-after", b"Wed, 21 Oct 2026 07:20:00 GMT"), (b"date", NOW)], None),
    ([(b"retry-after", b"Wed, 99 Oct 2026 07:28:00 GMT"), (b"date", NOW)], None),
    ([(b"retry-after-ms", b"1e9"), (b"retry-after", b"2")], 2.0),
    # until the used-up limits are reset
    (limited("requests", b"0", b"1.5s"), 1.5),
    (limited("requests", b"7", b"1.5s"), None),
    ([*limited("requests", b"0", b"1.5s"), *limited("tokens", b"0", b"6m0s")], 360.0),
    ([*limited("requests", b"0", b"1.5s"), *limited("tokens", b"9", b"6m0s")], 1.5),
    ([*limited("requests", b"0", b"1.5s"), (b"retry-after", b"1")], 1.0),
    (limited("requests", b"0", b"2026-10-21T07:27:37Z"), None),
    ([*limited("requests", b"0", b"2026-10-21T07:27:37Z"), (b"date", NOW)], 2.0),
    (limited("requests", b"0", b"later"), None),
]


@for_each(("headers", "seconds"), WAITS)
def test_retry_after_is_read_in_seconds(
    headers: list[tuple[bytes, bytes]], seconds: float | None
) -> None:
    assert decode_error(429, headers, b"").retry_after_s == seconds


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], None),
        ([(b"x-request-id", b"req_1")], "req_1"),
        ([(b"request-id", b"req_2")], "req_2"),
        ([(b"request-id", b"req_2"), (b"x-request-id", b"req_1")], "req_1"),
        ([(b"x-request-id", b"\xe9")], "\xe9"),
    ],
)
def test_the_providers_request_id_is_kept(
    headers: list[tuple[bytes, bytes]], found: str | None
) -> None:
    assert decode_error(500, headers, b"").request_id == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "type", "param", "status", "detail"]),
            inner,
        )
    ),
)


@given(st.integers(100, 599), st.one_of(st.binary(), JSON.map(lambda v: json.dumps(v).encode())))
def test_no_body_makes_the_decoder_raise(status: int, body: bytes) -> None:
    error = decode_error(status, [(b"retry-after", body), (b"x-request-id", body)], body)
    assert isinstance(error, UpstreamError)
    assert 400 <= error.status < 600
    assert error.message
    assert len(error.message) <= MAX_MESSAGE_LENGTH


def test_other_errors_do_not_wait_for_a_limit() -> None:
    headers = limited("requests", b"0", b"1.5s")
    assert decode_error(503, headers, b"").retry_after_s is None
    quota = {"error": {"code": "insufficient_quota"}}
    assert decode_error(429, headers, json.dumps(quota).encode()).retry_after_s is None


def test_the_limits_of_anthropic_have_names_of_their_own() -> None:
    headers = (
        (b"anthropic-ratelimit-tokens-remaining", b"0"),
        (b"anthropic-ratelimit-tokens-reset", b"2026-10-21T07:28:05Z"),
        (b"date", NOW),
    )
    assert KINDS["anthropic"].decode_error(429, headers, b"{}").retry_after_s == 30.0
    assert KINDS["openai"].decode_error(429, headers, b"{}").retry_after_s is None
