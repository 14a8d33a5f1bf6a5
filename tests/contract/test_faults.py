"""Every way in which a provider's socket can misbehave, through the whole gateway: the right error
in the client's dialect and in time, a truthful record, and nothing left behind.

The provider is a script (tests/support/scripted_server.py); the callers are the five ways to ask.
Descriptors are those of the server's process. The transport's own view is in tests/transport.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from contract.shapes import checked_error, error_of, ndjson_pieces, ok, sse_pieces
from support.for_each import for_each
from support.gateway_process import SERVER_KEY, Gateway
from support.openai_completions import DONE, finish, join_chunks, role, text, usage
from support.openai_upstream import sse_event
from support.raw_client import Stream
from support.scripted_server import Received, Step, ThreadedServer
from support.waiting import until

IN_TIME_S = 50.0
"""No fault here takes longer than ``total`` below; the rest is the machine's. With the timeouts
that are not set here, a fault that hangs would take minutes."""
TIMEOUTS = {"connect": 1.0, "first_byte": 0.5, "idle": 0.5, "total": 1.5}

# --- Who asks -------------------------------------------------------------------------------------


def engine(gateway: Gateway, provider: str, accept: str | None) -> Stream:
    headers = None if accept is None else {"accept": accept}
    return gateway.open(provider, headers, is_stream=accept is not None)


def openai(gateway: Gateway, provider: str, accept: str | None) -> Stream:
    messages = [{"role": "user", "content": "Hello"}]
    body = {"model": f"{provider}/gpt-4o", "messages": messages, "stream": accept is not None}
    return gateway.client.open("POST", "/v1/chat/completions", body)


Caller = tuple[Callable[..., Stream], str | None]
CALLERS: dict[str, Caller] = {
    "engine, whole": (engine, None),
    "engine, lines": (engine, "application/x-ndjson"),
    "engine, events": (engine, "text/event-stream"),
    "openai, whole": (openai, None),
    "openai, events": (openai, "text/event-stream"),
}


def ask(gateway: Gateway, provider: str, caller: str) -> tuple[int, dict[str, Any]]:
    """The status and the error: the answer's own, or the last object of its stream."""
    call, accept = CALLERS[caller]
    with call(gateway, provider, accept) as stream:
        stream.read_head()
        if stream.status != 200:
            return stream.status, error_of(stream.reply(), stream.status)
        assert accept is not None, stream.reply()
        read = ndjson_pieces if accept.endswith("ndjson") else sse_pieces
        *good, last = [piece.object for piece in read(stream)]
        assert stream.complete
        assert not [one for one in good if "error" in one]
        return 200, checked_error(last)


@dataclass
class Faulty(Gateway):
    """A gateway that knows how many descriptors it keeps: one connection to the provider among
    them, which a fault closes and a good answer opens again."""

    kept: int = 0


# --- The provider ---------------------------------------------------------------------------------


class Script:
    """What the scripted provider answers now. A caller that wants no stream from it (only
    ``/v1`` without ``stream`` is relayed as it is) gets the same fault in a JSON body."""

    def __init__(self) -> None:
        self.streamed: Sequence[Step] = ()
        self.whole: Sequence[Step] = ()

    def play(self, streamed: Sequence[Step], whole: Sequence[Step] | None = None) -> None:
        self.streamed = streamed
        self.whole = streamed if whole is None else whole

    def __call__(self, request: Received) -> Sequence[Step]:
        wants = bool(request.body) and json.loads(request.body).get("stream")
        return self.streamed if wants else self.whole


@pytest.fixture(scope="module")
def script() -> Script:
    return Script()


@pytest.fixture(scope="module")
def provider(script: Script) -> Iterator[ThreadedServer]:
    with ThreadedServer([script]) as server:
        yield server


@pytest.fixture(scope="module")
def faulty(
    tmp_path_factory: pytest.TempPathFactory, provider: ThreadedServer, script: Script
) -> Iterator[Faulty]:
    """A gateway with short timeouts, and one request served: what it keeps open is open."""
    base_url = f"{provider.url}/v1"
    config = {
        "timeouts": TIMEOUTS,
        "providers": {
            "openai": {"kind": "openai", "base_url": base_url, "api_key": SERVER_KEY},
            "refused": {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"},
            "nowhere": {"kind": "openai", "base_url": "http://host.invalid/v1"},
            "no tls": {"kind": "openai", "base_url": base_url.replace("http:", "https:")},
            "proxied": {
                "kind": "openai",
                "base_url": "http://provider.example/v1",
                "proxy": provider.url,
            },
            "tunnelled": {
                "kind": "openai",
                "base_url": "https://provider.example/v1",
                "proxy": provider.url,
            },
        },
    }
    config["providers"] = {n.replace(" ", "-"): p for n, p in config["providers"].items()}  # type: ignore[attr-defined]
    gateway = Faulty.start(tmp_path_factory.mktemp("faulty"), config)
    script.play([BEGUN, chunk(sse_event(finish())) + LAST])
    assert ok(gateway.chat())["metrics"]["tokens_source"] == "counted"  # by a process of its own
    assert isinstance(gateway, Faulty)
    gateway.kept = gateway.count_descriptors()
    yield gateway
    gateway.stop()
    assert "Traceback" not in "".join(gateway.output)
    assert "never retrieved" not in "".join(gateway.output)


# --- Bytes ----------------------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"
EVENTS = b"content-type: text/event-stream\r\n"
JSON = b"content-type: application/json\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(piece: str) -> bytes:
    return sse_event(text(piece))


ENDING = (finish(), usage())
GOOD_EVENTS = b"".join(map(sse_event, (role(), text("Hello"), *ENDING))) + DONE
GOOD = [OK + EVENTS + CHUNKED + chunk(GOOD_EVENTS) + LAST]
WHOLE = json.dumps(join_chunks([role(), text("Hello"), *ENDING])).encode()
WHOLE_GOOD = [OK + JSON + CHUNKED + chunk(WHOLE) + LAST]
BEGUN = OK + EVENTS + CHUNKED + chunk(sse_event(role()) + event("Hello"))
WHOLE_BEGUN = OK + JSON + CHUNKED + chunk(WHOLE[:20])
SLOWLY: list[Step] = [step for _ in range(40) for step in (b"x", 0.1)]

BROKEN = (502, "connection_error")
NOT_HTTP = (502, "protocol_error")
TRUNCATED = (502, "truncated_stream")
LATE = (504, "timeout_error")

# --- Before anything of the answer is there -------------------------------------------------------

BEFORE: dict[str, tuple[Sequence[Step], tuple[int, str]]] = {
    "reset before headers": (["reset"], BROKEN),
    "closed before headers": (["close"], BROKEN),
    "half-closed before headers": (["half-close", "hang"], BROKEN),
    "reset within headers": ([OK, 0.02, "reset"], BROKEN),
    "closed within headers": ([OK, 0.02, "close"], BROKEN),
    "silence": (["hang"], LATE),
    "a header that never ends": ([OK + b"x: y", "hang"], LATE),
    "a header at a byte a while": ([OK + b"x: ", *SLOWLY], LATE),
    "headers without end": ([OK, *[b"x: " + b"y" * 4000 + b"\r\n"] * 40, "hang"], NOT_HTTP),
    "garbage": ([b"\x00\x01\x02 garbage\r\n\r\n", "hang"], NOT_HTTP),
    "another protocol": ([b"220 mail ESMTP\r\n", "hang"], NOT_HTTP),
    "both lengths": ([OK + b"content-length: 1\r\n" + CHUNKED, "hang"], NOT_HTTP),
    "another protocol by agreement": (
        [b"HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", "hang"], NOT_HTTP),
    "a bad chunk size": ([OK + EVENTS + CHUNKED + b"zz\r\n", "hang"], NOT_HTTP),
    "a coding that nobody knows": (
        [OK + EVENTS + b"content-encoding: lzma\r\ncontent-length: 1\r\n\r\na"], NOT_HTTP),
    "a redirect": (
        [b"HTTP/1.1 302 X\r\nlocation: http://x/\r\ncontent-length: 0\r\n\r\n"],
        (502, "provider_error")),
    "304": ([b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"], (502, "provider_error")),
}  # fmt: skip


@for_each("caller", CALLERS)
@for_each("name", BEFORE)
def test_a_fault_before_the_response_is_an_http_error(
    faulty: Faulty, script: Script, name: str, caller: str
) -> None:
    steps, (status, kind) = BEFORE[name]
    script.play(steps)
    with undisturbed(faulty, kind, status):
        assert summary(ask(faulty, "openai", caller)) == (status, kind, "openai")


def summary(answered: tuple[int, dict[str, Any]]) -> tuple[int, str, str]:
    status, error = answered
    return status, error["type"], error["provider"]


class undisturbed:
    """One request in time, one record that says what the caller heard, no descriptor more."""

    def __init__(self, gateway: Faulty, kind: str, status: int, attempts: int = 1) -> None:
        self.gateway = gateway
        self.wanted = ("error", kind, status, attempts)
        self.records = len(gateway.records())
        self.began = time.monotonic()

    def __enter__(self) -> None: ...

    def __exit__(self, *exc: object) -> None:
        if exc[0] is not None:
            return
        assert time.monotonic() - self.began < IN_TIME_S
        (record,) = self.gateway.records()[self.records :]
        found = (record["outcome"], record["error_type"], record["status"], record["attempts"])
        assert found == self.wanted
        until(lambda: self.gateway.count_descriptors() <= self.gateway.kept)


# --- In the middle of the answer ------------------------------------------------------------------

AFTER: dict[str, tuple[Sequence[Step], tuple[int, str]]] = {
    "reset": (["reset"], BROKEN),
    "reset in the middle of an event": ([chunk(b"data: {"), 0.02, "reset"], BROKEN),
    "closed in the middle of a chunk": ([b"99\r\ndata: {", "close"], BROKEN),
    "closed between chunks": (["close"], BROKEN),
    "half-closed": (["half-close", "hang"], BROKEN),
    "a bad chunk size": ([b"zz\r\n", "hang"], NOT_HTTP),
    "a chunk longer than it says": ([b"1\r\nabc\r\n", "hang"], NOT_HTTP),
    "silence": (["hang"], LATE),
    "a byte a while": ([b"ff\r\n", *SLOWLY], LATE),
    "trailers that never end": ([b"0\r\n", *[b"x: y\r\n" * 500] * 40, "hang"], NOT_HTTP),
}


@for_each("caller", CALLERS)
@for_each("name", AFTER)
def test_a_fault_after_the_first_event_is_the_streams_last_object(
    faulty: Faulty, script: Script, name: str, caller: str
) -> None:
    steps, (status, kind) = AFTER[name]
    script.play([BEGUN, 0.05, *steps], [WHOLE_BEGUN, 0.05, *steps])
    seen = status if CALLERS[caller][1] is None else 200
    with undisturbed(faulty, kind, seen):
        assert summary(ask(faulty, "openai", caller)) == (seen, kind, "openai")


EVENTS_GONE_WRONG: dict[str, tuple[bytes, tuple[int, str]]] = {
    "no finish": (b"", TRUNCATED),
    "a malformed event": (b"data: {not json\n\n", NOT_HTTP),
    "an event of another shape": (b'data: {"choices": 7}\n\n', TRUNCATED),
    "an event that is not closed": (b'data: {"id": "x"', NOT_HTTP),
    "a bare error": (
        b'error: {"message": "boom", "type": "server_error"}\n\n', (502, "provider_error")),
    "an error for data": (
        b'data: {"error": {"message": "boom", "type": "server_error"}}\n\n',
        (502, "provider_error")),
    "an error event": (
        b'event: error\ndata: {"error": {"message": "boom", "type": "server_error"}}\n\n',
        (502, "provider_error")),
}  # fmt: skip


@for_each("caller", [name for name in CALLERS if name != "openai, whole"])
@for_each("name", EVENTS_GONE_WRONG)
def test_malformed_events_are_an_error(
    faulty: Faulty, script: Script, name: str, caller: str
) -> None:
    data, (status, kind) = EVENTS_GONE_WRONG[name]
    script.play([BEGUN, 0.05, (chunk(data) if data else b"") + LAST])
    seen = status if CALLERS[caller][1] is None else 200
    with undisturbed(faulty, kind, seen):
        answered = ask(faulty, "openai", caller)
        assert summary(answered) == (seen, kind, "openai")
    if "error" in name:
        assert "boom" in answered[1]["message"]


@pytest.mark.parametrize("caller", CALLERS)
def test_a_body_shorter_than_its_content_length_is_a_truncated_response(
    faulty: Faulty, script: Script, caller: str
) -> None:
    short = sse_event(role()) + event("Hello")
    length = b"content-length: 5000\r\n\r\n"
    script.play([OK + EVENTS + length + short, "close"], [OK + JSON + length + WHOLE, "close"])
    seen = 502 if CALLERS[caller][1] is None else 200
    with undisturbed(faulty, "connection_error", seen):
        assert summary(ask(faulty, "openai", caller)) == (seen, "connection_error", "openai")


# --- On the way there -----------------------------------------------------------------------------

REFUSING = b"HTTP/1.1 407 X\r\ncontent-length: 0\r\n\r\n"
WAYS: dict[str, tuple[str, Sequence[Step], tuple[int, str]]] = {
    "refused": ("refused", (), BROKEN),
    "a name that nobody has": ("nowhere", (), BROKEN),
    "no answer to the TLS hello": ("no-tls", (), LATE),
    "a proxy that refuses a tunnel": ("tunnelled", [REFUSING], BROKEN),
    "a proxy that refuses": ("proxied", [REFUSING], BROKEN),
}


@for_each("caller", CALLERS)
@for_each("name", WAYS)
def test_an_unreachable_provider_is_reported(
    faulty: Faulty, script: Script, name: str, caller: str
) -> None:
    provider, steps, (status, kind) = WAYS[name]
    script.play(steps)
    with undisturbed(faulty, kind, status):
        assert summary(ask(faulty, provider, caller)) == (status, kind, provider)


def test_each_attempt_has_a_record_and_the_last_error_is_returned(
    faulty: Faulty, script: Script
) -> None:
    script.play([OK, "reset"])
    before = len(faulty.records())
    reply = faulty.chat(retries=2, headers=None)
    assert error_of(reply, 502)["type"] == "connection_error"
    records = faulty.records()[before:]
    assert [record["attempt"] for record in records] == [1, 2, 3]
    assert len({record["id"] for record in records}) == 3
    assert len({record["request_id"] for record in records}) == 1
    until(lambda: faulty.count_descriptors() <= faulty.kept)


# --- What is odd and nothing wrong ----------------------------------------------------------------


def answered(data: bytes) -> list[Step]:
    return [OK + EVENTS + CHUNKED + chunk(data) + LAST]


HELLO = [role(), text("Hello"), *ENDING]
FRAMED = b"".join(map(sse_event, HELLO))
FINE: dict[str, tuple[Sequence[Step], str]] = {
    "no [DONE]": (answered(FRAMED), "Hello"),
    "silence after [DONE]": (
        [BEGUN, chunk(b"".join(map(sse_event, ENDING)) + DONE), "hang"], "Hello"),
    "the connection's end as the stream's": (
        [OK + EVENTS + b"\r\n" + FRAMED + DONE, "close"], "Hello"),
    "HTTP/1.0": ([b"HTTP/1.0 200 OK\r\n" + EVENTS + b"\r\n" + FRAMED + DONE, "close"], "Hello"),
    "a reset after the last event": (
        [OK + EVENTS + CHUNKED + chunk(FRAMED + DONE), 0.02, "reset"], "Hello"),
    "100 Continue first": ([b"HTTP/1.1 100 Continue\r\n\r\n", 0.02, *GOOD], "Hello"),
    "103 Early Hints first": ([b"HTTP/1.1 103 X\r\nlink: x\r\n\r\n", 0.02, *GOOD], "Hello"),
    "lines ended by CRLF": (answered(FRAMED.replace(b"\n", b"\r\n") + DONE), "Hello"),
    "lines ended by CR": (answered(FRAMED.replace(b"\n", b"\r") + DONE), "Hello"),
    "lines ended by this and that": (
        answered(sse_event(role()).replace(b"\n", b"\r\n") + event("Hello")
                 + sse_event(finish())[:-1] + b"\r\n" + sse_event(usage()) + DONE), "Hello"),
    "comments": (answered(b": hi\n\n" + FRAMED.replace(b"\n\n", b"\n\n: x\n\n") + DONE), "Hello"),
    "events with names and ids": (
        answered(FRAMED.replace(b"data:", b"event: x\nid: 1\ndata:") + DONE), "Hello"),
    "a byte order mark": (answered(b"\xef\xbb\xbf" + FRAMED + DONE), "Hello"),
    "no space behind the colon": (answered(FRAMED.replace(b"data: ", b"data:") + DONE), "Hello"),
    "UTF-8 cut anywhere": (
        [OK + EVENTS + CHUNKED,
         *[chunk(bytes([byte])) for byte in event("\u00e9\u4f60\U0001f44b")],
         chunk(b"".join(map(sse_event, ENDING)) + DONE) + LAST], "\u00e9\u4f60\U0001f44b"),
    "a byte at a time": (
        [step for byte in OK + EVENTS + CHUNKED + chunk(FRAMED + DONE) + LAST
         for step in (bytes([byte]),)], "Hello"),
    "trailers": (
        [OK + EVENTS + CHUNKED + chunk(FRAMED + DONE) + b"0\r\nx: y\r\n\r\n"], "Hello"),
}  # fmt: skip


@for_each("caller", [name for name in CALLERS if name != "openai, whole"])
@for_each("name", FINE)
def test_unusual_but_valid_responses_are_served(
    faulty: Faulty, script: Script, name: str, caller: str
) -> None:
    steps, wanted = FINE[name]
    script.play(steps)
    assert said(faulty, caller) == wanted
    record = faulty.records()[-1]
    assert record["outcome"] == "ok"
    until(lambda: faulty.count_descriptors() <= faulty.kept)


def said(gateway: Gateway, caller: str) -> str:
    """The text of a good answer."""
    call, accept = CALLERS[caller]
    with call(gateway, "openai", accept) as stream:
        body = stream.read_head().read()
        assert (stream.status, stream.complete) == (200, True), body
    if call is engine and accept is None:
        return str(json.loads(body)["chat_output"])
    lines = body.replace(b"\r", b"\n").split(b"\n")
    datas = [line.removeprefix(b"data:").strip() for line in lines if b"{" in line]
    deltas = [choice["delta"] for data in datas for choice in json.loads(data)["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


@pytest.mark.parametrize("caller", ["engine, events", "openai, events"])
def test_an_event_of_ten_megabytes_is_served(faulty: Faulty, script: Script, caller: str) -> None:
    large = "x" * 10_000_000
    data = sse_event(role()) + event(large) + b"".join(map(sse_event, ENDING)) + DONE
    pieces = [chunk(data[at : at + 65536]) for at in range(0, len(data), 65536)]
    script.play([OK + EVENTS + CHUNKED, *pieces, LAST])
    assert said(faulty, caller) == large


def test_the_server_still_works_afterwards_and_keeps_nothing(
    faulty: Faulty, script: Script
) -> None:
    script.play(GOOD, WHOLE_GOOD)
    for caller in CALLERS:
        call, accept = CALLERS[caller]
        with call(faulty, "openai", accept) as stream:
            assert stream.read_head().reply().status == 200
    until(lambda: faulty.count_descriptors() <= faulty.kept)
