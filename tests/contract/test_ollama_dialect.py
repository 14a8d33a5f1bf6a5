"""Ollama's routes, used through Ollama's own client, over providers of several wire formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest

from contract.conftest import stop_all
from support.gateway_process import SERVER_MODES, Gateway
from support.lazy_import import lazy_import
from support.scripted_server import answer, chunked
from support.wire_scripts import Pieces
from support.wire_upstream import WireUpstream

ollama = lazy_import("ollama")

MODELS = {
    "ollama": "ollama/llama",
    "openai": "openai/gpt-4o",
    "anthropic": "anthropic/claude-sonnet-4-5",
}
WIRES = pytest.mark.parametrize("wire", MODELS)
HI: Any = [{"role": "user", "content": "Hi"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}]


@pytest.fixture(scope="module")
def wires() -> Iterator[WireUpstream]:
    with WireUpstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(wires: WireUpstream) -> WireUpstream:
    wires.reset()
    return wires


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory, wires: WireUpstream
) -> Iterator[Callable[[str], Gateway]]:
    """Each with its mode, started when first requested."""

    @cache
    def start(mode: str) -> Gateway:
        directory, config = tmp_path_factory.mktemp("ollama"), {"providers": wires.providers()}
        started.append(Gateway.start(directory, config, mode=mode))
        return started[-1]

    started: list[Gateway] = []
    yield start
    stop_all(started)


@pytest.fixture(params=SERVER_MODES)
def server(request: pytest.FixtureRequest, servers: Callable[[str], Gateway]) -> Gateway:
    return servers(request.param)


@pytest.fixture(scope="module")
def clients() -> Iterator[Callable[[str], Any]]:
    """Each with its address. One for all tests: its TLS settings take long to load."""
    with ExitStack() as opened:
        yield cache(lambda host: opened.enter_context(ollama.Client(host=host)))


@pytest.fixture(params=["", "/ollama"])
def sdk(
    request: pytest.FixtureRequest,
    server: Gateway,
    clients: Callable[[str], Any],
    upstream: WireUpstream,
) -> Any:
    return clients(server.base_url + request.param)


def calls_of(message: Any) -> list[tuple[str, dict[str, Any]]]:
    found = message.tool_calls or ()
    return [(call.function.name, dict(call.function.arguments)) for call in found]


@WIRES
def test_a_whole_chat_has_all_parts(sdk: Any, wire: str) -> None:
    response = sdk.chat(MODELS[wire], messages=HI, tools=TOOLS, think=True)
    message = response.message
    assert (message.role, message.content, message.thinking) == (
        "assistant",
        "Hello there",
        "Let me",
    )
    assert calls_of(message) == [("weather", {"city": "Bonn"})]
    assert (response.done, response.done_reason) == (True, "stop")
    assert (response.prompt_eval_count, response.eval_count) == (11, 7)
    assert response.total_duration > 0


@WIRES
def test_a_streamed_chat_has_all_parts(sdk: Any, wire: str) -> None:
    lines = list(sdk.chat(MODELS[wire], messages=HI, tools=TOOLS, think=True, stream=True))
    assert "".join(line.message.content or "" for line in lines) == "Hello there"
    assert "".join(line.message.thinking or "" for line in lines) == "Let me"
    calls = [call for line in lines for call in calls_of(line.message)]
    assert calls == [("weather", {"city": "Bonn"})]
    assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]
    assert (lines[-1].prompt_eval_count, lines[-1].eval_count) == (11, 7)


@WIRES
def test_results_of_tools_go_back(sdk: Any, upstream: WireUpstream, wire: str) -> None:
    message = sdk.chat(MODELS[wire], messages=HI, tools=TOOLS).message
    result = {"role": "tool", "tool_name": "weather", "content": "Sunny"}
    upstream.pieces = Pieces(thought=(), arguments=())
    response = sdk.chat(MODELS[wire], messages=[*HI, message, result], tools=TOOLS)
    assert response.message.content == "Hello there"
    text = json.dumps(upstream.last_json["messages"][1:])
    assert "Sunny" in text
    assert "Bonn" in text


@WIRES
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_prompt_is_completed(sdk: Any, wire: str, is_stream: bool) -> None:
    found = sdk.generate(MODELS[wire], prompt="Hi", system="Be kind", stream=is_stream)
    responses = list(found) if is_stream else [found]
    assert "".join(each.response for each in responses) == "Hello there"
    assert responses[-1].done


def test_images_and_formats_are_converted(sdk: Any, upstream: WireUpstream) -> None:
    said = {"role": "user", "content": "See", "images": [b"\x89PNG\r\n"]}
    options = {"temperature": 0.5, "num_predict": 9}
    sdk.chat(MODELS["openai"], messages=[said], format=PARAMETERS, options=options)
    sent = upstream.last_json
    assert sent["messages"][0]["content"][1]["image_url"]["url"].startswith(
        "data:image/png;base64,"
    )
    assert sent["response_format"]["json_schema"]["schema"] == PARAMETERS
    assert (sent["temperature"], sent["max_tokens"]) == (0.5, 9)


VECTORS = b'{"embeddings":[[0.5,1.0]],"data":[{"index":0,"embedding":[0.5,1.0]}],"usage":{"prompt_tokens":3,"total_tokens":3},"prompt_eval_count":3}'  # fmt: skip # noqa: E501


@pytest.mark.parametrize("wire", ["ollama", "openai"])
def test_texts_are_embedded(sdk: Any, upstream: WireUpstream, wire: str) -> None:
    upstream.reply = answer(VECTORS)
    found = sdk.embed(MODELS[wire], input="Hi")
    assert (list(map(list, found.embeddings)), found.prompt_eval_count) == ([[0.5, 1.0]], 3)
    assert list(sdk.embeddings(MODELS[wire], prompt="Hi").embedding) == [0.5, 1.0]


def test_models_and_version_are_shown(sdk: Any, server: Gateway) -> None:
    names = [model.model for model in sdk.list().models]
    assert "openai/gpt-4o" in names
    assert len(names) == len(set(names))
    assert server.client.call("GET", "/ollama/api/version").json["version"]
    details = sdk.show("openai/gpt-4o")
    assert "completion" in details.capabilities
    assert details.modelinfo["general.architecture"] == "openai"
    assert sdk.ps().models == []
    with pytest.raises(ollama.ResponseError) as caught:
        sdk.show("openai/nothing")
    assert caught.value.status_code == 404


@WIRES
@pytest.mark.parametrize("status", [400, 401, 404, 429, 503])
def test_the_client_raises_its_own_error(
    sdk: Any, upstream: WireUpstream, wire: str, status: int
) -> None:
    upstream.reply = answer(b'{"error":{"message":"No, because"}}', status)
    for is_stream in (False, True):
        with pytest.raises(ollama.ResponseError, match="No, because") as caught:
            list(sdk.chat(MODELS[wire], messages=HI, stream=is_stream))
        assert caught.value.status_code == status


def test_an_error_in_a_stream_is_raised(sdk: Any, upstream: WireUpstream) -> None:
    line = b'{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"Hel"},"done":false}\n'  # noqa: E501
    broken = b'{"error":"It broke"}\n'
    headers = [("content-type", "application/x-ndjson")]
    upstream.reply = chunked(line, broken, headers=headers)
    got: list[str] = []
    with pytest.raises(ollama.ResponseError, match="It broke"):
        got.extend(each.message.content for each in sdk.chat(MODELS["ollama"], HI, stream=True))
    assert got == ["Hel"]


def test_a_bad_request_is_refused(server: Gateway, upstream: WireUpstream) -> None:
    for path in ("/api/chat", "/ollama/api/chat"):
        reply = server.client.call("POST", path, {"model": "openai/m", "messages": "Hi"})
        assert reply.status == 400
        assert "messages" in reply.json["error"]
    reply = server.client.call("POST", "/api/chat", {"model": "nobody/m", "messages": HI})
    assert (reply.status, type(reply.json["error"])) == (404, str)
    assert server.client.call("GET", "/api/chat").status == 405
    assert upstream.requests == []


def test_a_model_is_loaded_and_unloaded(sdk: Any, upstream: WireUpstream) -> None:
    for model in (MODELS["openai"], MODELS["anthropic"]):
        assert sdk.generate(model=model).done_reason == "load"
        assert sdk.chat(model=model, messages=[], keep_alive=0).done_reason == "unload"
        parts = list(sdk.generate(model=model, prompt="", stream=True))
        assert [(part.done, part.done_reason) for part in parts] == [(True, "load")]
    assert upstream.requests == []


def test_managing_models_is_refused_with_the_reason(sdk: Any) -> None:
    for manage in (sdk.pull, sdk.push, sdk.delete):
        with pytest.raises(ollama.ResponseError, match="call the Ollama server itself"):
            manage("llama3")
    with pytest.raises(ollama.ResponseError, match="/api/create is not served"):
        sdk.create("mine", from_="llama3")
