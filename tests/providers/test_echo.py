from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.providers.echo import (
    CREATED,
    FAULTS,
    PROVIDER,
    Play,
    Script,
    Step,
    encode_request,
    play,
)
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Target, Url
from headway.wire.sse import SseFramer

STREAM = {"stream": True}


def played(script: Any = None, content: Any = "Hello, my friend", **more: Any) -> Play:
    body = {"model": "echo", "messages": [{"role": "user", "content": content}], **more}
    return play(json.dumps(body if script is None else {**body, "echo": script}).encode())


def sent(answer: Play) -> bytes:
    return b"".join(step.data or b"" for step in answer.steps)


def fold(answer: Play) -> ResponseAccumulator:
    """The play as the adapter reads it."""
    folded = ResponseAccumulator()
    if answer.headers[0][1] == b"application/json":
        folded.add(PROVIDER.decode_response(sent(answer)))
        return folded
    framer, state = SseFramer(), {}  # type: ignore[var-annotated]
    for frame in framer.feed(sent(answer)) + framer.end():
        folded.add(PROVIDER.decode_event(frame, state))
    return folded


def delays(answer: Play) -> list[float]:
    return [step.delay for step in answer.steps]


BOTH = pytest.mark.parametrize("more", [{}, STREAM], ids=["whole", "streamed"])


@BOTH
def test_the_answer_is_the_text_of_the_last_message(more: dict[str, Any]) -> None:
    answer = fold(played(**more))
    assert answer.output() == "Hello, my friend"
    assert answer.finish_reason == "stop"
    assert answer.reported().input_tokens == 3
    assert answer.reported().output_tokens == 3
    assert answer.started is not None
    assert (answer.started.model, answer.started.created) == ("echo", CREATED)


@BOTH
@pytest.mark.parametrize(
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
def test_any_content_is_answered(content: Any, text: str, more: dict[str, Any]) -> None:
    answer = fold(played(content=content, **more))
    assert answer.output() == text
    assert answer.is_finished


def test_no_messages_are_answered_with_nothing() -> None:
    assert fold(play(b'{"model":"echo","messages":[]}')).output() == ""


def test_each_word_is_an_event_of_its_own() -> None:
    pieces = [step.data or b"" for step in played(stream=True).steps]
    assert [b'"content":"Hello,"' in pieces[1], b'"content":" my"' in pieces[2]] == [True, True]
    assert pieces[-1] == b"data: [DONE]\n\n"


@BOTH
def test_the_same_request_has_the_same_answer(more: dict[str, Any]) -> None:
    assert played(**more) == played(**more)


@BOTH
def test_a_script_says_text_reasoning_and_finish(more: dict[str, Any]) -> None:
    script = {"text": "a b", "reasoning": "x y z", "finish_reason": "length"}
    answer = fold(played(script, **more))
    assert answer.output() == "a b"
    assert "".join("".join(answer.choices[0].reasoning).split()) == "xyz"
    assert answer.finish_reason == "length"
    assert answer.reported().output_tokens == 5


@BOTH
def test_a_script_makes_tool_calls(more: dict[str, Any]) -> None:
    tools = [{"name": "weather", "arguments": {"city": "Florence"}}, {"name": "time"}]
    answer = fold(played({"tools": tools}, **more))
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
def test_usage_comes_in_every_shape_of_the_field(shape: str, where: list[bool]) -> None:
    answer = played({"usage": shape}, stream=True)
    assert [b'"usage"' in (step.data or b"") for step in answer.steps] == where
    reported = fold(answer).reported().output_tokens
    assert reported == (None if shape == "none" else 3)


def test_a_whole_answer_may_lack_usage_too() -> None:
    assert fold(played({"usage": "none"})).usage is None


def test_the_rate_of_tokens_is_kept() -> None:
    script = {"latency": 1.5, "first_token": 0.5, "tokens_per_second": 4}
    streamed = played(script, stream=True)
    assert streamed.delay == 1.5
    assert delays(streamed) == [0, 0.5, 0.25, 0.25, 0, 0, 0]
    whole = played(script)
    assert (whole.delay, delays(whole)) == (1.5, [0.5 + 3 / 4])


@BOTH
def test_a_first_token_takes_its_time_without_a_rate(more: dict[str, Any]) -> None:
    assert sum(delays(played({"first_token": 0.5}, **more))) == 0.5


# fault, what the stream's last step sends, whether it ends, and the error that the adapter sees
FAULTY: list[tuple[str, Any, bool]] = [
    ("cut", None, False),
    ("malformed", b'data: {"choices": [{\n\n', True),
    ("error_event", b"data: {", True),
]


@pytest.mark.parametrize(("fault", "last", "ends"), FAULTY)
def test_a_stream_goes_wrong_after_the_tokens_asked_for(fault: str, last: Any, ends: bool) -> None:
    answer = played({"fault": fault, "fault_after": 2}, stream=True)
    assert answer.status == 200
    assert len(answer.steps) == 1 + 2 + 1
    assert answer.ends is ends
    if last is None:
        assert answer.steps[-1] == Step(0, None)
    else:
        assert (answer.steps[-1].data or b"").startswith(last)


def test_a_stream_stalls_after_the_tokens_asked_for() -> None:
    answer = played({"fault": "stall", "fault_after": 2}, stream=True)
    assert (len(answer.steps), answer.ends) == (3, False)


def test_a_fault_may_come_before_any_token_and_not_before_the_head() -> None:
    answer = played({"fault": "stall", "fault_after": -1}, stream=True)
    assert (len(answer.steps), answer.ends) == (1, False)


@pytest.mark.parametrize(
    ("fault", "data", "ends"),
    [("cut", [None], False), ("stall", [], False), ("malformed", [b'{"id"'], True)],
)
def test_a_whole_answer_goes_wrong_too(fault: str, data: list[Any], ends: bool) -> None:
    answer = played({"fault": fault})
    assert [step.data and step.data[:5] for step in answer.steps] == data
    assert answer.ends is ends


@BOTH
def test_an_error_inside_an_answer_is_one_to_the_adapter(more: dict[str, Any]) -> None:
    failed = fold(played({"fault": "error_event"}, **more)).failed
    assert failed is not None
    assert str(failed) == "scripted: the model failed"


@BOTH
def test_a_scripted_rate_limit_says_when_to_come_back(more: dict[str, Any]) -> None:
    answer = played({"fault": "rate_limit", "retry_after": 2.5, "latency": 0.1}, **more)
    assert (answer.status, answer.delay) == (429, 0.1)
    error = PROVIDER.decode_error(answer.status, answer.headers, sent(answer))
    assert (error.status, error.retry_after_s) == (429, 2.5)


@pytest.mark.parametrize(("script", "status"), [({}, 500), ({"status": 503}, 503)])
def test_a_scripted_failure_has_its_status(script: dict[str, Any], status: int) -> None:
    answer = played({"fault": "error", **script})
    assert answer.status == status
    assert b"scripted: the provider failed" in sent(answer)


@BOTH
def test_silence_is_no_answer_at_all(more: dict[str, Any]) -> None:
    answer = played({"fault": "silence"}, **more)
    assert (answer.steps, answer.ends, answer.answers) == ([], False, False)


WRONG: list[Any] = [{"txet": "x"}, {"fault": "fire"}, {"usage": "some"}, 7, {"latency": "long"}]


@pytest.mark.parametrize("script", WRONG)
def test_a_wrong_script_is_answered_with_400(script: Any) -> None:
    answer = played(script)
    assert answer.status == 400
    assert b"echo cannot read this request" in sent(answer)


def test_a_body_nested_too_deeply_is_answered_with_400() -> None:
    assert play(b'{"messages":' + b"[" * 100_000).status == 400


def test_every_fault_is_described_and_known() -> None:
    for fault in FAULTS:
        assert played({"fault": fault}).status in (200, 429, 500)
    assert Script().fault is None


def test_the_request_goes_to_no_address_but_is_openais() -> None:
    request = ChatRequest(model="echo", messages=Raw(b"[]"), stream=True)
    target = Target(provider="echo", base_url="https://elsewhere.example/v1", api_key="k")
    http = encode_request(request, target)
    assert http.url == Url("echo", "echo", 0, "/chat/completions")
    assert json.loads(http.body)["stream_options"] == {"include_usage": True}


def test_it_needs_no_key_and_refuses_no_parameter() -> None:
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
def test_an_answer_that_would_fill_the_memory_is_refused(script: Any, more: dict[str, Any]) -> None:
    answer = played(script, content="a " * (1 if script else 131_073), **more)
    assert answer.status == 400
    assert b"at most 262144 characters" in sent(answer)


def test_a_long_prompt_with_a_short_answer_is_fine() -> None:
    answer = fold(played({"text": "Hi"}, content="a " * 200_000))
    assert answer.reported().input_tokens == 200_000
