"""A provider with several keys: one is chosen by weight, and another one follows where it fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.pipeline.gateway import UpstreamKey
from support.for_each import for_each
from support.pipeline_fakes import HELLO, WHOLE
from support.routed_pipe import RoutedPipe, several_keys

LIMITED = b'{"error":{"message":"slow down","code":"rate_limit_exceeded"}}'
REFUSED = b'{"error":{"message":"bad key sk-secret-number-1"}}'


def key_of(request: Any) -> str:
    headers = dict(request.request.headers)
    return str(headers["authorization"]).removeprefix("Bearer ")


def new_pipe(keys: tuple[UpstreamKey, ...] | None = None) -> RoutedPipe:
    keys = several_keys("one") if keys is None else keys
    return RoutedPipe(kinds={"one": "openai", "two": "openai"}, upstreams={"one": {"keys": keys}})


def ask_one(pipe: RoutedPipe, *headers: tuple[bytes, bytes], **fields: Any) -> None:
    pipe.ask_route(*headers, model="one/m-one", **fields)


@for_each(("draw", "expected"), [(0.0, "1"), (0.74, "1"), (0.76, "2"), (0.99, "2")])
def test_a_key_is_chosen_by_weight(draw: float, expected: str) -> None:
    pipe = new_pipe(several_keys("one", w1=3.0))
    pipe.rng = draw
    ask_one(pipe)
    assert key_of(pipe.asked("one")) == f"sk-secret-number-{expected}"
    pipe.asked("one").whole(WHOLE)
    (record,) = pipe.records
    assert (record.provider_key, record.route_name, record.decision) == (expected, None, None)
    assert b"x-headway-served-by" not in pipe.sink.headers


@for_each("stream", [False, True])
def test_a_limited_key_gives_way_to_another_one(stream: bool) -> None:
    pipe = new_pipe()
    pipe.rng = 0.0
    ask_one(pipe, stream=stream)
    pipe.asked("one").whole(LIMITED, 429, (b"retry-after", b"30"))
    assert pipe.sleeps == []
    assert key_of(pipe.asked("one")) == "sk-secret-number-2"
    if stream:
        pipe.asked("one").stream(HELLO)
    else:
        pipe.asked("one").whole(WHOLE)
    assert pipe.sink.status == 200
    assert pipe.sink.headers[b"x-headway-attempts"] == b"2"
    assert [record.provider_key for record in pipe.records] == ["1", "2"]
    assert [record.role for record in pipe.records] == ["first", "retry"]


def test_a_limited_key_rests_for_as_long_as_the_provider_says() -> None:
    pipe = new_pipe()
    pipe.rng = 0.0
    ask_one(pipe)
    pipe.asked("one").whole(LIMITED, 429, (b"retry-after", b"30"))
    pipe.asked("one").whole(WHOLE)
    ask_one(pipe)
    assert key_of(pipe.asked("one")) == "sk-secret-number-2"
    pipe.asked("one").whole(WHOLE)
    pipe.clock.now += 31.0
    ask_one(pipe)
    assert key_of(pipe.asked("one")) == "sk-secret-number-1"


@for_each("status", [401, 402, 403])
def test_a_refused_key_is_set_aside_and_the_log_says_so_loudly(status: int) -> None:
    pipe = new_pipe()
    pipe.rng = 0.0
    ask_one(pipe)
    pipe.asked("one").whole(REFUSED, status)
    assert key_of(pipe.asked("one")) == "sk-secret-number-2"
    pipe.asked("one").whole(WHOLE)
    ask_one(pipe)
    assert key_of(pipe.asked("one")) == "sk-secret-number-2"
    assert b"sk-secret" not in b"".join(pipe.spool.lines)


def test_the_log_names_the_key_that_a_provider_refused(caplog: pytest.LogCaptureFixture) -> None:
    pipe = new_pipe()
    pipe.rng = 0.0
    ask_one(pipe)
    pipe.asked("one").whole(REFUSED, 401)
    (line,) = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert line.startswith("key one#1 is set aside for 60 s on all models")
    assert "sk-secret" not in caplog.text


def test_a_retry_does_not_use_a_key_that_was_refused_meanwhile() -> None:
    pipe = new_pipe()
    pipe.rng = 0.0
    ask_one(pipe, (b"x-headway-retries", b"1"))
    first = pipe.asked("one")
    ask_one(pipe)
    pipe.asked("one").whole(REFUSED, 401)
    pipe.asked("one").whole(WHOLE)
    first.whole(b"{}", 500)
    assert key_of(pipe.asked("one")) == "sk-secret-number-2"


def test_the_client_gets_the_error_where_every_key_fails() -> None:
    pipe = new_pipe()
    ask_one(pipe)
    pipe.asked("one").whole(LIMITED, 429)
    pipe.asked("one").whole(LIMITED, 429)
    assert (pipe.sink.status, pipe.requests) == (429, (2, 0))
    assert [record.is_last for record in pipe.records] == [False, True]


def test_where_all_keys_rest_one_is_tried_all_the_same() -> None:
    pipe = new_pipe()
    for _ in range(2):
        ask_one(pipe)
        while not pipe.sink.got:
            pipe.asked("one").whole(LIMITED, 429, (b"retry-after", b"30"))
        pipe.sink.got.clear()
    assert pipe.requests[0] >= 3


def test_a_route_goes_to_the_next_target_when_the_keys_are_used_up() -> None:
    pipe = new_pipe()
    pipe.ask_route()
    pipe.asked("one").whole(LIMITED, 429, (b"retry-after", b"30"))
    pipe.asked("one").whole(LIMITED, 429, (b"retry-after", b"30"))
    assert pipe.requests == (2, 1)
    pipe.asked("two").whole(WHOLE)
    assert [record.role for record in pipe.records] == ["first", "retry", "fallback"]
    pipe.ask_route()
    assert pipe.requests == (2, 2)
    pipe.asked("two").whole(WHOLE)
    skipped = json.loads(pipe.records[-1].decision or "")["skipped"]
    assert [one["target"] for one in skipped] == ["one/m-one"]


def test_a_clients_own_key_is_used_and_no_other() -> None:
    pipe = new_pipe()
    pipe.ask_route((b"x-headway-provider-key", b"sk-own-key-of-a-client"), model="one/m-one")
    assert key_of(pipe.asked("one")) == "sk-own-key-of-a-client"
    pipe.asked("one").whole(LIMITED, 429)
    assert (pipe.sink.status, pipe.requests) == (429, (1, 0))
