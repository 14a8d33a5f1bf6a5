"""Length limits of request fields that are kept as cache keys.

Request heads, addresses and prices are cached for a thousand calls: with texts as long as a body
may be, they would fill the memory. No provider accepts longer ones; Amazon's model names (ARNs)
are the longest.
"""

from __future__ import annotations

from headway.dialects.base import DecodedRequest
from headway.errors import InvalidField

MAX_LENGTHS = {"model": 2048, "api_key": 8192, "base_url": 2048, "session_id": 1024}
"""Characters."""
MAX_OPTION_LENGTH = 256
ALWAYS_ALLOWED = min(MAX_LENGTHS.values())
"""A text of at most this length needs no check."""


def check_lengths(decoded: DecodedRequest) -> None:
    """Raises InvalidField for a text over its limit."""
    _check("model", decoded.request.model)
    _check("session_id", decoded.session_id)
    _check("api_key", decoded.api_key, decoded.key_field)
    _check("base_url", decoded.base_url)
    for name, value in decoded.options.items():
        _check(name, str(value))


def _check(name: str, text: str | None, param: str | None = None) -> None:
    """``param`` is what the client calls it, where that differs from ``name``."""
    limit = MAX_LENGTHS.get(name, MAX_OPTION_LENGTH)
    if text is not None and len(text) > limit:
        message = f"`{param or name}` must be a string of at most {limit} characters."
        raise InvalidField(message, param=param or name)
