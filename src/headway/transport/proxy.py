"""Choose the proxy of a request, if any. Pure: the caller reads the environment.

Names and meaning of the variables are curl's and Go's: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and
NO_PROXY, in lower case too, which wins. The loopback is never reached through a proxy unless an
origin has a proxy of its own in the settings.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from msgspec import Struct

PORTS = {"http": 80, "https": 443}


class Proxy(Struct, frozen=True):
    """``authorization`` is the value of the proxy-authorization header."""

    scheme: str
    host: str
    port: int
    authorization: str | None = None

    @property
    def display_url(self) -> str:
        """The URL for messages, without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return (("proxy-authorization", self.authorization),) if self.authorization else ()


def parse_proxy(url: str) -> Proxy:
    """``[http[s]://][user:password@]host[:port]``. Raises ValueError with a message that does not
    repeat the URL: it may hold a password."""
    parts = urlsplit(url if "://" in url else "http://" + url)
    if parts.scheme not in PORTS:
        raise ValueError(f"a proxy of scheme {parts.scheme!r} is not supported: use http or https")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the proxy's port is not a number from 1 to 65535") from None
    if not parts.hostname:
        raise ValueError("the proxy's URL has no host")
    return Proxy(parts.scheme, parts.hostname, port or PORTS[parts.scheme], _basic(parts.netloc))


def _basic(netloc: str) -> str | None:
    userinfo, at, _ = netloc.rpartition("@")
    if not at:
        return None
    user, _, password = userinfo.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return "Basic " + base64.b64encode(pair).decode("ascii")


class ProxySettings(Struct, frozen=True, kw_only=True):
    """Proxy URLs by the scheme of the request; ``no_proxy`` as in the variable."""

    http: str | None = None
    https: str | None = None
    all: str | None = None
    no_proxy: tuple[str, ...] = ()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> ProxySettings:
        def read(name: str) -> str | None:
            return environ.get(name) or environ.get(name.upper()) or None

        exempt = (read("no_proxy") or "").replace(",", " ").split()
        return cls(
            http=read("http_proxy"),
            https=read("https_proxy"),
            all=read("all_proxy"),
            no_proxy=tuple(exempt),
        )

    def find(self, scheme: str, host: str, port: int) -> str | None:
        """The URL of the proxy for this origin, or None for a direct connection."""
        chosen = {"http": self.http, "https": self.https}.get(scheme) or self.all
        if scheme not in PORTS or not chosen or is_exempt(host, port, self.no_proxy):
            return None
        return chosen


def is_exempt(host: str, port: int, no_proxy: tuple[str, ...]) -> bool:
    """Whether the origin is reached without a proxy: the loopback always is. A rule is ``*``, a
    domain with its subdomains (a leading dot: only the subdomains), an address, or a network in
    CIDR form; any of them with ``:port`` for that port only."""
    host = host.lower().rstrip(".")
    address = _address(host)
    if host == "localhost" or host.endswith(".localhost") or (address and address.is_loopback):
        return True
    return any(_matches(rule.lower(), host, address, port) for rule in no_proxy)


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _matches(rule: str, host: str, address: Address | None, port: int) -> bool:
    if rule == "*":
        return True
    name, wanted = _split_port(rule)
    if wanted is not None and wanted != port:
        return False
    if address is not None:
        return _contains(name, address)
    if name.startswith(("*.", ".")):
        return host.endswith(name.removeprefix("*"))
    return host == name or host.endswith("." + name)


def _split_port(rule: str) -> tuple[str, int | None]:
    if rule.startswith("["):
        name, _, port = rule[1:].partition("]")
        port = port.removeprefix(":")
    elif rule.count(":") == 1:
        name, _, port = rule.partition(":")
    else:
        name, port = rule, ""
    return name.rstrip("."), int(port) if port.isascii() and port.isdigit() else None


def _contains(network: str, address: Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
