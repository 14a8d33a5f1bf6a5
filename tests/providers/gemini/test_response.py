"""Responses of Google's generateContent, whole and streamed."""

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
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.providers.gemini import provider as gemini
from headway.providers.gemini.provider import PROVIDER
from headway.providers.vertex import gemini as vertex
from headway.response_accumulator import ResponseAccumulator
from headway.types import Frame
from headway.wire.sse import SseFramer
from support.for_each import for_each
from support.gemini_wire import FORMAT, START, answer, streamed, whole


def detail(data: str, **fields: Any) -> ReasoningDetail:
    value = {"type": "reasoning.encrypted", "data": data, "format": FORMAT, **fields}
    return ReasoningDetail(value)


STOP = Finished("stop")
CALL = [{"functionCall": {"name": "f"}}]
SIGNATURE = {"thoughtSignature": "c2ln"}
CODE = {"executableCode": {"language": "PYTHON", "code": "1"}}
PARTS: list[tuple[str, list[Any], list[Event]]] = [
    ("text", [{"text": "a"}, {"text": "b"}], [Text("a"), Text("b")]),
    ("an empty text", [{"text": ""}], []),
    ("thought", [{"text": "hm", "thought": True}], [Reasoning("hm")]),
    (
        "signed thought",
        [{"text": "hm", "thought": True, **SIGNATURE}],
        [
            Reasoning("hm"),
            ReasoningDetail(
                {
                    "type": "reasoning.text",
                    "text": "hm",
                    "signature": "c2ln",
                    "format": FORMAT,
                }
            ),
        ],
    ),
    ("signed text", [{"text": "a", **SIGNATURE}], [Text("a"), detail("c2ln")]),
    ("signature alone", [{"text": "", **SIGNATURE}], [detail("c2ln", part={"text": ""})]),
    ("code", [CODE], [detail("", part=CODE)]),
    ("signed code", [{**CODE, **SIGNATURE}], [detail("c2ln", part=CODE)]),
    (
        "image",
        [{"inlineData": {"mimeType": "image/png", "data": "aWc="}}],
        [
            ExtraFields(
                {
                    "images": [
                        {
                            "type": "image_url",
                            "image_url": {"url": "data:image/png;base64,aWc="},
                        }
                    ]
                }
            )
        ],
    ),
    (
        "signed images, by position",
        [{"inlineData": {"mimeType": "image/png", "data": data}, **SIGNATURE} for data in "ab"],
        [
            event
            for place, data in enumerate("ab")
            for event in (
                ExtraFields(
                    {
                        "images": [
                            {
                                "type": "image_url",
                                "image_url": {"url": f"data:image/png;base64,{data}"},
                            }
                        ]
                    }
                ),
                detail("c2ln", part={"image": place}),
            )
        ],
    ),
    (
        "audio",
        [{"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "aWlp"}}],
        [ExtraFields({"audio": {"data": "aWlp", "format": "L16;rate=24000"}})],
    ),
    ("unknown part", [{"hologram": {}}], []),
]


@for_each(("name", "parts", "events"), PARTS, ids=[case[0] for case in PARTS])
def test_a_part_becomes_its_events(name: str, parts: list[Any], events: list[Event]) -> None:
    assert whole(answer(*parts)) == [START, *events, STOP]
    assert streamed(answer(*parts)) == [START, *events, STOP]


def test_function_calls_become_tool_calls_with_stable_ids() -> None:
    called = answer(
        {"functionCall": {"name": "f", "args": {"b": 1.50, "a": [1, 2]}}, **SIGNATURE},
        {"functionCall": {"name": "g", "id": "call_77"}, **SIGNATURE},
        {"functionCall": {"name": "h", "args": {}}},
    )
    expected: list[Event] = [
        START,
        ToolStarted(0, "call_0_r1", "f"),
        ToolArguments(0, '{"b":1.5,"a":[1,2]}'),
        detail("c2ln", id="call_0_r1"),
        ToolStarted(1, "call_77", "g"),
        ToolArguments(1, "{}"),
        detail("c2ln", id="call_77"),
        ToolStarted(2, "call_2_r1", "h"),
        ToolArguments(2, "{}"),
        Finished("tool_calls"),
    ]
    assert whole(called) == expected
    one, other = answer(finish=None), answer(finish="STOP")
    parts = called["candidates"][0]["content"]["parts"]
    one["candidates"][0]["content"]["parts"] = parts[:1]
    other["candidates"][0]["content"]["parts"] = parts[1:]
    assert streamed(one, other) == expected


def test_arguments_keep_their_numbers_as_written() -> None:
    body = b"""{"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {
        "big": 123456789012345678901234567890, "small": 1.10 }}}]}, "finishReason": "STOP"}]}"""
    events = PROVIDER.decode_response(body)
    assert ToolArguments(0, '{"big":123456789012345678901234567890,"small":1.10}') in events
    (started,) = [event for event in events if isinstance(event, ToolStarted)]
    assert started.id.startswith("call_0_")
    assert (started.tool, started.name) == (0, "f")


FINISHES: list[tuple[Any, Any, str]] = [
    ("STOP", gemini, "stop"),
    ("MAX_TOKENS", gemini, "length"),
    ("SAFETY", gemini, "content_filter"),
    ("RECITATION", gemini, "content_filter"),
    ("PROHIBITED_CONTENT", vertex, "content_filter"),
    ("MODEL_ARMOR", vertex, "content_filter"),
    ("OTHER", gemini, "stop"),
    ("SOMETHING_NEW", gemini, "stop"),
    (1, gemini, "stop"),
    (2, vertex, "length"),
    (6, gemini, "content_filter"),
    (6, vertex, "content_filter"),
    (8, vertex, "content_filter"),
    (16, gemini, "stop"),
    (99, gemini, "stop"),
]


@for_each(("given", "kind", "reason"), FINISHES)
def test_a_finish_reason_becomes_openais(given: Any, kind: Any, reason: str) -> None:
    assert whole(answer({"text": "a"}, finish=given), kind.PROVIDER)[-1] == Finished(reason)


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        ("MALFORMED_FUNCTION_CALL", gemini, "MALFORMED_FUNCTION_CALL"),
        (10, gemini, "MALFORMED_FUNCTION_CALL"),
        (9, vertex, "MALFORMED_FUNCTION_CALL"),
        (12, gemini, "UNEXPECTED_TOOL_CALL"),
        ("MISSING_THOUGHT_SIGNATURE", gemini, "MISSING_THOUGHT_SIGNATURE"),
    ],
)
def test_a_finish_without_output_is_failed_after_its_usage(
    given: Any, kind: Any, code: str
) -> None:
    decoded = answer(finish=given) | {
        "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5}
    }
    seen, failed = whole(decoded, kind.PROVIDER)[-2:]
    assert isinstance(seen, UsageReported)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, errors.UpstreamError)
    assert failed.error.code == code
    assert failed.error.retryable
    assert code in failed.error.message


def test_for_clients_of_googles_format_such_a_finish_is_the_end() -> None:
    for kind in (gemini, vertex):
        own = kind.PROVIDER.other_wires["gemini"]
        assert own.serves("any", {})
        ended = whole(answer(finish="MALFORMED_FUNCTION_CALL"), own.provider)[-1]
        assert ended == Finished("MALFORMED_FUNCTION_CALL")
        assert whole(answer(finish="SAFETY"), own.provider)[-1] == Finished("content_filter")


def test_a_failure_has_googles_message() -> None:
    decoded = answer(finish="MALFORMED_FUNCTION_CALL", finishMessage="Malformed call: print(f(")
    failed = whole(decoded)[-1]
    assert isinstance(failed, Failed)
    assert str(failed.error) == "Malformed call: print(f("


@pytest.mark.parametrize("given", [None, "", 0, "FINISH_REASON_UNSPECIFIED"])
def test_an_unspecified_finish_reason_ends_a_whole_response_only(given: Any) -> None:
    said = answer({"text": "a"}, finish=given)
    assert whole(said) == [START, Text("a"), Finished(None)]
    assert streamed(said) == [START, Text("a")]


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([{"finish": "STOP"}, {"finish": "MAX_TOKENS"}], "length"),
        ([{"finish": "STOP"}, {"finish": "SAFETY"}], "content_filter"),
        ([{"finish": "MAX_TOKENS"}, {"finish": "STOP"}], "length"),
        ([{"finish": "STOP"}, {"finish": "STOP"}], "stop"),
        ([{"finish": "STOP"}, {"parts": CALL, "finish": None}], "tool_calls"),
        ([{"finish": "STOP"}, {"parts": CALL, "finish": "STOP"}], "tool_calls"),
        ([{"parts": CALL, "finish": "STOP"}, {"finish": None}], "tool_calls"),
    ],
)
def test_the_fullest_finish_reason_of_a_stream_counts(
    chunks: list[dict[str, Any]], reason: str
) -> None:
    found = ResponseAccumulator()
    said = [answer(*each.get("parts", ()), finish=each["finish"]) for each in chunks]
    found.add(streamed(answer({"text": "a"}, finish=None), *said))
    assert found.finish_reason == reason


def test_a_failure_after_a_stop_is_a_failure() -> None:
    failed = streamed(answer({"text": "a"}), answer(finish="MALFORMED_FUNCTION_CALL"))[-1]
    assert isinstance(failed, Failed)


def test_a_finish_reason_that_is_repeated_is_one_event() -> None:
    blocked = answer(finish="SAFETY", finishMessage="Blocked.")
    assert len(streamed(answer({"text": "a"}, finish=None), blocked, blocked)) == 4


def test_a_filtered_response_has_googles_message_as_refusal() -> None:
    decoded = whole(answer(finish="SAFETY", finishMessage="Blocked for safety."))
    assert decoded[1:] == [
        ExtraFields({"refusal": "Blocked for safety."}),
        Finished("content_filter"),
    ]


@pytest.mark.parametrize(
    ("feedback", "refusal"),
    [
        (
            {"blockReason": "SAFETY"},
            "The prompt was blocked (SAFETY). The provider gave no further reason.",
        ),
        (
            {"blockReason": "MODEL_ARMOR", "blockReasonMessage": "Jailbreak."},
            "The prompt was blocked (MODEL_ARMOR). Jailbreak.",
        ),
    ],
)
def test_a_blocked_prompt_finishes_with_content_filter(feedback: Any, refusal: str) -> None:
    body = {"promptFeedback": feedback, "responseId": "r1", "modelVersion": "gemini-x"}
    assert whole(body) == [START, ExtraFields({"refusal": refusal}), Finished("content_filter")]
    assert streamed(body) == whole(body)


def test_the_reason_of_a_blocked_prompt_is_not_counted_as_output() -> None:
    decoded = ResponseAccumulator()
    decoded.add(whole({"promptFeedback": {"blockReason": "SAFETY"}}))
    assert decoded.produced() == ""
    assert decoded.choices[0].message()["refusal"].startswith("The prompt was blocked (SAFETY).")


def test_feedback_without_a_block_does_not_finish() -> None:
    assert whole({"promptFeedback": {"safetyRatings": []}}) == [Started(None, None)]


def test_candidates_become_choices() -> None:
    two = answer({"text": "a"})
    two["candidates"].append({**answer({"functionCall": {"name": "f"}})["candidates"][0]})
    two["candidates"][1]["index"] = 1
    assert whole(two) == [
        START,
        Text("a"),
        ToolStarted(0, "call_0_r1", "f", 1),
        ToolArguments(0, "{}", 1),
        STOP,
        Finished("tool_calls", 1),
    ]


def test_a_candidate_may_have_no_content() -> None:
    assert whole({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]})[-1] == (
        STOP
    )


@pytest.mark.parametrize("body", ["{}", "[]", '{"usageMetadata":{}}'])
def test_a_response_without_candidates_raises(body: str) -> None:
    with pytest.raises(ValueError, match="no candidates"):
        PROVIDER.decode_response(body.encode())


def test_logprobs_have_openais_shape() -> None:
    result = {
        "chosenCandidates": [
            {"token": "é", "logProbability": -0.5, "tokenId": 1},
            {"token": "x", "logProbability": -1},
        ],
        "topCandidates": [{"candidates": [{"token": "é", "logProbability": -0.5}]}, {}],
    }
    decoded = whole(answer({"text": "éx"}, logprobsResult=result))
    first = {"token": "é", "logprob": -0.5, "bytes": [195, 169]}
    second = {"token": "x", "logprob": -1.0, "bytes": [120]}
    content = [{**first, "top_logprobs": [first]}, {**second, "top_logprobs": []}]
    assert decoded[2] == Logprobs({"content": content, "refusal": None})
    del result["topCandidates"]
    bare = whole(answer({"text": "éx"}, logprobsResult=result))[2]
    assert isinstance(bare, Logprobs)
    assert [token["top_logprobs"] for token in bare.value["content"]] == [[], []]


CHUNKS = [answer({"text": "a"}, finish=None), answer({"text": "b"})]
EXPECTED: list[Event] = [START, Text("a"), Text("b"), STOP]
STREAMS: list[tuple[str, bytes]] = [
    ("CRLF", b"".join(b"data: %b\r\n\r\n" % json.dumps(c).encode() for c in CHUNKS)),
    ("LF", b"".join(b"data: %b\n\n" % json.dumps(c).encode() for c in CHUNKS)),
    ("a JSON array", json.dumps(CHUNKS, indent=2).encode()),
    ("a comment in it", b": hi\n\n" + b"".join(b"data: %b\n\n" % json.dumps(c).encode()
                                               for c in CHUNKS)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body"), STREAMS, ids=[case[0] for case in STREAMS])
def test_a_stream_is_decoded_in_each_framing_and_chunking(name: str, body: bytes) -> None:
    for step in (1, 3, len(body)):
        framer, state = SseFramer(), {}  # type: ignore[var-annotated]
        pieces = [body[i : i + step] for i in range(0, len(body), step)]
        frames = [frame for piece in pieces for frame in framer.feed(piece)] + framer.end()
        assert [e for frame in frames for e in PROVIDER.decode_event(frame, state)] == EXPECTED


def test_pieces_of_audio_have_no_padding_before_the_last() -> None:
    """Clients join them into one base64 text."""
    pieces = [b"a", b"bcdef", b"gh", b"i", b"jkl", b"mn"]
    parts = [
        {"inlineData": {"mimeType": "audio/pcm", "data": b64encode(piece).decode()}}
        for piece in pieces
    ]
    chunks = [answer(part, finish=None) for part in parts]
    found = [e.fields["audio"] for e in streamed(*chunks, answer()) if isinstance(e, ExtraFields)]
    assert {each["format"] for each in found[:-1]} == {"pcm"}
    assert all("=" not in each["data"] for each in found[:-1])
    assert b64decode("".join(each["data"] for each in found)) == b"".join(pieces)


def test_done_of_a_proxy_is_the_stream_end() -> None:
    assert PROVIDER.decode_event(Frame(b"[DONE]", None, b""), {}) == [StreamEnd()]


ERROR = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}


@pytest.mark.parametrize("body", [ERROR, [ERROR]], ids=["object", "array"])
def test_an_error_in_a_body_of_status_200_is_failed(body: Any) -> None:
    for decoded in (whole(body), streamed(body)):
        (failed,) = decoded
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, errors.UpstreamOverloaded)
        assert failed.error.message == "Overloaded."


def test_an_error_in_a_stream_is_failed() -> None:
    decoded = streamed(CHUNKS[0], ERROR)
    assert decoded[:2] == EXPECTED[:2]
    assert isinstance(decoded[2], Failed)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": True, "message": "Out of memory."}, "Out of memory."),
        ({"error": "Out of memory."}, "Out of memory."),
        ([{"error": "Out of memory."}], "Out of memory."),
    ],
)
def test_an_error_that_is_no_object_has_its_message_beside_it(body: Any, message: str) -> None:
    for decoded in (whole(body), streamed(body)):
        (failed,) = decoded
        assert isinstance(failed, Failed)
        assert failed.error.message == message
