"""Sign requests with AWS Signature Version 4
(docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).

Pure: the time is an argument. The signature is over the request as it goes on the wire, with the
path encoded once more, as every service but S3 requires, and the query sorted. It covers ``host``,
which the transport writes, and leaves out headers that proxies may change.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from urllib.parse import quote, unquote_to_bytes

from msgspec import Struct
from msgspec.structs import replace

from headway.types import HttpRequest
from headway.wire.url import authority

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "expect",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-amzn-trace-id",
    }
)
DATE, TOKEN = "x-amz-date", "x-amz-security-token"
SPACE = " \t\r\n"
WHITESPACE_RUN = re.compile(f"[{SPACE}]+")
UNRESERVED = "-._~"

Pairs = tuple[tuple[str, str], ...]


class AwsCredentials(Struct, frozen=True):
    """An access key; temporary ones have a session token."""

    access_key: str
    secret_key: str
    session_token: str | None = None


class CredentialScope(Struct, frozen=True):
    """The scope in which a signature is valid."""

    region: str
    service: str


def sign(
    request: HttpRequest, credentials: AwsCredentials, scope: CredentialScope, now: float
) -> HttpRequest:
    """The request with its date, session token and ``authorization``, which replace earlier ones;
    ``now`` is unix seconds."""
    date = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    token = credentials.session_token
    replaced = {DATE, TOKEN, "authorization"}
    kept = tuple(pair for pair in request.headers if pair[0].lower() not in replaced)
    added = ((DATE, date), (TOKEN, token)) if token else ((DATE, date),)
    dated = replace(request, headers=(*kept, *added))
    scope_text = f"{date[:8]}/{scope.region}/{scope.service}/aws4_request"
    names, text = canonical_request(dated)
    to_sign = "\n".join((ALGORITHM, date, scope_text, sha256(text).hexdigest()))
    secret = _signing_key(credentials.secret_key, date[:8], scope)
    signature = digest(secret, to_sign.encode(), "sha256").hex()
    value = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope_text}, SignedHeaders={names},"
        f" Signature={signature}"
    )
    return replace(dated, headers=(*dated.headers, ("authorization", value)))


def canonical_request(request: HttpRequest) -> tuple[str, bytes]:
    """The names of the signed headers, joined by semicolons, and the canonical request."""
    path, _, query = request.url.path.partition("?")
    headers = _headers((*request.headers, ("host", authority(request.url))))
    names = ";".join(headers)
    lines = (
        request.method,
        quote(_normalized(path), safe="/" + UNRESERVED),
        _query(query),
        *(f"{name}:{value}" for name, value in headers.items()),
        "",
        names,
        sha256(request.body).hexdigest(),
    )
    return names, "\n".join(lines).encode()


def _headers(pairs: Pairs) -> dict[str, str]:
    """Sorted by name; values trimmed, with single spaces, those of repeated names joined."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if name.lower() not in UNSIGNED:
            found.setdefault(name.lower(), []).append(WHITESPACE_RUN.sub(" ", value.strip(SPACE)))
    return {name: ",".join(found[name]) for name in sorted(found)}


def _query(query: str) -> str:
    pairs = [part.partition("=") for part in query.split("&") if part]
    encoded = [(_encoded(name), _encoded(value)) for name, _, value in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe=UNRESERVED)


def _normalized(path: str) -> str:
    """Without empty and dot segments (RFC 3986, section 5.2.4)."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    ends = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return "/" + "/".join(kept) + ends


@lru_cache(maxsize=64)
def _signing_key(secret_key: str, day: str, scope: CredentialScope) -> bytes:
    """Cached, because it is the same for a day: it takes three of the four HMACs of a signature."""
    key = digest(b"AWS4" + secret_key.encode(), day.encode(), "sha256")
    for part in (scope.region, scope.service, "aws4_request"):
        key = digest(key, part.encode(), "sha256")
    return key
