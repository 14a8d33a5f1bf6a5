"""One connection's conversation, with no socket in it: bytes in, calls to a receiver out.

Framing is llhttp's, in strict mode (RFC 9112): bare LF, both length headers, odd chunk sizes and
folded headers are errors. What llhttp leaves to its caller is here: limits, 1xx, HEAD, content
codings, bodies that end with the connection, and whether the connection may serve again.

This is the hot path: ``data_received`` and ``on_body`` run for every read of a socket, so they do
only what nearly every read needs and ask one question whose answer leads to the rest. Callbacks of
the parser must not be renamed; an UpstreamError that they raise comes out of ``_misread``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpResponseParser,
)

from headway.errors import UpstreamError, UpstreamGarbled, UpstreamUnreachable
from headway.ports import ResponseReceiver
from headway.transport.coding import Decoding, find_decoding
from headway.transport.limits import Limits
from headway.transport.takers import NOBODY, Weighed
from headway.types import Clock, Headers

if TYPE_CHECKING:
    from headway.transport.sending import HttpSending

RARE = frozenset({b"transfer-encoding", b"content-encoding", b"keep-alive"})
"""The headers that call for a second look at a head. Of each, the last one counts."""
BODILESS = frozenset({204, 304})
NEVER = float("-inf")


class ReceiverFailed(Exception):  # noqa: N818 - it says whose fault it is
    """A receiver raised something of its own: a defect on our side. ``__cause__`` is what."""


class Exchange:
    """The answers of one connection, one after the other. ``host`` is for messages; ``proxy`` names
    a forwarding proxy, whose 407 is not the provider's answer."""

    __slots__ = (
        "_clock",
        "_decoding",
        "_feed",
        "_has_length",
        "_headers",
        "_is_bounded",
        "_is_head",
        "_is_special",
        "_limits",
        "_minds_end",
        "_parse",
        "_parser",
        "_proxy",
        "_seen",
        "_sending",
        "_silent",
        "has_head",
        "host",
        "is_complete",
        "is_reusable",
        "keep_alive_s",
        "now",
        "receiver",
    )

    def __init__(self, limits: Limits, host: str, proxy: str | None, clock: Clock) -> None:
        self._limits = limits
        self.host = host
        self._proxy = proxy
        self._clock = clock
        self._sending: HttpSending | None = None
        """Whose answer comes; None when nobody waits for one."""
        self.receiver: ResponseReceiver = NOBODY
        self.now = NEVER
        """When bytes of this answer were last read."""
        self.has_head = self._has_length = self._is_head = False
        self.is_reusable = False
        """The next answer can come on this connection. Known from the head on, and false for a body
        that ends with the connection."""
        self.is_complete = True
        """So it is, too, while no answer is due: any that begins then is one too many."""
        self._is_bounded = self._is_special = proxy is not None or limits.body_bytes < sys.maxsize
        """Every head wants a second look; the next one does."""
        self._seen = 0
        """Bytes that were read while a head was awaited."""
        self._silent: int | None = 0
        """Bytes since the last piece of body. None as soon as a read has brought one."""
        self._decoding: Decoding | None = None
        self._minds_end = False
        """The body's end has more to it: a coding to conclude, trailers."""
        self.keep_alive_s: float | None = None
        """What the upstream said about how long it keeps an idle connection."""
        self._headers: list[tuple[bytes, bytes]] = []
        self._parser = HttpResponseParser(self)
        self._feed = cast("Callable[[bytes], None]", self._parser.feed_data)
        self._parse = self._feed
        """Takes what is read now: ``_parse_head`` until the head is complete, then the parser."""

    @property
    def has_bytes(self) -> bool:
        """Some of the answer came, be it a single byte."""
        return self.now > NEVER

    def begin(self, receiver: ResponseReceiver, is_head: bool) -> None:
        """A request is sent, and its answer goes to ``receiver``."""
        self.receiver = receiver
        self.now = NEVER
        self.has_head = self.is_complete = False
        self._seen = 0
        self._parse = self._parse_head
        if is_head:
            self._is_head = self._is_special = True

    def data_received(self, data: bytes) -> None:
        """Bytes came. Raises UpstreamError for what is wrong with them, ReceiverFailed if a
        receiver did not take them. Bytes after the end only make the connection unfit for reuse."""
        # Both are fetched before they are called: what is called as an attribute is looked for
        # among the methods first.
        clock, parse = self._clock, self._parse
        self.now = clock()
        try:
            parse(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._misread(error)
        if self._silent is None:
            self._silent = 0
        else:
            self._silent += len(data)
            self._end_read()

    def end_input(self, now: float) -> bool:
        """The upstream closed its side. Whether that was the answer's proper end (RFC 9112, 6.3,
        rule 8); raises UpstreamError if what came before is not whole."""
        has_length = self.is_reusable or self._has_length
        if self.has_head and not has_length and not self.is_complete:
            self.now = now
            self._end_body()
            self.is_complete = True
        return self.is_complete

    def discard(self) -> None:
        """Nobody wants the rest; a little of it is read away."""
        self._decoding = None
        self.receiver = Weighed(self, NOBODY, self._limits.drain_bytes)

    def part(self) -> None:
        """Parser and exchange refer to each other: parted, both go without the collector."""
        self.receiver = NOBODY
        self._parse = self._feed = _ignore
        self._parser = cast("HttpResponseParser", None)  # no more bytes are read; may come twice

    # --- What the parser calls -----------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise UpstreamGarbled(f"{self.host} sent more than its answer")
        self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in RARE:
            if value == b"chunked" and name == b"transfer-encoding":
                self._minds_end = True  # nearly every stream says so, and that is all there is
            else:
                self._is_special = True
        self._headers.append((name, value.rstrip()))

    def on_headers_complete(self) -> None:
        parser = self._parser
        status = parser.get_status_code()
        is_reusable = self.is_reusable = parser.should_keep_alive()
        headers, self._headers = self._headers, []  # trailers may follow
        limits = self._limits
        if self._seen > limits.head_bytes or len(headers) > limits.header_count:
            self._check_head(status, headers)
        receiver = self.receiver
        is_plain = is_reusable and status >= 200 and not self._is_special
        if not (is_plain or self._prepare(status, headers)):
            return
        self.has_head = True
        self._parse = self._feed
        sending = self._sending
        if sending is not None:
            sending.payload = b""
        receiver.on_response(status, headers, self.now)

    def on_body(self, data: bytes) -> None:
        self._silent = None
        self.receiver.on_chunk(data, self.now)

    def on_message_complete(self) -> None:
        if not self.has_head:
            return  # of a 1xx answer
        if self._minds_end:
            self.is_reusable = self._parser.should_keep_alive()  # a trailer may have said no
            self._end_body()
        self.is_complete = True
        self._silent = 0

    def _parse_head(self, data: bytes) -> None:
        self._seen += len(data)
        self._feed(data)

    # --- The parts that seldom run -------------------------------------------------------------

    def _prepare(self, status: int, headers: Headers) -> bool:
        """For a head that is not plain. False if there is nothing more to be done about it."""
        self._is_special = self._is_bounded or self._is_head
        names = dict(headers)
        self._has_length = b"content-length" in names or b"transfer-encoding" in names
        if b"keep-alive" in names:
            self.keep_alive_s = _seconds(names[b"keep-alive"])
        self._minds_end = b"transfer-encoding" in names
        if self._minds_end:
            self._check_transfer(headers)
        if status < 200:
            self._check_informational(status)
            return False
        if status == 407 and self._proxy is not None:
            raise UpstreamUnreachable(
                f"proxy {self._proxy} refused to forward to {self.host}: 407, it wants another"
                " user or password in its URL",
                code="proxy_refused",
            )
        if self._is_head:
            self._take_head_only(status, headers)
            return False
        if status not in BODILESS and (self._is_bounded or b"content-encoding" in names):
            self._weigh_body(names.get(b"content-encoding", b""))
        return True

    def _check_informational(self, status: int) -> None:
        if status == 101:
            raise UpstreamGarbled(f"{self.host} switched protocols, which it was not asked to")
        if status < 100:  # llhttp would give it a body
            raise UpstreamGarbled(f"{self.host} answered with status {status:03}, which is none")

    def _check_transfer(self, headers: Headers) -> None:
        for name, value in headers:
            if name == b"transfer-encoding" and value.lower() != b"chunked":
                coding = value.decode("latin-1")
                text = f"{self.host} sent transfer-encoding {coding!r}: only chunked is known"
                raise UpstreamGarbled(text)

    def _weigh_body(self, coding: bytes) -> None:
        limits = self._limits
        self._decoding = find_decoding(coding, limits.decoded_bytes, self.host)
        if self._decoding is not None:
            self._minds_end = True
        if self._decoding is not None or limits.body_bytes < sys.maxsize:
            self.receiver = Weighed(self, self.receiver, limits.body_bytes, self._decoding)

    def _check_head(self, status: int, headers: Headers) -> None:
        """More was read than a head may have, but it need not be all of this head."""
        limits = self._limits
        size = sum(len(name) + len(value) + 4 for name, value in headers)
        is_too_large = size > limits.head_bytes or len(headers) > limits.header_count
        if is_too_large and status >= 200:
            raise self._bomb()

    def _end_read(self) -> None:
        """After a read that brought no piece of body, or the end. Heads, trailers, chunk extensions
        and 1xx end up in the parser's memory or nowhere, so that a run of only those has to
        stop."""
        if self.is_complete:
            self._silent = 0
        elif self._silent is not None and self._silent > self._limits.head_bytes:
            raise self._bomb()

    def _bomb(self) -> UpstreamGarbled:
        limits = self._limits
        return UpstreamGarbled(
            f"{self.host} sent a head of more than {limits.head_bytes} bytes"
            f" or {limits.header_count} headers",
            code="head_too_large",
        )

    def _end_body(self) -> None:
        self._minds_end = False
        decoding, self._decoding = self._decoding, None
        if decoding is not None:
            decoding.end()

    def _take_head_only(self, status: int, headers: Headers) -> None:
        """An answer to HEAD ends here, whatever its head promises; llhttp cannot be told, and waits
        for a body that must not come: the next answer gets a parser of its own."""
        self.has_head = True
        self.receiver.on_response(status, headers, self.now)
        self.is_complete = True
        self.receiver = Weighed(self, NOBODY, 0)
        self._is_head = False
        self._parse = self._parse_head
        self._feed = self._parse_anew

    def _parse_anew(self, data: bytes) -> None:
        self._parser = HttpResponseParser(self)
        self._feed = cast("Callable[[bytes], None]", self._parser.feed_data)
        self._feed(data)

    def _misread(self, error: HttpParserError | HttpParserUpgrade) -> None:
        if self.is_complete:
            self.is_reusable = False
            self._silent = 0
            return
        cause = error.__context__
        if isinstance(cause, UpstreamError):
            raise cause
        if isinstance(error, HttpParserCallbackError) and cause is not None:
            raise (ReceiverFailed() if isinstance(cause, Exception) else cause) from cause
        raise UpstreamGarbled(f"{self.host} sent what is not HTTP: {error}") from error


def _ignore(data: bytes) -> None:
    """Instead of a parser that is gone."""


def _seconds(value: bytes) -> float | None:
    """The timeout of ``keep-alive: timeout=5, max=100`` (RFC 2068, section 19.7.1)."""
    for part in value.split(b","):
        name, _, number = part.strip().partition(b"=")
        if name.lower() == b"timeout" and number.isdigit():
            return float(number[:9])
    return None
