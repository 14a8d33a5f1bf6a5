from __future__ import annotations

import pytest

from headway import __version__
from headway.errors import InvalidField
from headway.transport.request_head import encode
from headway.types import HttpRequest, Url
from headway.wire.url import join

URL = join("https://api.test:8443/v1", "/chat?x=1")


def lines(data: bytes) -> list[bytes]:
    return data.split(b"\r\n")


def test_a_request_is_written_whole() -> None:
    sent = encode(HttpRequest(URL, (("authorization", "Bearer k"),), b'{"a":1}'), False, ())
    assert lines(sent) == [
        b"POST /v1/chat?x=1 HTTP/1.1",
        b"host: api.test:8443",
        b"accept-encoding: identity",
        b"user-agent: headway/" + __version__.encode(),
        b"authorization: Bearer k",
        b"content-length: 7",
        b"",
        b'{"a":1}',
    ]


@pytest.mark.parametrize(
    ("method", "has_length"), [("POST", True), ("GET", False), ("HEAD", False)]
)
def test_only_methods_with_a_body_say_that_it_is_empty(method: str, has_length: bool) -> None:
    sent = encode(HttpRequest(URL, (), b"", method), False, ())
    assert (b"\r\ncontent-length: 0\r\n" in sent) is has_length
    assert sent.endswith(b"\r\n\r\n")


def test_the_callers_accept_encoding_and_user_agent_are_kept() -> None:
    headers = (("Accept-Encoding", "gzip"), ("User-Agent", "me"))
    sent = encode(HttpRequest(URL, headers, b""), False, ())
    assert b"Accept-Encoding: gzip" in sent
    assert b"User-Agent: me" in sent
    assert b"identity" not in sent
    assert b"headway" not in sent


def test_a_proxy_gets_the_absolute_form_and_its_own_headers() -> None:
    url = join("http://api.test/v1")
    sent = encode(HttpRequest(url, (), b""), True, (("proxy-authorization", "Basic x"),))
    assert lines(sent)[0] == b"POST http://api.test/v1 HTTP/1.1"
    assert b"proxy-authorization: Basic x" in lines(sent)


def test_a_header_of_the_request_and_of_all_requests_is_one_list() -> None:
    headers = (("x-a", "1"), ("CDN-Loop", "theirs"), ("x-b", "2"))
    sent = encode(HttpRequest(URL, headers, b""), False, (("cdn-loop", "ours"), ("x-c", "3")))
    assert lines(sent)[4:8] == [b"x-a: 1", b"CDN-Loop: theirs, ours", b"x-b: 2", b"x-c: 3"]


def test_a_value_outside_ascii_is_utf_8() -> None:
    sent = encode(HttpRequest(URL, (("x-user", "Zoë"),), b""), False, ())
    assert "x-user: Zoë\r\n".encode() in sent


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb", "a\0b", "a\x7fb"])
def test_a_header_value_with_a_line_break_is_refused_and_not_repeated(value: str) -> None:
    request = HttpRequest(URL, (("authorization", "Bearer secret" + value),), b"")
    with pytest.raises(InvalidField, match="header authorization") as caught:
        encode(request, False, ())
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "ä"])
def test_an_invalid_header_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidField, match="name of a header"):
        encode(HttpRequest(URL, ((name, "x"),), b""), False, ())


def test_an_invalid_method_or_target_is_refused() -> None:
    with pytest.raises(InvalidField, match="not an HTTP method"):
        encode(HttpRequest(URL, (), b"", "GET /x HTTP/1.1\r\n"), False, ())
    with pytest.raises(InvalidField, match="not a request target"):
        encode(HttpRequest(Url("http", "h", 80, "/a b"), (), b""), False, ())
