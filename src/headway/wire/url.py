"""URLs of upstreams: a configured base and a path make the place where a request goes.

Pure and strict: what is not a usable URL is a ``ValueError`` whose message names what is wrong, so
that configuration and adapters can say it to their user. Grammar: RFC 3986; the request target in
``Url.path`` is RFC 9112 section 3.2.1 (origin form).

Unix sockets, as HTTP clients commonly write them: ``http+unix://%2Frun%2Fmodel.sock/v1``, and
``unix:/run/model.sock`` or ``unix:/run/model.sock:/v1`` as nginx does. Both become the scheme
``http+unix`` with the socket's path as host and port 0.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote

from headway.types import Url

PORTS = {"http": 80, "https": 443}
UNIX = "http+unix"

_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f]")
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]+")
_IPV6 = re.compile(r"\[([0-9A-Fa-f:.]+(?:%[A-Za-z0-9._~-]+)?)\](?::(\d*))?")
_KEPT = "!$%&'()*+,;=:@/?-._~[]"
"""Left as they are in a target (RFC 3986's reserved and unreserved, and ready-made escapes): model
names hold colons and slashes."""


@lru_cache(maxsize=1024)
def join(base_url: str, path: str = "") -> Url:
    """``path`` put behind ``base_url``, with one slash between; queries of both are kept, the
    base's first. Raises ValueError naming what is wrong."""
    scheme, authority, base_path, query = _split(base_url)
    tail, _, more = path.partition("?")
    _refuse_spaces(path)
    scheme, host, port, base_path = _place(scheme, authority, base_path, base_url)
    queries = "&".join(part for part in (query, more) if part)
    target = _joined(base_path, tail) + ("?" + queries if queries else "")
    return Url(scheme, host, port, quote(target, safe=_KEPT))


def authority(url: Url) -> str:
    """The host as a Host header and a message show it: brackets around IPv6, no default port.
    A Unix socket has none, and says localhost."""
    if url.scheme == UNIX:
        return "localhost"
    host = f"[{url.host}]" if ":" in url.host else url.host
    return host if PORTS.get(url.scheme) == url.port else f"{host}:{url.port}"


def _split(base_url: str) -> tuple[str, str | None, str, str]:
    _refuse_spaces(base_url)
    found = _PARTS.fullmatch(base_url)
    if found is None or not re.match(r"[^:/?#]+://|unix:", base_url, re.IGNORECASE):
        raise ValueError(f"URL {base_url!r} has no scheme: write https://... or http://...")
    scheme, _, host, path, query, fragment = found.groups()
    if fragment is not None:
        raise ValueError(f"URL {base_url!r} has a fragment ({fragment}), which is never sent")
    return scheme.lower(), host, path, (query or "")[1:]


def _place(
    scheme: str, authority: str | None, path: str, base_url: str
) -> tuple[str, str, int, str]:
    """Scheme, host, port, and the path that is left."""
    if scheme in PORTS:
        host, port = _host_and_port(authority or "", base_url)
        return scheme, host, PORTS[scheme] if port is None else port, path
    if scheme not in (UNIX, "unix"):
        raise ValueError(f"URL {base_url!r} has scheme {scheme!r}: http, https and unix are known")
    if authority:
        socket, rest = unquote(authority), path
    else:
        socket, _, rest = path.partition(":")
        socket = unquote(socket)
    if not socket.startswith("/") or "\0" in socket:
        raise ValueError(f"URL {base_url!r} names no absolute path of a socket")
    return UNIX, socket, 0, rest


def _host_and_port(authority: str, base_url: str) -> tuple[str, int | None]:
    if "@" in authority:  # not shown: it may hold a password
        raise ValueError("URL has a user or password in it: use api_key or headers for that")
    bracketed = _IPV6.fullmatch(authority)
    if bracketed:
        host, port = bracketed[1], bracketed[2] or ""
    else:
        host, _, port = authority.partition(":")
        host = _ascii_host(host, base_url)
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"URL {base_url!r} has port {port!r}, which is not 1 to 65535")
    return host.lower(), int(port) if port else None


def _ascii_host(host: str, base_url: str) -> str:
    if not host:
        raise ValueError(f"URL {base_url!r} has no host")
    try:
        plain = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"URL {base_url!r} has a host that is no domain name: {error}") from None
    if not _HOST_NAME.fullmatch(plain):
        raise ValueError(f"URL {base_url!r} has a host that is no domain name: {host!r}")
    return plain


def _joined(base: str, tail: str) -> str:
    if not tail:
        return base or "/"
    return base.rstrip("/") + "/" + tail.lstrip("/")


def _refuse_spaces(text: str) -> None:
    found = _NOT_IN_A_URL.search(text)
    if found:
        raise ValueError(f"URL {text!r} holds a space or control character ({found[0]!r})")
