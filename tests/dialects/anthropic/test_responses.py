"""Responses in Anthropic's format: whole, streamed, and passed through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.anthropic.stream_blocks import PING
from headway.dialects.anthropic.tool_names import short_name
from headway.dialects.base import ResponseContext
from headway.errors import UpstreamTruncated
from headway.events import (
    Event,
    ExtraFields,
    Finished,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.metering.metrics import Metrics
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, NativeRequest, Usage
from headway.wire.sealed_reasoning import seal
from support.dialect_samples import METRICS, NO_FRAME, context, fold
from support.for_each import for_each
from support.messages_streams import events_of

DIALECT = AnthropicMessages()
STARTED = Started("chatcmpl-1", "gpt-5-2025", 1718622757, None, "priority")
USAGE = UsageReported(Usage(input_tokens=11, cache_read_tokens=3, output_tokens=7))
CLAUDE = "anthropic-claude-v1"
SIGNED = {"type": "reasoning.text", "text": "Hm", "signature": "S", "format": CLAUDE, "index": 0}
REDACTED = {"type": "reasoning.encrypted", "data": "D", "format": CLAUDE, "index": 1}
FOREIGN = {"type": "reasoning.encrypted", "data": "E", "format": "openai-responses-v1"}
OF_CALL = {"type": "reasoning.encrypted", "data": "G", "format": "google-gemini-v1", "id": "t1"}
CALL: list[Event] = [ToolStarted(0, "t1", "weather"), ToolArguments(0, '{"city": "Bonn"}')]
TOOL_USE = {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Bonn"}}
TEXT = {"type": "text", "text": "Hello"}
SERVER_TOOL = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}}
CITATION = {"type": "char_location", "cited_text": "a", "document_index": 0}
LINK = {
    "type": "url_citation",
    "url_citation": {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 2},
}
FROM_LINK = {
    "type": "web_search_result_location",
    "cited_text": "He",
    "encrypted_index": "",
    "title": "A",
    "url": "https://a.example",
}


def thinking(text: str, signature: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": signature}


def redacted(data: str) -> dict[str, Any]:
    return {"type": "redacted_thinking", "data": data}


def whole(*events: Event, metrics: Metrics = METRICS) -> dict[str, Any]:
    body = DIALECT.encode(context(), fold(*events), metrics, 0.0)
    assert DIALECT.passes_through(body)
    return dict(json.loads(body))


# --- Whole ----------------------------------------------------------------------------------------

# events without an end -> content
CONTENTS: list[tuple[list[Event], list[dict[str, Any]]]] = [
    ([], []),
    ([Text("Hel"), Text("lo")], [TEXT]),
    ([Refusal("Hello")], [TEXT]),
    ([*CALL], [TOOL_USE]),
    (
        [ToolStarted(0, "t1", "f"), ToolArguments(0, '{"a')],
        [{**TOOL_USE, "name": "f", "input": {}}],
    ),
    ([Reasoning("Hm"), Text("Hello"), *CALL], [thinking("Hm", seal([])), TEXT, TOOL_USE]),
    ([Reasoning("Hm"), ReasoningDetail(SIGNED), Text("Hello")], [thinking("Hm", "S"), TEXT]),
    ([ReasoningDetail(REDACTED), Text("Hello")], [redacted("D"), TEXT]),
    ([ReasoningDetail({**REDACTED, "data": None})], [redacted("")]),
    (
        [ReasoningDetail({**REDACTED, "index": 0}), ReasoningDetail({**SIGNED, "index": 1})],
        [redacted("D"), thinking("Hm", "S")],
    ),
    ([Reasoning("Hm"), ReasoningDetail(FOREIGN)], [thinking("Hm", seal([FOREIGN]))]),
    ([ReasoningDetail(FOREIGN), ReasoningDetail(OF_CALL)], [redacted(seal([FOREIGN, OF_CALL]))]),
    (
        [ReasoningDetail({**SIGNED, "signature": None})],
        [redacted(seal([{**SIGNED, "signature": None}]))],
    ),
    (
        [Text("Hello"), ExtraFields({"content_blocks": [{**SERVER_TOOL, "index": 0}]})],
        [SERVER_TOOL, TEXT],
    ),
    (
        [Text("Hello"), ExtraFields({"citations": [{**CITATION, "start_index": 0}]})],
        [{**TEXT, "citations": [CITATION]}],
    ),
    ([Text("Hello"), ExtraFields({"annotations": [LINK]})], [{**TEXT, "citations": [FROM_LINK]}]),
    (
        [
            Text("Hello"),
            ExtraFields({"annotations": [{"url_citation": {}}, 7], "citations": [{"url": "x"}]}),
        ],
        [{**TEXT, "citations": [{**FROM_LINK, "cited_text": "", "title": None, "url": ""}]}],
    ),
    ([Text("Hello"), ExtraFields({"annotations": "x", "citations": "y"})], [TEXT]),
]


@for_each(("events", "content"), CONTENTS)
def test_the_content_of_a_whole_message(events: list[Event], content: list[Any]) -> None:
    message = whole(STARTED, *events, Finished("stop"), USAGE)
    assert message["content"] == content


def test_a_whole_message_has_anthropics_fields_in_their_order() -> None:
    message = whole(STARTED, Text("Hello"), Finished("stop"), USAGE)
    assert message == {
        "id": "msg_id1",
        "type": "message",
        "role": "assistant",
        "model": "gpt-5-2025",
        "content": [TEXT],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 8,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 3,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 7,
            "service_tier": "priority",
        },
    }
    assert whole(Text("Hello"), Finished("stop"))["model"] == "gpt-4o"


def test_usage_is_counted_as_anthropic_counts() -> None:
    usage = Usage(
        input_tokens=20,
        output_tokens=9,
        cache_read_tokens=5,
        cache_write_tokens=7,
        cache_write_1h_tokens=4,
        reasoning_tokens=2,
        web_searches=1,
    )
    told = whole(Text("a"), Finished("stop"), UsageReported(usage))["usage"]
    assert told == {
        "input_tokens": 8,
        "cache_creation_input_tokens": 7,
        "cache_read_input_tokens": 5,
        "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
        "output_tokens": 9,
        "service_tier": "standard",
        "output_tokens_details": {"thinking_tokens": 2},
        "server_tool_use": {"web_search_requests": 1},
    }


@pytest.mark.parametrize(("metrics", "counts"), [(METRICS, (6, 2)), (Metrics(), (0, 0))])
def test_counted_tokens_stand_in_for_unreported_ones(
    metrics: Metrics, counts: tuple[int, int]
) -> None:
    usage = whole(Text("a"), Finished("stop"), metrics=metrics)["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == counts


# events -> stop_reason, stop_sequence
STOPS: list[tuple[list[Event], str, str | None]] = [
    ([Finished("stop")], "end_turn", None),
    ([Finished("length")], "max_tokens", None),
    ([Finished("tool_calls")], "tool_use", None),
    ([Finished("function_call")], "tool_use", None),
    ([Finished("content_filter")], "refusal", None),
    ([*CALL, Finished("stop")], "tool_use", None),
    ([Refusal("no"), Finished("stop")], "refusal", None),
    ([Text("a"), Finished("something")], "end_turn", None),
    (
        [
            ExtraFields({"native_finish_reason": "stop_sequence", "stop_sequence": "END"}),
            Finished("stop"),
        ],
        "stop_sequence",
        "END",
    ),
    ([ExtraFields({"native_finish_reason": "pause_turn"}), Finished("stop")], "pause_turn", None),
    (
        [ExtraFields({"native_finish_reason": "SAFETY", "stop_sequence": 7}), Finished("stop")],
        "end_turn",
        None,
    ),
]


@for_each(("events", "reason", "sequence"), STOPS)
def test_why_a_message_ended(events: list[Event], reason: str, sequence: str | None) -> None:
    message = whole(*events)
    assert (message["stop_reason"], message["stop_sequence"]) == (reason, sequence)
    delta = events_of(stream(*events))[-2][1]
    assert delta["delta"]["stop_reason"] == reason
    assert delta["delta"]["stop_sequence"] == sequence


def test_a_response_without_a_choice_is_an_empty_message() -> None:
    message = whole(STARTED)
    assert (message["content"], message["stop_reason"]) == ([], "end_turn")
    names = [name for name, _ in events_of(stream(STARTED))]
    assert names == ["message_start", "message_delta", "message_stop"]


# --- Streams --------------------------------------------------------------------------------------


def frames(*events: Event) -> list[list[Event]]:
    return [[event] for event in events]


def stream(*events: Event, groups: list[list[Event]] | None = None, **more: Any) -> bytes:
    """The bytes of a translated stream, of which each of ``groups`` is one frame."""
    encoder = DIALECT.stream(context(**more))
    assert encoder.content_type.startswith(b"text/event-stream")
    answer = ResponseAccumulator()
    pieces = []
    for group in frames(*events) if groups is None else groups:
        answer.add(group)
        pieces.append(encoder.encode(NO_FRAME, group, 0.0) or b"")
    return b"".join([*pieces, *encoder.end(answer, METRICS, 0.0)])


def content_of(data: bytes) -> list[dict[str, Any]]:
    """The blocks that a client makes of a stream, whose order of events is checked."""
    blocks: list[dict[str, Any]] = []
    closed: set[int] = set()
    for name, event in events_of(data):
        if name == "content_block_start":
            assert event["index"] == len(blocks)
            blocks.append({**event["content_block"]})
        elif name == "content_block_delta":
            assert event["index"] not in closed
            apply(blocks[event["index"]], event["delta"])
        elif name == "content_block_stop":
            assert event["index"] not in closed
            closed.add(event["index"])
    assert closed == set(range(len(blocks)))
    for block in blocks:
        if "json" in block:
            block["input"] = json.loads(block.pop("json") or "{}")
    return blocks


def apply(block: dict[str, Any], delta: dict[str, Any]) -> None:
    kind = delta["type"]
    if kind == "citations_delta":
        block["citations"] = [*block.get("citations", ()), delta["citation"]]
    elif kind == "input_json_delta":
        block["json"] = block.get("json", "") + delta["partial_json"]
    else:
        name = kind.removesuffix("_delta")
        block[name] += delta[name]


STREAMED = [
    *CONTENTS[:4],
    *CONTENTS[5:8],
    *CONTENTS[9:14],
    *CONTENTS[14:16],
    CONTENTS[17],
]


def place_in_stream(event: Event) -> int:
    """Whole blocks come first here, and what is said of a text behind it."""
    if type(event) is not ExtraFields:
        return 1
    return 0 if "content_blocks" in event.fields else 2


@for_each(("events", "content"), STREAMED)
def test_a_stream_says_what_a_whole_message_says(events: list[Event], content: list[Any]) -> None:
    ordered = sorted(events, key=place_in_stream)
    assert content_of(stream(STARTED, *ordered, Finished("stop"), USAGE)) == content
    together: list[list[Event]] = [[STARTED, *ordered, Finished("stop"), USAGE, StreamEnd()]]
    assert content_of(stream(groups=together)) == content


def test_the_events_of_a_stream_in_their_order() -> None:
    data = stream(STARTED, Text("Hel"), Text("lo"), *CALL, Finished("tool_calls"), USAGE)
    found = events_of(data)
    assert [name for name, _ in found] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    message = found[0][1]["message"]
    assert (message["id"], message["model"], message["content"]) == ("msg_id1", "gpt-5-2025", [])
    assert message["usage"]["service_tier"] == "priority"
    assert found[1][1]["content_block"] == {"type": "text", "text": ""}
    assert found[7][1]["delta"] == {"type": "input_json_delta", "partial_json": ""}
    assert found[10][1] == {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None, "stop_details": None},
        "usage": {
            "input_tokens": 8,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 3,
            "output_tokens": 7,
        },
    }


def test_usage_that_is_known_at_the_start_is_told_there() -> None:
    data = stream(groups=[[STARTED, USAGE], [Text("a")], [Finished("stop")]])
    assert events_of(data)[0][1]["message"]["usage"]["input_tokens"] == 8


def test_parallel_calls_have_a_block_each() -> None:
    second = {**TOOL_USE, "id": "t2", "input": {}}
    calls: list[Event] = [
        *CALL,
        ToolStarted(1, "t2", "weather"),
        ToolArguments(1, "{}"),
    ]
    assert content_of(stream(STARTED, *calls, Finished("tool_calls"))) == [TOOL_USE, second]


def test_pieces_of_several_calls_may_alternate() -> None:
    mixed: list[Event] = [
        ToolStarted(0, "t1", "weather"),
        ToolArguments(0, '{"city"'),
        ToolStarted(1, "t2", "weather"),
        ToolArguments(1, '{"city":"Rome"}'),
        ToolArguments(0, ': "Bonn"}'),
        Text("Hello"),
        ToolArguments(1, " "),
    ]
    content = content_of(stream(STARTED, *mixed, Finished("tool_calls")))
    second = {**TOOL_USE, "id": "t2", "input": {"city": "Rome"}}
    assert content == [TOOL_USE, second, TEXT]


def test_other_choices_have_no_place() -> None:
    events: list[Event] = [Text("Hello"), Text("Bye", index=1), Reasoning("x", index=1)]
    assert content_of(stream(STARTED, *events, Finished("stop"))) == [TEXT]


def test_the_signature_of_a_call_stands_before_the_call() -> None:
    groups: list[list[Event]] = [[STARTED, Text("Hello")], [*CALL, ReasoningDetail(OF_CALL)]]
    assert content_of(stream(groups=groups)) == [TEXT, redacted(seal([OF_CALL])), TOOL_USE]
    late: list[list[Event]] = [
        [STARTED],
        [*CALL],
        [ReasoningDetail(OF_CALL), ReasoningDetail(FOREIGN)],
    ]
    assert content_of(stream(groups=late)) == [TOOL_USE, redacted(seal([OF_CALL, FOREIGN]))]


def test_thinking_without_a_text_has_its_signature() -> None:
    detail = ReasoningDetail({**SIGNED, "text": ""})
    assert content_of(stream(STARTED, detail, Text("Hello"))) == [thinking("", "S"), TEXT]


def test_a_citation_without_a_text_before_it_has_no_place() -> None:
    cited = ExtraFields({"citations": [CITATION]})
    assert content_of(stream(STARTED, cited, *CALL)) == [TOOL_USE]
    assert content_of(stream(STARTED, Text("Hello"), cited)) == [{**TEXT, "citations": [CITATION]}]


def test_metrics_are_in_a_ping_that_clients_ignore() -> None:
    found = events_of(stream(STARTED, Text("a"), Finished("stop"), shows_metrics=True))
    name, event = found[-2]
    assert (name, event["metrics"]["input_tokens"]) == ("ping", 6)
    assert found[-1][0] == "message_stop"


def test_a_failure_is_an_error_event() -> None:
    encoder = DIALECT.stream(context())
    [piece] = encoder.fail(UpstreamTruncated("It ended.", code="x"))
    assert events_of(piece) == [
        (
            "error",
            {
                "type": "error",
                "error": {"type": "api_error", "message": "It ended."},
                "request_id": "id-1",
            },
        )
    ]


def asked_as(request: ChatRequest) -> ResponseContext:
    about = context()
    return replace(about, call=replace(about.call, request=request))


@pytest.mark.parametrize("name", ["mcp__" + "a" * 80, "a" * 64, "weather"])
def test_a_call_has_the_clients_name_of_the_tool(name: str) -> None:
    tools = Raw(json.dumps([{"name": "other"}, {"type": "x"}, {"name": name}]).encode())
    for fields in ({"tools": tools}, {}):
        native = NativeRequest("anthropic_messages", fields)
        request = ChatRequest(model="m", messages=Raw(b"[]"), native=native)
        about = asked_as(request)
        events: list[Event] = [ToolStarted(0, "t1", short_name(name)), Finished("tool_calls")]
        body = json.loads(DIALECT.encode(about, fold(*events), METRICS, 0.0))
        wanted = name if fields else short_name(name)
        assert body["content"][0]["name"] == wanted
        piece = DIALECT.stream(about).encode(NO_FRAME, events, 0.0) or b""
        [start] = [event for kind, event in events_of(piece) if kind == "content_block_start"]
        assert start["content_block"]["name"] == wanted


def test_the_ping_of_the_first_block_is_sent_once() -> None:
    assert stream(STARTED, Text("a"), *CALL).count(PING) == 1


# --- Whole messages of the same format ------------------------------------------------------------

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [TEXT, TOOL_USE, SERVER_TOOL],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


def test_a_message_that_sdks_can_read_is_passed_through() -> None:
    assert DIALECT.passes_through(json.dumps(MESSAGE).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"type": "completion"},
        {"role": "user"},
        {"content": None},
        {"content": [{**TOOL_USE, "id": ""}]},
        {"content": [{**TOOL_USE, "input": "{}"}]},
        {"usage": {"input_tokens": 1}},
        {"stop_reason": None},
    ],
)
def test_a_message_that_sdks_cannot_read_is_encoded(changes: dict[str, Any]) -> None:
    assert not DIALECT.passes_through(json.dumps({**MESSAGE, **changes}).encode())
    assert not DIALECT.passes_through(b"{")
