"""Errors of those who copied OpenAI's wire and not its errors, by the few ways they have in common.

Sources: developers.cloudflare.com/workers-ai/platform/errors, docs.venice.ai (Error codes, Response
headers), docs.databricks.com (REST API errors), novita.ai/docs (Error codes), docs.siliconflow.com
(Chat completions, x-siliconcloud-trace-id), docs.api.nvidia.com/nim, TGI's router (server.rs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from headway.errors import (
    UpstreamError,
    UpstreamNotFound,
    UpstreamOverloaded,
    UpstreamQuota,
)
from headway.providers.openai.errors import LONGEST, decode_error
from headway.types import Headers

_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
Decode = Callable[[int, Headers, bytes], UpstreamError]


class Ways(Struct, frozen=True, kw_only=True):
    """What one vendor does otherwise with its errors."""

    request_id: bytes | None = None
    """The header that has it, where none of OpenAI's does."""
    first_of: str | None = None
    """The field whose list holds the errors; the first is told."""
    code: str | None = None
    """The field that has the code."""
    details: str | None = None
    """The field that says what the message does not."""
    classes: Mapping[str, type[UpstreamError]] = {}
    """By code, or by status where the code is not among them."""


def decode_by(ways: Ways, status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Never raises, whatever the body is."""
    said = _said(body)
    if ways.first_of is not None:
        listed = said.get(ways.first_of)
        if isinstance(listed, list) and listed and isinstance(listed[0], dict):
            said = listed[0]
            body = _encode({"error": said})
    error = decode_error(status, headers, body)
    own = said.get(ways.code) if ways.code is not None else None
    if isinstance(own, str | int) and own:
        error.code = str(own)
    details = said.get(ways.details) if ways.details is not None else None
    if details:
        error.message = f"{error.message}: {_encode(details).decode()}"[:LONGEST]
    if ways.request_id is not None and error.request_id is None:
        found = dict(headers).get(ways.request_id)
        error.request_id = None if found is None else found.decode("latin-1")
    return _classed(error, ways.classes.get(error.code or "") or ways.classes.get(str(status)))


def _said(body: bytes) -> Mapping[str, Any]:
    try:
        said = _any(body)
    except UNREADABLE:
        return {}
    return said if isinstance(said, dict) else {}


def _classed(error: UpstreamError, cls: type[UpstreamError] | None) -> UpstreamError:
    if cls is None:
        return error
    return cls(
        error.message,
        param=error.param,
        code=error.code,
        request_id=error.request_id,
        retry_after_s=error.retry_after_s,
    )


def decoder(
    *,
    request_id: bytes | None = None,
    first_of: str | None = None,
    code: str | None = None,
    details: str | None = None,
    classes: Mapping[str, type[UpstreamError]] | None = None,
) -> Decode:
    ways = Ways(
        request_id=request_id,
        first_of=first_of,
        code=code,
        details=details,
        classes=classes or {},
    )
    return partial(decode_by, ways)


CLOUDFLARE = decoder(
    request_id=b"cf-ray",
    first_of="errors",
    classes={
        "3036": UpstreamQuota,  # the day's free allocation is used up
        "3040": UpstreamOverloaded,  # out of capacity; both are a 429
        "3042": UpstreamNotFound,
        "5007": UpstreamNotFound,  # no such model, as a 400
    },
)
DATABRICKS = decoder(code="error_code")
"""``{"error_code": "INVALID_PARAMETER_VALUE", "message": ...}``."""
GITHUB = decoder(request_id=b"x-github-request-id", classes={"410": UpstreamNotFound})
NOVITA = decoder(code="reason")
"""``{"code": 400, "reason": "INVALID_REQUEST_BODY", "message": ...}``."""
NVIDIA = decoder(request_id=b"nvcf-reqid")
SILICONFLOW = decoder(request_id=b"x-siliconcloud-trace-id")
TGI = decoder(
    code="error_type",
    classes={"generation": UpstreamError, "overloaded": UpstreamOverloaded},
)
"""``{"error": "Model is overloaded", "error_type": "overloaded"}`` is a 429, and a 424 is an answer
that broke off: the server is at fault, not the request."""
VENICE = decoder(request_id=b"cf-ray", details="details")
VERCEL = decoder(classes={"424": UpstreamError})
"""A 424 is a failure of the provider behind it (vercel/ai, failed_dependency)."""
