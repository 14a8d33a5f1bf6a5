"""What the cache of request heads learns, and that connections behave the same without it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.dialects.base import ClientRequest
from headway.policy.request_headers import read_facts
from headway.server import routes
from headway.server.http.request_head_cache import COUNT_LIMIT, HEAD_LIMIT, RequestHeadCache
from server.http.connection import LIMIT, Connection, EmptyCache, FakeLoop, fake_calls
from server.http.requests import FIRST, HOST, LENGTH, PATH, request
from server.http.test_smuggling import BODY, TABLES
from support.for_each import for_each

FOUND = (routes.ENGINE, "echo", "")
KEY = b"authorization: Bearer sk-one"


# --- What is learned ------------------------------------------------------------------------------


def learned(head: bytes, headers: list[tuple[bytes, bytes]], url: bytes = PATH) -> RequestHeadCache:
    """``head`` has its digits between angle brackets."""
    digits = head.partition(b"<")[2].partition(b">")[0]
    cache = RequestHeadCache()
    cache.learn(
        head.replace(b"<", b"").replace(b">", b"") + b"x" * int(digits), url, headers, FOUND
    )
    return cache


PLAIN = FIRST + b"\r\nHost: a\r\nContent-Length: <12>\r\nX:  b\r\n\r\n"
READ = [(b"host", b"a"), (b"content-length", b"12"), (b"x", b"b")]


def test_a_head_is_found_again_with_other_digits_and_another_body() -> None:
    cache = learned(PLAIN, READ)
    for body in (b"", b"short", b"x" * 12, b"long" * 300):
        data = PLAIN.replace(b"<12>", b"%d" % len(body)) + body
        headers = [(b"host", b"a"), (b"content-length", b"%d" % len(body)), (b"x", b"b")]
        assert cache.lookup(data) == (FOUND, read_facts(headers, ""), headers, body)
    assert cache.lookup(PLAIN.replace(b"<12>", b"3") + b"four") is None
    assert cache.lookup(PLAIN.replace(b"<12>", b"04") + b"four") is None
    assert cache.lookup(PLAIN.replace(b"<12>", b"4").replace(b"b", b"c") + b"four") is None
    assert RequestHeadCache().lookup(PLAIN.replace(b"<12>", b"4") + b"four") is None


def test_a_head_is_learned_only_from_a_whole_request() -> None:
    for body in (b"x" * 11, b"x" * 13):
        cache = RequestHeadCache()
        cache.learn(PLAIN.replace(b"<12>", b"12") + body, PATH, READ, FOUND)
        assert len(cache) == 0


@for_each(
    ("head", "headers", "url"),
    [
        (PLAIN, READ[:2], PATH),
        (PLAIN, [*READ, (b"y", b"z")], PATH),
        (PLAIN, [*READ[:2], (b"x", b"c")], PATH),
        (PLAIN, [READ[0], (b"content-length", b"13"), READ[2]], PATH),
        (PLAIN, READ, PATH + b"x"),
        (PLAIN.replace(b"POST", b"PUT"), READ, PATH),
        (PLAIN.replace(b"1.1", b"1.0"), READ, PATH),
        (PLAIN.replace(b"X:  b", b"X: b\r\n c"), READ, PATH),
        (PLAIN.replace(b"\r\nX", b"\nX"), READ, PATH),
        (b"\r\n" + PLAIN, READ, PATH),
        (PLAIN.replace(b"Content", b"X-Content"), READ, PATH),
        (FIRST + b"\r\nStrength: <12>\r\nContent-Length: 12\r\n\r\n", READ, PATH),
    ],
    ids=[
        "a line too many",
        "a header too many",
        "another value",
        "another length",
        "another address",
        "another method",
        "another version",
        "a folded line",
        "an odd end of line",
        "an empty line before",
        "a name that only ends alike",
        "another header's digits",
    ],
)
def test_a_head_that_the_parser_and_a_naive_split_read_differently_is_not_learned(
    head: bytes, headers: list[tuple[bytes, bytes]], url: bytes
) -> None:
    assert len(learned(head, headers, url)) == 0


def test_a_head_over_the_size_limit_is_not_learned() -> None:
    long = b"a" * (HEAD_LIMIT - len(PLAIN) + 5)
    for value, count in ((long, 1), (long + b"a", 0)):
        cache = learned(PLAIN.replace(b"b\r\n", value + b"\r\n"), [*READ[:2], (b"x", value)])
        assert len(cache) == count


# --- One connection ------------------------------------------------------------------------------


@for_each("name", TABLES)
def test_invalid_requests_are_also_refused_after_cached_heads(name: str) -> None:
    with fake_calls():
        known, plain = Connection(RequestHeadCache()), Connection(EmptyCache())
        for connection in (known, plain):
            for _ in range(3):
                connection.read(request(HOST, LENGTH, body=BODY, first=FIRST))
                connection.answer()
            connection.read(TABLES[name][0] + PLAIN_REQUEST)
            connection.read(PLAIN_REQUEST)
        assert known.observable_state() == plain.observable_state()
        assert len(known.calls) == 3
        assert not known.protocol.is_at_rest


HEADS = [
    (HOST, LENGTH, KEY),
    (HOST, b"Content-Length: %d"),
    (b"Origin: https://page.example", HOST, LENGTH),
    (HOST, KEY, b"connection: keep-alive", LENGTH),
]
PLAIN_REQUEST = request(HOST, LENGTH, KEY, body=b"now 1")


def test_the_third_request_with_one_head_skips_the_parser() -> None:
    with fake_calls():
        connection = Connection(RequestHeadCache())
        for body in (b"now 1", b"now 2"):
            assert len(connection.protocol._head_cache) == 0
            connection.read(request(HOST, LENGTH, KEY, body=body))
        assert len(connection.protocol._head_cache) == 1
        connection.protocol.parser = None  # type: ignore[assignment]
        for body in (b"", b"now " * 300):
            connection.read(request(HOST, LENGTH, KEY, body=body))
            connection.answer()
            length = (b"content-length", b"%d" % len(body))
            expected = [(b"host", b"here"), length, (b"authorization", b"Bearer sk-one")]
            facts = read_facts(expected, "")
            known = ClientRequest("echo", expected, body, facts=facts)
            assert connection.calls[-1].request == known
        assert len(connection.transport.out) == 4


def test_the_cache_is_switched_off_for_a_client_that_sends_only_new_heads() -> None:
    with fake_calls():
        connection = Connection(RequestHeadCache())
        connection.read(PLAIN_REQUEST)
        for number in range(COUNT_LIMIT):
            connection.read(request(HOST, b"x: %03d" % number, LENGTH, body=b"now"))
            assert len(connection.protocol._head_cache) == number + 1
        for number in range(COUNT_LIMIT):
            connection.read(request(HOST, b"y: %03d" % number, LENGTH, body=b"now"))
            assert len(connection.protocol._head_cache) == 0
        assert len(connection.calls) == 1 + 2 * COUNT_LIMIT


def test_no_two_requests_share_a_list_of_headers() -> None:
    with fake_calls():
        connection = Connection(RequestHeadCache())
        for _ in range(5):
            connection.read(PLAIN_REQUEST)
            connection.calls[-1].request.headers.clear()  # type: ignore[attr-defined]
            connection.read(PLAIN_REQUEST)
            assert len(connection.calls[-1].request.headers) == 3


NOT_PLAIN: dict[str, bytes] = {
    "a close": request(HOST, LENGTH, b"connection: close", body=b"later"),
    "HTTP/1.0": request(HOST, LENGTH, first=b"POST %b HTTP/1.0" % PATH, body=b"later"),
    "chunks": request(HOST, b"transfer-encoding: chunked", body=b"3\r\nnow\r\n0\r\n\r\n"),
    "a question": request(HOST, LENGTH, b"expect: 100-continue", body=b"now"),
    "another route": request(HOST, LENGTH, first=b"POST /nowhere HTTP/1.1", body=b"now"),
    "an odd space": request(HOST, b"content-length:%d", body=b"now"),
    "leading zeros": request(HOST, b"content-length: 00%d", body=b"now"),
    "two requests": PLAIN_REQUEST * 2,
    "an empty line before": b"\r\n" + PLAIN_REQUEST,
    "half a request": PLAIN_REQUEST[:-1],
    "half a head": PLAIN_REQUEST[:30],
    "an offer to upgrade": request(
        HOST, LENGTH, b"connection: upgrade", b"upgrade: h2c", body=b"now"
    ),
    "a refusal": request(HOST, LENGTH, LENGTH, body=b"now"),
    "too much": request(HOST, b"content-length: %d" % LIMIT + b"0", body=b"now"),
}


@pytest.fixture
def used() -> Iterator[Connection]:
    """A connection that knows one head."""
    with fake_calls():
        connection = Connection(RequestHeadCache())
        for _ in range(2):
            connection.read(PLAIN_REQUEST)
        yield connection


@pytest.mark.parametrize("digits", [b"2", b"4", b"03", b"+3", b" 3", b"3 ", b"", b"3a", b"a"])
def test_a_cached_head_whose_digits_do_not_match_the_body_goes_to_the_parser(
    used: Connection, digits: bytes
) -> None:
    data = request(HOST, b"content-length: " + digits, KEY, body=b"now")
    other = Connection(EmptyCache())
    for connection in (used, other):
        connection.read(data)
        connection.read(data)
    assert used.transport.out[2:] == other.transport.out
    assert [each.request for each in used.calls[2:]] == [each.request for each in other.calls]


def test_a_request_with_a_cached_head_waits_for_its_turn(used: Connection) -> None:
    for body in (b"later 1", b"later 2", b"later 3"):
        used.read(request(HOST, LENGTH, KEY, body=body))
        assert len(used.calls) == 3
    for count in (4, 5, 5):
        used.answer()
        used.loop.run()
        used.loop.run()
        assert len(used.calls) == count
    assert used.transport.out[-1].endswith(b"later 3")


def test_requests_in_one_read_get_responses_one_by_one(used: Connection) -> None:
    bodies = [b"later %d" % number for number in range(3)]
    used.read(b"".join(request(HOST, LENGTH, KEY, body=body) for body in bodies))
    for body in bodies:
        assert used.calls[-1].request.body == body
        used.answer()
    used.protocol.parser = None  # type: ignore[assignment]
    used.read(PLAIN_REQUEST)
    assert len(used.transport.out) == 6


def test_a_client_that_leaves_a_request_with_a_cached_head_is_noticed(used: Connection) -> None:
    used.read(request(HOST, LENGTH, KEY, body=b"later"))
    gone: list[bool] = []
    used.calls[-1].sink.on_gone = lambda: gone.append(True)
    used.transport.close = lambda: None  # type: ignore[method-assign] # it would keep what is written
    used.protocol.connection_lost(None)
    assert gone == [True]
    used.calls[-1].answer()
    used.calls[-1].sink.write(b"more")
    used.calls[-1].sink.end()
    assert len(used.transport.out) == 2


def test_the_timeout_starts_again_with_each_request_with_a_cached_head(used: Connection) -> None:
    for body in (b"now", b"later", b"now"):
        used.tick()
        used.tick()
        used.read(request(HOST, LENGTH, KEY, body=body))
        if body == b"later":
            for _ in range(9):
                used.tick()
            used.answer()
    used.tick()
    used.tick()
    assert not used.transport.closing
    used.tick()
    assert used.transport.closing


def test_paused_reading_resumes_after_the_response(used: Connection) -> None:
    used.read(request(HOST, LENGTH, KEY, body=b"later"))
    used.protocol.flow.pause_reading()
    used.answer()
    assert not used.protocol.flow.read_paused
    used.read(request(HOST, LENGTH, KEY, body=b"later"))
    used.protocol.flow.pause_reading()
    used.read(PLAIN_REQUEST)
    assert len(used.calls) == 4
    used.answer()
    used.loop.run()
    assert len(used.calls) == 5


def test_held_bytes_are_read_before_later_bytes() -> None:
    with fake_calls():
        connection = Connection(RequestHeadCache())
        for body in (b"now", b"now", b"later"):
            connection.read(request(*HEADS[0], body=body))
        connection.read(request(*HEADS[0], body=b"now 1"))
        connection.read(request(*HEADS[0], body=b"now 2"))
        connection.answer()
        connection.read(request(*HEADS[0], body=b"now 3"))
        connection.loop.run()
        assert [each.request.body[-1:] for each in connection.calls[3:]] == [b"1", b"2", b"3"]


def test_bytes_like_a_cached_request_inside_another_request_are_not_one() -> None:
    with fake_calls():
        connection = Connection(RequestHeadCache())
        for body in (b"now", b"now", b"later"):
            connection.read(request(*HEADS[0], body=body))
        connection.read(b"GET / HTTP/1.1\r\nx: ")
        connection.answer()
        connection.read(PLAIN_REQUEST)
        assert len(connection.calls) == 3
        other = Connection(RequestHeadCache())
        for body in (b"now", b"now"):
            other.read(request(*HEADS[0], body=body))
        other.read(request(HOST, b"content-length: 200", body=b"now"))
        other.read(PLAIN_REQUEST)
        assert len(other.calls) == 2


@for_each("name", NOT_PLAIN)
def test_only_whole_plain_requests_are_learned(name: str) -> None:
    class Tasks(FakeLoop):
        def create_task(self, work: Any) -> Any:
            work.close()
            return SimpleNamespace(add_done_callback=lambda call: None)

    with fake_calls():
        connection = Connection(RequestHeadCache(), Tasks())
        connection.read(request(HOST, b"x: y", LENGTH, body=b"now"))
        connection.read(NOT_PLAIN[name])
        assert len(connection.protocol._head_cache) == 0


BODIES = [b"now", b"now 2", b"later", b"now stream", b"stream", b"now bad", b"", b"now" * 600]
ODD = [
    *NOT_PLAIN.values(),
    request(HOST, b"content-length: 4", KEY, body=b"now"),
    request(HOST, b"content-length: 2", KEY, body=b"now"),
    request(HOST, b"content-length: +3", KEY, body=b"now"),
    request(HOST, b"content-length: 3 ", KEY, body=b"now"),
    request(HOST, b"content-length: ", KEY, body=b""),
    request(HOST, LENGTH, KEY, b"transfer-encoding: chunked", body=b"now"),
    request(HOST, LENGTH, KEY, body=b"now").replace(b"one\r\n", b"one\n"),
    b"rubbish\r\n\r\n",
]
ODD = [each for each in ODD if b"/nowhere" not in each]  # what uvicorn does needs an event loop
SOON = st.sampled_from([body for body in BODIES if body.startswith(b"now")])
KNOWN = st.builds(lambda head, body: request(*head, body=body), st.sampled_from(HEADS[:2]), SOON)
ANY = st.builds(
    lambda head, body: request(*head, body=body), st.sampled_from(HEADS), st.sampled_from(BODIES)
)
MESSAGE = st.one_of(KNOWN, ANY, ANY, st.sampled_from(ODD))


@st.composite
def reads(draw: st.DrawFn) -> list[bytes]:
    """Some requests at once, whole or cut in two."""
    data = b"".join(draw(st.lists(MESSAGE, min_size=1, max_size=3)))
    cut = draw(st.integers(0, len(data)))
    return [part for part in (data[:cut], data[cut:]) if part]


WHOLE = st.lists(KNOWN, min_size=1, max_size=1)
STEP = st.one_of(WHOLE, WHOLE, WHOLE, reads(), st.sampled_from(("answer", "turn", "tick")))


@given(st.lists(STEP, min_size=5, max_size=15))
def test_a_connection_behaves_the_same_with_and_without_the_cache(
    steps: list[list[bytes] | str],
) -> None:
    with fake_calls():
        known, plain = Connection(RequestHeadCache()), Connection(EmptyCache())
        for head in (*HEADS[:2], *HEADS[:2]):
            for connection in (known, plain):
                connection.read(request(*head, body=b"now"))
        for step in steps:
            for connection in (known, plain):
                if step == "answer":
                    connection.answer()
                elif step == "turn":
                    connection.loop.run()
                elif step == "tick":
                    connection.tick()
                else:
                    for data in step:
                        connection.read(data)  # type: ignore[arg-type]
            assert known.observable_state() == plain.observable_state()
        for connection in (known, plain):
            connection.protocol.connection_lost(None)
        gone = [each.sink.disconnected for each in known.calls]  # type: ignore[attr-defined]
        assert gone == [each.sink.disconnected for each in plain.calls]  # type: ignore[attr-defined]
