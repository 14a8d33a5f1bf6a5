"""A route: the name of a model that means several targets, with the rules of choosing among them.

Values only. ``plan`` puts the targets of a request in order, ``retry`` says what follows a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from msgspec import Raw, Struct
from msgspec.structs import force_setattr

from headway.routing.routed_request import RoutedRequest

Strategy = Literal[
    "ordered", "weighted", "least_outstanding", "lowest_latency", "cheapest", "fastest"
]
FailureRule = Literal["empty", "invalid_schema"]
"""A complete answer that counts as a failure: without any content, or not of the JSON schema that
the request demands."""


class Condition(Protocol):
    """When a target may be used."""

    @property
    def text(self) -> str:
        """What it demands, for messages."""

    @property
    def reads(self) -> frozenset[str]:
        """The fields of a ``RoutedRequest`` that it reads."""

    def unmet(self, request: RoutedRequest) -> str | None:
        """What of it does not hold, also because a value that it reads is absent; None: it holds.
        Does not raise."""


class RouteTarget(Struct, frozen=True, kw_only=True):
    """One model of one configured provider."""

    provider: str
    model: str
    weight: float = 1.0
    condition: Condition | None = None
    parameters: Mapping[str, Raw] = {}
    """Parameters of the request that are replaced for this target."""

    supports: frozenset[str] = frozenset()
    """What its model can do, whatever the data that ships says (``abilities.NEEDS``)."""
    context_window: int | None = None
    """Tokens of the longest input; None: as the data says."""
    id: str = ""
    """``provider/model``; not given, but composed."""

    def __post_init__(self) -> None:
        force_setattr(self, "id", f"{self.provider}/{self.model}")


class Limits(Struct, frozen=True, kw_only=True):
    """What an attempt must keep, in seconds; None is no limit but the provider's timeouts."""

    time_to_first_token: float | None = None
    idle: float | None = None
    """Between two content events."""
    tokens_per_second: float | None = None
    """The least rate, once content has begun."""
    total: float | None = None
    """For the whole call, with all of its attempts."""


NO_LIMITS = Limits()


class Floors(Struct, frozen=True, kw_only=True):
    """What a target must have shown lately to be chosen as the cheapest."""

    time_to_first_token: float | None = None
    """Seconds, at most."""
    tokens_per_second: float | None = None
    """At least."""


class Hedging(Struct, frozen=True, kw_only=True):
    """A second request where the first one has been silent for longer than is usual."""

    max_share: float = 0.05
    """Of the requests of the route."""


class Shadow(Struct, frozen=True, kw_only=True):
    """A target that gets copies of requests, and whose answers no client sees."""

    target: RouteTarget
    share: float


class CacheRule(Struct, frozen=True, kw_only=True):
    """How answers are kept for identical requests."""

    ttl_s: float
    coalesces: bool = True
    """Identical requests in flight share one answer, where the temperature is 0."""
    coalesces_always: bool = False
    """Also where the temperature is above 0."""
    replays_pace: bool = False
    """Streams are replayed at their recorded pace; otherwise at once."""
    with_tools: bool = False
    """Also requests that offer tools."""


class Route(Struct, frozen=True, kw_only=True):
    """``name`` may have a star, as an alias may."""

    name: str
    targets: tuple[RouteTarget, ...]
    strategy: Strategy = "ordered"
    sticky: Literal["session", "prefix"] | None = None
    retries: int = 0
    """Further attempts on a target before the next one."""
    max_attempts: int = 6
    limits: Limits = NO_LIMITS
    floors: Floors = Floors()
    on_context_window: tuple[RouteTarget, ...] = ()
    """What follows a target whose context is too short for the request."""
    on_content_policy: tuple[RouteTarget, ...] = ()
    """What follows a target that refuses the content of the request."""
    fail_on: frozenset[FailureRule] = frozenset()
    hedging: Hedging | None = None
    continues_streams: bool = False
    """Another target goes on where a stream broke, if it supports that, and the client is told."""
    cache: CacheRule | None = None
    shadow: Shadow | None = None
    is_plain: bool = False
    """Its targets are tried in their order, and where one answers nothing else happens; not given,
    but found."""

    def __post_init__(self) -> None:
        rules = (self.fail_on, self.on_content_policy, self.hedging, self.cache, self.shadow)
        has_rules = self.limits != NO_LIMITS or any(rules)
        force_setattr(self, "is_plain", self.strategy == "ordered" and not has_rules)
