"""Google's generateContent and streamGenerateContent: responses of other wires."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from headway.dialects.base import ClientRequest, ResponseContext
from headway.dialects.gemini.generate import GenerateContent
from headway.errors import (
    UpstreamGarbled,
    UpstreamOverloaded,
)
from headway.events import (
    Event,
    ExtraFields,
    Finished,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Rewritten,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.response_accumulator import ResponseAccumulator
from headway.types import Frame, Usage
from headway.wire.sealed_reasoning import unseal
from support.dialect_samples import ENCODED_METRICS, METRICS, NO_FRAME

HI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
THOUGHTS = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
START = Started("r1", "m-1")
USAGE = UsageReported(
    Usage(
        input_tokens=10,
        output_tokens=7,
        reasoning_tokens=2,
        cache_read_tokens=3,
        input_audio_tokens=4,
    )
)
COUNTS = {
    "promptTokenCount": 10,
    "candidatesTokenCount": 5,
    "totalTokenCount": 17,
    "cachedContentTokenCount": 3,
    "thoughtsTokenCount": 2,
    "promptTokensDetails": [
        {"modality": "TEXT", "tokenCount": 6},
        {"modality": "AUDIO", "tokenCount": 4},
    ],
}
WHOLE, STREAM = GenerateContent(), GenerateContent(is_stream=True)
DETAIL = {"type": "reasoning.text", "text": "Hm", "signature": "S", "format": "x"}


def inbound(body: Any = HI, argument: str = "models/openai/gpt-4o", **more: Any) -> ClientRequest:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ClientRequest(argument, more.pop("headers", ()), data, **more)


# --- Responses ------------------------------------------------------------------------------------


def context(dialect: GenerateContent = STREAM, body: Any = HI, **more: Any) -> ResponseContext:
    call = dialect.decode(inbound(body, **more.pop("request", {"query": "alt=sse"})))
    return ResponseContext(
        id="id-1", request_id="id-1", created=1, call=call, sent=call.request, **more
    )


def folded(events: list[Event]) -> ResponseAccumulator:
    response = ResponseAccumulator()
    response.add(events)
    return response


def whole(*events: Event, body: Any = HI) -> Any:
    found = WHOLE.encode(context(WHOLE, body), folded([*events]), METRICS, 0)
    return json.loads(found)


def streamed(*events: Event, body: Any = HI) -> list[Any]:
    """The responses of a stream in which each event came in its own frame."""
    encoder = STREAM.stream(context(body=body))
    pieces = [encoder.encode(NO_FRAME, [event], 0) for event in events]
    pieces += encoder.end(folded([*events]), METRICS, 0)
    data = b"".join(piece for piece in pieces if piece)
    assert data.endswith(b"\r\n\r\n")
    return [
        json.loads(each.removeprefix("data: ")) for each in data.decode().split("\r\n\r\n")[:-1]
    ]


def candidates(*events: Event, body: Any = HI) -> list[Any]:
    """The first candidate, whole; and of each chunk of the stream, which has the same parts."""
    [one] = whole(START, *events, body=body)["candidates"]
    return [one, *(each["candidates"][0] for each in streamed(START, *events, body=body))]


def parts(candidate: Any) -> Any:
    return candidate["content"]["parts"]


def call(tool: int = 0, arguments: str = '{"a":1}', call_id: str = "c") -> list[Event]:
    pieces = [arguments[:3], arguments[3:]]
    return [
        ToolStarted(tool, f"{call_id}{tool}", f"f{tool}"),
        *(ToolArguments(tool, piece) for piece in pieces if piece),
    ]


def test_a_text_is_a_candidate() -> None:
    assert whole(START, Text("Hel"), Text("lo"), Finished("stop"), USAGE) == {
        "candidates": [
            {
                "content": {"parts": [{"text": "Hello"}], "role": "model"},
                "index": 0,
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": COUNTS,
        "modelVersion": "m-1",
        "responseId": "r1",
    }


def test_a_streamed_text_ends_with_its_usage_and_no_mark() -> None:
    first, second, last = streamed(START, Text("Hel"), Text("l\no"), Finished("length"), USAGE)
    named = {"modelVersion": "m-1", "responseId": "r1"}
    content = {"parts": [{"text": "Hel"}], "role": "model"}
    assert first == {"candidates": [{"content": content, "index": 0}], **named}
    assert parts(second["candidates"][0]) == [{"text": "l\no"}]
    [end] = last["candidates"]
    assert (parts(end), end["finishReason"]) == ([{"text": ""}], "MAX_TOKENS")
    assert last["usageMetadata"] == COUNTS
    assert {name: last[name] for name in named} == named


def test_what_is_unknown_is_left_out() -> None:
    found = whole(Text("a"), Finished("stop"))
    assert found["usageMetadata"] == {}
    assert (found["modelVersion"], found["responseId"]) == ("gpt-4o", "id-1")
    usage = UsageReported(Usage(input_tokens=1))
    assert streamed(Text("a"), Finished("stop"), usage)[-1]["usageMetadata"] == {
        "promptTokenCount": 1,
        "totalTokenCount": 1,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1}],
    }


def test_parallel_calls_come_whole() -> None:
    calls = [
        {"functionCall": {"id": "c0", "name": "f0", "args": {"a": 1}}},
        {"functionCall": {"id": "c1", "name": "f1", "args": {}}},
    ]
    events = [Text("a"), *call(0), *call(1, ""), Finished("tool_calls")]
    one, first, last = candidates(*events)
    assert parts(one) == [{"text": "a"}, *calls]
    assert (parts(first), parts(last)) == ([{"text": "a"}], calls)
    assert one["finishReason"] == last["finishReason"] == "STOP"


def test_interleaved_arguments_find_their_calls() -> None:
    events = [
        ToolStarted(0, "", "f"),
        ToolStarted(1, "c1", "g"),
        ToolArguments(1, "{"),
        ToolArguments(0, '{"b":1.50}'),
        ToolArguments(7, "lost"),
        Text("a"),
        ToolArguments(1, "}"),
        Finished("stop"),
    ]
    first, last = streamed(*events)
    assert parts(first["candidates"][0]) == [
        {"functionCall": {"name": "f", "args": {"b": 1.5}}},
        {"text": "a"},
    ]
    assert parts(last["candidates"][0]) == [{"functionCall": {"id": "c1", "name": "g", "args": {}}}]


def test_text_behind_a_call_is_sent_behind_it() -> None:
    first, second, _ = streamed(Text("a"), *call(), Text("b"), Finished("stop"))[:3]
    assert parts(first["candidates"][0]) == [{"text": "a"}]
    assert [list(part) for part in parts(second["candidates"][0])] == [["functionCall"], ["text"]]


@pytest.mark.parametrize(
    ("reason", "name"), [("tool_calls", "MALFORMED_FUNCTION_CALL"), ("length", "MAX_TOKENS")]
)
def test_a_call_that_is_not_whole_is_none(reason: str, name: str) -> None:
    for candidate in candidates(*call(0, '{"a":'), Finished(reason)):
        assert parts(candidate) == [{"text": ""}]
        assert candidate["finishReason"] == name
    message = 'Malformed function call: f0({"a":)'
    assert candidate.get("finishMessage") == (message if reason == "tool_calls" else None)


def test_a_call_may_have_no_name() -> None:
    found = whole(ToolArguments(0, "{}", legacy=True), Finished("function_call"))
    assert parts(found["candidates"][0]) == [{"functionCall": {"name": "", "args": {}}}]


REASONS = [
    ("stop", "STOP"),
    ("content_filter", "SAFETY"),
    ("odd", "OTHER"),
    (None, "STOP"),
    (
        "UNEXPECTED_TOOL_CALL",
        "UNEXPECTED_TOOL_CALL",
    ),  # Google's own
]


@pytest.mark.parametrize(("reason", "name"), REASONS)
def test_finish_reasons_are_googles(reason: str | None, name: str) -> None:
    for candidate in candidates(Text("a"), Finished(reason))[::2]:
        assert candidate["finishReason"] == name


def test_a_refusal_is_text_that_ends_for_safety() -> None:
    one, first, last = candidates(Refusal("No"), Finished("stop"))
    assert parts(one) == parts(first) == [{"text": "No"}]
    for end in (one, last):
        assert (end["finishReason"], end["finishMessage"]) == ("SAFETY", "No")


def test_a_blocked_prompt_says_why() -> None:
    for candidate in candidates(ExtraFields({"refusal": "Blocked"}), Finished("content_filter")):
        assert parts(candidate) == [{"text": ""}]
        assert (candidate["finishReason"], candidate["finishMessage"]) == ("SAFETY", "Blocked")


# --- Reasoning ------------------------------------------------------------------------------------


def test_thoughts_are_shown_on_request_only() -> None:
    events = [Reasoning("Hm"), Text("a"), Finished("stop")]
    shown = candidates(*events, body={**HI, **THOUGHTS})
    assert parts(shown[0]) == [{"text": "Hm", "thought": True}, {"text": "a"}]
    assert parts(shown[1]) == [{"text": "Hm", "thought": True}]
    assert [parts(each) for each in candidates(*events)] == [
        [{"text": "a"}],
        [{"text": "a"}],
        [{"text": ""}],
    ]


@pytest.mark.parametrize("config", [7, {"thinkingConfig": []}, None])
def test_a_malformed_config_shows_no_thoughts(config: Any) -> None:
    events = [Reasoning("Hm"), Text("a"), Finished("stop")]
    for candidate in candidates(*events, body={**HI, "generationConfig": config}):
        assert not any(part.get("thought") for part in parts(candidate))


def test_reasoning_to_send_back_is_with_the_first_call() -> None:
    events = [ReasoningDetail(DETAIL), *call(0), *call(1), Finished("tool_calls")]
    for candidate in candidates(*events):
        first, second = parts(candidate)
        assert unseal(first["thoughtSignature"]).details == [DETAIL]
        assert "thoughtSignature" not in second


def test_reasoning_to_send_back_is_with_the_text() -> None:
    events = [ReasoningDetail(DETAIL), Text("a"), Finished("stop")]
    one, first, last = candidates(*events)
    [text], [end] = parts(one), parts(last)
    assert (text["text"], parts(first), end["text"]) == ("a", [{"text": "a"}], "")
    for part in (text, end):
        assert unseal(part["thoughtSignature"]).details == [DETAIL]


def test_reasoning_without_an_answer_has_a_part_of_its_own() -> None:
    for candidate in candidates(ReasoningDetail(DETAIL), Finished("length")):
        [part] = parts(candidate)
        assert part["text"] == ""
        assert unseal(part["thoughtSignature"]).details == [DETAIL]


def test_hidden_reasoning_goes_with_a_call() -> None:
    for candidate in candidates(Reasoning("Hm"), *call(), Finished("tool_calls")):
        assert unseal(parts(candidate)[0]["thoughtSignature"]).text == "Hm"


# --- Media, sources, probabilities ----------------------------------------------------------------


def test_media_become_parts() -> None:
    images = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,YQ=="}},
        {"type": "image_url", "image_url": {"url": "https://a.example/b"}},
        {"type": "image_url"},
    ]
    extra = ExtraFields({"images": images, "audio": {"data": "YQ=="}, "odd": 1})
    one, first, _ = candidates(extra, Finished("stop"))
    sound = {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": "YQ=="}
    assert (
        parts(one)
        == parts(first)
        == [
            {"inlineData": {"mimeType": "image/png", "data": "YQ=="}},
            {"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/b"}},
            {"inlineData": sound},
        ]
    )


def citation(**fields: Any) -> Any:
    return {"type": "url_citation", "url_citation": fields}


def test_citations_become_grounding() -> None:
    annotations = [
        citation(url="u", title="U", start_index=1, end_index=2),
        citation(url="u", title="U", start_index=0, end_index=1),
        citation(url="v"),
        citation(title="no address"),
        "odd",
    ]
    events = [Text("äbc"), ExtraFields({"annotations": annotations}), Finished("stop")]
    for candidate in candidates(*events)[::2]:
        assert candidate["groundingMetadata"] == {
            "groundingChunks": [
                {"web": {"uri": "u", "title": "U"}},
                {"web": {"uri": "v", "title": ""}},
            ],
            "groundingSupports": [
                {
                    "segment": {"startIndex": 2, "endIndex": 3, "text": "b"},
                    "groundingChunkIndices": [0],
                },
                {
                    "segment": {"startIndex": 0, "endIndex": 2, "text": "ä"},
                    "groundingChunkIndices": [0],
                },
            ],
        }


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (
            {"annotations": [citation(url="u")]},
            {"groundingChunks": [{"web": {"uri": "u", "title": ""}}]},
        ),
        ({"grounding_metadata": {"a": 1}}, {"a": 1}),
        ({"annotations": []}, None),
    ],
)
def test_googles_own_metadata_stays(extra: Any, expected: Any) -> None:
    for candidate in candidates(Text("a"), ExtraFields(extra), Finished("stop"))[::2]:
        assert candidate.get("groundingMetadata") == expected


def test_probabilities_are_googles() -> None:
    top = {"token": "B", "logprob": -1.0}
    token = {"token": "A", "logprob": -0.5, "top_logprobs": [top]}
    expected = {
        "chosenCandidates": [{"token": "A", "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "B", "logProbability": -1.0}]}],
    }
    events = [Logprobs({"content": [token]}), Text("A"), Finished("stop")]
    one, first, _ = candidates(*events)
    assert one["logprobsResult"] == first["logprobsResult"] == expected
    plain = whole(Logprobs({"content": [{"token": "A", "logprob": -0.5}]}), Finished("stop"))
    assert "topCandidates" not in plain["candidates"][0]["logprobsResult"]
    none = whole(Logprobs({"content": None}), Text("a"), Finished("stop"))
    assert "logprobsResult" not in none["candidates"][0]


def test_several_candidates_stay_apart() -> None:
    events = [Text("a"), Text("b", 1), Finished("stop", 1), Finished("length")]
    assert [each["index"] for each in whole(*events)["candidates"]] == [0, 1]
    first, second, last = streamed(*events)
    assert [each["candidates"][0]["index"] for each in (first, second)] == [0, 1]
    assert [each["finishReason"] for each in last["candidates"]] == ["MAX_TOKENS", "STOP"]


# --- Streams --------------------------------------------------------------------------------------


def test_without_alt_sse_a_stream_is_an_array() -> None:
    events = [START, Text("a"), Text("b"), Finished("stop")]
    encoder = STREAM.stream(context(request={}))
    assert encoder.content_type == b"application/json; charset=UTF-8"
    pieces = [encoder.encode(NO_FRAME, [event], 0) for event in events]
    pieces += encoder.end(folded([*events]), METRICS, 0)
    sent = [piece for piece in pieces if piece]
    assert [piece[:1] for piece in sent] == [b"[", b",", b",", b"]"]
    found = json.loads(b"".join(sent))
    assert [parts(each["candidates"][0]) for each in found] == [
        [{"text": "a"}],
        [{"text": "b"}],
        [{"text": ""}],
    ]


def test_an_array_may_be_empty() -> None:
    encoder = STREAM.stream(context(request={}, is_passthrough=True))
    assert encoder.end(ResponseAccumulator(), METRICS, 0) == [b"[]"]


def test_an_error_is_the_last_element() -> None:
    error = UpstreamGarbled("It broke")
    array, events = STREAM.stream(context(request={})), STREAM.stream(context())
    [alone] = json.loads(b"".join(array.fail(error)))
    assert (alone["error"]["code"], alone["error"]["status"]) == (502, "UNAVAILABLE")
    assert events.encode(NO_FRAME, [Text("a")], 0)
    [event] = events.fail(error)
    assert event.startswith(b'data: {"error":')
    assert event.endswith(b"\r\n\r\n")


def test_metrics_are_added_to_the_providers_last_response() -> None:
    asked = context(is_passthrough=True)
    asked = replace(asked, call=replace(asked.call, shows_metrics=True))
    first, second, third = (b'{"candidates":[{"index":%d}]}' % n for n in range(3))

    def relay(encoder: Any, data: bytes, *events: Event) -> Any:
        return encoder.encode(Frame(data, None, b"raw"), [*events], 0)

    encoder = STREAM.stream(asked)
    assert relay(encoder, first, Text("a")) == b"data: " + first + b"\r\n\r\n"
    assert relay(encoder, second, Finished("stop")) is None
    assert relay(encoder, third) == b"data: " + second + b"\r\n\r\n"
    [last] = encoder.end(folded([Text("a")]), METRICS, 0)
    assert last == (b"data: " + third[:-1] + b',"metrics":' + ENCODED_METRICS + b"}" + b"\r\n\r\n")

    encoder = STREAM.stream(asked)
    assert relay(encoder, first, Text("a"))
    assert encoder.end(folded([Text("a")]), METRICS, 0) == []

    encoder = STREAM.stream(asked)
    assert relay(encoder, first, Finished("stop")) is None
    translated = encoder.encode(NO_FRAME, [Text("a")], 0)
    assert translated.startswith(b"data: " + first + b"\r\n\r\ndata: ")

    encoder = STREAM.stream(asked)
    assert relay(encoder, first, Finished("stop")) is None
    [failed] = encoder.fail(UpstreamOverloaded("No"))
    assert failed.startswith(b"data: " + first + b'\r\n\r\ndata: {"error":')


def test_metrics_are_in_the_last_response() -> None:
    asked = context()
    encoder = STREAM.stream(replace(asked, call=replace(asked.call, shows_metrics=True)))
    *_, last = encoder.end(folded([START, Text("a"), Finished("stop")]), METRICS, 0)
    assert ENCODED_METRICS in last
    assert json.loads(last.removeprefix(b"data: "))["candidates"][0]["finishReason"] == "STOP"


def passed(data: bytes, *events: Event) -> Any:
    encoder = STREAM.stream(context(is_passthrough=True))
    return encoder.encode(Frame(data, None, b"raw"), list(events), 0), encoder.is_passthrough


def test_the_providers_own_responses_are_passed_through() -> None:
    assert passed(b'{"a":\n1}', START, Text("a")) == (b'data: {"a": 1}\r\n\r\n', True)
    assert passed(b'{"a":1}') == (b'data: {"a":1}\r\n\r\n', True)
    assert passed(b"[DONE]", StreamEnd()) == (None, True)
    assert passed(b"") == (None, True)
    encoder = STREAM.stream(context(request={}, is_passthrough=True))
    assert encoder.encode(Frame(b'{"a":1}', None, b""), [], 0) == b'[{"a":1}'
    assert encoder.encode(Frame(b'{"b":1}', None, b""), [], 0) == b',\r\n{"b":1}'
    assert encoder.end(folded([Text("a"), Finished("stop")]), METRICS, 0) == [b"]"]


@pytest.mark.parametrize("data", [b"[{}]", b"", b'{"a":"\xff"}'], ids=["array", "none", "no text"])
def test_what_cannot_be_passed_through_is_translated(data: bytes) -> None:
    piece, is_passthrough = passed(data, START, Text("a"))
    assert parts(json.loads(piece[6:])["candidates"][0]) == [{"text": "a"}]
    assert not is_passthrough
    assert passed(b"{}", Rewritten(), Text("a"))[1] is False


def test_candidates_that_clients_cannot_read_are_not_passed_through() -> None:
    usage = UsageReported(Usage(input_tokens=1))
    assert passed(b'{"candidates":-1}', usage)[1] is False
    assert passed(b'{"candidates":[null]}', usage)[1] is False
    assert passed(b'{"candidates":-1}') == (None, True)
    assert not WHOLE.passes_through(b'{"candidates":[null]}')


def test_a_whole_response_of_google_is_passed_through() -> None:
    assert WHOLE.passes_through(b'{"candidates":[]}')
    assert WHOLE.passes_through(b'{"promptFeedback":{}}')
    for body in (b"[{}]", b"{}", b'{"candidates":7}', b"\xff", b'{"candidates":["\xff"]}'):
        assert not WHOLE.passes_through(body)


def test_the_template_holds_for_every_text() -> None:
    texts = ["a", "\0", '"', "\n", "ü", "a\u2028"]
    found = streamed(START, *map(Text, texts), Finished("stop"))[:-1]
    assert [parts(each["candidates"][0])[0]["text"] for each in found] == texts
    odd = streamed(Started("\0", "m"), Text("a"), Text("b"), Finished("stop"))
    assert [each["responseId"] for each in odd] == ["\0"] * 3
