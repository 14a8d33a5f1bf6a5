"""Copies of requests to another target, whose answers no client sees."""

from __future__ import annotations

import json

import pytest

from headway.pipeline import call
from headway.routing.route import Shadow
from support.for_each import for_each
from support.pipeline_fakes import HELLO, ROLE, WHOLE, Pipe, in_loop, text
from support.routed_pipe import ROUTE, RoutedPipe, target


def new_pipe(share: float = 1.0, **kinds: str) -> RoutedPipe:
    return RoutedPipe(
        kinds={"one": "openai", "two": "openai", **kinds},
        targets=(target("one"),),
        shadow=Shadow(target=target("two"), share=share),
    )


def test_a_copy_is_sent_when_the_answer_has_begun() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE)
    assert pipe.requests == (1, 0)
    pipe.asked("one").chunk(text("Hi"))
    assert pipe.requests == (1, 1)
    assert json.loads(pipe.asked("two").request.body)["model"] == "m-two"
    pipe.asked("two").stream(HELLO)
    assert pipe.sink.body == ROLE + text("Hi")


def test_the_copy_is_a_call_of_its_own_on_record() -> None:
    pipe = new_pipe()
    pipe.ask_route((b"x-request-id", b"mine"))
    pipe.asked("one").whole(WHOLE)
    assert pipe.sink.body == WHOLE
    pipe.asked("two").whole(WHOLE)
    first, copy = pipe.records
    assert (first.role, first.shadow_of, first.request_id) == ("first", None, "mine")
    assert (copy.role, copy.shadow_of, copy.provider) == ("shadow", first.call_id, "two")
    assert copy.call_id not in (first.call_id, "")
    assert (copy.request_id, copy.is_last, copy.outcome) == (copy.call_id, True, "ok")
    assert (copy.cost_usd, copy.reply_id, copy.route_name) == ("0.000058", None, ROUTE)
    assert copy.latency_s == 0.0
    assert (pipe.gateway.shadows, pipe.gateway.active) == (0, set())


@for_each(("drawn", "copies"), [(0.09, 1), (0.11, 0)])
def test_a_share_of_the_requests_is_copied(drawn: float, copies: int) -> None:
    pipe = new_pipe(share=0.1)
    pipe.rng = drawn
    pipe.ask_route()
    pipe.asked("one").whole(WHOLE)
    assert len(pipe.sent_to("two")) == copies


def test_a_copy_that_fails_is_on_record_and_bothers_nobody() -> None:
    pipe = new_pipe()
    pipe.ask_route()
    pipe.asked("one").whole(WHOLE)
    pipe.asked("two").whole(b'{"error":{"message":"busy"}}', status=503)
    assert pipe.sink.body == WHOLE
    assert pipe.requests == (1, 1)
    assert (pipe.records[1].role, pipe.records[1].outcome) == ("shadow", "error")
    assert pipe.gateway.shadows == 0


def test_a_copy_that_its_target_cannot_carry_is_on_record() -> None:
    pipe = new_pipe()
    pipe.gateway.snapshot = pipe.without("two")
    pipe.ask_route()
    pipe.asked("one").whole(WHOLE)
    assert (pipe.records[1].role, pipe.records[1].outcome) == ("shadow", "refused")
    assert (pipe.records[1].shadow_of, pipe.gateway.shadows) == (pipe.records[0].call_id, 0)


def test_a_call_without_an_answer_is_not_copied() -> None:
    pipe = new_pipe()
    pipe.ask_route()
    pipe.asked("one").whole(b"{}", status=400)
    assert pipe.requests == (1, 0)


def test_the_copies_on_their_way_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "MAX_SHADOWS", 2)
    pipe = new_pipe()
    for _ in range(4):
        pipe.ask_route()
        pipe.asked("one").whole(WHOLE)
    assert pipe.requests == (4, 2)
    pipe.asked("two").whole(WHOLE)
    pipe.ask_route()
    pipe.asked("one").whole(WHOLE)
    assert pipe.requests == (5, 3)


def test_a_client_that_leaves_does_not_end_the_copy() -> None:
    pipe = new_pipe()
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(ROLE, text("Hi"))
    pipe.sink.leave()
    assert pipe.asked("one").is_over
    assert not pipe.asked("two").is_over
    pipe.asked("two").stream(HELLO)
    assert [record.outcome for record in pipe.records] == ["cancelled", "ok"]


def test_no_copy_is_started_while_the_gateway_closes() -> None:
    pipe = new_pipe()
    pipe.ask_route()
    pipe.gateway.is_closing = True
    pipe.asked("one").whole(WHOLE)
    assert pipe.requests == (1, 0)


def test_the_end_of_the_gateway_ends_copies() -> None:
    pipe = new_pipe()
    pipe.ask_route()
    pipe.asked("one").whole(WHOLE)
    (copy,) = pipe.gateway.active
    in_loop(lambda: copy.abort(call.ShuttingDown("Good night.")))
    assert pipe.asked("two").is_over
    assert pipe.gateway.shadows == 0


def test_a_call_of_one_model_has_no_copy() -> None:
    pipe = Pipe()
    pipe.ask(retries=1)
    pipe.upstream.stream(HELLO)
    assert len(pipe.upstream_requests) == 1
