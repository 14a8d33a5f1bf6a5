from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.wire.native_path import check_path, client_url, native_url


def test_a_path_is_joined_to_the_base_url_whatever_has_the_version() -> None:
    cases = {
        ("https://a/v1", "/v1/files"): "/v1/files",
        ("https://a/v1", "/files"): "/v1/files",
        ("https://a/v1", "/v1"): "/v1",
        ("https://a/v1", ""): "/v1",
        ("https://a/v1/", "/files/"): "/v1/files/",
        ("https://a", ""): "/",
        ("https://a", "/v1/messages"): "/v1/messages",
        ("https://a/v1beta", "/v1alpha/models"): "/v1alpha/models",
        ("https://a/v1beta", "/upload/v1beta/files"): "/upload/v1beta/files",
        ("https://a/v1", "/v1p1beta1/x"): "/v1p1beta1/x",
        ("https://a/v1", "/v1x/y"): "/v1/v1x/y",
        ("https://a/openai/v1", "/openai/v1/models"): "/openai/v1/models",
        ("https://a/openai/v1", "/v1/models"): "/openai/v1/models",
        ("https://a/openai/v1", "/models"): "/openai/v1/models",
        ("https://a/openai", "/v1/models"): "/openai/v1/models",
        ("https://a/v1", "/a%2Fb%20c//d;e=f"): "/v1/a%2Fb%20c//d;e=f",
    }
    for (base, path), expected in cases.items():
        assert native_url(base, path, "", ("upload",)).path == expected, (base, path)


def test_queries_go_as_they_are_and_those_of_the_base_url_besides() -> None:
    url = native_url("https://a:8/v1?api-version=1&x=2", "/f", "x=%20&x=3&y")
    assert (url.scheme, url.host, url.port) == ("https", "a", 8)
    assert url.path == "/v1/f?api-version=1&x=%20&x=3&y"
    assert native_url("https://a?b=c", "/f").path == "/f?b=c"


def test_paths_that_may_mean_another_place_are_refused() -> None:
    for path in (
        "x",
        "//host/x",
        "/\\host",
        "/%2Fhost",
        "/..",
        "/a/../b",
        "/a/./b",
        "/a/%2e%2E/b",
        "/a/..%2fb",
        "/a\\..\\b",
        "/a/%5c..%5cb",
        "/a/..;x=y/b",
        "/%252e%252e/a",
        "/%25252525252e",
        "/a b",
        "/a#b",
        "/\x7f",
        "/\xe9",
    ):
        with pytest.raises(ValueError, match="it "):
            check_path(path)
    with pytest.raises(ValueError, match="query"):
        native_url("https://a", "/x", "a b")
    for path in ("/...", "/a..b", "/.well-known", "/a;..", "/a%2Fb", "/%E9", "/a//b"):
        check_path(path)


@given(st.text("./\\%25ef;ab", max_size=12))
def test_what_is_not_refused_stays_below_the_base(text: str) -> None:
    path = "/" + text
    try:
        url = native_url("https://host/base", path)
    except ValueError:
        return
    assert url.host == "host"
    assert url.path.startswith("/base")


def test_urls_of_the_provider_are_rewritten_to_those_of_the_gateway() -> None:
    base, public = "https://api.example/v1", "http://gate:80/providers/p"
    sent = native_url(base, "/files")
    cases = {
        "/v1/files/1?a=b": "/providers/p/v1/files/1?a=b",
        "https://api.example/v1/files/1?a=b": "http://gate:80/providers/p/v1/files/1?a=b",
        "https://api.example:443/v1": "http://gate:80/providers/p/v1",
        "https://api.example/other": "https://api.example/other",
        "http://api.example/v1/x": "http://api.example/v1/x",
        "https://cdn.example/v1/x": "https://cdn.example/v1/x",
        "//cdn.example/v1": "//cdn.example/v1",
        "/v1/../x": "/v1/../x",
        "relative": "relative",
    }
    for url, expected in cases.items():
        assert client_url(url, sent, base, public) == expected, url
    upload = "https://api.example/upload/v1/files"
    assert client_url(upload, sent, base, public, ("upload",)) == (
        "http://gate:80/providers/p/upload/v1/files"
    )
