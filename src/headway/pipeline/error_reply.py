"""The bytes that a client gets for a call that failed."""

from __future__ import annotations

import logging
from typing import Protocol

from headway.dialects.base import DecodedRequest, Dialect, StreamEncoder, encode_error
from headway.errors import ClientGone, HeadwayError
from headway.pipeline.failure_log import fields

log = logging.getLogger("headway")


class FailedCall(Protocol):
    """What of a ``GatewayCall`` is needed."""

    id: str
    request_id: str
    dialect: Dialect
    decoded: DecodedRequest | None


def encode_reply(
    call: FailedCall, error: HeadwayError, encoder: StreamEncoder | None
) -> list[bytes]:
    """The error in the client's dialect: a whole body, or with ``encoder`` the last pieces of its
    stream. Empty for a client that is gone."""
    if isinstance(error, ClientGone):
        return []
    if call.request_id != call.id:
        error.request_id = None  # the client's own id takes its place
    if encoder is not None:
        return _encode_in_stream(call, error, encoder)
    provider = None if call.decoded is None else call.decoded.provider
    return [call.dialect.encode_error(error, provider, call.request_id)]


def _encode_in_stream(call: FailedCall, error: HeadwayError, encoder: StreamEncoder) -> list[bytes]:
    try:
        return encoder.fail(error)
    except Exception as defect:
        extra = fields(request_id=call.request_id)
        log.error("the error of the request could not be encoded", exc_info=defect, extra=extra)
    assert call.decoded is not None
    body = encode_error(error, call.decoded.provider, call.request_id)
    return [b"data: " + body + b"\n\n" if call.decoded.sse else body + b"\n"]
