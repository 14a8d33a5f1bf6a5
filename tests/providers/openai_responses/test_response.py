"""Responses of the Responses API, streamed and whole."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Raw

from headway.events import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Refusal,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.providers.openai_responses.provider import PROVIDER
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Frame, Target, Usage
from support.for_each import for_each

FORMAT = "openai-responses-v1"
HEAD = {"id": "resp_1", "model": "gpt-5-2025", "created_at": 1700000000.0, "service_tier": "auto"}
STARTED = Started("resp_1", "gpt-5-2025", 1700000000)
USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2, "audio_tokens": 1},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0},
    "total_tokens": 17,
    "cost": 0.5,
}
REPORTED = UsageReported(
    Usage(
        input_tokens=10,
        output_tokens=7,
        cache_read_tokens=4,
        cache_write_tokens=2,
        reasoning_tokens=3,
        input_audio_tokens=1,
        output_audio_tokens=0,
        cost_usd=Decimal("0.5"),
    ),
    {
        "prompt_tokens": 10,
        "prompt_tokens_details": USAGE["input_tokens_details"],
        "completion_tokens": 7,
        "completion_tokens_details": USAGE["output_tokens_details"],
        "total_tokens": 17,
        "cost": 0.5,
    },
)


def read(*events: Any) -> list[Event]:
    state: dict[str, Any] = {}
    frames = [Frame(json.dumps(event).encode(), event.get("type"), b"") for event in events]
    return [event for frame in frames for event in PROVIDER.decode_event(frame, state)]


def event(kind: str, **fields: Any) -> Any:
    return {"type": f"response.{kind}", "sequence_number": 1, "obfuscation": "x", **fields}


def created(**fields: Any) -> Any:
    return event("created", response={**HEAD, "status": "in_progress", "output": [], **fields})


def ended(kind: str = "completed", **fields: Any) -> Any:
    return event(kind, response={**HEAD, "status": kind, "output": [], **fields})


def added(index: int, **item: Any) -> Any:
    return event("output_item.added", output_index=index, item=item)


def done(index: int, **item: Any) -> Any:
    return event("output_item.done", output_index=index, item=item)


def delta(kind: str, text: str, index: int = 0, **fields: Any) -> Any:
    return event(f"{kind}.delta", delta=text, output_index=index, **fields)


def message(*texts: str, **fields: Any) -> Any:
    parts = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": parts, **fields}


CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": ""}
LOGPROBS = [{"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}]
SEARCH = {"type": "web_search_call", "id": "ws_1", "action": {"query": "x"}}
STREAMS: dict[str, tuple[list[Any], list[Event]]] = {
    "one start": (
        [created(), event("in_progress", response=HEAD), event("queued", response=HEAD)],
        [STARTED],
    ),
    "a start without response.created": ([event("in_progress", response=HEAD)], [STARTED]),
    "text": (
        [
            added(0, **message()),
            event("content_part.added", output_index=0, part={"type": "output_text", "text": ""}),
            delta("output_text", "", logprobs=[]),
            delta("output_text", "Hel", logprobs=[]),
            delta("output_text", "lo"),
            event("output_text.done", output_index=0, text="Hello"),
            done(0, **message("Hello")),
        ],
        [Text("Hel"), Text("lo")],
    ),
    "text with log probabilities": (
        [
            delta("output_text", "Hi", logprobs=LOGPROBS),
            done(0, type="message", content=[{"text": "Hi", "logprobs": LOGPROBS}]),
        ],
        [Text("Hi"), Logprobs({"content": LOGPROBS})],
    ),
    "a call whose name comes at its end": (
        [
            added(0, type="function_call", call_id="call_1"),
            delta("function_call_arguments", "{"),
            delta("function_call_arguments", "}"),
            done(0, **CALL),
        ],
        [ToolStarted(0, "call_1", "f"), ToolArguments(0, "{}")],
    ),
    "text only at the end of the item": ([done(0, **message("Hello"))], [Text("Hello")]),
    "a refusal": (
        [
            delta("refusal", ""),
            delta("refusal", "No."),
            done(0, type="message", content=[{"type": "refusal", "refusal": "No."}]),
        ],
        [Refusal("No.")],
    ),
    "a refusal only at the end of the item": (
        [done(0, type="message", content=[{"type": "refusal", "refusal": "No."}])],
        [Refusal("No.")],
    ),
    "log probabilities only at the end of the item": (
        [
            delta("output_text", "Hi"),
            done(0, type="message", content=[{"text": "Hi", "logprobs": LOGPROBS}]),
        ],
        [Text("Hi"), Logprobs({"content": LOGPROBS})],
    ),
    "a function call": (
        [
            added(1, **CALL),
            delta("function_call_arguments", '{"a"', 1),
            delta("function_call_arguments", "", 1),
            delta("function_call_arguments", ":1}", 1),
            event("function_call_arguments.done", output_index=1, arguments='{"a":1}'),
            done(1, **{**CALL, "arguments": '{"a":1}'}),
        ],
        [ToolStarted(0, "call_1", "f"), ToolArguments(0, '{"a"'), ToolArguments(0, ":1}")],
    ),
    "arguments only at the end of the item": (
        [added(0, **CALL), done(0, **{**CALL, "arguments": {"a": 1}})],
        [ToolStarted(0, "call_1", "f"), ToolArguments(0, '{"a":1}')],
    ),
    "a call in a namespace": (
        [done(0, **{**CALL, "arguments": "{}", "namespace": "ns"})],
        [
            ToolStarted(0, "call_1", "f"),
            ExtraFields({"tool_namespaces": {"call_1": "ns"}}),
            ToolArguments(0, "{}"),
        ],
    ),
    "a call of a custom tool": (
        [
            added(0, type="custom_tool_call", call_id="call_1", name="sql", input=""),
            delta("custom_tool_call_input", "SEL"),
            done(0, type="custom_tool_call", call_id="call_1", name="sql", input="SEL"),
            done(1, type="custom_tool_call", id="ctc_2", name="sql", input="ECT"),
        ],
        [
            ToolStarted(0, "call_1", "sql"),
            ToolArguments(0, "SEL"),
            ToolStarted(1, "ctc_2", "sql"),
            ToolArguments(1, "ECT"),
        ],
    ),
    "a reasoning summary of two paragraphs": (
        [
            delta("reasoning_summary_text", "", summary_index=0),
            delta("reasoning_summary_text", "A", summary_index=0),
            delta("reasoning_summary_text", "b", summary_index=0),
            delta("reasoning_summary_text", "C", summary_index=1),
            done(
                0,
                type="reasoning",
                id="rs_1",
                summary=[{"text": "Ab"}, {"text": "C"}],
                encrypted_content="E",
            ),
        ],
        [
            Reasoning("A"),
            Reasoning("b"),
            Reasoning("\n\nC"),
            *(
                ReasoningDetail({**value, "id": "rs_1", "format": FORMAT, "index": 0})
                for value in (
                    {"type": "reasoning.summary", "summary": "Ab"},
                    {"type": "reasoning.summary", "summary": "C"},
                    {"type": "reasoning.encrypted", "data": "E"},
                )
            ),
        ],
    ),
    "reasoning as plain text": (
        [
            delta("reasoning_text", "A", content_index=0),
            done(0, type="reasoning", id="rs_1", summary=[], content=[{"text": "A"}]),
        ],
        [
            Reasoning("A"),
            ReasoningDetail(
                {
                    "type": "reasoning.text",
                    "text": "A",
                    "id": "rs_1",
                    "format": FORMAT,
                    "index": 0,
                }
            ),
        ],
    ),
    "reasoning without text": ([done(0, type="reasoning", id="rs_1", summary=[])], []),
    "an item of another type": (
        [
            added(0, **SEARCH),
            event("web_search_call.searching", output_index=0, item_id="ws_1"),
            event("code_interpreter_call_code.delta", output_index=0, delta="1+1"),
            done(0, **SEARCH),
        ],
        [ExtraFields({"output_items": [{**SEARCH, "index": 0}]})],
    ),
    "annotations in the second of two messages": (
        [
            done(0, **message("First. ", phase="commentary")),
            delta("output_text", "Second", 1),
            done(
                1,
                type="message",
                content=[
                    {
                        "text": "Second",
                        "annotations": [
                            {
                                "type": "url_citation",
                                "url": "https://x",
                                "title": "X",
                                "start_index": 0,
                                "end_index": 6,
                            },
                            {"type": "file_citation", "file_id": "f", "index": 2},
                        ],
                    }
                ],
                phase="final_answer",
            ),
        ],
        [
            Text("First. "),
            ExtraFields({"phase": "commentary"}),
            Text("Second"),
            ExtraFields(
                {
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url_citation": {
                                "url": "https://x",
                                "title": "X",
                                "start_index": 7,
                                "end_index": 13,
                            },
                        },
                        {"type": "file_citation", "file_id": "f", "index": 2},
                    ],
                    "phase": "final_answer",
                    "output_messages": [
                        {"index": 0, "length": 7, "phase": "commentary"},
                        {"index": 1, "length": 6, "phase": "final_answer"},
                    ],
                }
            ),
        ],
    ),
    "positions without the items that are empty": (
        [
            done(0, type="reasoning", summary=[]),
            done(1, **message("")),
            done(2, type="reasoning", encrypted_content="E"),
        ],
        [
            ReasoningDetail(
                {
                    "type": "reasoning.encrypted",
                    "data": "E",
                    "id": None,
                    "format": "openai-responses-v1",
                    "index": 0,
                }
            )
        ],
    ),
    "a summary followed by plain text": (
        [
            event("reasoning_summary_text.delta", delta="S", summary_index=0),
            event("reasoning_text.delta", delta="T", content_index=0),
            event("reasoning_text.delta", delta="U", content_index=0),
        ],
        [Reasoning("S"), Reasoning("\n\nT"), Reasoning("U")],
    ),
    "an end with usage": ([ended(usage=USAGE)], [Finished("stop"), REPORTED, StreamEnd()]),
    "an end without usage": ([ended(usage=None)], [Finished("stop"), StreamEnd()]),
    "an end after calls": (
        [added(0, **CALL), done(0, **CALL), ended()],
        [
            ToolStarted(0, "call_1", "f"),
            ToolArguments(0, "{}"),
            Finished("tool_calls"),
            StreamEnd(),
        ],
    ),
    "everything in the last event": (
        [ended(output=[message("Hello")])],
        [Text("Hello"), Finished("stop"), StreamEnd()],
    ),
    "an end at the token limit": (
        [ended("incomplete", incomplete_details={"reason": "max_output_tokens"}, usage=USAGE)],
        [Finished("length"), REPORTED, StreamEnd()],
    ),
    "an end by a content filter": (
        [
            ended(
                "incomplete",
                incomplete_details={"reason": "content_filter"},
                content_filters=[{"blocked": True}],
                moderation=None,
            )
        ],
        [
            ExtraFields({"content_filters": [{"blocked": True}]}),
            Finished("content_filter"),
            StreamEnd(),
        ],
    ),
    "items without a type": (
        [
            done(0, id="rs_1", summary=[{"text": "A"}]),
            done(1, content=message("Hello")["content"]),
            done(2, **{**CALL, "type": None, "arguments": "{}"}),
            done(3),
        ],
        [
            Reasoning("A"),
            ReasoningDetail(
                {"type": "reasoning.summary", "summary": "A", "id": "rs_1", "format": FORMAT,
                 "index": 0}),
            Text("Hello"),
            ToolStarted(0, "call_1", "f"),
            ToolArguments(0, "{}"),
        ],
    ),
    "an item that is no object, and one whose place is not told": (
        [
            event("output_item.done", output_index=0, item=7),
            added(2, **CALL),
            event("output_item.done", item={**CALL, "arguments": "{}"}),
        ],
        [ToolStarted(0, "call_1", "f"), ToolArguments(0, "{}")],
    ),
    "an early end without a reason": ([ended("incomplete")], [Finished("length"), StreamEnd()]),
    "unknown events": (
        [{"type": "response.new"}, {"type": "keepalive"}, {}],
        [],
    ),
    "a delta without text": (
        [event("output_text.delta", delta=None, output_index=0)],
        [],
    ),
}  # fmt: skip


@for_each(("sent", "expected"), STREAMS.values(), ids=STREAMS)
def test_the_events_of_a_stream(sent: list[Any], expected: list[Event]) -> None:
    assert read(*sent) == expected


def test_a_frame_without_an_event_has_no_events() -> None:
    assert PROVIDER.decode_event(Frame(b"", None, b""), {}) == []


def test_the_end_mark_of_another_wire_format_is_one() -> None:
    assert PROVIDER.decode_event(Frame(b"[DONE]", None, b""), {}) == [StreamEnd()]


def whole(**fields: Any) -> list[Event]:
    return PROVIDER.decode_response(json.dumps({**HEAD, "status": "completed", **fields}).encode())


def test_a_whole_response_has_the_events_of_its_items() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [{"text": "A"}, {"text": "B"}]}
    found = whole(output=[reasoning, message("Hello"), CALL | {"arguments": "{}"}], usage=USAGE)
    assert [type(e).__name__ for e in found] == [
        "Started", "Reasoning", "ReasoningDetail", "ReasoningDetail", "Text", "ToolStarted",
        "ToolArguments", "Finished", "UsageReported", "StreamEnd",
    ]  # fmt: skip
    assert found[1] == Reasoning("A\n\nB")
    assert whole(service_tier="flex", output=[])[0] == Started(
        "resp_1", "gpt-5-2025", 1700000000, service_tier="flex"
    )
    assert whole(created_at=None, output=[])[0] == Started("resp_1", "gpt-5-2025")


def test_a_response_without_output_or_not_complete_is_an_error() -> None:
    with pytest.raises(ValueError, match="no output"):
        whole()
    (failed,) = whole(status="queued", output=[])
    assert isinstance(failed, Failed)
    assert "queued" in str(failed.error)
    cancelled = whole(status="cancelled", output=[])[1]
    assert isinstance(cancelled, Failed)
    assert "cancelled" in str(cancelled.error)


def test_a_failed_response_reports_its_usage() -> None:
    found = read(ended("failed", error={"code": "server_error", "message": "x"}, usage=USAGE))
    assert found[0] == REPORTED


def test_a_response_is_sent_back_as_the_items_that_it_was() -> None:

    sent = [
        {"type": "reasoning", "id": "rs_0", "summary": [], "encrypted_content": "E0"},
        {**CALL, "call_id": "call_1", "arguments": "{}"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "E2"},
        {**CALL, "call_id": "call_3", "arguments": "{}"},
        {**SEARCH, "id": "ws_4"},
    ]
    answer = ResponseAccumulator()
    answer.add(whole(output=sent))
    reply = json.dumps([answer.choices[0].message()]).encode()
    target = Target(provider="x", base_url="https://x/v1")
    http = PROVIDER.encode_request(ChatRequest(model="gpt-5", messages=Raw(reply)), target)
    sent = json.loads(http.body)["input"]
    assert sent == [{k: v for k, v in i.items() if (k, v) != ("id", "fc_1")} for i in sent]


@pytest.mark.parametrize("kind", ["completed", "incomplete", "failed", "cancelled"])
def test_the_end_tells_the_service_tier_that_served_the_response(kind: str) -> None:
    events = read(created(service_tier="flex"), ended(kind, service_tier="default", output=[]))
    assert events[0].service_tier == "flex"  # type: ignore[union-attr]
    assert ServiceTierReported("default") in events


def test_an_end_that_repeats_the_request_tells_no_service_tier() -> None:
    events = read(created(service_tier="flex"), ended(service_tier="auto", output=[]))
    assert not [event for event in events if type(event) is ServiceTierReported]
