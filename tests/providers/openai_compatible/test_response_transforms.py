"""What vendors do otherwise in their answers, as tables: chunks in, events out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRateLimited,
)
from headway.providers import KINDS
from headway.response_accumulator import ResponseAccumulator
from headway.types import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    Reasoning,
    ReasoningDetail,
    Started,
    Text,
)
from headway.wire.sse import SseFramer
from support.openai_completions import DONE, base, chunk, finish, role, text, tool_piece, tool_start
from support.openai_upstream import sse_event

USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


def streamed(kind: str, *steps: dict[str, Any] | bytes) -> list[Event]:
    data = b"".join(step if isinstance(step, bytes) else sse_event(step) for step in steps)
    framer, state = SseFramer(), {}  # type: ignore[var-annotated]
    decode = KINDS[kind].decode_event
    return [event for frame in framer.feed(data) + framer.end() for event in decode(frame, state)]


def whole(kind: str, message: dict[str, Any], **more: Any) -> list[Event]:
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {**base(), "choices": [{**choice, **more.pop("choice", {})}], **more}
    return KINDS[kind].decode_response(json.dumps(body).encode())


def fold(events: list[Event]) -> ResponseAccumulator:
    answer = ResponseAccumulator()
    answer.add(events)
    return answer


# --- Usage ----------------------------------------------------------------------------------------


def counts(answer: ResponseAccumulator) -> tuple[Any, ...]:
    usage = answer.reported()
    return usage.input_tokens, usage.output_tokens, usage.reasoning_tokens, usage.cache_read_tokens


def test_groqs_usage_counts_where_no_other_comes_and_once_where_one_does() -> None:
    beside = {**finish(), "x_groq": {"id": "req_1", "usage": USAGE}}
    assert counts(fold(streamed("groq", role(), text("Hi"), beside)))[:2] == (5, 3)
    later = {**base(), "choices": [], "usage": {**USAGE, "completion_tokens": 4}}
    assert counts(fold(streamed("groq", role(), text("Hi"), beside, later)))[:2] == (5, 4)
    same = {**finish(), "usage": USAGE, "x_groq": {"usage": {**USAGE, "prompt_tokens": 9}}}
    assert counts(fold(streamed("groq", role(), text("Hi"), same)))[:2] == (5, 3)
    assert counts(fold(streamed("groq", {**role(), "x_groq": None}, finish())))[:2] == (None, None)


def test_groqs_word_for_an_early_end_is_a_failure() -> None:
    ended = {**finish(), "x_groq": {"error": "over capacity"}}
    answer = fold(streamed("groq", role(), text("Hi"), ended))
    assert str(answer.failed) == "over capacity"


def test_an_event_named_error_is_a_failure_with_its_code() -> None:
    said = {"error": {"message": "no tool", "code": "tool_use_failed", "status_code": 400}}
    line = b"event: error\ndata: " + json.dumps(said).encode() + b"\n\n"
    failed = fold(streamed("groq", role(), line)).failed
    assert isinstance(failed, UpstreamError)
    assert (failed.message, failed.code, failed.status) == ("no tool", "tool_use_failed", 400)


def test_a_bare_line_of_error_is_a_failure() -> None:
    line = b'error: {"code":400,"message":"too long","type":"invalid_request_error"}\n\n'
    failed = fold(streamed("llamacpp", role(), line)).failed
    assert isinstance(failed, UpstreamError)
    assert (failed.message, failed.status) == ("too long", 400)


def test_usage_within_a_choice_is_found() -> None:
    last = chunk({}, finish="stop")
    last["choices"][0]["usage"] = {**USAGE, "cached_tokens": 2}
    assert counts(fold(streamed("moonshot", role(), text("Hi"), last))) == (5, 3, None, 2)
    beside = {**last, "usage": {**USAGE, "prompt_tokens": 6}}
    assert counts(fold(streamed("moonshot", role(), text("Hi"), beside)))[:2] == (6, 3)
    plain = {**finish(), "usage": None}
    assert fold(streamed("moonshot", role(), text("Hi"), plain)).usage is None


# vendor, usage, (input, output, reasoning, cached)
USAGES: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    (
        "xai",
        {**USAGE, "total_tokens": 18, "completion_tokens_details": {"reasoning_tokens": 10}},
        (5, 13, 10, None),
    ),
    (
        "xai",
        {**USAGE, "completion_tokens": 13, "total_tokens": 18,
         "completion_tokens_details": {"reasoning_tokens": 10}},
        (5, 13, 10, None),
    ),
    ("xai", {**USAGE, "completion_tokens_details": {"reasoning_tokens": 0}}, (5, 3, 0, None)),
    ("xai", {"prompt_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 4}},
     (5, None, 4, None)),
    ("perplexity", {**USAGE, "reasoning_tokens": 700}, (5, 703, 700, None)),
    ("perplexity", USAGE, (5, 3, None, None)),
    ("deepseek", {**USAGE, "prompt_cache_hit_tokens": 4}, (5, 3, None, 4)),
    ("together", {**USAGE, "cached_tokens": 0}, (5, 3, None, 0)),
    ("sglang", {**USAGE, "reasoning_tokens": 2}, (5, 3, 2, None)),
    ("mistral", {**USAGE, "num_cached_tokens": 1}, (5, 3, None, 1)),
    ("mistral", {**USAGE, "prompt_audio_seconds": 4, "total_tokens": 108}, (105, 3, None, None)),
    ("mistral", {**USAGE, "prompt_audio_seconds": 4}, (5, 3, None, None)),
    ("mistral", {**USAGE, "prompt_audio_seconds": None, "total_tokens": 108}, (5, 3, None, None)),
    ("mistral", {"prompt_tokens": 5}, (5, None, None, None)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "usage", "expected"), USAGES)
def test_usage_is_what_is_billed(
    kind: str, usage: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    told = fold(streamed(kind, role(), text("Hi"), {**finish(), "usage": usage}))
    assert counts(told) == expected
    assert counts(fold(whole(kind, {"content": "Hi"}, usage=usage))) == expected


def test_the_tokens_of_sound_are_told_apart() -> None:
    usage = {**USAGE, "prompt_audio_seconds": 4, "total_tokens": 108}
    assert (
        fold(whole("mistral", {"content": "Hi"}, usage=usage)).reported().input_audio_tokens == 100
    )


def test_cumulative_usage_replaces_and_is_not_summed() -> None:
    steps = [{**text("a"), "usage": {**USAGE, "completion_tokens": n}} for n in (1, 2, 3)]
    answer = fold(streamed("databricks", role(), *steps, {**finish(), "usage": None}))
    assert counts(answer)[:2] == (5, 3)


# --- Reasoning ------------------------------------------------------------------------------------


def detail(index: int | None, **fields: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", "index": index, **fields}


def reasoning(*details: dict[str, Any], shown: str | None = None) -> dict[str, Any]:
    return chunk({"content": "", "reasoning": shown, "reasoning_details": list(details)})


def blocks(events: list[Event]) -> list[Any]:
    return [event.value for event in events if isinstance(event, ReasoningDetail)]


def test_pieces_of_a_block_are_joined_and_told_before_the_end() -> None:
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


def test_text_that_stands_in_details_alone_is_told_as_reasoning_too() -> None:
    events = streamed("vercel", reasoning(detail(0, text="hm")), finish())
    assert [type(event) for event in events] == [Started, Reasoning, ReasoningDetail, Finished]
    told = whole("vercel", {"content": "Hi", "reasoning_details": [detail(None, summary="hm")]})
    assert Reasoning("hm") in told
    assert isinstance(told[0], Started)


def test_blocks_without_an_index_and_those_of_a_whole_answer_stay_apart() -> None:
    pair = (detail(None, text="a"), detail(None, text="b"))
    assert blocks(streamed("openrouter", reasoning(*pair, shown="ab"), finish())) == list(pair)
    same = [detail(0, text="a"), detail(0, text="b")]
    message = {"content": "Hi", "reasoning": "ab", "reasoning_details": same}
    assert blocks(whole("openrouter", message)) == same


def test_blocks_of_a_choice_that_goes_on_stay_apart_when_another_ends() -> None:
    def said(index: int, words: str) -> dict[str, Any]:
        return chunk({"reasoning_details": [detail(None, text=words)]}, index=index)

    steps = (said(0, "a"), said(1, "b"), finish(index=0), said(1, "c"), finish(index=1))
    told = blocks(streamed("openrouter", role(), *steps))
    assert [block["text"] for block in told] == ["a", "b", "c"]


def test_a_choice_without_a_message_has_no_blocks() -> None:
    empty = {**base(), "choices": [{"index": 0, "finish_reason": "stop"}], "x": "reasoning_details"}
    assert blocks(streamed("openrouter", role(), {**empty, "reasoning_details": []})) == []


def test_thoughts_in_parts_are_reasoning() -> None:
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


# --- Sources --------------------------------------------------------------------------------------

SOURCES = [{"url": "https://a.example", "title": "A", "date": None}, {"url": "https://b.example"}]


def test_sources_are_told_once_at_the_end() -> None:
    found = {"citations": ["https://a.example", "https://b.example"], "search_results": SOURCES}
    extra = (
        fold(
            streamed(
                "perplexity", {**text("Hi"), **found}, {**text("!"), **found}, {**finish(), **found}
            )
        )
        .choices[0]
        .extra
    )
    cited = [{"url": "https://a.example", "title": "A"}, {"url": "https://b.example"}]
    notes = [{"type": "url_citation", "url_citation": one} for one in cited]
    assert extra == {"annotations": notes, **found}


def test_addresses_alone_are_sources_and_none_are_none() -> None:
    extra = fold(whole("perplexity", {"content": "Hi"}, citations=["https://a.example"])).choices[0]
    assert extra.extra["annotations"][0]["url_citation"] == {"url": "https://a.example"}
    assert fold(whole("perplexity", {"content": "Hi"})).choices[0].extra == {}


# --- Ends -----------------------------------------------------------------------------------------


def test_an_answer_that_is_done_without_a_reason_is_finished() -> None:
    answer = fold(streamed("llamafile", text("Hi"), tool_start(0, "1", "f"), text("a", 1), DONE))
    assert answer.is_finished
    assert {i: one.finish_reason for i, one in answer.choices.items()} == {
        0: "tool_calls",
        1: "stop",
    }
    assert not fold(streamed("llamafile", text("Hi"))).is_finished


def test_a_reason_that_was_given_stays() -> None:
    answer = fold(streamed("llamafile", text("Hi"), finish("length"), DONE))
    assert answer.finish_reason == "length"


@pytest.mark.parametrize(
    ("reason", "ours"),
    [("eos", "stop"), ("eos_token", "stop"), ("model_length", "length"), ("tool_use", "tool_calls"),
     ("sensitive", "content_filter"), ("stop", "stop"), ("function_call", "function_call")],
)  # fmt: skip
def test_other_words_for_an_end_are_ours(reason: str, ours: str) -> None:
    assert fold(streamed("together", text("Hi"), finish(reason))).finish_reason == ours


@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource", "network_error"])
def test_a_reason_that_is_no_end_is_a_failure(reason: str) -> None:
    for events in (
        streamed("zai", text("Hi"), finish(reason)),
        whole("zai", {"content": "Hi"}, choice={"finish_reason": reason}),
    ):
        answer = fold(events)
        assert isinstance(answer.failed, UpstreamError)
        assert answer.failed.code == reason
        assert not answer.is_finished


def test_a_choices_own_error_says_what_failed() -> None:
    error = {"code": 503, "message": "no instance"}
    failed = fold(
        whole("openrouter", {"content": ""}, choice={"finish_reason": "error", "error": error})
    ).failed
    assert isinstance(failed, UpstreamOverloaded)
    assert failed.message == "no instance"


def test_an_error_of_the_whole_says_what_failed() -> None:
    said = {**finish("error"), "error": {"code": 502, "message": "upstream died"}}
    failed = fold(streamed("openrouter", text("Hi"), said)).failed
    assert str(failed) == "upstream died"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1004, UpstreamAuth),
        (1002, UpstreamRateLimited),
        (1008, UpstreamQuota),
        (1000, UpstreamError),
    ],
)
def test_a_failure_in_an_answer_of_status_200_is_one(code: int, error: type) -> None:
    said = {"id": "1", "choices": None, "base_resp": {"status_code": code, "status_msg": "bad"}}
    for events in (
        KINDS["minimax"].decode_response(json.dumps(said).encode()),
        streamed("minimax", said),
    ):
        [failed] = events
        assert isinstance(failed, Failed)
        assert type(failed.error) is error
        assert (str(failed.error), failed.error.code) == ("bad", str(code))  # type: ignore[attr-defined]


def test_a_good_outcome_is_none_of_our_business() -> None:
    fine = {"base_resp": {"status_code": 0, "status_msg": ""}}
    assert fold(streamed("minimax", text("Hi"), {**finish(), **fine})).is_finished
    assert fold(whole("minimax", {"content": "Hi"}, base_resp=None)).is_finished


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            '{"error":{"message":"no such tool","code":400}}',
            "Provider returned error: no such tool",
        ),
        ("no such tool", "Provider returned error: no such tool"),
        (None, "Provider returned error"),
    ],
)
def test_a_router_says_what_the_provider_behind_it_said(raw: str | None, message: str) -> None:
    said = {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}
    decode = KINDS["openrouter"].decode_error
    error = decode(400, (), json.dumps({"error": said}).encode())
    assert (error.message, error.status, error.retryable) == (message, 400, False)
    assert decode(404, (), b'{"error":{"message":"none"}}').message == "none"
    assert decode(502, (), b"<html>").message == "<html>"
    for odd in (b'{"error":"\xff"}', b"[" * 100_000):
        assert decode(502, (), odd).retryable


def test_a_code_beside_a_plain_error_is_kept() -> None:
    body = b'{"code":"invalid-argument","error":"no such parameter"}'
    error = KINDS["xai"].decode_error(400, (), body)
    assert (error.message, error.code) == ("no such parameter", "invalid-argument")


# --- Tool calls -----------------------------------------------------------------------------------


def call(**fields: Any) -> dict[str, Any]:
    return chunk({"tool_calls": [{"type": "function", **fields}]})


def made(events: list[Event]) -> list[tuple[str, str, str]]:
    tools = fold(events).choices[0].tools
    return [(tool.id, tool.name, "".join(tool.arguments)) for _, tool in sorted(tools.items())]


def test_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    a = {"id": "a", "function": {"name": "f", "arguments": '{"x":'}}
    b = {"id": "b", "function": {"name": "g", "arguments": "{}"}}
    more = {"function": {"arguments": "1}"}}
    assert made(streamed("mistral", call(**a), call(**more), call(**b))) == [
        ("a", "f", '{"x":1}'),
        ("b", "g", "{}"),
    ]


def test_calls_that_all_have_the_same_index_are_told_apart_by_their_ids() -> None:
    a = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    b = {"index": 0, "id": "b", "function": {"name": "g", "arguments": ""}}
    c = {"index": 1, "id": "c", "function": {"name": "h", "arguments": "{}"}}
    assert made(streamed("tgi", call(**a), call(**b), tool_piece(0, "[]"), call(**c))) == [
        ("a", "f", "{}"),
        ("b", "g", "[]"),
        ("c", "h", "{}"),
    ]


def test_an_id_that_is_repeated_begins_no_new_call() -> None:
    again = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "1"}}
    assert made(streamed("groq", call(**again), call(**again))) == [("a", "f", "11")]


def test_arguments_may_come_as_an_object() -> None:
    given = {"index": 0, "id": "a", "function": {"name": "f", "arguments": {"x": 1}}}
    assert made(streamed("tgi", call(**given))) == [("a", "f", '{"x":1}')]
