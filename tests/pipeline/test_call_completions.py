"""``/v1/completions`` through the pipeline: passed through, translated from another shape, and
through chat completions; metered and priced in each case."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.openai.completions import OpenAICompletions
from headway.dialects.openai.fim_completions import FimCompletions
from headway.providers import KINDS
from support.pipeline_fakes import DONE, HELLO, STOP, WHOLE, Pipe, text

DIALECT = OpenAICompletions()
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def ask(pipe: Pipe, dialect: Dialect = DIALECT, **fields: Any) -> None:
    body = {"model": "openai/gpt-4o", "prompt": "Say", **fields}
    pipe.send(ClientRequest("", (), json.dumps(body).encode()), dialect)


def chunk(text: str, reason: str | None = None, **more: Any) -> bytes:
    choices = [{"text": text, "index": 0, "logprobs": None, "finish_reason": reason}]
    head = {"id": "cmpl-1", "object": "text_completion", "created": 7, "model": "m"}
    return b"data: " + json.dumps({**head, "choices": choices, **more}).encode() + b"\n\n"


def check_metered(pipe: Pipe, tokens: tuple[int, int], cost: str | None) -> None:
    [record] = pipe.records
    assert (record.outcome, record.dialect) == ("ok", "openai_completions")
    assert (record.input_tokens, record.output_tokens, record.cost_usd) == (*tokens, cost)
    assert record.tokens_source == "reported"


def test_a_provider_with_completions_gets_and_sends_the_bytes_as_they_are() -> None:
    whole = {**json.loads(chunk("Hi", "stop")[6:]), "usage": USAGE}
    for stream in (False, True):
        pipe = Pipe(provider=KINDS["vllm"], base_url="http://box/v1")
        ask(pipe, stream=stream, suffix="end", prompt=["Say"], echo=True)
        assert pipe.upstream.request.url.path == "/v1/completions"
        assert json.loads(pipe.upstream.request.body)["prompt"] == ["Say"]
        if stream:
            sent = chunk("Hi") + chunk("", "stop")
            usage = b"data: " + json.dumps({**whole, "choices": []}).encode() + b"\n\n"
            pipe.upstream.stream(sent, usage, DONE)
            assert pipe.sink.body == sent + DONE
        else:
            pipe.upstream.whole(json.dumps(whole).encode())
            assert pipe.sink.body == json.dumps(whole).encode()
        check_metered(pipe, (3, 2), "0.000007")


def test_usage_that_ends_a_stream_within_its_last_chunk_is_metered() -> None:
    pipe = Pipe(provider=KINDS["deepseek"], base_url="https://api.deepseek.com")
    ask(pipe, stream=True)
    sent = chunk("Hi") + chunk("", "stop", usage=USAGE)
    pipe.upstream.stream(sent, DONE)
    assert pipe.sink.body == sent + DONE
    check_metered(pipe, (3, 2), "0.000007")


def test_fill_in_the_middle_of_another_shape_is_translated() -> None:
    for stream in (False, True):
        pipe = Pipe(provider=KINDS["mistral"], base_url="https://api.mistral.ai/v1")
        ask(pipe, stream=stream, model="openai/codestral-latest", suffix="end", user="me")
        assert pipe.upstream.request.url.path == "/v1/fim/completions"
        body = json.loads(pipe.upstream.request.body)
        assert (body["suffix"], "user" in body) == ("end", False)
        if stream:
            pipe.upstream.stream(HELLO)
            *chunks, _ = pipe.sink.body.split(b"\n\n")[:-1]
            texts = [json.loads(one[6:])["choices"][0]["text"] for one in chunks]
            assert texts == ["Hello", "!", ""]
        else:
            pipe.upstream.whole(WHOLE)
            assert pipe.sink.json["object"] == "text_completion"
            assert pipe.sink.json["choices"][0]["text"] == "Hello!"
            assert pipe.sink.headers[b"x-headway-transformations"] == (
                b"dropped user: unsupported by Mistral"
            )
        assert pipe.records[0].transformations == ("dropped user: unsupported by Mistral",)


def test_a_chat_model_answers_a_completion() -> None:
    for stream in (False, True):
        pipe = Pipe()
        ask(pipe, stream=stream, echo=True, max_tokens=9)
        assert pipe.upstream.request.url.path == "/v1/chat/completions"
        sent = json.loads(pipe.upstream.request.body)
        assert sent["messages"] == [{"role": "user", "content": "Say"}]
        assert (sent["max_tokens"], "echo" in sent) == (9, False)
        if stream:
            pipe.upstream.stream(HELLO)
            *chunks, end, _ = pipe.sink.body.split(b"\n\n")
            told = [json.loads(one[6:])["choices"][0] for one in chunks]
            assert "".join(one["text"] for one in told) == "SayHello!"
            assert (told[-1]["finish_reason"], end) == ("stop", b"data: [DONE]")
        else:
            pipe.upstream.whole(WHOLE)
            [choice] = pipe.sink.json["choices"]
            assert (choice["text"], choice["finish_reason"]) == ("SayHello!", "stop")
        check_metered(pipe, (6, 26), "0.000058")


def test_what_chat_cannot_carry_is_a_400_in_openais_shape() -> None:
    for fields in ({"suffix": "end"}, {"prompt": ["a", "b"]}, {"prompt": [1, 2]}):
        pipe = Pipe()
        ask(pipe, **fields)
        assert pipe.upstream_requests == []
        assert pipe.sink.status == 400
        error = pipe.sink.json["error"]
        assert error["param"] == next(iter(fields)), fields
        assert "through chat completions" in error["message"]


def test_tokens_in_place_of_text_are_counted_where_no_usage_is_reported() -> None:
    pipe = Pipe(provider=KINDS["vllm"], base_url="http://box/v1")
    ask(pipe, prompt=[[1, 2], [3]])
    pipe.upstream.whole(chunk("Hi", "stop")[6:])
    [record] = pipe.records
    assert (record.input_tokens, record.tokens_source) == (6, "counted")


def test_an_editor_gets_the_middle_as_the_provider_says_it_or_translated() -> None:
    pipe = Pipe(provider=KINDS["mistral"], base_url="https://api.mistral.ai/v1")
    ask(pipe, FimCompletions(), model="openai/codestral-latest", suffix="end", stream=True)
    assert pipe.upstream.request.url.path == "/v1/fim/completions"
    pipe.upstream.stream(text("Hello"), STOP, DONE)
    assert pipe.sink.body == text("Hello") + STOP + DONE
    pipe = Pipe(provider=KINDS["vllm"], base_url="http://box/v1")
    ask(pipe, FimCompletions(), suffix="end")
    assert pipe.upstream.request.url.path == "/v1/completions"
    pipe.upstream.whole(chunk("Hi", "stop", usage=USAGE)[6:])
    assert pipe.sink.json["choices"][0]["message"]["content"] == "Hi"
    check_metered_as("fim_completions", pipe)
    pipe = Pipe()
    ask(pipe, FimCompletions(), suffix="end")
    assert (pipe.sink.status, pipe.sink.json["error"]["param"]) == (400, "suffix")


def check_metered_as(dialect: str, pipe: Pipe) -> None:
    [record] = pipe.records
    assert (record.dialect, record.input_tokens, record.output_tokens) == (dialect, 3, 2)
