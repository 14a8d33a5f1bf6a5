"""A call is asked for by the id that its client found in the reply, whoever made that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from headway.errors import UpstreamDisconnected
from headway.record import call_id_in, reply_id_of
from support.for_each import for_each
from support.pipeline_fakes import HELLO, ROLE, Pipe, text
from support.played_dialects import REQUESTS, run_in_dialect
from support.played_script import ROUTES, read_objects, run_script
from support.wire_scripts import SCRIPTS, Pieces

WIRES = ("openai", "anthropic", "gemini", "openai_responses", "cohere")


def ids_in(objects: list[Any]) -> Iterator[str]:
    for one in objects:
        inner = one.get("message") or one.get("response") or {}
        for found in (one.get("responseId"), one.get("id"), inner.get("id")):
            if found is not None:
                yield found


def check(pipe: Pipe) -> None:
    (record,) = pipe.records
    found = set(ids_in(read_objects(pipe)))
    assert found == {reply_id_of(record)}


@for_each("wire", WIRES)
@for_each("name", list(REQUESTS))
def test_a_record_knows_the_id_of_its_reply(wire: str, name: str) -> None:
    check(run_in_dialect(SCRIPTS[wire](Pieces(text=["Hello"])), name))


@for_each("wire", WIRES)
@for_each("route", list(ROUTES))
def test_so_do_those_of_chat_completions_and_the_engine_route(wire: str, route: str) -> None:
    check(run_script(SCRIPTS[wire](Pieces(text=["Hello"])), route))


def test_the_engine_route_has_ids_of_its_own() -> None:
    pipe = Pipe()
    pipe.ask()
    pipe.upstream.stream(HELLO)
    (record,) = pipe.records
    assert record.reply_id is None
    assert json.loads(pipe.sink.body)["id"] == record.call_id == reply_id_of(record)


def test_a_reply_that_never_began_has_no_id_of_the_provider() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=False)
    pipe.upstream.respond()
    pipe.upstream.chunk(ROLE, text("Hel"))
    pipe.upstream.fail(UpstreamDisconnected("cut"))
    assert pipe.records[-1].reply_id is None


@pytest.mark.parametrize("size", [200, 201])
def test_an_id_that_is_too_long_is_not_kept(size: int) -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=False)
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    message = {"role": "assistant", "content": "Hi"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    whole = {
        "id": "x" * size, "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [choice], "usage": usage,
    }  # fmt: skip
    pipe.upstream.whole(json.dumps(whole).encode())
    assert (pipe.records[-1].reply_id is None) == (size > 200)


CALL = "72f34d3b-f254-4950-9d6f-9f66e082fd2f"
DIGITS = CALL.replace("-", "")


@for_each(
    ("reply_id", "call_id"),
    [
        (f"msg_{DIGITS}", CALL),
        (f"resp_{DIGITS}", CALL),
        (f"chatcmpl_{DIGITS}", None),
        (f"msg_{DIGITS[:-1]}", None),
        (f"msg_{DIGITS.upper()}", None),
        (f"msg_{DIGITS}0", None),
        (DIGITS, None),
        (CALL, None),
        ("msg_", None),
        ("", None),
    ],
)
def test_the_call_is_read_from_an_id_that_was_made_of_its_own(
    reply_id: str, call_id: str | None
) -> None:
    assert call_id_in(reply_id) == call_id
