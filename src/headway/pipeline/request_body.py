"""Decode a client's request, also one whose body is compressed, and read its headers."""

from __future__ import annotations

import re
from typing import Protocol, TypeVar

from msgspec.structs import replace

from headway.dialects.base import ClientRequest, DecodedRequest
from headway.errors import BodyTooLarge, InvalidBody, UnsupportedEncoding
from headway.policy.request_headers import asks_for_metrics
from headway.policy.request_labels import find_tags, find_user
from headway.policy.routing_headers import allows_fallbacks, find_retries, find_timeout
from headway.policy.session_headers import clean_session_id, find_session_id
from headway.types import Headers
from headway.wire.content_coding import DECODERS, BodyTooLargeError, coding_name, decode_body
from headway.wire.json_size import has_more_items

T = TypeVar("T", covariant=True)
JSON_START = re.compile(rb"\s*[{\[]")


class Decodes(Protocol[T]):
    """What of a dialect is needed."""

    def decode(self, client_request: ClientRequest) -> T:
        """Raises RequestError."""


def decode_request(dialect: Decodes[T], request: ClientRequest, limit: int, item_limit: int) -> T:
    """The request as ``dialect`` reads it. Raises RequestError.

    A compressed body is no JSON, so that the header is looked up only for a body that is none.
    ``limit`` is in bytes of the decompressed body, ``item_limit`` in strings, objects and lists.
    """
    try:
        if len(request.body) > item_limit:  # below it there is nothing to count
            _check_items(request.body, item_limit)
        return dialect.decode(request)
    except (InvalidBody, BodyTooLarge):
        coding = _content_coding(request)
        if not coding:
            raise
        plain = _decompress(coding, request.body, limit)
    _check_items(plain, item_limit)
    return dialect.decode(replace(request, body=plain))


def _check_items(body: bytes, limit: int) -> None:
    """A form may have any bytes, and is no JSON: what does not begin as JSON is not decoded."""
    if JSON_START.match(body) and has_more_items(body, limit):
        raise BodyTooLarge(
            f"The body has more than {limit} strings, objects and lists; server.json_limit sets "
            "how many are taken."
        )


def apply_headers(decoded: DecodedRequest, headers: Headers) -> DecodedRequest:
    """The request with what its headers ask for, and with its session: named by the field for it,
    else by a header, else by what the client's format has for another purpose. Raises
    InvalidField."""
    session_id = decoded.session_id or find_session_id(headers)
    if session_id is None and decoded.session_hint is not None:
        session_id = clean_session_id(decoded.session_hint.encode())
    shows_metrics = decoded.shows_metrics or asks_for_metrics(headers)
    retries = find_retries(headers)
    return replace(
        decoded,
        session_id=session_id,
        shows_metrics=shows_metrics,
        user=find_user(headers),
        tags=find_tags(headers),
        retries=decoded.retries if retries is None else retries,
        timeout_s=find_timeout(headers),
        allows_fallbacks=allows_fallbacks(headers),
    )


def _content_coding(request: ClientRequest) -> str:
    codings = [value for name, value in request.headers if name == b"content-encoding"]
    return coding_name(b",".join(codings))


def _decompress(coding: str, body: bytes, limit: int) -> bytes:
    try:
        return decode_body(coding, body, limit)
    except LookupError:
        raise UnsupportedEncoding(
            f"The body's content-encoding {coding!r} cannot be decoded here; known are "
            f"{', '.join(DECODERS)} (br and zstd with the packages brotli and backports.zstd)."
        ) from None
    except BodyTooLargeError:
        raise BodyTooLarge(
            f"The body is larger than {limit} bytes when decompressed; server.body_limit sets how "
            "much is taken."
        ) from None
    except ValueError as error:
        raise InvalidBody(
            f"The body is not the {coding} that its content-encoding header says: {error}."
        ) from None
