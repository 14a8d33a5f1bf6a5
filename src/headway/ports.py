"""What the pipeline needs from the outside world, as Protocols; the composition root fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from headway.errors import UpstreamError
from headway.types import Headers, HttpRequest, Timeouts, Transformation


class ResponseReceiver(Protocol):
    """Takes one upstream answer, called where the bytes arrive. ``now`` is the transport's clock,
    read once as the bytes came in. After ``on_end`` or ``on_error`` nothing more is called; after
    ``Sending.cancel`` nothing at all. Calls never come from inside ``Transport.send`` itself,
    except ``on_sent``."""

    def on_sent(self, now: float) -> None:
        """The request's last byte was handed to the socket."""

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        """The head arrived. Header names are lower case. 1xx answers are not shown."""

    def on_chunk(self, data: bytes, now: float) -> None:
        """Body bytes, as they were read, transfer coding removed."""

    def on_end(self, now: float) -> None:
        """The body is complete."""

    def on_error(self, error: UpstreamError, now: float) -> None:
        """No complete answer will come."""


class UpstreamRequest(Protocol):
    """One request under way."""

    def cancel(self) -> None:
        """Closes the connection at once. Safe to call at any time, also after the end."""

    def finish(self) -> None:
        """The receiver has all it needs: it is called no more, and what is left of the body is
        read away so that the connection can be used again, or closed if that takes long."""

    def pause(self) -> None:
        """Stop reading from the upstream: the client is slower than it."""

    def resume(self) -> None: ...


class Transport(Protocol):
    """HTTP requests out, pushed answers in."""

    def send(
        self, request: HttpRequest, timeouts: Timeouts, receiver: ResponseReceiver
    ) -> UpstreamRequest:
        """Start ``request``; never blocks, never raises for what the network does."""

    async def close(self) -> None:
        """Close every connection. Requests still under way get ``on_error``."""


class ResponseHeaders(Struct, frozen=True, gc=False):
    """What the headers of an answer to the client say; the sink writes them. None has no header."""

    request_id: str
    content_type: bytes = b"application/json"
    attempts: int | None = None
    latency_s: float = 0.0
    """Shown where ``attempts`` is."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: str | None = None
    """An exact decimal number; then all fields above are known."""
    transformations: tuple[Transformation, ...] = ()
    retry_after_s: float | None = None


class Sink(Protocol):
    """The client's side of one answer. Writes are accepted at once; ``is_paused`` says that the
    client is slower than we are, and ``on_resume`` is called when it caught up."""

    @property
    def is_paused(self) -> bool: ...

    on_pause: Callable[[], None] | None
    on_resume: Callable[[], None] | None
    on_gone: Callable[[], None] | None
    """Called once if the client leaves before ``end``."""

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        """A complete response in one write."""

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        """The status and headers of a streamed response."""

    def write(self, data: bytes) -> None:
        """One piece of a streamed answer, an HTTP chunk of its own."""

    def end(self, data: bytes = b"") -> None:
        """The last piece, and the end of the body."""


class Spool(Protocol):
    """Where records go: on disk before the caller sees the end of the answer."""

    def append(self, line: bytes) -> None:
        """Write one line of JSON, newline included, in one system call."""


class CredentialSource(Protocol):
    """Credentials that expire: fetched when they are needed, kept while they last."""

    async def credentials(self) -> Mapping[str, str]:
        """Goes into ``Target.credentials``. Raises UpstreamAuth with the remedy."""


class Launcher(Protocol):
    """Starts what a provider needs on this machine, and says where it listens."""

    async def base_url(self) -> str:
        """Returns when it is ready. Raises UpstreamUnreachable with the remedy if it cannot be."""

    async def close(self) -> None: ...
