"""The web page: ``GET /`` for browsers, and its files below ``/ui/``.

Neither needs a key: they are the same on every server. The routes that the page calls need one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from headway.errors import NotFound
from headway.server.page_files import File, PageFiles, Version
from headway.server.routes import PAGE_FILES
from headway.types import Headers

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' {import_map}",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""No HTML from a string, script only from files of this server (W3C Content Security Policy Level
3, Trusted Types)."""
NO_POWERS = ", ".join(
    f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment", "usb")
)
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", NO_POWERS.encode()),
)
ALWAYS_ASK = (b"cache-control", b"no-cache")
KEEP_FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")
BY_ACCEPT = (b"vary", b"accept, accept-encoding")
BY_ENCODING = (b"vary", b"accept-encoding")

Response = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers without the length, body."""


class Page:
    def __init__(self, files: PageFiles | None = None) -> None:
        self._files = PageFiles() if files is None else files

    async def index(self, headers: Headers) -> Response:
        """The document, or 304 if the browser has it already."""
        version = await asyncio.to_thread(self._files.current)
        tag = f'W/"{version.digest}"'.encode()
        shared = [ALWAYS_ASK, BY_ACCEPT, (b"etag", tag), *_security_headers(version)]
        if tag in _items(headers, b"if-none-match"):
            return 304, shared, b""
        return _respond(version.document, shared, headers)

    async def file(self, path: str, headers: Headers) -> Response:
        """The file of ``/ui/<digest>/<path>``. Raises NotFound, also for an older page's files:
        mixed with new ones they would fail in ways that are harder to understand."""
        digest, _, name = path.removeprefix(PAGE_FILES).partition("/")
        found = self._files.kept(digest, name)
        if found is None:
            found = await asyncio.to_thread(self._files.read, digest, name)
        if found is None:
            raise NotFound(f"The page has no file {path}; reload the page if it is an older one.")
        return _respond(found, [KEEP_FOR_EVER, BY_ENCODING, *SECURITY_HEADERS], headers)


def wants_page(headers: Headers) -> bool:
    """Whether the client names HTML among what it accepts, as browsers do when they navigate.
    ``*/*``, which others send, does not count."""
    return any(_accepts(item, b"text/html") for item in _items(headers, b"accept"))


def _respond(file: File, shared: list[tuple[bytes, bytes]], headers: Headers) -> Response:
    answer = [(b"content-type", file.content_type), *shared]
    takes_gzip = any(_accepts(item, b"gzip") for item in _items(headers, b"accept-encoding"))
    if file.compressed is None or not takes_gzip:
        return 200, answer, file.content
    return 200, [*answer, (b"content-encoding", b"gzip")], file.compressed


def _security_headers(version: Version) -> Iterator[tuple[bytes, bytes]]:
    policy = POLICY.format(import_map=version.import_map_hash)
    yield b"content-security-policy", policy.encode()
    yield from SECURITY_HEADERS


def _items(headers: Headers, wanted: bytes) -> list[bytes]:
    """The items of a header that is a list (RFC 9110, section 5.6.1)."""
    values = [value for name, value in headers if name == wanted]
    return [item.strip(b" \t") for value in values for item in value.split(b",")]


def _accepts(item: bytes, wanted: bytes) -> bool:
    """Whether an item of an ``accept`` header is ``wanted``, and is not excluded by its weight
    (RFC 9110, section 12.4.2)."""
    name, *parameters = (part.strip(b" \t").lower() for part in item.split(b";"))
    weights = [part[2:] for part in parameters if part.startswith(b"q=")]
    return name == wanted and not any(weight.strip(b"0.") == b"" for weight in weights)
