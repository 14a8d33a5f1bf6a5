"""Log the failures of requests. A line has the id of the request, by which its record is found, and
no text that could hold a key or a part of the prompt: a provider's message is in the record only.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from headway import errors
from headway.dialects.base import DecodedRequest
from headway.errors import HeadwayError

log = logging.getLogger("headway")
LEVELS: tuple[tuple[type[HeadwayError], int], ...] = (
    (errors.UpstreamError, logging.WARNING),
    (errors.LoopDetected, logging.WARNING),
    (errors.RequestError, logging.INFO),
    (errors.ClientGone, logging.INFO),
    (errors.ShuttingDown, logging.INFO),
    (errors.LedgerUnavailable, logging.INFO),
)
"""The first class that an error is of. Any other error is a defect of the gateway."""
OWN_WORDS = (
    errors.Forbidden,
    errors.LedgerUnavailable,
    errors.LoopDetected,
    errors.MissingProviderKey,
    errors.ShuttingDown,
    errors.Unauthorized,
)
"""Errors whose messages quote neither the client nor the provider."""
LONGEST_NAME = 128
"""Characters of a name that a client sent."""
_CODE = re.compile(r"[A-Za-z0-9_.:\[\]-]{1,64}")


def fields(**values: Any) -> dict[str, Any]:
    """``extra`` of a log call: the known values, which the line has after its message."""
    return {"fields": {name: value for name, value in values.items() if value is not None}}


def log_call_failure(
    message: str,
    error: HeadwayError,
    decoded: DecodedRequest | None,
    *,
    upstream_status: int,
    **values: Any,
) -> None:
    """As ``log_failure``, for a request to a provider. ``decoded`` is the request, if that could be
    decoded, ``upstream_status`` the status of the provider's response, 0 if it sent none."""
    log_failure(
        message,
        error,
        from_transport=isinstance(error, errors.UpstreamError) and not upstream_status,
        provider=None if decoded is None else decoded.provider or None,
        model=None if decoded is None else decoded.request.model or None,
        upstream_status=upstream_status or None,
        upstream_request_id=error.request_id,
        **values,
    )


def log_failure(
    message: str, error: HeadwayError, *, from_transport: bool = False, **values: Any
) -> None:
    """``values`` are fields of the line, such as ``request_id``, ``provider`` and ``model``.
    ``from_transport`` says that the provider has sent nothing, so that the message is the
    gateway's own."""
    level = _level(error)
    if not log.isEnabledFor(level):
        return
    has_own_words = from_transport or isinstance(error, OWN_WORDS)
    log.log(
        level,
        message,
        extra=fields(
            **_shortened(values),
            status=error.status,
            error_type=error.type,
            error_code=_plain(error.code),
            param=_plain(error.param),
            reason=error.message if has_own_words else None,
        ),
    )


def _level(error: HeadwayError) -> int:
    return next((level for cls, level in LEVELS if isinstance(error, cls)), logging.ERROR)


def _plain(text: str | None) -> str | None:
    """A code or the name of a field, and no sentence."""
    return text if text is not None and _CODE.fullmatch(text) else None


def _shortened(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value[:LONGEST_NAME] if isinstance(value, str) else value
        for name, value in values.items()
    }
