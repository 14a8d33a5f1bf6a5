"""Answer a call from the cache, or with the response to an identical call in flight; keep the
response of one that was sent to a provider.

    use = CacheUse(call, lookup, send)
    use.begin()                                  # answers, waits, or calls ``send``
    receiver = use.share(attempt)                # where ``send`` starts an attempt
    use.keep(attempt, result)                    # when it has come to a good end
    use.close()

Of identical calls at one time the first is sent, and the others wait until its response has begun.
They read it then as they would their own. If it has none, the next of them is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from headway.dialects.base import DecodedRequest
from headway.pipeline.accounting import AttemptResult
from headway.pipeline.attempt import MAX_BODY, Attempt
from headway.pipeline.cached_reply import renew, replay_at_pace
from headway.pipeline.caching import Lookup, is_whole, new_response
from headway.pipeline.gateway import DrainLimits, Upstream
from headway.pipeline.in_flight import InFlight
from headway.pipeline.known_replies import remember
from headway.pipeline.semantic_cache import Found, SemanticCall, SemanticUse
from headway.pipeline.shared_response import ResponseReader, SharedResponse
from headway.ports import CachedResponse
from headway.record import CacheStatus
from headway.types import Headers

SIMILARITY = b"x-headway-cache-similarity"
STATUS_HEADER, AGE = b"x-headway-cache", b"age"
LEADER_LIMITS = DrainLimits(MAX_BODY, 1800.0, Decimal(1_000_000))
"""Of a response whose own client has left, while others read it."""


class CachedCall(SemanticCall, Protocol):
    """What of a ``GatewayCall`` is needed."""

    decoded: DecodedRequest | None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` in a task; an error that it raises ends the call."""

    def interruptible(self) -> AbstractContextManager[None]:
        """Context of an await that the end of the call interrupts."""

    def read_shared(
        self, upstream: Upstream, decoded: DecodedRequest, shared: SharedResponse
    ) -> None:
        """Answer with ``shared``, a response of ``upstream``."""

    def read_kept(
        self,
        upstream: Upstream,
        decoded: DecodedRequest,
        response: CachedResponse,
        key: bytes | None,
    ) -> None:
        """Answer with a response of ``upstream`` that is kept under ``key``; None for one that is
        the answer to another request."""


class OngoingResponse(Struct, frozen=True):
    """A response that others may read, and what it answers."""

    shared: SharedResponse
    upstream: Upstream
    model: str


class CacheUse:
    """What one call has of the cache. ``send`` sends it to its provider."""

    def __init__(self, call: CachedCall, lookup: Lookup, send: Callable[[], None]) -> None:
        self.status: CacheStatus = "miss"
        self.age_s: float | None = None
        """Of a kept response."""
        self._call = call
        self._lookup = lookup
        self._send = send
        self._in_flight: InFlight[OngoingResponse] | None = None
        self._semantic: SemanticUse | None = None
        self._finding: asyncio.Task[Found | None] | None = None
        """Finds what would have been served."""
        self._similarity: float | None = None
        self._response: CachedResponse | None = None
        """A kept one, which answers the call."""
        self._responses: list[tuple[Attempt, SharedResponse]] = []
        """Those of the call's attempts."""

    @property
    def is_free(self) -> bool:
        """Whether no provider was paid for the response."""
        return self.status in ("hit", "coalesced")

    @property
    def headers(self) -> Headers:
        """Of the client's response (``age``: RFC 9111, section 5.1)."""
        named = (STATUS_HEADER, self.status.encode())
        if self.age_s is None:
            return (named,)
        if self._similarity is None:
            return named, (AGE, b"%d" % self.age_s)
        return named, (AGE, b"%d" % self.age_s), (SIMILARITY, b"%.4f" % self._similarity)

    @property
    def drain_limits(self) -> DrainLimits | None:
        """The response goes on for those who read it, when the call's own client has left."""
        is_read = any(shared.reader_count > 1 for _, shared in self._responses)
        return LEADER_LIMITS if is_read else None

    def begin(self) -> None:
        lookup, gateway = self._lookup, self._call.gateway
        if lookup.key is None:
            self.status = "bypass"
        elif lookup.reads:
            now = gateway.unix_time()
            response = gateway.response_cache.get(lookup.key, now)
            if lookup.takes(response, now) and self._answer(response):
                return
            if gateway.response_cache.is_shared:
                self._call.start(self._load_and_answer(lookup.key))
                return
        self._find_similar_or_send()

    async def _load_and_answer(self, key: bytes) -> None:
        gateway = self._call.gateway
        now = gateway.unix_time()
        with self._call.interruptible():
            response = await gateway.response_cache.load(key, now)
        if not (self._lookup.takes(response, now) and self._answer(response)):
            self._find_similar_or_send()

    def _find_similar_or_send(self) -> None:
        lookup, rules = self._lookup, self._lookup.policy.semantic
        if rules is None or lookup.group is None or not lookup.reads:
            self._join_or_send()
            return
        self._semantic = SemanticUse(self._call, rules, lookup.group, lookup.text)
        if rules.serves:
            self._call.start(self._answer_with_similar(self._semantic))
        else:
            self._finding = self._call.gateway.start(self._semantic.find())
            self._join_or_send()

    async def _answer_with_similar(self, semantic: SemanticUse) -> None:
        with self._call.interruptible():
            found = await semantic.find()
        if found is not None and self._lookup.takes(found[0], self._call.gateway.unix_time()):
            response, neighbour = found
            self._similarity = neighbour.similarity
            if self._answer(response):
                semantic.served(neighbour)
                return
            self._similarity = None
        self._join_or_send()

    def _answer(self, response: CachedResponse | None) -> bool:
        """False: its provider is not served any more."""
        call, gateway = self._call, self._call.gateway
        upstream = None if response is None else call.snapshot.upstreams.get(response.provider)
        if response is None or upstream is None:
            return False
        now = gateway.unix_time()
        self.status, self.age_s = "hit", max(now - response.stored, 0.0)
        self._response = response
        decoded = self._decoded_for(upstream, response.model)
        if self._lookup.policy.replays_pace and len(response.pieces) > 1:
            pieces = renew(response, call.id, now)
            shared, send = replay_at_pace(response, pieces, gateway.clock, gateway.sleep)
            gateway.start(send())
            call.read_shared(upstream, decoded, shared)
        else:
            key = self._lookup.key if self._similarity is None else None
            call.read_kept(upstream, decoded, response, key)
        return True

    def _join_or_send(self, failed: InFlight[OngoingResponse] | None = None) -> None:
        """``failed`` is a call that was waited for in vain."""
        lookup, gateway = self._lookup, self._call.gateway
        if lookup.key is not None and lookup.coalesces:
            in_flight = gateway.in_flight.get(lookup.key)
            if in_flight is None:
                self._in_flight = gateway.in_flight[lookup.key] = InFlight()
            elif in_flight is not failed:
                self._call.start(self._follow(in_flight))
                return
        self._send()

    async def _follow(self, in_flight: InFlight[OngoingResponse]) -> None:
        with self._call.interruptible():
            ongoing = await in_flight.response()
        if ongoing is not None and ongoing.shared.can_be_joined:
            self.status = "coalesced"
            decoded = self._decoded_for(ongoing.upstream, ongoing.model)
            self._call.read_shared(ongoing.upstream, decoded, ongoing.shared)
        else:
            self._join_or_send(in_flight)

    def send_instead(self) -> None:
        """The response that was read came to no good end: send the call to its provider."""
        self.status, self.age_s, self._similarity = "miss", None, None
        self._response = None
        self._send()

    def _decoded_for(self, upstream: Upstream, model: str) -> DecodedRequest:
        decoded = self._call.decoded
        assert decoded is not None
        request = replace(decoded.request, model=model)
        return replace(decoded, provider=upstream.name, request=request)

    # --- A call that was sent ---------------------------------------------------------------------

    def share(self, attempt: Attempt) -> tuple[SharedResponse, ResponseReader] | None:
        """What the transport is to give the response to, and the request for ``attempt``. None
        where nobody else needs the response."""
        lookup, clock = self._lookup, self._call.gateway.clock
        if lookup.key is None or not (lookup.writes or self._in_flight):
            return None
        upstream, model = attempt.upstream, attempt.context.call.request.model

        def begin() -> None:
            running = [one for one, _ in self._responses if not one.is_over]
            if self._in_flight is not None and len(running) == 1:
                self._in_flight.set(OngoingResponse(shared, upstream, model))

        shared = SharedResponse(clock, lookup.policy.response_limit, begin)
        self._responses.append((attempt, shared))
        return shared, shared.join(attempt)

    def keep(self, attempt: Attempt, result: AttemptResult) -> None:
        """``attempt`` came to a good end."""
        lookup, gateway = self._lookup, self._call.gateway
        if self._response is not None:
            if self._similarity is None and lookup.key is not None:
                remember(self._call, self._response, lookup.key, attempt, result)
            return
        shared = next((shared for one, shared in self._responses if one is attempt), None)
        if shared is None or lookup.key is None or not lookup.writes:
            return
        if not is_whole(result.summary, shared):
            return
        response = new_response(
            lookup,
            shared,
            provider=attempt.upstream.name,
            model=attempt.context.call.request.model,
            reply_id=result.summary.id,
            now=gateway.unix_time(),
        )
        gateway.response_cache.put(lookup.key, response)
        if self._finding is not None and self._semantic is not None:
            gateway.start(self._compare(self._semantic, self._finding, lookup.key, response))
        elif self._semantic is not None:
            self._semantic.keep(lookup.key)

    async def _compare(
        self,
        semantic: SemanticUse,
        finding: asyncio.Task[Found | None],
        key: bytes,
        response: CachedResponse,
    ) -> None:
        found, decoded = await finding, self._call.decoded
        semantic.keep(key)
        if found is not None and decoded is not None:
            await semantic.compare(found, response, decoded)

    def close(self) -> CacheStatus:
        """The call is over."""
        key, in_flight = self._lookup.key, self._in_flight
        self._in_flight = None
        self._responses.clear()
        if key is not None and in_flight is not None:
            del self._call.gateway.in_flight[key]
            in_flight.set(None)
        return self.status
