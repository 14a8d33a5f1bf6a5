from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from headway.events import (
    BodyReceived,
    Event,
    ExtraFields,
    Failed,
    Finished,
    Logprobs,
    PieceReceived,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Rewritten,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.providers.openai import response as openai_response
from headway.response_accumulator import ResponseAccumulator
from headway.types import Frame, Transformation, Usage
from support.for_each import for_each


def fold(*events: Event) -> ResponseAccumulator:
    answer = ResponseAccumulator()
    answer.add(list(events))
    return answer


EMPTY = {"content": "", "role": "assistant", "function_call": None, "tool_calls": None}
CALL = {"id": "1", "type": "function", "function": {"name": "a", "arguments": '{"x":1}'}}

# what it shows, events, the message, what was said
MESSAGES: list[tuple[str, list[Event], dict[str, Any], str]] = [
    ("nothing", [Finished("stop")], EMPTY, ""),
    ("text", [Text("a"), Text("b")], {**EMPTY, "content": "ab"}, "ab"),
    (
        "reasoning and text",
        [Reasoning("h"), Reasoning("m"), Text("a")],
        {**EMPTY, "content": "a", "reasoning_content": "hm"},
        "a",
    ),
    (
        "reasoning alone",
        [Reasoning("hm")],
        {**EMPTY, "reasoning_content": "hm"},
        "",
    ),
    (
        "a refusal",
        [Refusal("N"), Refusal("o")],
        {**EMPTY, "content": None, "refusal": "No"},
        "No",
    ),
    (
        "a tool call",
        [ToolStarted(0, "1", "a"), ToolArguments(0, '{"x"'), ToolArguments(0, ":1}")],
        {**EMPTY, "content": None, "tool_calls": [CALL]},
        '{"x":1}',
    ),
    (
        "tool calls in turns",
        [
            ToolStarted(0, "1", "a"),
            ToolStarted(1, "2", "b"),
            ToolArguments(1, "{}"),
            ToolArguments(0, '{"x":1}'),
        ],
        {
            **EMPTY,
            "content": None,
            "tool_calls": [
                CALL,
                {"id": "2", "type": "function", "function": {"name": "b", "arguments": "{}"}},
            ],
        },
        '{"x":1}\n{}',
    ),
    (
        "text and a tool call",
        [Text("Wait"), ToolStarted(0, "1", "a"), ToolArguments(0, '{"x":1}')],
        {**EMPTY, "content": "Wait", "tool_calls": [CALL]},
        "Wait",
    ),
    (
        "a function call",
        [ToolStarted(0, "", "a", legacy=True), ToolArguments(0, "{}", legacy=True)],
        {**EMPTY, "content": None, "function_call": {"name": "a", "arguments": "{}"}},
        "{}",
    ),
    (
        "arguments of a call that never began",
        [ToolArguments(0, "{}")],
        {
            **EMPTY,
            "content": None,
            "tool_calls": [
                {"id": "", "type": "function", "function": {"name": "", "arguments": "{}"}}
            ],
        },
        "{}",
    ),
    (
        "audio in pieces",
        [
            ExtraFields({"audio": {"id": "a1", "data": "UkZ", "transcript": "H"}}),
            ExtraFields({"audio": {"data": "GRg", "transcript": "i"}}),
            ExtraFields({"audio": {"expires_at": 7}}),
        ],
        {
            **EMPTY,
            "audio": {"id": "a1", "data": "UkZGRg", "transcript": "Hi", "expires_at": 7},
        },
        "",
    ),
    (
        "annotations in pieces",
        [ExtraFields({"annotations": [1]}), ExtraFields({"annotations": [2, 3]})],
        {**EMPTY, "annotations": [1, 2, 3]},
        "",
    ),
    (
        "a field of its own",
        [ExtraFields({"mood": 1}), ExtraFields({"mood": 2})],
        {**EMPTY, "mood": 2},
        "",
    ),
    (
        "blocks of reasoning",
        [ReasoningDetail({"a": 1}), ReasoningDetail({"b": 2})],
        {**EMPTY, "reasoning_details": [{"a": 1}, {"b": 2}]},
        "",
    ),
]  # fmt: skip


@for_each(
    ("events", "message", "output"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES]
)
def test_events_accumulate_to_a_message(
    events: list[Event], message: dict[str, Any], output: str
) -> None:
    answer = fold(*events)
    assert answer.choices[0].message() == message
    assert answer.output() == output


def test_choices_do_not_mix() -> None:
    answer = fold(Text("a", 0), Text("x", 1), Text("b", 0), Finished("stop", 1))
    assert [answer.choices[i].message()["content"] for i in (0, 1)] == ["ab", "x"]
    assert answer.output() == "ab"
    assert answer.finish_reason is None
    assert not answer.is_finished
    answer.add([Finished("length", 0)])
    assert answer.is_finished
    assert answer.finish_reason == "length"


def test_a_response_without_events_is_not_finished() -> None:
    answer = fold(Started(), StreamEnd())
    assert (answer.is_finished, answer.finish_reason, answer.output()) == (False, None, "")
    assert answer.done


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([Text("a")], "stop"),
        ([Text("a"), ToolStarted(0, "id", "f")], "tool_calls"),
        ([ToolStarted(0, "", "f", legacy=True)], "function_call"),
    ],
)
@pytest.mark.parametrize("end", [StreamEnd(), Finished(None)])
def test_the_reason_of_an_end_without_one_is_inferred_and_told(
    events: list[Event], reason: str, end: Event
) -> None:
    answer = fold(*events, end)
    assert (answer.is_finished, answer.finish_reason, answer.inferred) == (True, reason, {0})
    told = f"emulated finish_reason: {reason}, because the provider gave none"
    assert [str(each) for each in answer.transformations] == [told]


def test_each_choice_without_a_reason_gets_one_at_the_end_mark() -> None:
    answer = fold(Text("a"), Finished("length"), ToolStarted(0, "id", "f", 1), Text("b", 2))
    answer.add([StreamEnd()])
    reasons = [answer.choices[index].finish_reason for index in (0, 1, 2)]
    assert reasons == ["length", "tool_calls", "stop"]
    assert answer.inferred == {1, 2}
    assert "tool_calls, stop, because" in str(answer.transformations[0])


def test_a_given_reason_is_not_told() -> None:
    assert fold(Text("a"), Finished("stop"), StreamEnd()).transformations == ()


@pytest.mark.parametrize(
    ("reasons", "kept"),
    [
        (["stop", "length"], "length"),
        (["length", "stop"], "length"),
        (["tool_calls", None], "tool_calls"),
        ([None, "length"], "length"),
        (["length", "content_filter"], "content_filter"),
    ],
)
def test_the_last_reason_that_is_more_than_a_stop_counts(
    reasons: list[str | None], kept: str
) -> None:
    answer = fold(*(Finished(reason) for reason in reasons))
    assert (answer.finish_reason, answer.inferred) == (kept, set())


def test_a_response_without_its_first_choice_has_no_output() -> None:
    assert fold(Text("x", 1)).output() == ""


def test_the_last_usage_counts() -> None:
    assert fold(Started()).reported() == Usage()
    seen = [UsageReported(Usage(output_tokens=n)) for n in (1, 2)]
    assert fold(*seen).reported() == Usage(output_tokens=2)


FULL = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4}}  # fmt: skip


def report(shown: Any, *, raw: bool = True, **counts: int) -> UsageReported:
    return UsageReported(Usage(**counts), Raw(msgspec.json.encode(shown)) if raw else shown)


@for_each("raw", [False, True])
@for_each(
    ("shown", "counts"),
    [
        ({"total_tokens": 15}, {}),
        ({"total_tokens": 10}, {}),
        ({"prompt_tokens_details": {"cached_tokens": 0}}, {"cache_read_tokens": 0}),
        ({}, {}),
        (
            {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
            {"input_tokens": 0, "output_tokens": 0},
        ),
        ({"prompt_tokens": None, "prompt_tokens_details": None}, {}),
    ],
)
def test_a_poorer_usage_erases_nothing(
    shown: dict[str, Any], counts: dict[str, int], raw: bool
) -> None:
    full = report(FULL, raw=raw, input_tokens=10, output_tokens=5, cache_read_tokens=4)
    answer = fold(full, report(shown, raw=raw, **counts))
    assert answer.is_usage_merged
    assert answer.reported() == Usage(input_tokens=10, output_tokens=5, cache_read_tokens=4)
    assert answer.usage is not None
    assert answer.usage.openai_usage == FULL


def test_a_later_usage_that_tells_everything_is_kept_as_it_came() -> None:
    full = report(FULL, input_tokens=10, output_tokens=5, cache_read_tokens=4)
    answer = fold(report({"prompt_tokens": 10}, input_tokens=10), full)
    assert answer.usage is full
    assert not answer.is_usage_merged


def test_many_reports_of_usage_are_merged_while_they_come() -> None:
    reports = [report({"completion_tokens": n}, output_tokens=n) for n in range(1, 200)]
    answer = fold(report(FULL, input_tokens=10), *reports)
    assert answer.reported() == Usage(input_tokens=10, output_tokens=199)
    assert answer.usage is not None
    assert answer.usage.openai_usage["total_tokens"] == 209


@pytest.mark.parametrize(
    ("events", "tier"),
    [
        ([Started(service_tier="flex")], "flex"),
        ([Started(service_tier="flex"), ServiceTierReported("default")], "default"),
        ([Started(service_tier="flex"), Started()], "flex"),
        ([Started()], None),
    ],
)
def test_the_last_service_tier_that_is_told_counts(events: list[Event], tier: str | None) -> None:
    assert fold(*events).summary().service_tier == tier


def test_that_a_frame_was_rewritten_is_no_content() -> None:
    response = ResponseAccumulator()
    assert not response.add([Rewritten()])
    assert not response.choices


def test_a_failure_is_kept() -> None:
    error = ValueError("died")
    assert fold(Text("a"), Failed(error)).failed is error


def test_all_that_was_produced_is_counted() -> None:
    answer = fold(
        Text("text"),
        Reasoning("thought"),
        Refusal("no"),
        ToolStarted(0, "id-1", "name"),
        ToolArguments(0, "{}"),
        Text("more", 1),
    )
    assert answer.produced() == "thoughttextnoname{}more"


def test_logprobs_of_the_pieces_are_those_of_the_whole() -> None:
    pieces: list[Event] = [
        Logprobs({"content": None, "refusal": None}),
        Logprobs({"content": [1], "refusal": None}),
        Logprobs({"content": [2, 3], "refusal": None}),
        Logprobs({"content": None}),
    ]
    assert fold(*pieces).choices[0].logprobs == {"content": [1, 2, 3], "refusal": None}


def test_logprobs_grow_in_place_and_their_pieces_stay_as_they_were() -> None:
    answer = fold(Logprobs({"content": None}), first := Logprobs({"content": [1]}))
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    grown = logprobs["content"]
    answer.add([Logprobs({"content": [2]})])
    assert logprobs["content"] is grown
    assert (grown, first.value) == ([1, 2], {"content": [1]})


# --- A whole answer and the stream that it might have been fold into the same. --------------------

TEXT = st.text(min_size=1, max_size=12)
PIECES = st.lists(TEXT, max_size=4)
TOOLS = st.lists(st.tuples(TEXT, PIECES), max_size=3)
FINISH = st.sampled_from(["stop", "length", "tool_calls", "content_filter"])
CHOICE = st.fixed_dictionaries(
    {"content": PIECES, "reasoning": PIECES, "refusal": PIECES, "tools": TOOLS, "finish": FINISH}
)
CHOICES = st.lists(CHOICE, min_size=1, max_size=3)


def whole(choices: list[dict[str, Any]]) -> bytes:
    """The completion as one body."""
    return json.dumps(
        {
            "id": "c",
            "model": "m",
            "created": 1,
            "choices": [
                {"index": index, "message": message(choice), "finish_reason": choice["finish"]}
                for index, choice in enumerate(choices)
            ],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        }
    ).encode()


def message(choice: dict[str, Any]) -> dict[str, Any]:
    return {
        "content": "".join(choice["content"]) or None,
        "reasoning_content": "".join(choice["reasoning"]) or None,
        "refusal": "".join(choice["refusal"]) or None,
        "tool_calls": [
            {"id": f"call_{i}", "function": {"name": name, "arguments": "".join(pieces)}}
            for i, (name, pieces) in enumerate(choice["tools"])
        ]
        or None,
    }


def deltas(choice: dict[str, Any]) -> list[dict[str, Any]]:
    """The same choice in pieces."""
    found: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    found += [{"reasoning_content": piece} for piece in choice["reasoning"]]
    found += [{"content": piece} for piece in choice["content"]]
    found += [{"refusal": piece} for piece in choice["refusal"]]
    for i, (name, pieces) in enumerate(choice["tools"]):
        function = {"name": name, "arguments": ""}
        found.append({"tool_calls": [{"index": i, "id": f"call_{i}", "function": function}]})
        found += [{"tool_calls": [{"index": i, "function": {"arguments": p}}]} for p in pieces]
    return found


def streamed(choices: list[dict[str, Any]]) -> list[bytes]:
    head = {"id": "c", "model": "m", "created": 1}
    chunks: list[dict[str, Any]] = []
    for index, choice in enumerate(choices):
        chunks += [{"choices": [{"index": index, "delta": delta}]} for delta in deltas(choice)]
        last = {"index": index, "delta": {}, "finish_reason": choice["finish"]}
        chunks.append({"choices": [last]})
    chunks.append({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    return [json.dumps({**head, **chunk}).encode() for chunk in chunks] + [b"[DONE]"]


@given(CHOICES)
def test_a_complete_response_accumulates_like_its_stream(choices: list[dict[str, Any]]) -> None:
    of_whole, of_stream = ResponseAccumulator(), ResponseAccumulator()
    of_whole.add(openai_response.decode_response(whole(choices)))
    state: dict[str, Any] = {}
    for data in streamed(choices):
        of_stream.add(openai_response.decode_event(Frame(data, None, data), state))
    for index in range(len(choices)):
        one, other = of_whole.choices[index], of_stream.choices[index]
        assert one.message() == other.message()
        assert one.finish_reason == other.finish_reason
    assert of_whole.output() == of_stream.output()
    assert sorted(of_whole.produced()) == sorted(of_stream.produced())
    assert of_whole.reported() == of_stream.reported()
    assert of_whole.started == of_stream.started
    assert of_whole.done
    assert of_stream.done


def test_the_body_of_a_response_that_is_passed_on_is_kept_and_its_pieces_are_not() -> None:
    response = ResponseAccumulator()
    assert response.body == b""
    assert response.add([PieceReceived()])
    assert response.add([BodyReceived(b"{}"), Finished("stop")])
    assert (response.body, response.is_finished) == (b"{}", True)


def test_what_the_gateway_did_with_a_response_is_listed_with_what_it_supplied() -> None:
    response = ResponseAccumulator()
    note = Transformation("emulated", "messages", "the rest by another")
    response.notes = (note,)
    assert response.transformations == (note,)
    response.add([Text("Hi"), StreamEnd()])
    assert [each.parameter for each in response.transformations] == ["finish_reason", "messages"]
