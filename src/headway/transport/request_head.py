"""Request heads (RFC 9112). All but the length is equal from call to call, so it is encoded once
and kept."""

from __future__ import annotations

import re
from functools import lru_cache

from headway import __version__
from headway.errors import InvalidField
from headway.types import HttpRequest, Url
from headway.wire.url import authority

BODILESS_METHODS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
"""Without a body these have no content-length; others have 0 (RFC 9110, section 8.6)."""

REQUEST_WITH_BODY = b"%bcontent-length: %d\r\n\r\n%b"
"""Values: ``head_prefix``, the body's length, the body."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_A_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_IN_A_TARGET = re.compile(r"[^\x21-\x7e]")

HeaderPairs = tuple[tuple[str, str], ...]


def encode(request: HttpRequest, absolute: bool, extra: HeaderPairs) -> bytes:
    """Head and body in one piece. For a forwarding proxy, ``absolute`` asks for the absolute form
    of the target (RFC 9112, section 3.2.2). ``extra`` has the headers of all requests to the
    server, such as those for the proxy, names in lower case. Raises InvalidField for values that no
    HTTP message can contain."""
    body = request.body
    prefix = head_prefix(request.method, request.url, request.headers, absolute, extra)
    if body or request.method not in BODILESS_METHODS:
        return REQUEST_WITH_BODY % (prefix, len(body), body)
    return prefix + b"\r\n"


@lru_cache(maxsize=1024)
def head_prefix(
    method: str, url: Url, headers: HeaderPairs, absolute: bool, extra: HeaderPairs
) -> bytes:
    """Everything before the content-length line. Arguments and errors as in ``encode``."""
    target = f"{url.scheme}://{authority(url)}{url.path}" if absolute else url.path
    _check_request_line(method, target)
    lines = [f"{method} {target} HTTP/1.1", f"host: {authority(url)}"]
    pairs = (*_defaults(headers), *_combine(headers, extra))
    lines += [_line(name, value) for name, value in pairs]
    return "".join(line + "\r\n" for line in lines).encode()


def _defaults(headers: HeaderPairs) -> HeaderPairs:
    """``identity``: a compressor holds the pieces of a stream back until its block is full, and
    responses are small compared with the time that a model takes. A response that is compressed
    nevertheless is decompressed."""
    given = {name.lower() for name, _ in headers}
    wanted = (("accept-encoding", "identity"), ("user-agent", f"headway/{__version__}"))
    return tuple(pair for pair in wanted if pair[0] not in given)


def _combine(headers: HeaderPairs, extra: HeaderPairs) -> HeaderPairs:
    """``headers`` and ``extra``; a header in both is one list (RFC 9110, section 5.3)."""
    more = dict(extra)
    combined = [
        (name, f"{value}, {more.pop(name.lower())}") if name.lower() in more else (name, value)
        for name, value in headers
    ]
    return (*combined, *more.items())


def _line(name: str, value: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise InvalidField(f"{name!r} is not the name of a header", param="headers")
    if _NOT_IN_A_VALUE.search(value):  # the value may be a key: the message does not show it
        raise InvalidField(
            f"the value for header {name} holds a line break or another control character;"
            " check the key or header that was configured or sent",
            param="headers",
        )
    return f"{name}: {value}"


def _check_request_line(method: str, target: str) -> None:
    if not _TOKEN.fullmatch(method):
        raise InvalidField(f"{method!r} is not an HTTP method")
    if _NOT_IN_A_TARGET.search(target):
        raise InvalidField(f"{target!r} is not a request target", param="base_url")
