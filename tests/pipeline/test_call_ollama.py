"""Ollama's routes through the pipeline: what a server of Ollama gets and says as it is, and
requests that load a model where there is none to load."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.base import ClientRequest
from headway.dialects.ollama.chat import OllamaChat
from headway.providers import KINDS
from support.pipeline_fakes import Pipe

NDJSON = [(b"content-type", b"application/x-ndjson")]
CHAT, GENERATE = OllamaChat(), OllamaChat(is_generate=True)
OLLAMA: dict[str, Any] = {"provider": KINDS["ollama"], "base_url": "http://box:11434"}


def ask(dialect: OllamaChat, upstream: dict[str, Any], **fields: Any) -> Pipe:
    pipe = Pipe(**upstream)
    body = json.dumps({"model": "openai/gpt-4o", **fields}).encode()
    pipe.send(ClientRequest("", (), body), dialect)
    return pipe


def test_a_model_is_loaded_without_a_call_where_there_is_none_to_load() -> None:
    for dialect, empty, said in (
        (CHAT, {"messages": []}, "message"),
        (GENERATE, {"prompt": ""}, "response"),
    ):
        for keep_alive, reason in ((0, "unload"), ("5m", "load")):
            for kind in ("openai", "anthropic", "gemini"):
                pipe = ask(dialect, {"provider": KINDS[kind]}, **empty, keep_alive=keep_alive)
                assert (pipe.sink.status, pipe.sink.kinds) == (200, ["whole"]), kind
                told = pipe.sink.json
                assert (told["done"], told["done_reason"], said in told) == (True, reason, True)
                assert told["model"] == "openai/gpt-4o"
                assert pipe.upstream_requests == []
                assert pipe.records == []
                assert pipe.call.is_over
                assert not pipe.gateway.active


def test_a_model_that_is_not_known_is_an_error() -> None:
    pipe = ask(CHAT, {}, model="nobody/m", messages=[])
    assert pipe.sink.status == 404
    assert "nobody" in pipe.sink.json["error"]


def test_a_server_of_ollama_loads_it_itself() -> None:
    loaded = b'{"model":"m","response":"","done":true,"done_reason":"load"}'
    pipe = ask(GENERATE, OLLAMA, keep_alive="5m")
    sent = pipe.upstream.request
    assert sent.url.path == "/api/generate"
    assert json.loads(sent.body) == {"model": "gpt-4o", "stream": False, "keep_alive": "5m"}
    pipe.upstream.whole(loaded)
    assert pipe.sink.body.strip() == loaded


def test_a_prompt_and_its_stream_pass_through() -> None:
    lines = [
        b'{"model":"m","created_at":"2024-05-01T00:00:00Z","response":"He","done":false}\n',
        b'{"model":"m","created_at":"2024-05-01T00:00:01Z","response":"","done":true,'
        b'"done_reason":"stop","context":[1,2],"prompt_eval_count":3,"eval_count":2}\n',
    ]
    given = {"prompt": "Hi", "suffix": "end", "raw": True, "context": [7]}
    pipe = ask(GENERATE, OLLAMA, **given)
    assert json.loads(pipe.upstream.request.body) == {"model": "gpt-4o", "stream": True, **given}
    pipe.upstream.respond(NDJSON)
    pipe.upstream.chunk(*lines)
    pipe.upstream.end()
    assert pipe.sink.body == b"".join(lines)
    [record] = pipe.records
    assert (record.input_tokens, record.output_tokens, record.transformations) == (3, 2, ())


def test_a_suffix_for_a_chat_is_an_error_in_ollamas_shape() -> None:
    pipe = ask(GENERATE, {}, prompt="Hi", suffix="end")
    assert pipe.sink.status == 400
    assert "no suffix" in pipe.sink.json["error"]
    assert pipe.upstream_requests == []
