"""Clients that send one head repeatedly get the same responses as on new connections."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from contract.conftest import Launch
from server.http.requests import HOST, LENGTH, request
from support.for_each import for_each
from support.gateway_process import GATE_KEY, Gateway
from support.raw_client import Stream
from support.waiting import until

BODY = json.dumps({"model": "echo", "chat_input": "Hello"}).encode()
LONGER = json.dumps({"model": "echo", "chat_input": "Hello " * 50}).encode()
GATED = b"authorization: Bearer " + GATE_KEY.encode()
LINES = (HOST, GATED, LENGTH)
GOOD = request(*LINES, body=BODY)
HELD = 1000

# What is sent after two good requests, in one read or several, and the statuses of the responses.
TABLE: dict[str, tuple[list[bytes], list[int]]] = {
    "the same": ([GOOD], [200]),
    "the same, often": ([GOOD], [200] * 5),
    "a longer body": ([request(*LINES, body=LONGER)], [200]),
    "no body": ([request(*LINES, body=b"")], [400]),
    "no JSON": ([request(*LINES, body=b"x")], [400]),
    "the body apart": ([GOOD[: -len(BODY)], BODY], [200]),
    "the body in two": ([GOOD[:-9], GOOD[-9:]], [200]),
    "the head in two": ([GOOD[:40], GOOD[40:]], [200]),
    "two at once": ([GOOD + GOOD], [200, 200]),
    "one and a half": ([GOOD + GOOD[:60], GOOD[60:]], [200, 200]),
    "an empty line between": ([b"\r\n" + GOOD], [200]),
    "another key": ([GOOD.replace(GATE_KEY.encode(), b"hw-another")], [401]),
    "no key": ([request(HOST, LENGTH, body=BODY)], [401]),
    "another byte": ([GOOD.replace(b"here", b"herf")], [200]),
    "another name": ([GOOD.replace(b"host", b"hosu")], [400]),
    "another address": ([GOOD.replace(b"/echo", b"/ecko")], [404]),
    "another method": ([GOOD.replace(b"POST", b"PUT")], [405]),
    "over the limit": ([request(*LINES, body=b"x" * (HELD + 1))], [413]),
    "over the limit, by its word": ([request(HOST, GATED, b"content-length: 1001")], [413]),
    "more than it says": ([GOOD + b"x"], [200, 400]),
    "two lengths": ([request(*LINES, LENGTH, body=BODY)], [400]),
    "another length behind": ([request(*LINES, b"content-length: 5", body=BODY)], [400]),
    "a coding beside": ([request(*LINES, b"transfer-encoding: chunked", body=BODY)], [400]),
    "a sign": ([GOOD.replace(b"length: ", b"length: +")], [400]),
    "zeros before": ([GOOD.replace(b"length: ", b"length: 00")], [200]),
    "a space behind": ([GOOD.replace(LENGTH % len(BODY), LENGTH % len(BODY) + b" ")], [200]),
    "no digits": ([request(HOST, GATED, b"content-length: ", body=b"")], [400]),
    "a line ended by LF": ([GOOD.replace(b"here\r\n", b"here\n")], [400]),
    "a close": ([request(*LINES, b"connection: close", body=BODY)], [200]),
    "a question": ([request(*LINES, b"expect: 100-continue", body=BODY)], [100, 200]),
}  # fmt: skip


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    config = {
        "server": {"api_keys": [GATE_KEY], "body_limit": HELD},
        "providers": {"echo": {"kind": "echo"}},
    }
    gateway = Gateway.start(tmp_path_factory.mktemp("locked"), config)
    yield gateway
    gateway.stop()
    assert not gateway.leaks()


def played(stream: Stream, parts: list[bytes], statuses: list[int]) -> list[Any]:
    """The responses without ids and times."""
    for part in parts:
        stream.send(part)
        time.sleep(0.01 if len(parts) > 1 else 0)
    answers = []
    for expected in statuses:
        stream.read_head()
        assert stream.status == expected
        if expected != 100:
            found = stream.reply().json
            kept = {"error": {**found["error"], "request_id": None}} if "error" in found else found
            content = [kept.get(name) for name in ("error", "chat_output", "context", "provider")]
            answers.append((expected, sorted(stream.headers), content))
    return answers


@for_each("name", TABLE)
def test_responses_after_cached_heads_are_those_of_a_new_connection(
    locked: Gateway, name: str
) -> None:
    parts, statuses = TABLE[name]
    if name == "the same, often":
        parts = parts * len(statuses)
    with locked.client.connect() as fresh, locked.client.connect() as used:
        first = played(used, [GOOD], [200])
        assert played(used, [GOOD], [200]) == first
        assert played(used, parts, statuses) == played(fresh, parts, statuses)
        assert used.buffer == fresh.buffer == b""
        if fresh.headers.get("connection") == "close":
            assert used.is_closed_by_server()
            assert fresh.is_closed_by_server()
        else:
            assert played(used, [GOOD], [200]) == played(fresh, [GOOD], [200]) == first


def log(gateway: Gateway) -> str:
    return "".join(gateway.output)


def test_a_cached_head_is_authorized_again_for_each_request(launch: Launch) -> None:
    echo = {"echo": {"kind": "echo"}}
    own = launch({"server": {"api_keys": [GATE_KEY]}, "providers": echo})
    with own.client.connect() as stream:
        for _ in range(3):
            played(stream, [GOOD], [200])
        settings: dict[str, Any] = {"api_keys": ["hw-a-new-key"]}
        for count, status in enumerate((401, 413), 1):
            own.reload({"server": settings, "providers": echo})
            until(lambda count=count: log(own).count("was reloaded") == count)  # type: ignore[misc]
            played(stream, [GOOD], [status])
            settings["body_limit"] = 10
        assert stream.is_closed_by_server()


def test_a_stream_is_the_same_after_cached_heads(launch: Launch) -> None:
    body = json.dumps({"model": "echo", "chat_input": "Hello there", "is_stream": True}).encode()
    own = launch({"server": {"api_keys": [GATE_KEY]}, "providers": {"echo": {"kind": "echo"}}})
    with own.client.connect() as stream:
        for _ in range(5):
            stream.send(request(*LINES, body=body))
            lines = stream.read_head().read().splitlines()
            assert stream.complete
            assert json.loads(lines[-1])["chat_output"]
            stream.complete = False
            played(stream, [GOOD], [200])
