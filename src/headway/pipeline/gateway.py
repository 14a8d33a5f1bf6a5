"""What every request shares: the configuration's values, and the doors to the outside world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from headway.metering.prices import PriceBook
from headway.policy.keys import KeyRing
from headway.ports import CredentialSource, Launcher, Spool, Transport
from headway.providers.base import Provider
from headway.types import Clock, Target, Timeouts

if TYPE_CHECKING:
    from headway.pipeline.exchange import Exchange


class Timer(Protocol):
    def cancel(self) -> None: ...


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
    def harmless(self) -> Mapping[str, Any]:
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
        wall: Clock,
        new_id: Callable[[], str],
        chance: Callable[[], float],
        count: Callable[[str, bytes, str], Awaitable[tuple[int | None, int | None]]],
        call_later: Callable[..., Timer],
    ) -> None:
        self.snapshot = snapshot
        self.spool = spool
        self.clock = clock
        """Seconds, monotonic."""
        self.wall = wall
        """Seconds since 1970."""
        self.new_id = new_id
        self.chance = chance
        self.count = count
        """(model, messages as JSON, produced text) -> (input tokens, output tokens), None if
        they could not be counted. Does not raise."""
        self.call_later = call_later
        """The event loop's: (seconds, function, arguments) -> a timer."""
        self.active: set[Exchange] = set()
        self.chores: set[Awaitable[None]] = set()
        """Tasks that nobody waits for: kept, so that they are not collected while they run."""
        self.is_closing = False
        self.catalogue: object = None
        """What the routes that list models remember, and they alone read."""
