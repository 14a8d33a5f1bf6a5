"""The URL of a request that is passed through to a provider's own API.

Path and query are the client's bytes: percent-escapes are neither decoded nor added (RFC 3986,
section 2.4: decoding and encoding again may change what is named). So the path is checked, and a
path is refused that could mean another place than it shows: the base URL may be a part of a server.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from headway.types import Url
from headway.wire.url import join

_VERSION = re.compile(r"v\d+(?:(?:alpha|beta|p\d+beta)\d*)?")
"""A segment that is the version of an API: v1, v1beta, v1p1beta1."""
_SEPARATORS = re.compile(r"[/\\]")
_NOT_IN_A_TARGET = re.compile(r"[^\x21-\x7e]|#")
MAX_DECODINGS = 3
"""Times that a path may be escaped before it is refused."""


def native_url(base_url: str, path: str, query: str = "", unversioned: tuple[str, ...] = ()) -> Url:
    """``path`` below ``base_url``, both with their queries. ``path`` begins with a slash or is
    empty. Raises ValueError for a path that is refused, and for an unusable base URL.

    Base URLs are configured with a version at their end and without, and clients send one or not:

    - a path that begins with the path of the base URL replaces it;
    - a path that begins with a version, or with a segment in ``unversioned``, replaces the
      version at the end of the base URL;
    - any other path is appended.
    """
    check_path(path)
    if _NOT_IN_A_TARGET.search(query):
        raise ValueError("its query has characters that no URL has")
    base = join(base_url)
    base_path, _, base_query = base.path.partition("?")
    base_path = base_path.rstrip("/")
    given = {_name(part) for part in query.split("&")}
    more = [part for part in base_query.split("&") if part and _name(part) not in given]
    queries = "&".join([*more, query] if query else more)
    target = _join_paths(base_path, path, unversioned) or "/"
    return replace(base, path=f"{target}?{queries}" if queries else target)


def _name(parameter: str) -> str:
    return parameter.partition("=")[0]


def _join_paths(base: str, path: str, unversioned: tuple[str, ...]) -> str:
    if base and (path == base or path.startswith(f"{base}/")):
        return path
    root, _, version = base.rpartition("/")
    first = path.split("/", 2)[1] if path else ""
    replaces_version = _VERSION.fullmatch(first) or first in unversioned
    if _VERSION.fullmatch(version) and replaces_version:
        return root + path
    return base + path


def client_url(
    url: str, sent: Url, base_url: str, public_url: str, unversioned: tuple[str, ...] = ()
) -> str:
    """A URL in a response to the request ``sent``, as the client can call it: where it is at the
    provider's own address, below ``base_url``, it is below ``public_url`` here. All others stay."""
    if url.startswith("/") and not url.startswith("//"):
        path, prefix = url, urlsplit(public_url).path
    else:
        try:
            found = join(url)
        except ValueError:
            return url
        if (found.scheme, found.host, found.port) != (sent.scheme, sent.host, sent.port):
            return url
        rest = urlsplit(url)
        path, prefix = rest.path + (f"?{rest.query}" if rest.query else ""), public_url
    try:
        returns = native_url(base_url, path.partition("?")[0], "", unversioned).path
    except ValueError:
        return url
    return prefix + path if returns.partition("?")[0] == path.partition("?")[0] else url


def check_path(path: str) -> None:
    """Raises ValueError for a path with characters that no path has, with a segment that means
    another one (``.`` and ``..``, also escaped, with backslashes, or with parameters behind them),
    or that begins with two slashes, which some servers take for a host."""
    if _NOT_IN_A_TARGET.search(path):
        raise ValueError("it has characters that no path has")
    if path and not path.startswith("/"):
        raise ValueError("it does not begin with a slash")
    decoded = path
    for _ in range(MAX_DECODINGS):
        _check_decoded(decoded)
        decoded, before = unquote(decoded, "latin-1"), decoded
        if decoded == before:
            return
    raise ValueError("it is escaped again and again")


def _check_decoded(path: str) -> None:
    if path.startswith(("//", "/\\")):
        raise ValueError("it begins with two slashes")
    for segment in _SEPARATORS.split(path):
        if segment.partition(";")[0] in (".", ".."):
            raise ValueError("it has a segment `.` or `..`, which means another path")
