from __future__ import annotations

import pytest

from headway.transport.proxy import ProxySettings
from headway.transport.route import OriginSettings, Routes
from headway.transport.tls import TlsSettings
from headway.wire.url import join

TLS = TlsSettings()
PROXIES = ProxySettings(all="http://u:secret@proxy:3128", no_proxy=("near.test",))


def test_an_origin_goes_through_the_proxy_of_the_settings() -> None:
    route = Routes(TLS, PROXIES, {}).find(join("https://api.test/v1"))
    assert route.proxy is not None
    assert route.proxy.display_url == "http://proxy:3128"
    assert not route.is_forwarded
    assert route.is_tls
    assert route.display_url == "https://api.test"


def test_plain_http_is_forwarded_by_the_proxy() -> None:
    route = Routes(TLS, PROXIES, {}).find(join("http://api.test:81"))
    assert route.is_forwarded
    assert not route.is_tls
    assert route.display_url == "http://api.test:81"


def test_an_exempt_origin_goes_directly() -> None:
    assert Routes(TLS, PROXIES, {}).find(join("http://near.test")).proxy is None


def test_an_origin_may_have_its_own_proxy_and_tls() -> None:
    own = TlsSettings(ca_file="company.pem")
    routes = Routes(
        TLS,
        PROXIES,
        {
            "https://api.test/any/path": OriginSettings(proxy="https://other", tls=own),
            "http://api.test": OriginSettings(proxy="direct"),
            "http://127.0.0.1:9": OriginSettings(proxy="http://forced"),
        },
    )
    route = routes.find(join("https://api.test"))
    assert (route.proxy and route.proxy.display_url, route.tls) == ("https://other:443", own)
    plain = routes.find(join("http://api.test"))
    assert (plain.proxy, plain.tls) == (None, TLS)
    assert routes.find(join("http://127.0.0.1:9")).is_forwarded


def test_a_proxy_that_cannot_be_used_is_an_error_of_the_route() -> None:
    proxies = ProxySettings(all="socks5://u:secret@proxy")
    route = Routes(TLS, proxies, {}).find(join("https://api.test"))
    assert route.error is not None
    assert "socks5" in route.error
    assert "secret" not in route.error


def test_an_origin_that_is_not_a_url_is_refused() -> None:
    with pytest.raises(ValueError, match="no scheme"):
        Routes(TLS, PROXIES, {"api.test": OriginSettings()})


def test_a_unix_socket_is_shown_by_its_path() -> None:
    route = Routes(TLS, PROXIES, {}).find(join("unix:/run/x.sock"))
    assert (route.display_host, route.proxy) == ("/run/x.sock", None)


def test_a_client_certificate_is_not_for_the_proxy() -> None:
    own = TlsSettings(ca_file="company.pem", cert_file="client.pem", key_file="key.pem")
    route = Routes(own, PROXIES, {}).find(join("https://api.test"))
    assert route.tls == own
    assert route.proxy_tls == TlsSettings(ca_file="company.pem")
