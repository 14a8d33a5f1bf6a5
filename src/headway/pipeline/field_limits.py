"""How long the texts of a call may be by which something is kept.

Heads of requests, addresses and prices are kept for a thousand calls: with texts as long as a body
may be they would fill the memory. No provider takes longer ones either; Amazon's names of models
are the longest.
"""

from __future__ import annotations

from headway.dialects.base import DecodedRequest
from headway.errors import InvalidField

LONGEST = {"model": 2048, "api_key": 8192, "base_url": 2048, "session_id": 1024}
"""Characters."""
LONGEST_OPTION = 256
SHORT = min(LONGEST.values())
"""No text of a call that is no longer than this needs a look."""


def check_lengths(call: DecodedRequest) -> None:
    """Raises InvalidField for a text that is too long to be what it says it is."""
    _check("model", call.request.model)
    _check("session_id", call.session_id)
    _check("api_key", call.api_key)
    _check("base_url", call.base_url)
    for name, value in call.options.items():
        _check(name, str(value))


def _check(name: str, text: str | None) -> None:
    longest = LONGEST.get(name, LONGEST_OPTION)
    if text is not None and len(text) > longest:
        message = f"`{name}` must be a string of at most {longest} characters."
        raise InvalidField(message, param=name)
