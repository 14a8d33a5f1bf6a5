"""Answers of generateContent, whole and streamed, and errors: bytes in, events out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway import errors
from headway.providers.gemini import provider as gemini
from headway.providers.vertex import gemini as vertex
from headway.response_accumulator import ResponseAccumulator
from headway.types import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    Frame,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    Usage,
    UsageReported,
)
from headway.wire.sse import SseFramer

PROVIDER = gemini.PROVIDER
FORMAT = "google-gemini-v1"
START = Started("r1", "gemini-x")


def answer(*parts: Any, finish: Any = "STOP", **fields: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, **fields}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "gemini-x"}


def whole(body: Any, provider: Any = PROVIDER) -> list[Event]:
    events: list[Event] = provider.decode_response(json.dumps(body).encode())
    return events


def streamed(*chunks: Any) -> list[Event]:
    state: dict[str, Any] = {}
    frames = [Frame(json.dumps(chunk).encode(), None, b"") for chunk in chunks]
    return [event for frame in frames for event in PROVIDER.decode_event(frame, state)]


def detail(data: str, **fields: Any) -> ReasoningDetail:
    value = {"type": "reasoning.encrypted", "data": data, "format": FORMAT, **fields}
    return ReasoningDetail(value)


STOP = Finished("stop")
SIGNATURE = {"thoughtSignature": "c2ln"}
CODE = {"executableCode": {"language": "PYTHON", "code": "1"}}
PARTS: list[tuple[str, list[Any], list[Event]]] = [
    ("text", [{"text": "a"}, {"text": "b"}], [Text("a"), Text("b")]),
    ("an empty text", [{"text": ""}], []),
    ("a thought", [{"text": "hm", "thought": True}], [Reasoning("hm")]),
    (
        "a signed thought",
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
    ("a signed text", [{"text": "a", **SIGNATURE}], [Text("a"), detail("c2ln")]),
    ("a signature alone", [{"text": "", **SIGNATURE}], [detail("c2ln", part={"text": ""})]),
    ("code", [CODE], [detail("", part=CODE)]),
    ("signed code", [{**CODE, **SIGNATURE}], [detail("c2ln", part=CODE)]),
    (
        "a picture",
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
        "a signed picture, by its place",
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
        "sound",
        [{"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "aWlp"}}],
        [ExtraFields({"audio": {"data": "aWlp", "format": "L16;rate=24000"}})],
    ),
    ("what is not known", [{"hologram": {}}], []),
]


@pytest.mark.parametrize(("name", "parts", "events"), PARTS, ids=[case[0] for case in PARTS])
def test_a_part_is_told(name: str, parts: list[Any], events: list[Event]) -> None:
    assert whole(answer(*parts)) == [START, *events, STOP]
    assert streamed(answer(*parts)) == [START, *events, STOP]


def test_calls_are_told_whole_in_order_with_ids_that_are_always_the_same() -> None:
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


def test_arguments_keep_the_numbers_that_the_model_wrote() -> None:
    body = b"""{"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {
        "big": 123456789012345678901234567890, "small": 1.10 }}}]}, "finishReason": "STOP"}]}"""
    events = PROVIDER.decode_response(body)
    assert ToolArguments(0, '{"big":123456789012345678901234567890,"small":1.10}') in events
    assert ToolStarted(0, "call_0_", "f") in events


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


@pytest.mark.parametrize(("given", "kind", "reason"), FINISHES)
def test_a_finish_is_one_of_openais(given: Any, kind: Any, reason: str) -> None:
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
def test_a_finish_without_an_answer_is_a_failure_with_its_usage(
    given: Any, kind: Any, code: str
) -> None:
    told = answer(finish=given) | {"usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5}}
    seen, failed = whole(told, kind.PROVIDER)[-2:]
    assert isinstance(seen, UsageReported)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, errors.UpstreamError)
    assert failed.error.code == code
    assert failed.error.retryable
    assert code in failed.error.message


def test_a_failures_own_words_are_told() -> None:
    told = answer(finish="MALFORMED_FUNCTION_CALL", finishMessage="Malformed call: print(f(")
    failed = whole(told)[-1]
    assert isinstance(failed, Failed)
    assert str(failed.error) == "Malformed call: print(f("


@pytest.mark.parametrize("given", [None, "", 0, "FINISH_REASON_UNSPECIFIED"])
def test_what_is_no_finish_leaves_the_answer_unfinished(given: Any) -> None:
    told = ResponseAccumulator()
    told.add(whole(answer({"text": "a"}, finish=given)))
    assert not told.is_finished


def test_a_second_finish_is_no_news() -> None:
    assert streamed(answer({"text": "a"}), answer(finish="MAX_TOKENS")) == [START, Text("a"), STOP]


def test_a_filtered_answer_says_why_where_the_provider_does() -> None:
    told = whole(answer(finish="SAFETY", finishMessage="Blocked for safety."))
    assert told[1:] == [ExtraFields({"refusal": "Blocked for safety."}), Finished("content_filter")]


@pytest.mark.parametrize(
    ("feedback", "said"),
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
def test_a_blocked_prompt_is_a_filtered_answer(feedback: Any, said: str) -> None:
    body = {"promptFeedback": feedback, "responseId": "r1", "modelVersion": "gemini-x"}
    assert whole(body) == [START, ExtraFields({"refusal": said}), Finished("content_filter")]
    assert streamed(body) == whole(body)


def test_a_block_is_nothing_that_the_model_produced() -> None:
    told = ResponseAccumulator()
    told.add(whole({"promptFeedback": {"blockReason": "SAFETY"}}))
    assert told.produced() == ""
    assert told.choices[0].message()["refusal"].startswith("The prompt was blocked (SAFETY).")


def test_feedback_that_blocks_nothing_finishes_nothing() -> None:
    assert whole({"promptFeedback": {"safetyRatings": []}}) == [Started(None, None)]


def test_several_candidates_are_several_choices() -> None:
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


def test_a_candidate_without_content_is_borne() -> None:
    assert whole({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]})[-1] == (
        STOP
    )


@pytest.mark.parametrize("body", ["{}", "[]", '{"usageMetadata":{}}'])
def test_what_is_no_answer_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="no candidates"):
        PROVIDER.decode_response(body.encode())


# --- Usage ----------------------------------------------------------------------------------------

USAGES: list[tuple[dict[str, Any], Usage, dict[str, Any]]] = [
    (
        {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        Usage(input_tokens=10, output_tokens=5),
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    ),
    (
        {
            "promptTokenCount": 10,
            "cachedContentTokenCount": 8,
            "toolUsePromptTokenCount": 3,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 7,
            "totalTokenCount": 25,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 6},
                {"modality": "AUDIO", "tokenCount": 4},
            ],
            "toolUsePromptTokensDetails": [{"modality": 4, "tokenCount": 2}],
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 5}],
        },
        Usage(
            input_tokens=13,
            output_tokens=12,
            cache_read_tokens=8,
            reasoning_tokens=7,
            input_audio_tokens=6,
            output_audio_tokens=5,
        ),
        {
            "prompt_tokens": 13,
            "completion_tokens": 12,
            "total_tokens": 25,
            "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 6},
            "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 5},
        },
    ),
    (
        {"promptTokenCount": 85, "thoughtsTokenCount": 199, "totalTokenCount": 284},
        Usage(input_tokens=85, output_tokens=199, reasoning_tokens=199),
        {
            "prompt_tokens": 85,
            "completion_tokens": 199,
            "total_tokens": 284,
            "completion_tokens_details": {"reasoning_tokens": 199},
        },
    ),
    (
        {"promptTokenCount": 5, "totalTokenCount": 9},
        Usage(input_tokens=5, output_tokens=4),
        {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9},
    ),
    (
        {"promptTokenCount": 5},
        Usage(input_tokens=5),
        {"prompt_tokens": 5, "completion_tokens": None, "total_tokens": 5},
    ),
]


@pytest.mark.parametrize(("wire", "usage", "shown"), USAGES, ids=[str(u[0])[:50] for u in USAGES])
def test_usage_is_counted_as_it_is_billed(
    wire: dict[str, Any], usage: Usage, shown: dict[str, Any]
) -> None:
    told = whole(answer({"text": "a"}) | {"usageMetadata": wire})
    assert told[2] == UsageReported(usage, shown)


def test_a_usage_that_counts_nothing_is_none() -> None:
    told = whole(answer({"text": "a"}) | {"usageMetadata": {"trafficType": "ON_DEMAND"}})
    assert told == [START, Text("a"), STOP]


def test_cumulative_usage_is_replaced_and_not_summed() -> None:
    def counted(tokens: int, finish: Any = None) -> Any:
        usage = {"promptTokenCount": 3, "candidatesTokenCount": tokens}
        return answer({"text": "a"}, finish=finish) | {"usageMetadata": usage}

    told = ResponseAccumulator()
    told.add(streamed(counted(1), counted(2), counted(3, "STOP")))
    assert told.reported() == Usage(input_tokens=3, output_tokens=3)


def test_the_tier_that_served_is_told() -> None:
    usage = {"promptTokenCount": 3, "serviceTier": "flex"}
    assert whole(answer({"text": "a"}) | {"usageMetadata": usage})[0] == Started(
        "r1", "gemini-x", service_tier="flex"
    )


# --- Logprobs, grounding, citations ---------------------------------------------------------------


def test_logprobs_are_told_in_openais_shape() -> None:
    result = {
        "chosenCandidates": [
            {"token": "é", "logProbability": -0.5, "tokenId": 1},
            {"token": "x", "logProbability": -1},
        ],
        "topCandidates": [{"candidates": [{"token": "é", "logProbability": -0.5}]}, {}],
    }
    told = whole(answer({"text": "éx"}, logprobsResult=result))
    first = {"token": "é", "logprob": -0.5, "bytes": [195, 169]}
    second = {"token": "x", "logprob": -1.0, "bytes": [120]}
    content = [{**first, "top_logprobs": [first]}, {**second, "top_logprobs": []}]
    assert told[2] == Logprobs({"content": content, "refusal": None})
    del result["topCandidates"]
    bare = whole(answer({"text": "éx"}, logprobsResult=result))[2]
    assert isinstance(bare, Logprobs)
    assert [token["top_logprobs"] for token in bare.value["content"]] == [[], []]


WEB = {"web": {"uri": "https://a.test", "title": "A"}}


def support(text: str, start: int, end: int, *chunks: int) -> dict[str, Any]:
    segment = {"startIndex": start, "endIndex": end, "text": text}
    return {"segment": segment, "groundingChunkIndices": list(chunks)}


def cited(url: str, title: str, *span: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"url": url, "title": title}
    if span:
        fields["start_index"], fields["end_index"] = span
    return {"type": "url_citation", "url_citation": fields}


GROUNDINGS: list[tuple[str, dict[str, Any], list[Any]]] = [
    (
        "bytes are characters",
        {"groundingChunks": [WEB], "groundingSupports": [support("Köln", 0, 5, 0)]},
        [cited("https://a.test", "A", 0, 4)],
    ),
    (
        "a passage elsewhere is found",
        {"groundingChunks": [WEB], "groundingSupports": [support("Rhein", 90, 95, 0)]},
        [cited("https://a.test", "A", 8, 13)],
    ),
    (
        "one that is nowhere has no place",
        {"groundingChunks": [WEB], "groundingSupports": [support("Elbe", 0, 4, 0)]},
        [cited("https://a.test", "A")],
    ),
    (
        "a support without a segment has none",
        {"groundingChunks": [WEB], "groundingSupports": [{"groundingChunkIndices": [0]}]},
        [cited("https://a.test", "A")],
    ),
    (
        "several sources, one of them unknown and one without an address",
        {
            "groundingChunks": [
                {"retrievedContext": {"uri": "gs://b"}},
                {"maps": {"uri": "https://m.test", "title": "M"}},
                {},
            ],
            "groundingSupports": [support("Köln", 0, 5, 0, 1, 2, 9), {}],
        },
        [cited("gs://b", "", 0, 4), cited("https://m.test", "M", 0, 4)],
    ),
    ("sources without passages", {"groundingChunks": [WEB, {}]}, [cited("https://a.test", "A")]),
]


@pytest.mark.parametrize(
    ("name", "metadata", "annotations"), GROUNDINGS, ids=[case[0] for case in GROUNDINGS]
)
def test_grounding_is_annotations_and_itself(
    name: str, metadata: dict[str, Any], annotations: list[Any]
) -> None:
    told = whole(answer({"text": "Köln am Rhein"}, groundingMetadata=metadata))
    assert told[2] == ExtraFields({"annotations": annotations, "grounding_metadata": metadata})


def test_grounding_that_a_stream_repeats_is_told_once() -> None:
    grounding = {"groundingChunks": [WEB], "groundingSupports": [support("ab", 0, 2, 0)]}
    told = ResponseAccumulator()
    told.add(
        streamed(
            answer({"text": "a"}, finish=None, groundingMetadata={}),
            answer({"text": "b"}, finish=None, groundingMetadata=grounding),
            answer({"text": "c"}, groundingMetadata=grounding, urlContextMetadata={"u": 1}),
        )
    )
    assert told.choices[0].extra == {
        "annotations": [cited("https://a.test", "A", 0, 2)],
        "grounding_metadata": grounding,
        "url_context_metadata": {"u": 1},
    }


@pytest.mark.parametrize("field", ["citationSources", "citations"])
def test_what_the_model_recites_is_annotated(field: str) -> None:
    metadata = {field: [{"startIndex": 2, "endIndex": 4, "uri": "https://a.test"}, {}]}
    told = whole(answer({"text": "abcdef"}, citationMetadata=metadata))
    assert told[2] == ExtraFields({"annotations": [cited("https://a.test", "", 2, 4)]})


# --- Streams --------------------------------------------------------------------------------------

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
def test_a_stream_is_read_however_it_is_framed_and_cut(name: str, body: bytes) -> None:
    for step in (1, 3, len(body)):
        framer, state = SseFramer(), {}  # type: ignore[var-annotated]
        pieces = [body[i : i + step] for i in range(0, len(body), step)]
        frames = [frame for piece in pieces for frame in framer.feed(piece)] + framer.end()
        assert [e for frame in frames for e in PROVIDER.decode_event(frame, state)] == EXPECTED


def test_an_end_mark_that_a_proxy_adds_is_one() -> None:
    assert PROVIDER.decode_event(Frame(b"[DONE]", None, b""), {}) == [StreamEnd()]


ERROR = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}


@pytest.mark.parametrize("body", [ERROR, [ERROR]], ids=["object", "array"])
def test_an_error_in_the_place_of_an_answer_is_one(body: Any) -> None:
    for told in (whole(body), streamed(body)):
        (failed,) = told
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, errors.UpstreamOverloaded)
        assert failed.error.message == "Overloaded."


def test_an_error_in_the_middle_of_a_stream_is_one() -> None:
    told = streamed(CHUNKS[0], ERROR)
    assert told[:2] == EXPECTED[:2]
    assert isinstance(told[2], Failed)


# --- Errors ---------------------------------------------------------------------------------------

RPC = "type.googleapis.com/google.rpc."


def status(code: int, name: str, *details: Any, message: str = "m") -> bytes:
    error = {"code": code, "message": message, "status": name, "details": list(details)}
    return json.dumps({"error": error}).encode()


def info(reason: str) -> dict[str, str]:
    return {"@type": RPC + "ErrorInfo", "reason": reason}


def quota(name: str) -> dict[str, Any]:
    return {"@type": RPC + "QuotaFailure", "violations": [{"quotaId": name}, "odd"]}


RETRY = {"@type": RPC + "RetryInfo", "retryDelay": "34.5s"}
FIELD = {"@type": RPC + "BadRequest", "fieldViolations": [{"field": "contents[0]"}]}
ERRORS: list[tuple[int, bytes, type[errors.UpstreamError], str | None]] = [
    (400, status(400, "INVALID_ARGUMENT"), errors.UpstreamRejected, "INVALID_ARGUMENT"),
    (400, status(400, "FAILED_PRECONDITION"), errors.UpstreamRejected, "FAILED_PRECONDITION"),
    (
        400,
        status(400, "INVALID_ARGUMENT", info("API_KEY_INVALID")),
        errors.UpstreamAuth,
        "API_KEY_INVALID",
    ),
    (401, status(401, "UNAUTHENTICATED"), errors.UpstreamAuth, "UNAUTHENTICATED"),
    (
        403,
        status(403, "PERMISSION_DENIED", info("SERVICE_DISABLED")),
        errors.UpstreamAuth,
        "SERVICE_DISABLED",
    ),
    (404, status(404, "NOT_FOUND"), errors.UpstreamNotFound, "NOT_FOUND"),
    (413, status(413, "X"), errors.UpstreamRejected, "X"),
    (418, status(418, "X"), errors.UpstreamRejected, "X"),
    (429, status(429, "RESOURCE_EXHAUSTED"), errors.UpstreamRateLimited, "RESOURCE_EXHAUSTED"),
    (
        429,
        status(429, "RESOURCE_EXHAUSTED", quota("RequestsPerMinute")),
        errors.UpstreamRateLimited,
        "RESOURCE_EXHAUSTED",
    ),
    (
        429,
        status(429, "RESOURCE_EXHAUSTED", quota("GenerateRequestsPerDayPerProjectPerModel")),
        errors.UpstreamQuota,
        "RESOURCE_EXHAUSTED",
    ),
    (
        429,
        status(429, "RESOURCE_EXHAUSTED", {"@type": RPC + "QuotaFailure", "violations": 1}),
        errors.UpstreamRateLimited,
        "RESOURCE_EXHAUSTED",
    ),
    (499, status(499, "CANCELLED"), errors.UpstreamError, "CANCELLED"),
    (500, status(500, "INTERNAL"), errors.UpstreamError, "INTERNAL"),
    (503, status(503, "UNAVAILABLE"), errors.UpstreamOverloaded, "UNAVAILABLE"),
    (504, status(504, "DEADLINE_EXCEEDED"), errors.UpstreamTimeout, "DEADLINE_EXCEEDED"),
    (503, b'{"error":{"code":503}}', errors.UpstreamOverloaded, "503"),
    (500, b'{"error":{"details":[1]}}', errors.UpstreamError, None),
    (502, b"<html>Bad Gateway</html>", errors.UpstreamError, None),
    (404, b"", errors.UpstreamNotFound, None),
    (400, b'{"error":"text"}', errors.UpstreamRejected, None),
    (400, b"[]", errors.UpstreamRejected, None),
    (400, b"[" * 5000, errors.UpstreamRejected, None),
]


@pytest.mark.parametrize(("code", "body", "cls", "name"), ERRORS)
def test_an_error_is_of_its_class(
    code: int, body: bytes, cls: type[errors.UpstreamError], name: str | None
) -> None:
    for text in (body, b"[" + body + b"]") if body[:1] == b"{" else (body,):
        error = PROVIDER.decode_error(code, [], text)
        assert type(error) is cls
        assert error.code == name
        assert error.message
        if cls is errors.UpstreamRejected:
            assert error.status == (code if code in (400, 413, 422) else 400)


def test_an_error_says_which_field_and_when_to_come_back() -> None:
    body = status(429, "RESOURCE_EXHAUSTED", RETRY, FIELD, message="Too many.")
    error = PROVIDER.decode_error(429, [(b"retry-after", b"9")], body)
    assert (error.message, error.param, error.retry_after_s) == ("Too many.", "contents[0]", 34.5)


@pytest.mark.parametrize(
    ("details", "headers", "wait"),
    [
        ([], [(b"retry-after", b"9")], 9.0),
        ([{**RETRY, "retryDelay": "soon"}], [], None),
        ([{**RETRY, "retryDelay": 5}], [], None),
        ([], [], None),
    ],
)
def test_a_header_says_when_to_come_back_where_the_body_does_not(
    details: Any, headers: Any, wait: float | None
) -> None:
    error = PROVIDER.decode_error(429, headers, status(429, "RESOURCE_EXHAUSTED", *details))
    assert error.retry_after_s == wait


@pytest.mark.parametrize("violations", [1, [], ["x"], [{"field": {}}]])
def test_odd_details_are_borne(violations: Any) -> None:
    odd = {"@type": RPC + "BadRequest", "fieldViolations": violations}
    assert PROVIDER.decode_error(400, [], status(400, "INVALID_ARGUMENT", odd)).param is None
