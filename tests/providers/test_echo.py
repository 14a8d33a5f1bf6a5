"""The echo provider: scripted responses, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.providers.echo import CREATED, PROVIDER, encode_request, respond
from headway.providers.echo_script import FAULTS, EchoChunk, Script, ScriptedResponse
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, EmbeddingsRequest, Target, Url
from headway.wire.sse import SseFramer
from support.for_each import for_each

STREAM = {"stream": True}


def scripted(
    script: Any = None, content: Any = "Hello, my friend", **more: Any
) -> ScriptedResponse:
    body = {"model": "echo", "messages": [{"role": "user", "content": content}], **more}
    return respond(json.dumps(body if script is None else {**body, "echo": script}).encode())


def sent(answer: ScriptedResponse) -> bytes:
    return b"".join(chunk.data or b"" for chunk in answer.chunks)


def fold(answer: ScriptedResponse) -> ResponseAccumulator:
    """The response as the adapter decodes it."""
    folded = ResponseAccumulator()
    if answer.headers[0][1] == b"application/json":
        folded.add(PROVIDER.decode_response(sent(answer)))
        return folded
    framer, state = SseFramer(), {}  # type: ignore[var-annotated]
    for frame in framer.feed(sent(answer)) + framer.end():
        folded.add(PROVIDER.decode_event(frame, state))
    return folded


def delays(answer: ScriptedResponse) -> list[float]:
    return [chunk.delay for chunk in answer.chunks]


BOTH = for_each("more", [{}, STREAM], ids=["whole", "streamed"])


@BOTH
def test_the_output_is_the_text_of_the_last_message(more: dict[str, Any]) -> None:
    answer = fold(scripted(**more))
    assert answer.output() == "Hello, my friend"
    assert answer.finish_reason == "stop"
    assert answer.reported().input_tokens == 3
    assert answer.reported().output_tokens == 3
    assert answer.started is not None
    assert (answer.started.model, answer.started.created) == ("echo", CREATED)


@BOTH
@for_each(
    ("content", "text"),
    [
        (
            [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}],
            "a b",
        ),
        (["odd", {"text": 7}], ""),
        (None, ""),
        (7, ""),
        ("", ""),
    ],
)
def test_content_of_any_type_gets_a_response(content: Any, text: str, more: dict[str, Any]) -> None:
    answer = fold(scripted(content=content, **more))
    assert answer.output() == text
    assert answer.is_finished


def test_a_request_without_messages_gets_an_empty_output() -> None:
    assert fold(respond(b'{"model":"echo","messages":[]}')).output() == ""


def test_each_word_is_one_event() -> None:
    pieces = [chunk.data or b"" for chunk in scripted(stream=True).chunks]
    assert [b'"content":"Hello,"' in pieces[1], b'"content":" my"' in pieces[2]] == [True, True]
    assert pieces[-1] == b"data: [DONE]\n\n"


@BOTH
def test_the_same_request_gets_the_same_response(more: dict[str, Any]) -> None:
    assert scripted(**more) == scripted(**more)


@BOTH
def test_a_script_sets_text_reasoning_and_finish_reason(more: dict[str, Any]) -> None:
    script = {"text": "a b", "reasoning": "x y z", "finish_reason": "length"}
    answer = fold(scripted(script, **more))
    assert answer.output() == "a b"
    assert "".join("".join(answer.choices[0].reasoning).split()) == "xyz"
    assert answer.finish_reason == "length"
    assert answer.reported().output_tokens == 5


@BOTH
def test_a_script_makes_tool_calls(more: dict[str, Any]) -> None:
    tools = [{"name": "weather", "arguments": {"city": "Florence"}}, {"name": "time"}]
    answer = fold(scripted({"tools": tools}, **more))
    assert answer.finish_reason == "tool_calls"
    assert answer.choices[0].message()["tool_calls"] == [
        {
            "id": "call_0",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city":"Florence"}'},
        },
        {"id": "call_1", "type": "function", "function": {"name": "time", "arguments": "{}"}},
    ]


@pytest.mark.parametrize(
    ("shape", "where"),
    [
        ("reported", [False, False, False, False, False, True, False]),
        ("on_finish", [False, False, False, False, True, False]),
        ("cumulative", [True, True, True, True, True, False]),
        ("none", [False, False, False, False, False, False]),
    ],
)
def test_usage_is_in_the_scripted_chunk(shape: str, where: list[bool]) -> None:
    answer = scripted({"usage": shape}, stream=True)
    assert [b'"usage"' in (chunk.data or b"") for chunk in answer.chunks] == where
    reported = fold(answer).reported().output_tokens
    assert reported == (None if shape == "none" else 3)


def test_a_whole_response_may_lack_usage() -> None:
    assert fold(scripted({"usage": "none"})).usage is None


def test_chunks_keep_the_rate_of_tokens() -> None:
    script = {"latency": 1.5, "first_token": 0.5, "tokens_per_second": 4}
    streamed = scripted(script, stream=True)
    assert streamed.delay == 1.5
    assert delays(streamed) == [0, 0.5, 0.25, 0.25, 0, 0, 0]
    whole = scripted(script)
    assert (whole.delay, delays(whole)) == (1.5, [0.5 + 3 / 4])


@BOTH
def test_the_first_token_waits_without_a_rate_too(more: dict[str, Any]) -> None:
    assert sum(delays(scripted({"first_token": 0.5}, **more))) == 0.5


# fault, what the stream's last chunk sends, whether it ends, and the error that the adapter sees
FAULTY: list[tuple[str, Any, bool]] = [
    ("cut", None, False),
    ("malformed", b'data: {"choices": [{\n\n', True),
    ("error_event", b"data: {", True),
]


@pytest.mark.parametrize(("fault", "last", "ends"), FAULTY)
def test_a_stream_fails_after_the_given_number_of_tokens(fault: str, last: Any, ends: bool) -> None:
    answer = scripted({"fault": fault, "fault_after": 2}, stream=True)
    assert answer.status == 200
    assert len(answer.chunks) == 1 + 2 + 1
    assert answer.ends is ends
    if last is None:
        assert answer.chunks[-1] == EchoChunk(0, None)
    else:
        assert (answer.chunks[-1].data or b"").startswith(last)


def test_a_stream_stalls_after_the_given_number_of_tokens() -> None:
    answer = scripted({"fault": "stall", "fault_after": 2}, stream=True)
    assert (len(answer.chunks), answer.ends) == (3, False)


def test_a_fault_comes_after_the_headers_at_the_earliest() -> None:
    answer = scripted({"fault": "stall", "fault_after": -1}, stream=True)
    assert (len(answer.chunks), answer.ends) == (1, False)


@pytest.mark.parametrize(
    ("fault", "data", "ends"),
    [("cut", [None], False), ("stall", [], False), ("malformed", [b'{"id"'], True)],
)
def test_a_whole_response_fails_too(fault: str, data: list[Any], ends: bool) -> None:
    answer = scripted({"fault": fault})
    assert [chunk.data and chunk.data[:5] for chunk in answer.chunks] == data
    assert answer.ends is ends


@BOTH
def test_a_scripted_error_event_is_failed(more: dict[str, Any]) -> None:
    failed = fold(scripted({"fault": "error_event"}, **more)).failed
    assert failed is not None
    assert str(failed) == "scripted: the model failed"


@BOTH
def test_a_scripted_rate_limit_has_a_retry_after(more: dict[str, Any]) -> None:
    answer = scripted({"fault": "rate_limit", "retry_after": 2.5, "latency": 0.1}, **more)
    assert (answer.status, answer.delay) == (429, 0.1)
    error = PROVIDER.decode_error(answer.status, answer.headers, sent(answer))
    assert (error.status, error.retry_after_s) == (429, 2.5)


@pytest.mark.parametrize(("script", "status"), [({}, 500), ({"status": 503}, 503)])
def test_a_scripted_failure_has_its_status(script: dict[str, Any], status: int) -> None:
    answer = scripted({"fault": "error", **script})
    assert answer.status == status
    assert b"scripted: the provider failed" in sent(answer)


@BOTH
def test_silence_sends_nothing(more: dict[str, Any]) -> None:
    answer = scripted({"fault": "silence"}, **more)
    assert (answer.chunks, answer.ends, answer.is_silent) == ([], False, True)


WRONG: list[Any] = [{"txet": "x"}, {"fault": "fire"}, {"usage": "some"}, 7, {"latency": "long"}]


@pytest.mark.parametrize("script", WRONG)
def test_an_invalid_script_gets_a_400(script: Any) -> None:
    answer = scripted(script)
    assert answer.status == 400
    assert b"echo cannot read this request" in sent(answer)


def test_a_body_nested_too_deep_gets_a_400() -> None:
    assert respond(b'{"messages":' + b"[" * 100_000).status == 400


def test_every_described_fault_is_valid() -> None:
    for fault in FAULTS:
        assert scripted({"fault": fault}).status in (200, 429, 500)
    assert Script().fault is None


def test_the_request_is_openais_with_no_real_address() -> None:
    request = ChatRequest(model="echo", messages=Raw(b"[]"), stream=True)
    target = Target(provider="echo", base_url="https://elsewhere.example/v1", api_key="k")
    http = encode_request(request, target)
    assert http.url == Url("echo", "echo", 0, "/chat/completions")
    assert json.loads(http.body)["stream_options"] == {"include_usage": True}


def test_echo_needs_no_key_and_takes_every_parameter() -> None:
    assert PROVIDER.key_env is None
    request = ChatRequest(model="o3", messages=Raw(b"[]"), parameters={"temperature": Raw(b"1")})
    assert PROVIDER.adapt(request) == (request, ())


@BOTH
@pytest.mark.parametrize(
    "script",
    [
        None,
        {"text": "a " * 131_073},
        {"reasoning": "a " * 131_073},
        {"tools": [{"name": "f", "arguments": {"a": "b" * 262_144}}]},
    ],
    ids=["prompt", "text", "reasoning", "tools"],
)
def test_an_output_that_is_too_long_gets_a_400(script: Any, more: dict[str, Any]) -> None:
    answer = scripted(script, content="a " * (1 if script else 131_073), **more)
    assert answer.status == 400
    assert b"at most 262144 characters" in sent(answer)


def test_a_long_prompt_may_have_a_short_answer() -> None:
    answer = fold(scripted({"text": "Hi"}, content="a " * 200_000))
    assert answer.reported().input_tokens == 200_000


# --- Embeddings -----------------------------------------------------------------------------------


def embed(given: Any, **more: Any) -> ScriptedResponse:
    parameters = {name: Raw(json.dumps(value).encode()) for name, value in more.items()}
    raw = Raw(json.dumps(given).encode())
    request = EmbeddingsRequest(model="echo", input=raw, parameters=parameters)
    http = PROVIDER.encode_embeddings(request, Target(provider="echo", base_url="echo:"))
    assert (http.url.host, http.url.path) == ("echo", "/embeddings")
    return respond(http.body, http.url.path)


def test_a_text_has_always_the_same_vector_of_length_1() -> None:
    found = PROVIDER.decode_embeddings(sent(embed(["one two", "three", "one two"])))
    first, second, third = found.vectors
    assert (len(first), first == third, first == second) == (8, True, False)
    assert sum(number * number for number in first) == pytest.approx(1)
    assert found.usage.input_tokens == 5


@pytest.mark.parametrize(
    ("given", "count"), [("one", 1), ([1, 2], 1), ([[1, 2], [3]], 2), (["a"], 1)]
)
def test_texts_and_tokens_are_embedded(given: Any, count: int) -> None:
    vectors = PROVIDER.decode_embeddings(sent(embed(given, dimensions=3))).vectors
    assert [len(vector) for vector in vectors] == [3] * count


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"dimensions": 0}, 400),
        ({"dimensions": 5000}, 400),
        ({"dimensions": "x"}, 400),
        ({"echo": {"fault": "rate_limit"}}, 429),
        ({"echo": {"fault": "error", "status": 503}}, 503),
    ],
)
def test_embeddings_may_be_refused(more: Any, status: int) -> None:
    assert embed("Hi", **more).status == status


def test_embeddings_have_a_limit_and_may_lack_usage() -> None:
    assert embed(["a"] * 100, dimensions=4096).status == 400
    found = json.loads(sent(embed("Hi", echo={"usage": "none"})))
    assert "usage" not in found
