"""Anthropic's responses, streamed and whole, are decoded to events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import MsgspecError

from headway.errors import UpstreamError, UpstreamOverloaded
from headway.events import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    Reasoning,
    ReasoningDetail,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.providers.anthropic.provider import PROVIDER
from headway.providers.anthropic.response import decode_event, decode_response
from headway.types import Frame, Usage
from headway.wire.sse import SseFramer
from support.for_each import for_each

STARTED = Started("msg_1", "claude-opus-5", service_tier="default")
COUNTED = {"input_tokens": 3, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 5,
           "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 4},
           "output_tokens": 1, "service_tier": "standard"}  # fmt: skip
PROMPT = Usage(input_tokens=18, cache_read_tokens=10, cache_write_tokens=5, cache_write_1h_tokens=4)
TOTAL = Usage(
    input_tokens=18,
    output_tokens=7,
    cache_read_tokens=10,
    cache_write_tokens=5,
    cache_write_1h_tokens=4,
    reasoning_tokens=2,
)
SHOWN = {
    "prompt_tokens": 18,
    "completion_tokens": 7,
    "total_tokens": 25,
    "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
LAST_COUNT = {"output_tokens": 7, "output_tokens_details": {"thinking_tokens": 2}}


def start(usage: Any = COUNTED) -> dict[str, Any]:
    message = {"id": "msg_1", "model": "claude-opus-5", "content": [], "usage": usage}
    return {"type": "message_start", "message": message}


def opened(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def closed(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def ended(reason: str | None, usage: Any = LAST_COUNT, **more: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **more}, "usage": usage}


STOP = {"type": "message_stop"}
PING = {"type": "ping"}


def stream(*events: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode())
        for event in events
    )


def read(body: bytes, size: int) -> list[Event]:
    framer, state = SseFramer(), {}  # type: ignore[var-annotated]
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    return [event for frame in frames + framer.end() for event in decode_event(frame, state)]


SIGNED = ReasoningDetail({"type": "reasoning.text", "text": "Let us", "signature": "S",
                          "format": "anthropic-claude-v1", "index": 0})  # fmt: skip
HIDDEN = ReasoningDetail({"type": "reasoning.encrypted", "data": "E",
                          "format": "anthropic-claude-v1", "index": 0})  # fmt: skip
PAGE = {"type": "web_search_result_location", "url": "https://a.example", "title": "A",
        "encrypted_index": "X", "cited_text": "a"}  # fmt: skip
SEARCH = {"type": "search_result_location", "source": "https://b.example", "title": None}
LETTER = {"type": "char_location", "document_index": 0, "source": 7}
SPAN = {"start_index": 3, "end_index": 5}
FOUND = ExtraFields(
    {
        "citations": [{**PAGE, **SPAN}, {**SEARCH, **SPAN}, {**LETTER, **SPAN}],
        "annotations": [
            {
                "type": "url_citation",
                "url_citation": {"url": "https://a.example", "title": "A", **SPAN},
            },
            {
                "type": "url_citation",
                "url_citation": {"url": "https://b.example", "title": "", **SPAN},
            },
        ],
    }
)
SERVED = {"type": "server_tool_use", "id": "s", "name": "web_search"}
RESULT = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "u"}]}

# what it shows, the stream between its start and its end, the whole message's content, the events
BLOCKS: list[tuple[str, list[dict[str, Any]], list[Any], list[Event]]] = [
    ("no blocks", [PING], [], []),
    (
        "a text in pieces, and an empty text",
        [opened(0, type="text", text=""), PING, delta(0, type="text_delta", text="He"),
         delta(0, type="text_delta", text=""), delta(0, type="text_delta", text="y"), closed(0)],
        [{"type": "text", "text": "Hey"}],
        [Text("He"), Text("y")],
    ),
    (
        "thinking and its signature",
        [opened(0, type="thinking", thinking="", signature=""),
         delta(0, type="thinking_delta", thinking="Let"),
         delta(0, type="thinking_delta", thinking=" us"),
         delta(0, type="signature_delta", signature="S"), closed(0)],
        [{"type": "thinking", "thinking": "Let us", "signature": "S"}],
        [Reasoning("Let"), Reasoning(" us"), SIGNED],
    ),
    (
        "encrypted thinking",
        [opened(0, type="redacted_thinking", data="E"), closed(0)],
        [{"type": "redacted_thinking", "data": "E"}],
        [HIDDEN],
    ),
    (
        "two tool calls, one without arguments",
        [opened(0, type="tool_use", id="a", name="f", input={}),
         delta(0, type="input_json_delta", partial_json=""),
         delta(0, type="input_json_delta", partial_json='{"x":'),
         delta(0, type="input_json_delta", partial_json="1}"), closed(0),
         opened(1, type="tool_use", id="b", name="g", input={}),
         delta(1, type="input_json_delta", partial_json=""), closed(1)],
        [{"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
         {"type": "tool_use", "id": "b", "name": "g", "input": {}}],
        [ToolStarted(0, "a", "f"), ToolArguments(0, '{"x":'), ToolArguments(0, "1}"),
         ToolStarted(1, "b", "g"), ToolArguments(1, "{}")],
    ),
    (
        "citations, with their place in the text",
        [opened(0, type="text", text=""), delta(0, type="text_delta", text="Oh "), closed(0),
         opened(1, type="text", text="", citations=[]),
         delta(1, type="citations_delta", citation=PAGE), delta(1, type="text_delta", text="no"),
         delta(1, type="citations_delta", citation=SEARCH),
         delta(1, type="citations_delta", citation=LETTER), closed(1)],
        [{"type": "text", "text": "Oh "},
         {"type": "text", "text": "no", "citations": [PAGE, SEARCH, LETTER]}],
        [Text("Oh "), Text("no"), FOUND],
    ),
    (
        "a call of a server tool and its result",
        [opened(0, **SERVED, input={}), delta(0, type="input_json_delta", partial_json=""),
         delta(0, type="input_json_delta", partial_json='{"query": "x"}'), closed(0),
         opened(1, **RESULT), closed(1)],
        [{**SERVED, "input": {"query": "x"}}, RESULT],
        [ExtraFields({"content_blocks": [{**SERVED, "input": {"query": "x"}, "index": 0}]}),
         ExtraFields({"content_blocks": [{**RESULT, "index": 1}]})],
    ),
    (
        "blocks that do not tell their type",
        [opened(0, thinking="Let us", signature="S"), closed(0),
         opened(1, id="a", name="f", input={}),
         delta(1, type="input_json_delta", partial_json='{"x":1}'), closed(1),
         opened(2, text=""), delta(2, type="text_delta", text="Hey"), closed(2)],
        [{"thinking": "Let us", "signature": "S"}, {"id": "a", "name": "f", "input": {"x": 1}},
         {"text": "Hey"}],
        [Reasoning("Let us"), SIGNED, ToolStarted(0, "a", "f"), ToolArguments(0, '{"x":1}'),
         Text("Hey")],
    ),
    (
        "deltas of unknown types",
        [opened(0, type="text", text=""), {"type": "content_block_delta", "index": 0},
         delta(0, type="mood_delta", mood="good"), {"type": "weather", "index": 9}, closed(0)],
        [{"type": "text", "text": ""}],
        [],
    ),
]  # fmt: skip


def ended_by(events: list[Event]) -> Finished:
    """The end of a response that says ``end_turn``."""
    is_called = any(isinstance(event, ToolStarted) for event in events)
    return Finished("tool_calls" if is_called else "stop")


@for_each("size", [1, 7, 100000])
@for_each(
    ("middle", "events"), [(row[1], row[3]) for row in BLOCKS], ids=[row[0] for row in BLOCKS]
)
def test_a_stream_is_decoded_to_events(
    middle: list[dict[str, Any]], events: list[Event], size: int
) -> None:
    body = stream(start(), *middle, ended("end_turn"), STOP)
    ending = [ended_by(events), UsageReported(TOTAL, SHOWN), StreamEnd()]
    assert read(body, size) == [STARTED, UsageReported(PROMPT), *events, *ending]


def joined(events: list[Event]) -> list[Event]:
    """Consecutive pieces of one text, thinking or tool input joined into one event."""
    found: list[Event] = []
    for event in events:
        last = found[-1] if found else None
        if isinstance(event, Text) and isinstance(last, Text):
            found[-1] = Text(last.text + event.text)
        elif isinstance(event, Reasoning) and isinstance(last, Reasoning):
            found[-1] = Reasoning(last.text + event.text)
        elif isinstance(event, ToolArguments) and isinstance(last, ToolArguments):
            found[-1] = ToolArguments(event.tool, last.text + event.text)
        else:
            found.append(event)
    return found


@pytest.mark.parametrize(
    ("content", "events"), [(row[2], row[3]) for row in BLOCKS], ids=[row[0] for row in BLOCKS]
)
def test_a_whole_message_gives_the_events_of_its_stream(
    content: list[Any], events: list[Event]
) -> None:
    whole = {"type": "message", "id": "msg_1", "model": "claude-opus-5", "content": content,
             "stop_reason": "end_turn", "usage": {**COUNTED, **LAST_COUNT}}  # fmt: skip
    body = json.dumps(whole, separators=(",", ":")).encode()
    ending = [ended_by(events), UsageReported(TOTAL, SHOWN), StreamEnd()]
    assert joined(decode_response(body)) == [STARTED, *joined(events), *ending]


# the delta, the finish reason, the extra fields
ENDS: list[tuple[dict[str, Any], str, dict[str, Any] | None]] = [
    ({"reason": "end_turn"}, "stop", None),
    ({"reason": "max_tokens"}, "length", None),
    ({"reason": "tool_use", "stop_sequence": None}, "tool_calls", None),
    ({"reason": "stop_sequence", "stop_sequence": "END"}, "stop",
     {"native_finish_reason": "stop_sequence", "stop_sequence": "END"}),
    ({"reason": "pause_turn"}, "stop", {"native_finish_reason": "pause_turn"}),
    ({"reason": "refusal", "stop_details": {"type": "refusal", "category": "bio"}},
     "content_filter",
     {"native_finish_reason": "refusal",
      "stop_details": {"type": "refusal", "category": "bio"}}),
    ({"reason": "model_context_window_exceeded"}, "length",
     {"native_finish_reason": "model_context_window_exceeded"}),
    ({"reason": "new_moon"}, "stop", {"native_finish_reason": "new_moon"}),
    ({"reason": "end_turn", "container": {"id": "c"}}, "stop", {"container": {"id": "c"}}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("stop", "reason", "given"), ENDS, ids=[f"{row[0]['reason']} {len(row[0])}" for row in ENDS]
)
def test_every_stop_reason_has_a_finish_reason(
    stop: dict[str, Any], reason: str, given: dict[str, Any] | None
) -> None:
    expected = [*([] if given is None else [ExtraFields(given)]), Finished(reason)]
    fields = dict(stop)
    streamed = read(stream(start(), ended(fields.pop("reason"), usage=None, **fields), STOP), 99)
    assert streamed[2:] == [*expected, StreamEnd()]
    whole = {"content": [], "stop_reason": stop["reason"], **fields}
    assert decode_response(json.dumps(whole).encode())[1:] == [*expected, StreamEnd()]


def test_later_counts_replace_earlier_ones_field_by_field() -> None:
    counts = {"input_tokens": 20, "cache_read_input_tokens": 0, "output_tokens": 9,
              "server_tool_use": {"web_search_requests": 1}}  # fmt: skip
    events = read(stream(start(), ended(None, LAST_COUNT), ended("end_turn", counts), STOP), 10000)
    first, second, last = (event for event in events if isinstance(event, UsageReported))
    assert first.usage == PROMPT
    assert second == UsageReported(TOTAL, SHOWN)
    assert last.usage == Usage(
        input_tokens=35,
        output_tokens=9,
        cache_read_tokens=10,
        cache_write_tokens=5,
        cache_write_1h_tokens=4,
        reasoning_tokens=2,
        web_searches=1,
    )
    assert last.openai_usage["server_tool_use"] == {"web_search_requests": 1}


def test_a_missing_count_is_unknown() -> None:
    events = read(stream(start(None), ended("end_turn", {"output_tokens": 9}), STOP), 10000)
    first, last = (event for event in events if isinstance(event, UsageReported))
    assert first.usage == Usage()
    assert last.usage == Usage(output_tokens=9)
    assert (last.openai_usage["prompt_tokens"], last.openai_usage["total_tokens"]) == (None, None)


def test_an_error_in_a_stream_is_decoded() -> None:
    error = {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": "req_1",
    }
    body = stream(start(), opened(0, type="text", text=""), error)
    last = read(body, 10000)[-1]
    assert isinstance(last, Failed)
    assert isinstance(last.error, UpstreamOverloaded)
    assert last.error.request_id == "req_1"


def test_an_error_in_a_whole_response_is_decoded() -> None:
    body = b'{"type":"error","error":{"type":"api_error","message":"Oh"}}'
    (failed,) = decode_response(body)
    assert isinstance(failed, Failed)
    assert type(failed.error) is UpstreamError
    assert failed.error.code == "api_error"


def test_comments_and_empty_events_give_no_events() -> None:
    assert read(b": hello\n\ndata:\n\n", 99) == []


@pytest.mark.parametrize("body", [b"{}", b"[]", b"{", b'{"content":null}'])
def test_a_malformed_message_raises(body: bytes) -> None:
    with pytest.raises((ValueError, MsgspecError)):
        decode_response(body)


SIGNED_FIELDS = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 3}
CITED = {"type": "web_search_result_location", "url": "https://a.example", "title": "A"}
LINK = {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 0}

# events of a block that was never opened, and what is read of them
UNOPENED: list[tuple[list[dict[str, Any]], list[Event]]] = [
    ([closed(3)], []),
    ([delta(3, type="text_delta", text="a"), closed(3)], [Text("a")]),
    (
        [
            delta(3, type="thinking_delta", thinking="a"),
            delta(3, type="signature_delta", signature="S"),
            closed(3),
        ],
        [Reasoning("a"), ReasoningDetail({**SIGNED_FIELDS, "text": "a", "signature": "S"})],
    ),
    (
        [delta(3, type="citations_delta", citation=CITED), closed(3)],
        [
            ExtraFields(
                {
                    "citations": [{**CITED, "start_index": 0, "end_index": 0}],
                    "annotations": [{"type": "url_citation", "url_citation": LINK}],
                }
            )
        ],
    ),
    ([delta(3, type="input_json_delta", partial_json="{}"), closed(3)], []),
    ([delta(3, type="new_delta", more=1)], []),
    ([{"type": "content_block_start", "index": 3}, closed(3)], []),
    ([{"type": "content_block_delta", "index": 3}, closed(3)], []),
    ([{"type": "content_block_start", "index": 3, "content_block": []}], []),
    ([{"kind": "none"}], []),
    ([{"type": "new"}, {"type": 7}], []),
]


@for_each(("events", "read_events"), UNOPENED, ids=range(len(UNOPENED)))
def test_a_block_that_was_never_opened_is_read_as_far_as_it_is_known(
    events: list[dict[str, Any]], read_events: list[Event]
) -> None:
    body = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)
    assert read(body, 99) == read_events


def test_the_input_of_a_server_tool_that_was_cut_off_is_kept_as_a_text() -> None:
    events = [opened(0, **SERVED), delta(0, partial_json='{"query'), closed(0)]
    body = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)
    block = {**SERVED, "input": '{"query', "index": 0}
    assert read(body, 99) == [ExtraFields({"content_blocks": [block]})]


def test_the_provider_uses_these_decoders() -> None:
    assert PROVIDER.decode_event is decode_event
    assert PROVIDER.decode_response is decode_response


def test_the_end_mark_of_another_wire_format_is_one() -> None:
    assert decode_event(Frame(b"[DONE]", None, b""), {}) == [StreamEnd()]


def test_the_end_tells_the_service_tier() -> None:
    counts = {"output_tokens": 9, "service_tier": "priority"}
    events = read(stream(start(), ended("end_turn", counts), STOP), 10000)
    assert ServiceTierReported("priority") in events


@pytest.mark.parametrize("counts", [{}, {"input_tokens": 0, "output_tokens": 0}])
def test_counts_that_tell_nothing_erase_nothing(counts: dict[str, int]) -> None:
    events = read(stream(start(), ended(None), ended("end_turn", counts), STOP), 10000)
    last = [event for event in events if isinstance(event, UsageReported)][-1]
    assert last.usage == TOTAL
