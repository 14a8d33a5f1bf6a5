"""The parser without sockets: tables of bytes, whole, split at every byte, and byte by byte."""

from __future__ import annotations

import gzip
import time

import pytest

from headway.errors import UpstreamError, UpstreamGarbled, UpstreamUnreachable
from headway.transport.limits import Limits
from headway.transport.response_parser import ReceiverFailed, ResponseParser
from headway.types import Headers
from headway.wire.content_coding import MAX_PIECE
from support.for_each import for_each

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH_3 = OK + b"Content-Length: 3\r\n\r\nabc"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


class Page:
    """A receiver that joins what it gets."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: Headers = ()
        self.body = b""

    def on_sent(self, now: float) -> None: ...

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        assert self.status is None
        self.status, self.headers = status, headers

    def on_chunk(self, data: bytes, now: float) -> None:
        assert self.status is not None
        assert data, "no empty chunks"
        self.body += data

    def on_end(self, now: float) -> None: ...

    def on_error(self, error: UpstreamError, now: float) -> None: ...


def feed(parser: ResponseParser, data: bytes, now: float) -> None:
    """Bytes that come at that time."""
    parser._clock = lambda: now
    parser.data_received(data)


def feed_all(parser: ResponseParser, pieces: list[bytes]) -> None:
    for number, piece in enumerate(pieces):
        feed(parser, piece, float(number))


def play(
    pieces: list[bytes], is_head: bool = False, limits: Limits | None = None, closes: bool = False
) -> tuple[Page, ResponseParser]:
    page = Page()
    parser = ResponseParser(limits or Limits(), "host.test", None, time.monotonic)
    parser.begin(page, is_head)
    feed_all(parser, pieces)
    if closes:
        assert parser.end_input(99.0)
    return page, parser


def cuts(data: bytes) -> list[list[bytes]]:
    """Whole, a byte at a time, and in two at every place."""
    singles = [data[at : at + 1] for at in range(len(data))]
    return [[data], singles, *([data[:at], data[at:]] for at in range(1, len(data)))]


WHOLE = {
    "a content-length": (LENGTH_3, 200, b"abc", True),
    "a length of zero": (OK + b"content-length: 0\r\n\r\n", 200, b"", True),
    "chunks": (CHUNKED + b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", 200, b"abc", True),
    "chunk sizes in both cases": (CHUNKED + b"a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n",
        200, b"01234567890123456789a", True),
    "chunk extensions": (CHUNKED + b'1;a=b\r\na\r\n2;c="d"\r\nbc\r\n0;e\r\n\r\n',
        200, b"abc", True),
    "trailers": (CHUNKED + b"3\r\nabc\r\n0\r\nx-sum: 1\r\nkeep-alive: timeout=9\r\n\r\n",
        200, b"abc", True),
    "chunked in capitals": (OK + b"Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        200, b"a", True),
    "no reason phrase": (b"HTTP/1.1 200\r\ncontent-length: 1\r\n\r\na", 200, b"a", True),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "204 with a length": (b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n", 204, b"", True),
    "304 with an encoding": (b"HTTP/1.1 304 Not Modified\r\ncontent-encoding: what\r\n\r\n",
        304, b"", True),
    "100 first": (b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH_3, 200, b"abc", True),
    "103 with headers, then 100": (b"HTTP/1.1 103 Hints\r\nlink: x\r\ncontent-length: 7\r\n\r\n"
        b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH_3, 200, b"abc", True),
    "connection: close": (OK + b"connection: close\r\ncontent-length: 1\r\n\r\na",
        200, b"a", False),
    "close in a trailer": (CHUNKED + b"1\r\na\r\n0\r\nconnection: close\r\n\r\n",
        200, b"a", False),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na", 200, b"a", False),
    "HTTP/1.0 with keep-alive": (b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n"
        b"content-length: 1\r\n\r\na", 200, b"a", True),
    "an error's body": (b"HTTP/1.1 429 Slow\r\nretry-after: 1\r\ncontent-length: 2\r\n\r\n{}",
        429, b"{}", True),
}  # fmt: skip


@for_each("name", WHOLE)
def test_a_response_is_the_same_however_it_is_split(name: str) -> None:
    data, status, body, is_reusable = WHOLE[name]
    for pieces in cuts(data):
        page, parser = play(pieces)
        assert (page.status, page.body) == (status, body)
        assert parser.is_complete
        assert parser.is_reusable is is_reusable


def test_header_names_are_lower_case_and_values_have_no_space_around() -> None:
    page, _ = play([OK + b"X-A:  b c \t\r\nx-a: d\r\nX-Empty:\r\ncontent-length: 0\r\n\r\n"])
    assert list(page.headers) == [
        (b"x-a", b"b c"),
        (b"x-a", b"d"),
        (b"x-empty", b""),
        (b"content-length", b"0"),
    ]


def test_the_body_of_a_response_without_a_length_ends_with_the_connection() -> None:
    for pieces in cuts(OK + b"x: y\r\n\r\nabc"):
        page, parser = play(pieces)
        assert not parser.is_complete
        assert parser.end_input(9.0)
        assert (page.body, parser.is_reusable) == (b"abc", False)


def test_a_response_with_a_length_does_not_end_with_the_connection() -> None:
    for data in (LENGTH_3[:-1], CHUNKED + b"1\r\na\r\n", OK, OK + b"x: y"):
        _, parser = play([data])
        assert not parser.end_input(9.0)


def test_the_response_to_head_ends_with_its_head() -> None:
    for pieces in cuts(OK + b"content-length: 3\r\ncontent-encoding: br\r\n\r\n"):
        page, parser = play(pieces, is_head=True)
        assert (parser.is_complete, parser.is_reusable, page.body) == (True, True, b"")


def test_an_informational_response_is_not_the_response_to_head() -> None:
    for hint in (b"", b"keep-alive: timeout=5\r\n"):
        data = b"HTTP/1.1 103 Hints\r\n" + hint + b"\r\n" + OK + b"content-length: 3\r\n\r\n"
        for pieces in cuts(data):
            page, parser = play(pieces, is_head=True)
            assert (page.status, parser.is_complete, parser.is_reusable) == (200, True, True)


def test_special_headers_of_one_response_do_not_affect_the_next() -> None:
    packed = gzip.compress(b"hello")
    head = b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    answers = [
        (OK + head + packed, b"hello", True),
        (LENGTH_3, b"abc", True),
        (CHUNKED + b"1\r\na\r\n0\r\ncontent-encoding: gzip\r\n\r\n", b"a", True),
        (LENGTH_3, b"abc", True),
        (OK + b"\r\nto the end", b"to the end", False),
    ]
    parser = ResponseParser(Limits(), "host.test", None, time.monotonic)
    for data, body, has_end in answers:
        page = Page()
        parser.begin(page, False)
        feed(parser, data, 1.0)
        assert page.body == body
        assert parser.is_complete is parser.is_reusable is has_end
    assert parser.end_input(2.0)


def test_a_connection_can_be_used_again_after_head() -> None:
    _, parser = play([OK + b"content-length: 3\r\n\r\n"], is_head=True)
    page = Page()
    parser.begin(page, False)
    feed(parser, LENGTH_3, 1.0)
    assert (page.body, parser.is_reusable) == (b"abc", True)


def test_a_body_after_the_response_to_head_spoils_the_connection() -> None:
    page, parser = play([LENGTH_3], is_head=True)
    assert (parser.is_complete, parser.is_reusable, page.body) == (True, False, b"")


EXTRA = [LENGTH_3 + LENGTH_3, LENGTH_3 + b"H", LENGTH_3 + b"\x00", CHUNKED + b"0\r\n\r\n!",
    OK + b"connection: close\r\ncontent-length: 0\r\n\r\nx"]  # fmt: skip


@pytest.mark.parametrize("data", EXTRA)
def test_bytes_after_the_end_spoil_the_connection_but_not_the_response(data: bytes) -> None:
    page, parser = play([data])
    assert page.status == 200
    assert page.body in (b"abc", b"")
    assert (parser.is_complete, parser.is_reusable) == (True, False)


GARBLED = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTML alone": b"<html>no</html>",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "a status below 100": b"HTTP/1.1 000 OK\r\n\r\nabc",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    "no colon": OK + b"nonsense\r\n\r\n",
    "space before the colon": OK + b"content-length : 0\r\n\r\n",
    "folded header": OK + b"a: b\r\n c\r\n\r\n",
    "NUL in a header": OK + b"a: b\x00c\r\n\r\n",
    "both lengths": OK + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    "two lengths": OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\n",
    "a list of lengths": OK + b"content-length: 1, 1\r\n\r\n",
    "a signed length": OK + b"content-length: +1\r\n\r\n",
    "a length beyond 64 bits": OK + b"content-length: 99999999999999999999\r\n\r\n",
    "gzip as transfer-encoding": OK + b"transfer-encoding: gzip, chunked\r\n\r\n",
    "an odd transfer-encoding": OK + b"transfer-encoding: xchunked\r\n\r\n",
    "gzip and then chunked as transfer-encoding": OK + b"transfer-encoding: gzip\r\n"
        b"transfer-encoding: chunked\r\n\r\n",
    "a chunk size that is none": CHUNKED + b"zz\r\n",
    "a negative chunk size": CHUNKED + b"-1\r\n",
    "a chunk size beyond 64 bits": CHUNKED + b"fffffffffffffffff\r\n",
    "a chunk longer than it says": CHUNKED + b"1\r\nabc\r\n",
    "a chunk size with bare LF": CHUNKED + b"1\na\r\n",
    "101": b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "101 without upgrade": b"HTTP/1.1 101 Switching\r\n\r\n",
    "an unknown coding": OK + b"content-encoding: lzma\r\ncontent-length: 1\r\n\r\na",
    "gzip that is none": OK + b"content-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
}  # fmt: skip


@for_each("name", GARBLED)
def test_invalid_http_is_an_error_however_it_is_split(name: str) -> None:
    for pieces in cuts(GARBLED[name]):
        with pytest.raises(UpstreamGarbled) as caught:
            play(pieces)
        assert "host.test" in caught.value.message


def test_compressed_bodies_are_decoded_however_they_are_split() -> None:
    packed = gzip.compress(b"hello hello hello")
    head = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    for pieces in cuts(head + packed):
        page, parser = play(pieces)
        assert (page.body, parser.is_reusable) == (b"hello hello hello", True)


def test_a_truncated_compressed_body_is_an_error() -> None:
    packed = gzip.compress(b"hello")[:-4]
    head = OK + b"content-encoding: gzip\r\n"
    with pytest.raises(UpstreamGarbled, match="stops before its end"):
        play([head + b"content-length: %d\r\n\r\n" % len(packed) + packed])
    with pytest.raises(UpstreamGarbled, match="stops before its end"):
        play([head + b"\r\n" + packed], closes=True)


def test_a_compressed_body_that_ends_with_the_connection_is_complete() -> None:
    page, _ = play([OK + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"hi")], closes=True)
    assert page.body == b"hi"


LIMITS = Limits(head_bytes=200, header_count=8, body_bytes=10, decoded_bytes=1000)

BOMBS = {
    "a long value": (OK + b"a: " + b"x" * 300 + b"\r\n\r\n", "head_too_large"),
    "a value without end": (OK + b"a: " + b"x" * 300, "head_too_large"),
    "a name without end": (OK + b"a" * 300, "head_too_large"),
    "many headers": (OK + b"a:b\r\n" * 9 + b"\r\n", "head_too_large"),
    "many long headers": (OK + b"abcdefghijklmno: pqrstuvwxyz\r\n" * 8 + b"\r\n", "head_too_large"),
    "1xx without end": (b"HTTP/1.1 100 Continue\r\n\r\n" * 20, "head_too_large"),
    "a chunk extension without end": (CHUNKED + b"1;" + b"x" * 300, "head_too_large"),
    "trailers without end": (CHUNKED + b"0\r\n" + b"a: b\r\n" * 60, "head_too_large"),
    "a long body": (OK + b"content-length: 11\r\n\r\n" + b"x" * 11, "body_too_large"),
    "a long chunked body": (CHUNKED + b"6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n", "body_too_large"),
    "a long body to the close": (OK + b"\r\n" + b"x" * 11, "body_too_large"),
}  # fmt: skip


@for_each("name", BOMBS)
def test_limits_hold_at_once_and_a_byte_at_a_time(name: str) -> None:
    data, code = BOMBS[name]
    for pieces in ([data], [data[at : at + 1] for at in range(len(data))]):
        with pytest.raises(UpstreamGarbled) as caught:
            play(pieces, limits=LIMITS)
        assert caught.value.code == code


def test_limits_hold_behind_a_response_to_head() -> None:
    for data, code in (BOMBS["a long value"], BOMBS["many headers"]):
        for pieces in cuts(data + b"a piece of its body"):
            _, parser = play([OK + b"content-length: 3\r\n\r\n"], is_head=True, limits=LIMITS)
            parser.begin(Page(), False)
            with pytest.raises(UpstreamGarbled) as caught:
                feed_all(parser, pieces)
            assert caught.value.code == code


def test_many_small_chunks_do_not_add_up_to_a_head() -> None:
    pieces = [CHUNKED] + [b"1;ext=12345\r\n", b"a\r\n"] * 500
    page, _ = play(pieces, limits=Limits(head_bytes=100))
    assert page.body == b"a" * 500


def test_a_decompression_bomb_stops_at_its_limit() -> None:
    packed = gzip.compress(b"\0" * 5_000_000)
    head = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    with pytest.raises(UpstreamGarbled, match="grew beyond 1000 bytes") as caught:
        play([head + packed], limits=Limits(decoded_bytes=1000))
    assert caught.value.code == "body_too_large"


def test_nothing_is_passed_on_after_a_discard_between_decompressed_pieces() -> None:
    packed = gzip.compress(bytes(1_000_000))
    parser = ResponseParser(Limits(), "host.test", None, time.monotonic)

    class Sated(Page):
        def on_chunk(self, data: bytes, now: float) -> None:
            super().on_chunk(data, now)
            parser.discard_body()

    page = Sated()
    parser.begin(page, False)
    head = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    feed(parser, head + packed, 0.0)
    assert 0 < len(page.body) <= MAX_PIECE
    assert parser.is_reusable


def test_a_discarded_body_is_not_passed_on_and_has_its_own_limit() -> None:
    page, parser = play([CHUNKED + b"1\r\na\r\n"], limits=Limits(drain_bytes=5))
    parser.discard_body()
    feed(parser, b"4\r\nbbbb\r\n", 1.0)
    assert page.body == b"a"
    with pytest.raises(UpstreamGarbled):
        feed(parser, b"2\r\ncc\r\n", 2.0)


def test_a_discarded_response_ends_like_any_other() -> None:
    page, parser = play([CHUNKED + b"1\r\na\r\n"])
    parser.discard_body()
    feed(parser, b"4\r\nbbbb\r\n0\r\n\r\n", 1.0)
    assert (page.body, parser.is_complete, parser.is_reusable) == (b"a", True, True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"timeout=5", 5.0), (b"max=100, Timeout=7", 7.0), (b"timeout=x", None), (b"max=3", None)],
)
def test_the_keep_alive_hint_is_read(value: bytes, seconds: float | None) -> None:
    _, parser = play([OK + b"Keep-Alive: " + value + b"\r\ncontent-length: 0\r\n\r\n"])
    assert parser.keep_alive_s == seconds


def test_a_proxys_407_is_not_the_providers_response() -> None:
    parser = ResponseParser(Limits(), "host.test", "http://proxy:3128", time.monotonic)
    parser.begin(Page(), False)
    with pytest.raises(UpstreamUnreachable, match=r"proxy http://proxy:3128 refused .* 407"):
        feed(parser, b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", 0.0)


class Broken(Page):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def on_chunk(self, data: bytes, now: float) -> None:
        raise self._error


def test_an_exception_of_a_receiver_is_not_an_upstream_error() -> None:
    parser = ResponseParser(Limits(), "host.test", None, time.monotonic)
    parser.begin(Broken(KeyError("x")), False)
    with pytest.raises(ReceiverFailed) as caught:
        feed(parser, LENGTH_3, 0.0)
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_upstream_error_that_a_receiver_raises_is_raised() -> None:
    parser = ResponseParser(Limits(), "host.test", None, time.monotonic)
    parser.begin(Broken(UpstreamGarbled("not an event")), False)
    with pytest.raises(UpstreamGarbled, match="not an event"):
        feed(parser, LENGTH_3, 0.0)


def test_a_keyboard_interrupt_inside_a_receiver_is_raised() -> None:
    parser = ResponseParser(Limits(), "host.test", None, time.monotonic)
    parser.begin(Broken(KeyboardInterrupt()), False)
    with pytest.raises(KeyboardInterrupt):
        feed(parser, LENGTH_3, 0.0)


def test_an_event_of_ten_megabytes_goes_through_whole() -> None:
    event = b"data: " + b"x" * 10_000_000 + b"\n\n"
    data = CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(event), event)
    page, _ = play([data[at : at + 262_144] for at in range(0, len(data), 262_144)])
    assert page.body == event
