"""``/v1/completions``: what is read of a request, its conversion to chat completions, and the shape
of its responses, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from headway.dialects.base import ClientRequest, DecodedRequest, ResponseContext
from headway.dialects.openai.completions import OpenAICompletions
from headway.dialects.openai.fim_completions import FimCompletions
from headway.errors import InvalidField, RequestError
from headway.events import (
    Event,
    Finished,
    Logprobs,
    Refusal,
    Rewritten,
    Started,
    StreamEnd,
    Text,
    UsageReported,
)
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Frame
from support.dialect_samples import METRICS, NO_FRAME, STARTED, USAGE, fold, inbound

DIALECT = OpenAICompletions()
MODEL = "openai/gpt-4o"
TOKEN = {"token": "ab", "logprob": -0.5, "bytes": None, "top_logprobs": []}
OTHER = {**TOKEN, "token": "c", "top_logprobs": [{"token": "c", "logprob": -1.0}]}
HEAD = {"id": "cmpl-1", "object": "text_completion", "created": 7, "model": "m"}


def decode(**fields: Any) -> DecodedRequest:
    return DIALECT.decode(inbound({"model": MODEL, "prompt": "Say", **fields}, ""))


def request_of(call: DecodedRequest) -> ChatRequest:
    assert isinstance(call.request, ChatRequest)
    return call.request


def context_of(is_passthrough: bool = False, **fields: Any) -> ResponseContext:
    call = decode(**fields)
    sent = request_of(call)
    if not is_passthrough:
        sent = DIALECT.convert_request(sent)[0]
    return ResponseContext(
        id="id-1",
        request_id="id-1",
        created=7,
        call=call,
        sent=sent,
        is_passthrough=is_passthrough,
    )


def converted(**fields: Any) -> tuple[Any, dict[str, Any], list[str]]:
    request, noted = DIALECT.convert_request(request_of(decode(**fields)))
    assert request.native is None
    parameters = {name: json.loads(bytes(raw)) for name, raw in request.parameters.items()}
    return json.loads(bytes(request.messages)), parameters, [str(each) for each in noted]


# --- Requests -------------------------------------------------------------------------------------


def test_the_fields_go_on_as_they_came() -> None:
    call = decode(suffix=" end", n=2, stream=True, stream_options={"include_usage": True})
    request = request_of(call)
    assert (call.provider, request.model, call.stream, call.shows_usage) == (
        "openai",
        "gpt-4o",
        True,
        True,
    )
    assert request.native is not None
    assert request.native.wire == DIALECT.wire
    assert list(request.native.fields) == ["prompt", "suffix", "n", "stream_options"]
    assert DIALECT.passes_through(json.dumps({**HEAD, "choices": []}).encode())
    assert not DIALECT.passes_through(b"{}")


def test_every_form_of_a_prompt_is_read_for_counting() -> None:
    for prompt, texts, tokens in (
        ("a", ["a"], 0),
        (["a", "b"], ["a", "b"], 0),
        ([1, 2, 3], [], 3),
        ([[1, 2], [3]], [], 3),
    ):
        request = request_of(decode(prompt=prompt))
        messages = json.loads(bytes(request.messages))
        assert [one["content"] for one in messages] == texts, prompt
        assert request.given_tokens == tokens, prompt


def test_a_wrong_field_is_named() -> None:
    for fields, param in (
        ({"prompt": []}, "prompt"),
        ({"prompt": {"text": "a"}}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"model": 7}, "model"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": 1}, "stream_options"),
        ({"base_url": "https://example.com"}, "base_url"),
    ):
        with pytest.raises(InvalidField) as caught:
            decode(**fields)
        assert caught.value.param == param, fields
    with pytest.raises(InvalidField, match="`prompt` is missing"):
        DIALECT.decode(ClientRequest("", (), b'{"model": "a/b"}'))


def test_through_chat_the_prompt_is_the_users_message() -> None:
    for prompt in ("Say", ["Say"]):
        messages, parameters, noted = converted(
            prompt=prompt, n=2, stop=["\n"], suffix=None, seed=1
        )
        assert messages == [{"role": "user", "content": "Say"}]
        assert parameters == {"n": 2, "stop": ["\n"], "seed": 1}
        assert noted == []


def test_logprobs_are_asked_for_in_chats_two_parameters() -> None:
    for given, sent in (
        (3, {"logprobs": True, "top_logprobs": 3}),
        (0, {"logprobs": True}),
        (None, {}),
        (True, {"logprobs": True}),
    ):
        assert converted(logprobs=given)[1] == sent, given


def test_what_chat_lacks_is_said() -> None:
    assert converted(echo=True, best_of=3, n=2)[1:] == (
        {"n": 2},
        [
            "emulated echo: the prompt before the output",
            "dropped best_of: chat completions have none",
        ],
    )
    assert converted(echo=False, best_of=2, n=2)[2] == []
    assert converted(best_of=1)[2] == []


def test_what_no_message_can_say_is_refused_with_a_remedy() -> None:
    for fields, param, remedy in (
        ({"prompt": ["a", "b"]}, "prompt", "a request for each"),
        ({"prompt": [1, 2]}, "prompt", "send their text"),
        ({"prompt": [[1, 2]]}, "prompt", "send their text"),
        ({"suffix": "end"}, "suffix", "provider has completions"),
    ):
        with pytest.raises(RequestError, match=remedy) as caught:
            converted(**fields)
        assert caught.value.param == param, fields


# --- Whole responses ------------------------------------------------------------------------------


def whole(*events: Event, **fields: Any) -> Any:
    return json.loads(DIALECT.encode(context_of(**fields), fold(*events), METRICS, 8.0))


def test_a_whole_completion_has_openais_shape() -> None:
    assert whole(STARTED, Text("Hel"), Text("lo"), Finished("stop"), USAGE) == {
        "id": "chatcmpl-1",
        "object": "text_completion",
        "created": 1718622757,
        "model": "gpt-4o-2024-08-06",
        "system_fingerprint": "fp_1",
        "choices": [{"text": "Hello", "index": 0, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 6, "completion_tokens": 2, "total_tokens": 8},
    }


def test_a_completion_that_tells_little_gets_the_gateways_facts() -> None:
    told = whole(Text("a", 1), Refusal("No"), Finished("tool_calls"), Finished("length", 1))
    assert (told["id"], told["created"], told["model"]) == ("id-1", 7, "gpt-4o")
    assert [(c["index"], c["text"], c["finish_reason"]) for c in told["choices"]] == [
        (0, "No", "stop"),
        (1, "a", "length"),
    ]


def test_the_prompt_is_echoed_before_each_choice() -> None:
    told = whole(Text("a"), Text("b", 1), echo=True)
    assert [choice["text"] for choice in told["choices"]] == ["Saya", "Sayb"]
    told = whole(Text("a"), prompt=["Say"], echo=True)
    assert told["choices"][0]["text"] == "Saya"


def test_logprobs_get_their_older_shape() -> None:
    told = whole(Text("abc"), Logprobs({"content": [TOKEN, OTHER]}), logprobs=1)
    assert told["choices"][0]["logprobs"] == {
        "tokens": ["ab", "c"],
        "token_logprobs": [-0.5, -0.5],
        "top_logprobs": [None, {"c": -1.0}],
        "text_offset": [3, 5],
    }
    for value in ({"tokens": ["a"]}, {"content": None}):
        shown = whole(Text("a"), Logprobs(value))["choices"][0]["logprobs"]
        assert shown == (value if "tokens" in value else None)


# --- Streams --------------------------------------------------------------------------------------


class Streamed:
    def __init__(self, **fields: Any) -> None:
        self.stream = DIALECT.stream(context_of(**fields))
        self.response = ResponseAccumulator()
        self.pieces: list[bytes] = []

    def add(self, *events: Event, frame: Frame = NO_FRAME) -> Streamed:
        self.response.add(list(events))
        piece = self.stream.encode(frame, list(events), 8.0)
        self.pieces += [] if piece is None else [piece]
        return self

    def end(self) -> list[Any]:
        self.pieces += self.stream.end(self.response, METRICS, 9.0)
        assert self.pieces[-1] == b"data: [DONE]\n\n"
        return [json.loads(piece[6:]) for piece in self.pieces[:-1]]


def chunk(choice: dict[str, Any] | None = None, **more: Any) -> Frame:
    choices = [] if choice is None else [{"index": 0, "finish_reason": None, **choice}]
    data = json.dumps({**HEAD, "choices": choices, **more}).encode()
    return Frame(data, None, b"data: " + data + b"\n\n")


def test_a_stream_has_a_chunk_for_each_piece_and_a_last_one_with_the_reason() -> None:
    told = (
        Streamed(stream_options={"include_usage": True})
        .add(STARTED)
        .add(Text("He"))
        .add(Text("y", 1), Text("llo"), Text("!"))
        .add(Finished("stop"), Finished("length", 1), USAGE, StreamEnd())
        .end()
    )
    shown = [[(c["index"], c["text"], c["finish_reason"]) for c in one["choices"]] for one in told]
    assert shown == [
        [(0, "He", None)],
        [(0, "llo!", None), (1, "y", None)],
        [(0, "", "stop"), (1, "", "length")],
        [],
    ]
    assert {one["object"] for one in told} == {"text_completion"}
    assert told[-1]["usage"]["total_tokens"] == 8


def test_a_stream_echoes_the_prompt_once_in_each_choice() -> None:
    told = Streamed(echo=True).add(Text("a")).add(Text("b")).add(Finished("stop")).end()
    assert [one["choices"][0]["text"] for one in told] == ["Saya", "b", ""]
    told = Streamed(echo=True).add(Finished("stop")).end()
    assert [one["choices"][0]["text"] for one in told] == ["Say"]


def test_the_offsets_of_streamed_logprobs_go_on() -> None:
    told = (
        Streamed(logprobs=1)
        .add(Text("ab"), Logprobs({"content": [TOKEN]}))
        .add(Text("ab"), Logprobs({"content": [TOKEN]}))
        .add(Finished("stop"))
        .end()
    )
    offsets = [one["choices"][0]["logprobs"]["text_offset"] for one in told[:-1]]
    assert offsets == [[3], [5]]


def test_chunks_of_openais_shape_pass_through() -> None:
    stream = Streamed(is_passthrough=True)
    frames = [chunk({"text": "a"}), chunk({"text": "", "finish_reason": "stop"})]
    stream.add(Started("cmpl-1"), Text("a"), frame=frames[0])
    stream.add(Finished("stop"), frame=frames[1])
    stream.add(USAGE, frame=chunk(usage={"prompt_tokens": 1})).add(StreamEnd())
    stream.end()
    assert stream.pieces == [frames[0].raw, frames[1].raw, b"data: [DONE]\n\n"]


def test_a_stream_of_another_shape_is_translated_from_there_on() -> None:
    stream = Streamed(is_passthrough=True, echo=True)
    first = chunk({"text": "a"})
    stream.add(Started("cmpl-1", "m", 7), Text("a"), frame=first)
    stream.add(frame=Frame(b"{}", None, b"data: {}\n\n"))
    stream.add(Text("b"), frame=Frame(b'{"id": "\xff"}', None, b""))
    stream.add(Text("c"), Rewritten(), frame=chunk({"text": "x"}))
    told = stream.add(Finished("stop"), StreamEnd()).end()
    assert stream.pieces[0] == first.raw
    assert [(one["id"], one["choices"][0]["text"]) for one in told] == [
        ("cmpl-1", "a"),
        ("cmpl-1", "b"),
        ("cmpl-1", "c"),
        ("cmpl-1", ""),
    ]


def test_the_metrics_are_a_last_chunk_of_their_own() -> None:
    context = context_of(stream=True)
    context = replace(context, call=replace(context.call, shows_metrics=True))
    stream = DIALECT.stream(context)
    *_, last, end = stream.end(fold(Text("a"), Finished("stop")), METRICS, 9.0)
    told = json.loads(last[6:])
    assert (told["object"], told["choices"], end) == ("text_completion", [], b"data: [DONE]\n\n")
    assert told["metrics"]["input_tokens"] == 6


def test_usage_without_counts_is_no_usage() -> None:
    assert whole(Text("a"), UsageReported(USAGE.usage, 7))["usage"]["total_tokens"] == 8


# --- Fill in the middle ---------------------------------------------------------------------------


def test_the_middle_of_a_code_comes_as_a_chat_completion() -> None:
    fim = FimCompletions()
    asked = inbound({"model": MODEL, "prompt": "a", "suffix": "b"}, "")
    request = request_of(fim.decode(asked))
    assert request.native is not None
    assert (request.native.wire, list(request.native.fields)) == (
        DIALECT.wire,
        ["prompt", "suffix"],
    )
    events = (STARTED, Text("Hi"), Finished("stop"), USAGE, StreamEnd())
    made = context_of()
    whole = json.loads(fim.encode(made, fold(*events), METRICS, 8.0))
    assert whole["object"] == "chat.completion"
    assert whole["choices"][0]["message"]["content"] == "Hi"
    assert fim.passes_through(json.dumps(whole).encode())
    assert not fim.passes_through(json.dumps({**HEAD, "choices": []}).encode())
    stream = fim.stream(made)
    piece = stream.encode(NO_FRAME, [Text("Hi")], 8.0)
    assert piece is not None
    chunk = json.loads(piece[6:])
    assert (chunk["object"], chunk["choices"][0]["delta"]["content"]) == (
        "chat.completion.chunk",
        "Hi",
    )
