"""Upstream URLs: join a base URL and a path to the URL of a request.

Parsing is strict: an unusable URL raises ValueError with a message for the user who configured it.
Grammar: RFC 3986; the request target in ``Url.path`` is in origin form (RFC 9112, section 3.2.1).

A Unix socket is written as in most HTTP clients, ``http+unix://%2Frun%2Fmodel.sock/v1``, or as in
nginx, ``unix:/run/model.sock`` and ``unix:/run/model.sock:/v1``. Both become the scheme
``http+unix`` with the socket's path as host, and port 0.
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
_UNQUOTED = "!$%&'()*+,;=:@/?-._~[]"
"""Not percent-encoded in a target (RFC 3986: reserved and unreserved characters, and ``%`` of
existing escapes): model names contain colons and slashes."""


@lru_cache(maxsize=1024)
def join(base_url: str, path: str = "") -> Url:
    """Append ``path`` to ``base_url``, with one slash between them, and its query to the base's.
    Raises ValueError, whose message names the mistake."""
    scheme, authority, base_path, query = _split(base_url)
    tail, _, path_query = path.partition("?")
    _reject_control_characters(path)
    scheme, host, port, base_path = _split_address(scheme, authority, base_path, base_url)
    queries = "&".join(part for part in (query, path_query) if part)
    target = _join_paths(base_path, tail) + ("?" + queries if queries else "")
    return Url(scheme, host, port, quote(target, safe=_UNQUOTED))


def authority(url: Url) -> str:
    """Host and port as in a Host header: brackets around IPv6, no default port. ``localhost`` for a
    Unix socket, which has neither."""
    if url.scheme == UNIX:
        return "localhost"
    host = f"[{url.host}]" if ":" in url.host else url.host
    return host if PORTS.get(url.scheme) == url.port else f"{host}:{url.port}"


def _split(base_url: str) -> tuple[str, str | None, str, str]:
    _reject_control_characters(base_url)
    found = _PARTS.fullmatch(base_url)
    if found is None or not re.match(r"[^:/?#]+://|unix:", base_url, re.IGNORECASE):
        raise ValueError(f"URL {base_url!r} has no scheme: write https://... or http://...")
    scheme, _, host, path, query, fragment = found.groups()
    if fragment is not None:
        raise ValueError(f"URL {base_url!r} has a fragment ({fragment}), which is never sent")
    return scheme.lower(), host, path, (query or "")[1:]


def _split_address(
    scheme: str, authority: str | None, path: str, base_url: str
) -> tuple[str, str, int, str]:
    """Scheme, host, port, and the path without the socket's."""
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
    if "@" in authority:  # the message omits the URL: it may contain a password
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


def _join_paths(base: str, tail: str) -> str:
    if not tail:
        return base or "/"
    return base.rstrip("/") + "/" + tail.lstrip("/")


def _reject_control_characters(text: str) -> None:
    found = _NOT_IN_A_URL.search(text)
    if found:
        raise ValueError(f"URL {text!r} holds a space or control character ({found[0]!r})")
