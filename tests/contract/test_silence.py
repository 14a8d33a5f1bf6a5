"""Comments on streams that are silent, so that nothing on the way cuts a model that thinks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.conftest import BODY_LIMIT, Launch
from contract.shapes import error_of
from support.gateway_process import Gateway
from support.openai_completions import DONE, finish, role, text, usage
from support.openai_upstream import CUT, HANG, Answer, Upstream, Wait, sse_event
from support.raw_client import Stream
from support.waiting import until

COMMENT = b": keep-alive\n"
QUIET = {"server": {"body_limit": BODY_LIMIT, "stream_comment": 0.2}}
LONG = Wait(0.9)


@pytest.fixture
def quiet(lasting: Launch, mode: str, upstream: Upstream) -> Gateway:
    own = lasting(QUIET, mode=mode)
    own.mark()
    return own


def engine(gateway: Gateway) -> Stream:
    return gateway.stream(accept="text/event-stream")


def openai(gateway: Gateway) -> Stream:
    messages = [{"role": "user", "content": "Hello"}]
    body = {"model": "openai/gpt-4o", "messages": messages, "stream": True}
    return gateway.client.open("POST", "/v1/chat/completions", body).read_head()


DIALECTS = pytest.mark.parametrize("call", [engine, openai])


def events(body: bytes) -> list[Any]:
    """Everything but comments; fails on what is neither."""
    blocks = [block for block in body.replace(COMMENT, b"").split(b"\n\n") if block]
    assert all(block.startswith(b"data: ") for block in blocks), blocks
    return [json.loads(block[6:]) for block in blocks if block != b"data: [DONE]"]


@DIALECTS
def test_a_stream_that_is_silent_before_its_first_event_gets_comments(
    quiet: Gateway, upstream: Upstream, call: Any
) -> None:
    upstream.play(Answer((role(), LONG, text("Hi"), finish(), usage(), DONE)))
    with call(quiet) as stream:
        body = stream.read()
        assert stream.complete
    assert 2 <= body.count(COMMENT) <= 4
    assert body.index(COMMENT) < body.index(b'"content":"Hi"')
    assert events(body)
    assert body.endswith(b"data: [DONE]\n\n")


@DIALECTS
def test_a_comment_never_stands_inside_an_event(
    quiet: Gateway, upstream: Upstream, call: Any
) -> None:
    whole = sse_event(text("and then"))
    steps = (role(), text("First"), whole[:40], LONG, whole[40:], finish(), usage(), DONE)
    upstream.play(Answer(steps))
    with call(quiet) as stream:
        body = stream.read()
    assert body.count(COMMENT) >= 2
    joined = "".join(
        choice["delta"].get("content") or "" for one in events(body) for choice in one["choices"]
    )
    assert joined == "Firstand then"


def test_ndjson_streams_get_no_comments(quiet: Gateway, upstream: Upstream) -> None:
    upstream.play(Answer((role(), LONG, text("Hi"), finish(), usage(), DONE)))
    with quiet.stream() as stream:
        lines = stream.read().splitlines()
    assert [json.loads(line) for line in lines][-1]["chat_output"] == "Hi"


def test_complete_replies_get_no_comments(quiet: Gateway, upstream: Upstream) -> None:
    upstream.play(Answer((role(), LONG, text("Hi"), finish(), usage(), DONE)))
    assert quiet.chat().json["chat_output"] == "Hi"


def test_a_comment_does_not_count_as_the_first_token(quiet: Gateway, upstream: Upstream) -> None:
    upstream.play(Answer((role(), LONG, text("Hi"), text("!"), finish(), usage(), DONE)))
    with engine(quiet) as stream:
        last = events(stream.read())[-1]
    assert last["metrics"]["time_to_first_token_s"] >= 0.85
    (record,) = quiet.new_records()
    assert record["content_events"] == 2


@DIALECTS
@pytest.mark.parametrize("fault", [CUT, b"data: {broken\n\n"], ids=["cut", "broken"])
def test_an_error_after_a_comment_is_an_event(
    quiet: Gateway, upstream: Upstream, call: Any, fault: Any
) -> None:
    """The status has gone out with the comment."""
    upstream.play(Answer((role(), Wait(0.5), fault)))
    with call(quiet) as stream:
        body = stream.read()
        assert (stream.status, stream.complete) == (200, True)
    assert COMMENT in body
    assert events(body)[-1]["error"]["type"] in ("connection_error", "protocol_error")
    assert quiet.new_records()[-1]["outcome"] == "error"


def test_an_error_before_any_comment_has_its_own_status(quiet: Gateway, upstream: Upstream) -> None:
    upstream.play(Answer((role(), CUT)))
    with engine(quiet) as stream:
        error_of(stream.reply(), 502)


def test_a_client_that_left_is_noticed_between_comments(quiet: Gateway, upstream: Upstream) -> None:
    upstream.play(Answer((role(), text("Hi"), HANG)))
    with engine(quiet) as stream:
        while COMMENT not in stream.buffer:
            stream._more()
    until(lambda: upstream.last.closed_at)
    (record,) = until(quiet.new_records)
    assert record["outcome"] == "cancelled"
