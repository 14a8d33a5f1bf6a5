"""Responses of vendors that extend OpenAI's format, or end streams differently."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.errors import UpstreamError
from headway.events import Event, ExtraFields, Finished, Reasoning, ReasoningDetail, Started, Text
from headway.providers import KINDS
from support.compatible_responses import collect, counts, decoded, streamed
from support.openai_completions import DONE, base, chunk, finish, role, text, tool_piece, tool_start

USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


def test_usage_in_an_extension_object_counts_unless_the_chunk_has_other_usage() -> None:
    beside = {**finish(), "x_groq": {"id": "req_1", "usage": USAGE}}
    assert counts(collect(streamed("groq", role(), text("Hi"), beside)))[:2] == (5, 3)
    later = {**base(), "choices": [], "usage": {**USAGE, "completion_tokens": 4}}
    assert counts(collect(streamed("groq", role(), text("Hi"), beside, later)))[:2] == (5, 4)
    same = {**finish(), "usage": USAGE, "x_groq": {"usage": {**USAGE, "prompt_tokens": 9}}}
    assert counts(collect(streamed("groq", role(), text("Hi"), same)))[:2] == (5, 3)
    no_usage = collect(streamed("groq", {**role(), "x_groq": None}, finish()))
    assert counts(no_usage)[:2] == (None, None)


def test_an_error_in_an_extension_object_is_a_failure() -> None:
    ended = {**finish(), "x_groq": {"error": "over capacity"}}
    answer = collect(streamed("groq", role(), text("Hi"), ended))
    assert str(answer.failed) == "over capacity"


def test_an_event_named_error_is_a_failure_with_its_code() -> None:
    said = {"error": {"message": "no tool", "code": "tool_use_failed", "status_code": 400}}
    line = b"event: error\ndata: " + json.dumps(said).encode() + b"\n\n"
    failed = collect(streamed("groq", role(), line)).failed
    assert isinstance(failed, UpstreamError)
    assert (failed.message, failed.code, failed.status) == ("no tool", "tool_use_failed", 400)


def test_a_line_with_the_field_error_is_a_failure() -> None:
    line = b'error: {"code":400,"message":"too long","type":"invalid_request_error"}\n\n'
    failed = collect(streamed("llamacpp", role(), line)).failed
    assert isinstance(failed, UpstreamError)
    assert (failed.message, failed.status) == ("too long", 400)


# --- Reasoning ------------------------------------------------------------------------------------


def detail(index: int | None, **fields: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", "index": index, **fields}


def reasoning(*details: dict[str, Any], shown: str | None = None) -> dict[str, Any]:
    return chunk({"content": "", "reasoning": shown, "reasoning_details": list(details)})


def blocks(events: list[Event]) -> list[Any]:
    return [event.value for event in events if isinstance(event, ReasoningDetail)]


def test_pieces_of_a_reasoning_block_are_joined_and_precede_the_finish() -> None:
    events = streamed(
        "openrouter",
        role(),
        reasoning(detail(0, text="I ", signature=None), shown="I "),
        reasoning(detail(0, text="think"), shown="think"),
        reasoning(detail(0, text=None, signature="sig")),
        reasoning({"type": "reasoning.encrypted", "index": 0, "data": "xyz", "id": "rs_1"}),
        text("Hi"),
        finish(),
        {**finish(), "usage": USAGE},
        DONE,
    )
    assert blocks(events) == [
        detail(0, text="I think", signature="sig"),
        {"type": "reasoning.encrypted", "index": 0, "data": "xyz", "id": "rs_1"},
    ]
    kinds = [type(event) for event in events]
    assert kinds.index(ReasoningDetail) < kinds.index(Finished)
    assert [event.text for event in events if isinstance(event, Reasoning)] == ["I ", "think"]


def test_text_in_reasoning_details_alone_is_also_a_reasoning_event() -> None:
    events = streamed("vercel", reasoning(detail(0, text="hm")), finish())
    assert [type(event) for event in events] == [Started, Reasoning, ReasoningDetail, Finished]
    found = decoded("vercel", {"content": "Hi", "reasoning_details": [detail(None, summary="hm")]})
    assert Reasoning("hm") in found
    assert isinstance(found[0], Started)


def test_blocks_without_an_index_or_not_streamed_are_not_joined() -> None:
    pair = (detail(None, text="a"), detail(None, text="b"))
    assert blocks(streamed("openrouter", reasoning(*pair, shown="ab"), finish())) == list(pair)
    same = [detail(0, text="a"), detail(0, text="b")]
    message = {"content": "Hi", "reasoning": "ab", "reasoning_details": same}
    assert blocks(decoded("openrouter", message)) == same


def test_blocks_of_two_choices_are_not_joined() -> None:
    def said(index: int, words: str) -> dict[str, Any]:
        return chunk({"reasoning_details": [detail(None, text=words)]}, index=index)

    steps = (said(0, "a"), said(1, "b"), finish(index=0), said(1, "c"), finish(index=1))
    found = blocks(streamed("openrouter", role(), *steps))
    assert [block["text"] for block in found] == ["a", "b", "c"]


def test_a_choice_without_a_message_has_no_blocks() -> None:
    empty = {**base(), "choices": [{"index": 0, "finish_reason": "stop"}], "x": "reasoning_details"}
    assert blocks(streamed("openrouter", role(), {**empty, "reasoning_details": []})) == []


def test_content_parts_of_reasoning_are_reasoning_events() -> None:
    thinking = {"type": "thinking", "thinking": "hm"}
    summary = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "so"}, {}]}
    cited = {"type": "reference", "reference_ids": [1]}
    parts = [thinking, summary, {"type": "text", "text": "Hi"}, cited]
    events = streamed("databricks", role(), chunk({"content": parts}))
    assert events[1:] == [
        Reasoning("hm"),
        Reasoning("so"),
        Text("Hi"),
        ExtraFields({"references": [cited]}),
    ]


# --- Ends -----------------------------------------------------------------------------------------


def test_a_stream_that_ends_without_a_finish_reason_is_finished() -> None:
    answer = collect(streamed("llamafile", text("Hi"), tool_start(0, "1", "f"), text("a", 1), DONE))
    assert answer.is_finished
    assert {i: one.finish_reason for i, one in answer.choices.items()} == {
        0: "tool_calls",
        1: "stop",
    }
    assert not collect(streamed("llamafile", text("Hi"))).is_finished


def test_a_given_finish_reason_is_kept() -> None:
    answer = collect(streamed("llamafile", text("Hi"), finish("length"), DONE))
    assert answer.finish_reason == "length"


@pytest.mark.parametrize(
    ("reason", "ours"),
    [("eos", "stop"), ("eos_token", "stop"), ("model_length", "length"), ("tool_use", "tool_calls"),
     ("sensitive", "content_filter"), ("stop", "stop"), ("function_call", "function_call")],
)  # fmt: skip
def test_other_names_of_a_finish_reason_become_openais(reason: str, ours: str) -> None:
    assert collect(streamed("together", text("Hi"), finish(reason))).finish_reason == ours


@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource", "network_error"])
def test_a_finish_reason_that_means_failure_is_a_failure(reason: str) -> None:
    for events in (
        streamed("zai", text("Hi"), finish(reason)),
        decoded("zai", {"content": "Hi"}, choice={"finish_reason": reason}),
    ):
        answer = collect(events)
        assert isinstance(answer.failed, UpstreamError)
        assert answer.failed.code == reason


ENDS = [("sensitive", "content_filter"), ("model_context_window_exceeded", "length")]


@pytest.mark.parametrize(("reason", "wanted"), ENDS)
def test_further_names_of_a_finish_reason_become_openais(reason: str, wanted: str) -> None:
    said = {"choices": [{"message": {"content": "a"}, "finish_reason": reason}]}
    events = KINDS["zai"].decode_response(json.dumps(said).encode())
    assert Finished(wanted) in events


# --- Tool calls -----------------------------------------------------------------------------------


def call(**fields: Any) -> dict[str, Any]:
    return chunk({"tool_calls": [{"type": "function", **fields}]})


GIVEN = '{"x":1}'


def made(events: list[Event]) -> list[tuple[str, str, str]]:
    tools = collect(events).choices[0].tools
    return [(tool.id, tool.name, "".join(tool.arguments)) for _, tool in sorted(tools.items())]


def test_calls_without_an_index_are_distinguished_by_their_ids() -> None:
    a = {"id": "a", "function": {"name": "f", "arguments": '{"x":'}}
    b = {"id": "b", "function": {"name": "g", "arguments": "{}"}}
    more = {"function": {"arguments": "1}"}}
    assert made(streamed("mistral", call(**a), call(**more), call(**b), finish())) == [
        ("a", "f", GIVEN),
        ("b", "g", "{}"),
    ]


def test_calls_with_the_same_index_are_distinguished_by_their_ids() -> None:
    a = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    b = {"index": 0, "id": "b", "function": {"name": "g", "arguments": ""}}
    c = {"index": 1, "id": "c", "function": {"name": "h", "arguments": "{}"}}
    assert made(
        streamed("tgi", call(**a), call(**b), tool_piece(0, GIVEN), call(**c), finish())
    ) == [
        ("a", "f", "{}"),
        ("b", "g", GIVEN),
        ("c", "h", "{}"),
    ]


def test_a_repeated_id_continues_the_call() -> None:
    pieces = ['{"x":', "1", "1", "}"]
    again = [call(index=0, id="a", function={"name": "f", "arguments": one}) for one in pieces]
    assert made(streamed("groq", *again)) == [("a", "f", '{"x":11}')]


def test_arguments_that_are_an_object_become_text() -> None:
    given = {"index": 0, "id": "a", "function": {"name": "f", "arguments": {"x": 1}}}
    assert made(streamed("tgi", call(**given))) == [("a", "f", '{"x":1}')]
