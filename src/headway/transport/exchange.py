"""One connection's conversation, with no socket in it: bytes in, calls to a receiver out.

Framing is llhttp's, in strict mode (RFC 9112): bare LF, both length headers, odd chunk sizes and
folded headers are errors. What llhttp leaves to its caller is here: limits, 1xx, HEAD, content
codings, bodies that end with the connection, and whether the connection may serve again.

This is the hot path: ``feed`` runs once for every read of a socket. Callbacks of the parser must
not be renamed; they may raise an UpstreamError, which ``feed`` then raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpResponseParser,
)

from headway.errors import UpstreamError, UpstreamGarbled, UpstreamUnreachable
from headway.ports import Receiver
from headway.transport.coding import Decoding, find_decoding
from headway.transport.limits import Limits
from headway.types import Headers

NOTED = frozenset({b"content-length", b"transfer-encoding", b"content-encoding", b"keep-alive"})
BODILESS = frozenset({204, 304})


class Nobody:
    """The receiver of what nobody wants any more."""

    def on_sent(self, now: float) -> None: ...

    def on_response(self, status: int, headers: Headers, now: float) -> None: ...

    def on_chunk(self, data: bytes, now: float) -> None: ...

    def on_end(self, now: float) -> None: ...

    def on_error(self, error: UpstreamError, now: float) -> None: ...


NOBODY = Nobody()


class ReceiverFailed(Exception):  # noqa: N818 - it says whose fault it is
    """A receiver raised something of its own: a defect on our side. ``__cause__`` is what."""


class Exchange:
    """The answers of one connection, one after the other. ``host`` is for messages; ``proxy`` names
    a forwarding proxy, whose 407 is not the provider's answer."""

    __slots__ = (
        "_body_bytes",
        "_body_limit",
        "_coding",
        "_decoding",
        "_fed",
        "_has_length",
        "_headers",
        "_host",
        "_idle_bytes",
        "_is_head",
        "_limits",
        "_needs_parser",
        "_parse",
        "_parser",
        "_proxy",
        "has_bytes",
        "has_head",
        "is_complete",
        "is_reusable",
        "keep_alive_s",
        "now",
        "receiver",
    )

    def __init__(self, limits: Limits, host: str, proxy: str | None = None) -> None:
        self._limits = limits
        self._host = host
        self._proxy = proxy
        self.receiver: Receiver = NOBODY
        self.now = 0.0
        self._needs_parser = True
        self.keep_alive_s: float | None = None
        """What the upstream said about how long it keeps an idle connection."""
        self.begin(NOBODY, False)

    def begin(self, receiver: Receiver, is_head: bool) -> None:
        """A request was sent, and its answer goes to ``receiver``."""
        self.receiver = receiver
        self._is_head = is_head
        self.has_bytes = self.has_head = self.is_complete = self.is_reusable = False
        self._has_length = False
        self._coding: bytes | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._decoding: Decoding | None = None
        self._body_bytes = self._idle_bytes = self._fed = 0
        self._body_limit = self._limits.body_bytes
        if self._needs_parser:
            self._renew_parser()

    def feed(self, data: bytes, now: float) -> None:
        """Bytes came. Raises UpstreamError for what is wrong with them, ReceiverFailed if a
        receiver did not take them. Bytes after the end only make the connection unfit for reuse."""
        self.now = now
        self.has_bytes = True
        before = self._body_bytes
        if not self.has_head:
            self._fed += len(data)
        try:
            self._parse(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._misread(error)
        if self._body_bytes != before:
            self._idle_bytes = 0
        elif not self.is_complete:
            self._count_overhead(len(data))

    def end_input(self, now: float) -> bool:
        """The upstream closed its side. Whether that was the answer's proper end (RFC 9112, 6.3,
        rule 8); raises UpstreamError if what came before is not whole."""
        self.now = now
        if self.has_head and not self._has_length and not self.is_complete:
            self._end_body()
            self.is_complete = True
        return self.is_complete

    def discard(self) -> None:
        """Nobody wants the rest; a little of it is read away."""
        self.receiver = NOBODY
        self._decoding = None
        self._body_limit = self._body_bytes + self._limits.drain_bytes

    def close(self) -> None:
        """Parser and exchange refer to each other: parted, both go without the collector."""
        self.receiver = NOBODY
        del self._parse, self._parser

    # --- What the parser calls -----------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise UpstreamGarbled(f"{self._host} sent more than its answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        value = value.rstrip()
        if name in NOTED and not self.has_head:
            self._note(name, value)
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            self._skip_informational(status)
            return
        headers = self._headers
        if self._fed > self._limits.head_bytes or len(headers) > self._limits.header_count:
            self._check_head(headers)
        if status == 407 and self._proxy is not None:
            raise UpstreamUnreachable(
                f"proxy {self._proxy} refused to forward to {self._host}: 407, it wants another"
                " user or password in its URL",
                code="proxy_refused",
            )
        if self._coding is not None and not self._is_head and status not in BODILESS:
            self._decoding = find_decoding(self._coding, self._limits.decoded_bytes, self._host)
        self.has_head = True
        self._headers = []
        self.receiver.on_response(status, headers, self.now)
        if self._is_head:
            self._end_head_only()

    def on_body(self, data: bytes) -> None:
        self._body_bytes += len(data)
        if self._body_bytes > self._body_limit:
            self._refuse_body()
        if self._decoding is None:
            self.receiver.on_chunk(data, self.now)
        else:
            self._decoding.decode(data, self._push)

    def on_message_complete(self) -> None:
        if not self.has_head:
            return  # of a 1xx answer
        # Only in here does the parser still know: it forgets the message right after.
        self.is_reusable = self._parser.should_keep_alive()
        self._end_body()
        self.is_complete = True
        self.receiver = NOBODY

    # --- The parts that seldom run -------------------------------------------------------------

    def _note(self, name: bytes, value: bytes) -> None:
        if name == b"keep-alive":
            self.keep_alive_s = _seconds(value)
        elif name == b"content-encoding":
            self._coding = value
        else:
            self._has_length = True
            if name == b"transfer-encoding" and value.lower() != b"chunked":
                coding = value.decode("latin-1")
                text = f"{self._host} sent transfer-encoding {coding!r}: only chunked is known"
                raise UpstreamGarbled(text)

    def _skip_informational(self, status: int) -> None:
        if status == 101:
            raise UpstreamGarbled(f"{self._host} switched protocols, which it was not asked to")
        self._headers = []
        self._coding = None
        self._has_length = False

    def _check_head(self, headers: Headers) -> None:
        size = sum(len(name) + len(value) + 4 for name, value in headers)
        if size > self._limits.head_bytes or len(headers) > self._limits.header_count:
            raise self._bomb()

    def _count_overhead(self, size: int) -> None:
        """Bytes that brought no piece of body: heads, trailers, chunk extensions, 1xx. They end
        up in the parser's memory or nowhere, so that a run of only those has to stop."""
        self._idle_bytes += size
        if self._idle_bytes > self._limits.head_bytes:
            raise self._bomb()

    def _bomb(self) -> UpstreamGarbled:
        limits = self._limits
        return UpstreamGarbled(
            f"{self._host} sent a head of more than {limits.head_bytes} bytes"
            f" or {limits.header_count} headers",
            code="head_too_large",
        )

    def _refuse_body(self) -> None:
        raise UpstreamGarbled(
            f"the answer of {self._host} is longer than {self._body_limit} bytes",
            code="body_too_large",
        )

    def _push(self, data: bytes) -> None:
        self.receiver.on_chunk(data, self.now)

    def _end_body(self) -> None:
        if self._decoding is not None:
            self._decoding.end()

    def _end_head_only(self) -> None:
        """An answer to HEAD ends here, whatever its head promises; llhttp cannot be told."""
        self.is_reusable = self._parser.should_keep_alive()
        self.is_complete = True
        self.receiver = NOBODY
        self._body_limit = -1
        self._needs_parser = True

    def _renew_parser(self) -> None:
        self._parser = HttpResponseParser(self)
        self._parse = cast("Callable[[bytes], None]", self._parser.feed_data)
        self._needs_parser = False

    def _misread(self, error: HttpParserError | HttpParserUpgrade) -> None:
        if self.is_complete:
            self.is_reusable = False
            return
        cause = error.__context__
        if isinstance(cause, UpstreamError):
            raise cause
        if isinstance(error, HttpParserCallbackError) and cause is not None:
            raise (ReceiverFailed() if isinstance(cause, Exception) else cause) from cause
        raise UpstreamGarbled(f"{self._host} sent what is not HTTP: {error}") from error


def _seconds(value: bytes) -> float | None:
    """The timeout of ``keep-alive: timeout=5, max=100`` (RFC 2068, section 19.7.1)."""
    for part in value.split(b","):
        name, _, number = part.strip().partition(b"=")
        if name.lower() == b"timeout" and number.isdigit():
            return float(number[:9])
    return None
