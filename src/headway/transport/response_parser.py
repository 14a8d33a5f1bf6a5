"""Parses the responses of one connection, without a socket: bytes in, calls to a receiver out.

The framing is llhttp's, in strict mode (RFC 9112): a bare LF, both length headers, odd chunk sizes
and folded headers are errors. This module has what llhttp leaves to its caller: limits, 1xx
responses, HEAD, switches of protocols, content codings, bodies that end with the connection, and
whether the connection can be used again.

This is the hot path: ``data_received`` and ``on_body`` run for every read of a socket, so they do
only what nearly every read needs, and one test finds the exceptions. httptools calls the parser's
callbacks by their names (``on_message_begin`` to ``on_message_complete``). An UpstreamError that
they raise comes out of ``_on_parser_error``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from operator import itemgetter
from typing import Protocol, cast

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpResponseParser,
)

from headway.errors import UpstreamError, UpstreamGarbled, UpstreamUnreachable
from headway.ports import ResponseReceiver, UpgradeReceiver
from headway.transport.content_encoding import BodyDecoder, find_decoder
from headway.transport.limits import Limits
from headway.transport.receivers import NULL_RECEIVER, BodyReceiver
from headway.types import Clock, Headers

SPECIAL_HEADERS = frozenset({b"transfer-encoding", b"content-encoding", b"keep-alive"})
"""A response that has one of these takes the slower ``_check_response``. If one comes more than
once, the last one counts."""
CHUNKED = (b"transfer-encoding", b"chunked")
BODILESS_STATUSES = frozenset({204, 304})
NEVER = float("-inf")
_name = itemgetter(0)


class ReceiverFailed(Exception):  # noqa: N818 - not an error of the upstream
    """A receiver raised an exception: a defect in the gateway. See ``__cause__``."""


class SentRequest(Protocol):
    """The request whose response is awaited."""

    payload: bytes
    """Cleared when the response begins: it will not be sent again."""


class ResponseParser:
    """The responses of one connection, one after the other. ``host`` is for messages; ``proxy``
    names a forwarding proxy, whose 407 is not the provider's response."""

    __slots__ = (
        "_always_check",
        "_bytes_without_body",
        "_clock",
        "_decoder",
        "_feed",
        "_has_end_work",
        "_has_length",
        "_head_bytes",
        "_headers",
        "_is_head",
        "_limits",
        "_must_check",
        "_parse",
        "_parser",
        "_proxy",
        "_request",
        "_upgrade_headers",
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
        self._request: SentRequest | None = None
        """The request whose response comes; None while there is none."""
        self.receiver: ResponseReceiver = NULL_RECEIVER
        self.now = NEVER
        """When bytes of this response were last read."""
        self.has_head = self._has_length = self._is_head = False
        self.is_reusable = False
        """The connection can carry another response. Known once the head is complete, and False for
        a body that ends with the connection."""
        self.is_complete = True
        """Also True while no response is expected: a response that begins then is an error."""
        self._always_check = self._must_check = proxy is not None or limits.body_bytes < sys.maxsize
        """Whether every head, and the next one, takes ``_check_response``."""
        self._head_bytes = 0
        """Bytes that were read before the head was complete."""
        self._bytes_without_body: int | None = 0
        """Bytes since the last piece of body. None once the current read has brought one."""
        self._decoder: BodyDecoder | None = None
        self._has_end_work = False
        """The end of the body needs more work: a decoder to conclude, trailers."""
        self.keep_alive_s: float | None = None
        """Time for which the upstream says that it keeps an idle connection."""
        self._headers: list[tuple[bytes, bytes]] = []
        self._upgrade_headers: Headers | None = None
        """Of a response with status 101 that was asked for, while its head is being read."""
        self._parser = HttpResponseParser(self)
        self._feed = cast("Callable[[bytes], None]", self._parser.feed_data)
        self._parse = self._feed
        """Takes what is read now: ``_parse_head`` until the head is complete, then the parser."""

    @property
    def has_bytes(self) -> bool:
        """At least one byte of the response has arrived."""
        return self.now > NEVER

    def begin(self, receiver: ResponseReceiver, is_head: bool) -> None:
        """A request is being sent: its response goes to ``receiver``."""
        self.receiver = receiver
        self.now = NEVER
        self.has_head = self.is_complete = False
        self._head_bytes = 0
        self._parse = self._parse_head
        if is_head:
            self._is_head = self._must_check = True

    def data_received(self, data: bytes) -> None:
        """Parse what was read. Raises UpstreamError if it is invalid, and ReceiverFailed if a
        receiver raised. Bytes after the end only make the connection unfit for another use."""
        # Fetched before they are called: a call of an attribute looks among the methods first.
        clock, parse = self._clock, self._parse
        self.now = clock()
        try:
            parse(data)
        except HttpParserError as error:
            self._on_parser_error(error)
        except HttpParserUpgrade as upgrade:
            self._on_upgrade(upgrade, data[upgrade.args[0] :])
        if self._bytes_without_body is None:
            self._bytes_without_body = 0
        else:
            self._bytes_without_body += len(data)
            self._on_read_without_body()

    def end_input(self, now: float) -> bool:
        """The upstream closed its side. Returns whether the response is complete now (RFC 9112,
        section 6.3, rule 8). Raises UpstreamError if a content coding is not."""
        has_length = self.is_reusable or self._has_length
        if self.has_head and not has_length and not self.is_complete:
            self.now = now
            self._end_body()
            self.is_complete = True
        return self.is_complete

    def discard_body(self) -> None:
        """Drain a limited rest of the body, without passing it on."""
        self._decoder = None
        self.receiver = BodyReceiver(self, NULL_RECEIVER, self._limits.drain_bytes)

    def release_parser(self) -> None:
        """Break the reference cycle with httptools' parser, so that neither waits for the garbage
        collector. May be called twice."""
        self.receiver = NULL_RECEIVER
        self._parse = self._feed = _ignore
        self._parser = cast("HttpResponseParser", None)  # no more bytes are parsed

    # --- Called by the parser ------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise UpstreamGarbled(f"{self.host} sent more than its answer")
        self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value.rstrip()))

    def on_headers_complete(self) -> None:
        parser = self._parser
        status = parser.get_status_code()
        is_reusable = self.is_reusable = parser.should_keep_alive()
        headers, self._headers = self._headers, []  # trailers may follow
        limits = self._limits
        if self._head_bytes > limits.head_bytes or len(headers) > limits.header_count:
            self._check_size(status, headers)
        receiver = self.receiver
        is_plain = is_reusable and status >= 200 and not self._must_check
        if is_plain and not SPECIAL_HEADERS.isdisjoint(map(_name, headers)):
            special = [header for header in headers if header[0] in SPECIAL_HEADERS]
            is_plain = self._has_end_work = special == [CHUNKED]  # as in nearly every stream
        if not (is_plain or self._check_response(status, headers)):
            return
        self.has_head = True
        self._parse = self._feed
        request = self._request
        if request is not None:
            request.payload = b""
        receiver.on_response(status, headers, self.now)

    def on_body(self, data: bytes) -> None:
        self._bytes_without_body = None
        self.receiver.on_chunk(data, self.now)

    def on_message_complete(self) -> None:
        if not self.has_head:
            return  # of a 1xx response
        if self._has_end_work:
            self.is_reusable = self._parser.should_keep_alive()  # a trailer may have denied it
            self._end_body()
        self.is_complete = True
        self._bytes_without_body = 0

    # --- Heads that are not plain --------------------------------------------------------------

    def _parse_head(self, data: bytes) -> None:
        self._head_bytes += len(data)
        self._feed(data)

    def _check_response(self, status: int, headers: Headers) -> bool:
        """Whether the response goes on to the receiver."""
        self._must_check = self._always_check or self._is_head
        by_name = dict(headers)
        self._has_length = b"content-length" in by_name or b"transfer-encoding" in by_name
        if b"keep-alive" in by_name:
            self.keep_alive_s = _parse_keep_alive(by_name[b"keep-alive"])
        self._has_end_work = b"transfer-encoding" in by_name
        if self._has_end_work:
            self._check_transfer_encoding(headers)
        if status < 200:
            self._check_informational(status, headers)
            return False
        if status == 407 and self._proxy is not None:
            raise UpstreamUnreachable(
                f"proxy {self._proxy} refused to forward to {self.host}: 407, it wants another"
                " user or password in its URL",
                code="proxy_refused",
            )
        if self._is_head:
            self._complete_head_response(status, headers)
            return False
        has_coding = b"content-encoding" in by_name
        if status not in BODILESS_STATUSES and (self._always_check or has_coding):
            self._wrap_receiver(by_name.get(b"content-encoding", b""))
        return True

    def _check_informational(self, status: int, headers: Headers) -> None:
        if status == 101:
            if isinstance(self.receiver, UpgradeReceiver):
                self._upgrade_headers = headers
                return
            raise UpstreamGarbled(f"{self.host} switched protocols, which it was not asked to")
        if status < 100:  # llhttp would give it a body
            raise UpstreamGarbled(f"{self.host} answered with status {status:03}, which is none")

    def _on_upgrade(self, upgrade: HttpParserUpgrade, rest: bytes) -> None:
        """The parser has stopped. What comes from now on, ``rest`` first, is no HTTP, and ends with
        the connection."""
        headers, self._upgrade_headers = self._upgrade_headers, None
        receiver = self.receiver
        if headers is None or not isinstance(receiver, UpgradeReceiver):
            self._on_parser_error(upgrade)
            return
        self.has_head = True
        self.is_reusable = self._has_length = self._has_end_work = False
        self._parse = self._pass_on
        if self._request is not None:
            self._request.payload = b""
        receiver.on_upgrade(headers, self.now)
        self._pass_on(rest)

    def _pass_on(self, data: bytes) -> None:
        self._bytes_without_body = None
        if data:
            self.receiver.on_chunk(data, self.now)

    def _check_transfer_encoding(self, headers: Headers) -> None:
        for name, value in headers:
            if name == b"transfer-encoding" and value.lower() != b"chunked":
                coding = value.decode("latin-1")
                text = f"{self.host} sent transfer-encoding {coding!r}: only chunked is known"
                raise UpstreamGarbled(text)

    def _wrap_receiver(self, coding: bytes) -> None:
        limits = self._limits
        self._decoder = find_decoder(coding, limits.decoded_bytes, self.host)
        if self._decoder is not None:
            self._has_end_work = True
        if self._decoder is not None or limits.body_bytes < sys.maxsize:
            self.receiver = BodyReceiver(self, self.receiver, limits.body_bytes, self._decoder)

    def _check_size(self, status: int, headers: Headers) -> None:
        """More was read than a head may have, but part of it may belong to a 1xx or to the body."""
        limits = self._limits
        size = sum(len(name) + len(value) + 4 for name, value in headers)
        is_too_large = size > limits.head_bytes or len(headers) > limits.header_count
        if is_too_large and status >= 200:
            raise self._head_too_large()

    def _head_too_large(self) -> UpstreamGarbled:
        limits = self._limits
        return UpstreamGarbled(
            f"{self.host} sent a head of more than {limits.head_bytes} bytes"
            f" or {limits.header_count} headers",
            code="head_too_large",
        )

    def _complete_head_response(self, status: int, headers: Headers) -> None:
        """A response to HEAD ends here, whatever length its head announces. llhttp cannot be told,
        and waits for a body that must not come: the next response gets a new parser."""
        self.has_head = True
        self.receiver.on_response(status, headers, self.now)
        self.is_complete = True
        self.receiver = BodyReceiver(self, NULL_RECEIVER, 0)
        self._is_head = False
        self._parse = self._parse_head
        self._feed = self._feed_new_parser

    def _feed_new_parser(self, data: bytes) -> None:
        self._parser = HttpResponseParser(self)
        self._feed = cast("Callable[[bytes], None]", self._parser.feed_data)
        self._feed(data)

    # --- Reads without body, ends, errors ------------------------------------------------------

    def _on_read_without_body(self) -> None:
        """The read brought no piece of body, or it brought the end. Heads, trailers, chunk
        extensions and 1xx responses are kept in memory or dropped by the parser, so a run of only
        those has a limit."""
        if self.is_complete:
            self._bytes_without_body = 0
        elif (
            self._bytes_without_body is not None
            and self._bytes_without_body > self._limits.head_bytes
        ):
            raise self._head_too_large()

    def _end_body(self) -> None:
        self._has_end_work = False
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            decoder.end()

    def _on_parser_error(self, error: HttpParserError | HttpParserUpgrade) -> None:
        if self.is_complete:
            self.is_reusable = False
            self._bytes_without_body = 0
            return
        cause = error.__context__
        if isinstance(cause, UpstreamError):
            raise cause
        if isinstance(error, HttpParserCallbackError) and cause is not None:
            raise (ReceiverFailed() if isinstance(cause, Exception) else cause) from cause
        raise UpstreamGarbled(f"{self.host} sent what is not HTTP: {error}") from error


def _ignore(data: bytes) -> None:
    """Takes the place of a parser that was released."""


def _parse_keep_alive(value: bytes) -> float | None:
    """The timeout of ``keep-alive: timeout=5, max=100`` (RFC 2068, section 19.7.1), in seconds."""
    for part in value.split(b","):
        name, _, number = part.strip().partition(b"=")
        if name.lower() == b"timeout" and number.isdigit():
            return float(number[:9])
    return None
