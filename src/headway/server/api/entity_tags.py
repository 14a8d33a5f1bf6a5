"""Entity tags (RFC 9110, section 8.8.3): a client that has a body already is told so, and is not
sent it again."""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus

from headway.server.api.ledger_requests import Answer
from headway.types import Headers

REVALIDATED = (b"cache-control", b"private, no-cache")
"""A client may keep the body, and asks each time whether it is still that."""


def tag(answer: Answer, asked: Headers) -> Answer:
    """``answer``, which is no stream, with its tag; without its body where the request has the same
    tag."""
    assert isinstance(answer.body, bytes)
    etag = b'"%b"' % sha256(answer.body).hexdigest()[:32].encode()
    headers = [*answer.headers, (b"etag", etag), REVALIDATED]
    known = b",".join(value for name, value in asked if name == b"if-none-match")
    tags = {each.strip().removeprefix(b"W/") for each in known.split(b",")}
    if etag in tags or b"*" in tags:
        return Answer(b"", answer.content_type, headers, HTTPStatus.NOT_MODIFIED)
    return answer._replace(headers=headers)
