from __future__ import annotations

import pytest

from headway.types import Url
from headway.wire.url import authority, join
from support.for_each import for_each

JOINED = [
    ("https://api.openai.com/v1", "/chat/c", "https", "api.openai.com", 443, "/v1/chat/c"),
    ("https://api.openai.com/v1/", "chat/c", "https", "api.openai.com", 443, "/v1/chat/c"),
    ("HTTP://GPU-Box:8000", "/v1/models", "http", "gpu-box", 8000, "/v1/models"),
    ("http://gpu_box:8000/v1", "", "http", "gpu_box", 8000, "/v1"),
    ("http://10.0.0.1", "", "http", "10.0.0.1", 80, "/"),
    ("https://h:/", "/x", "https", "h", 443, "/x"),
    ("http://[::1]:9/v1", "/x", "http", "::1", 9, "/v1/x"),
    ("http://[FE80::1]/", "", "http", "fe80::1", 80, "/"),
    ("https://a.b.com/openai?v=1", "/chat", "https", "a.b.com", 443, "/openai/chat?v=1"),
    ("https://h/a?x=1", "/b?alt=sse", "https", "h", 443, "/a/b?x=1&alt=sse"),
    ("https://h/a", "/m:generate?alt=sse", "https", "h", 443, "/a/m:generate?alt=sse"),
    ("https://h?x=1", "", "https", "h", 443, "/?x=1"),
    ("https://h/a", '/m"{x}', "https", "h", 443, "/a/m%22%7Bx%7D"),
    ("https://h/a%2Fb", "/é", "https", "h", 443, "/a%2Fb/%C3%A9"),
    ("https://bücher.example", "", "https", "xn--bcher-kva.example", 443, "/"),
    ("http+unix://%2Frun%2Fm.sock/v1", "/x", "http+unix", "/run/m.sock", 0, "/v1/x"),
    ("unix://%2Frun%2Fm.sock", "/x", "http+unix", "/run/m.sock", 0, "/x"),
    ("unix:///run/m.sock", "/x", "http+unix", "/run/m.sock", 0, "/x"),
    ("unix:/run/m.sock", "", "http+unix", "/run/m.sock", 0, "/"),
    ("unix:/run/m.sock:/v1", "/x", "http+unix", "/run/m.sock", 0, "/v1/x"),
]  # fmt: skip


@for_each(("base", "path", "scheme", "host", "port", "target"), JOINED)
def test_a_base_and_a_path_make_a_url(
    base: str, path: str, scheme: str, host: str, port: int, target: str
) -> None:
    assert join(base, path) == Url(scheme, host, port, target)


REFUSED = [
    ("api.openai.com/v1", "", "no scheme"),
    ("localhost:8000", "", "no scheme"),
    ("", "", "no scheme"),
    ("ftp://h/", "", "scheme 'ftp'"),
    ("https:///v1", "", "no host"),
    ("https://:80/", "", "no host"),
    ("https://h:x/", "", "port 'x'"),
    ("https://h:0/", "", "port '0'"),
    ("https://h:65536/", "", "port '65536'"),
    ("https://h:٣/", "", "port"),
    ("https://u:secret@h/", "", "user or password"),
    ("https://h/#top", "", "fragment (#top)"),
    ("https://h/a b", "", "space or control"),
    ("https://h/", "/a\r\nx: y", "space or control"),
    ("https://h!/", "", "no domain name: 'h!'"),
    ("https://[::1/", "", "no domain name"),
    ("https://é..x/", "", "no domain name"),
    ("unix:run/m.sock", "", "absolute path"),
    ("unix:/run/%00", "", "absolute path"),
    ("http+unix://run/v1", "", "absolute path"),
]


@for_each(("base", "path", "said"), REFUSED)
def test_the_error_for_an_invalid_url_names_the_mistake(base: str, path: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        join(base, path)
    assert said in str(caught.value)


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(ValueError) as caught:
        join("https://u:secret@h/")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("base", "shown"),
    [
        ("https://h", "h"),
        ("http://h", "h"),
        ("https://h:80", "h:80"),
        ("http://[::1]", "[::1]"),
        ("http://[::1]:8", "[::1]:8"),
        ("unix:/run/m.sock", "localhost"),
    ],
)
def test_the_authority_is_shown_without_a_default_port(base: str, shown: str) -> None:
    assert authority(join(base)) == shown
