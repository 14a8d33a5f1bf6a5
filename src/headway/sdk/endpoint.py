"""Where a gateway is, and the headers that its requests have."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from headway import __version__
from headway.sdk.requests import JSON


class Endpoint:
    """``url`` is ``http(s)://host[:port][/prefix]`` or ``host:port``. Raises ValueError."""

    def __init__(self, url: str, api_key: str | None) -> None:
        parts = _parse_url(url)
        self.url = parts.geturl()
        self.host = parts.hostname or ""
        self.is_tls = parts.scheme == "https"
        self.port = parts.port or (443 if self.is_tls else 80)
        self.prefix = parts.path
        self._authority = parts.netloc
        self._headers = {"User-Agent": f"headway/{__version__}", "Accept-Encoding": "identity"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {_check_key(api_key)}"

    def headers(self, body: bytes | None, accept: str) -> dict[str, str]:
        """The headers of a request, without Host and Content-Length."""
        content_type = {} if body is None else {"Content-Type": JSON}
        return {**self._headers, "Accept": accept, **content_type}

    def encode(self, method: str, path: str, body: bytes | None, accept: str) -> bytes:
        """A whole HTTP/1.1 request (RFC 9112, 3)."""
        fields = {"Host": self._authority, **self.headers(body, accept)}
        if body is not None:
            fields["Content-Length"] = str(len(body))
        lines = [
            f"{method} {self.prefix}{path} HTTP/1.1",
            *(f"{k}: {v}" for k, v in fields.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + (body or b"")


def _parse_url(url: str) -> SplitResult:
    parts = urlsplit((url if "://" in url else f"http://{url}").strip().rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError(
            f"not the URL of a gateway: {url!r} (expected for example http://127.0.0.1:8000)"
        )
    if parts.username or parts.password:
        raise ValueError("the gateway key belongs in api_key, not in the URL")
    parts.port  # noqa: B018  raises ValueError for an invalid port
    return parts


def _check_key(api_key: str) -> str:
    key = api_key.strip()
    if not key.isascii() or not key.isprintable():
        raise ValueError("the gateway key contains characters that are not printable ASCII")
    return key
