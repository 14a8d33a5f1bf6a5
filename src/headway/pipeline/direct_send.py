"""Send the request of a call to the one model that it names, once: the usual call, which has no
``Dispatch``."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import AbstractContextManager
from typing import Any, Protocol

from headway.dialects.base import DecodedRequest, ResponseContext
from headway.pipeline import history, provider_calls, targets
from headway.pipeline.attempt import Attempt
from headway.pipeline.gateway import Gateway, Upstream
from headway.pipeline.prepare import PlannedCall, prepare
from headway.types import HttpRequest, Target


class DirectCall(PlannedCall, Protocol):
    """What of a ``GatewayCall`` is needed."""

    gateway: Gateway
    decoded: DecodedRequest | None

    def start(self, work: Coroutine[Any, Any, None]) -> None: ...

    def interruptible(self) -> AbstractContextManager[None]: ...

    def count_overhead(self) -> None: ...

    def send(
        self,
        upstream: Upstream,
        context: ResponseContext,
        target: Target,
        http_request: HttpRequest,
    ) -> Attempt: ...


async def recall_and_send(call: DirectCall, upstream: Upstream) -> None:
    call.count_overhead()
    with call.interruptible():
        assert call.decoded is not None
        call.decoded = await history.complete(call, upstream, call.decoded)
    prepare_and_send(call, upstream)


def prepare_and_send(call: DirectCall, upstream: Upstream, target: Target | None = None) -> None:
    """``target`` is a fixed one."""
    assert call.decoded is not None
    context = prepare(call, upstream, call.decoded)
    target = target or targets.build_at_once(upstream, call.decoded)
    if target is None:
        call.start(_resolve_and_send(call, upstream, context))
        return
    http_request = provider_calls.encode(upstream, context.sent, target)
    call.send(upstream, context, target, http_request)


async def _resolve_and_send(call: DirectCall, upstream: Upstream, context: ResponseContext) -> None:
    call.count_overhead()
    with call.interruptible():
        target = await targets.resolve(call.gateway, upstream, context.call)
    http_request = provider_calls.encode(upstream, context.sent, target)
    call.send(upstream, context, target, http_request)
