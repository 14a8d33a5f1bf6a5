"""State shared by all calls: the current configuration, and functions with I/O, time and
randomness."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import Struct

from headway.errors import HeadwayError
from headway.metering.prices import PriceBook
from headway.pipeline.cache_policy import CachePolicy
from headway.pipeline.content_rules import NOTHING_KEPT, ContentRules
from headway.pipeline.conversation_owners import ConversationOwners
from headway.pipeline.in_flight import InFlight
from headway.policy.base_urls import BaseUrlPolicy
from headway.policy.keys import KeyId, KeyRing
from headway.ports import (
    CachedResponse,
    CredentialSource,
    History,
    Launcher,
    ResponseCache,
    RoutingState,
    SemanticIndex,
    Spool,
    Transport,
)
from headway.providers.base import Provider
from headway.routing.abilities import TargetFacts
from headway.routing.model_aliases import ModelAliases
from headway.routing.provider_keys import ProviderKey
from headway.routing.route import Route
from headway.routing.route_table import RouteTable
from headway.types import Clock, Headers, Target, Timeouts

log = logging.getLogger("headway")
T = TypeVar("T")
Named = tuple[str, str]
"""The configured name of a provider, and its model."""
Embed = Callable[[str, str, Headers, str], Awaitable[Sequence[float] | None]]
"""(model, text, headers and query of the client's request) -> its vector; None if there is no
answer."""
CLOSING = "The gateway is shutting down; send this request to another."
CLIENT_LEFT = "The client closed the connection before the answer's end."
NO_RECORD = (
    "The gateway cannot keep a record of this request at the moment, and refuses it for that: "
    "ledger.on_failure is refuse."
)
RECORD_RETRY_S = 5.0
"""After which a client may try that again."""
DEFECT = "The gateway failed on this request; see its log."
"""Messages of errors of the gateway's own, for calls of every kind."""


class UpstreamKey(ProviderKey, frozen=True, kw_only=True):
    """One of several keys of a provider."""

    name: str
    """Safe to show, like ``id``."""
    key: str
    """The secret."""


class Upstream(Struct, frozen=True, kw_only=True):
    """One configured provider, ready to be called."""

    name: str
    provider: Provider
    base_url: str | None
    """None: ``launcher`` returns it."""
    lacks_address: bool = False
    """Nobody configured it, and only a call with a ``base_url`` can use it: the kind is a server of
    one's own, and ``base_url`` is where such servers listen by default."""
    api_key: str | None = None
    keys: tuple[UpstreamKey, ...] = ()
    """Where it has several; ``api_key`` is the first of them."""
    has_key: bool | None = None
    """Whether the gateway has a key or credentials for it. None: it needs none, or only a request
    can find out whether there are credentials."""
    is_configured: bool = True
    """The configuration names it, or has its address."""
    key_name: str = "api_key"
    """The environment variable or setting of the key, for error messages."""
    needs_key: bool = False
    headers: Mapping[str, str] = {}
    options: Mapping[str, Any] = {}
    models: tuple[str, ...] = ()
    timeouts: Timeouts = Timeouts()
    transport: Transport
    """The transport to the configured address."""
    public_transport: Transport
    """The transport to any other address: it presents no client certificate, and always verifies
    TLS."""
    launcher: Launcher | None = None
    credentials: CredentialSource | None = None
    target: Target | None = None
    """The target of calls that bring neither key nor address. None: ``targets`` builds it for each
    call."""

    @property
    def public_options(self) -> Mapping[str, Any]:
        """The options that may be sent to any address."""
        secret = self.provider.secrets
        return {name: value for name, value in self.options.items() if name not in secret}

    @property
    def secrets(self) -> list[str]:
        """Configured values that must not appear in any response, record or log."""
        options = [str(self.options.get(name, "")) for name in self.provider.secrets]
        keys = [each.key for each in self.keys] or [self.api_key or ""]
        return [*keys, *self.headers.values(), *options]


class DrainLimits(Struct, frozen=True):
    """How much of a response is read after its client has left."""

    bytes: int
    """Of the provider's body, from then on."""
    seconds: float
    usd: Decimal
    """The cost of the output, estimated by its length."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """One version of the configuration. A call keeps the version that it started with."""

    upstreams: Mapping[str, Upstream]
    unlisted: frozenset[str] = frozenset()
    """Names of upstreams that only clients with a key of their own can use."""
    keys: KeyRing
    admins: frozenset[KeyId] = frozenset()
    """Ids of the keys whose owners may read the records of all keys."""
    prices: PriceBook
    aliases: ModelAliases = ModelAliases()
    routes: RouteTable = RouteTable()
    """The names that are routes. In ``aliases`` they mean their first target."""
    resolved_routes: dict[str, Route | None] = msgspec.field(default_factory=dict)
    """Name of a model -> the route that ``model_names`` found it to be."""
    target_facts: dict[int, Mapping[str, TargetFacts]] = msgspec.field(default_factory=dict)
    """What ``target_facts`` keeps, by the period for which it holds."""
    route_policies: dict[str, tuple[Route, CachePolicy, str]] = msgspec.field(default_factory=dict)
    """Name of a route with a rule for the cache -> the route, its policy, and what names its
    targets."""
    plain_plans: dict[int, Any] = msgspec.field(default_factory=dict)
    """What ``plain_plans`` keeps."""
    resolved_models: dict[tuple[str | None, str], Named] = msgspec.field(default_factory=dict)
    """Wire format of the client and name of a model -> what ``model_names`` found it to mean."""
    body_limit: int
    """Bytes."""
    json_limit: int
    """Strings, objects and lists in a body."""
    base_urls: BaseUrlPolicy = BaseUrlPolicy()
    strict: bool = False
    """Refuse every request that an adapter would have to transform."""
    passthrough: bool = True
    """Pass requests through to the providers' own APIs."""
    content: ContentRules = NOTHING_KEPT
    """What is kept of messages."""
    cache: CachePolicy | None = None
    """None: neither the configuration nor a request can have responses kept."""
    drain: DrainLimits | None = None
    """None: a response ends when its client disconnects."""

    def names(self, *, lists_all: bool = False) -> list[str]:
        """The names of the upstreams that can be used as they are, or of all."""
        return [name for name in self.upstreams if lists_all or name not in self.unlisted]


class LedgerHealth(Struct, frozen=True):
    """Whether records are kept."""

    spool: Literal["ok", "failing"] = "ok"
    """Whether records are written to disk before their replies end."""
    store: Literal["ok", "failing", "not running"] = "ok"
    """Whether records get from there into the database."""
    lost: int = 0
    """Records that were neither written nor are held, since this process started."""
    held: int = 0
    """Records that could not be written yet and are held in memory."""
    unstored_bytes: int | None = None
    """Bytes on disk that are not in the database yet."""

    @property
    def is_ok(self) -> bool:
        return self.spool == self.store == "ok"


class NoCache:
    """A ``ports.ResponseCache`` that keeps nothing."""

    is_shared = False

    def get(self, key: bytes, now: float) -> CachedResponse | None:
        return None

    async def load(self, key: bytes, now: float) -> CachedResponse | None:
        return None

    def put(self, key: bytes, response: CachedResponse) -> None: ...

    async def close(self) -> None: ...


NOTHING_CACHED = NoCache()


class ActiveCall(Protocol):
    """A call in progress, as the server sees it."""

    def abort(self, error: HeadwayError) -> None:
        """End the call with ``error``."""

    def keep_alive(self, now: float, silence_s: float) -> None:
        """Write a comment to a stream of server-sent events that was silent for ``silence_s``."""


class Timer(Protocol):
    def cancel(self) -> None: ...


class Gateway:
    """Everything that calls share. ``snapshot`` is replaced when the configuration changes."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        gateway_id: str,
        spool: Spool,
        clock: Clock,
        unix_time: Clock,
        new_id: Callable[[], str],
        rng: Callable[[], float],
        count: Callable[[str, bytes, str], Awaitable[tuple[int | None, int | None]]],
        sleep: Callable[[float], Awaitable[object]],
        routing_state: RoutingState,
    ) -> None:
        self.snapshot = snapshot
        self.gateway_id = gateway_id
        """Identifies the gateway, whatever its configuration: see ``policy.gateway_loop``."""
        self.spool = spool
        self.clock = clock
        """Seconds, monotonic."""
        self.unix_time = unix_time
        """Seconds since 1970."""
        self.new_id = new_id
        self.rng = rng
        """A random number, uniform in [0, 1)."""
        self.count = count
        """(model, messages as JSON, output text) -> (input tokens, output tokens), None where they
        could not be counted. Does not raise."""
        self.sleep = sleep
        """Awaits that many seconds."""
        self.response_cache: ResponseCache = NOTHING_CACHED
        self.semantic_index: SemanticIndex | None = None
        """None where only identical requests are answered from the cache."""
        self.embed: Embed | None = None
        self.known_replies: dict[bytes, Any] = {}
        """Key of the cache -> what ``known_replies`` keeps."""
        self.in_flight: dict[bytes, InFlight[Any]] = {}
        """Key of the cache -> a call whose response identical ones wait for."""
        self.routing_state = routing_state
        """What is counted of the targets of routes, and of keys."""
        self.history: History | None = None
        """None where there is no database to ask."""
        self.active: set[ActiveCall] = set()
        self.conversation_owners = ConversationOwners()
        self.shadows = 0
        """Calls in progress that are copies of others."""
        self.background_tasks: set[asyncio.Task[Any]] = set()
        """Strong references to running tasks: the event loop keeps only weak ones
        (docs.python.org/3/library/asyncio-task.html, "create_task")."""
        self.is_closing = False
        self.is_refusing = False
        """No record can be kept, and the configuration says to refuse requests then."""
        self.ledger_health: Callable[[], LedgerHealth] = LedgerHealth

    def call_later(self, seconds: float, act: Callable[[], None]) -> Timer:
        """Call ``act`` after that many seconds, unless the timer is cancelled before."""
        return asyncio.get_running_loop().call_later(seconds, act)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run ``work`` in a new task; log its exception."""
        task = asyncio.get_running_loop().create_task(work)
        self.background_tasks.add(task)
        task.add_done_callback(self._on_task_done)
        return task

    def share(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Run ``work`` in a task that continues if the awaiting task is cancelled: other calls may
        be waiting for the same token or the same model."""
        task = asyncio.get_running_loop().create_task(work)
        self.background_tasks.add(task)
        task.add_done_callback(self.background_tasks.discard)
        return asyncio.shield(task)

    def _on_task_done(self, task: asyncio.Task[Any]) -> None:
        self.background_tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a background task failed", exc_info=task.exception())
