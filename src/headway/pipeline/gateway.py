"""What every request shares: the configuration's values, and the doors to the outside world."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from headway.metering.prices import PriceBook
from headway.policy.keys import KeyRing
from headway.ports import CredentialSource, Launcher, Spool, Transport
from headway.providers.base import Provider
from headway.types import Clock, Target, Timeouts

if TYPE_CHECKING:
    from headway.pipeline.call import GatewayCall

log = logging.getLogger("headway")
T = TypeVar("T")


class Upstream(Struct, frozen=True, kw_only=True):
    """One configured provider, ready to be called."""

    name: str
    provider: Provider
    base_url: str | None
    """None: the launcher says where."""
    api_key: str | None = None
    key_name: str = "api_key"
    """The variable or setting that would hold its key, for the error that asks for it."""
    needs_key: bool = False
    headers: Mapping[str, str] = {}
    options: Mapping[str, Any] = {}
    models: tuple[str, ...] = ()
    timeouts: Timeouts = Timeouts()
    transport: Transport
    launcher: Launcher | None = None
    credentials: CredentialSource | None = None
    target: Target | None = None
    """Where calls go that bring no key and no address; None where that has to be found out."""

    @property
    def public_options(self) -> Mapping[str, Any]:
        """The options that any address may see."""
        hidden = self.provider.secrets
        return {name: value for name, value in self.options.items() if name not in hidden}

    @property
    def secrets(self) -> list[str]:
        """All that is configured and must not be shown."""
        options = [str(self.options.get(name, "")) for name in self.provider.secrets]
        return [self.api_key or "", *self.headers.values(), *options]


class Snapshot(Struct, frozen=True, kw_only=True):
    """One state of the configuration: a request keeps the one that it started with."""

    upstreams: Mapping[str, Upstream]
    keys: KeyRing
    prices: PriceBook
    body_limit: int
    strict: bool = False
    """Refuse what an adapter would have to change, whether the request says so or not."""


class Gateway:
    """The one mutable thing is which snapshot is current."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        spool: Spool,
        clock: Clock,
        unix_time: Clock,
        new_id: Callable[[], str],
        rng: Callable[[], float],
        count: Callable[[str, bytes, str], Awaitable[tuple[int | None, int | None]]],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self.snapshot = snapshot
        self.spool = spool
        self.clock = clock
        """Seconds, monotonic."""
        self.unix_time = unix_time
        """Seconds since 1970."""
        self.new_id = new_id
        self.rng = rng
        self.count = count
        """(model, messages as JSON, produced text) -> (input tokens, output tokens), None if
        they could not be counted. Does not raise."""
        self.sleep = sleep
        """Waits for so many seconds."""
        self.active: set[GatewayCall] = set()
        self.background_tasks: set[asyncio.Task[Any]] = set()
        """Tasks that run: the event loop itself refers to a task weakly."""
        self.is_closing = False

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run ``work`` in a task that nobody needs to keep; an exception goes to the log."""
        task = asyncio.get_running_loop().create_task(work)
        self.background_tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def share(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Run ``work`` in a task that goes on when its waiter is cancelled: other requests may wait
        for the same token or the same model."""
        task = asyncio.get_running_loop().create_task(work)
        self.background_tasks.add(task)
        task.add_done_callback(self.background_tasks.discard)
        return asyncio.shield(task)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self.background_tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of the gateway failed", exc_info=task.exception())
