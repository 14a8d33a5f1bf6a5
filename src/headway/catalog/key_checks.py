"""Whether the keys of a provider work, found out by requests that cost nothing: its list of models,
or what ``Provider.key_check`` asks for. No model is ever called for it."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from headway.catalog.live_models import LIMIT_S, encode, fetch_body, fetch_pages
from headway.errors import (
    HeadwayError,
    MissingProviderKey,
    UpstreamAuth,
    UpstreamDisconnected,
    UpstreamForbidden,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from headway.ledger.json_views import iso_time
from headway.pipeline import targets
from headway.pipeline.gateway import Gateway, Upstream
from headway.pipeline.redaction import redact
from headway.types import Target

log = logging.getLogger("headway")
KEPT_S = 10.0
"""A result is given out again for this time."""
CheckStatus = Literal["ok", "wrong_key", "no_key", "unreachable", "rate_limited", "unknown"]
BY_ERROR: tuple[tuple[type[HeadwayError], CheckStatus], ...] = (
    (MissingProviderKey, "no_key"),
    (UpstreamForbidden, "unknown"),
    (UpstreamAuth, "wrong_key"),
    (UpstreamRateLimited, "rate_limited"),
    (UpstreamTimeout, "unreachable"),
    (UpstreamUnreachable, "unreachable"),
    (UpstreamDisconnected, "unreachable"),
)
"""The first that an error is one of; of others the status is unknown."""
RESTRICTED = "The key may be restricted, and right for calls"
PUBLIC = "Everybody gets its list of models, so that says nothing of the key."
NO_REQUEST = "It has no request that costs nothing and would show whether it works."
NOT_STARTED = "It is started on this machine with the first call, and needs no key."
IN_PROCESS = "It is part of the gateway, and needs no key."
DEFECT = "The gateway failed on this check; see its log."


class KeyCheck(Struct, frozen=True, kw_only=True):
    """How one key did."""

    key: str | None
    """The key's name or number, or the variable or setting that holds it; never the key. Null: the
    provider needs none, or has credentials of another kind."""
    status: CheckStatus
    """`ok`; `wrong_key`: the provider refuses it; `no_key`: there is none; `unreachable`;
    `rate_limited`; `unknown`: `message` says why."""
    latency_ms: float | None
    """Until the provider's answer."""
    models: int | None
    """The number of models in the provider's own list."""
    message: str | None
    """What is wrong, in the provider's words where it gave some."""


class ProviderCheck(KeyCheck, frozen=True, kw_only=True):
    """Whether a provider's keys work: `ok` where all do, else what the first that does not says."""

    provider: str
    keys: tuple[KeyCheck, ...]
    """Each of them."""
    checked_at: str
    """ISO 8601, in UTC. A result is given out again for ten seconds."""


class KeyChecks:
    """The checks of a gateway's providers, each at most every ``KEPT_S``."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._tasks: dict[str, tuple[Upstream, float, asyncio.Task[ProviderCheck]]] = {}
        """By the provider's name: what is checked, until when the result holds, and the result."""

    async def check(self, upstream: Upstream) -> ProviderCheck:
        """Callers during a check wait for the same result. Does not raise."""
        now = self._gateway.clock()
        known, until, task = self._tasks.get(upstream.name, (None, 0.0, None))
        if task is None or known is not upstream or (task.done() and now >= until):
            task = asyncio.ensure_future(self._check(upstream))
            self._tasks[upstream.name] = upstream, now + KEPT_S, task
        # The caller that started it may be cancelled while others wait for it.
        return await asyncio.shield(task)

    async def _check(self, upstream: Upstream) -> ProviderCheck:
        named: list[tuple[str | None, str | None]] = [(key.name, key.key) for key in upstream.keys]
        if not named:
            name = upstream.key_name if upstream.api_key or upstream.needs_key else None
            named = [(name, upstream.api_key)]
        checks = tuple(await asyncio.gather(*(self._try(upstream, *each) for each in named)))
        if any(each.status == "ok" for each in checks) and await self._is_public(upstream):
            checks = tuple(
                replace(each, status="unknown", message=PUBLIC) if each.status == "ok" else each
                for each in checks
            )
        worst = next((each for each in checks if each.status != "ok"), checks[0])
        return ProviderCheck(
            provider=upstream.name,
            key=worst.key,
            status=worst.status,
            latency_ms=worst.latency_ms,
            models=max((each.models for each in checks if each.models is not None), default=None),
            message=worst.message,
            keys=checks,
            checked_at=iso_time(self._gateway.unix_time()),
        )

    async def _try(self, upstream: Upstream, name: str | None, key: str | None) -> KeyCheck:
        reason = _why_not(upstream)
        if reason is not None:
            status: CheckStatus = "ok" if reason == IN_PROCESS else "unknown"
            return KeyCheck(key=name, status=status, latency_ms=None, models=None, message=reason)
        started = self._gateway.clock()
        models, message = None, None
        try:
            async with asyncio.timeout(LIMIT_S):
                target = await targets.resolve(self._gateway, upstream)
                started = self._gateway.clock()
                models = await self._ask(upstream, replace(target, api_key=key))
            status = "ok"
        except TimeoutError:
            status, message = "unreachable", f"It did not answer within {LIMIT_S:g} s."
        except HeadwayError as error:
            status, message = _find_status(upstream, error), redact(error.message, upstream.secrets)
            if isinstance(error, UpstreamForbidden) and status == "unknown":
                message = f"{RESTRICTED}; it is refused here: {message}"
        except Exception:
            log.exception("checking the key of %s failed on a defect of the gateway", upstream.name)
            status, message = "unknown", DEFECT
        latency_ms = None if status == "no_key" else (self._gateway.clock() - started) * 1000
        return KeyCheck(
            key=name,
            status=status,
            latency_ms=None if latency_ms is None else round(latency_ms, 1),
            models=models,
            message=message,
        )

    async def _ask(self, upstream: Upstream, target: Target) -> int | None:
        """The number of models, where the answer has them. Raises HeadwayError."""
        provider, gateway = upstream.provider, self._gateway
        if provider.key_check is not None:
            request = encode(upstream, partial(provider.key_check, target))
            await fetch_body(gateway, upstream, target, request)
            return None
        assert provider.list_models is not None
        return len(await fetch_pages(gateway, upstream, provider.list_models, target))

    async def _is_public(self, upstream: Upstream) -> bool:
        """Whether the list of models, which has answered to a key, does so without one, too."""
        provider, model_list = upstream.provider, upstream.provider.list_models
        is_signed = provider.sign is not None
        if upstream.api_key is None or provider.key_check or model_list is None or is_signed:
            return False
        target = await targets.resolve(self._gateway, upstream)
        anonymous = replace(target, api_key=None, headers={})
        try:
            async with asyncio.timeout(LIMIT_S):
                request = encode(upstream, partial(model_list.encode, anonymous, None))
                await fetch_body(self._gateway, upstream, anonymous, request)
        except (HeadwayError, TimeoutError):
            return False
        return True


def _why_not(upstream: Upstream) -> str | None:
    """Why nothing can be asked."""
    provider = upstream.provider
    if provider.list_models is not None or provider.key_check is not None:
        return None
    if upstream.launcher is not None:
        return NOT_STARTED
    is_in_process = (upstream.base_url or "").startswith("echo:")
    return IN_PROCESS if is_in_process else NO_REQUEST


def _find_status(upstream: Upstream, error: HeadwayError) -> CheckStatus:
    if isinstance(error, UpstreamForbidden) and upstream.provider.sign is not None:
        return "wrong_key"  # of a wrong signature
    if isinstance(error, UpstreamAuth) and upstream.has_key is False:
        return "no_key"  # of credentials that nobody has
    return next((status for kind, status in BY_ERROR if isinstance(error, kind)), "unknown")
