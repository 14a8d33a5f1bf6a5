"""Decode errors of vendors whose error responses differ from OpenAI's in a few common ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from headway.errors import UpstreamError
from headway.providers.http_errors import (
    INVALID_JSON,
    MAX_MESSAGE_LENGTH,
    ErrorClass,
    apply_should_retry,
    decode_error,
)
from headway.providers.rejections import specify
from headway.types import Headers

_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class ErrorFormat(Struct, frozen=True, kw_only=True):
    """How the error responses of a vendor differ from OpenAI's."""

    request_id: bytes | None = None
    """The header with the request's id, where neither of OpenAI's headers is there."""
    list_field: str | None = None
    """The field that has a list of errors, of which the first is reported."""
    code_field: str | None = None
    """The field that has the code."""
    details_field: str | None = None
    """The field that is appended to the message."""
    classes: Mapping[str, ErrorClass] = {}
    """Error classes by code, or by status for other codes."""


def decode_formatted_error(
    form: ErrorFormat, status: int, headers: Headers, body: bytes
) -> UpstreamError:
    """The error of a response with an error status. Never raises, whatever the body is."""
    fields = _fields(body)
    if form.list_field is not None:
        errors = fields.get(form.list_field)
        if isinstance(errors, list) and errors and isinstance(errors[0], dict):
            fields = errors[0]
            body = _encode({"error": fields})
    error = decode_error(status, headers, body)
    code = fields.get(form.code_field) if form.code_field is not None else None
    if isinstance(code, str | int) and code:
        error.code = str(code)
    details = fields.get(form.details_field) if form.details_field is not None else None
    if details:
        error.message = f"{error.message}: {_encode(details).decode()}"[:MAX_MESSAGE_LENGTH]
    if form.request_id is not None and error.request_id is None:
        found = dict(headers).get(form.request_id)
        error.request_id = None if found is None else found.decode("latin-1")
    cls = form.classes.get(error.code or "") or form.classes.get(str(status))
    return _as_class(error, cls or type(error), headers)


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        parsed = _any(body)
    except INVALID_JSON:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _as_class(error: UpstreamError, cls: ErrorClass, headers: Headers) -> UpstreamError:
    found = cls(
        error.message,
        param=error.param,
        code=error.code,
        request_id=error.request_id,
        retry_after_s=error.retry_after_s,
        status=error.status if cls is type(error) else None,
    )
    found = specify(found)
    apply_should_retry(found, dict(headers))
    return found
