"""What is taken without the parser: rows for each rule, and the parser as the judge of the rest.

``told`` plays an answer on a connection that has learned what heads look like there, once whole and
once with its last byte held back, which only the parser can take.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cassettes import recordings
from headway.errors import UpstreamError, UpstreamGarbled
from headway.transport.exchange import TRIES, Exchange, ReceiverFailed
from headway.transport.layout import LONGEST, MOST, WIDEST, Layout, find_layout
from headway.transport.limits import Limits
from headway.types import Headers
from scripted import Reply, ScriptedServer, answer, chunked
from taker import QUICK, Run, Taker, checked_transport, fetch, request, until

OK = b"HTTP/1.1 200 OK\r\n"
BODY = b'{"a": 1}'
HEADERS = (
    b"Server: s/1.0\r\nDate: Mon, 23 Nov 2026 04:22:18 GMT\r\nContent-Type: application/json\r\n"
    b"Connection: keep-alive\r\nX-Request-Id: req-1\r\nset-cookie: a=b; c\r\nset-cookie: d=e\r\n"
)
LENGTH = OK + HEADERS + b"Content-Length: 8\r\n\r\n" + BODY
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n" + HEADERS + b"\r\n8\r\n" + BODY + b"\r\n0\r\n\r\n"


class Page:
    """A receiver that writes down what it is told, and may do something as it is told."""

    def __init__(self, on: Callable[[str], object] = lambda name: None) -> None:
        self.calls: list[Any] = []
        self._on = on

    def on_sent(self, now: float) -> None: ...

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        self.calls.append(("response", status, by_name(headers), now))
        self._on("response")

    def on_chunk(self, data: bytes, now: float) -> None:
        self.calls.append(("chunk", data, now))
        self._on("chunk")

    def on_end(self, now: float) -> None: ...

    def on_error(self, error: UpstreamError, now: float) -> None: ...

    @property
    def answer(self) -> tuple[Any, bytes]:
        """Status and headers, the body joined."""
        heads = [call[1:3] for call in self.calls if call[0] == "response"]
        return heads, b"".join(call[1] for call in self.calls if call[0] == "chunk")


def by_name(headers: Headers) -> list[tuple[bytes, bytes]]:
    """The order of headers with different names says nothing (RFC 9110, section 5.3)."""
    assert all(name == name.lower() for name, _ in headers)
    return sorted(headers, key=lambda pair: pair[0])


class Line(Exchange):
    """A connection, which counts the reads that its parser gets."""

    def __init__(self, limits: Limits | None = None, proxy: str | None = None) -> None:
        super().__init__(limits or Limits(), "host.test", proxy, lambda: 1.0)
        self.parsed = 0
        feed = self._feed

        def counted(data: bytes) -> None:
            self.parsed += 1
            feed(data)

        self._feed = counted

    def play(self, *pieces: bytes, page: Page | None = None, is_head: bool = False) -> Page:
        page = page or Page()
        self.begin(page, is_head)
        self.parsed = 0
        for piece in filter(None, pieces):
            self.data_received(piece)
        return page


def learned(data: bytes) -> Line:
    line = Line()
    line.play(data)
    assert line.parsed == 1
    return line


def told(line: Line, *pieces: bytes) -> tuple[Any, ...]:
    """All that can be known of how it went, the number of its pieces aside."""
    page = Page()
    try:
        line.play(*pieces, page=page)
    except UpstreamError as error:
        return ("error", type(error), str(error), page.answer)
    return (page.answer, line.is_complete, line.is_reusable, line.has_head, line.keep_alive_s)


def is_taken(line: Line) -> bool:
    return line.parsed == 0


FIT = {
    "the same again": (LENGTH, LENGTH),
    "the same again, chunked": (CHUNKED, CHUNKED),
    "other values": (LENGTH, LENGTH.replace(b"req-1", b"?<>~ x").replace(b"a=b", b"A")),
    "another length": (LENGTH, LENGTH.replace(b": 8\r\n", b": 11\r\n") + b"abc"),
    "no body": (LENGTH, LENGTH.replace(b": 8\r\n", b": 0\r\n").removesuffix(BODY)),
    "another chunk": (CHUNKED, CHUNKED.replace(b"8\r\n" + BODY, b"1a\r\n" + b"x" * 26)),
    "a chunk that ends as the body does": (
        CHUNKED,
        CHUNKED.replace(b"8\r\n" + BODY, b"f\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ),
    "keep-alive in capitals": (
        LENGTH.replace(b"keep-alive", b"Keep-Alive"),
        LENGTH.replace(b"keep-alive", b"Keep-Alive"),
    ),
    "no reason": (LENGTH.replace(b" OK", b""), LENGTH.replace(b" OK", b"")),
    "nothing but a length": (
        OK + b"content-length: 1\r\n\r\na",
        OK + b"content-length: 1\r\n\r\nb",
    ),
}


@pytest.mark.parametrize("name", FIT)
def test_a_whole_answer_with_a_head_like_the_last_one_needs_no_parser(name: str) -> None:
    first, second = FIT[name]
    line, other = learned(first), learned(first)
    quick = told(line, second)
    assert is_taken(line)
    assert quick == told(other, second[:-1], second[-1:])
    assert not is_taken(other)
    assert line.is_complete
    assert line.is_reusable


def changed(old: bytes, new: bytes) -> bytes:
    assert old in LENGTH
    return LENGTH.replace(old, new)


ODD = {
    "another status": changed(b"200 OK", b"201 OK"),
    "an error": changed(b"200 OK", b"429 Slow"),
    "another reason": changed(b"200 OK", b"200 Fine"),
    "a status without a body": changed(b"200 OK", b"204 OK").removesuffix(BODY),
    "1xx first": b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH,
    "HTTP/1.0": changed(b"HTTP/1.1", b"HTTP/1.0"),
    "lines ended before the head": b"\r\n" + LENGTH,
    "close": changed(b"keep-alive", b"close"),
    "upgrade": changed(b"keep-alive", b"upgrade"),
    "another type": changed(b"application/json", b"text/event-stream"),
    "keep-alive": changed(b"X-Request-Id: req-1", b"Keep-Alive: timeout=5"),
    "a coding": changed(b"X-Request-Id: req-1", b"Content-Encoding: identity"),
    "a coding that is none": changed(b"X-Request-Id: req-1", b"Content-Encoding: zip"),
    "chunked and a length": changed(b"X-Request-Id: req-1", b"Transfer-Encoding: chunked"),
    "two lengths": changed(b"X-Request-Id: req-1", b"Content-Length: 8"),
    "no length": changed(b"Content-Length: 8\r\n", b""),
    "one header less": changed(b"X-Request-Id: req-1\r\n", b""),
    "one header more": changed(b"X-Request-Id: req-1\r\n", b"X-Request-Id: 1\r\nx: y\r\n"),
    "other letters": changed(b"X-Request-Id", b"x-request-id"),
    "bytes missing": LENGTH[:-1],
    "bytes left": LENGTH + b"H",
    "two answers": LENGTH + LENGTH,
    "a line's end left": LENGTH + b"\r\n",
    "zeros before the length": changed(b": 8\r", b": 08\r"),
    "a signed length": changed(b": 8\r", b": +8\r"),
    "a list of lengths": changed(b": 8\r", b": 8, 8\r"),
    "a length beyond 64 bits": changed(b": 8\r", b": 99999999999999999999\r"),
    "no space behind a colon": changed(b": req-1", b":req-1"),
    "two spaces behind a colon": changed(b": req-1", b":  req-1"),
    "a space before a colon": changed(b"X-Request-Id:", b"X-Request-Id :"),
    "a space at a line's end": changed(b"req-1", b"req-1 "),
    "a tab": changed(b"req-1", b"req\t1"),
    "no value": changed(b"req-1", b""),
    "a value in another alphabet": changed(b"req-1", "ré".encode()),
    "NUL": changed(b"req-1", b"req\x001"),
    "DEL": changed(b"req-1", b"req\x7f1"),
    "bare CR": changed(b"req-1", b"req\r1"),
    "bare LF": changed(b"req-1", b"req\n1"),
    "a line ended by LF": changed(b"req-1\r\n", b"req-1\n"),
    "a folded line": changed(b"req-1", b"req\r\n 1"),
    "a longer head than is looked at": changed(b"req-1", b"x" * LONGEST),
}
CHUNKS = {
    "no chunk": (b"8\r\n" + BODY + b"\r\n", b""),
    "an empty one and bytes": (b"8\r\n" + BODY, b"0\r\n"),
    "two chunks": (b"8\r\n" + BODY, b"4\r\n" + BODY[:4] + b"\r\n4\r\n" + BODY[4:]),
    "letters in capitals": (b"8\r\n" + BODY, b"A\r\n0123456789"),
    "zeros before the size": (b"8\r\n", b"08\r\n"),
    "a size too small": (b"8\r\n", b"7\r\n"),
    "a size too large": (b"8\r\n", b"9\r\n"),
    "a negative size": (b"8\r\n" + BODY, b"-7\r\n"),
    "no size": (b"8\r\n", b"\r\n"),
    "an extension": (b"8\r\n", b"8;a=b\r\n"),
    "an extension of the last": (b"0\r\n\r\n", b"0;a\r\n\r\n"),
    "a trailer": (b"0\r\n\r\n", b"0\r\na: b\r\n\r\n"),
    "a trailer that closes": (b"0\r\n\r\n", b"0\r\nconnection: close\r\n\r\n"),
    "two zeros at the end": (b"\r\n0\r\n\r\n", b"\r\n00\r\n\r\n"),
    "no end": (b"0\r\n\r\n", b""),
    "an end that is none": (b"\r\n0\r\n\r\n", b"\r\n1\r\n\r\n"),
    "a chunk that goes on": (b"\r\n0\r\n\r\n", b"xx0\r\n\r\n"),
    "bytes left": (b"0\r\n\r\n", b"0\r\n\r\nH"),
    "size with LF": (b"8\r\n", b"8\n"),
    "another coding": (b": chunked", b": gzip"),
    "two codings": (b": chunked", b": gzip, chunked"),
    "capitals": (b": chunked", b": Chunked"),
}
ROWS = {
    **{name: (LENGTH, data) for name, data in ODD.items()},
    **{f"chunked: {name}": (CHUNKED, CHUNKED.replace(*row)) for name, row in CHUNKS.items()},
}


@pytest.mark.parametrize("name", ROWS)
def test_whatever_else_comes_is_the_parsers_from_its_first_byte(name: str) -> None:
    first, second = ROWS[name]
    line, fresh = learned(first), Line()
    assert told(line, second) == told(fresh, second)
    assert not is_taken(line)


@pytest.mark.parametrize("name", ROWS)
def test_an_odd_head_makes_no_layout_or_one_for_its_like(name: str) -> None:
    line, fresh = Line(), Line()
    data = ROWS[name][1]
    told(line, data)
    if not (line.is_complete and line.is_reusable):
        return
    assert told(line, data) == told(fresh, data)


UNFIT = {
    "an empty value": changed(b"req-1", b""),
    "an empty value that is steady": changed(b"s/1.0", b""),
    "a space at the end of one that is steady": changed(b"s/1.0", b"s/1.0 "),
    "two spaces before one that is steady": changed(b"s/1.0", b" s/1.0"),
    "a tab in one that is steady": changed(b"s/1.0", b"s\t1.0"),
    "no space, of one that is steady": changed(b": s/1.0", b":s/1.0"),
    "two lengths": ODD["two lengths"],
    "both framings": ODD["chunked and a length"],
    "neither": ODD["no length"],
    "two of connection": changed(b"X-Request-Id: req-1", b"connection: keep-alive"),
    "keep-alive": ODD["keep-alive"],
    "upgrade": changed(b"X-Request-Id: req-1", b"upgrade: h2c"),
    "trailers announced": changed(b"X-Request-Id: req-1", b"trailer: x"),
    "an odd connection": changed(b"keep-alive", b"keep-alive, x"),
    "a head without end": LENGTH[:60],
    "a name that is none": changed(b"X-Request-Id", b"X Request"),
    "no name": changed(b"X-Request-Id: ", b": "),
    "another status": ODD["another status"],
    "HTTP/1.0": ODD["HTTP/1.0"],
    "too many headers": OK + b"a: b\r\n" * MOST + b"content-length: 0\r\n\r\n",
    "too long a reason": changed(b" OK", b" " + b"x" * WIDEST),
    "too long a name": changed(b"X-Request-Id", b"x" * WIDEST),
    "too long a value that is steady": changed(b"s/1.0", b"s" * WIDEST),
    "too long a head": ODD["a longer head than is looked at"],
    "too long a body": LENGTH + b"x",
}


@pytest.mark.parametrize("name", UNFIT)
def test_no_layout_is_made_of(name: str) -> None:
    assert find_layout(UNFIT[name]) is None


def test_names_may_have_letters_that_mean_something_to_a_pattern() -> None:
    data = OK + b"!#$%&'*+-.^_`|~09aZ: .*\r\ncontent-length: 0\r\n\r\n"
    layout = find_layout(data)
    assert layout is not None
    read = layout.read(data)
    assert read is not None
    assert by_name(read[0])[0] == (b"!#$%&'*+-.^_`|~09az", b".*")
    assert layout.read(data.replace(b"!#", b"##")) is None


def test_connections_share_what_was_compiled() -> None:
    again = LENGTH.replace(b"req-1", b"req-2")
    first, second = find_layout(LENGTH), find_layout(again)
    assert isinstance(first, Layout)
    assert first is second


# --- When it is not tried ----------------------------------------------------------------------


def test_an_answer_to_head_a_bounded_body_and_a_forwarded_answer_are_the_parsers() -> None:
    line = learned(LENGTH)
    line.play(LENGTH.removesuffix(BODY), is_head=True)
    assert not is_taken(line)
    for line in (Line(Limits(body_bytes=1000)), Line(proxy="http://proxy:1")):
        for _ in range(3):
            line.play(LENGTH)
            assert not is_taken(line)


@pytest.mark.parametrize("limits", [Limits(head_bytes=LONGEST - 1), Limits(header_count=MOST - 1)])
def test_where_limits_are_narrow_they_are_the_parsers_to_keep(limits: Limits) -> None:
    line = Line(limits)
    for _ in range(3):
        line.play(LENGTH)
        assert not is_taken(line)


def test_after_head_the_next_answer_is_taken_again() -> None:
    line = learned(LENGTH)
    line.play(LENGTH.removesuffix(BODY), is_head=True)
    assert line.play(LENGTH).answer[1] == BODY
    assert is_taken(line)
    line.play(LENGTH[:20], LENGTH[20:])
    assert line.is_reusable


def test_an_answer_to_head_that_looks_whole_is_none() -> None:
    empty = LENGTH.replace(b": 8\r\n", b": 0\r\n").removesuffix(BODY)
    line = learned(LENGTH)
    line.play(empty, is_head=True)
    assert (is_taken(line), line.is_complete, line.is_reusable) == (False, True, True)
    assert line.play(LENGTH[:20], LENGTH[20:]).answer[1] == BODY
    line = learned(LENGTH)
    line.play(LENGTH, is_head=True)
    assert (is_taken(line), line.is_complete, line.is_reusable) == (False, True, False)


INSIDE = OK + b"content-length: 1\r\n\r\na"


def test_what_looks_like_an_answer_inside_a_head_is_not_one() -> None:
    for line in (Line(), learned(INSIDE)):
        page = line.play(OK + b"x: ", INSIDE)
        assert not is_taken(line)
        assert page.answer == (
            [(200, [(b"content-length", b"1"), (b"x", b"HTTP/1.1 200 OK")])],
            b"a",
        )


def test_nothing_is_learned_from_it_either() -> None:
    line = Line()
    line.play(OK + b"x: ", INSIDE)
    line.play(INSIDE)
    assert not is_taken(line)


def test_the_parser_takes_over_at_any_answer() -> None:
    line = learned(LENGTH)
    packed = gzip.compress(BODY)
    zipped = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed
    for data in (LENGTH, zipped, LENGTH, CHUNKED, CHUNKED, LENGTH, LENGTH[:-1] + b"]"):
        page = line.play(data)
        assert page.answer[1] in (BODY, b'{"a": 1]')
        assert line.is_reusable


def test_errors_do_not_displace_what_is_known() -> None:
    line = learned(LENGTH)
    for _ in range(2 * TRIES):
        line.play(ODD["an error"])
        assert not is_taken(line)
    line.play(LENGTH)
    assert is_taken(line)


def test_errors_do_not_use_up_the_tries() -> None:
    line = Line()
    for _ in range(2 * TRIES):
        line.play(ODD["an error"])
    line.play(LENGTH)
    line.play(LENGTH)
    assert is_taken(line)


def test_after_some_layouts_that_never_fit_no_more_are_made() -> None:
    line = Line()
    heads = [LENGTH.replace(b"X-Request-Id", b"x-%d" % number) for number in range(TRIES + 1)]
    for head in heads:
        line.play(head)
        assert not is_taken(line)
    line.play(heads[-1])
    assert not is_taken(line)
    line.play(heads[-2])
    assert is_taken(line)


def test_one_that_fits_allows_new_ones() -> None:
    line = Line()
    for number in range(3 * TRIES):
        head = LENGTH.replace(b"X-Request-Id", b"x-%d" % number)
        line.play(head)
        line.play(head)
        assert is_taken(line)


def test_bytes_behind_a_whole_answer_spoil_the_connection() -> None:
    line = learned(LENGTH)
    line.play(LENGTH)
    assert is_taken(line)
    line.data_received(b"HTTP/1.1 200")
    assert not line.is_reusable


# --- What receivers do -------------------------------------------------------------------------

FAILURES = [KeyError("x"), UpstreamGarbled("not an event"), KeyboardInterrupt()]


@pytest.mark.parametrize("error", FAILURES, ids=repr)
@pytest.mark.parametrize("where", ["response", "chunk"])
def test_a_receiver_that_raises_ends_as_with_the_parser(error: BaseException, where: str) -> None:
    def fail(name: str) -> None:
        if name == where:
            raise error

    outcomes: list[Any] = []
    for line in (learned(LENGTH), Line()):
        page = Page(fail)
        with pytest.raises((ReceiverFailed, UpstreamGarbled, KeyboardInterrupt)) as caught:
            line.play(LENGTH, page=page)
        assert caught.value is error or caught.value.__cause__ is error
        outcomes.append((caught.type, page.calls, line.is_complete))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("size", [8, 70_000])
def test_what_is_discarded_at_its_head_goes_nowhere(size: int) -> None:
    """And a body longer than is worth reading away is an error then."""
    data = changed(b": 8\r", b": %d\r" % size).removesuffix(BODY) + b"x" * size
    outcomes: list[Any] = []
    for line in (learned(LENGTH), Line()):
        page = Page(lambda name, line=line: line.discard())  # type: ignore[misc]
        try:
            line.play(data, page=page)
            outcomes.append((page.calls, line.is_complete, line.is_reusable, None))
        except UpstreamGarbled as error:
            outcomes.append((page.calls, line.is_complete, line.is_reusable, error.code))
    assert outcomes[0] == outcomes[1]
    assert [call[0] for call in outcomes[0][0]] == ["response"]


def test_the_time_is_that_of_the_read() -> None:
    line = learned(LENGTH)
    line._clock = time.monotonic
    before = time.monotonic()
    page = line.play(LENGTH)
    assert is_taken(line)
    assert {call[-1] for call in page.calls} == {line.now}
    assert before <= line.now <= time.monotonic()


# --- Over sockets ------------------------------------------------------------------------------


def fail(_: Any) -> None:
    raise KeyError("ours")


ACTS: dict[str, Callable[[Any], None]] = {
    "cancel": lambda sending: sending.cancel(),
    "finish": lambda sending: sending.finish(),
    "pause": lambda sending: sending.pause(),
    "fail": fail,
}


async def second_of_three(reply: Reply, where: str, act: str) -> tuple[Any, ...]:
    """How it goes with one whose receiver does that, there; and how with the one behind it."""
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: complaints.append(type(context.get("exception")))
    )
    async with (
        ScriptedServer([answer(b"1"), reply, answer(b"3")]) as server,
        checked_transport() as transport,
    ):
        await fetch(transport, server.url)
        taker = Taker(lambda name: ACTS[act](sending) if name == where else None)
        sending = transport.send(request(server.url), QUICK, taker)
        await until(lambda: where in taker.log and not transport.stats[0].active)
        last = await fetch(transport, server.url)
        fault = taker.error and taker.fault
        return taker.log, taker.body, fault, complaints, last.body, server.connections


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("where", ["response", "chunk"])
def test_whatever_a_receiver_does_comes_to_the_same(
    run: Run, monkeypatch: pytest.MonkeyPatch, where: str, act: str
) -> None:
    parsed: list[bytes] = []
    parse = Exchange._parse_head
    monkeypatch.setattr(
        Exchange, "_parse_head", lambda self, data: parsed.append(data) or parse(self, data)
    )
    data = answer(b"2")

    async def main() -> None:
        quick = await second_of_three(data, where, act)
        assert data not in parsed
        slow = await second_of_three([data[:1], 0.02, data[1:]], where, act)
        assert data[1:] in parsed
        assert quick == slow

    run(main())


def test_a_request_that_is_sent_at_the_end_has_the_connection(run: Run) -> None:
    async def main() -> None:
        replies = [answer(b"1"), answer(b"22"), chunked(b"3"), chunked(b"44"), answer(b"5")]
        async with ScriptedServer(replies) as server, checked_transport() as transport:
            takers: list[Taker] = []

            def send(name: str = "end") -> None:
                if name == "end" and len(takers) < len(replies):
                    takers.append(Taker(send))
                    transport.send(request(server.url), QUICK, takers[-1])

            send()
            await until(lambda: len(takers) == len(replies) and takers[-1].over.is_set())
            assert [taker.body for taker in takers] == [b"1", b"22", b"3", b"44", b"5"]
            assert {tuple(taker.log) for taker in takers} == {("sent", "response", "chunk", "end")}
            assert server.connections == 1

    run(main())


# --- The parser as judge -----------------------------------------------------------------------

HEADS = sorted({recording.headers for recording in recordings() if recording.headers})
OWN = (b"content-length", b"transfer-encoding", b"content-encoding")


@pytest.mark.parametrize("framing", ["length", "chunk"])
def test_recorded_heads_read_as_the_parser_reads_them(framing: str) -> None:
    assert HEADS
    taken = 0
    for headers in HEADS:
        lines = b"".join(b"%b: %b\r\n" % pair for pair in headers if pair[0] not in OWN)
        body = b'{"b":"' + b"x" * len(lines) + b'"}'
        size = len(body)
        data = {
            "length": OK + lines + b"Content-Length: %d\r\n\r\n%b" % (size, body),
            "chunk": OK
            + lines
            + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, body),
        }[framing]
        line, fresh = learned(data), Line()
        quick = told(line, data)
        assert quick == told(fresh, data)
        assert quick == told(fresh, *(data[at : at + 1] for at in range(len(data))))
        assert quick[0][1] == body
        taken += is_taken(line)
    assert taken > len(HEADS) * 0.9


SHAPES = [LENGTH, CHUNKED, OK + b"content-length: 3\r\n\r\nabc", ODD["keep-alive"]]
SPLICES = st.one_of(
    st.binary(max_size=3),
    st.sampled_from([b"\r\n", b"\n", b"\r", b" ", b": ", b"0", b"8", b"a: b\r\n", b"\x00", b"\r\n ",
        b"\r\ncontent-length: 8", b"\r\ntransfer-encoding: chunked", b"\r\nconnection: close",
        b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n"]),
)  # fmt: skip


@settings(max_examples=400)
@given(
    shape=st.sampled_from(SHAPES),
    edits=st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 12), SPLICES), min_size=0, max_size=3
    ),
)
@example(shape=LENGTH, edits=[])
def test_what_is_taken_the_parser_takes_alike(
    shape: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    data = shape
    for at, length, new in edits:
        at %= len(data) + 1
        data = data[:at] + new + data[at + length :]
    if not data:
        return
    line, other = learned(shape), learned(shape)
    assert told(line, data) == told(other, data[:1], data[1:])
    assert not is_taken(other)
    # And what it makes of others, should it have taken that for their model:
    if line.is_complete and line.is_reusable and other.is_reusable:
        for again in (shape, data):
            assert told(line, again) == told(other, again[:1], again[1:])
