"""What the headers of a request ask of its routing."""

from __future__ import annotations

import re

from headway.errors import InvalidField
from headway.types import Headers

NO_FALLBACK = b"x-headway-no-fallback"
TIMEOUT_HEADERS = (b"x-headway-timeout", b"x-litellm-timeout")
"""Seconds for the whole call. The first of them that a request has counts; likewise the next."""
RETRIES_HEADERS = (b"x-headway-retries", b"x-litellm-num-retries")
READ_TIMEOUT = b"x-stainless-read-timeout"
"""The official SDKs send with each request for how many seconds they wait for the next byte."""
ROUTING_HEADERS = (NO_FALLBACK, *TIMEOUT_HEADERS, *RETRIES_HEADERS)
"""Those that a client sends where it wants something. Names are in lower case."""
OFF = (b"", b"0", b"false")
MAX_RETRIES = 10
MAX_SECONDS = 86_400.0
_NUMBER = re.compile(rb"[0-9]{1,8}(?:\.[0-9]{0,9})?")
_WHOLE = re.compile(rb"[0-9]{1,2}")


def allows_fallbacks(headers: Headers) -> bool:
    return not any(name == NO_FALLBACK and value.strip() not in OFF for name, value in headers)


def find_timeout(headers: Headers) -> float | None:
    """Seconds that the client gives the call. Raises InvalidField."""
    found = _first(headers, TIMEOUT_HEADERS)
    if found is None:
        return None
    name, value = found
    seconds = _seconds(value)
    if seconds is None:
        raise InvalidField(
            f"`{name}` must be a number of seconds, more than 0 and at most {MAX_SECONDS:.0f}.",
            param=name,
        )
    return seconds


def find_read_timeout(headers: Headers) -> float | None:
    """Seconds for which the client's SDK waits for the next byte. None for a value that is no
    number: the SDK made it, and its user can do nothing about it."""
    return next((_seconds(value) for name, value in headers if name == READ_TIMEOUT), None)


def find_retries(headers: Headers) -> int | None:
    """Raises InvalidField."""
    found = _first(headers, RETRIES_HEADERS)
    if found is None:
        return None
    name, value = found
    retries = int(value) if _WHOLE.fullmatch(value) else MAX_RETRIES + 1
    if retries > MAX_RETRIES:
        message = f"`{name}` must be a whole number from 0 to {MAX_RETRIES}."
        raise InvalidField(message, param=name)
    return retries


def _first(headers: Headers, names: tuple[bytes, ...]) -> tuple[str, bytes] | None:
    by_name = dict(headers)
    return next(((name.decode(), by_name[name].strip()) for name in names if name in by_name), None)


def _seconds(value: bytes) -> float | None:
    if not _NUMBER.fullmatch(value.strip()):
        return None
    seconds = float(value)
    return seconds if 0.0 < seconds <= MAX_SECONDS else None
