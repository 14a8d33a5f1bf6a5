"""The reply that is not streamed, field by field, against the sample that the contract shows."""

from __future__ import annotations

import time
from typing import Any

import pytest

from contract.shapes import (
    CHOICE_KEYS,
    DEFAULTS,
    FIRST_METRICS,
    MESSAGE_KEYS,
    REPLY_KEYS,
    in_order,
    is_uuid,
    ok,
)
from support.gateway_process import HELLO, Gateway
from support.openai_completions import (
    DEPLOYMENT,
    DONE,
    USAGE,
    chunk,
    finish,
    reasoning,
    role,
    text,
    tool_piece,
    tool_start,
    usage,
)
from support.openai_upstream import Answer, Upstream

SAMPLE_TEXT = (
    "Hello! I am a virtual assistant here to help with any questions or tasks you may have. "
    "How can I assist you today?"
)


def sample_answer() -> Answer:
    """The sample's text a word at a time, with no usage reported."""
    words = [word if not i else f" {word}" for i, word in enumerate(SAMPLE_TEXT.split(" "))]
    return Answer((role(), *(text(word) for word in words), finish(), DONE))


def tool_answer(*calls: tuple[str, str, list[str]]) -> Answer:
    """Tool calls one after another, each as (id, name, fragments of its arguments)."""
    steps: list[dict[str, Any]] = [chunk({"role": "assistant", "content": None})]
    for number, (call_id, name, fragments) in enumerate(calls):
        steps.append(tool_start(number, call_id, name))
        steps += [tool_piece(number, fragment) for fragment in fragments]
    return Answer((*steps, finish("tool_calls"), usage(), DONE))


def test_every_key_of_the_sample_is_present_in_order(gateway: Gateway) -> None:
    reply = ok(gateway.chat())
    assert in_order(reply, REPLY_KEYS) == REPLY_KEYS
    assert in_order(reply["choices"][0], CHOICE_KEYS) == CHOICE_KEYS
    assert in_order(reply["choices"][0]["message"], MESSAGE_KEYS) == MESSAGE_KEYS
    assert list(reply["metrics"])[:8] == FIRST_METRICS


def test_the_contracts_sample_is_reproduced(gateway: Gateway, upstream: Upstream) -> None:
    upstream.play(sample_answer())
    reply = ok(gateway.chat(model="gpt-3.5-turbo"))
    assert reply["choices"][0] == {
        "finish_reason": "stop",
        "index": 0,
        "logprobs": None,
        "message": {
            "content": SAMPLE_TEXT,
            "role": "assistant",
            "function_call": None,
            "tool_calls": None,
        },
    }
    assert reply["model"] == "gpt-3.5-turbo"
    assert reply["object"] == "chat.completion"
    assert reply["usage"] is None
    assert reply["session_id"] is None
    assert reply["chat_input"] == HELLO
    assert reply["chat_output"] == SAMPLE_TEXT
    assert reply["context"] == [{"role": "user", "content": HELLO}]
    assert reply["provider"] == "openai"
    assert reply["parameters"] == DEFAULTS
    assert list(reply["parameters"]) == list(DEFAULTS)


def test_the_samples_tokens_are_counted_and_priced(server: Gateway, upstream: Upstream) -> None:
    upstream.play(sample_answer())
    metrics = ok(server.chat(model="gpt-3.5-turbo"))["metrics"]
    assert metrics["input_tokens"] == 6
    assert metrics["output_tokens"] == 26
    assert metrics["total_tokens"] == 32
    assert metrics["cost_usd"] in (0.000042, 0.000061)
    assert metrics["tokens_source"] == "counted"


def test_each_reply_has_a_fresh_uuid_and_the_time(server: Gateway) -> None:
    before = time.time()
    first, second = ok(server.chat()), ok(server.chat())
    assert is_uuid(first["id"])
    assert is_uuid(second["id"])
    assert first["id"] != second["id"]
    assert type(first["created"]) is int
    assert type(first["timestamp"]) is float
    assert before - 1 <= first["created"] <= first["timestamp"] <= time.time()


def test_model_is_the_requested_one_and_deployment_the_exact_one(
    server: Gateway,
) -> None:
    reply = ok(server.chat(model="gpt-4o"))
    assert reply["model"] == "gpt-4o"
    assert reply["deployment"] == DEPLOYMENT


def test_reported_usage_is_shown_unchanged(server: Gateway, upstream: Upstream) -> None:
    reported = {
        **USAGE,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 2, "accepted_prediction_tokens": 0},
    }
    upstream.play(Answer((role(), text("Hi"), finish(), usage(reported), DONE)))
    assert ok(server.chat())["usage"] == reported


MESSAGES: list[Any] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "One?", "name": "ann"},
    {"role": "assistant", "content": "Two."},
    {"role": "user", "content": "Three?"},
]


def test_messages_are_the_context_and_the_last_content_is_the_input(server: Gateway) -> None:
    reply = ok(server.chat(chat_input=MESSAGES))
    assert reply["context"] == MESSAGES
    assert reply["chat_input"] == "Three?"


def test_content_in_parts_is_shown_as_given(server: Gateway) -> None:
    parts = [{"type": "text", "text": "What is this?"}]
    reply = ok(server.chat(chat_input=[{"role": "user", "content": parts}]))
    assert reply["chat_input"] == parts
    assert reply["context"] == [{"role": "user", "content": parts}]


def test_the_session_id_is_returned(gateway: Gateway) -> None:
    assert ok(gateway.chat(session_id="a-session"))["session_id"] == "a-session"


@pytest.mark.parametrize("is_stream", [False, None])
def test_is_stream_false_and_null_give_a_complete_reply(
    server: Gateway, is_stream: bool | None
) -> None:
    assert ok(server.chat(is_stream=is_stream))["chat_output"] == "Hello there!"


def test_the_accept_header_does_not_turn_a_complete_reply_into_a_stream(server: Gateway) -> None:
    assert ok(server.chat(headers={"accept": "text/event-stream"}))["object"] == "chat.completion"


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter"])
def test_the_finish_reason_is_the_providers(
    server: Gateway, upstream: Upstream, reason: str
) -> None:
    upstream.play(Answer((role(), text("Hi"), finish(reason), usage(), DONE)))
    assert ok(server.chat())["choices"][0]["finish_reason"] == reason


def test_a_tool_call_is_joined_and_its_arguments_are_the_output(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.play(tool_answer(("call_1", "weather", ['{"ci', 'ty": "Pa', 'ris"}'])))
    reply = ok(gateway.chat())
    assert reply["chat_output"] == '{"city": "Paris"}'
    message = reply["choices"][0]["message"]
    assert message["content"] is None
    assert message["tool_calls"] == [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
        }
    ]
    assert reply["choices"][0]["finish_reason"] == "tool_calls"


def test_parallel_tool_calls_stay_separate(server: Gateway, upstream: Upstream) -> None:
    upstream.play(
        tool_answer(("call_1", "weather", ['{"a":', "1}"]), ("call_2", "time", ['{"b":', "2}"]))
    )
    reply = ok(server.chat())
    calls = reply["choices"][0]["message"]["tool_calls"]
    assert [c["id"] for c in calls] == ["call_1", "call_2"]
    assert [c["function"]["name"] for c in calls] == ["weather", "time"]
    assert [c["function"]["arguments"] for c in calls] == ['{"a":1}', '{"b":2}']
    assert '{"a":1}' in reply["chat_output"]


def test_a_legacy_function_call_is_joined_too(server: Gateway, upstream: Upstream) -> None:
    name = chunk({"role": "assistant", "function_call": {"name": "weather", "arguments": ""}})
    pieces = [chunk({"function_call": {"arguments": a}}) for a in ('{"x"', ":1}")]
    upstream.play(Answer((name, *pieces, finish("function_call"), usage(), DONE)))
    reply = ok(server.chat())
    message = reply["choices"][0]["message"]
    assert message["function_call"] == {"name": "weather", "arguments": '{"x":1}'}
    assert reply["chat_output"] == '{"x":1}'


def test_reasoning_is_separate_from_the_output(server: Gateway, upstream: Upstream) -> None:
    upstream.play(
        Answer(
            (role(), reasoning("Let me "), reasoning("see."), text("42"), finish(), usage(), DONE)
        )
    )
    reply = ok(server.chat())
    assert reply["chat_output"] == "42"
    assert reply["choices"][0]["message"]["content"] == "42"
    assert "Let me see." in str(reply["choices"][0]["message"])


def test_every_choice_of_several_is_present(server: Gateway, upstream: Upstream) -> None:
    pieces = [role(0), role(1), text("A", 0), text("B", 1), text("a", 0), text("b", 1)]
    upstream.play(Answer((*pieces, finish(index=0), finish("length", 1), usage(), DONE)))
    reply = ok(server.chat(parameters={"n": 2}))
    assert [c["message"]["content"] for c in reply["choices"]] == ["Aa", "Bb"]
    assert [c["index"] for c in reply["choices"]] == [0, 1]
    assert [c["finish_reason"] for c in reply["choices"]] == ["stop", "length"]
    assert reply["chat_output"] == "Aa"


def test_logprobs_of_all_pieces_are_joined(server: Gateway, upstream: Upstream) -> None:
    def token(word: str) -> dict[str, Any]:
        return {"token": word, "logprob": -0.5, "bytes": list(word.encode()), "top_logprobs": []}

    pieces = [chunk({"content": w}, logprobs={"content": [token(w)]}) for w in ("Hi", " you")]
    upstream.play(Answer((role(), *pieces, finish(), usage(), DONE)))
    logprobs = ok(server.chat(parameters={"logprobs": True}))["choices"][0]["logprobs"]
    assert logprobs["content"] == [token("Hi"), token(" you")]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_response_is_the_same_wherever_its_bytes_are_split(
    server: Gateway, upstream: Upstream, size: int
) -> None:
    steps = (role(), text("Grüße, "), text("世界 🌍"), finish(), usage(), DONE)
    upstream.play(Answer(steps, cut_every=size))
    assert ok(server.chat())["chat_output"] == "Grüße, 世界 🌍"


def test_one_connection_serves_many_calls(gateway: Gateway) -> None:
    body = {"model": "gpt-4o", "chat_input": HELLO}
    first = gateway.client.open("POST", "/api/engine/chat/openai", body)
    with first:
        assert ok(first.read_head().reply())["chat_output"] == "Hello there!"
        streamed = {**body, "is_stream": True}
        second = gateway.client.open("POST", "/api/engine/chat/openai", streamed, on=first)
        assert b"Hello there!" in second.read_head().read()
        assert second.complete
        third = gateway.client.open("POST", "/api/engine/chat/openai", body, on=first)
        assert ok(third.read_head().reply())["chat_output"] == "Hello there!"
