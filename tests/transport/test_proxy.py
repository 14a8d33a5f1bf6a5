from __future__ import annotations

import pytest

from headway.transport.proxy import Proxy, ProxySettings, is_exempt, parse_proxy
from support.for_each import for_each

PARSED = [
    ("http://proxy:3128", Proxy("http", "proxy", 3128)),
    ("proxy:3128", Proxy("http", "proxy", 3128)),
    ("http://proxy", Proxy("http", "proxy", 80)),
    ("https://proxy/", Proxy("https", "proxy", 443)),
    ("http://[::1]:8080", Proxy("http", "::1", 8080)),
    ("http://user:p%40ss@proxy:1", Proxy("http", "proxy", 1, "Basic dXNlcjpwQHNz")),
    ("http://user@proxy:1", Proxy("http", "proxy", 1, "Basic dXNlcjo=")),
]


@pytest.mark.parametrize(("url", "proxy"), PARSED)
def test_a_proxys_url_is_parsed(url: str, proxy: Proxy) -> None:
    assert parse_proxy(url) == proxy


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("socks5://user:secret@proxy:1080", "'socks5' is not supported"),
        ("http://user:secret@proxy:x", "port"),
        ("http://user:secret@proxy:99999", "port"),
        ("http://user:secret@", "no host"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(url: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_proxy(url)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_proxy_is_shown_without_its_password() -> None:
    assert parse_proxy("http://user:secret@proxy:1").display_url == "http://proxy:1"
    assert parse_proxy("http://user:secret@[::1]:1").display_url == "http://[::1]:1"


def test_a_proxys_password_goes_into_the_proxy_authorization_header() -> None:
    assert parse_proxy("http://u:p@h").headers == (("proxy-authorization", "Basic dTpw"),)
    assert parse_proxy("http://h").headers == ()


def test_the_environment_is_read_and_lower_case_wins() -> None:
    settings = ProxySettings.from_environ(
        {
            "http_proxy": "http://low",
            "HTTP_PROXY": "http://high",
            "HTTPS_PROXY": "http://secure",
            "ALL_PROXY": "",
            "NO_PROXY": "a.test, b.test,,10.0.0.0/8 c.test",
        }
    )
    assert settings == ProxySettings(
        http="http://low",
        https="http://secure",
        no_proxy=("a.test", "b.test", "10.0.0.0/8", "c.test"),
    )


def test_without_environment_there_is_no_proxy() -> None:
    assert ProxySettings.from_environ({}) == ProxySettings()
    assert ProxySettings().find("https", "api.test", 443) is None


def test_the_scheme_chooses_the_proxy() -> None:
    settings = ProxySettings(https="http://s", all="http://all", no_proxy=("x.test",))
    assert settings.find("https", "api.test", 443) == "http://s"
    assert settings.find("http", "api.test", 80) == "http://all"
    assert settings.find("http", "x.test", 80) is None
    assert settings.find("http+unix", "/run/x", 0) is None


EXEMPT = [
    ("localhost", 80, ""),
    ("api.localhost", 80, ""),
    ("127.0.0.1", 80, ""),
    ("127.9.9.9", 80, ""),
    ("::1", 80, ""),
    ("api.test", 80, "*"),
    ("api.test", 80, "api.test"),
    ("API.Test.", 80, "api.test"),
    ("v1.api.test", 80, "api.test"),
    ("v1.api.test", 80, ".api.test"),
    ("v1.api.test", 80, "*.api.test"),
    ("api.test", 8080, "api.test:8080"),
    ("10.1.2.3", 80, "10.0.0.0/8"),
    ("10.1.2.3", 80, "10.1.2.3"),
    ("10.1.2.3", 81, "10.1.2.3:81"),
    ("fd00::5", 80, "fd00::/8"),
    ("fd00::5", 80, "[fd00::5]:80"),
]


@for_each(("host", "port", "rule"), EXEMPT)
def test_no_proxy_exempts(host: str, port: int, rule: str) -> None:
    assert is_exempt(host, port, tuple(rule.split()))


NOT_EXEMPT = [
    ("api.test", 80, ""),
    ("api.test", 80, ".api.test"),
    ("myapi.test", 80, "api.test"),
    ("api.test.evil", 80, "api.test"),
    ("api.test", 81, "api.test:80"),
    ("11.1.2.3", 80, "10.0.0.0/8"),
    ("10.1.2.3", 80, "api.test"),
    ("fd00::5", 81, "[fd00::5]:80"),
    ("api.test", 80, "10.0.0.0/8"),
]


@pytest.mark.parametrize(("host", "port", "rule"), NOT_EXEMPT)
def test_no_proxy_exempts_nothing_else(host: str, port: int, rule: str) -> None:
    assert not is_exempt(host, port, tuple(rule.split()))
