"""Protocols of what the pipeline needs from outside; ``server/composition.py`` supplies them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from msgspec import Raw, Struct

from headway.errors import HeadwayError, UpstreamError
from headway.routing.breaker import BreakerRule
from headway.routing.hedge import HedgeBudget
from headway.routing.target_state import TargetState, TargetStates
from headway.types import Headers, HttpRequest, Timeouts, Transformation


class ResponseReceiver(Protocol):
    """Receives one upstream response, called where its bytes arrive. ``now`` is the transport's
    clock, read once when the bytes arrived. After ``on_end`` or ``on_error`` nothing more is
    called; after ``UpstreamRequest.cancel`` nothing at all. Except for ``on_sent``, nothing is
    called from inside ``Transport.send``."""

    def on_sent(self, now: float) -> None:
        """The last byte of the request was written to the socket."""

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        """Status and headers arrived. Header names are in lower case. Not called for 1xx."""

    def on_chunk(self, data: bytes, now: float) -> None:
        """Bytes of the body as they were read, without the transfer coding."""

    def on_end(self, now: float) -> None:
        """The body is complete."""

    def on_error(self, error: UpstreamError, now: float) -> None:
        """The response failed; it will not be completed."""


class UpstreamRequest(Protocol):
    """One request in progress."""

    def cancel(self) -> None:
        """Close the connection at once. Allowed at any time, also after the end."""

    def finish(self) -> None:
        """The receiver needs no more data and is not called again. The rest of the body is read
        and dropped so that the connection can be reused, or closed if that takes long."""

    def pause(self) -> None:
        """Stop reading the response: the client reads more slowly than the provider writes."""

    def resume(self) -> None:
        """Read the response again."""


@runtime_checkable
class UpgradeReceiver(ResponseReceiver, Protocol):
    """A receiver that asked for another protocol (RFC 9110, section 7.8). ``Transport.send``
    returns a ``Tunnel`` for it."""

    def on_upgrade(self, headers: Headers, now: float) -> None:
        """The response has status 101: there will be no ``on_response``. Everything that arrives
        from now on, until ``on_end`` or ``on_error``, comes to ``on_chunk`` as it is."""


class Tunnel(UpstreamRequest, Protocol):
    """A connection that may have switched protocols."""

    def write(self, data: bytes) -> bool:
        """Send bytes, after ``on_upgrade``. False: write no more until ``on_sent``, because the
        provider reads more slowly than the client writes."""


class Transport(Protocol):
    """Sends HTTP requests, and pushes the responses to receivers."""

    def send(
        self, request: HttpRequest, timeouts: Timeouts, receiver: ResponseReceiver
    ) -> UpstreamRequest:
        """Start ``request``. Does not block, and does not raise for network errors."""

    async def close(self) -> None:
        """Close every connection. Requests in progress get ``on_error``."""


class ResponseHeaders(Struct, frozen=True, gc=False):
    """The header values of a response to the client, which the sink formats. A value of None has
    no header."""

    request_id: str
    content_type: bytes = b"application/json"
    provider: str | None = None
    """Its configured name."""
    model: str | None = None
    """The model that answered."""
    attempts: int | None = None
    latency_s: float | None = None
    overhead_s: float | None = None
    time_to_first_token_s: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: str | None = None
    """An exact decimal number. It may be known without any tokens."""
    transformations: tuple[Transformation, ...] = ()
    retry_after_s: float | None = None
    id_header: bytes = b""
    """The name of a further header with the request's id."""
    metrics: str | None = None
    """JSON."""
    further: Headers = ()
    """Headers to send as they are, such as the provider's rate limits."""
    lines: str = ""
    """Further headers as lines, each with CRLF. They have no other control characters."""


class Sink(Protocol):
    """The client's side of one response. Every write is accepted at once; ``is_paused`` says that
    the client reads more slowly than the gateway writes."""

    @property
    def is_paused(self) -> bool: ...

    on_pause: Callable[[], None] | None
    """Called when ``is_paused`` becomes true."""
    on_resume: Callable[[], None] | None
    """Called when ``is_paused`` becomes false."""
    on_gone: Callable[[], None] | None
    """Called once if the client disconnects before ``end``."""

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        """Write a complete response at once."""

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        """Write the status and headers of a streamed response."""

    def write(self, data: bytes) -> None:
        """Write a piece of a streamed response, as one HTTP chunk."""

    def end(self, data: bytes = b"") -> None:
        """Write the last piece, and end the body."""

    def abort(self) -> None:
        """Break the connection: what the client has is not the whole response, and must not look
        as if it were."""


class RawSink(Sink, Protocol):
    """A sink for responses that are passed on as they are."""

    def send_head(self, status: int, headers: Headers) -> None:
        """Write any status and headers; ``content-length`` is among them where it is known. Then
        follow ``write`` and ``end``."""


class SocketSink(RawSink, Protocol):
    """A sink for a client that asked for another protocol. It pushes what the client sends."""

    on_data: Callable[[bytes], None] | None
    """Called with each piece that the client sends after ``accept``."""

    def accept(self, headers: Headers) -> None:
        """Switch protocols with status 101. What is written from then on goes out as it is."""

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Spool(Protocol):
    """Stores records: each is on disk before the client sees the end of the response."""

    def append(self, line: bytes) -> None:
        """Write one line of JSON, newline included, in one system call."""


class CachedResponse(Struct, frozen=True, kw_only=True, gc=False):
    """A provider's complete response as it arrived, to be answered with again."""

    provider: str
    """The configured name."""
    model: str
    """The model that was asked for."""
    stored: float
    """Unix seconds."""
    expires: float
    """Unix seconds."""
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    pieces: tuple[bytes, ...]
    """The body as it was read."""
    times: tuple[float, ...]
    """When each piece arrived, in seconds after the head."""
    reply_id: str | None = None
    """The provider's id of the response."""


class ResponseCache(Protocol):
    """Keeps responses until they expire, or until there is no more room."""

    def get(self, key: bytes, now: float) -> CachedResponse | None:
        """At once. ``now`` is in unix seconds."""

    @property
    def is_shared(self) -> bool:
        """Other processes keep responses in it, too: ``load`` may find more than ``get``."""

    async def load(self, key: bytes, now: float) -> CachedResponse | None:
        """From where it is shared. Does not raise: a store that fails has nothing."""

    def put(self, key: bytes, response: CachedResponse) -> None:
        """Does not block, and does not raise."""

    def close(self) -> Coroutine[Any, Any, None]:
        """Keep what is being written, and nothing from then on."""


class Neighbour(Struct, frozen=True):
    """A kept response whose request is similar to another one."""

    key: bytes
    """Of the cache."""
    similarity: float
    """The cosine of the angle between the vectors of their texts: 1 for the same direction."""
    call_id: str
    """The call that it answered."""


class SemanticIndex(Protocol):
    """The vectors of texts, in groups that are compared among themselves only."""

    def add(self, group: bytes, vector: Sequence[float], key: bytes, call_id: str) -> None: ...

    def find(self, group: bytes, vector: Sequence[float], threshold: float) -> Neighbour | None:
        """The most similar one, if its similarity is at least ``threshold``."""

    def similarity(self, one: Sequence[float], other: Sequence[float]) -> float | None:
        """None where the vectors cannot be compared."""


class KeptReply(Struct, frozen=True):
    """The content of an earlier call."""

    call_id: str
    wire: str
    """The wire format of ``messages``."""
    messages: tuple[Raw, ...]
    """Of the request."""
    output: tuple[Raw, ...]
    """Of the reply, in OpenAI's chat format, one for each choice."""
    parameters: Mapping[str, Raw]
    """The other fields of the request."""
    response: Raw
    """The whole reply, if its client may ask for it again; else null."""


class History(Protocol):
    """Earlier calls whose content is kept. What was written before a question is found by it. All
    methods raise LedgerUnavailable. ``owner`` is the key id of the caller, which finds its own
    calls only."""

    async def reply(self, name: str, owner: str) -> KeptReply | None:
        """By the id of the call, or one that the provider gave the reply or an item of it."""

    async def session(self, session_id: str, owner: str) -> Sequence[str]:
        """The ids of the calls of a session that ended well, the oldest first."""

    async def provider_of(self, call_id: str, owner: str) -> str | None:
        """The configured name of the provider that answered the call."""

    async def forget(self, call_id: str, owner: str) -> bool:
        """Delete the content of a call. Returns whether there was any."""


class CredentialSource(Protocol):
    """Credentials that expire: fetched when needed, and kept until they expire."""

    def cached(self) -> Mapping[str, str] | None:
        """The credentials if they are known and valid, else None."""

    async def credentials(self) -> Mapping[str, str]:
        """The value of ``Target.credentials``. Raises UpstreamAuth, whose message says what to
        do."""


class Launcher(Protocol):
    """Starts the server of a local model, and knows its address."""

    async def base_url(self) -> str:
        """The address, once the server is ready. Raises UpstreamUnreachable, whose message says
        what to do."""

    async def close(self) -> None:
        """Stop the server."""


AttemptKind = Literal["first", "retry", "further"]
"""The first of its call; again on the same target and key; from another target or another key, or
beside another attempt."""


class AttemptObserver(Protocol):
    """Learns what becomes of one attempt, for the targets of routes. ``now`` is the gateway's
    clock. One of ``on_success``, ``on_failure`` and ``on_cancel`` is called at the end; further
    calls do nothing."""

    def on_content(self, now: float) -> None:
        """The first content arrived. A target that was on probation is trusted again."""

    def on_success(self, now: float, output_tokens: int | None = None) -> None:
        """The answer is complete."""

    def on_failure(self, error: HeadwayError, now: float) -> None:
        """Whose fault it is, ``routing.retry.classify`` says: a 400 counts against nobody."""

    def on_cancel(self, now: float) -> None:
        """The attempt was ended without a fault of its own: the client left, a hedge won."""


class RoutingState(TargetStates, Protocol):
    """What is counted of the targets of routes and of the keys of providers.

    All is local and at once: an implementation that shares it with other processes does so
    afterwards, and what the others know arrives a moment later. Ids of targets are
    ``RouteTarget.id``, ids of keys ``ProviderKey.id``: of a provider with one key or none, the
    provider's name."""

    def known_targets(self) -> Mapping[str, TargetState]:
        """The targets that had attempts, or whose state another process has told."""

    def is_quiet(self, target_ids: Sequence[str]) -> bool:
        """No breaker of these targets is open, and no key is set aside: each may be used."""

    def begin(
        self, target_id: str, key_id: str, now: float, stream: bool, kind: AttemptKind = "first"
    ) -> AttemptObserver:
        """An attempt is sent. A retry has paid the target's budget before."""

    def hedge_budget(self, route: str, share: float) -> HedgeBudget:
        """Of a route, by its name."""

    def configure(self, rule: BreakerRule, retry_share: float, hedge_share: float) -> None:
        """Apply a configuration, also to what is known. ``hedge_share`` is of the calls of all
        routes with hedges."""

    def close(self) -> None:
        """Release what is shared with other processes."""
