"""Responses of Converse and of invoke are decoded to events: cases that no recording has."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

from headway import errors
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
from headway.providers.bedrock.provider import PROVIDER
from headway.providers.bedrock.response import (
    FINISH_REASONS,
    decode_event,
    decode_response,
)
from headway.response_accumulator import ResponseAccumulator
from headway.types import Frame, Usage
from headway.wire.aws_event_stream import EventStreamMessage
from support.event_stream_messages import encode_message
from support.for_each import for_each

Pair = tuple[str, Any]
B64 = b64encode(b"abc").decode()


def stream(*pairs: Pair) -> list[Event]:
    """The decoded events of a stream of (event type, payload), through the framer."""
    raw = b"".join(
        encode_message(
            {":event-type": name, ":message-type": "event"}, json.dumps(payload).encode()
        )
        for name, payload in pairs
    )
    state: dict[str, Any] = {}
    frames = PROVIDER.framer().feed(raw)
    return [event for frame in frames for event in decode_event(frame, state)]


def whole(*content: Any, **more: Any) -> list[Event]:
    message = {"role": "assistant", "content": list(content)}
    body = {"output": {"message": message}, "stopReason": "end_turn", **more}
    return decode_response(json.dumps(body).encode())


def delta(index: int = 0, **fields: Any) -> Pair:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": fields, "p": "abc"}


def stop(index: int = 0) -> Pair:
    return "contentBlockStop", {"contentBlockIndex": index, "p": "a"}


# --- Streams --------------------------------------------------------------------------------------

STREAMS: dict[str, tuple[list[Pair], list[Event]]] = {
    "the start has no content, and padding is ignored": (
        [("messageStart", {"role": "assistant", "p": "abc"}), delta(text=""), delta(text="a")],
        [Started(), Text("a")],
    ),
    "unknown events give no events": (
        [("surprise", {"x": 1}), ("contentBlockDelta", {"contentBlockIndex": 0}), stop(7)],
        [],
    ),
    "a tool call without arguments has {}": (
        [
            ("contentBlockStart", {"contentBlockIndex": 1, "start": {
                "toolUse": {"toolUseId": "t", "name": "f"}}}),
            delta(1, toolUse={"input": ""}),
            stop(1),
        ],
        [ToolStarted(0, "t", "f"), ToolArguments(0, "{}")],
    ),
    "tool calls are numbered apart from other blocks": (
        [
            delta(0, text="a"),
            stop(0),
            *[
                pair
                for index in (1, 2)
                for pair in (
                    ("contentBlockStart", {"contentBlockIndex": index, "start": {
                        "toolUse": {"toolUseId": f"t{index}", "name": "f"}}}),
                    delta(index, toolUse={"input": '{"a":'}),
                    delta(index, toolUse={"input": "1}"}),
                    stop(index),
                )
            ],
        ],
        [
            Text("a"),
            ToolStarted(0, "t1", "f"),
            ToolArguments(0, '{"a":'),
            ToolArguments(0, "1}"),
            ToolStarted(1, "t2", "f"),
            ToolArguments(1, '{"a":'),
            ToolArguments(1, "1}"),
        ],
    ),
    "reasoning without a signature has no detail": (
        [delta(reasoningContent={"text": "hm"}), stop()],
        [Reasoning("hm")],
    ),
    "encrypted reasoning that is not Claude's is unchanged": (
        [delta(0, reasoningContent={"redactedContent": b64encode(b"\x00\x01").decode()}), stop(),
         delta(1, reasoningContent={"redactedContent": "no base64"}), stop(1)],
        [
            ReasoningDetail({"type": "reasoning.encrypted", "data": "AAE=",
                             "format": "bedrock-converse-v1", "index": 0}),
            ReasoningDetail({"type": "reasoning.encrypted", "data": "no base64",
                             "format": "bedrock-converse-v1", "index": 1}),
        ],
    ),
    "encrypted reasoning of Claude has Anthropic's format": (
        [delta(reasoningContent={"redactedContent": b64encode(b"QUJD").decode()}), stop()],
        [
            ReasoningDetail({"type": "reasoning.encrypted", "data": "QUJD",
                             "format": "anthropic-claude-v1", "index": 0}),
        ],
    ),
    "signed reasoning without a text": (
        [delta(reasoningContent={"text": ""}), delta(reasoningContent={"signature": "s"}), stop()],
        [
            ReasoningDetail({"type": "reasoning.text", "text": "", "signature": "s",
                             "format": "anthropic-claude-v1", "index": 0}),
        ],
    ),
    "an image in pieces": (
        [
            ("contentBlockStart", {"contentBlockIndex": 0, "start": {"image": {"format": "jpeg"}}}),
            delta(image={"source": {"bytes": "QU"}}),
            delta(image={"source": {"bytes": "I="}}),
            delta(image={"error": {"message": "m"}}),
            stop(),
        ],
        [ExtraFields({"images": [
            {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,QUI="}}]})],
    ),
    "the stop sequence and requested additional fields": (
        [("messageStop", {"stopReason": "stop_sequence",
                          "additionalModelResponseFields": {"stop_sequence": "x"}})],
        [
            ExtraFields({"native_finish_reason": "stop_sequence",
                   "additional_model_response_fields": {"stop_sequence": "x"}}),
            Finished("stop"),
        ],
    ),
    "a stop without a reason, and an end without usage": (
        [("messageStop", {}), ("metadata", {"metrics": {"latencyMs": 1}})],
        [Finished(None), StreamEnd()],
    ),
    "tokens written to a cache for an hour": (
        [("metadata", {"usage": {
            "inputTokens": 1, "outputTokens": 2, "totalTokens": 33,
            "cacheReadInputTokens": 10, "cacheWriteInputTokens": 20,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 15}, {"ttl": "5m", "inputTokens": 5}],
        }})],
        [
            UsageReported(
                Usage(input_tokens=31, output_tokens=2, cache_read_tokens=10,
                      cache_write_tokens=20, cache_write_1h_tokens=15),
                {
                    "prompt_tokens": 31,
                    "completion_tokens": 2,
                    "total_tokens": 33,
                    "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 20},
                },
            ),
            StreamEnd(),
        ],
    ),
    "usage without counts": (
        [("metadata", {"usage": {}})],
        [
            UsageReported(
                Usage(),
                {
                    "prompt_tokens": None,
                    "completion_tokens": None,
                    "total_tokens": None,
                    "prompt_tokens_details": {"cached_tokens": None, "cache_write_tokens": None},
                },
            ),
            StreamEnd(),
        ],
    ),
}  # fmt: skip


@for_each("name", STREAMS)
def test_a_stream_is_decoded_to_events(name: str) -> None:
    pairs, events = STREAMS[name]
    assert stream(*pairs) == events


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("invented_yesterday", "stop"),
    ],
)
def test_every_stop_reason_has_a_finish_reason(reason: str, said: str) -> None:
    assert stream(("messageStop", {"stopReason": reason}))[-1] == Finished(said)
    assert FINISH_REASONS.get(reason, "stop") == said


def test_a_stream_without_its_metadata_is_finished_and_has_no_end_mark() -> None:
    answer = ResponseAccumulator()
    answer.add(stream(delta(text="a"), stop(), ("messageStop", {"stopReason": "end_turn"})))
    assert answer.is_finished
    assert not answer.done


@pytest.mark.parametrize("reason", ["malformed_tool_use", "malformed_model_output"])
def test_a_malformed_answer_is_a_failure_with_its_usage(reason: str) -> None:
    usage = {"inputTokens": 1, "outputTokens": 2}
    said = [delta(text="a"), stop(), ("messageStop", {"stopReason": reason})]
    for events in (
        stream(*said, ("metadata", {"usage": usage})),
        whole({"text": "a"}, stopReason=reason, usage=usage),
    ):
        answer = ResponseAccumulator()
        answer.add(events)
        assert isinstance(answer.failed, errors.UpstreamError)
        assert (answer.failed.code, answer.failed.status) == (reason, 502)
        assert reason in answer.failed.message
        assert answer.reported().output_tokens == 2
    answer = ResponseAccumulator()
    answer.add(stream(*said))
    assert not answer.is_finished


@pytest.mark.parametrize(
    ("given", "calls"), [(None, 1), ("tool_use", 1), ("a_new_one", 1), ("server_tool_use", 0)]
)
def test_only_a_server_tool_use_is_no_call_of_the_client(given: str | None, calls: int) -> None:
    call = {"toolUseId": "t", "name": "f", **({"type": given} if given else {})}
    streamed = stream(
        ("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": call}}),
        delta(toolUse={"input": "{}"}),
        stop(),
        ("messageStop", {"stopReason": "tool_use"}),
    )
    for events in (streamed, whole({"toolUse": {**call, "input": {}}}, stopReason="tool_use")):
        assert sum(isinstance(event, ToolStarted) for event in events) == calls
        assert Finished("tool_calls") in events


# --- Whole ----------------------------------------------------------------------------------------


def test_a_whole_response_has_its_service_tier_and_every_type_of_block() -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}
    call = {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}}
    picture = {"image": {"format": "png", "source": {"bytes": B64}}}
    events = whole(
        thought, {"text": "a"}, call, picture, {"audio": {}}, serviceTier={"type": "flex"}
    )
    assert events == [
        Started(service_tier="flex"),
        Reasoning("hm"),
        ReasoningDetail(
            {
                "type": "reasoning.text",
                "text": "hm",
                "signature": "s",
                "format": "anthropic-claude-v1",
                "index": 0,
            }
        ),
        Text("a"),
        ToolStarted(0, "t", "f"),
        ToolArguments(0, '{"a": 1}'),
        ExtraFields(
            {
                "images": [
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{B64}"}}
                ]
            }
        ),
        Finished("tool_calls"),
        StreamEnd(),
    ]


def test_an_image_in_s3_gives_no_events() -> None:
    events = whole({"image": {"format": "png", "source": {"s3Location": {"uri": "s3://x/y"}}}})
    assert events == [Started(), Finished("stop"), StreamEnd()]


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b'{"message":"m","__type":"x#ThrottlingException"}', errors.UpstreamRateLimited, "m"),
        (b'{"output":{}}', errors.UpstreamError, "The provider reported an error with no message."),
        (
            b'{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"}}',
            errors.UpstreamError,
            "The provider reported an error with no message.",
        ),
    ],
)
def test_an_error_with_status_200_is_decoded(body: bytes, kind: type, message: str) -> None:
    (event,) = decode_response(body)
    assert isinstance(event, Failed)
    assert type(event.error) is kind
    assert str(event.error) == message


# --- Errors inside a stream -----------------------------------------------------------------------

FAILURES: list[tuple[str, Any, type[errors.UpstreamError], str]] = [
    ("throttlingException", {"message": "slow"}, errors.UpstreamRateLimited, "slow"),
    ("modelStreamErrorException", {"originalStatusCode": 500, "originalMessage": "o"},
     errors.UpstreamError, "o"),
    ("serviceUnavailableException", {"message": "s"}, errors.UpstreamOverloaded, "s"),
    ("modelTimeoutException", {"message": "t"}, errors.UpstreamTimeout, "t"),
    ("validationException", {"message": "v"}, errors.UpstreamRejected, "v"),
    ("internalServerException", {"message": "i"}, errors.UpstreamError, "i"),
    ("someNewException", {}, errors.UpstreamError,
     "The provider reported an error with no message."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "payload", "cls", "message"), FAILURES)
def test_an_exception_message_is_decoded_as_an_error(
    kind: str, payload: Any, cls: type, message: str
) -> None:
    headers = {":exception-type": kind, ":message-type": "exception"}
    (frame,) = PROVIDER.framer().feed(encode_message(headers, json.dumps(payload).encode()))
    (event,) = decode_event(frame, {})
    assert isinstance(event, Failed)
    error = event.error
    assert type(error) is cls
    assert str(error) == message
    assert isinstance(error, errors.UpstreamError)
    assert error.code == kind[0].upper() + kind[1:]


def test_an_error_message_without_a_payload_is_decoded_as_an_error() -> None:
    headers = {":message-type": "error", ":error-code": "500", ":error-message": "boom"}
    (frame,) = PROVIDER.framer().feed(encode_message(headers, b""))
    (event,) = decode_event(frame, {})
    assert isinstance(event, Failed)
    assert str(event.error) == "boom"


# --- Invoke ---------------------------------------------------------------------------------------


def chunk(payload: Any) -> Pair:
    return "chunk", {"bytes": b64encode(json.dumps(payload).encode()).decode(), "p": "abc"}


def test_chunks_of_a_stream_of_invoke_hold_anthropics_events() -> None:
    usage = {"input_tokens": 3, "output_tokens": 1}
    start = {"id": "m", "model": "claude", "content": [], "usage": usage}
    events = stream(
        chunk({"type": "message_start", "message": start}),
        chunk({"type": "content_block_start", "index": 0,
               "content_block": {"type": "text", "text": ""}}),
        chunk({"type": "content_block_delta", "index": 0,
               "delta": {"type": "text_delta", "text": "a"}}),
        chunk({"type": "content_block_stop", "index": 0}),
        chunk({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
               "usage": {"output_tokens": 5}}),
        chunk({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3}}),
    )  # fmt: skip
    answer = ResponseAccumulator()
    answer.add(events)
    assert answer.output() == "a"
    assert answer.done
    assert answer.reported().output_tokens == 5


def test_a_plain_frame_is_decoded_by_its_event() -> None:
    frame = Frame(b'{"contentBlockIndex":0,"delta":{"text":"a"}}', "contentBlockDelta", b"")
    assert decode_event(frame, {}) == [Text("a")]
    assert not EventStreamMessage(b"", None, b"").is_failure


def test_a_whole_response_of_invoke_is_anthropics() -> None:
    body = {
        "type": "message",
        "id": "msg_bdrk_1",
        "model": "claude-x",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
    found = decode_response(json.dumps(body).encode())
    assert Text("Hi") in found
    assert Finished("stop") in found
    assert type(found[-1]) is StreamEnd


@pytest.mark.parametrize("reason", ["malformed_model_output", "malformed_tool_use"])
def test_output_that_the_model_malformed_is_an_error_behind_its_usage(reason: str) -> None:
    usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
    streamed = stream(("messageStop", {"stopReason": reason}), ("metadata", {"usage": usage}))
    message = {"role": "assistant", "content": []}
    body = {"output": {"message": message}, "stopReason": reason, "usage": usage}
    for events in (streamed, list(decode_response(json.dumps(body).encode()))):
        [failed] = [event for event in events if isinstance(event, Failed)]
        assert reason in str(failed.error)
        assert any(isinstance(event, UsageReported) for event in events[: events.index(failed)])


def test_the_metadata_of_a_stream_tell_the_service_tier() -> None:
    told = stream(("metadata", {"serviceTier": {"type": "priority"}}))
    assert ServiceTierReported("priority") in told
    assert not stream(("metadata", {"serviceTier": {}}))[:-1]


@pytest.mark.parametrize(
    ("data", "repaired"),
    [
        (b'{"delta": {"text": "a\\ud83d"}}', '{"delta":{"text":"a\U0010d83d"}}'),
        (b'{"delta": {"text": "\xff"}}', '{"delta":{"text":"\U0010e0ff"}}'),
        (b'{"delta": {"text": "a"}}', None),
        (b"{", None),
        (b'{"bytes": 1}', None),
        (b'{"bytes": ""}', None),
        (b'{"bytes": "\xff"}', '{"bytes":"\U0010e0ff"}'),
    ],
    ids=range(7),
)
def test_the_json_of_a_message_is_repaired(data: bytes, repaired: str | None) -> None:
    found = PROVIDER.repair_event(data)
    assert (None if found is None else found.decode()) == repaired


def test_the_json_inside_a_chunk_of_invoke_is_repaired() -> None:
    inner = b64encode(b'{"delta": {"text": "a\\ud83d"}}').decode()
    found = PROVIDER.repair_event(json.dumps({"bytes": inner}).encode())
    assert found is not None
    assert b64decode(json.loads(found)["bytes"]).decode() == '{"delta":{"text":"a\U0010d83d"}}'
