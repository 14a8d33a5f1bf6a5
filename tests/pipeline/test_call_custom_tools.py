"""Custom tools of chat's clients over every wire format: the request and its next turn, and the
calls, whole and streamed."""

from __future__ import annotations

import json

from headway.providers import KINDS
from support.pipeline_fakes import Pipe
from support.played_script import adapter, read_objects
from support.wire_scripts import JSON, SCRIPTS, Pieces, ToolCall

GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: X"}}
TOOL = {"type": "custom", "custom": {"name": "patch", "description": "Patches.", "format": GRAMMAR}}
CALL = {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}}
HI = {"role": "user", "content": "Hi"}
TURN = [
    HI,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "Done"},
]
OPTIONS = {"region": "us-east-1", "project": "p"}
CALLED = Pieces(calls=[ToolCall("c1", "patch", ('{"input": "*** Be', 'gin"}'))])
EMULATED = "emulated tools[].custom: as a function with one string `input` (patch)"
FUNCTIONS_ONLY = (
    "anthropic", "gemini", "bedrock", "cohere", "mistral", "ollama", "groq", "deepseek", "vllm",
)  # fmt: skip


def test_openais_providers_get_custom_tools_as_they_are() -> None:
    for kind in ("openai", "openai_responses"):
        pipe = Pipe(provider=KINDS[kind], base_url="https://a.example/v1")
        pipe.ask_openai(tools=[TOOL], messages=TURN)
        body = json.loads(pipe.upstream.request.body)
        assert body["tools"][0]["type"] == "custom", kind
        assert "custom" in json.dumps(body.get("messages") or body["input"])
        assert pipe.call.attempt is not None
        assert pipe.call.attempt.context.transformations == ()
        assert pipe.call.attempt.context.is_passthrough is (kind == "openai")


def test_any_other_provider_gets_functions_and_their_calls() -> None:
    for kind in FUNCTIONS_ONLY:
        pipe = Pipe(
            provider=KINDS[kind], base_url="https://a.example/v1", options=OPTIONS, api_key="k"
        )
        pipe.ask_openai(tools=[TOOL], messages=TURN)
        text = pipe.upstream.request.body.decode()
        assert "must match this lark grammar" in text, kind
        assert '"custom"' not in text, kind
        assert "*** Begin" in text, kind
        assert "Done" in text, kind
        assert pipe.call.attempt is not None
        context = pipe.call.attempt.context
        told = [str(each) for each in context.transformations]
        assert EMULATED in told, kind
        assert any(each.startswith("emulated tools[].custom.format") for each in told), kind
        assert not context.is_passthrough, kind


def test_their_calls_come_back_as_custom_calls() -> None:
    for name in ("deepseek", "anthropic", "gemini", "bedrock", "cohere", "ollama", "mistral"):
        script = SCRIPTS[name](CALLED)
        for stream in (False, True):
            pipe = Pipe(provider=adapter(script.kind))
            pipe.ask_openai(tools=[TOOL], stream=stream)
            kind = script.content_type if stream else JSON
            pipe.upstream.respond([(b"content-type", kind.encode())])
            pipe.upstream.chunk(script.streamed() if stream else json.dumps(script.whole).encode())
            if not pipe.upstream.is_over:
                pipe.upstream.end()
            choices = [choice for one in read_objects(pipe) for choice in one["choices"]]
            messages = [choice.get("delta") or choice.get("message") or {} for choice in choices]
            calls = [call for each in messages for call in each.get("tool_calls") or ()]
            assert calls[0]["type"] == "custom", (name, stream)
            assert calls[0]["custom"]["name"] == "patch"
            inputs = "".join(call["custom"]["input"] for call in calls)
            assert inputs == "*** Begin", (name, stream)
            assert choices[-1]["finish_reason"] == "tool_calls", (name, stream)


def test_strict_refuses_what_would_be_emulated() -> None:
    pipe = Pipe(provider=KINDS["groq"])
    pipe.ask_openai(tools=[TOOL], strict=True)
    assert pipe.sink.status == 400
    assert "tools[].custom" in pipe.sink.json["error"]["message"]


def test_a_malformed_tool_is_the_clients_error() -> None:
    pipe = Pipe(provider=KINDS["groq"])
    pipe.ask_openai(tools=[{"type": "custom", "custom": {"description": "No name"}}])
    assert pipe.sink.status == 400
    assert pipe.upstream_requests == []


def test_the_engine_route_has_custom_calls_too() -> None:
    for name in ("deepseek", "anthropic"):
        script = SCRIPTS[name](CALLED)
        for stream in (False, True):
            pipe = Pipe(provider=adapter(script.kind))
            parameters = {"tools": [TOOL]}
            pipe.ask(parameters=parameters, is_stream=stream)
            pipe.upstream.respond([(b"content-type", script.content_type.encode())])
            pipe.upstream.chunk(script.streamed())
            if not pipe.upstream.is_over:
                pipe.upstream.end()
            choices = [choice for one in read_objects(pipe) for choice in one["choices"]]
            messages = [choice.get("delta") or choice.get("message") or {} for choice in choices]
            calls = [call for each in messages for call in each.get("tool_calls") or ()]
            assert calls[0]["type"] == "custom", (name, stream)
            inputs = "".join(call["custom"]["input"] for call in calls)
            assert inputs == "*** Begin", (name, stream)
            if not stream:
                assert list(messages[0])[:4] == ["content", "role", "function_call", "tool_calls"]
