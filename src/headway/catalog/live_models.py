"""Fetch a provider's own list of models: a few small requests, within ten seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from headway.dialects.base import encode_error
from headway.errors import (
    HeadwayError,
    InternalError,
    InvalidField,
    UpstreamGarbled,
    UpstreamTimeout,
)
from headway.pipeline import targets
from headway.pipeline.failure_log import log_failure
from headway.pipeline.gateway import Gateway, Upstream
from headway.pipeline.provider_calls import MALFORMED
from headway.pipeline.redaction import redact
from headway.providers.model_lists import ListedModel, ModelList, Page
from headway.transport.fetch import fetch
from headway.types import HttpRequest, Target, Timeouts
from headway.wire.json_repair import repair_whole

log = logging.getLogger("headway")
LIMIT_S = 10.0
"""Time limit for all pages of one provider's list, including its credentials."""
TIMEOUTS = Timeouts(connect=LIMIT_S, first_byte=LIMIT_S, idle=LIMIT_S, total=LIMIT_S)
PAGE_LIMIT = 20


async def fetch_models(
    gateway: Gateway, upstream: Upstream, model_list: ModelList
) -> tuple[ListedModel, ...] | dict[str, Any]:
    """The models; or, because one provider's failure must not hide the others' lists, the error in
    the shape of all errors. Never raises."""
    secrets = upstream.secrets
    try:
        async with asyncio.timeout(LIMIT_S):
            target = await targets.resolve(gateway, upstream)
            secrets += target.credentials.values()
            return await fetch_pages(gateway, upstream, model_list, target)
    except TimeoutError:
        message = f"{upstream.name} did not list its models within {LIMIT_S:g} s"
        error: HeadwayError = UpstreamTimeout(message, code="total_timeout")
    except HeadwayError as raised:
        error = raised
    except Exception:
        log.exception("listing the models of %s failed on a defect of the gateway", upstream.name)
        error = InternalError("The gateway failed on this list; see its log.")
    request_id = gateway.new_id()
    log_failure("listing models failed", error, request_id=request_id, provider=upstream.name)
    body = encode_error(error, upstream.name, request_id)
    error_fields = msgspec.json.decode(body)["error"]
    return {
        name: redact(value, secrets) if isinstance(value, str) else value
        for name, value in error_fields.items()
    }


async def fetch_pages(
    gateway: Gateway, upstream: Upstream, model_list: ModelList, target: Target
) -> tuple[ListedModel, ...]:
    """All models, without a limit of time. Raises HeadwayError."""
    found: dict[str, ListedModel] = {}
    more: str | None = None
    for _ in range(PAGE_LIMIT):
        request = encode(upstream, partial(model_list.encode, target, more))
        page = _decode(upstream, model_list, await fetch_body(gateway, upstream, target, request))
        for model in page.models:
            found.setdefault(model.id, model)  # some lists repeat a model for each of its aliases
        more = page.more
        if more is None:
            break
    return tuple(found.values())


def encode(upstream: Upstream, make: Callable[[], HttpRequest]) -> HttpRequest:
    """The request that ``make`` returns. Raises InvalidField where the address is unusable."""
    try:
        return make()
    except ValueError as error:
        message = f"`base_url` of {upstream.name} is no address to call: {error}."
        raise InvalidField(message, param="base_url") from error


async def fetch_body(
    gateway: Gateway, upstream: Upstream, target: Target, request: HttpRequest
) -> bytes:
    """Raises UpstreamError for a status other than 200."""
    sign = upstream.provider.sign
    signed = request if sign is None else sign(request, target, gateway.unix_time())
    status, headers, body = await fetch(upstream.transport, signed, TIMEOUTS)
    if status != 200:
        raise upstream.provider.decode_error(status, headers, body)
    return body


def _decode(upstream: Upstream, model_list: ModelList, body: bytes) -> Page:
    try:
        return _decode_repaired(model_list, body)
    except MALFORMED as error:
        raise UpstreamGarbled(f"{upstream.name} sent what is no list of models.") from error


def _decode_repaired(model_list: ModelList, body: bytes) -> Page:
    try:
        return model_list.decode(body)
    except MALFORMED:
        repaired = repair_whole(body)
        if repaired is None:
            raise
        return model_list.decode(repaired)
